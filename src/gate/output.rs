//! What a check writes: the end for the record, and all of it, up to a limit, for a log file.
//! Does not know what the lines mean.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    model::object::TreeId,
    sys::{
        file::{Sync, write_atomic},
        shelf::Shelf,
    },
    text::{bytes, clean_bytes, tail},
};

/// Lines of a check's output that its result keeps.
pub const OUTPUT_LINES_MAX: usize = 40;
/// Bytes of them.
pub const OUTPUT_BYTES_MAX: usize = 4 << 10;
/// Log files that are kept; the oldest go.
pub const LOGS_MAX: usize = 1000;

/// Lines and bytes that the result of a check keeps that passed: what counts then is that it did.
const PASSED_LINES_MAX: usize = 5;
const PASSED_BYTES_MAX: usize = 1 << 10;
/// Bytes of the end of the output that are cleaned to find the last lines.
const END_BYTES: usize = 64 << 10;
/// Characters of a check's name in the name of its log file.
const NAME_LENGTH_MAX: usize = 60;

/// The file with all that a check wrote about a tree.
pub fn log_path(dir: &Path, tree: &TreeId, check: &str) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let name: String = check.chars().take(NAME_LENGTH_MAX).map(plain).collect();
    dir.join(format!("{tree}-{name}.log"))
}

/// The lines of a check, stdout and stderr as they came; of too many, the first and the last.
#[derive(Debug)]
pub(super) struct Output {
    first: Vec<u8>,
    first_bytes_max: usize,
    last: Vec<u8>,
    last_bytes_max: usize,
    dropped_bytes: u64,
}

impl Output {
    pub(super) fn new(bytes_max: usize) -> Self {
        let first_bytes_max = bytes_max / 2;
        let last_bytes_max = (bytes_max - first_bytes_max).max(END_BYTES);
        Self { first: Vec::new(), first_bytes_max, last: Vec::new(), last_bytes_max, dropped_bytes: 0 }
    }

    pub(super) fn line(&mut self, line: &[u8]) {
        // Once something stands in the last part, all that follows comes after it.
        let part = if self.last.is_empty() && self.first.len() + line.len() < self.first_bytes_max {
            &mut self.first
        } else {
            &mut self.last
        };
        part.extend_from_slice(line);
        part.push(b'\n');
        // Shortened only when it is twice too long, so that each byte is moved once on average.
        if self.last.len() > 2 * self.last_bytes_max {
            let too_much = self.last.len() - self.last_bytes_max;
            self.last.drain(..too_much);
            self.dropped_bytes += too_much as u64;
        }
    }

    /// The end of it, for judging.
    pub(super) fn end(&self) -> String {
        let part = |bytes: &[u8]| bytes[bytes.len().saturating_sub(END_BYTES)..].to_vec();
        let mut end = if self.last.len() < END_BYTES { part(&self.first) } else { Vec::new() };
        end.extend(part(&self.last));
        clean_bytes(&end)
    }

    /// Writes all of it into a log file; nothing if nothing was written.
    pub(super) fn save(&self, dir: &Path, tree: &TreeId, check: &str) -> io::Result<()> {
        if self.first.is_empty() && self.last.is_empty() {
            return Ok(());
        }
        let too_much = self.last.len().saturating_sub(self.last_bytes_max);
        let begin = self.last[too_much..]
            .iter()
            .position(|b| too_much > 0 && *b == b'\n')
            .map_or(too_much, |at| too_much + at + 1);
        let dropped_bytes = self.dropped_bytes + begin as u64;
        let mut all = self.first.clone();
        if dropped_bytes > 0 {
            all.extend_from_slice(format!("\n[… {} left out here]\n\n", bytes(dropped_bytes)).as_bytes());
        }
        all.extend_from_slice(&self.last[begin..]);
        fs::create_dir_all(dir)?;
        write_atomic(&log_path(dir, tree, check), &all, Sync::No)?;
        Shelf::new(dir, "log", LOGS_MAX).tidy()
    }
}

/// The last lines for the record.
pub(super) fn last_lines(end: &str, passed: bool) -> String {
    let (lines, bytes) =
        if passed { (PASSED_LINES_MAX, PASSED_BYTES_MAX) } else { (OUTPUT_LINES_MAX, OUTPUT_BYTES_MAX) };
    tail(end.trim_end(), lines, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_long_output_are_kept() {
        let mut output = Output::new(256 << 10);
        for i in 0..1_000_000 {
            output.line(format!("line {i}").as_bytes());
        }
        assert!(output.first.len() + output.last.len() <= (128 << 10) + 2 * (128 << 10));
        assert!(output.first.starts_with(b"line 0\nline 1\n"));
        assert!(output.end().ends_with("line 999998\nline 999999\n"));
        assert!(output.dropped_bytes > 11_000_000);
        let shown = last_lines(&output.end(), false);
        assert_eq!(shown.lines().count(), OUTPUT_LINES_MAX + 1, "and the line that says what was cut");
        assert_eq!(last_lines("a\nb\n\n", true), "a\nb");
    }

    #[test]
    fn a_short_output_is_whole() {
        let mut output = Output::new(16);
        for line in ["one", "two", "three", "four"] {
            output.line(line.as_bytes());
        }
        assert_eq!(output.end(), "one\ntwo\nthree\nfour\n");
        let dir = tempfile::tempdir().expect("a directory");
        let tree: TreeId = "ab".repeat(20).parse().expect("a tree");
        output.save(dir.path(), &tree, "a/../b c").expect("written");
        let path = dir.path().join(format!("{tree}-a----b-c.log"));
        assert_eq!(fs::read_to_string(path).expect("the log"), "one\ntwo\nthree\nfour\n");
    }
}
