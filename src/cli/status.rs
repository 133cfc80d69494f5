//! `status`: how the whole stands.
//! Knows nothing of where that is read.

use std::{io::Write, time::Duration};

use clap::ValueEnum;

use super::{exit::Exit, failure::Failure, listening::listen, place::project, terminal::Terminal};
use crate::{
    model::task::TaskId,
    report::{
        json,
        status::{RecordEnd, StatusView, write, write_porcelain},
    },
    run::view,
    sys::signal::StopLevel,
};

/// How often `--watch` looks.
const WATCH_EVERY: Duration = Duration::from_millis(500);

/// What `status` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StatusArguments {
    /// Tasks to show; none: all
    #[arg(value_name = "TASK")]
    pub tasks: Vec<TaskId>,
    /// Show it again whenever it changes, until Ctrl-C
    #[arg(short, long, conflicts_with_all = ["json", "porcelain"])]
    pub watch: bool,
    /// Print one JSON object
    #[arg(long, conflicts_with = "porcelain")]
    pub json: bool,
    /// Print one record a task, in a format that stays
    #[arg(long, value_name = "VERSION", num_args = 0..=1, require_equals = true, default_missing_value = "v1")]
    pub porcelain: Option<Porcelain>,
    /// End each record of --porcelain with NUL, and do not clean titles
    #[arg(short = 'z', requires = "porcelain")]
    pub null: bool,
}

/// Versions of `--porcelain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Porcelain {
    /// `task <state> <id> <phase|-> <done>/<total> <attempt> <commit|-> <cost in micro-dollars> <title>`
    V1,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate status                    How every task stands and what the workers do
  git orchestrate status --watch            The same, again and again
  git orchestrate status --json             For programs
  git orchestrate status --porcelain=v1 -z  For scripts";

/// Writes the view in the form that was asked for.
///
/// # Errors
/// When `out` does not take it.
pub fn show(
    arguments: &StatusArguments,
    view: &StatusView,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if arguments.json {
        json::write(view, out)?;
    } else if let Some(Porcelain::V1) = arguments.porcelain {
        let end = if arguments.null { RecordEnd::Nul } else { RecordEnd::Newline };
        write_porcelain(view, end, out)?;
    } else {
        write(view, terminal.out_look(), now(), out)?;
    }
    Ok(())
}

fn now() -> jiff::Timestamp {
    jiff::Timestamp::try_from(crate::sys::clock::now()).unwrap_or_default()
}

/// Runs `status`.
///
/// # Errors
/// When the queue cannot be read.
pub fn run(arguments: &StatusArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let names: Vec<String> = arguments.tasks.iter().map(ToString::to_string).collect();
    if !arguments.watch {
        let project = project()?;
        show(arguments, &view::status(&project, &names)?, terminal, out)?;
        return Ok(Exit::Done);
    }
    let signals = listen()?;
    let mut last = Vec::new();
    while signals.level() == StopLevel::None {
        let project = project()?;
        let mut text = Vec::new();
        show(arguments, &view::status(&project, &names)?, terminal, &mut text)?;
        if text != last {
            if terminal.is_out_terminal() {
                // Home, then each line anew, then what is left of the old ones: it does not flicker.
                write!(out, "\x1b[H")?;
                for line in String::from_utf8_lossy(&text).lines() {
                    write!(out, "{line}\x1b[K\r\n")?;
                }
                write!(out, "\x1b[J")?;
            } else {
                out.write_all(&text)?;
            }
            out.flush()?;
            last = text;
        }
        std::thread::sleep(WATCH_EVERY);
    }
    Ok(Exit::Done)
}
