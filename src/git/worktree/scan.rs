//! Compares a worktree's files with its index by what the system says of them; contents are for `examine`.
//! Knows nothing of what is done with what it finds.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStrExt,
    },
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    index::entry::{Mode, Stat},
};
use rustix::fs::{AtFlags, FileType};

use super::{
    super::error::{At, During, GitError},
    disk::{self, Disk, Named},
    index::{Index, file_mode, stat_of},
    sparse::is_marked,
    watch::Watch,
};

/// Directories deep that we follow.
const DEPTH_MAX: usize = 4096 / 2;

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub path: BString,
    pub what: What,
}

/// How a path may differ from the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A tracked file that does not look as it did.
    Touched(Mode, Stat),
    /// A tracked file is gone.
    Missing,
    /// A file that is not tracked and not ignored.
    New(Mode, Stat),
    /// A directory with a repository of its own. It is not tracked.
    Nested,
    /// A pipe, socket or device. It is not tracked.
    Special,
    /// Nothing is there, and nothing has to be: it is outside of the sparse checkout. But the agent staged this content for it.
    Staged(Mode, ObjectId),
}

/// Says which paths git ignores.
pub(super) struct Ignored<'a> {
    handle: &'a gix::Repository,
    index: &'a Index,
    stack: Option<gix::AttributeStack<'a>>,
}

impl<'a> Ignored<'a> {
    pub(super) fn new(handle: &'a gix::Repository, index: &'a Index) -> Self {
        Self { handle, index, stack: None }
    }

    pub(super) fn is(&mut self, path: &BStr, mode: Mode) -> Result<bool, GitError> {
        use gix::worktree::stack::state::ignore::Source;
        if self.stack.is_none() {
            let source = Source::WorktreeThenIdMappingIfNotSkipped;
            let stack = self.handle.excludes(&self.index.state, None, source);
            self.stack = Some(stack.during(|| "read the ignore rules".to_owned())?);
        }
        let stack = self.stack.as_mut().expect("it was just made");
        let entry = stack.at_entry(path, Some(mode)).during(|| format!("read the ignore rules for '{path}'"))?;
        Ok(entry.is_excluded())
    }
}

/// Whether ignored files are wanted too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// What `git add -A` would look at.
    Unignored,
    /// All that is there.
    All,
}

/// All paths that may differ, in the index's order.
pub(super) fn all(
    disk: &Disk,
    index: &Index,
    handle: &gix::Repository,
    wanted: Wanted,
    watch: Option<&mut Watch>,
) -> Result<Vec<Found>, GitError> {
    let mut scan = Scan { index, ignored: Ignored::new(handle, index), wanted, watch, found: Vec::new(), depth: 0 };
    let end = index.state.entries().len();
    scan.tracked(disk.root(), &mut BString::default(), 0, end)?;
    Ok(scan.found)
}

/// As [`all`], but only of these paths and what is below them.
pub(super) fn some(
    disk: &Disk,
    index: &Index,
    handle: &gix::Repository,
    paths: BTreeSet<BString>,
    watch: Option<&mut Watch>,
) -> Result<Vec<Found>, GitError> {
    let ignored = Ignored::new(handle, index);
    let mut scan = Scan { index, ignored, wanted: Wanted::Unignored, watch, found: Vec::new(), depth: 0 };
    let tops: BTreeSet<BString> = paths.iter().filter_map(|path| top(index, path.as_bstr())).collect();
    for top in tops.iter().filter(|top| !dirs(top.as_bstr()).any(|dir| tops.contains(dir))) {
        scan.one(disk, top.as_bstr())?;
    }
    scan.found.sort_by(|one, two| one.path.cmp(&two.path));
    Ok(scan.found)
}

/// What to look at when a path was touched: itself or, if a directory on the way has no tracked file, that directory, for it may
/// be ignored or a repository of its own. Nothing, for the worktree's own `.git`.
fn top(index: &Index, path: &BStr) -> Option<BString> {
    let in_git = path.split(|byte| *byte == b'/').position(|part| part == b".git");
    let path = match in_git {
        Some(0) => return None,
        Some(parts) => dirs(path).nth(parts - 1)?,
        None => path,
    };
    let untracked = dirs(path).find(|dir| index.below(dir).is_empty());
    Some(untracked.unwrap_or(path).to_owned())
}

