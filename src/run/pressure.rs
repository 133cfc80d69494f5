//! How hard the machine is pressed, and how many workers may work because of it.
//! Measures nothing by itself: what was measured is told, and what was decided before is remembered.

use std::path::Path;

use crate::{config::settings::LimitSettings, sys::machine, text};

/// What was measured; none: the system does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Reading {
    /// Processes that are ready to run, for each core.
    pub load_per_core: Option<f64>,
    /// Bytes of memory that are available.
    pub memory_bytes: Option<u64>,
    /// Bytes that are free where the worktrees are.
    pub disk_bytes: Option<u64>,
}

impl Reading {
    /// That of this machine, and of the disk that has this directory or the nearest above it that is there.
    pub fn take(directory: &Path) -> Self {
        let there = directory.ancestors().find(|directory| directory.exists());
        Self {
            load_per_core: machine::load().map(|load| load / machine::cores() as f64),
            memory_bytes: machine::available_memory_bytes(),
            disk_bytes: there.and_then(|there| machine::free_disk_bytes(there).ok()),
        }
    }
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All may work.
    Easy,
    /// So many may work, and why.
    Fewer(usize, String),
    /// Worktrees must be given back; until that helps nothing new begins, and why.
    NoDisk(String),
}

/// How many may work, from one look to the next.
#[derive(Debug, Clone, Default)]
pub struct Pressure {
    /// How many may; none: all.
    most: Option<usize>,
}

impl Pressure {
    /// Looks at what was measured while so many steps were being made. Under pressure one fewer than are at work may, but always
    /// one; when it has passed, one more with each look.
    pub fn look(&mut self, reading: Reading, limits: &LimitSettings, jobs: usize, busy: usize) -> Verdict {
        if let Some(free) = reading.disk_bytes.filter(|free| *free < limits.disk_free_bytes) {
            let (free, floor) = (text::bytes(free), text::bytes(limits.disk_free_bytes));
            return Verdict::NoDisk(format!(
                "waits for room on the disk: {free} free of {floor} (limits.disk_free_bytes)"
            ));
        }
        let memory = reading.memory_bytes.filter(|free| *free < limits.memory_free_bytes).map(|free| {
            let floor = text::bytes(limits.memory_free_bytes);
            format!("{} of memory available, less than {floor} (limits.memory_free_bytes)", text::bytes(free))
        });
        let load = reading.load_per_core.filter(|load| *load > f64::from(limits.load_per_core_max)).map(|load| {
            let most = limits.load_per_core_max;
            format!("{load:.0} processes ready to run for each core, more than {most} (limits.load_per_core_max)")
        });
        match memory.or(load) {
            Some(why) => {
                let most = self.most.unwrap_or(jobs).min(busy).saturating_sub(1).max(1).min(jobs);
                self.most = Some(most);
                Verdict::Fewer(most, why)
            }
            None => match self.most.map(|most| most + 1) {
                Some(most) if most < jobs => {
                    self.most = Some(most);
                    Verdict::Fewer(most, "the machine was pressed a moment ago".to_owned())
                }
                Some(_) | None => {
                    self.most = None;
                    Verdict::Easy
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `load memory disk busy` a look, and what may work after it: a number, `all` or `disk`.
    #[track_caller]
    fn check(jobs: usize, looks: &[(f64, u64, u64, usize, &str)]) {
        let limits = LimitSettings {
            load_per_core_max: 4,
            memory_free_bytes: 100,
            disk_free_bytes: 100,
            ..LimitSettings::default()
        };
        let mut pressure = Pressure::default();
        for (load, memory, disk, busy, wanted) in looks {
            let reading = Reading { load_per_core: Some(*load), memory_bytes: Some(*memory), disk_bytes: Some(*disk) };
            let found = match pressure.look(reading, &limits, jobs, *busy) {
                Verdict::Easy => "all".to_owned(),
                Verdict::Fewer(most, _) => most.to_string(),
                Verdict::NoDisk(_) => "disk".to_owned(),
            };
            assert_eq!(found, *wanted);
        }
    }

    #[test]
    fn fewer_under_pressure_one_at_least_and_more_when_it_passes() {
        check(4, &[(1.0, 500, 500, 4, "all")]);
        check(4, &[(9.0, 500, 500, 4, "3"), (9.0, 500, 500, 3, "2"), (9.0, 500, 500, 2, "1"), (9.0, 500, 500, 1, "1")]);
        check(
            4,
            &[(1.0, 50, 500, 2, "1"), (1.0, 500, 500, 1, "2"), (1.0, 500, 500, 2, "3"), (1.0, 500, 500, 3, "all")],
        );
        check(1, &[(9.0, 50, 500, 1, "1"), (1.0, 500, 500, 1, "all")]);
        check(4, &[(9.0, 500, 50, 4, "disk"), (1.0, 500, 500, 4, "all")]);
    }

    #[test]
    fn what_the_system_does_not_tell_is_no_pressure() {
        let mut pressure = Pressure::default();
        assert_eq!(pressure.look(Reading::default(), &LimitSettings::default(), 4, 4), Verdict::Easy);
    }

    #[test]
    fn this_machine_can_be_measured() {
        let reading = Reading::take(Path::new("/not/there/at/all"));
        assert!(reading.disk_bytes.is_some_and(|free| free > 0));
        assert_eq!(reading.memory_bytes.is_some(), Path::new("/proc/meminfo").exists());
    }
}
