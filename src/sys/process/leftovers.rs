//! Ends what an orchestrator that crashed has left running.
//! Knows it only from its records and from the marker in its environment, and touches nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Signal, kill_process, kill_process_group};

use super::{
    orphans::{every_process, marker_of, to_pid},
    program::Label,
    record::Record,
    running,
};
use crate::sys::machine::{self, Stat};

/// How often is looked whether they have ended.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// A process that an earlier orchestrator had left running, and that was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its number.
    pub pid: u32,
    /// The program of the child it was or descended from, if there is a record of that.
    pub program: Option<String>,
    /// What that child was for, likewise.
    pub label: Option<Label>,
}

/// A process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    pid: u32,
    start: u64,
    /// Its group is its own, so all of it goes.
    leads_group: bool,
}

pub(super) fn end(
    children_dir: &Path,
    marker: &str,
    grace: Duration,
    kill_wait: Duration,
) -> io::Result<Vec<Leftover>> {
    let records = Record::read_all(children_dir)?;
    let known: Vec<&Record> = records.iter().filter_map(|(_, record)| record.as_ref()).filter(|r| !is_own(r)).collect();
    let family = ancestors_and_self();
    let mut ended: BTreeMap<Target, Leftover> = BTreeMap::new();
    let kill_from = Instant::now() + grace;
    let give_up_from = kill_from + kill_wait;
    let is_clean = loop {
        let alive = find(&known, marker, &family);
        let now = Instant::now();
        if alive.is_empty() {
            break true;
        }
        if now >= give_up_from {
            break false;
        }
        for (target, leftover) in alive {
            if now >= kill_from {
                target.send(Signal::KILL);
            } else if !ended.contains_key(&target) {
                target.send(Signal::TERM);
            }
            ended.entry(target).or_insert(leftover);
        }
        std::thread::sleep(LOOK_PAUSE);
    };
    if is_clean {
        for (path, record) in &records {
            if !record.as_ref().is_some_and(is_own) {
                fs::remove_file(path).or_else(|error| match error.kind() {
                    io::ErrorKind::NotFound => Ok(()),
                    _ => Err(error),
                })?;
            }
        }
        Ok(ended.into_values().collect())
    } else {
        let pids: Vec<String> = find(&known, marker, &family).into_keys().map(|t| t.pid.to_string()).collect();
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("cannot end process {}", pids.join(", "))))
    }
}

/// Whether a record is of a child that this process runs now.
fn is_own(record: &Record) -> bool {
    running::children().iter().any(|known| known.pid == record.pid && known.start == record.start_time)
}

/// What lives now of what the records name or the marker marks.
fn find(records: &[&Record], marker: &str, family: &BTreeSet<u32>) -> BTreeMap<Target, Leftover> {
    let leftover = |pid, record: Option<&Record>| Leftover {
        pid,
        program: record.map(|record| record.program.clone()),
        label: record.map(|record| record.label.clone()),
    };
    let mut found = BTreeMap::new();
    for record in records.iter().filter(|record| record.is_alive() && !family.contains(&record.pid)) {
        let target = Target { pid: record.pid, start: record.start_time, leads_group: record.pid == record.pgid };
        found.insert(target, leftover(record.pid, Some(record)));
    }
    let own: Vec<Vec<u8>> = running::children().iter().map(|known| known.marker.clone().into_bytes()).collect();
    for pid in every_process().filter(|pid| !family.contains(pid)) {
        let Some(found_marker) = marker_of(pid) else { continue };
        let is_marked = found_marker.strip_prefix(marker.as_bytes()).is_some_and(|rest| rest.starts_with(b":"));
        let Some(stat) = Stat::of(pid).filter(|stat| is_marked && !stat.is_dead && !own.contains(&found_marker)) else {
            continue;
        };
        let target = Target { pid, start: stat.start, leads_group: stat.group == pid };
        let record = records.iter().find(|record| record.marker.as_bytes() == found_marker);
        found.entry(target).or_insert_with(|| leftover(pid, record.copied()));
    }
    found
}

impl Target {
    /// Sends a signal, if the process is still the one that was meant.
    fn send(self, signal: Signal) {
        let Some(pid) = to_pid(self.pid) else { return };
        // A failure means that it has just ended, or is not ours to end; the next look tells.
        #[cfg(target_os = "linux")]
        if let Ok(handle) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            if machine::is_alive(self.pid, self.start) {
                // The number cannot be given to another while it is alive, so the group is meant as well.
                if self.leads_group {
                    let _ = kill_process_group(pid, signal);
                }
                let _ = rustix::process::pidfd_send_signal(&handle, signal);
            }
            return;
        }
        if machine::is_alive(self.pid, self.start) {
            let _ = if self.leads_group { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
        }
    }
}

/// This process and those it descends from: an orchestrator may itself run inside a marked child.
fn ancestors_and_self() -> BTreeSet<u32> {
    let mut family = BTreeSet::new();
    let mut pid = std::process::id();
    while pid > 0 && family.insert(pid) {
        pid = Stat::of(pid).map_or(0, |stat| stat.parent);
    }
    family
}
