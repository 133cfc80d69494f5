//! One repository: where it is, who its user is, and reading what it holds.
//! Knows nothing of what the files in it mean.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gix::{bstr::ByteSlice, objs::tree::EntryKind as GixKind};

use super::{
    draft::Draft,
    error::{During, GitError},
    object::{blob_id, commit_id, gix_blob, gix_commit, gix_tree, our_id, tree_id},
    odb::{Odb, PACK_SLOTS, read_blob, read_commit},
    publish::Publisher,
    reference,
    tree::{self, PathChange},
};
use crate::model::object::{BlobId, CommitId, ObjectId, TreeId};

/// Bytes of decoded objects that a handle keeps which is there for long; there are some for each worker.
const OBJECTS_KEPT_BYTES: usize = 1 << 20;
/// The same of a draft, which reads the same trees often.
const OBJECTS_OF_DRAFT_BYTES: usize = 4 << 20;
/// The directory of the program's files, which is no part of the code tree.
pub(super) const HANDOFF: &str = ".handoff";

/// A repository. Cheap to clone; usable from any thread.
#[derive(Clone)]
pub struct Repository {
    shared: Arc<Shared>,
}

struct Shared {
    /// Opened once, with the settings of that moment.
    opened: gix::ThreadSafeRepository,
    git_dir: PathBuf,
    common_dir: PathBuf,
    work_dir: Option<PathBuf>,
    odb: Odb,
    /// Handles that are not in use, each with how many packs we had written when it last looked.
    handles: Mutex<Vec<(usize, gix::Repository)>>,
    publisher: Publisher,
}

/// What HEAD says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The full name of the branch; none if HEAD is detached.
    pub branch: Option<String>,
    /// The commit; none on a branch without commits.
    pub commit: Option<CommitId>,
}

/// A person, as in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file that can be run.
    Executable,
    /// A symbolic link.
    Link,
    /// A directory.
    Directory,
    /// A commit of another repository.
    Submodule,
}

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the directory; what is no UTF-8 is replaced.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its object.
    pub id: ObjectId,
}

/// A handle of one thread, given back when dropped.
pub(super) struct Local<'a> {
    handle: Option<gix::Repository>,
    packs: usize,
    home: &'a Mutex<Vec<(usize, gix::Repository)>>,
}

impl Deref for Local<'_> {
    type Target = gix::Repository;

    fn deref(&self) -> &gix::Repository {
        self.handle.as_ref().expect("the handle is there until it is dropped")
    }
}

impl Drop for Local<'_> {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            unpoisoned(self.home).push((self.packs, handle));
        }
    }
}

/// What was locked, also after another thread panicked: all that we guard is whole at any time.
pub(super) fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How repositories are opened, for the two levels of trust.
pub(super) fn open_options() -> gix::open::Options {
    gix::open::Options::default()
        .object_store_slots(gix::odb::store::init::Slots::Given(PACK_SLOTS))
        .bail_if_untrusted(true)
}

impl Repository {
    /// The repository that git would use in `start`: `GIT_DIR`, `GIT_WORK_TREE` and `GIT_CEILING_DIRECTORIES` count.
    ///
    /// # Errors
    /// [`GitError::NoRepository`], [`GitError::NotTrusted`], or why it cannot be opened.
    pub fn discover(start: &Path) -> Result<Self, GitError> {
        let trust = gix::sec::trust::Mapping { full: open_options(), reduced: open_options() };
        let options = gix::discover::upwards::Options { match_ceiling_dir_or_error: false, ..Default::default() };
        let opened = gix::ThreadSafeRepository::discover_with_environment_overrides_opts(start, options, trust)
            .map_err(|error| {
                if error.is_not_found() {
                    GitError::NoRepository(start.to_owned())
                } else if error.is_permission_denied() {
                    GitError::NotTrusted(start.to_owned())
                } else {
                    GitError::Failed {
                        doing: format!("open the repository at '{}'", start.display()),
                        because: format!("{error:#}"),
                    }
                }
            })?;
        let repository = Self::of(opened)?;
        let found = repository.work_dir().unwrap_or(repository.git_dir());
        let start_whole = gix::path::realpath(start).unwrap_or_else(|_| start.to_owned());
        if std::env::var_os("GIT_DIR").is_none() && is_beyond(&start_whole, found, &ceilings()) {
            return Err(GitError::NoRepository(start.to_owned()));
        }
        Ok(repository)
    }

