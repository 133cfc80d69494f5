//! The ways in which a gate cannot be run at all.
//! Does not know of checks that ran: what they say is a verdict, not an error.

use std::{io, path::PathBuf};

use crate::{git::GitError, sys::lock::Holder, text::list};

/// Why there is no gate to run.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The repository did not do its part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The configuration has no such profile.
    #[error("no gate profile '{}'{}", .profile.escape_debug(), others(.known))]
    UnknownProfile {
        /// The name that was asked for.
        profile: String,
        /// The profiles that there are.
        known: Vec<String>,
        /// The one that was probably meant.
        near: Option<String>,
    },
    /// A profile checks nothing; it must not pass anything.
    #[error("gate profile '{profile}' has no checks")]
    NoChecks {
        /// The profile.
        profile: String,
    },
    /// A check has no command.
    #[error("check '{check}' of gate profile '{profile}' has no command")]
    NoCommand {
        /// The profile.
        profile: String,
        /// The check.
        check: String,
    },
    /// Two checks have one name.
    #[error("gate profile '{profile}' has two checks named '{check}'")]
    Twice {
        /// The profile.
        profile: String,
        /// Their name.
        check: String,
    },
    /// A worktree could not be made ready.
    #[error("the setup command '{command}' of [worktrees] failed: {why}")]
    Setup {
        /// The command.
        command: String,
        /// Where it ran.
        directory: PathBuf,
        /// Why, with the end of what it said.
        why: String,
    },
    /// A glob of the configuration is none.
    #[error("'{glob}' in [worktrees] copy is not a glob: {why}")]
    Glob {
        /// As it is written.
        glob: String,
        /// What is wrong.
        why: String,
    },
    /// A file of ours or of a worktree could not be made.
    #[error("'{}' {what}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What could not be done with it.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Every checkout for gates is in use.
    #[error("{count} gates are at work in this repository already{}", since(.holder.as_deref()))]
    Busy {
        /// How many.
        count: usize,
        /// One of them.
        holder: Option<Box<Holder>>,
    },
}

impl GateError {
    /// What to type next, where one thing helps.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownProfile { near: Some(near), .. } => Some(format!("did you mean '{near}'?")),
            Self::UnknownProfile { profile, near: None, .. } | Self::NoChecks { profile } => Some(lines(profile)),
            Self::NoCommand { check, .. } => {
                Some(format!("give check '{check}' the command that decides: run = \"cargo test\""))
            }
            Self::Git(error) => error.hint(),
            Self::Setup { command, directory, .. } => Some(format!("cd '{}' && {command}", directory.display())),
            Self::Glob { .. } => Some("write it as in .gitignore: config/*.local".to_owned()),
            Self::Busy { .. } => Some("wait until one has ended, then try again".to_owned()),
            Self::Twice { .. } | Self::File { .. } => None,
        }
    }
}

/// The lines that give a profile its first check.
fn lines(profile: &str) -> String {
    let is_bare = profile.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) && !profile.is_empty();
    let key = if is_bare { profile.to_owned() } else { format!("\"{}\"", profile.escape_default()) };
    format!("add to .handoff/config.toml:\n[[gate.{key}.check]]\nname = \"test\"\nrun = \"cargo test\"")
}

fn since(holder: Option<&Holder>) -> String {
    holder.map(|holder| format!(", one since {} as process {}", holder.since, holder.pid)).unwrap_or_default()
}

fn others(profiles: &[String]) -> String {
    match profiles {
        [] => String::new(),
        [one] => format!("; there is '{one}'"),
        many => format!("; there are {}", list(&many.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>())),
    }
}

/// The word to stop was said before every check had ended: nothing is known of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gate was stopped before it was through")]
pub struct Cancelled;
