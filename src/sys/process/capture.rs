//! What a child writes: every line told as it comes, and a bounded part kept.
//! Knows nothing of pipes, processes or what the lines mean.

use std::io::BufRead;

/// Bytes of a line that are told; the rest of a longer one is left out.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// Which of its outputs a child wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Its data.
    Stdout,
    /// Its talk.
    Stderr,
}

/// What was kept of a child's output.
///
/// If it wrote more than the limit, something is missing: of stdout the middle (a program says who it is at the
/// beginning and what came of it at the end), of stderr the beginning (what went wrong stands at the end). The cut is
/// made at ends of lines, so that every line kept is whole, unless a single line is longer than what is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// The bytes, as written.
    pub bytes: Vec<u8>,
    /// Bytes that were written and are not in `bytes`.
    pub dropped_bytes: u64,
}

/// One output on its way: splits it into lines and keeps what the limit allows.
#[derive(Debug)]
pub(super) struct Capture {
    source: Source,
    head_bytes_max: usize,
    tail_bytes_max: usize,
    head: Vec<u8>,
    tail: Vec<u8>,
    dropped_bytes: u64,
    line: Vec<u8>,
}

impl Capture {
    pub fn new(source: Source, bytes_max: usize) -> Self {
        let head_bytes_max = match source {
            Source::Stdout => bytes_max / 2,
            Source::Stderr => 0,
        };
        Self {
            source,
            head_bytes_max,
            tail_bytes_max: bytes_max - head_bytes_max,
            head: Vec::new(),
            tail: Vec::new(),
            dropped_bytes: 0,
            line: Vec::new(),
        }
    }

    /// Takes what was read.
    pub fn take(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(Source, &[u8])) {
        self.keep(bytes);
        let mut rest = bytes;
        while !rest.is_empty() {
            rest.read_until(b'\n', &mut self.line).expect("reading from memory does not fail");
            if self.line.ends_with(b"\n") {
                self.tell(on_line);
            } else {
                self.line.truncate(LINE_BYTES_MAX);
            }
        }
    }

    /// Tells the last line, if it has no end, and gives what was kept.
    pub fn finish(mut self, on_line: &mut dyn FnMut(Source, &[u8])) -> Captured {
        if !self.line.is_empty() {
            self.tell(on_line);
        }
        let too_much = self.tail.len().saturating_sub(self.tail_bytes_max);
        self.tail.drain(..too_much);
        self.dropped_bytes += too_much as u64;
        if self.dropped_bytes > 0 {
            let head_end = self.head.iter().rposition(|b| *b == b'\n').map_or(self.head.len(), |at| at + 1);
            let tail_begin = self.tail.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
            // A tail that is but the end of one long line is better than none.
            let tail_begin = if tail_begin == self.tail.len() { 0 } else { tail_begin };
            self.dropped_bytes += (self.head.len() - head_end + tail_begin) as u64;
            self.head.truncate(head_end);
            self.tail.drain(..tail_begin);
        }
        self.head.append(&mut self.tail);
        Captured { bytes: self.head, dropped_bytes: self.dropped_bytes }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.head_bytes_max - self.head.len();
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(first);
        self.tail.extend_from_slice(rest);
        // Shortened only when it is twice too long, so that each byte is moved once on average.
        if self.tail.len() > self.tail_bytes_max.saturating_mul(2).max(LINE_BYTES_MAX) {
            let too_much = self.tail.len() - self.tail_bytes_max;
            self.tail.drain(..too_much);
            self.dropped_bytes += too_much as u64;
        }
    }

    fn tell(&mut self, on_line: &mut dyn FnMut(Source, &[u8])) {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        on_line(self.source, &line[..line.len().min(LINE_BYTES_MAX)]);
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `chunks` and gives the lines told, what was kept, and how much was dropped.
    fn check(source: Source, bytes_max: usize, chunks: &[&[u8]]) -> (Vec<String>, String, u64) {
        let (mut capture, mut lines) = (Capture::new(source, bytes_max), Vec::new());
        let mut on_line = |_: Source, line: &[u8]| lines.push(String::from_utf8_lossy(line).into_owned());
        for chunk in chunks {
            capture.take(chunk, &mut on_line);
        }
        let kept = capture.finish(&mut on_line);
        (lines, String::from_utf8_lossy(&kept.bytes).into_owned(), kept.dropped_bytes)
    }

    #[test]
    fn lines_are_told_however_they_arrive() {
        let (lines, kept, dropped) = check(Source::Stdout, 99, &[b"one\ntw", b"o\r\n", b"\nthree"]);
        assert_eq!(lines, ["one", "two", "", "three"]);
        assert_eq!((kept.as_str(), dropped), ("one\ntwo\r\n\nthree", 0));
    }

    #[test]
    fn of_stdout_the_ends_and_of_stderr_the_end_is_kept() {
        let text: &[u8] = b"first\nsecond\nthird\nfourth\nlast\n";
        let (_, kept, dropped) = check(Source::Stdout, 16, &[text]);
        assert_eq!((kept.as_str(), dropped), ("first\nlast\n", 20));
        let (_, kept, dropped) = check(Source::Stderr, 16, &[text]);
        assert_eq!((kept.as_str(), dropped), ("fourth\nlast\n", 19));
        let (_, kept, dropped) = check(Source::Stderr, 3, &[b"one long line\n"]);
        assert_eq!((kept.as_str(), dropped), ("ne\n", 11));
        let (lines, kept, dropped) = check(Source::Stdout, 0, &[text]);
        assert_eq!((lines.len(), kept.as_str(), dropped), (5, "", 31));
    }

    #[test]
    fn a_long_line_is_told_in_part_and_once() {
        let chunk = vec![b'x'; 64 << 10];
        let mut chunks: Vec<&[u8]> = vec![&chunk; 40];
        chunks.push(b"\nnext\n");
        let (lines, kept, dropped) = check(Source::Stdout, 1 << 10, &chunks);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LINE_BYTES_MAX, 4]);
        assert_eq!(kept.len() as u64 + dropped, (40 << 16) + 6);
        assert!(kept.ends_with("\nnext\n") || kept.ends_with("next\n"), "{}", kept.len());
    }
}
