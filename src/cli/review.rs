//! `review`: what waits for a person, and the person's decision.
//! Knows nothing of how a decision is carried out.

use std::io::{Read, Write};

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal};
use crate::{
    model::{checkpoint::TaskState, record::Decision, task::TaskId, workflow::PhaseId},
    report::{json, review::ReviewView},
    run::{decide, queue, view},
};

/// Bytes of advice that are read from standard input.
const FEEDBACK_BYTES_MAX: u64 = 64 << 10;

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

/// Runs `review`.
///
/// # Errors
/// When nothing waits there, or the decision does not fit.
pub fn run(arguments: &ReviewArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let project = project()?;
    let decision = arguments.decision(|| {
        let mut text = String::new();
        std::io::stdin().take(FEEDBACK_BYTES_MAX).read_to_string(&mut text).map(|_| text)
    })?;
    let names: Vec<String> = arguments.task.iter().map(ToString::to_string).collect();
    let (Some(decision), Some(task)) = (decision, &arguments.task) else {
        let view = view::review(&project, &names)?;
        show(arguments, &view, terminal, out)?;
        return Ok(if view.items.is_empty() { Exit::Done } else { Exit::Person });
    };
    let queue = queue::load(&project)?;
    let queued = queue::find(&queue, task.as_str())?;
    let money = match decision {
        Decision::Approve => view::money_needed(&project, &queue, queued),
        Decision::Retry { .. } | Decision::Skip | Decision::Allow { .. } | Decision::Abort { .. } => None,
    };
    let committed = match money {
        Some(usd) => decide::allow(&project, &queue, queued, usd)?,
        None => decide::decide(&project, queued, arguments.phase.as_ref(), decision)?,
    };
    let state = committed.checkpoint.state();
    let phase = &committed.record.phase;
    terminal.say(&format!("{task}: noted at {phase} in commit {}; it is now {state}", committed.tip.short()));
    if matches!(state, TaskState::New | TaskState::Running | TaskState::Finished) {
        terminal.hint("git orchestrate resume");
    }
    Ok(Exit::Done)
}
