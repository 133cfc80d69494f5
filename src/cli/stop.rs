//! `stop`: asks the run that holds the repository to end.
//! Knows nothing of how it ends.

/// What `stop` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StopArguments {
    /// End the running steps too, do not wait for them; their work is saved
    #[arg(long)]
    pub now: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate stop        Let the running steps finish, start nothing new
  git orchestrate stop --now  End the running steps; `git orchestrate resume` does them again";
