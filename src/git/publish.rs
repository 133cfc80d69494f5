//! Publishing: new objects onto the disk, then refs onto the new objects; many publishers share one trip to the disk.
//! Knows nothing of what the commits say.

use std::{
    collections::{BTreeSet, HashSet},
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use super::{
    draft::Objects,
    error::GitError,
    pack::{self, Sync},
    reference::{self, Reflog},
    repository::{Repository, unpoisoned},
};
use crate::{config::settings::Durability, model::object::CommitId};

/// Times that something is tried whose objects were swept away before a ref needed them.
const SWEPT_TRIES_MAX: u32 = 8;
/// Packs of one size that are put together.
const PACKS_JOINED: usize = 8;
/// Bytes from which on a pack is left as it is.
const JOINED_BYTES_MAX: u64 = 16 << 20;

/// A ref to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMove {
    /// Its full name.
    pub name: String,
    /// Where it must be now; none: it must not exist.
    pub from: Option<CommitId>,
    /// Where it goes.
    pub to: CommitId,
    /// Why, for the reflog.
    pub reason: String,
}

/// Why a publish did not happen. No ref was moved, unless the disk failed while they were.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// A ref is not where it was expected.
    #[error("'{name}' moved: it is at {}, not at {}", told(found), told(expected))]
    Moved {
        /// The ref.
        name: String,
        /// Where it was expected.
        expected: Option<CommitId>,
        /// Where it is.
        found: Option<CommitId>,
    },
    /// Another program holds the lock of a ref, for longer than we wait.
    #[error("'{name}' is locked by another program: '{}'", .lock.display())]
    Locked {
        /// The ref.
        name: String,
        /// The lock file.
        lock: PathBuf,
    },
    /// A ref of this name cannot exist beside another.
    #[error("'{name}' cannot exist beside '{by}'")]
    Taken {
        /// The ref.
        name: String,
        /// The other.
        by: String,
    },
    /// The disk or the repository failed.
    #[error(transparent)]
    Failed(Arc<GitError>),
}

fn told(id: &Option<CommitId>) -> String {
    id.map_or_else(|| "nothing".to_owned(), |id| id.short())
}

impl PublishError {
    pub(super) fn other(error: GitError) -> Self {
        match error {
            GitError::Publish(error) => error,
            error => Self::Failed(Arc::new(error)),
        }
    }

    /// One command to type, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Locked { lock, .. } => Some(format!("if no git is running: rm '{}'", lock.display())),
            Self::Failed(error) => error.hint(),
            Self::Moved { .. } | Self::Taken { .. } => None,
        }
    }
}

/// Gathers the publishes of all threads: one of them, the leader, writes for all that wait.
pub(super) struct Publisher {
    objects_dir: PathBuf,
    queue: Mutex<Queue>,
    done: Condvar,
    packs: Mutex<Packs>,
}

/// Packs that we wrote. A lookup that fails looks at every pack there is.
#[derive(Default)]
struct Packs {
    /// By how often their objects were put together.
    levels: Vec<Vec<pack::Written>>,
    /// Those that were put together the last time. They stay until the next time: who reads the directory just now may
    /// see neither what went nor what came.
    joined: Vec<pack::Written>,
}

impl Packs {
    fn remove_joined(&mut self) {
        for written in self.joined.drain(..) {
            if let Err(error) = written.remove()
                && error.kind() != io::ErrorKind::NotFound
            {
                // One too many is slow, not wrong.
                tracing::warn!(%error, "a pack could not be removed");
            }
        }
    }
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Arc<Request>>,
    led: bool,
}

struct Request {
    objects: Objects,
    moves: Vec<RefMove>,
    sync: Sync,
    outcome: Mutex<Option<Result<(), PublishError>>>,
}

impl Request {
    fn finish(&self, outcome: Result<(), PublishError>) {
        *unpoisoned(&self.outcome) = Some(outcome);
    }

