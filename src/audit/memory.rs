//! What was judged before and found right, so that it need not be judged again.
//! Holds nothing that an agent could have put there: the list is sealed with a key that no repository holds.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};

use super::protected::Protected;
use crate::{
    model::object::{CommitId, Digest},
    sys::{
        environment,
        file::{self, Sync},
    },
};

/// Raised when the same commits may be judged otherwise.
const SCHEMA: u32 = 1;
/// Commits that are remembered; a list that would grow beyond is begun anew.
const REMEMBERED_MAX: usize = 200_000;
/// Bytes of the file: each commit is a line.
const FILE_BYTES_MAX: usize = REMEMBERED_MAX * 66;
/// Bytes of the machine's key that are read.
const KEY_BYTES_MAX: usize = 1 << 16;
/// Hex digits of the digest in the file's name.
const NAME_LENGTH: usize = 16;

/// Commits that were found right, by the keys and the policy that were asked for.
pub struct Memory {
    place: Option<Place>,
    known: BTreeSet<CommitId>,
    fresh: Mutex<BTreeSet<CommitId>>,
}

struct Place {
    path: PathBuf,
    /// What a seal is made with: the machine's key, and all that a judgement depends on.
    secret: [u8; 32],
}

impl Memory {
    /// That forgets.
    pub fn none() -> Self {
        Self { place: None, known: BTreeSet::new(), fresh: Mutex::default() }
    }

    /// What is remembered in a directory, for these keys and this policy. Without a key on this machine: nothing.
    pub fn load(dir: &Path, keys: &Digest, protected: &Protected) -> Self {
        let key = environment::data_dir().map(|dir| dir.join("id_ed25519"));
        let Some(Ok(key)) = key.map(|key| file::read_limited(&key, KEY_BYTES_MAX)) else { return Self::none() };
        let judged_by = Digest::of(format!("{SCHEMA} {} {keys} {}", env!("CARGO_PKG_VERSION"), protected.text()));
        let mut hash = Sha256::new();
        hash.update(b"git-orchestrate audit memory\0");
        hash.update(&key);
        hash.update(judged_by.0.as_bytes());
        let secret: [u8; 32] = hash.finalize().into();
        let name = judged_by.0.trim_start_matches("sha256:");
        let path = dir.join(format!("audit-{}", &name[..NAME_LENGTH]));
        let known = read(&path, &secret).unwrap_or_default();
        Self { place: Some(Place { path, secret }), known, fresh: Mutex::default() }
    }

    /// Whether a commit, and with a step all steps before it, was found right.
    pub fn has(&self, commit: CommitId) -> bool {
        self.known.contains(&commit)
    }

    /// Remembers it.
    pub fn add(&self, commit: CommitId) {
        if self.place.is_some() {
            self.fresh.lock().unwrap_or_else(PoisonError::into_inner).insert(commit);
        }
    }

    /// Writes it down. That it could not be written costs time the next time, nothing else.
    pub fn save(&self) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = self.place.as_ref().filter(|_| !fresh.is_empty()) else { return };
        if self.known.len() + fresh.len() <= REMEMBERED_MAX {
            fresh.extend(self.known.iter().copied());
        }
        let list: String = fresh.iter().map(|commit| format!("{commit}\n")).collect();
        let text = format!("{}\n{list}", seal(&place.secret, list.as_bytes()));
        let written = place.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = written.and_then(|()| file::write_atomic(&place.path, text.as_bytes(), Sync::No));
        if let Err(error) = written {
            tracing::debug!(%error, "what was found right was not remembered");
        }
    }
}

fn read(path: &Path, secret: &[u8; 32]) -> Option<BTreeSet<CommitId>> {
    let text = String::from_utf8(file::read_limited(path, FILE_BYTES_MAX).ok()?).ok()?;
    let (given, list) = text.split_once('\n')?;
    if given != seal(secret, list.as_bytes()) {
        return None;
    }
    list.lines().map(|line| line.parse().ok()).collect()
}

/// HMAC-SHA-256 (RFC 2104) as hex; the secret is shorter than a block.
fn seal(secret: &[u8; 32], list: &[u8]) -> String {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(secret).for_each(|(to, from)| *to ^= from);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(list).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sealed_list_is_believed() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("audit-x");
        let commit: CommitId = "1".repeat(40).parse().expect("a name");
        let memory = Memory {
            place: Some(Place { path: path.clone(), secret: [7; 32] }),
            known: BTreeSet::new(),
            fresh: Mutex::default(),
        };
        memory.add(commit);
        memory.save();
        assert_eq!(read(&path, &[7; 32]), Some(BTreeSet::from([commit])));
        assert_eq!(read(&path, &[8; 32]), None, "another key");
        let forged = std::fs::read_to_string(&path).expect("the file") + &format!("{}\n", "2".repeat(40));
        std::fs::write(&path, forged).expect("written");
        assert_eq!(read(&path, &[7; 32]), None, "somebody added a line");
    }

    /// RFC 4231, test case 2, has a key of 4 bytes; padded with zeros it is the same key.
    #[test]
    fn the_seal_is_hmac() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(seal(&key, b"what do ya want for nothing?"), expected);
    }
}
