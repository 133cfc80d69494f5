//! `clean`: removes what is no longer needed.
//! Knows nothing of what that is.

use std::io::Write;

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal};
use crate::{
    report::event::RunEvent,
    run::clean::{self, Extent},
};

/// What `clean` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CleanArguments {
    /// Say what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Also the worktrees and caches that the next run would use again
    #[arg(long)]
    pub all: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate clean --dry-run  Say what would be removed
  git orchestrate clean            Remove what no task needs; unsaved work is saved first
  git orchestrate clean --all      Also the worktrees and caches";

/// Runs `clean`.
///
/// # Errors
/// While a run is at work, or when something cannot be saved or removed.
pub fn run(arguments: &CleanArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let project = project()?;
    let extent = Extent { all: arguments.all, dry_run: arguments.dry_run };
    let cleaned = clean::clean(&project, extent)?;
    for told in &cleaned.told {
        if let RunEvent::Warning { message, hint } = told {
            terminal.warn(message, hint.as_deref());
        }
    }
    let word = if arguments.dry_run { "would remove" } else { "removed" };
    for what in &cleaned.removed {
        writeln!(out, "{word} {what}")?;
    }
    if cleaned.removed.is_empty() {
        terminal.say("nothing to remove");
    }
    Ok(Exit::Done)
}
