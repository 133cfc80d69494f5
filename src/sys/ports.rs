//! Ports of this machine for what children listen on: a range for each worktree, leased by lock files that all runs of a user share.
//! Knows nothing of what listens. The system takes a lease back when its process ends, in whatever way it does.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::environment;

/// The first port that is ever leased.
pub const FIRST: u16 = 20_000;
/// The last: from 32768 on Linux takes ports for connections by itself (`net.ipv4.ip_local_port_range`).
pub const LAST: u16 = 32_767;
/// Ports that one lock file stands for.
const BLOCK: u16 = 10;
/// The first port of the range.
const PORT_VARIABLE: &str = "GIT_ORCHESTRATE_PORT";
/// How many ports there are from it on.
const PORTS_VARIABLE: &str = "GIT_ORCHESTRATE_PORTS";

/// The ports of the worktrees below a directory, each leased when its first child starts and kept until this is dropped.
#[derive(Debug)]
pub struct Ports {
    locks: PathBuf,
    worktrees: PathBuf,
    count: u16,
    leases: Mutex<BTreeMap<PathBuf, Lease>>,
}

/// A range that is ours as long as this is there.
#[derive(Debug)]
struct Lease {
    first: u16,
    _blocks: Vec<File>,
}

impl Ports {
    /// So many ports for each worktree below a directory; `locks` is the directory of the lock files, the same for all runs.
    pub fn new(locks: PathBuf, worktrees: PathBuf, count: u16) -> Self {
        Self { locks, worktrees, count, leases: Mutex::default() }
    }

    /// What a child that starts in this directory finds in its environment: nothing outside of the worktrees, and where no range
    /// is free.
    pub(super) fn variables(&self, directory: &Path) -> Vec<(&'static str, String)> {
        let Some(worktree) = self.worktree(directory).filter(|_| self.count > 0) else { return Vec::new() };
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let first = match leases.get(&worktree) {
            Some(lease) => lease.first,
            None => match lease(&self.locks, self.count) {
                Ok(Some(lease)) => leases.entry(worktree).or_insert(lease).first,
                Ok(None) => {
                    tracing::warn!(count = self.count, "no range of ports is free for a worktree");
                    return Vec::new();
                }
                Err(error) => {
                    tracing::warn!(%error, directory = %self.locks.display(), "ports cannot be leased");
                    return Vec::new();
                }
            },
        };
        vec![(PORT_VARIABLE, first.to_string()), (PORTS_VARIABLE, self.count.to_string())]
    }

    /// The worktree that has a directory.
    fn worktree(&self, directory: &Path) -> Option<PathBuf> {
        // One of both may be named by a way through links or `..`.
        let (all, directory) = (self.worktrees.canonicalize().ok()?, directory.canonicalize().ok()?);
        let first = directory.strip_prefix(&all).ok()?.components().next()?;
        Some(all.join(first))
    }
}

/// Where the lock files are: one place for all runs of this user; where there is none, that of the repository.
pub fn locks(local: &Path) -> PathBuf {
    environment::data_dir().unwrap_or_else(|| local.to_owned()).join("ports")
}

/// The first range of which nobody has a part and on which nobody listens.
fn lease(locks: &Path, count: u16) -> io::Result<Option<Lease>> {
    fs::create_dir_all(locks)?;
    let blocks = count.div_ceil(BLOCK);
    let mut held: Vec<File> = Vec::new();
    let mut first = FIRST;
    // A block that is not free begins the search anew behind it.
    for start in (FIRST..=LAST - BLOCK + 1).step_by(usize::from(BLOCK)) {
        match lock(&locks.join(start.to_string()))?.filter(|_| (start..start + BLOCK).all(is_free)) {
            Some(file) => held.push(file),
            None => {
                held.clear();
                first = start + BLOCK;
            }
        }
        if held.len() == usize::from(blocks) {
            return Ok(Some(Lease { first, _blocks: held }));
        }
    }
    Ok(None)
}

/// The lock on one block; none: somebody has it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    match fs2::FileExt::try_lock_exclusive(&file) {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.raw_os_error() == fs2::lock_contended_error().raw_os_error() => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a child in that worktree is given: the first port, or nothing.
    fn first(ports: &Ports, worktree: &str) -> Option<u16> {
        let variables = ports.variables(&ports.worktrees.join(worktree));
        let first = variables.iter().find(|(name, _)| *name == PORT_VARIABLE);
        first.map(|(_, value)| value.parse().expect("a number"))
    }

    /// For the worktrees `a` and `b`.
    fn ports(home: &Path, count: u16) -> Ports {
        let trees = home.join("trees");
        ["a/deep/below", "b"].iter().for_each(|tree| fs::create_dir_all(trees.join(tree)).expect("made"));
        Ports::new(home.join("locks"), home.join("trees/../trees"), count)
    }

    #[test]
    fn no_two_worktrees_of_any_run_have_a_port_in_common() {
        let home = tempfile::tempdir().expect("a directory");
        let (one, other) = (ports(home.path(), 10), ports(home.path(), 25));
        let mut all: Vec<(u16, u16)> = ["a", "b"].iter().map(|at| (first(&one, at).expect("a range"), 10)).collect();
        all.extend(["a", "b"].iter().map(|at| (first(&other, at).expect("a range"), 25)));
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{all:?}");
        assert_eq!(first(&one, "a/deep/below"), first(&one, "a"));
        assert_eq!(one.variables(home.path()), []);
        assert_eq!(first(&ports(home.path(), 0), "a"), None);
    }

    #[test]
    fn what_was_given_back_is_leased_again_and_what_is_listened_on_is_not() {
        let home = tempfile::tempdir().expect("a directory");
        let before = ports(home.path(), 10);
        let range = first(&before, "a").expect("a range");
        // So too where its process was killed: the system closes its files.
        drop(before);
        let again = ports(home.path(), 10);
        assert_eq!(first(&again, "a"), Some(range));
        drop(again);
        let listener = (range..range + 10).find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
        let taken = listener.expect("one of ten is free").local_addr().expect("an address").port();
        let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, taken)).expect("it was free");
        assert!(first(&ports(home.path(), 10), "a").expect("a range") > range);
    }
}
