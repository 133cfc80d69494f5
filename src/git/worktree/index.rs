//! The index of a slot, kept in memory: what is checked out, and what each file looked like then.
//! Knows nothing of what an agent staged: its index is a copy that it may change as it likes.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    ops::Range,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    index::{
        State,
        entry::{Flags, Mode, Stage, Stat},
        extension::Tree as CacheTree,
    },
    objs::tree::{EntryKind, EntryMode},
};
use rustix::fs::FileType;

use super::{
    super::{
        error::{At, During, GitError},
        tree::{self, LeafChange},
    },
    sparse::{Sparse, is_marked, set_marked},
};

/// A file changed so shortly before we looked may change again without its times telling.
const RACY: Duration = Duration::from_millis(50);

/// What is checked out.
#[derive(Debug)]
pub(super) struct Index {
    pub state: State,
    cache: CacheTree,
    /// Files whose times cannot be trusted: their content has to be compared.
    racy: BTreeSet<BString>,
    /// What is left out of the worktree; none: nothing. The entries of such files are marked.
    sparse: Option<Sparse>,
    /// Files that are there although they should be left out: somebody wrote them. Their entries are not marked.
    strays: BTreeSet<BString>,
}

/// A new entry, or none: it goes.
pub(super) type Put = (BString, Option<Entry>);

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: ObjectId,
    pub mode: Mode,
    pub stat: Stat,
}

impl Index {
    /// The index of a tree of which no file was looked at yet.
    pub(super) fn of_tree(objects: &gix::Repository, root: ObjectId, sparse: Option<Sparse>) -> Result<Self, GitError> {
        let mut index = Self {
            state: State::new(objects.object_hash()),
            cache: cache_node(b"", objects.object_hash()),
            racy: BTreeSet::new(),
            sparse,
            strays: BTreeSet::new(),
        };
        let state = &mut index.state;
        tree::each_leaf(objects, root, &mut |path, mode, id| {
            state.dangerously_push_entry(Stat::default(), id, Flags::empty(), mode_of(mode), path);
        })?;
        state.sort_entries();
        if let Some(sparse) = &index.sparse {
            sparse.mark(objects, &mut index.state)?;
        }
        index.remember(objects, root)?;
        Ok(index)
    }

    /// Takes over what an index on the disk knows of files with the same content.
    pub(super) fn adopt(&mut self, path: &Path) {
        let hash = self.state.object_hash();
        let Ok(known) = gix::index::File::at(path, hash, true, gix::index::decode::Options::default()) else {
            return;
        };
        let written = fs::metadata(path).and_then(|found| found.modified()).unwrap_or(UNIX_EPOCH);
        let mut racy = BTreeSet::new();
        let mut theirs = known.entries().iter().peekable();
        for (entry, path) in self.state.entries_mut_with_paths() {
            while theirs.next_if(|other| other.path(&known) < path).is_some() {}
            let Some(other) =
                theirs.next_if(|other| other.path(&known) == path && other.stage() == Stage::Unconflicted)
            else {
                continue;
            };
            if other.id == entry.id && other.mode == entry.mode && !is_marked(entry) {
                entry.stat = other.stat;
                if is_racy(&entry.stat, written) {
                    racy.insert(path.to_owned());
                }
            }
        }
        self.racy = racy;
    }

    /// What it says of a path.
    pub(super) fn entry(&self, path: &BStr) -> Option<&gix::index::Entry> {
        self.state.entry_by_path_and_stage(path, Stage::Unconflicted)
    }

    /// Where the entries are that are below a directory.
    pub(super) fn below(&self, dir: &BStr) -> Range<usize> {
        let mut prefix = dir.to_owned();
        prefix.push(b'/');
        let entries = self.state.entries();
        let from = entries.partition_point(|entry| entry.path(&self.state) < prefix.as_bstr());
        let count = entries[from..].partition_point(|entry| entry.path(&self.state).starts_with(&prefix));
        from..from + count
    }

    /// The paths of some entries.
    pub(super) fn paths(&self, range: Range<usize>) -> impl Iterator<Item = &BStr> {
        self.state.entries()[range].iter().map(|entry| entry.path(&self.state))
    }

    /// The submodules that are not left out: where, and at which commit.
    pub(super) fn submodules(&self) -> impl Iterator<Item = (&BStr, ObjectId)> {
        let submodules = self.state.entries().iter().filter(|entry| entry.mode == Mode::COMMIT && !is_marked(entry));
        submodules.map(|entry| (entry.path(&self.state), entry.id))
    }

    /// The tree all this is of.
    pub(super) fn tree(&self) -> ObjectId {
        self.cache.id
    }

    /// Whether nothing but the content tells if a file changed.
    pub(super) fn is_racy(&self, path: &BStr) -> bool {
        !self.racy.is_empty() && self.racy.contains(path)
    }

