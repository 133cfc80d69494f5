//! `cargo nextest run`.
//! Does not know what the tests themselves print, which it indents.

use std::collections::BTreeMap;

use super::line::{LineParser, number_before, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{CASES_MAX, Ended, Measured, Place, Tests},
    model::record::TestCounts,
};

/// The state while lines come.
#[derive(Default)]
pub struct Nextest {
    /// A test that is tried again ends as its last try does.
    cases: BTreeMap<String, (Ended, Option<Place>)>,
    current: Option<String>,
    counts: Option<TestCounts>,
}

impl Nextest {
    /// `PASS [   0.004s] (1/5) sample tests::adds`, `TRY 2 FAIL [ …`.
    fn case(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.trim_start().split_once(" [")?;
        let (time, rest) = rest.split_once("] ")?;
        time.trim().strip_suffix('s')?.trim_start_matches('>').parse::<f64>().ok()?;
        let rest = rest.trim_start();
        let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(") ")).map_or(rest, |(_, rest)| rest);
        let name = rest.trim_start();
        name.split_once(' ')?;
        let word = word.trim();
        let ended = match word.rsplit(' ').next()? {
            "PASS" | "LEAK" | "FLAKY" => Ended::Passed,
            "FAIL" | "TIMEOUT" | "ABORT" | "XFAIL" | "FL+LK" | "LEAK-FAIL" => Ended::Failed,
            signal if signal.starts_with("SIG") => Ended::Failed,
            "SKIP" => Ended::Skipped,
            // `SLOW` and `START` are not ends.
            _ => return None,
        };
        if self.cases.len() < CASES_MAX || self.cases.contains_key(name) {
            let place = self.cases.get(name).and_then(|(_, place)| place.clone());
            self.cases.insert(name.to_owned(), (ended, place));
        }
        self.current = Some(name.to_owned());
        Some(())
    }
}

impl LineParser for Nextest {
    fn line(&mut self, line: &str) {
        let text = line.trim_start();
        if text.len() == line.len() {
            return;
        }
        if text.starts_with("Summary [") && text.contains(" run: ") {
            let number = |word| number_before(text, word);
            let run = number("tests").or(number("test")).unwrap_or_default();
            // `5/9 tests run`: it stopped early.
            let run = text
                .split_once("] ")
                .and_then(|(_, rest)| rest.trim().split(['/', ' ']).next()?.parse().ok())
                .unwrap_or(run);
            let passed = number("passed").unwrap_or_default();
            let skipped = number("skipped").unwrap_or_default();
            self.counts = Some(TestCounts { run, failed: run.saturating_sub(passed), skipped });
        } else if self.case(line).is_none()
            && let Some(at) = text.split_once("panicked at ").or(text.split_once("did not panic as expected at "))
            && let Some((found, _)) = place(at.1)
            && let Some((_, place @ None)) = self.current.as_ref().and_then(|name| self.cases.get_mut(name))
        {
            *place = Some(found);
        }
    }

    fn finish(self: Box<Self>) -> Option<Measured> {
        let counts = self.counts?;
        let mut tests = Tests { counts, ..Tests::default() };
        for (name, (ended, place)) in self.cases {
            let place = if ended == Ended::Failed { place } else { None };
            tests.name(&name, ended, place);
        }
        Some(Measured::of_tests(CheckFormat::Nextest, tests))
    }
}