    fn is_open(&self) -> bool {
        unpoisoned(&self.outcome).is_none()
    }
}

impl Publisher {
    pub(super) fn new(objects_dir: PathBuf) -> Self {
        Self { objects_dir, queue: Mutex::default(), done: Condvar::new(), packs: Mutex::default() }
    }
}

/// The turn of a leader. Ends also when the leader panics, so that nobody waits for ever.
struct Turn<'a> {
    publisher: &'a Publisher,
    batch: Vec<Arc<Request>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        for request in self.batch.iter().filter(|request| request.is_open()) {
            let because = "BUG: the publishing thread ended early".to_owned();
            request.finish(Err(PublishError::other(GitError::Failed { doing: "publish".to_owned(), because })));
        }
        unpoisoned(&self.publisher.queue).led = false;
        self.publisher.done.notify_all();
    }
}

impl Repository {
    /// Puts objects on the disk and then moves refs: all of them or, if one is not where it was expected, none. With
    /// [`Durability::Full`] it is there after power loss once this returns.
    ///
    /// # Errors
    /// [`PublishError::Moved`] if a ref is elsewhere; the others if it could not be tried.
    pub fn publish(&self, objects: Objects, moves: Vec<RefMove>, durability: Durability) -> Result<(), PublishError> {
        let sync = match durability {
            Durability::Full => Sync::Disk,
            Durability::Os => Sync::System,
        };
        let request = Arc::new(Request { objects, moves, sync, outcome: Mutex::default() });
        let publisher = self.publisher();
        let mut queue = unpoisoned(&publisher.queue);
        queue.waiting.push(Arc::clone(&request));
        loop {
            if let Some(outcome) = unpoisoned(&request.outcome).take() {
                return outcome;
            }
            if queue.led {
                queue = publisher.done.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.led = true;
            let turn = Turn { publisher, batch: std::mem::take(&mut queue.waiting) };
            drop(queue);
            self.write_batch(&turn.batch);
            drop(turn);
            queue = unpoisoned(&publisher.queue);
        }
    }

    /// Does something with objects that no ref needs yet: where somebody tidies the repository up meanwhile, they are gone, are
    /// made again, and it is done again. `git` is what of an error the repository said.
    ///
    /// # Errors
    /// Those of `work`, and when the objects cannot be put there.
    pub fn unswept<T, E: From<GitError>>(
        &self,
        objects: impl Fn() -> Result<Objects, GitError>,
        git: fn(&E) -> Option<&GitError>,
        mut work: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut done = work();
        for _ in 1..SWEPT_TRIES_MAX {
            if !matches!(done.as_ref().map_err(git), Err(Some(GitError::NoObject { .. }))) {
                break;
            }
            tracing::info!("objects that no ref needs yet were swept away, and are put there again");
            // Whether they are there is not asked: what was looked at may be a pack that is gone.
            self.publish(objects()?, Vec::new(), Durability::Os).map_err(GitError::from)?;
            done = work();
        }
        done
    }

    /// Deletes a ref if it is where it is expected.
    ///
    /// # Errors
    /// [`PublishError::Moved`] if it is elsewhere.
    pub fn delete_reference(&self, name: &str, from: CommitId) -> Result<(), PublishError> {
        reference::delete(&self.local(), name, from)
    }

    fn write_batch(&self, batch: &[Arc<Request>]) {
        if let Err(error) = self.write_objects(batch) {
            let error = PublishError::other(GitError::Io {
                doing: "write objects to",
                path: self.publisher().objects_dir.clone(),
                source: error,
            });
            batch.iter().for_each(|request| request.finish(Err(error.clone())));
            return;
        }
        crate::sys::crash_point::reach("objects.published");
        let log = Reflog::of(&self.local(), self.common_dir());
        let mut rest: Vec<&Arc<Request>> = batch.iter().collect();
        while !rest.is_empty() {
            rest = self.write_refs(rest, &log);
        }
    }

    fn write_objects(&self, batch: &[Arc<Request>]) -> io::Result<()> {
        let mut seen = HashSet::new();
        let objects: Vec<_> =
            batch.iter().flat_map(|request| request.objects.all.iter()).filter(|(id, ..)| seen.insert(*id)).collect();
        if objects.is_empty() {
            return Ok(());
        }
        let sync = together(batch.iter().map(|request| request.sync));
        let (dir, hash) = (&self.publisher().objects_dir, self.local().object_hash());
        if let Some(written) = pack::write(dir, &objects, hash, sync)? {
            self.wrote_pack();
            self.keep_few(written, hash);
        }
        Ok(())
    }

    /// Removes what was put together with other packs. Nobody else may be reading in this process.
    pub(super) fn remove_joined_packs(&self) {
        unpoisoned(&self.publisher().packs).remove_joined();
    }

    /// Puts packs of one size together as soon as there are [`PACKS_JOINED`], so that there are never many.
    fn keep_few(&self, written: pack::Written, hash: gix::hash::Kind) {
        let publisher = self.publisher();
        let mut packs = unpoisoned(&publisher.packs);
        let mut next = Some(written);
        let mut level = 0;
        while let Some(written) = next.take().filter(|written| written.bytes() < JOINED_BYTES_MAX) {
            if packs.levels.len() == level {
                packs.levels.push(Vec::new());
            }
            packs.levels[level].push(written);
            if packs.levels[level].len() < PACKS_JOINED {
                break;
            }
            if level == 0 {
                packs.remove_joined();
            }
            let full = std::mem::take(&mut packs.levels[level]);
            match pack::join(&publisher.objects_dir, &full, hash) {
                Ok(Some(joined)) => {
                    self.wrote_pack();
                    next = Some(joined);
                    packs.joined.extend(full);
                }
                // It was there before: it may be one of them.
                Ok(None) => {}
                // They stay as they are: many packs are slow, not wrong.
                Err(error) => tracing::warn!(%error, "packs could not be put together"),
            }
            level += 1;
        }
    }

    /// Moves the refs of all requests that want different ones, and returns the others.
    fn write_refs<'a>(&self, batch: Vec<&'a Arc<Request>>, log: &Reflog) -> Vec<&'a Arc<Request>> {
        let mut names = HashSet::new();
        let (now, later): (Vec<_>, Vec<_>) = batch.into_iter().partition(|request| {
            let free = request.moves.iter().all(|wanted| !names.contains(wanted.name.as_str()));
            names.extend(request.moves.iter().map(|wanted| wanted.name.as_str()));
            free
        });
        let local = self.local();
        let mut prepared = Vec::with_capacity(now.len());
        for request in now {
            match reference::prepare(&local, self.common_dir(), &request.moves, request.sync) {
                Ok(moves) => prepared.push((request, moves)),
                Err(error) => request.finish(Err(error)),
            }
        }
        crate::sys::crash_point::reach("refs.locked");
        let mut changed = BTreeSet::new();
        let mut moved = Vec::with_capacity(prepared.len());
        for (request, moves) in prepared {
            match moves.commit(self.common_dir(), log, &mut changed) {
                Ok(()) => moved.push(request),
                Err(error) => request.finish(Err(error)),
            }
        }
        let synced = match together(moved.iter().map(|request| request.sync)) {
            Sync::Disk => changed.iter().try_for_each(|dir| sync_dir(dir)),
            Sync::System => Ok(()),
        };
        crate::sys::crash_point::reach("refs.synced");
        for request in moved {
            request.finish(synced.clone());
        }
        later
    }
}

/// What one trip to the disk for all of them must do.
fn together(mut all: impl Iterator<Item = Sync>) -> Sync {
    if all.any(|sync| sync == Sync::Disk) { Sync::Disk } else { Sync::System }
}

fn sync_dir(dir: &Path) -> Result<(), PublishError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|source| PublishError::other(GitError::Io { doing: "sync", path: dir.to_owned(), source }))
}
