//! Finds and ends what an ended child has left running, inside its process group or out of it.
//! Knows one child at a time; what an earlier orchestrator left is not its affair.

use std::{collections::BTreeSet, fs};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpid};

use super::running::{self, Known, MARKER};
use crate::sys::machine::Stat;

/// What one child, which has ended and is not yet reaped, left running.
///
/// On Linux orphans are given to us (we are the subreaper of what we start), so they stand in the list of the main
/// thread's children: reading it is so cheap that it is done after every child. An orphan is taken for this child's
/// if it is in its group or has its marker. One that has no marker of a running child, because its environment was
/// cleared or an orchestrator inside the child has set another, is taken for ours if no other child that still runs was
/// there when it began; otherwise the last of those children ends it.
#[derive(Debug)]
pub(super) struct Orphans {
    leader: Known,
    /// Those that were asked to end.
    asked: BTreeSet<u32>,
    /// The child's group was asked to end.
    is_group_asked: bool,
}

/// Whether the child's group was already asked to end while the child lived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Asked,
    NotAsked,
}

impl Orphans {
    pub fn of(leader: &Known, group: Group) -> Self {
        Self { leader: leader.clone(), asked: BTreeSet::new(), is_group_asked: group == Group::Asked }
    }

    /// How many were asked to end so far.
    pub fn asked(&self) -> u32 {
        u32::try_from(self.asked.len()).unwrap_or(u32::MAX)
    }

    /// How many live now. Those that have ended are reaped; the others get the signal, TERM only once each.
    pub fn look(&mut self, signal: Option<Signal>) -> usize {
        if !cfg!(target_os = "linux") {
            return self.look_at_group(signal);
        }
        if adopted().is_empty() {
            return 0;
        }
        let _shut = running::shut_door();
        let children = running::children().clone();
        let our_group = rustix::process::getpgrp().as_raw_pid().unsigned_abs();
        let mut alive = 0;
        for pid in adopted() {
            if children.iter().any(|known| known.pid == pid) {
                continue;
            }
            // Children that others of this program started (gix starts filters) stay in our own group.
            let Some(stat) = Stat::of(pid).filter(|stat| stat.group != our_group) else { continue };
            let Some(pid) = to_pid(pid) else { continue };
            if stat.is_dead {
                // Whoever's it was: nobody else is going to reap it.
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            } else if self.is_ours(pid, stat, &children) {
                alive += 1;
                self.send(pid, stat.group, signal);
            }
        }
        alive
    }

    fn is_ours(&self, pid: Pid, stat: Stat, children: &[Known]) -> bool {
        if stat.group == self.leader.pid {
            return true;
        }
        let marker = marker_of(pid.as_raw_pid().unsigned_abs());
        let mut others = children.iter().filter(|known| known.pid != self.leader.pid);
        match marker {
            Some(marker) if marker == self.leader.marker.as_bytes() => true,
            Some(marker) if others.clone().any(|other| marker == other.marker.as_bytes()) => false,
            _ => self.leader.start <= stat.start && others.all(|other| other.is_ending || other.start > stat.start),
        }
    }

    fn send(&mut self, pid: Pid, group: u32, signal: Option<Signal>) {
        let Some(signal) = signal else { return };
        let number = pid.as_raw_pid().unsigned_abs();
        let is_repeated = !self.asked.insert(number);
        let is_in_group = group == self.leader.pid;
        if signal != Signal::KILL && (is_repeated || (is_in_group && self.is_group_asked)) {
            return;
        }
        self.is_group_asked |= is_in_group;
        // A whole group where it is the orphan's own or our child's, so that what it started does not come to us one by
        // one. A failure means that it has just ended.
        match to_pid(group).filter(|_| is_in_group || group == number) {
            Some(group) => drop(kill_process_group(group, signal)),
            None => drop(kill_process(pid, signal)),
        }
    }

    /// Where orphans are not given to us only the group can be asked.
    fn look_at_group(&mut self, signal: Option<Signal>) -> usize {
        let Some(group) = to_pid(self.leader.pid) else { return 0 };
        let others = rustix::process::test_kill_process_group(group).is_ok();
        if others {
            self.send(group, self.leader.pid, signal);
        }
        usize::from(others)
    }
}

/// The processes that were given to us, and what the main thread started.
fn adopted() -> Vec<u32> {
    let main = std::process::id();
    match fs::read_to_string(format!("/proc/self/task/{main}/children")) {
        Ok(list) => list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect(),
        // A kernel without that list: look at every process.
        Err(_) => every_process().filter(|pid| Stat::of(*pid).is_some_and(|stat| stat.parent == main)).collect(),
    }
}

/// The numbers of all processes that we can see.
pub(super) fn every_process() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The marker in a process's environment.
pub(super) fn marker_of(pid: u32) -> Option<Vec<u8>> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    variables.find_map(|variable| variable.strip_prefix(MARKER.as_bytes())?.strip_prefix(b"=")).map(<[u8]>::to_vec)
}

pub(super) fn to_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}
