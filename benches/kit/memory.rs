//! The memory of a process that runs. Knows nothing of which process that is.

use std::fs;

/// The most memory that a process had so far, in bytes, where the system tells.
pub fn resident_bytes_max(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}
