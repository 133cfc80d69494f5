//! All slots of a repository: made, found again, repaired, removed, one at a time.
//! Knows nothing of who uses them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use gix::ObjectId;

use super::{
    super::{
        error::{At, During, GitError},
        object::gix_commit,
        repository::{Repository, unpoisoned},
    },
    admin::{is_absent, pointer},
    error::SlotError,
    slot::{Place, Slot, code_root},
    sparse::Sparse,
    state::{self, State},
};
use crate::{config::settings::WorktreeFiles, model::object::CommitId};

/// What our administrative directories begin with, among those of the user's own worktrees.
const PREFIX: &str = "orchestrate-";
/// Administrative directories tried for a slot, where others of the same name are in use.
const ADMINS_MAX: usize = 9;
/// What git, too, writes into the lock of a worktree that is being made.
const INITIALIZING: &[u8] = b"initializing";
/// Where things go that are in the way of a slot.
const ASIDE: &str = ".set-aside";
/// Letters in a slot's name.
const NAME_MAX: usize = 64;
/// Times that an administrative directory is made which somebody removes before it is locked.
const LOCK_TRIES_MAX: u32 = 10;

/// The slots below one directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Slots {
    repository: Repository,
    dir: PathBuf,
    /// What the user's checkout leaves out, and so each slot.
    sparse: Option<Sparse>,
    /// One slot is made or removed at a time.
    turn: Arc<Mutex<()>>,
}

impl Slots {
    /// The slots of a repository below `dir`, which is made when the first one is. They leave out what the user's checkout,
    /// as it is now, leaves out.
    ///
    /// # Errors
    /// If the directory's path cannot be found, or the patterns of a sparse checkout cannot be read.
    pub fn open(repository: &Repository, dir: &Path) -> Result<Self, GitError> {
        let dir = std::path::absolute(dir).at("find the directory", dir)?;
        let sparse = Sparse::of_checkout(repository)?;
        Ok(Self { repository: repository.clone(), dir, sparse, turn: Arc::default() })
    }

    /// With these files, if the user's checkout is sparse.
    #[must_use]
    pub fn with(mut self, files: WorktreeFiles) -> Self {
        if files == WorktreeFiles::Full {
            self.sparse = None;
        }
        self
    }

    /// Where directories are kept that were in the way of a slot, if there is one: nobody knows what is in them.
    pub fn aside(&self) -> Option<PathBuf> {
        let aside = self.dir.join(ASIDE);
        fs::read_dir(&aside).is_ok_and(|mut entries| entries.next().is_some()).then_some(aside)
    }

    /// Where the slots are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Opens a slot; makes it, with `at` checked out, if it is not there or no longer whole. One that is there is opened as it is,
    /// with all that was changed in it: see [`Slot::head`] and [`Slot::prepare`]. `at` is a code commit.
    ///
    /// # Errors
    /// [`SlotError::Occupied`] if something that is not ours is in its place.
    pub fn get(&self, name: &str, at: CommitId) -> Result<Slot, GitError> {
        check_name(name)?;
        let turn = unpoisoned(&self.turn);
        let path = self.dir.join(name);
        let admin = self.admin(name, &path)?;
        let place = Place { name: name.to_owned(), path, admin, aside: self.dir.join(ASIDE) };
        let known = state::read(&place.admin);
        let dir_is_there = fs::symlink_metadata(&place.path).is_ok_and(|found| found.is_dir());
        let Some(state) = known.filter(|_| dir_is_there) else {
            return self.make(turn, place, at);
        };
        drop(turn);
        match self.reopen(place.clone(), state) {
            // What was checked out is in no branch, so it need not have survived a power loss or a tidying up.
            Err(GitError::NoObject { .. }) => self.make(unpoisoned(&self.turn), place, at),
            opened => opened,
        }
    }

