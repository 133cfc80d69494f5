//! `task list`: the queue as it is written down.
//! Knows nothing of how far a task has come; that is `status`.

use std::io::Write;

use super::arguments::ListArguments;
use crate::{
    cli::{exit::Exit, failure::Failure, place::Place, terminal::Terminal},
    handoff::tasks,
    report::{
        json,
        queue::{QueueView, write},
    },
};

/// Carries it out.
///
/// # Errors
/// The queue is wrong.
pub(super) fn run(arguments: &ListArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let place = Place::find()?;
    let queue = tasks::load(&place.root)?;
    let view = QueueView { tasks: queue.tasks.into_iter().map(|queued| queued.task).collect() };
    if arguments.json {
        json::write(&view, out)?;
    } else {
        write(&view, terminal.out_look(), out)?;
    }
    Ok(Exit::Done)
}
