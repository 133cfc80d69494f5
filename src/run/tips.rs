//! Remembers which checkpoint a task's tip holds: finding it in a commit means reading the tree of all checkpoints, once
//! for every task. Knows nothing of what a checkpoint says. Deleting the file costs only time.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::{
    model::object::{BlobId, CommitId},
    sys::file::{self, Sync},
};

/// Bytes of the file that are read: some 40,000 tips.
const FILE_BYTES_MAX: usize = 4 << 20;

type Blobs = HashMap<CommitId, BlobId>;

/// Checkpoints by the commit that holds them.
#[derive(Debug)]
pub struct Tips {
    path: PathBuf,
    known: Blobs,
    /// What this look at the queue needed.
    used: Mutex<Blobs>,
}

impl Tips {
    /// What is remembered in a directory; nothing if the file cannot be read.
    pub fn load(cache_dir: &Path) -> Self {
        let path = cache_dir.join("tips");
        let text = file::read_limited(&path, FILE_BYTES_MAX).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let line = |line: &str| {
            let (commit, blob) = line.split_once(' ')?;
            Some((commit.parse().ok()?, blob.parse().ok()?))
        };
        Self { path, known: text.lines().filter_map(line).collect(), used: Mutex::default() }
    }

    /// The checkpoint of a tip; `find` is asked if it is not remembered.
    ///
    /// # Errors
    /// Those of `find`.
    pub fn get<E>(&self, tip: CommitId, find: impl FnOnce() -> Result<BlobId, E>) -> Result<BlobId, E> {
        let blob = match self.known.get(&tip) {
            Some(blob) => *blob,
            None => find()?,
        };
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(tip, blob);
        Ok(blob)
    }

    /// Writes down what was needed, if some of it was new; what was not needed is forgotten.
    pub fn save(self) {
        self.write(|used, _| used)
    }

    /// As [`Self::save`], and forgets nothing: not all was asked for.
    pub fn add(self) {
        self.write(|used, known| known.iter().map(|(tip, blob)| (*tip, *blob)).chain(used).collect());
    }

    fn write(self, whole: impl FnOnce(Blobs, &Blobs) -> Blobs) {
        let used = self.used.into_inner().unwrap_or_else(PoisonError::into_inner);
        let used = whole(used, &self.known);
        if used.is_empty() || used == self.known || self.path.parent().is_none_or(|dir| !dir.exists()) {
            return;
        }
        let mut lines: Vec<String> = used.iter().map(|(commit, blob)| format!("{commit} {blob}\n")).collect();
        lines.sort_unstable();
        if let Err(error) = file::write_atomic(&self.path, lines.concat().as_bytes(), Sync::No) {
            tracing::debug!(%error, "the tips were not remembered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_needed_is_found_again_and_the_rest_forgotten() {
        let dir = tempfile::tempdir().expect("a directory");
        let commit = |digit: &str| digit.repeat(40).parse::<CommitId>().expect("hex");
        let blob = "b".repeat(40).parse::<BlobId>().expect("hex");
        let tips = Tips::load(dir.path());
        for digit in ["1", "2"] {
            assert_eq!(tips.get(commit(digit), || Ok::<_, ()>(blob)), Ok(blob));
        }
        tips.save();
        let again = Tips::load(dir.path());
        assert_eq!(again.get(commit("1"), || Err(())), Ok(blob));
        again.add();
        assert_eq!(Tips::load(dir.path()).get(commit("2"), || Err(())), Ok(blob));
        let again = Tips::load(dir.path());
        assert_eq!(again.get(commit("1"), || Err(())), Ok(blob));
        again.save();
        assert_eq!(Tips::load(dir.path()).get(commit("2"), || Err(())), Err(()));
    }
}
