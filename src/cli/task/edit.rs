//! `task edit`: by options, or in the user's editor. What was written by hand stays as it is, comments included.
//! Knows nothing of runs; a task that has begun takes the change up with `--reload`.

use std::{fs, io::Write, path::PathBuf};

use super::{
    arguments::EditArguments,
    queue::{check_dependencies, check_workflow, find, goal_of},
};
use crate::{
    cli::{exit::Exit, failure::Failure, place::Place, terminal::Terminal, user_programs},
    config::problem::Problem,
    handoff::tasks::{self, FieldValue, Format, Queue, QueuedTask, parse, set_fields, write_edited},
    model::task::Task,
};

/// Carries it out.
///
/// # Errors
/// There is no such task, what it became is wrong, or there is no editor.
pub(super) fn run(arguments: &EditArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let place = Place::find()?;
    let queue = tasks::load(&place.root)?;
    let queued = find(&queue, &arguments.task)?;
    let format = Format::of(&queued.file).unwrap_or(Format::Toml);
    let goal = goal_of(arguments.fields.goal_file.as_deref())?;
    let mut fields = arguments.fields.given(goal);
    fields.extend(arguments.title.as_ref().map(|title| ("title", FieldValue::Text(title.trim().to_owned()))));
    let text = if fields.is_empty() {
        by_hand(&place, &queue, queued, format, terminal)?
    } else {
        set_fields(&queued.text, &queued.file.to_string_lossy(), format, &fields)?
    };
    if text == queued.text {
        terminal.say("nothing was changed");
        return Ok(Exit::Done);
    }
    check(&place, &queue, queued, format, &text)?;
    write_edited(&place.root, queued, &text)?;
    writeln!(out, "{}  {}", arguments.task, queued.file.display())?;
    Ok(Exit::Done)
}

/// What the text means, if all of it is right.
fn check(place: &Place, queue: &Queue, queued: &QueuedTask, format: Format, text: &str) -> Result<Task, Failure> {
    let file = queued.file.to_string_lossy();
    let task = parse(text, &file, format, &queued.task.id)?;
    if task.id != queued.task.id {
        let what = format!("the id of task '{}' cannot be changed", queued.task.id);
        return Err(Problem::new(file, what).into());
    }
    check_dependencies(queue, &task)?;
    check_workflow(&place.root, &task)?;
    Ok(task)
}

/// Lets the user edit a copy until it is right or given up: the file itself is right at any time.
fn by_hand(
    place: &Place,
    queue: &Queue,
    queued: &QueuedTask,
    format: Format,
    terminal: &Terminal,
) -> Result<String, Failure> {
    let copy = Copy::new(place, queued, format)?;
    loop {
        user_programs::edit(&place.repository, copy.path.as_os_str())?;
        let failed = |error| Failure::fatal(format!("cannot read '{}': {error}", copy.path.display()), None);
        let text = fs::read_to_string(&copy.path).map_err(failed)?;
        match check(place, queue, queued, format, &text) {
            Ok(_) => {
                copy.remove();
                return Ok(text);
            }
            Err(failure) if terminal.can_ask() => {
                failure.complaints().iter().for_each(|complaint| terminal.complain(complaint));
                if !terminal.ask("Edit it again?", true) {
                    return Err(copy.kept());
                }
            }
            Err(failure) => return Err(failure.and(copy.kept())),
        }
    }
}

/// The copy that is edited, in our own directory.
struct Copy {
    path: PathBuf,
}

impl Copy {
    fn new(place: &Place, queued: &QueuedTask, format: Format) -> Result<Self, Failure> {
        let directory = place.local().root().to_owned();
        let path = directory.join(format!("EDIT-{}.{}", queued.task.id, format.extension()));
        let written = fs::create_dir_all(&directory).and_then(|()| fs::write(&path, &queued.text));
        written.map_err(|error| Failure::fatal(format!("cannot write '{}': {error}", path.display()), None))?;
        Ok(Self { path })
    }

    fn kept(&self) -> Failure {
        let hint = format!("your text is kept in '{}'", self.path.display());
        Failure::fatal("the task was not changed", hint)
    }

    fn remove(&self) {
        // A copy that stays is overwritten by the next edit.
        let _ = fs::remove_file(&self.path);
    }
}
