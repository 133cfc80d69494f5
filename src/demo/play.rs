//! The main job on the scratch repository: exactly what `start` does there.
//! Knows nothing of how it is shown.

use super::{DemoError, scratch::Scratch};
use crate::{
    report::{
        event::{RunEvent, RunSummary},
        log::LogView,
        status::StatusView,
    },
    run::{Project, drive, drive::Options, view},
    sys::signal::StopSignals,
};

/// How many steps are made at once.
pub const JOBS: usize = 2;

/// Works on the queue until it is done.
///
/// # Errors
/// The run could not start.
pub fn play(
    scratch: &Scratch,
    signals: &StopSignals,
    show: &mut dyn FnMut(&RunEvent),
) -> Result<RunSummary, DemoError> {
    let options = Options { jobs: Some(JOBS), command: "git orchestrate demo".to_owned(), ..Options::default() };
    Ok(drive::start(&Project::open(&scratch.root)?, &options, signals, show)?)
}

/// The queue as it stands.
///
/// # Errors
/// It cannot be read.
pub fn status(scratch: &Scratch) -> Result<StatusView, DemoError> {
    Ok(view::status(&Project::open(&scratch.root)?, &[])?)
}

/// Every step of every task, in the order in which the tasks depend on each other.
///
/// # Errors
/// A step cannot be read.
pub fn log(scratch: &Scratch) -> Result<LogView, DemoError> {
    let mut tasks = Vec::new();
    view::log::<DemoError>(&Project::open(&scratch.root)?, &[], &mut |log| {
        tasks.push(log);
        Ok(())
    })?;
    Ok(LogView { tasks })
}
