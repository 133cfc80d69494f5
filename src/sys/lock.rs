//! The lock that lets one process at a time work on something, and tells the others who holds it.
//! Does not know what it protects; whoever needs the right asks for a `Lease`.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read, Seek, Write},
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{clock, machine};

/// Times a lock that seems held is tried: somebody who only looks (`holder`) has it for some microseconds.
const TRIES_MAX: u32 = 6;
/// The same of one whose holder is dead: a child that it was just starting has the lock until it is another program.
const TRIES_AFTER_DEATH_MAX: u32 = 250;
/// The pause between two tries.
const TRY_PAUSE: Duration = Duration::from_millis(8);
/// Bytes of the file that are read.
const HOLDER_BYTES_MAX: u64 = 16 << 10;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// On this machine.
    pub host: String,
    /// Since this start of it; see [`machine::boot_id`].
    pub boot_id: String,
    /// See [`machine::process_start`].
    pub process_start: u64,
    /// When it took the lock, in RFC 3339.
    pub since: String,
    /// What for: the command in words, such as `start`.
    pub command: String,
}

impl Holder {
    /// Whether it has ended on this machine, however.
    fn is_dead(&self) -> bool {
        let is_here = self.host == machine::host_name() && self.boot_id == machine::boot_id();
        is_here && !machine::is_alive(self.pid, self.process_start)
    }
}

/// The lock, held. Dropping it, and the end of the process in any way, gives the lock back.
#[derive(Debug)]
pub struct Lease {
    file: File,
}

/// Why a lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("{}", match holder {
        Some(holder) => format!("'{}' holds it: pid {} on '{}', since {}", holder.command, holder.pid, holder.host, holder.since),
        None => "another process holds it".to_owned(),
    })]
    Held {
        /// Who, if it has said so.
        holder: Option<Holder>,
    },
    /// The file cannot be opened or locked.
    #[error("cannot lock '{path}': {source}")]
    Io {
        /// The lock file.
        path: String,
        /// Why not.
        source: io::Error,
    },
}

impl LockError {
    /// What to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Held { .. } => Some("git orchestrate status".to_owned()),
            Self::Io { .. } => None,
        }
    }
}

/// Takes the lock at `path`, whose directory must exist, without waiting for who holds it and lives. `command` is what others are
/// told.
///
/// The file stays when the lock is given back: were it removed, two processes could hold locks on two files of one name.
pub fn acquire(path: &Path, command: &str) -> Result<Lease, LockError> {
    let failed = |source| LockError::Io { path: path.display().to_string(), source };
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
    let mut tries = 1;
    while let Err(error) = fs2::FileExt::try_lock_exclusive(&file) {
        if !is_held(&error) {
            return Err(failed(error));
        }
        let holder = read_holder(&file).ok();
        let tries_max = if holder.as_ref().is_some_and(Holder::is_dead) { TRIES_AFTER_DEATH_MAX } else { TRIES_MAX };
        if tries >= tries_max {
            return Err(LockError::Held { holder });
        }
        tries += 1;
        std::thread::sleep(TRY_PAUSE);
    }
    let mut lease = Lease { file };
    lease.write_holder(command).map_err(failed)?;
    Ok(lease)
}

/// Who holds the lock at `path` now; `None` if nobody does.
pub fn holder(path: &Path) -> io::Result<Option<Holder>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut tries = 1;
    loop {
        match fs2::FileExt::try_lock_shared(&file) {
            Ok(()) => return fs2::FileExt::unlock(&file).map(|()| None),
            Err(error) if !is_held(&error) => return Err(error),
            Err(_) => {}
        }
        match read_holder(&file) {
            Ok(holder) => return Ok(Some(holder)),
            // It was taken this moment and its name is not written yet.
            Err(_) if tries < TRIES_MAX => tries += 1,
            Err(error) => return Err(error),
        }
        std::thread::sleep(TRY_PAUSE);
    }
}

fn is_held(error: &io::Error) -> bool {
    error.raw_os_error() == fs2::lock_contended_error().raw_os_error()
}

fn read_holder(mut file: &File) -> io::Result<Holder> {
    let mut text = Vec::new();
    file.rewind()?;
    file.take(HOLDER_BYTES_MAX).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(io::Error::from)
}

impl Lease {
    /// Whether the lock at `path` is still this one: not if its file, or a directory above it, was removed or put elsewhere.
    pub fn is_at(&self, path: &Path) -> bool {
        let same = |one: Metadata, other: Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
        self.file.metadata().is_ok_and(|own| path.metadata().is_ok_and(|there| same(own, there)))
    }

    fn write_holder(&mut self, command: &str) -> io::Result<()> {
        let pid = std::process::id();
        let holder = Holder {
            pid,
            host: machine::host_name(),
            boot_id: machine::boot_id().to_owned(),
            process_start: machine::process_start(pid).unwrap_or_default(),
            since: clock::now_rfc3339(),
            command: command.to_owned(),
        };
        let mut text = serde_json::to_vec_pretty(&holder)?;
        text.push(b'\n');
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&text)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The name goes before the lock does. If this fails nothing is lost: the lock goes with the file in any case.
        let _ = self.file.set_len(0);
        let _ = fs2::FileExt::unlock(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_others_are_told_who() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("lock");
        assert_eq!(holder(&path).expect("no file"), None);
        let lease = acquire(&path, "start").expect("free");
        let told = holder(&path).expect("readable").expect("held");
        assert_eq!((told.pid, told.command.as_str()), (std::process::id(), "start"));
        assert!(machine::is_alive(told.pid, told.process_start));
        match acquire(&path, "resume") {
            Err(error @ LockError::Held { .. }) => {
                assert!(error.to_string().starts_with("'start' holds it: pid "), "{error}");
                assert!(error.hint().is_some());
            }
            other => panic!("held, but {other:?}"),
        }
        drop(lease);
        assert_eq!(holder(&path).expect("readable"), None);
        assert!(path.exists(), "the file stays");
        drop(acquire(&path, "resume").expect("free again"));
        assert!(matches!(acquire(&home.path().join("no/lock"), "start"), Err(LockError::Io { .. })));
    }

    #[test]
    fn a_child_that_a_dead_holder_was_starting_is_waited_for() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("lock");
        let mut lease = acquire(&path, "start").expect("free");
        let mut dead = std::process::Command::new("true").spawn().expect("it starts");
        dead.wait().expect("it ends");
        let told = holder(&path).expect("readable").expect("held");
        let text = serde_json::to_vec(&Holder { pid: dead.id(), process_start: 1, ..told }).expect("plain data");
        lease.file.set_len(0).and_then(|()| lease.file.rewind()).expect("emptied");
        lease.file.write_all(&text).expect("written");
        let child = std::thread::spawn(move || {
            // Longer than somebody who only looks is waited for.
            std::thread::sleep(TRY_PAUSE * (TRIES_MAX * 2));
            drop(lease);
        });
        drop(acquire(&path, "resume").expect("free in the end"));
        child.join().expect("it ended");
    }
}
