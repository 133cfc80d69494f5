//! What can go wrong with a repository, and what to type then.
//! Knows nothing of tasks or steps; those who ask say what they wanted the repository for.

use std::{fmt::Display, io, path::PathBuf};

use super::publish::PublishError;

/// Why a repository could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository here or above.
    #[error("not a git repository: '{}'", .0.display())]
    NoRepository(PathBuf),
    /// The repository belongs to another user.
    #[error("'{}' belongs to another user", .0.display())]
    NotTrusted(PathBuf),
    /// git's settings name no person.
    #[error("git does not know your name and e-mail address")]
    NoIdentity,
    /// The repository uses what we do not support.
    #[error("this repository {0}")]
    Unsupported(String),
    /// An object is missing or of another kind.
    #[error("there is no {kind} '{name}'")]
    NoObject {
        /// What was wanted: `commit`, `tree`, `blob`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A name that cannot be one of a ref.
    #[error("'{0}' cannot be the name of a ref")]
    BadRefName(String),
    /// A path that cannot be in a tree.
    #[error("'{0}' cannot be a path in a tree")]
    BadPath(String),
    /// gix could not do it.
    #[error("cannot {doing}: {because}")]
    Failed {
        /// What was being done: `read the index of 'w1'`.
        doing: String,
        /// Why it failed.
        because: String,
    },
    /// The system refused something.
    #[error("cannot {doing} '{}': {source}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A git command failed.
    #[error("git {command} failed: {output}")]
    Command {
        /// The command and its first words.
        command: String,
        /// The last lines it wrote.
        output: String,
    },
    /// A key could not be read, made or used.
    #[error("cannot sign with '{key}': {because}")]
    Key {
        /// The key: a path, or what git's settings say.
        key: String,
        /// Why not.
        because: String,
        /// What to type.
        hint: Option<String>,
    },
    /// A line of an allowed-signers text that cannot be understood or is not supported.
    #[error("allowed signers, line {line}: {because}")]
    AllowedSigners {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        because: String,
    },
    /// Refs or objects could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A worktree could not be made, switched or read.
    #[error(transparent)]
    Slot(#[from] super::worktree::SlotError),
}

impl GitError {
    /// One command or line to type, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoRepository(_) => Some("git init".to_owned()),
            Self::NotTrusted(path) => Some(format!("git config --global --add safe.directory '{}'", path.display())),
            Self::NoIdentity => Some(
                "git config --global user.name 'Your Name' && git config --global user.email 'you@example.com'"
                    .to_owned(),
            ),
            Self::Key { hint, .. } => hint.clone(),
            Self::Publish(error) => error.hint(),
            Self::Slot(error) => error.hint(),
            Self::Unsupported(_)
            | Self::NoObject { .. }
            | Self::BadRefName(_)
            | Self::BadPath(_)
            | Self::Failed { .. }
            | Self::Io { .. }
            | Self::Command { .. }
            | Self::AllowedSigners { .. } => None,
        }
    }
}

/// Says what was being done when something failed.
pub(super) trait During<T> {
    /// Turns an error of gix into ours; `doing` is an infinitive with its object.
    fn during(self, doing: impl FnOnce() -> String) -> Result<T, GitError>;
}

impl<T, E: Display> During<T> for Result<T, E> {
    fn during(self, doing: impl FnOnce() -> String) -> Result<T, GitError> {
        self.map_err(|error| GitError::Failed { doing: doing(), because: format!("{error:#}") })
    }
}

/// Says which file an error of the system is about.
pub(super) trait At<T> {
    /// Turns an error of the system into ours.
    fn at(self, doing: &'static str, path: impl Into<PathBuf>) -> Result<T, GitError>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, doing: &'static str, path: impl Into<PathBuf>) -> Result<T, GitError> {
        self.map_err(|error| GitError::Io { doing, path: path.into(), source: error.into() })
    }
}
