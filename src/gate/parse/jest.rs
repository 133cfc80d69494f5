//! jest: its text, with names or without, and the JSON that vitest writes too.
//! Does not know of transforms or coverage tables, which stand around it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::line::{LineParser, number_before, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{CASES_MAX, Ended, Measured, Place, Tests},
    model::record::TestCounts,
};

/// Between the parts of a name.
pub(super) const SEPARATOR: &str = " › ";

/// The state while lines come.
#[derive(Default)]
pub struct Jest {
    file: String,
    /// The `describe` blocks that we are in, each with its indent.
    blocks: Vec<(usize, String)>,
    /// Whether the names of a file come.
    is_listing: bool,
    /// Told twice: as they end, and all together at the end.
    failed: BTreeMap<String, Option<Place>>,
    current: Option<String>,
    listed: BTreeMap<String, Ended>,
    /// Files that could not be run.
    suites: BTreeSet<String>,
    counts: Option<TestCounts>,
}

impl Jest {
    fn name(&self, own: &str) -> String {
        let blocks = self.blocks.iter().map(|(_, name)| name.as_str());
        let parts: Vec<&str> = std::iter::once(self.file.as_str()).chain(blocks).chain([own]).collect();
        parts.join(SEPARATOR)
    }

    fn listed(&mut self, line: &str) {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        while self.blocks.last().is_some_and(|(outer, _)| *outer >= indent) {
            self.blocks.pop();
        }
        let marks = [("✓ ", Ended::Passed), ("✕ ", Ended::Failed), ("○ ", Ended::Skipped), ("✎ ", Ended::Skipped)];
        match marks.iter().find_map(|(mark, ended)| Some((text.strip_prefix(mark)?, *ended))) {
            Some((own, ended)) => {
                let own = own.rsplit_once(" (").filter(|(_, time)| time.ends_with("s)")).map_or(own, |(own, _)| own);
                let own = if ended == Ended::Skipped {
                    own.strip_prefix("skipped ").or_else(|| own.strip_prefix("todo ")).unwrap_or(own)
                } else {
                    own
                };
                let name = self.name(own);
                if self.listed.len() < CASES_MAX {
                    self.listed.insert(name, ended);
                }
            }
            None => self.blocks.push((indent, text.to_owned())),
        }
    }
}

impl LineParser for Jest {
    fn line(&mut self, line: &str) {
        if let Some(file) = line.strip_prefix("PASS ").or_else(|| line.strip_prefix("FAIL ")) {
            let file = file.trim_start().split(' ').next().unwrap_or_default();
            self.file = file.strip_prefix("./").unwrap_or(file).to_owned();
            self.blocks.clear();
            self.is_listing = true;
            self.current = None;
        } else if let Some(name) = line.strip_prefix("  ● ") {
            self.is_listing = false;
            if self.file.is_empty() || name == "Console" {
                self.current = None;
            } else if name == "Test suite failed to run" {
                self.suites.insert(self.file.clone());
                let name = self.file.clone();
                self.failed.entry(name.clone()).or_default();
                self.current = Some(name);
            } else if self.failed.len() < CASES_MAX {
                let name = format!("{}{SEPARATOR}{name}", self.file);
                self.failed.entry(name.clone()).or_default();
                self.current = Some(name);
            }
        } else if let Some(counts) = line.strip_prefix("Tests: ") {
            let number = |word| number_before(counts, word).unwrap_or_default();
            if number_before(counts, "total").is_some() {
                let (failed, passed) = (number("failed"), number("passed"));
                self.counts =
                    Some(TestCounts { run: failed + passed, failed, skipped: number("skipped") + number("todo") });
            }
        } else if self.is_listing && line.starts_with("  ") {
            self.listed(line);
        } else if line.trim_start().starts_with("at ")
            && let Some(name) = &self.current
            && let Some(slot @ None) = self.failed.get_mut(name)
        {
            let at = line.trim_start().trim_start_matches("at ").trim_end_matches(')');
            let at = at.rsplit_once('(').map_or(at, |(_, at)| at);
            *slot = place(at).map(|(place, _)| place).filter(|place| !place.file.contains("node_modules"));
        } else if line.is_empty() && self.listed.is_empty() {
            self.is_listing = self.is_listing && self.blocks.is_empty();
        }
    }

    fn finish(self: Box<Self>) -> Option<Measured> {
        let mut counts = self.counts?;
        let suites = self.suites.len() as u64;
        counts.run += suites;
        counts.failed += suites;
        let mut tests = Tests { counts, ..Tests::default() };
        for (name, ended) in
            self.listed.iter().filter(|(name, ended)| **ended != Ended::Failed && !self.failed.contains_key(*name))
        {
            tests.name(name, *ended, None);
        }
        for (name, place) in self.failed {
            tests.name(&name, Ended::Failed, place);
        }
        Some(Measured::of_tests(CheckFormat::Jest, tests))
    }
}

/// One file of jest's or vitest's JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suite {
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    assertion_results: Vec<Assertion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(default)]
    ancestor_titles: Vec<String>,
    title: String,
    status: String,
    #[serde(default)]
    failure_messages: Vec<String>,
}

/// What the JSON says. A file that failed without a failed test could not be run.
pub fn of_json(format: CheckFormat, suites: Vec<Suite>) -> Measured {
    let mut tests = Tests::default();
    for suite in suites {
        let mut any_failed = false;
        for test in &suite.assertion_results {
            let ended = match test.status.as_str() {
                "passed" => Ended::Passed,
                "failed" => Ended::Failed,
                _ => Ended::Skipped,
            };
            any_failed |= ended == Ended::Failed;
            let parts: Vec<&str> = std::iter::once(suite.name.as_str())
                .chain(test.ancestor_titles.iter().map(String::as_str))
                .chain([test.title.as_str()])
                .collect();
            let at = test
                .failure_messages
                .iter()
                .flat_map(|message| message.lines())
                .find_map(|line| in_file(line, &suite.name));
            let place = if ended == Ended::Failed { at.or(Some(Place::new(&suite.name, None))) } else { None };
            tests.add(&parts.join(SEPARATOR), ended, place);
        }
        if suite.status == "failed" && !any_failed {
            tests.add(&suite.name, Ended::Failed, Some(Place::new(&suite.name, None)));
        }
    }
    Measured::of_tests(format, tests)
}

/// `    at Object.toBe (/a/sum.test.js:8:23)`, if it is in this file.
fn in_file(line: &str, file: &str) -> Option<Place> {
    let at = line.trim_start().strip_prefix("at ")?;
    let rest = &at[at.find(file)?..];
    place(rest).map(|(place, _)| place).filter(|place| place.file == file)
}
