//! `jobs`: has the run that is at work go on with more or fewer workers.
//! Knows nothing of how it does that.

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal};
use crate::{config::parse::JOBS_MAX, run::control, text};

/// What `jobs` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct JobsArguments {
    /// Workers; each does one step at a time
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(JOBS_MAX)))]
    pub jobs: u32,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate jobs 8   Go on with eight workers
  git orchestrate jobs 1   Finish the steps that are being made, then one after another";

/// Runs `jobs`.
///
/// # Errors
/// When no run is at work.
pub fn run(arguments: &JobsArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let project = project()?;
    let holder = control::request_jobs(&project, arguments.jobs as usize)?;
    terminal.say(&format!("asked pid {} to go on with {}", holder.pid, text::count(arguments.jobs, "worker")));
    Ok(Exit::Done)
}
