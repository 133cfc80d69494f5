//! `agents route`: who is asked for the phases of a task, and why.
//! Knows nothing of how that is decided.

use std::io::Write;

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal, user_programs::paged};
use crate::{
    model::{task::TaskId, workflow::PhaseId},
    report::{
        json,
        routing::{Detail, write},
    },
    route::usual::USUAL,
    run::routing::explain,
};

/// What `agents route` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct RouteArguments {
    /// The task
    #[arg(value_name = "TASK")]
    pub task: TaskId,
    /// Only this phase, be it over or not: implement, implement/S2
    #[arg(long, value_name = "PHASE")]
    pub phase: Option<PhaseId>,
    /// Tell of every candidate why it is taken or not, and what history says
    #[arg(long)]
    pub explain: bool,
    /// Print one JSON object, with all that --explain tells
    #[arg(long)]
    pub json: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate agents route api                      Who would be asked for each phase
  git orchestrate agents route api --phase plan         Who would be asked for this one
  git orchestrate agents route api --explain            Every candidate, the rule, the history
  git orchestrate agents route api --json               For programs

The first [[route]] that matches names the agents, else [roles], else a table that is built in. \
What the rules after it name comes into play only where nobody on its list ever may: while one is \
only busy or parked, the step waits for it. With routing = \"learned\", history puts the list of \
the rule in order.";

/// Runs `agents route`.
///
/// # Errors
/// When there is no such task or phase.
pub fn run(arguments: &RouteArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let project = project()?;
    let view = explain(&project, arguments.task.as_str(), arguments.phase.as_ref())?;
    if arguments.json {
        json::write(&view, out)?;
    } else {
        let detail = if arguments.explain { Detail::Full } else { Detail::Lines };
        paged(terminal, &project.repository, out, |out| Ok(write(&view, detail, USUAL, terminal.out_look(), out)?))?;
    }
    Ok(if view.phases.iter().all(|phase| phase.agent.is_some()) { Exit::Done } else { Exit::Person })
}
