//! Every way in which hooks cannot be installed or cannot judge. Knows nothing of how it is shown.

use std::{io, path::PathBuf};

use super::HookName;
use crate::git::GitError;

/// Why something about hooks could not be done.
#[derive(Debug, thiserror::Error)]
pub enum HooksError {
    /// The repository did not do its part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file could not be read or written.
    #[error("'{}' {what}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What could not be done with it.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Somebody else is changing git's settings at this moment.
    #[error("'{}' is there: git's settings are being changed, or a change was cut off", .0.display())]
    Locked(PathBuf),
    /// Hooks are outside of the repository.
    #[error("hooks of this repository are in '{}', outside of it, as core.hooksPath says ({scope}, {origin})", .dir.display())]
    Elsewhere {
        /// The directory.
        dir: PathBuf,
        /// Of which scope the setting is.
        scope: String,
        /// Where the setting is.
        origin: String,
    },
    /// The hook that is there is not for a shell.
    #[error("the {name} hook '{}' is {what}, so nothing can be put into it", .path.display())]
    Foreign {
        /// Which.
        name: HookName,
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It cannot be judged.
    #[error("{what}")]
    Judge {
        /// Why.
        what: String,
        /// One thing to type.
        hint: Option<String>,
    },
    /// This git has no hooks in its settings.
    #[error("git {}.{} does not know hooks in its settings; 2.54 does", .0.0, .0.1)]
    TooOld((u32, u32)),
}

impl HooksError {
    /// One thing to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Git(error) => error.hint(),
            Self::File { .. } => None,
            Self::Locked(path) => Some(format!("if no git is at work: rm '{}'", path.display())),
            Self::Elsewhere { .. } | Self::Foreign { .. } => Some(
                "git orchestrate hooks install --method chain (ours first, then those), or --manual (what to add there)"
                    .to_owned(),
            ),
            Self::Judge { hint, .. } => hint.clone(),
            Self::TooOld(_) => Some("git orchestrate hooks install --method files".to_owned()),
        }
    }
}

/// Says which file it was.
pub(super) fn file(path: &std::path::Path, what: &'static str) -> impl FnOnce(io::Error) -> HooksError {
    let path = path.to_owned();
    move |source| HooksError::File { path, what, source }
}