    /// What is left out of the worktree.
    pub(super) fn sparse(&self) -> Option<&Sparse> {
        self.sparse.as_ref()
    }

    /// Whether this path is tracked and its file left out.
    pub(super) fn is_left_out(&self, path: &BStr) -> bool {
        self.entry(path).is_some_and(is_marked)
    }

    /// Says what is to be left out from now on; the entries are still marked as they were. What [`Self::put`] puts is marked anew.
    pub(super) fn set_sparse(&mut self, sparse: Option<Sparse>) {
        self.sparse = sparse;
    }

    /// The files that have to come or go for the worktree to leave out what `sparse` says, as changes in place.
    pub(super) fn misplaced(
        &self,
        handle: &gix::Repository,
        sparse: Option<&Sparse>,
    ) -> Result<Vec<LeafChange>, GitError> {
        let unchanged = |path: &BStr, entry: &gix::index::Entry| {
            let leaf = entry.mode.to_tree_entry_mode().map(|mode| (mode, entry.id));
            LeafChange { path: path.to_owned(), before: leaf, after: leaf }
        };
        if self.sparse.as_ref() == sparse {
            let strays = self.strays.iter().map(|path| path.as_bstr());
            return Ok(strays.filter_map(|path| Some(unchanged(path, self.entry(path)?))).collect());
        }
        let entries = || self.state.entries().iter().map(|entry| (entry.path(&self.state), entry));
        let wanted = match sparse {
            Some(sparse) => sparse.leaves_out(handle, entries().map(|(path, entry)| (path, entry.mode)))?,
            None => vec![false; self.state.entries().len()],
        };
        let misplaced = entries().zip(wanted).filter(|((_, entry), out)| is_marked(entry) != *out);
        Ok(misplaced.map(|((path, entry), _)| unchanged(path, entry)).collect())
    }

    /// The tree of a directory.
    pub(super) fn subtree(&self, dir: &BStr) -> Option<ObjectId> {
        let mut parts = dir.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
        let found =
            parts.try_fold(&self.cache, |node, part| node.children.iter().find(|child| child.name[..] == *part));
        found.map(|node| node.id)
    }

    /// Notes what a file whose content is known looks like now.
    pub(super) fn refresh(&mut self, path: &BStr, stat: Stat) {
        if let Some(entry) = self.state.entry_mut_by_path_and_stage(path, Stage::Unconflicted) {
            entry.stat = stat;
            if is_marked(entry) {
                set_marked(entry, false);
                self.strays.insert(path.to_owned());
            }
            self.note_age(path, &stat);
        }
    }

    /// Changes entries, and makes it the index of `root`. What is to be left out is so unless it was seen: unless it has a stat.
    pub(super) fn put(&mut self, objects: &gix::Repository, changes: &[Put], root: ObjectId) -> Result<(), GitError> {
        let bound = self.state.entries().len();
        let (mut pushed, mut removed) = (false, false);
        let mut out = match &self.sparse {
            Some(sparse) => {
                let mode = |change: &Option<Entry>| change.map_or(Mode::FILE, |new| new.mode);
                sparse.leaves_out(objects, changes.iter().map(|(path, change)| (path.as_bstr(), mode(change))))?
            }
            None => Vec::new(),
        }
        .into_iter();
        for (path, change) in changes {
            let is_out = out.next().unwrap_or(false);
            let leave_out = is_out && change.is_some_and(|new| new.stat == Stat::default());
            if is_out && change.is_some() && !leave_out {
                self.strays.insert(path.clone());
            } else if !self.strays.is_empty() {
                self.strays.remove(path);
            }
            let found = self.state.entry_index_by_path_and_stage_bounded(path.as_bstr(), Stage::Unconflicted, bound);
            match (found, change) {
                (Some(at), Some(new)) => {
                    let entry = &mut self.state.entries_mut()[at];
                    (entry.id, entry.mode, entry.stat) = (new.id, new.mode, new.stat);
                    set_marked(entry, leave_out);
                }
                (Some(at), None) => {
                    self.state.entries_mut()[at].flags.insert(Flags::REMOVE);
                    removed = true;
                }
                (None, Some(new)) => {
                    self.state.dangerously_push_entry(new.stat, new.id, Flags::empty(), new.mode, path.as_bstr());
                    if leave_out && let Some(entry) = self.state.entries_mut().last_mut() {
                        set_marked(entry, true);
                    }
                    pushed = true;
                }
                (None, None) => {}
            }
            match change {
                Some(new) => self.note_age(path.as_bstr(), &new.stat),
                None => {
                    self.racy.remove(path);
                }
            }
            invalidate(&mut self.cache, path.as_bstr());
        }
        if removed {
            self.state.remove_entries(|_, _, entry| entry.flags.contains(Flags::REMOVE));
        }
        if pushed {
            self.state.sort_entries();
        }
        self.remember(objects, root)
    }

