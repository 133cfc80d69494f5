//! `pause`: has nothing new started for some tasks, also in a run that is at work, until they are resumed.
//! Knows nothing of how a run heeds it.

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal};
use crate::{
    run::{control, queue},
    text,
};

/// What `pause` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PauseArguments {
    /// The tasks
    #[arg(value_name = "TASK", required = true)]
    pub tasks: Vec<String>,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate pause api         Start nothing more for 'api'; a step that is being made is finished
  git orchestrate resume api        Let it go on, in the run that is at work or in a new one";

/// Runs `pause`.
///
/// # Errors
/// When a name is no task's, or it cannot be written down.
pub fn run(arguments: &PauseArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let project = project()?;
    let queue = queue::load(&project)?;
    let mut paused = Vec::new();
    for queued in queue::select(&queue, &arguments.tasks)? {
        control::pause(&project, &queued.task.id)?;
        paused.push(queued.task.id.to_string());
    }
    let names = paused.join(" ");
    terminal.say(&format!("paused {} (git orchestrate resume {names})", text::list(&paused)));
    Ok(Exit::Done)
}
