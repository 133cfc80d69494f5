//! The trees of what is not committed yet: of the index, and of the files as they are.
//! Works on a copy of the index: the user's own is neither written nor refreshed. Knows nothing of what the trees are for.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Git, GitError, Repository, error::During as _};
use crate::model::object::TreeId;

impl Repository {
    /// The file of the index: the one that git prepared where it runs us as a hook, else that of this worktree.
    pub fn index_file(&self) -> PathBuf {
        let named = std::env::var_os("GIT_INDEX_FILE").filter(|name| !name.is_empty());
        // A relative one is so to the top of the worktree, where hooks run.
        let of_hook = named.map(|name| self.work_dir().unwrap_or(Path::new("")).join(name));
        of_hook.unwrap_or_else(|| self.git_dir().join("index"))
    }

    /// The tree of what is staged in an index file: what a commit would have now.
    ///
    /// # Errors
    /// If the index has conflicts or cannot be read.
    pub fn staged_tree(&self, index: &Path) -> Result<TreeId, GitError> {
        self.with_copy_of(index, |copy| self.write_tree(copy))
    }

    /// The tree of all files of the main worktree as they are, ignored ones left out. Their content is put into the repository.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn files_tree(&self, index: &Path) -> Result<TreeId, GitError> {
        // What is there although it should be left out is a file too; what is left out is not missed.
        let sparse = self.is_sparse()?.then_some("--sparse");
        self.with_copy_of(index, |copy| {
            Git::of(self).index(copy).args(["add", "--all"].into_iter().chain(sparse)).output(&[])?;
            self.write_tree(copy)
        })
    }

    fn write_tree(&self, index: &Path) -> Result<TreeId, GitError> {
        let output = Git::of(self).index(index).args(["write-tree"]).output(&[])?;
        let text = String::from_utf8_lossy(&output);
        text.trim().parse().map_err(|_| GitError::Command {
            command: "write-tree".to_owned(),
            output: format!("it gave no tree: '{}'", text.trim().escape_debug()),
        })
    }

    fn with_copy_of<T>(&self, index: &Path, work: impl FnOnce(&Path) -> Result<T, GitError>) -> Result<T, GitError> {
        let doing = || "copy the index".to_owned();
        let directory = tempfile::tempdir().during(doing)?;
        let copy = directory.path().join("index");
        match fs::copy(index, &copy) {
            // Nothing was ever staged here.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            copied => drop(copied.during(doing)?),
        }
        work(&copy)
    }
}
