//! A slot's administrative directory: HEAD, the index, the state, and the `.git` file that points to it.
//! Knows nothing of files' contents. An agent may have written anything here; we put it right and read only what we must.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use gix::{ObjectId, index::entry::Stat};

use super::{
    super::error::{At, GitError},
    index::{Index, replace, stat_of},
    sparse::{self, Sparse},
    state::{self, State},
};

/// What belongs in a slot's administrative directory. All else is left from a merge or rebase that an agent began.
const FILES: [&str; 10] = [
    "HEAD",
    "ORIG_HEAD",
    "COMMIT_EDITMSG",
    "FETCH_HEAD",
    "commondir",
    "gitdir",
    "index",
    "locked",
    "logs",
    "orchestrate",
];

/// An administrative directory.
#[derive(Debug)]
pub(super) struct Admin {
    dir: PathBuf,
    /// What the index on the disk looked like when we wrote it; none: it has to be written.
    written: Option<Stat>,
}

impl Admin {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, written: None }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Notes what is checked out.
    pub(super) fn note(&self, state: State) -> Result<(), GitError> {
        state::write(&self.dir, state).at("write the state in", &self.dir)
    }

    /// Notes what is left out.
    pub(super) fn note_sparse(&self, sparse: Option<&Sparse>) -> Result<(), GitError> {
        Sparse::note(sparse, &self.dir)
    }

    /// The index in memory is no longer the one on the disk.
    pub(super) fn outdate(&mut self) {
        self.written = None;
    }

    /// The index on the disk, if it is another than the one we wrote: an agent staged something, or only asked for the status.
    pub(super) fn foreign_index(&self, hash: gix::hash::Kind) -> Option<gix::index::File> {
        let path = self.dir.join("index");
        let seen = look(&path)?;
        if Some(seen) == self.written {
            return None;
        }
        // An agent may have broken it; then it says nothing.
        gix::index::File::at(&path, hash, true, gix::index::decode::Options::default()).ok()
    }

    /// Makes HEAD, index and patterns say what is checked out.
    pub(super) fn write(&mut self, commit: ObjectId, index: &Index) -> Result<(), GitError> {
        self.clean(index.sparse())?;
        if let Some(sparse) = index.sparse() {
            sparse.tell(&self.dir)?;
        }
        let head = self.dir.join("HEAD");
        let line = format!("{commit}\n");
        if fs::read(&head).ok().as_deref() != Some(line.as_bytes()) {
            replace(&head, line.as_bytes()).at("write", &head)?;
        }
        let path = self.dir.join("index");
        let seen = look(&path);
        if seen.is_none() || seen != self.written {
            index.write(&path)?;
            self.written = look(&path);
        }
        Ok(())
    }

    /// Removes what a merge, rebase or bisection of an agent left.
    fn clean(&self, sparse: Option<&Sparse>) -> Result<(), GitError> {
        for entry in fs::read_dir(&self.dir).at("list", &self.dir)? {
            let entry = entry.at("list", &self.dir)?;
            let of_sparse = sparse.is_some()
                && [sparse::INFO, sparse::SETTINGS, sparse::NOTE].iter().any(|known| entry.file_name() == *known);
            if of_sparse || FILES.iter().any(|known| entry.file_name() == *known) {
                continue;
            }
            let path = entry.path();
            let is_dir = entry.file_type().at("look at", &path)?.is_dir();
            if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.at("remove", &path)?;
        }
        Ok(())
    }

    /// What the `.git` file of its worktree says.
    pub(super) fn pointer(&self) -> String {
        pointer(&self.dir)
    }
}

/// What the `.git` file of a worktree says.
pub(super) fn pointer(admin: &Path) -> String {
    format!("gitdir: {}\n", admin.display())
}

/// Whether an error says that something is not there.
pub(super) fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn look(path: &Path) -> Option<Stat> {
    rustix::fs::lstat(path).ok().map(|stat| stat_of(&stat))
}
