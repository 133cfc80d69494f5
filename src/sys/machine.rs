//! What is true of this machine and of the processes on it: names, cores, free disk, who is alive.
//! Starts and ends nothing.

use std::{fs, io, path::Path, sync::OnceLock};

use rustix::process::{Pid, test_kill_process};

/// Bytes that an ordinary user may still write on the file system that holds `path`.
pub fn free_disk_bytes(path: &Path) -> io::Result<u64> {
    fs2::available_space(path)
}

/// Bytes of memory that a new program could have without any being swapped out (`MemAvailable` of proc(5)); none where the
/// system does not tell.
pub fn available_memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Processes that were ready to run on average of the last minute (`/proc/loadavg`); none where the system does not tell.
pub fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().next()?.parse().ok()
}

/// Processors this program may use, at least one.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A text that changes with each start of the machine; empty where the system has none (no `/proc`).
pub fn boot_id() -> &'static str {
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    BOOT_ID.get_or_init(|| {
        fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
    })
}

/// The machine's name in the network.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// When a process started, in clock ticks since the machine did; with the pid it names one process for good until the
/// next boot. `None` if there is no such process or no `/proc`.
pub fn process_start(pid: u32) -> Option<u64> {
    Stat::of(pid).map(|stat| stat.start)
}

/// Whether the process that had this pid and start runs now. A zombie does not. Without `/proc` the pid alone decides.
pub fn is_alive(pid: u32, start: u64) -> bool {
    if boot_id().is_empty() {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        return pid.is_some_and(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)));
    }
    Stat::of(pid).is_some_and(|stat| stat.start == start && !stat.is_dead)
}

/// The part of `/proc/<pid>/stat` (proc(5)) that is of use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// It has ended and waits for its parent to notice.
    pub is_dead: bool,
    /// Its parent.
    pub parent: u32,
    /// Its process group.
    pub group: u32,
    /// Clock ticks since boot.
    pub start: u64,
    /// Clock ticks that it had a processor for, and the children that it waited for.
    pub cpu_ticks: u64,
    /// Pages of memory that it has.
    pub resident_pages: u64,
}

impl Stat {
    pub fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(stat: &[u8]) -> Option<Self> {
        // The second field is the program's name in brackets, and may itself hold spaces and brackets.
        let after_name = stat.iter().rposition(|b| *b == b')')? + 2;
        let mut fields = str::from_utf8(stat.get(after_name..)?).ok()?.split_ascii_whitespace();
        let is_dead = matches!(fields.next()?, "Z" | "X" | "x");
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        // From here on by their numbers in the manual page: utime, stime, cutime, cstime, starttime, rss.
        let mut number = 5;
        let mut field = |wanted: usize| {
            let value = fields.nth(wanted - number - 1)?.parse::<i64>().ok()?;
            number = wanted;
            Some(u64::try_from(value).unwrap_or_default())
        };
        let cpu_ticks = field(14)? + field(15)? + field(16)? + field(17)?;
        let (start, resident_pages) = (field(22)?, field(24)?);
        Some(Self { is_dead, parent, group, start, cpu_ticks, resident_pages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat =
            b"42 (a) b) Z 7 41 41 0 -1 4228100 0 0 0 0 1 20 300 4000 20 0 1 0 123456 0 77 18446744073709551615\n";
        let read = Stat { is_dead: true, parent: 7, group: 41, start: 123_456, cpu_ticks: 4321, resident_pages: 77 };
        assert_eq!(Stat::parse(stat), Some(read));
        assert_eq!(Stat::parse(b"42 (cut"), None);
    }

    #[test]
    fn this_process_is_alive_and_another_with_its_pid_is_not() {
        let pid = std::process::id();
        let start = process_start(pid).unwrap_or_default();
        assert!(is_alive(pid, start));
        if !boot_id().is_empty() {
            assert!(!is_alive(pid, start + 1));
        }
        assert!(cores() >= 1 && !host_name().is_empty());
        assert!(free_disk_bytes(Path::new("/")).expect("a root directory") > 0);
    }
}
