//! `land`: puts the integration branch onto the user's branch.
//! Knows nothing of merges.

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
