//! Ctrl-C and its like, as a wish to stop that grows stronger when it is repeated.
//! Stops nothing itself, but for the third time; the loop asks how much it is wanted.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
    iterator::{Handle, Signals},
};

/// How long after a signal the same one is no other wish where `git` runs us: of Ctrl-C we hear from the terminal, and from `git`,
/// which passes on what it has heard itself.
const SAME_WISH: Duration = Duration::from_millis(150);

/// The signals that ask to stop.
const STOP: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// How much it is wanted that the program stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Not at all.
    None,
    /// One signal came: begin nothing new, finish what runs.
    Finish,
    /// A second came: end what runs, save, and go.
    Now,
}

/// The signals that came since it was installed. A third one ends the program at once, with 128 and its number.
#[derive(Debug)]
pub struct StopSignals {
    came: Arc<AtomicUsize>,
    last: Arc<AtomicI32>,
    handle: Handle,
}

impl StopSignals {
    /// Listens from now on to SIGINT, SIGTERM and SIGHUP.
    pub fn install() -> io::Result<Self> {
        let came = Arc::new(AtomicUsize::new(0));
        let last = Arc::new(AtomicI32::new(0));
        let is_twice = Arc::new(AtomicBool::new(false));
        for signal in STOP {
            // Runs in the handler itself, so it works however stuck every thread is.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&is_twice))?;
        }
        let mut signals = Signals::new(STOP)?;
        let handle = signals.handle();
        let (count, which) = (Arc::clone(&came), Arc::clone(&last));
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let same = if is_run_by_git() { SAME_WISH } else { Duration::ZERO };
            let mut wishes = Wishes { count: 0, last: None, same };
            for signal in signals.forever() {
                which.store(signal, Ordering::Relaxed);
                let came = wishes.came(signal, Instant::now());
                count.store(came, Ordering::Release);
                if came >= 2 && !is_twice.load(Ordering::Acquire) {
                    // Before that, what git passes on of the second would be taken for a third.
                    std::thread::sleep(same);
                    is_twice.store(true, Ordering::Release);
                }
            }
        })?;
        Ok(Self { came, last, handle })
    }

    /// How much it is wanted now.
    pub fn level(&self) -> StopLevel {
        match self.came.load(Ordering::Acquire) {
            0 => StopLevel::None,
            1 => StopLevel::Finish,
            _ => StopLevel::Now,
        }
    }

    /// The number of the signal that came last, for the exit code.
    pub fn last_signal(&self) -> Option<i32> {
        Some(self.last.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }
}

/// Whether our parent is `git`, as where somebody types `git orchestrate`; also where the system does not tell.
fn is_run_by_git() -> bool {
    let Some(parent) = rustix::process::getppid() else { return false };
    let name = std::fs::read_to_string(format!("/proc/{}/comm", parent.as_raw_nonzero()));
    name.map_or(true, |name| name.trim_end() == "git")
}

/// The wishes that the signals stand for.
#[derive(Debug)]
struct Wishes {
    count: usize,
    last: Option<(i32, Instant)>,
    /// How long after a signal the same one is no other wish.
    same: Duration,
}

impl Wishes {
    /// A signal came at that time: how many wishes there are now.
    fn came(&mut self, signal: i32, now: Instant) -> usize {
        let is_same = |(last, at): (i32, Instant)| last == signal && now.duration_since(at) < self.same;
        if !self.last.is_some_and(is_same) {
            self.count += 1;
            self.last = Some((signal, now));
        }
        self.count
    }
}

impl Drop for StopSignals {
    fn drop(&mut self) {
        self.handle.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signals after so many milliseconds, and how many wishes there are after each.
    #[track_caller]
    fn check(came: &[(i32, u64, usize)]) {
        let (mut wishes, begun) = (Wishes { count: 0, last: None, same: SAME_WISH }, Instant::now());
        for (signal, after, wanted) in came {
            assert_eq!(wishes.came(*signal, begun + Duration::from_millis(*after)), *wanted, "after {after} ms");
        }
    }

    #[test]
    fn what_git_passes_on_is_the_same_wish() {
        check(&[(SIGINT, 0, 1), (SIGINT, 2, 1), (SIGINT, 400, 2), (SIGINT, 401, 2)]);
        check(&[(SIGINT, 0, 1), (SIGINT, 149, 1), (SIGINT, 150, 2)]);
        check(&[(SIGTERM, 0, 1), (SIGINT, 0, 2)]);
    }
}
