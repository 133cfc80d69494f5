//! `start` and `resume`: the run.
//! Knows nothing of the loop; it says what is selected and shows what is told.

use crate::{
    config::parse::JOBS_MAX,
    model::{task::TaskId, workflow::PhaseId},
};

/// What `start` and `resume` take.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StartArguments {
    /// Tasks to work on, and what they depend on; none: all
    #[arg(value_name = "TASK")]
    pub tasks: Vec<TaskId>,
    /// Workers; each does one step at a time [default: limits.jobs of the configuration]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(JOBS_MAX)))]
    pub jobs: Option<u32>,
    /// The workflow of tasks that have not begun and name none
    #[arg(short, long, value_name = "NAME")]
    pub workflow: Option<String>,
    /// Stop each task before this phase
    #[arg(long, value_name = "PHASE")]
    pub until: Option<PhaseId>,
    /// Check everything, say what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Print events as JSON, one object a line
    #[arg(long)]
    pub json: bool,
    /// Take up definitions of begun tasks that were edited since
    #[arg(long)]
    pub reload: bool,
    /// Ask nothing
    #[arg(short, long)]
    pub yes: bool,
}

/// Examples under the help of `start`.
pub const START_EXAMPLES: &str = "\
Examples:
  git orchestrate start                    Work on every task, with the configured number of workers
  git orchestrate start --jobs 8 api docs  Work on two tasks and what they depend on
  git orchestrate start --dry-run          Check everything and say what would be done
  git orchestrate start --until gate       Stop each task before its gate
  git orchestrate start --json > events    One JSON object for each thing that happens";

/// Examples under the help of `resume`.
pub const RESUME_EXAMPLES: &str = "\
Examples:
  git orchestrate resume            Go on after a stop, a crash or in a fresh clone
  git orchestrate resume --jobs 2   The same with two workers";
