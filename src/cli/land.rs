//! `land`: puts the integration branch onto the user's branch.
//! Knows nothing of merges.

use std::io::Write;

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal};
use crate::{
    land::onto::FastForward,
    run::onto_branch::{self, How},
};

/// What `land` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct LandArguments {
    /// The branch to land on [default: the one that is checked out]
    #[arg(long, value_name = "BRANCH")]
    pub into: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Refuse unless the branch can be moved forward without a merge
    #[arg(long, conflicts_with = "no_ff")]
    pub ff_only: bool,
    /// Make a merge commit even where the branch could be moved forward
    #[arg(long)]
    pub no_ff: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git diff main...orchestrate/integration  Look at it first
  git orchestrate land --dry-run           Say what would be done
  git orchestrate land                     Land on the branch that is checked out
  git orchestrate land --into main --no-ff";

/// Runs `land`.
///
/// # Errors
/// When it cannot be landed without a person, or uncommitted work is in the way.
pub fn run(arguments: &LandArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let project = project()?;
    let fast_forward = match (arguments.ff_only, arguments.no_ff) {
        (true, _) => FastForward::Only,
        (false, true) => FastForward::Never,
        (false, false) => FastForward::IfPossible,
    };
    let landed = onto_branch::land(&project, arguments.into.as_deref(), fast_forward, arguments.dry_run)?;
    let (onto, branch) = (&landed.onto, &project.settings.landing.branch);
    match landed.how {
        How::UpToDate => terminal.say(&format!("'{onto}' has all of '{branch}' already")),
        How::Forward if arguments.dry_run => writeln!(out, "would move '{onto}' forward to '{branch}'")?,
        How::Merge if arguments.dry_run => writeln!(out, "would merge '{branch}' into '{onto}', gate it and commit")?,
        How::Forward => writeln!(out, "'{onto}' is now at {} ({branch})", landed.commit.short())?,
        How::Merge => writeln!(out, "'{onto}' is now at {}, a merge of '{branch}'", landed.commit.short())?,
    }
    Ok(Exit::Done)
}
