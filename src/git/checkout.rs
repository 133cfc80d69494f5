//! Commits that worktrees check out: code without our own files, in no branch.
//! Knows nothing of worktrees, nor of what is done with the code.

use super::{Draft, GitError, Repository};
use crate::{
    config::settings::Durability,
    model::object::{CommitId, TreeId},
};

impl Repository {
    /// The commit to check out for the code tree `code`: `base` itself where that has the same tree, else one on top of it.
    ///
    /// # Errors
    /// When the base is missing, or the commit cannot be written.
    pub fn code_checkout(&self, draft: &mut Draft, code: TreeId, base: CommitId) -> Result<CommitId, GitError> {
        if self.root_tree(base)? == code {
            return Ok(base);
        }
        let commit = draft.code_commit(code, base)?;
        self.keep_checkout(draft, commit)
    }

    /// The commit to check out for the code of a commit: itself, or one made of it without our files.
    ///
    /// # Errors
    /// When it is missing, or the commit cannot be written.
    pub fn code_checkout_of(&self, commit: CommitId) -> Result<CommitId, GitError> {
        let mut draft = self.draft();
        let code = draft.code_tree(commit)?;
        self.code_checkout(&mut draft, code, commit)
    }

    /// The commit to check out for a code tree where there is no commit yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn first_code_checkout(&self, draft: &mut Draft, code: TreeId) -> Result<CommitId, GitError> {
        let commit = draft.first_code_commit(code)?;
        self.keep_checkout(draft, commit)
    }

    fn keep_checkout(&self, draft: &mut Draft, commit: CommitId) -> Result<CommitId, GitError> {
        if !self.exists(commit) {
            // Only what is checked out, no state: it need not survive a crash.
            self.publish(draft.objects(), Vec::new(), Durability::Os)?;
        }
        Ok(commit)
    }
}
