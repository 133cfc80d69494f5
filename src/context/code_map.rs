//! Reads how the files of a tree hang together: imports, tests, headers, and what the history changes together.
//! Knows nothing of tasks. What was read is kept by blob, by commit, and as a whole; deleting that costs only time.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    git::{EntryKind, GitError, Repository},
    model::object::{BlobId, CommitId, TreeId},
    plan::{
        code_map::{CodeMap, Ties, together},
        ledger::is_ledger,
    },
    syntax::{self, Import, Language, Manifests, Sources, Twin, twins},
    sys::file::{self, Sync},
};

/// The form of the files that are kept; others are read anew.
const CACHE_FORM: u32 = 2;
/// Bytes of such a file that are read.
const CACHE_BYTES_MAX: usize = 256 << 20;
/// Commits that are looked at for what changes together.
const COMMITS_MAX: usize = 600;
/// Files of a commit that are remembered; a commit with more says nothing of any two of them.
const COMMIT_FILES_MAX: usize = 100;
/// Files of a tree that are mapped; a larger one is taken to be mostly not sources.
const FILES_MAX: usize = 400_000;

/// Where what was read is kept.
struct Shelf(PathBuf);

impl Shelf {
    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Option<T> {
        let bytes = file::read_limited(&self.0.join(name), CACHE_BYTES_MAX).ok()?;
        let (form, value): (u32, T) = serde_json::from_slice(&bytes).ok()?;
        (form == CACHE_FORM).then_some(value)
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) {
        let written = serde_json::to_vec(&(CACHE_FORM, value))
            .map_err(std::io::Error::from)
            .and_then(|bytes| std::fs::create_dir_all(&self.0).map(|()| bytes))
            .and_then(|bytes| file::write_atomic(&self.0.join(name), &bytes, Sync::No));
        if let Err(error) = written {
            tracing::debug!(%error, name, "what the code says was not kept");
        }
    }
}

/// The whole map, as it is kept for the tree that was asked for last.
#[derive(Serialize, Deserialize)]
struct Kept {
    tree: TreeId,
    head: CommitId,
    paths: Vec<String>,
    imports: Vec<(u32, u32)>,
    tests: Vec<(u32, u32)>,
    headers: Vec<(u32, u32)>,
    together: Vec<(u32, u32, u8)>,
}

/// How the files of a commit's code hang together. `cache_dir` is our own; several processes may use it at once.
///
/// # Errors
/// If an object cannot be read.
pub fn code_map(repository: &Repository, commit: CommitId, cache_dir: &Path) -> Result<CodeMap, GitError> {
    let shelf = Shelf(cache_dir.join("code"));
    let tree = repository.draft().code_tree(commit)?;
    if let Some(kept) = shelf.read::<Kept>("map.json").filter(|kept| kept.tree == tree && kept.head == commit) {
        let Kept { paths, imports, tests, headers, together, .. } = kept;
        return Ok(CodeMap::new(paths, &Ties { imports, tests, headers, together }));
    }
    let mut files = repository.code_files(commit)?;
    files.truncate(FILES_MAX);
    // What is read on the way is much, and gone as soon as it is not needed: a run goes on beside what is left.
    let manifests = manifests(repository, &files);
    let sources = Sources::new(files.iter().map(|(path, ..)| path.clone()).collect(), manifests);
    let imports = imports(repository, &shelf, &files, &sources);
    let (mut tests, mut headers) = (Vec::new(), Vec::new());
    for (one, other, twin) in twins(&sources) {
        match twin {
            Twin::Test => tests.push((one, other)),
            Twin::Header => headers.push((one, other)),
        }
    }
    let commits = commits(repository, &shelf, commit)?;
    let told = |path: &&String| !is_ledger(path);
    let places =
        |paths: &Vec<String>| paths.iter().filter(told).filter_map(|path| sources.at(path)).collect::<Vec<u32>>();
    let together = together(&commits.iter().map(places).collect::<Vec<_>>());
    let paths = files.into_iter().map(|(path, ..)| path).collect();
    let kept = Kept { tree, head: commit, paths, imports, tests, headers, together };
    shelf.write("map.json", &kept);
    let Kept { paths, imports, tests, headers, together, .. } = kept;
    Ok(CodeMap::new(paths, &Ties { imports, tests, headers, together }))
}