    fn of(opened: gix::ThreadSafeRepository) -> Result<Self, GitError> {
        let handle = opened.to_thread_local();
        let whole =
            |path: &Path| gix::path::realpath(path).during(|| format!("find the directory '{}'", path.display()));
        let git_dir = whole(handle.git_dir())?;
        let common_dir = whole(handle.common_dir())?;
        let work_dir = handle.workdir().map(whole).transpose()?;
        let publisher = Publisher::new(handle.objects.store_ref().path().to_owned());
        let odb = Odb::new(opened.objects.clone());
        Ok(Self {
            shared: Arc::new(Shared {
                opened,
                git_dir,
                common_dir,
                work_dir,
                odb,
                handles: Mutex::default(),
                publisher,
            }),
        })
    }

    /// The directory shared by all worktrees, whole: `/home/me/project/.git`.
    pub fn common_dir(&self) -> &Path {
        &self.shared.common_dir
    }

    /// This worktree's own git directory, whole; the common one in the main worktree.
    pub fn git_dir(&self) -> &Path {
        &self.shared.git_dir
    }

    /// The directory with the user's files, whole; none in a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.shared.work_dir.as_deref()
    }

    /// Why we do not work in this repository, if so: ` … keeps its refs in a reftable`.
    pub fn unsupported(&self) -> Option<String> {
        let local = self.local();
        let config = local.config_snapshot();
        if let Some(storage) = config.string("extensions.refStorage").filter(|value| *value != "files") {
            return Some(format!("keeps its refs in a {storage}, which is not supported yet"));
        }
        if config.string("extensions.partialClone").is_some() {
            return Some("is a partial clone: objects may be missing when they are needed".to_owned());
        }
        None
    }

    /// Who commits here, as `git var GIT_COMMITTER_IDENT` says.
    ///
    /// # Errors
    /// [`GitError::NoIdentity`] if git's settings do not say.
    pub fn identity(&self) -> Result<Identity, GitError> {
        let local = self.local();
        let who = local.committer().and_then(Result::ok).ok_or(GitError::NoIdentity)?;
        let (name, email) = (who.name.to_string(), who.email.to_string());
        if name.trim().is_empty() || email.trim().is_empty() {
            return Err(GitError::NoIdentity);
        }
        Ok(Identity { name, email })
    }

    /// What HEAD says.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn head(&self) -> Result<Head, GitError> {
        let local = self.local();
        let mut head = local.head().during(|| "read HEAD".to_owned())?;
        let branch = head.referent_name().map(|name| name.as_bstr().to_string());
        let commit = head.try_peel_to_id().during(|| "read HEAD".to_owned())?.map(commit_id);
        Ok(Head { branch, commit })
    }

    /// The commit that this revision names, in git's grammar: `main~3`.
    pub fn resolve(&self, revision: &str) -> Option<CommitId> {
        let local = self.local();
        let id = local.rev_parse_single(revision).ok()?;
        let commit = id.object().ok()?.peel_to_kind(gix::objs::Kind::Commit).ok()?;
        Some(commit_id(commit.id))
    }

    /// The commit a ref stands at; tags are peeled.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn reference(&self, full_name: &str) -> Result<Option<CommitId>, GitError> {
        reference::find(&self.local(), full_name)
    }

    /// The refs whose names begin with `prefix` (`refs/heads/orchestrate/`), by name.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn references(&self, prefix: &str) -> Result<Vec<(String, CommitId)>, GitError> {
        reference::list(&self.local(), prefix)
    }

    /// The bytes of the file at `path` in a commit; none if there is no file.
    ///
    /// # Errors
    /// If the commit is missing or an object cannot be read.
    pub fn read(&self, commit: CommitId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let local = self.local();
        let root = tree::root_of(&local, gix_commit(commit))?;
        match tree::lookup(&local, root, path)? {
            Some((mode, id)) if mode.is_blob_or_symlink() => Ok(Some(read_blob(&local, id)?)),
            Some(_) | None => Ok(None),
        }
    }

    /// What is in the directory `dir` of a commit, by name; empty if there is none. `""` is the root.
    ///
    /// # Errors
    /// If the commit is missing or an object cannot be read.
    pub fn list(&self, commit: CommitId, dir: &str) -> Result<Vec<Entry>, GitError> {
        let local = self.local();
        let root = tree::root_of(&local, gix_commit(commit))?;
        self.list_tree_at(&local, root, dir)
    }

    /// As [`Self::list`], of a tree.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub fn list_tree(&self, tree: TreeId, dir: &str) -> Result<Vec<Entry>, GitError> {
        let local = self.local();
        self.list_tree_at(&local, gix_tree(tree), dir)
    }

    fn list_tree_at(&self, local: &gix::Repository, root: gix::ObjectId, dir: &str) -> Result<Vec<Entry>, GitError> {
        let id = match dir.trim_matches('/') {
            "" => root,
            dir => match tree::lookup(local, root, dir)? {
                Some((mode, id)) if mode.is_tree() => id,
                Some(_) | None => return Ok(Vec::new()),
            },
        };
        let entries = tree::read(local, id)?;
        Ok(entries.entries.iter().map(entry).collect())
    }

    /// What is at `path` of a tree; none if nothing is.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub fn entry(&self, tree: TreeId, path: &str) -> Result<Option<Entry>, GitError> {
        let local = self.local();
        let name = path.rsplit('/').next().unwrap_or(path);
        Ok(tree::lookup(&local, gix_tree(tree), path)?.map(|(mode, id)| Entry {
            name: name.to_owned(),
            kind: mode.kind().into(),
            id: our_id(&id),
        }))
    }

    /// All files of a tree with their objects, in git's order; directories are not listed.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub fn files(&self, tree: TreeId) -> Result<Vec<(String, EntryKind, BlobId)>, GitError> {
        let local = self.local();
        Self::files_below(&local, tree::read(&local, gix_tree(tree))?)
    }

    /// The same of a commit's code: `.handoff` is left out, and not looked into.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub fn code_files(&self, commit: CommitId) -> Result<Vec<(String, EntryKind, BlobId)>, GitError> {
        let local = self.local();
        let mut root = tree::read(&local, tree::root_of(&local, gix_commit(commit))?)?;
        root.entries.retain(|entry| entry.filename != HANDOFF);
        Self::files_below(&local, root)
    }

    fn files_below(
        local: &gix::Repository,
        root: gix::objs::Tree,
    ) -> Result<Vec<(String, EntryKind, BlobId)>, GitError> {
        let mut files = Vec::new();
        tree::each_leaf_of(local, root, &mut |path, mode, id| {
            files.push((path.to_str_lossy().into_owned(), mode.kind().into(), blob_id(id)));
        })?;
        Ok(files)
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// If it is missing.
    pub fn blob(&self, id: BlobId) -> Result<Vec<u8>, GitError> {
        read_blob(&self.local(), gix_blob(id))
    }

    /// The raw bytes of a commit object, signature and all.
    ///
    /// # Errors
    /// If it is missing.
    pub fn commit_bytes(&self, id: CommitId) -> Result<Vec<u8>, GitError> {
        let local = self.local();
        let mut buffer = Vec::new();
        read_commit(&local, gix_commit(id), &mut buffer)?;
        Ok(buffer)
    }

    /// The tree of a commit, `.handoff/` and all.
    ///
    /// # Errors
    /// If the commit is missing.
    pub fn root_tree(&self, commit: CommitId) -> Result<TreeId, GitError> {
        tree::root_of(&self.local(), gix_commit(commit)).map(tree_id)
    }

    /// The root tree without `.handoff`. It may not exist as an object: [`Draft::code_tree`] writes it.
    ///
    /// # Errors
    /// If the commit is missing.
    pub fn code_tree(&self, commit: CommitId) -> Result<TreeId, GitError> {
        let local = self.local();
        let root = tree::root_of(&local, gix_commit(commit))?;
        let mut root_tree = tree::read(&local, root)?;
        let before = root_tree.entries.len();
        root_tree.entries.retain(|entry| entry.filename != HANDOFF);
        if root_tree.entries.len() == before {
            return Ok(tree_id(root));
        }
        tree::hash(&root_tree, local.object_hash()).map(tree_id)
    }

    /// The parents of a commit, the first first.
    ///
    /// # Errors
    /// If the commit is missing.
    pub fn parents(&self, commit: CommitId) -> Result<Vec<CommitId>, GitError> {
        let local = self.local();
        let mut buffer = Vec::new();
        let commit = read_commit(&local, gix_commit(commit), &mut buffer)?;
        Ok(commit.parents().map(commit_id).collect())
    }

    /// The message of a commit; what is no UTF-8 is replaced.
    ///
    /// # Errors
    /// If the commit is missing.
    pub fn message(&self, commit: CommitId) -> Result<String, GitError> {
        let local = self.local();
        let mut buffer = Vec::new();
        let commit = read_commit(&local, gix_commit(commit), &mut buffer)?;
        Ok(commit.message.to_str_lossy().into_owned())
    }

    /// When a commit was committed, in seconds since 1970.
    ///
    /// # Errors
    /// If the commit is missing or its date is no date.
    pub fn commit_seconds(&self, commit: CommitId) -> Result<i64, GitError> {
        let local = self.local();
        let mut buffer = Vec::new();
        let found = read_commit(&local, gix_commit(commit), &mut buffer)?;
        let who = found.committer().during(|| format!("read the commit '{commit}'"))?;
        Ok(who.seconds())
    }

    /// Whether `ancestor` is `descendant` or one of its ancestors.
    ///
    /// # Errors
    /// If a commit is missing.
    pub fn is_ancestor(&self, ancestor: CommitId, descendant: CommitId) -> Result<bool, GitError> {
        if ancestor == descendant {
            return Ok(true);
        }
        Ok(self.merge_base(ancestor, descendant)? == Some(ancestor))
    }

    /// The best common ancestor of two commits; none if they share no history.
    ///
    /// # Errors
    /// If a commit is missing.
    pub fn merge_base(&self, one: CommitId, two: CommitId) -> Result<Option<CommitId>, GitError> {
        let (one, two) = (gix_commit(one), gix_commit(two));
        self.walk(|local| {
            let bases = local.merge_bases_many(one, &[two]);
            let bases = bases.during(|| format!("find what '{one}' and '{two}' have in common"))?;
            Ok(bases.into_iter().next().map(commit_id))
        })
    }

    /// Lets gix walk from commit to commit. Where it does not find one it walks once more: see [`super::odb::find`].
    fn walk<T>(&self, walk: impl Fn(&gix::Repository) -> Result<T, GitError>) -> Result<T, GitError> {
        walk(&self.local()).or_else(|_| walk(&self.handle()))
    }

    /// `from` and its first parents, newest first, without `until` and what is before it. In a shallow clone it ends where the
    /// history was cut off.
    ///
    /// # Errors
    /// If a commit is missing.
    pub fn first_parents(&self, from: CommitId, until: Option<CommitId>) -> Result<Vec<CommitId>, GitError> {
        let local = self.local();
        let mut buffer = Vec::new();
        let mut line = Vec::new();
        let mut next = Some(from);
        let shallow = local.shallow_commits().during(|| "read where the history was cut off".to_owned())?;
        let is_cut = |id: CommitId| shallow.as_ref().is_some_and(|cut| cut.contains(&gix_commit(id)));
        while let Some(id) = next.filter(|id| Some(*id) != until) {
            line.push(id);
            if is_cut(id) {
                break;
            }
            next = read_commit(&local, gix_commit(id), &mut buffer)?.parents().next().map(commit_id);
        }
        Ok(line)
    }

    /// The newest commits that a commit has behind it and that are no merges, at most `commits_max`, with their only parent; what
    /// a shallow clone cut off is left out.
    ///
    /// # Errors
    /// If a commit is missing.
    pub fn recent(&self, from: CommitId, commits_max: usize) -> Result<Vec<(CommitId, CommitId)>, GitError> {
        use gix::{revision::walk::Sorting, traverse::commit::simple::CommitTimeOrder};

        let doing = || format!("walk back from '{from}'");
        let order = Sorting::ByCommitTime(CommitTimeOrder::NewestFirst);
        self.walk(|local| {
            let mut recent = Vec::new();
            // Merges are looked at too, and must not keep us looking for ever.
            for commit in local.rev_walk([gix_commit(from)]).sorting(order).all().during(doing)?.take(commits_max * 4) {
                let commit = commit.during(doing)?;
                if let [parent] = commit.parent_ids.as_slice() {
                    recent.push((commit_id(commit.id), commit_id(*parent)));
                }
                if recent.len() == commits_max {
                    break;
                }
            }
            let shallow = local.shallow_commits().during(|| "read where the history was cut off".to_owned())?;
            recent.retain(|(id, _)| !shallow.as_ref().is_some_and(|cut| cut.contains(&gix_commit(*id))));
            Ok(recent)
        })
    }

    /// The paths that differ between two trees, in git's order. A renamed file is one removed and one added.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub fn changed_paths(&self, before: TreeId, after: TreeId) -> Result<Vec<PathChange>, GitError> {
        let changes = tree::diff(&self.local(), gix_tree(before), gix_tree(after))?;
        Ok(changes.iter().map(PathChange::from).collect())
    }

    /// New objects, in memory until they are published.
    pub fn draft(&self) -> Draft {
        let mut handle = self.handle().with_object_memory();
        handle.object_cache_size(OBJECTS_OF_DRAFT_BYTES);
        Draft::over(handle)
    }

    /// A handle for this thread, which sees all that was published.
    pub(super) fn local(&self) -> Local<'_> {
        let packs = self.shared.odb.packs();
        let kept = unpoisoned(&self.shared.handles).pop();
        let handle = match kept {
            Some((seen, handle)) if seen == packs => handle,
            Some((_, mut handle)) => {
                self.refresh(&mut handle);
                handle
            }
            None => self.handle(),
        };
        Local { handle: Some(handle), packs, home: &self.shared.handles }
    }

    /// A handle of its own, for one that keeps it, and has it look again at what is there before it is used again.
    pub(super) fn handle(&self) -> gix::Repository {
        let mut handle = self.shared.opened.to_thread_local();
        handle.object_cache_size(OBJECTS_KEPT_BYTES);
        self.refresh(&mut handle);
        handle
    }

    /// Has a handle see all that was published.
    pub(super) fn refresh(&self, handle: &mut gix::Repository) {
        self.shared.odb.refresh(handle);
    }

    /// Says that a pack was written.
    pub(super) fn wrote_pack(&self) {
        if self.shared.odb.wrote_one() {
            // Those that nobody uses would keep the old packs in memory.
            unpoisoned(&self.shared.handles).clear();
        }
    }

    pub(super) fn publisher(&self) -> &Publisher {
        &self.shared.publisher
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("git_dir", &self.shared.git_dir).finish_non_exhaustive()
    }
}

