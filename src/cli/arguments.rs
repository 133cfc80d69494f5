//! The command line as a type.
//! Knows nothing of what the commands do.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

use super::{completions, terminal::Colour};

/// Have coding agents work through a queue of tasks: reviewed, gated, signed, landed
#[derive(Debug, Parser)]
#[command(
    name = "git-orchestrate",
    bin_name = "git orchestrate",
    version,
    arg_required_else_help = true,
    after_help = EXAMPLES,
    max_term_width = 100
)]
pub struct Arguments {
    /// Run as if started in this directory; each further one is relative to the one before
    #[arg(short = 'C', value_name = "DIR", global = true, action = ArgAction::Append)]
    pub directories: Vec<PathBuf>,
    /// Tell more; twice: what the program does inside
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Tell only what went wrong, and what was asked for
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use colours: auto, always or never
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", hide_possible_values = true)]
    pub color: Colour,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  git orchestrate init                        Find agents and tests, write .handoff/config.toml
  git orchestrate task add \"Add a --json flag\"
  git orchestrate task list";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a script with which a shell completes our command line
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArguments),
}
