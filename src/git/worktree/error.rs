//! What can go wrong with a slot.
//! Knows nothing of what the work in it was for.

use std::path::PathBuf;

/// Why a slot could not be used. Nothing was lost.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// A name that cannot be one of a slot.
    #[error("'{0}' cannot be the name of a worktree: small letters, digits and '-' are expected")]
    BadName(String),
    /// Something that is not ours is where the slot should be.
    #[error("'{}' is in the way of a worktree", .0.display())]
    Occupied(PathBuf),
    /// A file was changed that has to be replaced.
    #[error("'{path}' in the worktree '{slot}' has changes that are not saved")]
    Unsaved {
        /// The slot.
        slot: String,
        /// The file.
        path: String,
    },
    /// What is to be accepted is not what was taken.
    #[error("the worktree '{slot}' does not hold the tree '{tree}'")]
    OtherTree {
        /// The slot.
        slot: String,
        /// The tree.
        tree: String,
    },
    /// A commit with `.handoff` was to be checked out.
    #[error("'{0}' has a '.handoff': only its code can be checked out")]
    NoCodeCommit(String),
    /// Something still changes the files.
    #[error("'{path}' in the worktree '{slot}' changed while it was read")]
    Busy {
        /// The slot.
        slot: String,
        /// The file.
        path: String,
    },
}

impl SlotError {
    /// One command or line to type, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Occupied(path) => {
                Some(format!("move it away, or set 'worktrees.dir': mv '{0}' '{0}.old'", path.display()))
            }
            Self::BadName(_)
            | Self::NoCodeCommit(_)
            | Self::Unsaved { .. }
            | Self::OtherTree { .. }
            | Self::Busy { .. } => None,
        }
    }
}