/// The directories of `GIT_CEILING_DIRECTORIES`, whole.
fn ceilings() -> Vec<PathBuf> {
    let text = std::env::var_os("GIT_CEILING_DIRECTORIES").unwrap_or_default();
    let whole = |path: PathBuf| gix::path::realpath(&path).unwrap_or(path);
    std::env::split_paths(&text).filter(|path| path.is_absolute()).map(whole).collect()
}

/// Whether a repository was found in a ceiling or above it. git does not look there, unless it starts there; gix does.
fn is_beyond(start: &Path, found: &Path, ceilings: &[PathBuf]) -> bool {
    ceilings.iter().any(|ceiling| start != ceiling && start.starts_with(ceiling) && ceiling.starts_with(found))
}

impl From<GixKind> for EntryKind {
    fn from(kind: GixKind) -> Self {
        match kind {
            GixKind::Tree => Self::Directory,
            GixKind::Blob => Self::File,
            GixKind::BlobExecutable => Self::Executable,
            GixKind::Link => Self::Link,
            GixKind::Commit => Self::Submodule,
        }
    }
}

fn entry(entry: &gix::objs::tree::Entry) -> Entry {
    Entry { name: entry.filename.to_str_lossy().into_owned(), kind: entry.mode.kind().into(), id: our_id(&entry.oid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_is_not_looked_into_from_below() {
        for (start, found, ceiling, beyond) in [
            ("/a/b/c", "/a/b", "/a/b", true),
            ("/a/b/c", "/a", "/a/b", true),
            ("/a/b/c", "/a/b/c", "/a/b", false),
            ("/a/b", "/a/b", "/a/b", false),
            ("/a/b/c", "/a/b", "/a", false),
            ("/a/b/c", "/a/b", "/x", false),
        ] {
            let is = is_beyond(Path::new(start), Path::new(found), &[PathBuf::from(ceiling)]);
            assert_eq!(is, beyond, "{start} {found} {ceiling}");
        }
    }
}
