//! What is to be judged: from where, and without what.
//! Knows nothing of how it is judged.

use crate::model::object::CommitId;

/// Where to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The full name of the ref that stands there, or is to be moved there: `refs/heads/orchestrate/task/api`.
    pub name: Option<String>,
    /// The commit.
    pub commit: CommitId,
    /// Where the ref stood before; the new commit must have grown from it.
    pub old: Option<CommitId>,
}

impl Tip {
    /// A ref as it stands.
    pub fn of(name: impl Into<String>, commit: CommitId) -> Self {
        Self { name: Some(name.into()), commit, old: None }
    }
}

/// What is to be judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Everything that these reach …
    pub tips: Vec<Tip>,
    /// … and these do not. Empty: as far back as there are commits of ours.
    pub without: Vec<CommitId>,
}

impl Scope {
    /// A ref that is to be moved, as in a push: `old` is what the other side has there, `known` what it has besides.
    pub fn update(name: &str, old: Option<CommitId>, new: CommitId, known: &[CommitId]) -> Self {
        let tip = Tip { name: Some(name.to_owned()), commit: new, old };
        Self { tips: vec![tip], without: known.iter().copied().chain(old).collect() }
    }
}