    /// Writes it where git reads it.
    pub(super) fn write(&self, path: &Path) -> Result<(), GitError> {
        let doing = || format!("write the index '{}'", path.display());
        let mut bytes = Vec::with_capacity(self.state.entries().len() * 96 + 1024);
        let options = gix::index::write::Options { extensions: gix::index::write::Extensions::None, skip_hash: false };
        self.state.write_to(&mut bytes, options).during(doing)?;
        self.cache.write_to(&mut bytes).during(doing)?;
        let mut hasher = gix::hash::hasher(self.state.object_hash());
        hasher.update(&bytes);
        bytes.extend_from_slice(hasher.try_finalize().during(doing)?.as_slice());
        replace(path, &bytes).at("write", path)
    }

    fn note_age(&mut self, path: &BStr, stat: &Stat) {
        if is_racy(stat, SystemTime::now()) {
            self.racy.insert(path.to_owned());
        } else if !self.racy.is_empty() {
            self.racy.remove(path);
        }
    }

    /// Makes the cache of trees right for `root`, reading only trees that are not in it.
    fn remember(&mut self, objects: &gix::Repository, root: ObjectId) -> Result<(), GitError> {
        fn fill(objects: &gix::Repository, node: &mut CacheTree, id: ObjectId) -> Result<u32, GitError> {
            if let Some(count) = node.num_entries.filter(|_| node.id == id) {
                return Ok(count);
            }
            let mut known = std::mem::take(&mut node.children);
            let mut count = 0;
            for entry in tree::read(objects, id)?.entries {
                if !entry.mode.is_tree() {
                    count += 1;
                    continue;
                }
                let name = entry.filename.as_slice();
                let mut child = match known.iter().position(|child| child.name.as_slice() == name) {
                    Some(at) => known.swap_remove(at),
                    None => cache_node(name, id.kind()),
                };
                count += fill(objects, &mut child, entry.oid)?;
                node.children.push(child);
            }
            // git keeps them by length, then by name, but reads any order; gix wants them by name.
            node.children.sort_by(|one, two| one.name.cmp(&two.name));
            node.id = id;
            node.num_entries = Some(count);
            Ok(count)
        }
        fill(objects, &mut self.cache, root).map(|_| ())
    }
}

/// Writes a file whole: into its lock file first, as git does. A lock that is there was left by a process that is gone, for
/// nobody else works in a slot while we do.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = Path::new(&name);
    let open = || fs::File::options().write(true).create_new(true).open(lock);
    let mut file = match open() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            tracing::warn!(lock = %lock.display(), "removing a lock that a killed process left");
            fs::remove_file(lock)?;
            open()?
        }
        other => other?,
    };
    file.write_all(bytes)?;
    drop(file);
    fs::rename(lock, path)
}

/// The mode of an index entry for one of a tree.
pub(super) fn mode_of(mode: EntryMode) -> Mode {
    match mode.kind() {
        EntryKind::Blob => Mode::FILE,
        EntryKind::BlobExecutable => Mode::FILE_EXECUTABLE,
        EntryKind::Link => Mode::SYMLINK,
        EntryKind::Commit => Mode::COMMIT,
        EntryKind::Tree => Mode::DIR,
    }
}

/// What the index keeps of a file.
pub(super) fn stat_of(stat: &rustix::fs::Stat) -> Stat {
    use gix::index::entry::stat::Time;
    Stat {
        mtime: Time { secs: stat.st_mtime as u32, nsecs: stat.st_mtime_nsec as u32 },
        ctime: Time { secs: stat.st_ctime as u32, nsecs: stat.st_ctime_nsec as u32 },
        dev: stat.st_dev as u32,
        ino: stat.st_ino as u32,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: stat.st_size as u32,
    }
}

/// What the index says of a file of this kind; none for what git does not keep.
pub(super) fn file_mode(stat: &rustix::fs::Stat) -> Option<Mode> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile if stat.st_mode & 0o100 != 0 => Some(Mode::FILE_EXECUTABLE),
        FileType::RegularFile => Some(Mode::FILE),
        FileType::Symlink => Some(Mode::SYMLINK),
        _ => None,
    }
}

fn is_racy(stat: &Stat, seen: SystemTime) -> bool {
    let modified = UNIX_EPOCH + Duration::new(stat.mtime.secs.into(), stat.mtime.nsecs);
    modified + RACY >= seen
}

fn cache_node(name: &[u8], hash: gix::hash::Kind) -> CacheTree {
    CacheTree { name: name.into(), id: ObjectId::null(hash), num_entries: None, children: Vec::new() }
}

fn invalidate(node: &mut CacheTree, path: &BStr) {
    node.num_entries = None;
    if let Some(at) = path.find_byte(b'/')
        && let Some(child) = node.children.iter_mut().find(|child| child.name[..] == path[..at])
    {
        invalidate(child, path[at + 1..].as_bstr());
    }
}
