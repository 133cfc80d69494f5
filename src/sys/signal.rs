//! Ctrl-C and its like, as a wish to stop that grows stronger when it is repeated.
//! Stops nothing itself, but for the third time; the loop asks how much it is wanted.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering},
    },
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
    iterator::{Handle, Signals},
};

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
            for signal in signals.forever() {
                which.store(signal, Ordering::Relaxed);
                if count.fetch_add(1, Ordering::Release) >= 1 {
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

impl Drop for StopSignals {
    fn drop(&mut self) {
        self.handle.close();
    }
}