/// The directories on the way to a path, the outermost first.
fn dirs(path: &BStr) -> impl Iterator<Item = &BStr> {
    path.find_iter(b"/").map(move |at| path[..at].as_bstr())
}

struct Scan<'a> {
    index: &'a Index,
    ignored: Ignored<'a>,
    wanted: Wanted,
    watch: Option<&'a mut Watch>,
    found: Vec<Found>,
    depth: usize,
}

impl Scan<'_> {
    /// One path and all below it.
    fn one(&mut self, disk: &Disk, path: &BStr) -> Result<(), GitError> {
        let index = self.index;
        let (parent, name) = disk::split(path);
        let below = index.below(path);
        let exact = index.entry(path);
        let dir = match disk.dir(parent) {
            Err(error) if disk::is_absent(&error) => None,
            dir => Some(dir.at("open the directory", disk.whole(parent))?),
        };
        let kind = match &dir {
            None => None,
            Some(dir) => kind_of(dir.as_fd(), name).at("look at", disk.whole(path))?,
        };
        let (Some(dir), Some(kind)) = (dir, kind) else {
            self.missing(exact);
            self.missing(&index.state.entries()[below]);
            return Ok(());
        };
        let named = Named::new(name, kind);
        if !kind.is_dir() {
            self.missing(&index.state.entries()[below]);
            return match exact {
                Some(entry) => self.compare(dir.as_fd(), &named, path, entry),
                None => self.untracked_file(dir.as_fd(), &named, path),
            };
        }
        if exact.is_some_and(|entry| entry.mode == Mode::COMMIT) {
            return Ok(());
        }
        self.missing(exact);
        let mut path = path.to_owned();
        path.push(b'/');
        if below.is_empty() {
            return self.untracked_dir(dir.as_fd(), &named, &mut path);
        }
        self.enter(dir.as_fd(), &named, &mut path, |scan, dir, path| scan.tracked(dir, path, below.start, below.end))
    }

    /// A directory that the entries `from..to` of the index are in. `path` is its path with a `/` at the end, or empty.
    fn tracked(&mut self, dir: BorrowedFd<'_>, path: &mut BString, from: usize, to: usize) -> Result<(), GitError> {
        self.watch(dir, path.as_bstr());
        let names = self.list(dir, path)?;
        let index = self.index;
        let entries = index.state.entries();
        let length = path.len();
        let mut at = from;
        for named in &names {
            if named.name() == b".git" {
                continue;
            }
            path.truncate(length);
            path.extend_from_slice(named.key());
            while at < to && before(entries[at].path(&index.state), path.as_bstr(), length) {
                self.unseen(dir, &entries[at], length)?;
                at += 1;
            }
            if named.kind.is_dir() {
                let end = at + entries[at..to].partition_point(|entry| entry.path(&index.state).starts_with(path));
                if end > at {
                    self.enter(dir, named, path, |scan, below, path| scan.tracked(below, path, at, end))?;
                    at = end;
                } else if !self.is_submodule(path[..path.len() - 1].as_bstr()) {
                    self.untracked_dir(dir, named, path)?;
                }
                continue;
            }
            if at < to && entries[at].path(&index.state) == path.as_bstr() {
                let entry = &entries[at];
                at += 1;
                self.compare(dir, named, path.as_bstr(), entry)?;
            } else {
                self.untracked_file(dir, named, path.as_bstr())?;
            }
        }
        path.truncate(length);
        for entry in &entries[at..to] {
            self.unseen(dir, entry, length)?;
        }
        Ok(())
    }

    /// An entry of the index that is not on the disk, or is a submodule's directory, which sorts otherwise there. It is below
    /// `dir`, whose path is `length` bytes long.
    fn unseen(&mut self, dir: BorrowedFd<'_>, entry: &gix::index::Entry, length: usize) -> Result<(), GitError> {
        let path = entry.path(&self.index.state);
        if entry.mode == Mode::COMMIT {
            let found = rustix::fs::statat(dir, OsStr::from_bytes(&path[length..]), AtFlags::SYMLINK_NOFOLLOW);
            if found.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir()) {
                return Ok(());
            }
        }
        self.missing([entry]);
        Ok(())
    }

    fn is_submodule(&self, path: &BStr) -> bool {
        self.index.entry(path).is_some_and(|entry| entry.mode == Mode::COMMIT)
    }

    fn compare(
        &mut self,
        dir: BorrowedFd<'_>,
        named: &Named,
        path: &BStr,
        entry: &gix::index::Entry,
    ) -> Result<(), GitError> {
        let Some(stat) = stat(dir, named).during(|| format!("look at '{path}'"))? else {
            self.missing([entry]);
            return Ok(());
        };
        let Some(mode) = file_mode(&stat) else {
            self.missing([entry]);
            self.push(path, What::Special);
            return Ok(());
        };
        let seen = stat_of(&stat);
        if seen != entry.stat || mode != entry.mode || self.index.is_racy(path) {
            self.push(path, What::Touched(mode, seen));
        }
        Ok(())
    }

    fn untracked_file(&mut self, dir: BorrowedFd<'_>, named: &Named, path: &BStr) -> Result<(), GitError> {
        if self.wanted == Wanted::Unignored && self.ignored.is(path, Mode::FILE)? {
            return Ok(());
        }
        let Some(stat) = stat(dir, named).during(|| format!("look at '{path}'"))? else {
            return Ok(());
        };
        match file_mode(&stat) {
            Some(mode) => self.push(path, What::New(mode, stat_of(&stat))),
            None => self.push(path, What::Special),
        }
        Ok(())
    }

    /// A directory without tracked files. `path` ends in `/`.
    fn untracked_dir(&mut self, dir: BorrowedFd<'_>, named: &Named, path: &mut BString) -> Result<(), GitError> {
        let name = path[..path.len() - 1].as_bstr();
        if self.wanted == Wanted::Unignored && self.ignored.is(name, Mode::DIR)? {
            return Ok(());
        }
        self.enter(dir, named, path, |scan, below, path| {
            scan.watch(below, path.as_bstr());
            let names = scan.list(below, path)?;
            if names.iter().any(|named| named.name() == b".git") {
                let at = path[..path.len() - 1].to_owned();
                scan.push(at.as_bstr(), What::Nested);
                return Ok(());
            }
            let length = path.len();
            for named in &names {
                path.truncate(length);
                path.extend_from_slice(named.key());
                if named.kind.is_dir() {
                    scan.untracked_dir(below, named, path)?;
                } else {
                    scan.untracked_file(below, named, path.as_bstr())?;
                }
            }
            path.truncate(length);
            Ok(())
        })
    }

    fn enter(
        &mut self,
        dir: BorrowedFd<'_>,
        named: &Named,
        path: &mut BString,
        walk: impl FnOnce(&mut Self, BorrowedFd<'_>, &mut BString) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        if self.depth >= DEPTH_MAX {
            return Err(GitError::BadPath(path.to_string()));
        }
        let below = disk::below(dir, named.name()).during(|| format!("open the directory '{path}'"))?;
        self.depth += 1;
        let walked = walk(self, below.as_fd(), path);
        self.depth -= 1;
        walked
    }

    fn list(&self, dir: BorrowedFd<'_>, path: &BString) -> Result<Vec<Named>, GitError> {
        disk::entries(dir).during(|| format!("list the directory '{path}'"))
    }

    /// From before it is listed, so that nothing falls between.
    fn watch(&mut self, dir: BorrowedFd<'_>, path: &BStr) {
        if let Some(watch) = &mut self.watch {
            watch.add(dir, path);
        }
    }

    /// What is tracked and not there; a sparse checkout does not miss what it leaves out.
    fn missing<'e>(&mut self, entries: impl IntoIterator<Item = &'e gix::index::Entry>) {
        let index = self.index;
        for entry in entries.into_iter().filter(|entry| !is_marked(entry)) {
            self.push(entry.path(&index.state), What::Missing);
        }
    }

    fn push(&mut self, path: &BStr, what: What) {
        self.found.push(Found { path: path.to_owned(), what });
    }
}

/// Whether an entry of the index comes before what is next on the disk. Both are below the same directory, whose path is
/// `length` bytes long.
fn before(entry: &BStr, next: &BStr, length: usize) -> bool {
    let (entry, next) = (&entry[length..], &next[length..]);
    if next.ends_with(b"/") && entry.starts_with(next) { false } else { entry < next }
}

fn kind_of(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<Option<FileType>> {
    match rustix::fs::statat(dir, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn stat(dir: BorrowedFd<'_>, named: &Named) -> io::Result<Option<rustix::fs::Stat>> {
    match rustix::fs::statat(dir, OsStr::from_bytes(named.name()), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_dir() => Ok(None),
        Ok(stat) => Ok(Some(stat)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
