//! Changes a worktree's files from one tree to another, touching only those that differ.
//! Knows nothing of HEAD or of why; what is in the way is never deleted but set aside.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::UNIX_EPOCH,
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    filter::plumbing::{driver::apply::Delay, pipeline::convert::to_worktree},
    index::{
        State,
        entry::{Mode, Stat},
    },
    objs::{Kind, tree::EntryMode},
    worktree::stack::state::attributes::Source,
};

use super::{
    super::{
        command::Git,
        error::{At, During, GitError},
        odb::{find, read_blob},
        tree::LeafChange,
    },
    disk::{Disk, Near, split},
    error::SlotError,
    examine::{Care, Names, examine},
    index::{Entry, Index, Put, file_mode, mode_of, stat_of},
    scan::{Found, What},
    sparse::is_marked,
};

/// Files from which on several threads write them.
const PARALLEL_FROM: usize = 1000;
/// Threads that write them.
const THREADS_MAX: usize = 8;

static SERIAL: AtomicU64 = AtomicU64::new(0);

/// What a checkout works on.
pub(super) struct Checkout<'a> {
    pub slot: &'a str,
    pub disk: &'a Disk,
    pub admin: &'a std::path::Path,
    pub handle: &'a gix::Repository,
    /// Where things go that are in the way.
    pub aside: &'a std::path::Path,
}

/// What is there where a file is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// Nothing of ours.
    New,
    /// The file as it was, which the index knew.
    Over,
}

/// What a checkout did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Done {
    pub written: usize,
    pub removed: usize,
    /// Where things are now that were in the way.
    pub set_aside: Vec<PathBuf>,
}

