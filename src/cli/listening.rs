//! Listens for Ctrl-C and its like while something is done.
//! Knows nothing of what that is.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use super::failure::Failure;
use crate::sys::{
    process::Cancel,
    signal::{StopLevel, StopSignals},
};

/// How often is looked whether somebody wants it to stop.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// Listens from now on.
///
/// # Errors
/// When the system does not let us.
pub fn listen() -> Result<StopSignals, Failure> {
    StopSignals::install().map_err(|error| Failure::fatal(format!("no signals: {error}"), None))
}

/// Does the work while somebody listens: the first signal cancels it.
pub fn stoppable<T>(signals: &StopSignals, cancel: &Cancel, work: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let listener = scope.spawn(|| {
            while !is_done.load(Ordering::Acquire) {
                if signals.level() != StopLevel::None {
                    cancel.cancel();
                    return;
                }
                thread::park_timeout(LOOK_PAUSE);
            }
        });
        let result = work();
        is_done.store(true, Ordering::Release);
        listener.thread().unpark();
        result
    })
}
