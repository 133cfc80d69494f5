//! Every way in which a landing can fail. Knows nothing of how it is shown.

use crate::git::GitError;

/// Why something could not land.
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// The repository did not do its part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The gate was stopped because the run stops.
    #[error("the landing was stopped")]
    Cancelled,
    /// The gate could not be asked.
    #[error("the gate of the landing could not be asked: {0}")]
    Gate(String),
    /// There is no integration branch.
    #[error("there is no branch '{0}' to land")]
    NothingThere(String),
    /// HEAD is not a branch.
    #[error("HEAD is detached: there is no branch to land onto")]
    Detached,
    /// The branch to land onto is not there.
    #[error("there is no branch '{0}'")]
    NoBranch(String),
    /// It is not a fast-forward, and only that was allowed.
    #[error("'{onto}' has commits that '{branch}' has not: it cannot be fast-forwarded")]
    NotFastForward {
        /// The user's branch.
        onto: String,
        /// The integration branch.
        branch: String,
    },
    /// The two cannot be merged without a person.
    #[error("'{branch}' conflicts with '{onto}' in {}", .paths.join(", "))]
    Conflict {
        /// The user's branch.
        onto: String,
        /// The integration branch.
        branch: String,
        /// Where.
        paths: Vec<String>,
    },
    /// The gate refuses the merged tree.
    #[error("the gate refuses what the two branches come to together: {reason}")]
    Red {
        /// The first check that is not content.
        reason: String,
    },
    /// git refused to update the files of the checkout.
    #[error("git would not update the checkout of '{onto}'")]
    Refused {
        /// The user's branch.
        onto: String,
        /// What git said.
        output: String,
    },
}

impl LandError {
    /// What the repository said, if it was the repository.
    pub fn git(&self) -> Option<&GitError> {
        if let Self::Git(error) = self { Some(error) } else { None }
    }

    /// One line to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Git(error) => error.hint(),
            Self::Cancelled => Some("git orchestrate resume".to_owned()),
            Self::Gate(_) => Some("git orchestrate doctor".to_owned()),
            Self::NothingThere(_) => Some("git orchestrate start".to_owned()),
            Self::Detached => Some("git switch <branch>, or git orchestrate land --into <branch>".to_owned()),
            Self::NoBranch(name) => Some(format!("git branch {name}")),
            Self::NotFastForward { .. } => {
                Some("git orchestrate land, without --ff-only, makes a merge commit".to_owned())
            }
            Self::Red { .. } => {
                Some("merge your branch into a task, or put right what fails, then land again".to_owned())
            }
            Self::Conflict { branch, .. } => {
                Some(format!("git merge {branch}, resolve and commit; nothing was changed by this command"))
            }
            Self::Refused { .. } => Some("commit or stash what is in the way, then git orchestrate land".to_owned()),
        }
    }
}
