//! `stop`: asks the run that holds the repository to end.
//! Knows nothing of how it ends.

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal};
use crate::{run::decide, sys::signal::StopLevel};

/// What `stop` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StopArguments {
    /// End the running steps too, do not wait for them; their work is saved
    #[arg(long)]
    pub now: bool,

    /// Let the running steps finish and start nothing new, which is what is done where nothing else is said
    #[arg(long, conflicts_with = "now")]
    pub after_step: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate stop        Let the running steps finish, start nothing new
  git orchestrate stop --now  End the running steps; `git orchestrate resume` does them again";

/// Runs `stop`.
///
/// # Errors
/// When no run is at work.
pub fn run(arguments: &StopArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let project = project()?;
    let level = if arguments.now { StopLevel::Now } else { StopLevel::Finish };
    let holder = decide::request_stop(&project, level)?;
    let how = if arguments.now { "now" } else { "after the steps that are being made" };
    terminal.say(&format!("asked pid {} to stop {how}", holder.pid));
    Ok(Exit::Done)
}
