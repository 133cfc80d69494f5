//! How long something takes. Knows nothing of what.

use std::time::{Duration, Instant};

/// How long this takes.
pub fn timed(act: impl FnOnce()) -> Duration {
    let began = Instant::now();
    act();
    began.elapsed()
}

/// The middle of several times.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Milliseconds, for people.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
