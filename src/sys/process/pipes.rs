//! The pipes to and from one child: its input written, its outputs read, nobody ever waiting for the other.
//! Does not know whether the child lives.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, ioctl_fionbio, read, write},
};

use super::{
    capture::{Capture, Captured, Source},
    program::ProcessLimits,
    running::Ends,
};

/// Bytes read at once; what a pipe of Linux holds.
const READ_BYTES: usize = 64 << 10;

/// The pipes of one child.
#[derive(Debug)]
pub(super) struct Pipes {
    stdin: Option<OwnedFd>,
    input: Input,
    outputs: [Output; 2],
    buffer: Vec<u8>,
    last_output: Instant,
}

/// What the child is still to read.
#[derive(Debug)]
struct Input {
    bytes: Vec<u8>,
    written: usize,
    /// More may follow, so the pipe stays open.
    is_open: bool,
}

/// Whether a child's input ends behind what it is given at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum More {
    /// It does.
    No,
    /// It is told more while it runs.
    MayFollow,
}

#[derive(Debug)]
struct Output {
    pipe: Option<OwnedFd>,
    capture: Capture,
}

impl Pipes {
    /// The pipes, with what the child is to read. The error is the system's.
    pub fn new(ends: Ends, input: &[u8], more: More, limits: &ProcessLimits) -> std::io::Result<Self> {
        for end in [ends.stdin.as_ref(), Some(&ends.stdout), Some(&ends.stderr)].into_iter().flatten() {
            // Of our end alone: the two ends of a pipe have flags of their own.
            ioctl_fionbio(end, true)?;
        }
        let output = |pipe, source, bytes_max| Output { pipe: Some(pipe), capture: Capture::new(source, bytes_max) };
        let outputs = [
            output(ends.stdout, Source::Stdout, limits.stdout_bytes_max),
            output(ends.stderr, Source::Stderr, limits.stderr_bytes_max),
        ];
        let input = Input { bytes: input.to_vec(), written: 0, is_open: more == More::MayFollow };
        let mut pipes =
            Self { stdin: ends.stdin, input, outputs, buffer: vec![0; READ_BYTES], last_output: Instant::now() };
        // Most inputs fit into the pipe at once.
        pipes.write();
        Ok(pipes)
    }

    /// Gives the child more to read.
    pub fn tell(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() && self.stdin.is_some() {
            self.input.bytes.extend_from_slice(bytes);
            self.write();
        }
    }

    /// Nothing more follows.
    pub fn close_input(&mut self) {
        if self.input.is_open {
            self.input.is_open = false;
            self.write();
        }
    }

    /// When the child last wrote something; at first, when it started.
    pub fn last_output(&self) -> Instant {
        self.last_output
    }

    /// Whether both outputs have ended.
    pub fn at_end(&self) -> bool {
        self.outputs.iter().all(|output| output.pipe.is_none())
    }

    /// Moves what can be moved; if nothing can, waits until it can, until one of `others` is ready, or for `timeout`.
    /// Returns how many bytes were read.
    pub fn wait(
        &mut self,
        others: &[BorrowedFd<'_>],
        timeout: Duration,
        on_line: &mut dyn FnMut(Source, &[u8]),
    ) -> usize {
        let (can_write, can_read) = {
            let outputs = self.outputs.iter().filter_map(|output| output.pipe.as_ref());
            let mut fds: Vec<PollFd<'_>> = outputs.map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
            let outputs_open = fds.len();
            // An open pipe into which nothing is to be written is always ready, and would never let us wait.
            let writes = self.stdin.as_ref().filter(|_| !self.input.left().is_empty());
            let does_write = writes.is_some();
            fds.extend(writes.map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
            fds.extend(others.iter().map(|other| PollFd::from_borrowed_fd(*other, PollFlags::IN)));
            let timeout = Timespec::try_from(timeout).ok();
            if poll(&mut fds, timeout.as_ref()).is_err() {
                // Interrupted by a signal; the caller asks again.
                return 0;
            }
            let is_ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
            let mut ready = fds[..outputs_open].iter().map(is_ready);
            let can_read = [0, 1].map(|at: usize| self.outputs[at].pipe.is_some() && ready.next() == Some(true));
            (does_write && fds.get(outputs_open).is_some_and(is_ready), can_read)
        };
        if can_write {
            self.write();
        }
        let mut bytes_read = 0;
        for (output, _) in self.outputs.iter_mut().zip(can_read).filter(|(_, can_read)| *can_read) {
            bytes_read += output.read(&mut self.buffer, on_line);
        }
        if bytes_read > 0 {
            self.last_output = Instant::now();
        }
        bytes_read
    }

    /// Closes all and gives what was kept of stdout and stderr.
    pub fn finish(self, on_line: &mut dyn FnMut(Source, &[u8])) -> (Captured, Captured) {
        let [stdout, stderr] = self.outputs;
        (stdout.capture.finish(on_line), stderr.capture.finish(on_line))
    }

    fn write(&mut self) {
        while let Some(stdin) = &self.stdin {
            if self.input.left().is_empty() {
                self.input.bytes.clear();
                self.input.written = 0;
                if !self.input.is_open {
                    self.stdin = None;
                }
                return;
            }
            match write(stdin.as_fd(), self.input.left()) {
                Ok(written) => self.input.written += written,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // It does not want to read on (EPIPE), which is its own affair.
                Err(_) => self.stdin = None,
            }
        }
    }
}

impl Input {
    fn left(&self) -> &[u8] {
        &self.bytes[self.written..]
    }
}

impl Output {
    /// Reads once; returns how many bytes.
    fn read(&mut self, buffer: &mut [u8], on_line: &mut dyn FnMut(Source, &[u8])) -> usize {
        let Some(pipe) = &self.pipe else { return 0 };
        match read(pipe, &mut *buffer) {
            Ok(0) => self.pipe = None,
            Ok(bytes) => {
                self.capture.take(&buffer[..bytes], on_line);
                return bytes;
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => self.pipe = None,
        }
        0
    }
}
