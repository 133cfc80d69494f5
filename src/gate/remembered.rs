//! Verdicts that were given before, by code tree and definition: the same work need not be proven twice.
//! Does not know how a verdict came about; what it holds may be lost at any time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use serde::{Deserialize, Serialize};

use super::compare::Ran;
use crate::{
    model::{
        object::{CommitId, Digest, TreeId},
        record::{CheckResult, GateVerdict},
    },
    sys::{
        file::{Sync, read_limited, write_atomic},
        shelf::Shelf,
    },
};

/// Verdicts that are remembered; the oldest go.
pub const REMEMBERED_MAX: usize = 4096;

/// Trees whose numbers are remembered; the oldest go.
pub const MEASURED_MAX: usize = 256;

/// The version of the files.
const SCHEMA: u32 = 2;
/// Bytes that a tree's numbers may have: tens of thousands of tests by name.
const MEASURED_BYTES_MAX: usize = 32 << 20;
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

/// The numbers of a tree: every check as it ran.
#[derive(Serialize, Deserialize)]
struct Numbers<R> {
    schema: u32,
    tree: TreeId,
    definition: Digest,
    /// The base that the checks were told, where one of them looks at the interface.
    beside: Option<CommitId>,
    ran: R,
}

impl Remembered {
    /// The verdicts in a directory, which is made with the first one.
    pub fn open(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), puts: AtomicUsize::new(0) }
    }

    /// The verdict on a tree by a definition, beside this base, marked as remembered. One for which nothing had to be compared
    /// holds beside any base. A file that cannot be read holds none.
    pub fn get(&self, tree: &TreeId, definition: &Digest, base: Option<TreeId>) -> Option<GateVerdict> {
        self.last(tree, definition).filter(|verdict| verdict.against.is_none() || verdict.against == base)
    }

    /// The last verdict on a tree by a definition, whatever it was compared with.
    pub fn last(&self, tree: &TreeId, definition: &Digest) -> Option<GateVerdict> {
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

    /// How the checks of a tree ran, by a definition. `beside` is the base that they were told, if one of them goes by it.
    pub fn measured(&self, tree: &TreeId, definition: &Digest, beside: Option<CommitId>) -> Option<Vec<Ran>> {
        let bytes = read_limited(&self.measured_path(tree, definition), MEASURED_BYTES_MAX).ok()?;
        let found = serde_json::from_slice::<Numbers<Vec<Ran>>>(&bytes).ok()?;
        let is_right = found.schema == SCHEMA
            && found.tree == *tree
            && found.definition == *definition
            && found.beside == beside
            && !found.ran.is_empty();
        is_right.then_some(found.ran)
    }

    /// Remembers how the checks of a tree ran, if all of them could run.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_measured(
        &self,
        tree: &TreeId,
        definition: &Digest,
        beside: Option<CommitId>,
        ran: &[Ran],
    ) -> io::Result<()> {
        if ran.iter().any(|ran| ran.check.result == CheckResult::Infra) {
            return Ok(());
        }
        let numbers = Numbers { schema: SCHEMA, tree: *tree, definition: definition.clone(), beside, ran };
        let bytes = serde_json::to_vec(&numbers).expect("numbers are plain data");
        if bytes.len() > MEASURED_BYTES_MAX {
            return Ok(());
        }
        let path = self.measured_path(tree, definition);
        let dir = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(dir)?;
        write_atomic(&path, &bytes, Sync::No)?;
        Shelf::new(dir, "json", MEASURED_MAX).tidy()
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

    fn measured_path(&self, tree: &TreeId, definition: &Digest) -> PathBuf {
        let path = self.path(tree, definition);
        self.dir.join("measured").join(path.file_name().unwrap_or_default())
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
