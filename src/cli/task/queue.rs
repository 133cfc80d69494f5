//! The queue of the place we are at: a task found by its name, and what must hold between tasks.
//! Knows nothing of single fields.

use std::{io::Read, path::Path};

use crate::{
    cli::{exit::Exit, failure::Failure},
    config::problem::Problem,
    handoff::{
        disk, layout,
        tasks::{Queue, QueuedTask},
    },
    model::task::{Task, TaskId},
    sys::file::read_limited,
    text,
};

/// Bytes that a goal may have.
const GOAL_BYTES_MAX: usize = 1 << 20;

/// The task of that name.
///
/// # Errors
/// There is none; a near one is named.
pub fn find<'a>(queue: &'a Queue, id: &TaskId) -> Result<&'a QueuedTask, Failure> {
    queue.get(id).ok_or_else(|| {
        let ids = queue.tasks.iter().map(|queued| queued.task.id.as_str());
        let near = text::did_you_mean(id.as_str(), ids).map(|near| format!("did you mean '{near}'?"));
        let hint = near.unwrap_or_else(|| "git orchestrate task list".to_owned());
        Failure::fatal(format!("there is no task '{id}'"), hint).exiting(Exit::NoMatch)
    })
}

/// Whether every task that this one depends on is there.
///
/// # Errors
/// The first that is not.
pub(super) fn check_dependencies(queue: &Queue, task: &Task) -> Result<(), Failure> {
    for dependency in &task.depends_on {
        if *dependency == task.id {
            return Err(Failure::fatal(format!("task '{}' cannot depend on itself", task.id), None));
        }
        find(queue, dependency)?;
    }
    Ok(())
}

/// The text of `--goal-file`.
///
/// # Errors
/// It cannot be read, or is too long.
pub(super) fn goal_of(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(GOAL_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
        read.map(|_| bytes)
    } else {
        read_limited(file, GOAL_BYTES_MAX)
    };
    let shown = file.display();
    let failed = |why: String| Failure::fatal(format!("cannot read the goal from '{shown}': {why}"), None);
    let bytes = bytes.map_err(|error| failed(error.to_string()))?;
    if bytes.len() > GOAL_BYTES_MAX {
        return Err(failed(format!("it has more than {}", text::bytes(GOAL_BYTES_MAX as u64))));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| failed("it is not UTF-8 text".to_owned()))
}

/// The problems of a text that is in no file yet, without the place.
pub(super) fn placeless(problems: Vec<Problem>) -> Failure {
    let mut failures = problems.into_iter().map(|problem| Failure::fatal(problem.what, problem.hint));
    let first = failures.next().expect("BUG: an error without a problem");
    failures.fold(first, Failure::and)
}

/// Whether the workflow of that name is there.
///
/// # Errors
/// It is not, or it is wrong.
pub(super) fn check_workflow(root: &Path, task: &Task) -> Result<(), Failure> {
    let Some(name) = &task.workflow else { return Ok(()) };
    let is_known =
        crate::handoff::workflows::builtin(name).is_some() || disk::read_text(root, &layout::workflow(name))?.is_some();
    if is_known {
        return Ok(());
    }
    let names = crate::handoff::workflows::all_names(root);
    let near = text::did_you_mean(name, names.iter().map(String::as_str)).map(|near| format!("did you mean '{near}'?"));
    let hint =
        near.unwrap_or_else(|| format!("take one of {}, or write {}", text::list(&names), layout::workflow(name)));
    Err(Failure::fatal(format!("there is no workflow '{name}'"), hint))
}
