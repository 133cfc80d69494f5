//! The object database as one process reads it, while packs come and go: what was published is found at once, by every thread.
//! Knows nothing of what the objects hold, nor of who writes them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use gix::{
    ObjectId,
    objs::{CommitRef, Kind},
    odb,
    prelude::Find,
};

use super::{
    error::{During, GitError},
    repository::unpoisoned,
};

/// Packs that a store can have seen; each publish makes one.
pub(super) const PACK_SLOTS: u16 = 4096;
/// Packs after which another store takes over. One that has used all its slots once gives them out again, and takes a pack for
/// another: gitoxide issue 2723, and a failed assertion. Far fewer, because it keeps those that are gone in memory.
const PACKS_SEEN_MAX: usize = 256;

type Store = Arc<odb::Store>;
type Handle = odb::store::Handle<Store>;

/// Where objects are read.
pub(super) struct Odb {
    current: Mutex<Current>,
    /// Packs that we wrote.
    packs: AtomicUsize,
}

struct Current {
    store: Store,
    /// As long as it is there, the store gives no slot of a pack that is gone to another.
    _keeper: Handle,
    /// Packs that we had written when it was opened.
    packs: usize,
}

impl Current {
    fn new(store: Store, packs: usize) -> Self {
        let mut keeper = store.to_handle();
        keeper.prevent_pack_unload();
        Self { store, _keeper: keeper, packs }
    }
}

impl Odb {
    pub(super) fn new(store: Store) -> Self {
        Self { current: Mutex::new(Current::new(store, 0)), packs: AtomicUsize::new(0) }
    }

    /// Packs that we wrote so far.
    pub(super) fn packs(&self) -> usize {
        self.packs.load(Ordering::Acquire)
    }

    /// Has a handle see what is there now. One that saw the store long ago may believe that nothing has changed since: the store
    /// tells its states apart by their addresses, which come back.
    pub(super) fn refresh(&self, handle: &mut gix::Repository) {
        let mut objects = unpoisoned(&self.current).store.to_handle();
        // What a name stands for is read, and not what somebody wants to be read instead.
        objects.ignore_replacements = true;
        **handle.objects = objects;
    }

    /// Says that a pack was written. After many, a store that has seen none of them takes over; returns whether it did.
    pub(super) fn wrote_one(&self) -> bool {
        let packs = self.packs.fetch_add(1, Ordering::AcqRel) + 1;
        let mut current = unpoisoned(&self.current);
        if packs - current.packs < PACKS_SEEN_MAX {
            return false;
        }
        let old = &current.store;
        let options = odb::store::init::Options {
            slots: odb::store::init::Slots::Given(PACK_SLOTS),
            ..odb::store::init::Options::default()
        };
        match odb::Store::at_opts(old.path().to_owned(), old.object_hash(), &mut std::iter::empty(), options) {
            Ok(store) => {
                *current = Current::new(Arc::new(store), packs);
                true
            }
            Err(error) => {
                // The directory is gone; who reads there will say so.
                tracing::debug!(%error, "the object database cannot be opened again");
                false
            }
        }
    }
}

/// Reads an object of this kind into `buffer`. Where it is not found it is looked for once more: a directory in which packs come and
/// go may show neither the old ones nor the one that holds their objects now.
pub(super) fn find(objects: &gix::Repository, id: ObjectId, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), GitError> {
    let mut is_in = |objects: &dyn Find| match objects.try_find(&id, buffer) {
        Ok(Some(found)) => found.kind == kind,
        Ok(None) | Err(_) => false,
    };
    if is_in(&objects.objects) || is_in(&Handle::clone(&objects.objects)) {
        return Ok(());
    }
    let kind = match kind {
        Kind::Commit => "commit",
        Kind::Tree => "tree",
        Kind::Blob => "blob",
        Kind::Tag => "tag",
    };
    Err(GitError::NoObject { kind, name: id.to_string() })
}

/// Reads a commit into `buffer`.
pub(super) fn read_commit<'a>(
    objects: &gix::Repository,
    id: ObjectId,
    buffer: &'a mut Vec<u8>,
) -> Result<CommitRef<'a>, GitError> {
    find(objects, id, Kind::Commit, buffer)?;
    CommitRef::from_bytes(buffer, objects.object_hash()).during(|| format!("read the commit '{id}'"))
}

/// Reads a blob.
pub(super) fn read_blob(objects: &gix::Repository, id: ObjectId) -> Result<Vec<u8>, GitError> {
    let mut buffer = Vec::new();
    find(objects, id, Kind::Blob, &mut buffer)?;
    Ok(buffer)
}
