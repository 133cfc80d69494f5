//! How often and after which pauses a turn is asked for again within a step, when the provider did not answer it.
//! Knows nothing of providers, and sleeps nowhere: it is told what happened and says what to do.

use std::time::Duration;

use super::refusal::{Refusal, is_used_up};
use crate::agents::fault::Fault;

/// Tries of one turn, the first included.
pub const TRIES_MAX: u32 = 5;
/// Tries of a turn whose answer is empty.
const EMPTY_TRIES_MAX: u32 = 3;
/// The longest that is waited before the second try; before each further one it is twice that.
const PAUSE_FIRST_MAX: Duration = Duration::from_millis(500);
/// The longest pause of our own.
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// The longest pause that a provider asks for and that is made within a step. Beyond it the agent is parked, so that its
/// worker can do something else.
const TOLD_PAUSE_MAX: Duration = Duration::from_secs(60);

/// What to do about a turn that was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask again after a pause.
    Again(Duration),
    /// Leave it: this is the end of the step.
    Enough,
}

/// After the `tries`-th try was refused. `random` is any number; pauses of our own are a part of the longest one that is
/// drawn by it, so that many workers do not come back at the same moment.
pub fn after(refusal: &Refusal, tries: u32, random: u64) -> Next {
    let told = refusal.trouble.retry_after;
    let may = match refusal.trouble.fault() {
        Fault::Overload | Fault::Network => true,
        Fault::Limit => {
            let is_of_days = refusal.trouble.message.ends_with("(the quota of the day)");
            let soon = told.is_some_and(|wait| wait <= TOLD_PAUSE_MAX);
            !is_of_days && refusal.until.is_none() && (soon || !is_used_up(&refusal.trouble.message))
        }
        Fault::Login
        | Fault::Model
        | Fault::Context
        | Fault::OutputLimit
        | Fault::Refusal
        | Fault::Request
        | Fault::Setup
        | Fault::Variable
        | Fault::GaveUp => false,
    };
    match told {
        _ if refusal.is_final || !may || tries >= TRIES_MAX => Next::Enough,
        Some(wait) if wait > TOLD_PAUSE_MAX => Next::Enough,
        // Not before it was told, and not all at that moment.
        Some(wait) => Next::Again(wait + if wait.is_zero() { wait } else { jitter(PAUSE_FIRST_MAX, random) }),
        None => Next::Again(jitter(longest(tries), random)),
    }
}

/// After the `tries`-th answer that was empty.
pub fn after_nothing(tries: u32, random: u64) -> Next {
    if tries >= EMPTY_TRIES_MAX { Next::Enough } else { Next::Again(jitter(longest(1), random)) }
}

fn longest(tries: u32) -> Duration {
    PAUSE_FIRST_MAX.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(PAUSE_MAX)
}

/// Any part of a length of time.
fn jitter(longest: Duration, random: u64) -> Duration {
    let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(random % nanos.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::fault::Trouble;
    use std::time::SystemTime;

    fn refusal(status: u16, message: &str, wait_s: Option<u64>) -> Refusal {
        let retry_after = wait_s.map(Duration::from_secs);
        Refusal::saying(Trouble { status: Some(status), retry_after, ..Trouble::saying(message) })
    }

    #[test]
    fn passing_trouble_is_waited_for_and_lasting_trouble_is_not() {
        for (refusal, is_tried_again) in [
            (refusal(500, "", None), true),
            (refusal(529, "Overloaded", None), true),
            (refusal(503, "", Some(3_600)), false),
            (refusal(429, "Slow down", None), true),
            (refusal(429, "Slow down", Some(60)), true),
            (refusal(429, "Slow down", Some(61)), false),
            (refusal(429, "You exceeded your current quota", None), false),
            (refusal(429, "You exceeded your current quota", Some(20)), true),
            (refusal(429, "Your quota (the quota of the day)", Some(20)), false),
            (refusal(400, "Your credit balance is too low", None), false),
            (refusal(401, "", None), false),
            (refusal(400, "prompt is too long", None), false),
            (Refusal { is_final: true, ..refusal(500, "", None) }, false),
            (Refusal { until: Some(SystemTime::now()), ..refusal(429, "", None) }, false),
        ] {
            assert_eq!(after(&refusal, 1, 7) != Next::Enough, is_tried_again, "{refusal:?}");
            assert_eq!(after(&refusal, TRIES_MAX, 7), Next::Enough);
        }
    }

    #[test]
    fn pauses_grow_are_spread_and_have_a_limit() {
        let pause = |tries, random| match after(&refusal(500, "", None), tries, random) {
            Next::Again(pause) => pause,
            Next::Enough => panic!("it is tried again"),
        };
        assert_eq!(pause(1, 0), Duration::ZERO);
        let highest = |tries| (0..2_000).map(|random| pause(tries, random * 7_919_777)).max().expect("some");
        for (tries, longest_ms) in [(1, 500), (2, 1_000), (3, 2_000), (4, 4_000)] {
            let (highest, longest) = (highest(tries), Duration::from_millis(longest_ms));
            assert!(highest < longest && highest > longest / 2, "{tries}: {highest:?}");
        }
        assert_eq!(longest(40), PAUSE_MAX);
        let told = after(&refusal(429, "", Some(7)), 1, u64::MAX);
        assert!(matches!(told, Next::Again(wait) if (7_000..7_500).contains(&wait.as_millis())), "{told:?}");
        assert_eq!(after(&refusal(429, "", Some(0)), 1, 9), Next::Again(Duration::ZERO));
    }
}
