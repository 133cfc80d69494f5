//! `task show`: what is wanted of a task.
//! Knows nothing of how far it has come; that is `show`.

use std::io::Write;

use super::{arguments::ShowArguments, queue::find};
use crate::{
    cli::{exit::Exit, failure::Failure, place::Place, terminal::Terminal},
    handoff::tasks,
    report::{definition, json},
};

/// Carries it out.
///
/// # Errors
/// The queue is wrong, or there is no such task.
pub(super) fn run(arguments: &ShowArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let place = Place::find()?;
    let queue = tasks::load(&place.root)?;
    let queued = find(&queue, &arguments.task)?;
    if arguments.json {
        json::write(&queued.task, out)?;
    } else {
        definition::write(&queued.task, terminal.out_look(), out)?;
        writeln!(out, "\n{}", queued.file.display())?;
    }
    Ok(Exit::Done)
}