impl Checkout<'_> {
    /// Checks that the files that will be replaced are as the index says.
    ///
    /// # Errors
    /// [`SlotError::Unsaved`] with the first that is not.
    pub(super) fn check(&self, index: &Index, changes: &[LeafChange]) -> Result<(), GitError> {
        let mut near = Near::default();
        let mut doubtful = Vec::new();
        for change in changes.iter().filter(|change| change.before.is_some()) {
            let path = change.path.as_bstr();
            let Some(entry) = index.entry(path) else {
                return Err(self.unsaved(path));
            };
            let is_left_out = is_marked(entry);
            if entry.mode == Mode::COMMIT {
                continue;
            }
            let seen = self.disk.stat(&mut near, path).at("look at", self.disk.whole(path))?;
            if is_left_out && seen.is_none() {
                continue;
            }
            if is_left_out {
                return Err(self.unsaved(path));
            }
            let Some((stat, mode)) = seen.and_then(|stat| Some((stat_of(&stat), file_mode(&stat)?))) else {
                return Err(self.unsaved(path));
            };
            if stat != entry.stat || mode != entry.mode || index.is_racy(path) {
                doubtful.push(Found { path: path.to_owned(), what: What::Touched(mode, stat) });
            }
        }
        let care = Care::Keep { file_bytes_max: u64::MAX };
        let mut names = Names(self.handle.object_hash());
        let examined = examine(self.disk, index, self.handle, &doubtful, care, &mut names)?;
        match examined.puts.first().map(|put| &put.0).or(examined.refused.first().map(|refused| &refused.0)) {
            Some(path) => Err(self.unsaved(path.as_bstr())),
            None => Ok(()),
        }
    }

    /// Makes the changes, on the disk and in the index, which is of `root` then. What the index leaves out is not written.
    pub(super) fn apply(&self, index: &mut Index, changes: &[LeafChange], root: ObjectId) -> Result<Done, GitError> {
        let mut done = Done::default();
        let puts: Vec<Put> = changes
            .iter()
            .map(|change| {
                let entry = |(mode, id)| Entry { id, mode: mode_of(mode), stat: Stat::default() };
                (change.path.clone(), change.after.map(entry))
            })
            .collect();
        // What was left out is not there; what is to be left out is not written.
        let was_left_out = left_out(index, changes);
        index.put(self.handle, &puts, root)?;
        let is_left_out = left_out(index, changes);
        let mut near = Near::default();
        for change in changes {
            let path = change.path.as_bstr();
            let Some((mode, _)) = change.before.filter(|_| !was_left_out.contains(path)) else { continue };
            let goes = change.after.is_none() || is_left_out.contains(path);
            let stays = !goes && change.after.is_some_and(|(after, _)| is_file(after) && is_file(mode));
            if stays {
                continue;
            }
            if mode.is_commit() {
                // A submodule that somebody filled stays where it is, as with git.
                let _ = self.disk.remove_dir(&mut near, path);
            } else {
                self.disk.remove(&mut near, path).at("remove", self.disk.whole(path))?;
            }
            if goes {
                self.disk.remove_empty_parents(&mut near, path);
                done.removed += 1;
            }
        }
        crate::sys::crash_point::reach("checkout.removed");
        let file = |change: &LeafChange| change.after.map(|(mode, id)| (change.path.clone(), mode_of(mode), id));
        let is_over = |change: &&LeafChange| {
            change.before.is_some_and(|(mode, _)| is_file(mode)) && !was_left_out.contains(change.path.as_bstr())
        };
        let (over, new): (Vec<_>, Vec<_>) = changes
            .iter()
            .filter(|change| change.after.is_some() && !is_left_out.contains(change.path.as_bstr()))
            .partition(|change| is_over(change) && change.after.is_some_and(|(mode, _)| is_file(mode)));
        let over: Vec<(BString, Mode, ObjectId)> = over.into_iter().filter_map(file).collect();
        let new: Vec<(BString, Mode, ObjectId)> = new.into_iter().filter_map(file).collect();
        done.written = over.len() + new.len();
        self.write(index, &over, Writing::Over, &mut done)?;
        self.write(index, &new, Writing::New, &mut done)?;
        Ok(done)
    }

    /// Writes files that are in the index.
    pub(super) fn write(
        &self,
        index: &mut Index,
        files: &[(BString, Mode, ObjectId)],
        writing: Writing,
        done: &mut Done,
    ) -> Result<(), GitError> {
        if files.is_empty() {
            return Ok(());
        }
        if writing == Writing::New {
            self.make_way(files, done)?;
        }
        let stats = if needs_git(self.handle, &index.state) {
            self.write_with_git(index, files)?
        } else if files.len() < PARALLEL_FROM {
            write_some(self.disk, self.handle, &index.state, files, writing)?
        } else {
            self.write_in_parallel(&index.state, files, writing)?
        };
        for ((path, mode, _), stat) in files.iter().zip(stats) {
            if *mode != Mode::COMMIT {
                index.refresh(path.as_bstr(), stat);
            }
        }
        Ok(())
    }

    /// In threads of its own: one that waits in a pool of workers would begin another's work.
    fn write_in_parallel(
        &self,
        state: &State,
        files: &[(BString, Mode, ObjectId)],
        writing: Writing,
    ) -> Result<Vec<Stat>, GitError> {
        let threads = thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS_MAX));
        thread::scope(|scope| {
            let parts: Vec<_> = files
                .chunks(files.len().div_ceil(threads))
                .map(|part| {
                    let (disk, mut handle) = (self.disk, self.handle.clone());
                    // Each content is read once.
                    handle.object_cache_size(None);
                    scope.spawn(move || write_some(disk, &handle, state, part, writing))
                })
                .collect();
            let mut stats = Vec::with_capacity(files.len());
            for part in parts {
                stats.extend(part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(stats)
        })
    }

    /// Makes the directories of these files, and sets aside what is in the way.
    fn make_way(&self, files: &[(BString, Mode, ObjectId)], done: &mut Done) -> Result<(), GitError> {
        let mut near = Near::default();
        let mut ready = BString::default();
        for (path, mode, _) in files {
            let (parent, _) = split(path.as_bstr());
            if !parent.is_empty() && parent != ready {
                let ends = parent.find_iter(b"/").chain([parent.len()]);
                for end in ends {
                    self.make_dir(&mut near, parent[..end].as_bstr(), done)?;
                }
                ready = parent.to_owned();
            }
            let path = path.as_bstr();
            if *mode == Mode::COMMIT {
                self.make_dir(&mut near, path, done)?;
            } else if self.disk.stat(&mut near, path).at("look at", self.disk.whole(path))?.is_some() {
                done.set_aside.push(self.set_aside(path)?);
            }
        }
        Ok(())
    }

    fn make_dir(&self, near: &mut Near, path: &BStr, done: &mut Done) -> Result<(), GitError> {
        let made = match self.disk.make_dir(near, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = self.disk.stat(near, path).at("look at", self.disk.whole(path))?;
                let is_dir = |stat: rustix::fs::Stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir();
                if found.is_some_and(is_dir) {
                    return Ok(());
                }
                done.set_aside.push(self.set_aside(path)?);
                self.disk.make_dir(near, path)
            }
            other => other,
        };
        made.at("make the directory", self.disk.whole(path))
    }

    /// Moves something out of the worktree, and says where to.
    pub(super) fn set_aside(&self, path: &BStr) -> Result<PathBuf, GitError> {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let seconds = UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
        let to = self.aside.join(format!("{}-{seconds}-{}-{serial}", self.slot, std::process::id()));
        let to = to.join(OsStr::from_bytes(path));
        let dir = to.parent().unwrap_or(self.aside);
        fs::create_dir_all(dir).at("make the directory", dir)?;
        let from = self.disk.whole(path);
        fs::rename(&from, &to).at("set aside", &from)?;
        tracing::warn!(from = %from.display(), to = %to.display(), "set aside what was in the way");
        Ok(to)
    }

    /// What gix would write wrongly git writes.
    fn write_with_git(&self, index: &Index, files: &[(BString, Mode, ObjectId)]) -> Result<Vec<Stat>, GitError> {
        let private = self.admin.join("orchestrate-index");
        index.write(&private)?;
        let paths: Vec<u8> = files.iter().flat_map(|(path, ..)| path.iter().copied().chain([0])).collect();
        let written = Git::at(self.admin, Some(self.disk.path()))
            .index(&private)
            .args(["checkout-index", "-f", "-q", "-z", "--stdin"])
            .output(&paths);
        fs::remove_file(&private).at("remove", &private)?;
        written?;
        let mut near = Near::default();
        files
            .iter()
            .map(|(path, ..)| {
                let path = path.as_bstr();
                let stat = self.disk.stat(&mut near, path).at("look at", self.disk.whole(path))?;
                Ok(stat.map(|stat| stat_of(&stat)).unwrap_or_default())
            })
            .collect()
    }

    pub(super) fn unsaved(&self, path: &BStr) -> GitError {
        SlotError::Unsaved { slot: self.slot.to_owned(), path: path.to_str_lossy().into_owned() }.into()
    }
}