    fn make(&self, turn: MutexGuard<'_, ()>, place: Place, at: CommitId) -> Result<Slot, GitError> {
        let dir_is_there = fs::symlink_metadata(&place.path).is_ok_and(|found| found.is_dir());
        let half_made = fs::read(place.admin.join("locked")).is_ok_and(|why| why.starts_with(INITIALIZING))
            && slot_of(&place.admin).as_deref() == Some(&place.path);
        let commit = gix_commit(at);
        let root = code_root(&self.repository.local(), commit)?;
        let found = match (dir_is_there, half_made) {
            (true, true) => InPlace::HalfMade,
            (true, false) => InPlace::Directory,
            (false, _) => InPlace::NoDirectory,
        };
        self.set_up(&place, commit, found)?;
        crate::sys::crash_point::reach("slot.empty");
        drop(turn);
        self.fill(place, commit, root)
    }

    /// The names of the slots that are there, in order.
    ///
    /// # Errors
    /// If the directory of worktrees cannot be read.
    pub fn list(&self) -> Result<Vec<String>, GitError> {
        let worktrees = self.repository.common_dir().join("worktrees");
        let entries = match fs::read_dir(&worktrees) {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            entries => entries.at("list", &worktrees)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.at("list", &worktrees)?;
            let Some(path) = slot_of(&entry.path()) else { continue };
            let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
            if ours && path.parent() == Some(&self.dir) {
                names.extend(path.file_name().and_then(|name| name.to_str()).map(str::to_owned));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Removes a slot with its ignored files.
    ///
    /// # Errors
    /// [`SlotError::Unsaved`] if it has changes: save and reset it first.
    pub fn remove(&self, mut slot: Slot) -> Result<(), GitError> {
        let changes = slot.changes()?;
        if let Some(path) =
            changes.files.first().map(|file| &file.path).or(changes.others.first().map(|file| &file.path))
        {
            return Err(SlotError::Unsaved { slot: slot.name().to_owned(), path: path.clone() }.into());
        }
        let _turn = unpoisoned(&self.turn);
        let (path, admin) = (slot.path().to_owned(), slot.admin_dir().to_owned());
        drop(slot);
        // The files first: a directory that git knows can be opened again, one that it does not is in the way.
        fs::remove_dir_all(&path).at("remove", &path)?;
        fs::remove_dir_all(&admin).at("remove", &admin)
    }

    fn handle(&self, path: &Path) -> Result<gix::Repository, GitError> {
        let mut handle = self.repository.handle();
        handle.set_workdir(path.to_owned()).during(|| format!("work in '{}'", path.display()))?;
        Ok(handle)
    }

    fn reopen(&self, place: Place, state: State) -> Result<Slot, GitError> {
        let handle = self.handle(&place.path)?;
        let extents = (Sparse::noted(&place.admin), self.sparse.clone());
        match state {
            State::At(commit, root) => {
                let locked = place.admin.join("locked");
                let mut slot = Slot::open(&self.repository, handle, place, (commit, root), extents)?;
                // Of a sparse one, the agent's index may tell what the files do not: it stays until that is saved.
                if !slot.is_sparse() {
                    slot.flush()?;
                }
                unlock(&locked)?;
                Ok(slot)
            }
            // A switch was interrupted: files are of one commit or of the other, and were clean when it began. Seen from
            // the second, those of the first look changed; they are saved like any other.
            State::Between(_, (commit, root)) => {
                let mut slot = Slot::open(&self.repository, handle, place, (commit, root), extents)?;
                slot.fill()?;
                Ok(slot)
            }
        }
    }

    fn fill(&self, place: Place, commit: ObjectId, root: ObjectId) -> Result<Slot, GitError> {
        let handle = self.handle(&place.path)?;
        let locked = place.admin.join("locked");
        let extents = (self.sparse.clone(), self.sparse.clone());
        let mut slot = Slot::open(&self.repository, handle, place, (commit, root), extents)?;
        slot.fill()?;
        crate::sys::crash_point::reach("slot.filled");
        unlock(&locked)?;
        Ok(slot)
    }

    /// Makes the administrative files and the empty directory. A directory that is there and has lost its administrative files
    /// may hold work: it is set aside.
    fn set_up(&self, place: &Place, commit: ObjectId, found: InPlace) -> Result<(), GitError> {
        let line = pointer(&place.admin);
        let dot_git = place.path.join(".git");
        // A half-made one has no work in it yet, and its `.git` may not say anything.
        if found != InPlace::HalfMade && fs::symlink_metadata(&place.path).is_ok() {
            let ours = fs::read_to_string(&dot_git).is_ok_and(|found| found == line);
            let empty = fs::read_dir(&place.path).is_ok_and(|mut entries| entries.next().is_none());
            if !ours && !empty {
                return Err(SlotError::Occupied(place.path.clone()).into());
            }
            if found == InPlace::Directory && !empty {
                self.set_dir_aside(place)?;
            }
        }
        lock(&place.admin)?;
        let write = |name: &str, text: &str| {
            let path = place.admin.join(name);
            super::index::replace(&path, text.as_bytes()).at("write", path)
        };
        write("HEAD", &format!("{commit}\n"))?;
        write("commondir", "../..\n")?;
        crate::sys::crash_point::reach("slot.begun");
        write("gitdir", &format!("{}\n", dot_git.display()))?;
        for old in ["index", "orchestrate", super::sparse::NOTE] {
            let path = place.admin.join(old);
            match fs::remove_file(&path) {
                Err(error) if !is_absent(&error) => return Err(error).at("remove", path),
                Ok(()) | Err(_) => {}
            }
        }
        crate::sys::crash_point::reach("slot.known");
        fs::create_dir_all(&place.path).at("make the directory", &place.path)?;
        fs::write(&dot_git, line).at("write", dot_git)
    }

    fn set_dir_aside(&self, place: &Place) -> Result<(), GitError> {
        fs::create_dir_all(&place.aside).at("make the directory", &place.aside)?;
        let seconds = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
        let to = place.aside.join(format!("{}-{seconds}-{}", place.name, std::process::id()));
        tracing::warn!(from = %place.path.display(), to = %to.display(), "set aside a worktree that git no longer knows");
        fs::rename(&place.path, &to).at("set aside", &place.path)
    }

    /// The administrative directory of the slot at `path`: the one that points to it, else a free one.
    fn admin(&self, name: &str, path: &Path) -> Result<PathBuf, GitError> {
        let worktrees = self.repository.common_dir().join("worktrees");
        let mut free = None;
        for number in 1..=ADMINS_MAX {
            let admin = match number {
                1 => worktrees.join(format!("{PREFIX}{name}")),
                number => worktrees.join(format!("{PREFIX}{name}-{number}")),
            };
            match slot_of(&admin) {
                Some(of) if of == path => return Ok(admin),
                // It belongs to a slot elsewhere, which may still be used.
                Some(of) if of.exists() => {}
                Some(_) | None => free = free.or(Some(admin)),
            }
        }
        free.ok_or_else(|| SlotError::Occupied(worktrees.join(format!("{PREFIX}{name}"))).into())
    }
}

/// Says that a slot is whole. A lock that a person set with `git worktree lock` stays.
/// Makes the administrative directory and locks it. Before it is locked, `git worktree prune` takes it for a forgotten one.
fn lock(admin: &Path) -> Result<(), GitError> {
    let locked = admin.join("locked");
    let mut tries = 1;
    loop {
        fs::create_dir_all(admin).at("make the directory", admin)?;
        match super::index::replace(&locked, b"initializing\n") {
            Err(error) if is_absent(&error) && tries < LOCK_TRIES_MAX => tries += 1,
            written => return written.at("write", locked),
        }
    }
}

fn unlock(locked: &Path) -> Result<(), GitError> {
    match fs::read(locked) {
        Ok(why) if why.starts_with(INITIALIZING) => fs::remove_file(locked).at("remove", locked),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What is where a slot is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InPlace {
    /// Nothing, or no directory.
    NoDirectory,
    /// A directory, which may be that of a slot whose administrative files are lost.
    Directory,
    /// A slot whose making was interrupted.
    HalfMade,
}

/// The worktree that an administrative directory is for.
fn slot_of(admin: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(admin.join("gitdir")).ok()?;
    Path::new(text.trim_end_matches('\n')).parent().map(Path::to_owned)
}

fn check_name(name: &str) -> Result<(), GitError> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > NAME_MAX || name.starts_with('-') || !name.chars().all(letters) {
        return Err(SlotError::BadName(name.to_owned()).into());
    }
    Ok(())
}
