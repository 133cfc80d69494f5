//! `task import`: files of prompts, a task each. Twice is harmless.
//! Knows nothing of what a file can hold.

use std::io::Write;

use super::{
    arguments::ImportArguments,
    queue::{check_workflow, find},
};
use crate::{
    cli::{exit::Exit, failure::Failure, place::Place},
    handoff::{
        import::prepare,
        tasks::{self, QueuedTask},
    },
    text,
};

/// Carries it out.
///
/// # Errors
/// Everything that is wrong with the files; nothing is imported then.
pub(super) fn run(arguments: &ImportArguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let place = Place::find()?;
    let queue = tasks::load(&place.root)?;
    let import = prepare(&arguments.paths, &queue)?;
    // Imported tasks may depend on each other.
    let mut together = queue.clone();
    together.tasks.extend(import.items.iter().map(|item| QueuedTask {
        task: item.task.clone(),
        file: item.source.clone(),
        text: item.text.clone(),
    }));
    for item in &import.items {
        item.task.depends_on.iter().try_for_each(|id| find(&together, id).map(|_| ()))?;
        check_workflow(&place.root, &item.task)?;
    }
    let written = import.commit(&place.root)?;
    let mut files = written.iter();
    for item in &import.items {
        let (id, source) = (&item.task.id, item.source.display());
        if item.already_there {
            writeln!(out, "{id}  is there already  ({source})")?;
        } else if let Some(file) = files.next() {
            writeln!(out, "{id}  {}  ({source})", file.display())?;
        }
    }
    writeln!(out, "{} imported", text::count(written.len(), "task"))?;
    Ok(Exit::Done)
}
