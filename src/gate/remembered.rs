//! Verdicts that were given before, by code tree and definition: the same work need not be proven twice.
//! Does not know how a verdict came about; what it holds may be lost at any time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use serde::{Deserialize, Serialize};

use super::shelf::Shelf;
use crate::{
    model::{
        object::{Digest, TreeId},
        record::{CheckResult, GateVerdict},
    },
    sys::file::{Sync, read_limited, write_atomic},
};

/// Verdicts that are remembered; the oldest go.
pub const REMEMBERED_MAX: usize = 4096;

/// The version of the files.
const SCHEMA: u32 = 1;
/// Bytes a file may have.
const FILE_BYTES_MAX: usize = 1 << 20;
/// After how many new verdicts the directory is looked through.
const TIDY_EVERY: usize = 64;
/// Hex digits of the definition's digest in a file's name; the whole of it stands in the file.
const DIGEST_LENGTH: usize = 16;

/// The verdicts of a repository. Many threads, and many processes, may use one directory.
#[derive(Debug)]
pub struct Remembered {
    dir: PathBuf,
    puts: AtomicUsize,
}

/// A file.
#[derive(Serialize, Deserialize)]
struct Entry<V> {
    schema: u32,
    verdict: V,
}

impl Remembered {
    /// The verdicts in a directory, which is made with the first one.
    pub fn open(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), puts: AtomicUsize::new(0) }
    }

    /// The verdict on a tree by a definition, marked as remembered. A file that cannot be read holds none.
    pub fn get(&self, tree: &TreeId, definition: &Digest) -> Option<GateVerdict> {
        let bytes = read_limited(&self.path(tree, definition), FILE_BYTES_MAX).ok()?;
        let Entry { schema, mut verdict } = serde_json::from_slice::<Entry<GateVerdict>>(&bytes).ok()?;
        let is_right = schema == SCHEMA && verdict.tree == *tree && verdict.definition == *definition;
        if !is_right || !is_certain(&verdict) {
            return None;
        }
        verdict.remembered = true;
        Some(verdict)
    }

    /// Remembers a verdict that says something of the work; `infra` does not.
    ///
    /// # Errors
    /// When the file cannot be written. The verdict holds all the same.
    pub fn put(&self, verdict: &GateVerdict) -> io::Result<()> {
        if !is_certain(verdict) {
            return Ok(());
        }
        let entry = serde_json::to_vec(&Entry { schema: SCHEMA, verdict }).expect("a verdict is plain data");
        if entry.len() > FILE_BYTES_MAX {
            return Ok(());
        }
        let path = self.path(&verdict.tree, &verdict.definition);
        match write_atomic(&path, &entry, Sync::No) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.dir)?;
                write_atomic(&path, &entry, Sync::No)?;
            }
            written => written?,
        }
        if self.puts.fetch_add(1, Ordering::Relaxed).is_multiple_of(TIDY_EVERY) {
            Shelf::new(&self.dir, "json", REMEMBERED_MAX).tidy()?;
        }
        Ok(())
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn path(&self, tree: &TreeId, definition: &Digest) -> PathBuf {
        let digest = definition.0.strip_prefix("sha256:").unwrap_or(&definition.0);
        let digest: String = digest.chars().filter(char::is_ascii_hexdigit).take(DIGEST_LENGTH).collect();
        self.dir.join(format!("{tree}-{digest}.json"))
    }
}

/// Whether a verdict says something of the work, in its result and in all it consists of.
fn is_certain(verdict: &GateVerdict) -> bool {
    let results = || verdict.checks.iter().map(|check| check.result);
    match verdict.result {
        CheckResult::Pass => !verdict.checks.is_empty() && results().all(|result| result == CheckResult::Pass),
        CheckResult::Fail => results().any(|result| result == CheckResult::Fail),
        CheckResult::Infra => false,
    }
}
