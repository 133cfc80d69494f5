//! Killed at any moment, several times in a row, also in the middle of a system call where no point is.
//! A failing seed is told with the command that repeats it, as far as the machine's own timing allows.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Duration,
};

use crate::{
    kills::{Kept, said},
    kit::sandbox::Sandbox,
    scenario::Scenario,
};

/// Seeds that the usual test run tries.
const SEEDS_DEFAULT: u64 = 9;
/// Kills of one command before it is left to end.
const KILLS_MAX: u64 = 4;
/// The latest moment; most commands are over by then.
const MOMENT_MAX: Duration = Duration::from_millis(300);

/// A small generator, the same everywhere (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }
}

fn play(scenario: &Scenario, golden: &Sandbox, seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let sandbox = scenario.template.copy();
    let users = sandbox.users();
    for act in scenario.acts {
        let mut kept = Kept::of(&sandbox);
        let mut words = act.words.to_vec();
        for left in (0..=dice.below(KILLS_MAX + 1)).rev() {
            let mut run = sandbox.begin(&words);
            if left > 0 {
                // Early moments are tried more often: most of recovery is there.
                let most = dice.below(MOMENT_MAX.as_micros() as u64) + 1;
                thread::sleep(Duration::from_micros(dice.below(most)));
            }
            if left == 0 || run.has_ended() {
                let ended = run.end();
                let is_decided = act.words[0] == "review" && ended.stderr.contains("does not wait");
                assert!(ended.code() == Some(act.code) || is_decided, "{act:?}: {ended:?}");
                break;
            }
            if dice.below(2) == 0 {
                run.kill()
            } else {
                run.kill_group()
            }
            let now = Kept::of(&sandbox);
            kept.check_before(&now);
            kept = now;
            words = words.iter().map(|word| if *word == "start" { "resume" } else { *word }).collect();
        }
        kept.check_before(&Kept::of(&sandbox));
        assert!(act.words[0] == "land" || users == sandbox.users(), "something of the user's changed");
    }
    scenario.check_end(&sandbox, Some(golden));
}

#[test]
fn killed_at_any_moment_it_goes_on_and_comes_to_the_same() {
    let scenarios = Scenario::all();
    let golden: Vec<Sandbox> = scenarios.iter().map(Scenario::played).collect();
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let seeds = match (number("CRASH_SEED"), number("CRASH_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(SEEDS_DEFAULT),
    };
    let mut wrong = Vec::new();
    for seed in seeds.clone() {
        let at = (seed % scenarios.len() as u64) as usize;
        let played = catch_unwind(AssertUnwindSafe(|| play(&scenarios[at], &golden[at], seed)));
        if let Err(panic) = played {
            let why = said(panic.as_ref());
            wrong.push(format!("{why}\n  CRASH_SEED={seed} cargo test --test crash killed_at_any_moment"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} seeds:\n{}", wrong.len(), seeds.count(), wrong.join("\n"));
}
