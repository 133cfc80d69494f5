//! `show`: one task with all that is known of it.
//! Knows nothing of where that is read.

use std::io::Write;

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal, user_programs::paged};
use crate::{
    model::{task::TaskId, workflow::PhaseId},
    report::{
        gate, json,
        show::{ShowView, write},
    },
    run::view,
    text,
};

/// What `show` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct ShowArguments {
    /// The task
    #[arg(value_name = "TASK")]
    pub task: TaskId,
    /// Show what its gate said last, with the output of what failed
    #[arg(long, conflicts_with_all = ["prompt", "transcript"])]
    pub gate: bool,
    /// Show what an agent is told for this phase
    #[arg(long, value_name = "PHASE", conflicts_with = "transcript")]
    pub prompt: Option<PhaseId>,
    /// Show all that an agent printed in this step [default: the last that an agent made]
    #[arg(long, value_name = "STEP", num_args = 0..=1)]
    pub transcript: Option<Option<u32>>,
    /// Print one JSON object
    #[arg(long, conflicts_with_all = ["prompt", "transcript"])]
    pub json: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate show api                     What is wanted, how far it has come, what stands in the way
  git orchestrate show api --gate              What the gate said last
  git orchestrate show api --prompt implement  What the agent is told
  git orchestrate show api --transcript 3      All that the agent of step 3 printed";

/// Writes the view in the form that was asked for.
///
/// # Errors
/// When `out` does not take it; when there is no verdict of a gate to show.
pub fn show(
    arguments: &ShowArguments,
    view: &ShowView,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match (&view.gate, arguments.gate) {
        (Some(verdict), true) if arguments.json => json::write(verdict, out)?,
        (Some(verdict), true) => gate::write(verdict, &|_| None, terminal.out_look(), out)?,
        (None, true) => {
            let id = &arguments.task;
            let message = format!("no gate has judged task '{id}' yet");
            return Err(Failure::fatal(message, format!("git orchestrate log {id}")).exiting(Exit::NoMatch));
        }
        (_, false) if arguments.json => json::write(view, out)?,
        (_, false) => write(view, terminal.out_look(), out)?,
    }
    Ok(())
}

/// Runs `show`.
///
/// # Errors
/// When there is no such task, phase or step.
pub fn run(arguments: &ShowArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let project = project()?;
    let name = arguments.task.as_str();
    if let Some(phase) = &arguments.prompt {
        let prompt = view::prompt(&project, name, phase)?.text;
        paged(terminal, &project.repository, out, |out| Ok(out.write_all(prompt.as_bytes())?))?;
    } else if let Some(step) = arguments.transcript {
        let transcript = text::clean_bytes(&view::transcript(&project, name, step)?);
        paged(terminal, &project.repository, out, |out| Ok(out.write_all(transcript.as_bytes())?))?;
    } else if arguments.json {
        show(arguments, &view::show(&project, name)?, terminal, out)?;
    } else {
        let view = view::show(&project, name)?;
        paged(terminal, &project.repository, out, |out| show(arguments, &view, terminal, out))?;
    }
    Ok(Exit::Done)
}
