//! What git itself says better than we could: a diff to read, what is uncommitted, and tidying up.
//! Knows nothing of what it is asked for.

use std::path::Path;

use super::{Git, GitError, Repository};
use crate::{
    model::object::{CommitId, TreeId},
    text,
};

/// Lines that a diff may have.
const DIFF_LINES_MAX: usize = 20_000;
/// Packs of ours, among others, before they are put together.
const PACKS_MAX: usize = 40;
/// Files of ours that hold one ref each, before they are put together.
const LOOSE_REFS_MAX: usize = 200;

impl Repository {
    /// The difference between two trees as a unified diff, cleaned, at most so many bytes of it.
    ///
    /// # Errors
    /// If git cannot make it.
    pub fn diff_text(&self, before: TreeId, after: TreeId, bytes_max: usize) -> Result<String, GitError> {
        if before == after {
            return Ok(String::new());
        }
        let words = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", "-M"];
        let trees = [before.to_string(), after.to_string()];
        let diff = Git::of(self).args(words).args(trees).output(&[])?;
        Ok(text::head(&text::clean_bytes(&diff), DIFF_LINES_MAX, bytes_max))
    }

    /// Whether a commit is there.
    pub fn exists(&self, commit: CommitId) -> bool {
        self.parents(commit).is_ok()
    }

    /// How many files of the main worktree differ from HEAD or are new, ignored ones left out; 0 without a worktree.
    ///
    /// # Errors
    /// If git cannot tell.
    pub fn uncommitted_count(&self) -> Result<usize, GitError> {
        if self.work_dir().is_none() {
            return Ok(0);
        }
        let words =
            ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--ignore-submodules=dirty"];
        let status = Git::of(self).args(words).output(&[])?;
        let ours = |entry: &&[u8]| entry.get(3..).is_some_and(|path| path.starts_with(b".handoff/"));
        Ok(status.split(|byte| *byte == 0).filter(|entry| !entry.is_empty() && !ours(entry)).count())
    }

    /// Puts many small packs together, and loose refs into one file. Nothing is ever pruned. For when nothing else is done.
    ///
    /// # Errors
    /// If git cannot do it; nothing is lost then.
    pub fn maintain(&self) -> Result<(), GitError> {
        self.remove_joined_packs();
        let packs = std::fs::read_dir(self.common_dir().join("objects").join("pack"));
        let is_pack = |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "pack");
        let count = packs.map_or(0, |entries| entries.filter_map(Result::ok).filter(is_pack).count());
        if count > PACKS_MAX {
            let words = ["repack", "-d", "-n", "-q", "--geometric=2", "--no-write-bitmap-index"];
            Git::of(self).args(words).output(&[])?;
        }
        let own = ["refs/heads/orchestrate", "refs/orchestrate"];
        let loose: usize = own.iter().map(|dir| files_below(&self.common_dir().join(dir))).sum();
        if loose > LOOSE_REFS_MAX {
            Git::of(self).args(["pack-refs", "--all"]).output(&[])?;
        }
        Ok(())
    }
}

/// What cannot be read counts for nothing: this is only about when to tidy up.
fn files_below(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let count = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files_below(&entry.path()),
        Ok(_) | Err(_) => 1,
    };
    entries.filter_map(Result::ok).map(count).sum()
}
