//! How long an agent is left alone whose provider does not say when it is back: exponential backoff with full jitter.
//! Knows nothing of clocks; the same seed gives the same pauses.

use std::time::Duration;

/// The longest first pause; doubled each time in a row.
const FIRST: Duration = Duration::from_secs(60);
/// The longest that it becomes.
const MAX: Duration = Duration::from_secs(3600);
/// The shortest of all, so that chance does not have an agent asked again at once.
const MIN: Duration = Duration::from_secs(2);

/// The pause after an agent's rate or quota was used up `streak` times in a row before (0: the first time): any length up
/// to a bound that doubles each time, so that many who wait do not all come back at once.
pub fn pause(seed: u64, agent: &str, streak: u32) -> Duration {
    let bound = FIRST.saturating_mul(1 << streak.min(6)).min(MAX);
    let chance =
        scatter(agent.bytes().fold(scatter(seed ^ u64::from(streak)), |mixed, byte| scatter(mixed ^ u64::from(byte))));
    let millis = (bound - MIN).as_millis() as u64;
    MIN + Duration::from_millis(chance % (millis + 1))
}

/// SplitMix64 (Steele, Lea and Flood 2014): any number to one that looks like chance.
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_fill_a_bound_that_doubles() {
        for (streak, bound) in [(0, 60), (1, 120), (2, 240), (5, 1920), (6, 3600), (60, 3600)] {
            let pauses: Vec<Duration> = (0..1000).map(|seed| pause(seed, "claude", streak)).collect();
            let bound = Duration::from_secs(bound);
            assert!(pauses.iter().all(|pause| (MIN..=bound).contains(pause)), "streak {streak}");
            let mean = pauses.iter().sum::<Duration>() / 1000;
            assert!(mean > bound * 4 / 10 && mean < bound * 6 / 10, "streak {streak}: {mean:?} of {bound:?}");
            assert!(pauses.iter().any(|pause| *pause < bound / 10), "streak {streak}: it is full jitter");
        }
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(pause(7, "claude", 3), pause(7, "claude", 3));
        let other = [pause(8, "claude", 3), pause(7, "codex", 3), pause(7, "claude", 4)];
        assert!(other.iter().all(|other| *other != pause(7, "claude", 3)));
    }
}
