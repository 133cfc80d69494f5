//! Every way in which the files of `.handoff/` can fail us that is not a mistake in their text.
//! Knows nothing of how it is shown; mistakes in a text are [`Problem`]s.

use std::{io, path::PathBuf};

use crate::config::problem::Problem;

/// Why something was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum HandoffError {
    /// The system refused.
    #[error("cannot {doing} '{}': {source}", .path.display())]
    Io {
        /// `read`, `write`, `create`.
        doing: &'static str,
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is there already and is never overwritten.
    #[error("'{}' is there already", .0.display())]
    Exists(PathBuf),
    /// A link leads out of the repository.
    #[error("'{}' leads out of the repository", .0.display())]
    Outside(PathBuf),
    /// A text is wrong.
    #[error(transparent)]
    Problem(#[from] Problem),
}

impl HandoffError {
    /// One thing to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists(path) => Some(format!("edit it, or remove it first: {}", path.display())),
            Self::Outside(path) => Some(format!("replace the link by a file or directory: {}", path.display())),
            Self::Problem(problem) => problem.hint.clone(),
            Self::Io { .. } => None,
        }
    }
}
