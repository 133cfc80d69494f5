//! `plan`: what a run would have to do, without doing any of it.
//! Knows nothing of how it is reckoned.

use std::io::Write;

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal, user_programs::paged};
use crate::{
    model::task::TaskId,
    report::{json, plan},
    run::forecast,
};

/// What `plan` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PlanArguments {
    /// Tasks to look at, with all that they depend on; none: all
    #[arg(value_name = "TASK")]
    pub tasks: Vec<TaskId>,
    /// Say how long it takes with this many workers too [default: as configured]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Print one JSON object
    #[arg(long, conflicts_with_all = ["dot", "mermaid"])]
    pub json: bool,
    /// Print the graph for Graphviz
    #[arg(long, conflicts_with = "mermaid")]
    pub dot: bool,
    /// Print the graph for Mermaid
    #[arg(long)]
    pub mermaid: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate plan                      Everything that is not over
  git orchestrate plan docs --jobs 3        One task with all that it depends on, by three workers
  git orchestrate plan --dot | dot -Tsvg    A drawing; --mermaid for Markdown
  git orchestrate plan --json               For programs, with every file and pair";

/// Runs `plan`. Circles and missing tasks are an answer, and a no.
///
/// # Errors
/// When the queue or the repository cannot be read.
pub fn run(arguments: &PlanArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let names: Vec<String> = arguments.tasks.iter().map(ToString::to_string).collect();
    let project = project()?;
    let view = forecast::plan(&project, &names, arguments.jobs.map(usize::from))?;
    if arguments.json {
        json::write(&view, out)?;
    } else if arguments.dot {
        plan::write_dot(&view, out)?;
    } else if arguments.mermaid {
        plan::write_mermaid(&view, out)?;
    } else {
        paged(terminal, &project.repository, out, |out| Ok(plan::write(&view, terminal.out_look(), out)?))?;
    }
    Ok(if view.problems.is_empty() { Exit::Done } else { Exit::No })
}
