//! `clean`: removes what is no longer needed.
//! Knows nothing of what that is.

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