fn is_file(kind: EntryKind) -> bool {
    match kind {
        EntryKind::File | EntryKind::Executable => true,
        EntryKind::Directory | EntryKind::Link | EntryKind::Submodule => false,
    }
}

/// The manifests of a tree.
fn manifests(repository: &Repository, files: &[(String, EntryKind, BlobId)]) -> Manifests {
    let wanted: HashSet<&str> = Manifests::wanted(files.iter().map(|(path, ..)| path.as_str())).into_iter().collect();
    let found = files.iter().filter(|(path, kind, _)| is_file(*kind) && wanted.contains(path.as_str()));
    let read: Vec<(&str, Vec<u8>)> =
        found.filter_map(|(path, _, blob)| Some((path.as_str(), repository.blob(*blob).ok()?))).collect();
    Manifests::read(read.iter().map(|(path, bytes)| (*path, bytes.as_slice())))
}

/// Which source of a tree imports which, by their places. A blob is read once, whatever paths it has had.
fn imports(
    repository: &Repository,
    shelf: &Shelf,
    files: &[(String, EntryKind, BlobId)],
    sources: &Sources,
) -> Vec<(u32, u32)> {
    // The same bytes import other things in other languages.
    let key = |path: &str, blob: BlobId| Language::of(path).map(|language| format!("{blob} {}", language.name()));
    let mut known: HashMap<String, Vec<Import>> = shelf.read("imports.json").unwrap_or_default();
    let read: Vec<(u32, &str, BlobId, String)> = (0..)
        .zip(files)
        .filter(|(_, (_, kind, _))| is_file(*kind))
        .filter_map(|(at, (path, _, blob))| Some((at, path.as_str(), *blob, key(path, *blob)?)))
        .collect();
    let missing: Vec<&(u32, &str, BlobId, String)> = read.iter().filter(|(.., key)| !known.contains_key(key)).collect();
    let is_new = !missing.is_empty();
    let new: Vec<(String, Vec<Import>)> = missing
        .into_par_iter()
        .map(|(_, path, blob, key)| {
            let bytes = repository.blob(*blob).unwrap_or_default();
            (key.clone(), syntax::imports(path, &bytes))
        })
        .collect();
    known.extend(new);
    if is_new {
        // What this tree does not have is forgotten; a branch far from it costs a few reads.
        let used: BTreeMap<&String, &Vec<Import>> =
            read.iter().filter_map(|(.., key)| known.get_key_value(key)).collect();
        shelf.write("imports.json", &used);
    }
    let resolved = |(at, .., key): &(u32, &str, BlobId, String)| -> Vec<(u32, u32)> {
        let meant = known.get(key).into_iter().flatten().flat_map(|import| sources.resolve(*at, import));
        meant.map(|other| (*at, other)).collect()
    };
    let mut imports: Vec<(u32, u32)> = read.par_iter().map(resolved).flatten_iter().collect();
    imports.par_sort_unstable();
    imports.dedup();
    imports
}

/// The paths that the newest commits changed, the newest first.
fn commits(repository: &Repository, shelf: &Shelf, from: CommitId) -> Result<Vec<Vec<String>>, GitError> {
    let recent = repository.recent(from, COMMITS_MAX)?;
    let mut known: HashMap<String, Vec<String>> = shelf.read("changes.json").unwrap_or_default();
    let missing: Vec<&(CommitId, CommitId)> =
        recent.iter().filter(|(commit, _)| !known.contains_key(&commit.to_string())).collect();
    let is_new = !missing.is_empty();
    let read: Result<Vec<(String, Vec<String>)>, GitError> = missing
        .into_par_iter()
        .map(|(commit, parent)| {
            let changes = repository.changed_paths(repository.root_tree(*parent)?, repository.root_tree(*commit)?)?;
            let paths: Vec<String> =
                changes.into_iter().map(|change| change.path).filter(|path| !path.starts_with(".handoff/")).collect();
            Ok((commit.to_string(), if paths.len() > COMMIT_FILES_MAX { Vec::new() } else { paths }))
        })
        .collect();
    known.extend(read?);
    let used: BTreeMap<String, Vec<String>> =
        recent.iter().map(|(commit, _)| commit.to_string()).filter_map(|commit| known.remove_entry(&commit)).collect();
    let all = recent.iter().map(|(commit, _)| used.get(&commit.to_string()).cloned().unwrap_or_default()).collect();
    if is_new {
        shelf.write("changes.json", &used);
    }
    Ok(all)
}
