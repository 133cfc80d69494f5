//! What a child and all it has started use of the machine, looked at now and then while they run.
//! Knows nothing of limits, nor of what the child is for.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::orphans::every_process;
use crate::sys::machine::Stat;

/// The pause before the first look; each is twice as long as the one before.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest: a look reads a file of every process there is.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What a child and its descendants used, as far as Linux's `/proc` tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The most memory that they had at one time, bytes; what several share counts for each, and what came and went between
    /// two looks is not seen.
    pub memory_bytes_max: u64,
    /// Processor time of all.
    pub cpu: Duration,
}

/// Looks at one child.
#[derive(Debug)]
pub(super) struct Meter {
    root: u32,
    next: Instant,
    pause: Duration,
    pages_max: u64,
    ticks: u64,
}

impl Meter {
    pub fn of(root: u32, now: Instant) -> Self {
        Self { root, next: now + PAUSE_MIN, pause: PAUSE_MIN, pages_max: 0, ticks: 0 }
    }

    /// When it looks next.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// Looks, if it is time to.
    pub fn look(&mut self, now: Instant) {
        if now < self.next {
            return;
        }
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        self.next = now + self.pause;
        let (pages, ticks) = sum(&family(self.root));
        self.pages_max = self.pages_max.max(pages);
        self.ticks = self.ticks.max(ticks);
    }

    /// What was used in all, once the child has ended and before it is reaped: until then its times are told, with those of
    /// the children that it waited for. None: the system tells nothing.
    pub fn finish(mut self) -> Option<Usage> {
        let stat = Stat::of(self.root)?;
        self.ticks = self.ticks.max(stat.cpu_ticks);
        let ticks_per_second = rustix::param::clock_ticks_per_second().max(1);
        Some(Usage {
            memory_bytes_max: self.pages_max * rustix::param::page_size() as u64,
            cpu: Duration::from_millis(self.ticks * 1000 / ticks_per_second),
        })
    }
}

fn sum(stats: &[Stat]) -> (u64, u64) {
    stats.iter().fold((0, 0), |(pages, ticks), stat| (pages + stat.resident_pages, ticks + stat.cpu_ticks))
}

/// A process and all that descend from it.
fn family(root: u32) -> Vec<Stat> {
    let Some(stat) = Stat::of(root) else { return Vec::new() };
    let mut children: HashMap<u32, Vec<(u32, Stat)>> = HashMap::new();
    for (pid, stat) in every_process().filter_map(|pid| Some((pid, Stat::of(pid)?))) {
        children.entry(stat.parent).or_default().push((pid, stat));
    }
    let (mut found, mut open) = (vec![stat], vec![root]);
    while let Some(parent) = open.pop() {
        // Taken out: a number that was given anew while we looked must not lead round in a circle.
        for (pid, stat) in children.remove(&parent).unwrap_or_default() {
            found.push(stat);
            open.push(pid);
        }
    }
    found
}
