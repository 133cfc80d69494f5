//! What is written down of a running child, so that a later orchestrator can end it.
//! Knows nothing of how it is ended.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::program::Label;
use crate::sys::{file, machine};

/// Bytes of a record that are read.
const RECORD_BYTES_MAX: usize = 64 << 10;
/// Files that lie ready at most.
const SPARES_MAX: u32 = 8;

/// One running child: `<pid>.json`. It is not synced: after a power loss the child is gone as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub pid: u32,
    pub pgid: u32,
    /// With the pid and the boot it names one process for good; 0 if the system does not tell.
    pub start_time: u64,
    pub boot_id: String,
    /// The marker in its environment, which what it starts inherits.
    pub marker: String,
    pub label: Label,
    pub program: String,
    /// RFC 3339.
    pub started: String,
}

impl Record {
    pub fn path(children_dir: &Path, pid: u32) -> PathBuf {
        children_dir.join(format!("{pid}.json"))
    }

    /// Writes it, into the file of a child that has ended if one lies ready: a new file costs many times as much on some
    /// file systems.
    pub fn write(&self, children_dir: &Path) -> io::Result<()> {
        let path = Self::path(children_dir, self.pid);
        // That none lies ready is no error: then the file is made.
        let _ = fs::rename(Self::spare(children_dir, self.pid), &path);
        fs::write(path, serde_json::to_vec(self)?)
    }

    /// Takes the record of a child that has ended away; its file lies ready for another.
    pub fn remove(children_dir: &Path, pid: u32) -> io::Result<()> {
        fs::rename(Self::path(children_dir, pid), Self::spare(children_dir, pid))
    }

    /// Removes the files that lie ready.
    pub fn remove_spares(children_dir: &Path) {
        for number in 0..SPARES_MAX {
            // Most were never made.
            let _ = fs::remove_file(Self::spare(children_dir, number));
        }
    }

    fn spare(children_dir: &Path, pid: u32) -> PathBuf {
        children_dir.join(format!("spare-{}", pid % SPARES_MAX))
    }

    /// All records of a directory with their paths. One that cannot be read (cut short by a crash) is `None`.
    pub fn read_all(children_dir: &Path) -> io::Result<Vec<(PathBuf, Option<Self>)>> {
        let mut records = Vec::new();
        for entry in fs::read_dir(children_dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let bytes = file::read_limited(&path, RECORD_BYTES_MAX);
                records.push((path, bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())));
            }
        }
        Ok(records)
    }

    /// Whether exactly this process runs now, and not another that got its number.
    pub fn is_alive(&self) -> bool {
        self.boot_id == machine::boot_id() && machine::is_alive(self.pid, self.start_time)
    }
}
