//! vitest, with any of its text reporters.
//! Does not know its JSON, which is jest's.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    jest::SEPARATOR,
    line::{LineParser, number_before, place},
};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{CASES_MAX, Ended, Measured, Place, Tests},
    model::record::TestCounts,
};

/// The state while lines come.
#[derive(Default)]
pub struct Vitest {
    listed: BTreeMap<String, Ended>,
    failed: BTreeMap<String, Option<Place>>,
    suites: BTreeSet<String>,
    current: Option<String>,
    counts: Option<TestCounts>,
    files: Option<u64>,
    broken: Option<String>,
}

/// A name's parts, joined as jest joins them.
fn joined(name: &str) -> String {
    name.replace(" > ", SEPARATOR)
}

impl LineParser for Vitest {
    fn line(&mut self, line: &str) {
        let text = line.trim_start();
        if let Some(name) = line.strip_prefix(" FAIL  ") {
            let name = name.strip_prefix('|').and_then(|rest| rest.split_once("| ")).map_or(name, |(_, name)| name);
            let name = match name.split_once(" [ ") {
                Some((file, _)) if !name.contains(" > ") => {
                    self.suites.insert(file.to_owned());
                    file.to_owned()
                }
                Some(_) | None => joined(name),
            };
            if self.failed.len() < CASES_MAX {
                self.failed.entry(name.clone()).or_default();
                self.current = Some(name);
            }
        } else if let Some(at) = line.strip_prefix(" ❯ ") {
            if let Some(slot @ None) = self.current.as_ref().and_then(|name| self.failed.get_mut(name)) {
                let at = at.rsplit(' ').next().unwrap_or(at);
                *slot = place(at).map(|(place, _)| place).filter(|place| !place.file.contains("node_modules"));
            }
        } else if let Some(counts) = text.strip_prefix("Tests  ") {
            let number = |word| number_before(counts, word).unwrap_or_default();
            let (failed, passed) = (number("failed"), number("passed"));
            self.counts =
                Some(TestCounts { run: failed + passed, failed, skipped: number("skipped") + number("todo") });
        } else if let Some(counts) = text.strip_prefix("Test Files  ") {
            self.files = Some(number_before(counts, "failed").unwrap_or_default());
        } else if let Some(count) = text.strip_prefix("Errors  ") {
            self.broken.get_or_insert_with(|| format!("{count} outside of tests"));
        } else if let Some((mark, rest)) = text.split_once(' ')
            && rest.contains(" > ")
        {
            let ended = match mark {
                "✓" => Ended::Passed,
                "×" => Ended::Failed,
                "↓" | "□" => Ended::Skipped,
                _ => return,
            };
            let is_time = |word: &str| word.strip_suffix("ms").is_some_and(|number| number.parse::<f64>().is_ok());
            let name = rest.rsplit_once(' ').filter(|(_, last)| is_time(last)).map_or(rest, |(name, _)| name);
            if self.listed.len() < CASES_MAX {
                self.listed.insert(joined(name), ended);
            }
        }
    }

    fn finish(self: Box<Self>) -> Option<Measured> {
        // Where no test could be collected there is no line of tests.
        let mut counts = match (self.counts, self.files) {
            (Some(counts), Some(_)) => counts,
            (None, Some(failed)) if failed > 0 => TestCounts::default(),
            (Some(_) | None, Some(_) | None) => return None,
        };
        counts.run += self.suites.len() as u64;
        counts.failed += self.suites.len() as u64;
        let mut tests = Tests { counts, ..Tests::default() };
        for (name, ended) in
            self.listed.iter().filter(|(name, ended)| **ended != Ended::Failed && !self.failed.contains_key(*name))
        {
            tests.name(name, *ended, None);
        }
        for (name, place) in self.failed {
            tests.name(&name, Ended::Failed, place);
        }
        Some(Measured::of_tests(CheckFormat::Vitest, tests).and_broken(self.broken))
    }
}
