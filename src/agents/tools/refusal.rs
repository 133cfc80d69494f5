//! Why a tool does not do what a model asked, in words that the model can act on.
//! Knows no tool.

use crate::text;

/// Why not. The path is as the model named it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It leads out of the worktree.
    #[error("'{path}' is outside the worktree; only files in it can be used")]
    Outside {
        /// As named.
        path: String,
    },
    /// It leads out of the worktree over a link.
    #[error("'{path}' leads outside the worktree by the link '{link}'; only files in it can be used")]
    LinkOutside {
        /// As named.
        path: String,
        /// The link, from the worktree.
        link: String,
    },
    /// It is git's or ours.
    #[error("'{path}' is not for agents: it belongs to {}", if *is_git { "git" } else { "git-orchestrate" })]
    Reserved {
        /// As named.
        path: String,
        /// Git's.
        is_git: bool,
    },
    /// There is nothing.
    #[error("there is no '{path}'")]
    NotThere {
        /// As named.
        path: String,
    },
    /// Something in the middle is no directory.
    #[error("'{path}' cannot be reached: a part of it is not a directory")]
    NotADirectory {
        /// As named.
        path: String,
    },
    /// It is a directory where a file was wanted.
    #[error("'{path}' is a directory")]
    IsADirectory {
        /// As named.
        path: String,
    },
    /// It is neither file nor directory.
    #[error("'{path}' is a {kind}, not a file")]
    NotAFile {
        /// As named.
        path: String,
        /// Such as `pipe`.
        kind: &'static str,
    },
    /// Links in a circle, or too many of them.
    #[error("'{path}' goes over too many links")]
    TooManyLinks {
        /// As named.
        path: String,
    },
    /// The path is empty, too long, or has a zero byte in it.
    #[error("that is not a path: {why}")]
    NotAPath {
        /// Why.
        why: &'static str,
    },
    /// The file is larger than what is read.
    #[error("'{path}' has {}, more than the {} that are read", text::bytes(*bytes), text::bytes(*bytes_max))]
    TooLarge {
        /// As named.
        path: String,
        /// What it has.
        bytes: u64,
        /// What is read.
        bytes_max: u64,
    },
    /// The system says no.
    #[error("cannot {what} '{path}': {source}")]
    System {
        /// As named.
        path: String,
        /// What was tried, a verb.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The call itself is wrong, or what it asks for does not fit the file.
    #[error("{0}")]
    Call(String),
}
