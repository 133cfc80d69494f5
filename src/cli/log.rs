//! `log`: every step.
//! Knows nothing of where the steps are read.

use std::io::Write;

use super::{
    exit::Exit,
    failure::Failure,
    place::project,
    terminal::{Terminal, Verbosity},
    user_programs::paged,
    verify,
};
use crate::{
    model::task::TaskId,
    report::log::{Detail, Form, LogWriter},
    run::view,
};

/// What `log` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct LogArguments {
    /// Tasks to show; none: all
    #[arg(value_name = "TASK")]
    pub tasks: Vec<TaskId>,
    /// Only the last N steps of each task
    #[arg(short = 'n', long = "max-count", value_name = "N")]
    pub steps_max: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Judge every step as 'verify' does, and print one line of JSON for each, the oldest first
    #[arg(long, conflicts_with_all = ["json", "steps_max"])]
    pub audit: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate log            Every step of every task
  git orchestrate log api -v     With reasons, findings, files and last words
  git orchestrate log -n 3       The last three steps of each task
  git orchestrate log --json     For programs
  git orchestrate log --audit    The trail as JSON lines, each step with how it stands";

/// Runs `log`.
///
/// # Errors
/// When a task's steps cannot be read.
pub fn run(arguments: &LogArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    if arguments.audit {
        return verify::trail(&arguments.tasks, out);
    }
    let project = project()?;
    let names: Vec<String> = arguments.tasks.iter().map(ToString::to_string).collect();
    let detail = if terminal.verbosity >= Verbosity::Verbose { Detail::Full } else { Detail::Lines };
    let form = if arguments.json { Form::Json } else { Form::Text(terminal.out_look(), detail) };
    let write = |out: &mut dyn Write| -> Result<(), Failure> {
        let mut writer = LogWriter::begin(form, out)?;
        view::log::<Failure>(&project, &names, &mut |mut log| {
            if let Some(steps_max) = arguments.steps_max {
                log.keep_last(steps_max);
            }
            Ok(writer.task(&log)?)
        })?;
        Ok(writer.end()?)
    };
    if arguments.json {
        write(out)?
    } else {
        paged(terminal, &project.repository, out, write)?
    }
    Ok(Exit::Done)
}
