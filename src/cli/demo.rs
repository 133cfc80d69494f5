//! `demo`: the main job on a small repository of its own, with recorded agents.
//! Knows nothing of what is in that repository.

use std::path::PathBuf;

/// What `demo` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DemoArguments {
    /// Where the repository is made; it must not be there yet [default: a new temporary directory]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate demo                   Three tasks, two reviewers, no account needed
  git orchestrate demo --dir /tmp/tryout Leave the repository there to look at";
