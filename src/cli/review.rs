//! `review`: what waits for a person, and the person's decision.
//! Knows nothing of how a decision is carried out.

use std::io::Write;

use super::{failure::Failure, terminal::Terminal};
use crate::{
    model::{record::Decision, task::TaskId, workflow::PhaseId},
    report::{json, review::ReviewView},
};

/// What `review` takes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(group(clap::ArgGroup::new("decision").requires("task").conflicts_with("json")))]
pub struct ReviewArguments {
    /// The task; none: show all that waits
    #[arg(value_name = "TASK")]
    pub task: Option<TaskId>,
    /// The phase, where more than one of the task waits
    #[arg(value_name = "PHASE")]
    pub phase: Option<PhaseId>,
    /// Overrule the review: the phase counts as passed
    #[arg(long, group = "decision")]
    pub approve: bool,
    /// Try again with this advice; - reads it from standard input
    #[arg(long, value_name = "TEXT", group = "decision")]
    pub feedback: Option<String>,
    /// Try again as it is
    #[arg(long, group = "decision")]
    pub retry: bool,
    /// Pass over the phase
    #[arg(long, group = "decision")]
    pub skip: bool,
    /// Give up the task
    #[arg(long, group = "decision")]
    pub abort: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate review                        What waits for you, why, and what to type
  git orchestrate review api --approve          Overrule the review
  git orchestrate review api --feedback \"Keep the old flag as an alias\"
  git orchestrate review api gate --retry       Try the gate again
  git orchestrate review api --abort            Give up the task";

impl ReviewArguments {
    /// The decision that was given; `read_feedback` is asked for the advice where it is `-`.
    ///
    /// # Errors
    /// When the advice cannot be read.
    pub fn decision(
        &self,
        read_feedback: impl FnOnce() -> std::io::Result<String>,
    ) -> std::io::Result<Option<Decision>> {
        Ok(match &self.feedback {
            Some(dash) if dash == "-" => Some(Decision::Retry { feedback: read_feedback()? }),
            Some(feedback) => Some(Decision::Retry { feedback: feedback.clone() }),
            None if self.approve => Some(Decision::Approve),
            None if self.retry => Some(Decision::Retry { feedback: String::new() }),
            None if self.skip => Some(Decision::Skip),
            None if self.abort => Some(Decision::Abort { reason: String::new() }),
            None => None,
        })
    }
}

/// Writes the view in the form that was asked for.
///
/// # Errors
/// When `out` does not take it.
pub fn show(
    arguments: &ReviewArguments,
    view: &ReviewView,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if arguments.json {
        json::write(view, out)?;
    } else {
        crate::report::review::write(view, terminal.out_look(), out)?;
    }
    Ok(())
}
