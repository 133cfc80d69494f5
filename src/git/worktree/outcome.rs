//! What a slot tells of its files: what changed, what was taken, what was saved.
//! Knows nothing of how it was found out.

use std::path::PathBuf;

use gix::bstr::{BString, ByteSlice};

use super::{
    super::tree::ChangeKind,
    checkout::Done,
    examine::{Refusal, RefusedFile},
    index::{Index, Put},
};
use crate::model::object::{CommitId, TreeId};

/// A file that differs from what was checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path; what is no UTF-8 is replaced.
    pub path: String,
    /// How it differs.
    pub kind: ChangeKind,
}

/// What differs from what was checked out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files, in git's order.
    pub files: Vec<ChangedFile>,
    /// What could not be taken under any policy: pipes, nested repositories.
    pub others: Vec<RefusedFile>,
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.others.is_empty()
    }
}

/// What was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The code tree: what was checked out, with the changes that were taken.
    pub tree: TreeId,
    /// What was taken, in git's order.
    pub changed: Vec<ChangedFile>,
    /// What was not.
    pub refused: Vec<RefusedFile>,
}

/// Work that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvage {
    /// A commit with all changed files on top of what was checked out.
    pub commit: CommitId,
    /// What it holds, in git's order.
    pub changed: Vec<ChangedFile>,
    /// What cannot be in a commit. `reset` sets nested repositories aside.
    pub left: Vec<RefusedFile>,
}

/// What a switch did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switched {
    /// Files written.
    pub written: usize,
    /// Files removed.
    pub removed: usize,
    /// Where ignored files are now that were in the way.
    pub set_aside: Vec<PathBuf>,
}

impl From<Done> for Switched {
    fn from(done: Done) -> Self {
        Self { written: done.written, removed: done.removed, set_aside: done.set_aside }
    }
}

/// The changes as people and other rooms see them.
pub(super) fn changed(index: &Index, puts: &[Put]) -> Vec<ChangedFile> {
    puts.iter()
        .map(|(path, put)| {
            let kind = match (put, index.entry(path.as_bstr())) {
                (None, _) => ChangeKind::Removed,
                (Some(_), Some(_)) => ChangeKind::Modified,
                (Some(_), None) => ChangeKind::Added,
            };
            ChangedFile { path: path.to_str_lossy().into_owned(), kind }
        })
        .collect()
}

/// The refusals as people and other rooms see them.
pub(super) fn refused(refused: Vec<(BString, Refusal)>) -> Vec<RefusedFile> {
    refused.into_iter().map(|(path, why)| RefusedFile { path: path.to_str_lossy().into_owned(), why }).collect()
}