/// The paths of these changes whose files are left out by the index as it is now.
fn left_out<'a>(index: &Index, changes: &'a [LeafChange]) -> HashSet<&'a BStr> {
    changes.iter().map(|change| change.path.as_bstr()).filter(|path| index.is_left_out(path)).collect()
}

fn is_file(mode: EntryMode) -> bool {
    matches!(mode_of(mode), Mode::FILE | Mode::FILE_EXECUTABLE)
}

/// Writes files whose directories are there, and says what they look like then.
fn write_some(
    disk: &Disk,
    handle: &gix::Repository,
    state: &State,
    files: &[(BString, Mode, ObjectId)],
    writing: Writing,
) -> Result<Vec<Stat>, GitError> {
    let doing = || "prepare the filters".to_owned();
    let stack = handle.attributes_only(state, Source::IdMapping).during(doing)?;
    let mut pipeline = gix::filter::Pipeline::new(handle, stack.detach()).during(doing)?;
    let options =
        to_worktree::Options { can_delay: Delay::Forbid, unknown_encoding: to_worktree::UnknownEncoding::Fail };
    let mut near = Near::default();
    let mut buffer = Vec::new();
    let mut filtered = Vec::new();
    let mut stats = Vec::with_capacity(files.len());
    for (path, mode, id) in files {
        let path = path.as_bstr();
        if *mode == Mode::COMMIT {
            stats.push(Stat::default());
            continue;
        }
        find(handle, *id, Kind::Blob, &mut buffer)?;
        let written = if *mode == Mode::SYMLINK {
            disk.link(&mut near, path, &buffer)
        } else {
            let mut outcome =
                pipeline.convert_to_worktree(&buffer, path, options).during(|| format!("filter '{path}'"))?;
            let bytes = match outcome.as_bytes() {
                Some(bytes) => bytes,
                None => {
                    filtered.clear();
                    io::Read::read_to_end(&mut outcome, &mut filtered).during(|| format!("filter '{path}'"))?;
                    &filtered
                }
            };
            let executable = *mode == Mode::FILE_EXECUTABLE;
            match writing {
                Writing::New => disk.write(&mut near, path, bytes, executable),
                Writing::Over => disk.overwrite(&mut near, path, bytes, executable),
            }
        };
        stats.push(stat_of(&written.at("write", disk.whole(path))?));
        crate::sys::crash_point::reach("checkout.file-written");
    }
    Ok(stats)
}

/// Whether attributes name an encoding: gix reads such files rightly but writes UTF-16 as UTF-8.
fn needs_git(handle: &gix::Repository, state: &State) -> bool {
    const ENCODING: &[u8] = b"working-tree-encoding";
    let mentions = |bytes: &[u8]| bytes.find(ENCODING).is_some();
    let info = fs::read(handle.common_dir().join("info/attributes"));
    if info.is_ok_and(|bytes| mentions(&bytes)) {
        return true;
    }
    let globals = handle.attribute_global_paths().unwrap_or_default();
    if globals.iter().any(|path| fs::read(path).is_ok_and(|bytes| mentions(&bytes))) {
        return true;
    }
    state.entries().iter().any(|entry| {
        entry.path(state).ends_with(b".gitattributes")
            && read_blob(handle, entry.id).is_ok_and(|bytes| mentions(&bytes))
    })
}
