//! pytest, with names or without.
//! Does not know what the tests print; only the summary and the lines before the failures count.

use std::collections::BTreeMap;

use super::line::{LineParser, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{CASES_MAX, Ended, Measured, Place, Tests},
    model::record::TestCounts,
};

/// The state while lines come.
#[derive(Default)]
pub struct Pytest {
    part: Part,
    cases: BTreeMap<String, Ended>,
    /// By the title of a failure: `TestOld.test_label`.
    places: BTreeMap<String, Place>,
    title: String,
    counts: Option<TestCounts>,
    broken: Option<String>,
}

#[derive(Default, PartialEq, Eq)]
enum Part {
    #[default]
    Running,
    Failures,
    Summary,
}

impl Pytest {
    fn put(&mut self, name: &str, word: &str) {
        let ended = match word {
            "PASSED" | "XFAIL" | "XPASS" => Ended::Passed,
            "FAILED" | "ERROR" => Ended::Failed,
            "SKIPPED" => Ended::Skipped,
            _ => return,
        };
        // A test that passed and whose teardown went wrong is told twice.
        let is_worse = self.cases.get(name).is_none_or(|known| *known != Ended::Failed);
        if is_worse && self.cases.len() < CASES_MAX {
            self.cases.insert(name.to_owned(), ended);
        }
    }

    /// `test_shop.py::test_total PASSED      [ 12%]`
    fn verbose(&mut self, line: &str) -> Option<()> {
        let (rest, percent) = line.strip_suffix("%]")?.rsplit_once('[')?;
        percent.trim().parse::<u32>().ok()?;
        let rest = rest.trim_end();
        let words = ["PASSED", "FAILED", "SKIPPED", "XFAIL", "XPASS", "ERROR"];
        let (word, at) =
            words.iter().filter_map(|word| Some((word, rest.rfind(&format!(" {word}"))?))).max_by_key(|(_, at)| *at)?;
        let name = &rest[..at];
        name.contains("::").then(|| self.put(name, word))
    }

    fn summary(&mut self, line: &str) {
        let Some((word, rest)) = line.split_once(' ') else { return };
        match word {
            // Its name is not told, its place is; the verbose lines have the name.
            "SKIPPED" => {}
            "FAILED" | "ERROR" | "PASSED" | "XFAIL" | "XPASS" => {
                let name = rest.split_once(" - ").map_or(rest, |(name, _)| name);
                self.put(name.trim_end(), word);
            }
            _ => {}
        }
    }

    /// `== 2 failed, 3 passed, 1 skipped in 0.02s ==`
    fn end(&mut self, line: &str) -> Option<()> {
        let (counts, time) = line.trim_matches('=').trim().rsplit_once(" in ")?;
        time.split(['s', ' ']).next()?.parse::<f64>().ok()?;
        let mut found = TestCounts::default();
        if counts != "no tests ran" {
            for part in counts.split(", ") {
                let (number, word) = part.split_once(' ')?;
                let number: u64 = number.parse().ok()?;
                match word {
                    "passed" | "xfailed" | "xpassed" => found.run += number,
                    "failed" | "error" | "errors" => {
                        found.run += number;
                        found.failed += number;
                    }
                    "skipped" => found.skipped += number,
                    "warning" | "warnings" | "deselected" | "rerun" | "subtests passed" => {}
                    _ => return None,
                }
            }
        }
        self.counts = Some(found);
        Some(())
    }
}

impl LineParser for Pytest {
    fn line(&mut self, line: &str) {
        let is_rule = line.starts_with("====");
        if is_rule && line.contains(" short test summary info ") {
            self.part = Part::Summary;
        } else if is_rule && (line.contains(" FAILURES ") || line.contains(" ERRORS ")) {
            self.part = Part::Failures;
        } else if is_rule && line.contains(" test session starts ") {
            self.part = Part::Running;
        } else if line.starts_with("INTERNALERROR>") {
            self.broken.get_or_insert_with(|| line.to_owned());
        } else if line.ends_with('=')
            || line.starts_with(|c: char| c.is_ascii_digit())
            || line.starts_with("no tests ran")
        {
            let _ = self.end(line);
        } else {
            match self.part {
                Part::Running => drop(self.verbose(line)),
                Part::Failures if line.starts_with("____") && line.ends_with("____") => {
                    let title = line.trim_matches('_').trim();
                    let title = title
                        .strip_prefix("ERROR at ")
                        .and_then(|rest| rest.split_once(" of "))
                        .map_or(title, |(_, own)| own);
                    self.title = title.strip_prefix("ERROR collecting ").unwrap_or(title).to_owned();
                }
                Part::Failures => {
                    // `test_shop.py:14: AssertionError`; of several the last is the deepest.
                    if !line.starts_with([' ', '>', '-'])
                        && let Some((found, _)) = place(line)
                        && self.places.len() < CASES_MAX
                    {
                        self.places.insert(self.title.clone(), found);
                    }
                }
                Part::Summary => self.summary(line),
            }
        }
    }

    fn finish(self: Box<Self>) -> Option<Measured> {
        let counts = self.counts?;
        let mut tests = Tests { counts, ..Tests::default() };
        for (name, ended) in &self.cases {
            let (file, own) = name.split_once("::").unwrap_or((name, name));
            let place = self.places.get(&own.replace("::", ".")).cloned();
            let file = Place::new(file, None);
            let place = if *ended == Ended::Failed { place.or(Some(file)) } else { None };
            tests.name(name, *ended, place);
        }
        Some(Measured::of_tests(CheckFormat::Pytest, tests).and_broken(self.broken))
    }
}
