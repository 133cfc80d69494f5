//! `go test`: plain, with `-v`, and with `-json`.
//! A package whose tests are not told one by one counts as one test. Does not know of compilers' messages but for their place.

use serde::Deserialize;

use super::line::{LineParser, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{CASES_MAX, Ended, Measured, Place, Tests},
};

/// The state while lines come.
#[derive(Default)]
pub struct GoTest {
    tests: Tests,
    /// Of the package that is being told of: it is named behind its tests.
    open: Vec<(String, Ended, Option<Place>)>,
    pending: Option<Place>,
    is_after_failure: bool,
    /// The package whose compiler messages come, and their first place.
    building: Option<(String, Option<Place>)>,
    builds: Vec<(String, Place)>,
    /// Packages with at least one failed test, in JSON.
    failed: Vec<String>,
    is_seen: bool,
}

/// A line of `go test -json`; the source is `go doc test2json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    package: Option<String>,
    test: Option<String>,
    output: Option<String>,
}

impl GoTest {
    fn event(&mut self, event: Event) {
        let package = event.package.unwrap_or_default();
        let ended = match event.action.as_str() {
            "pass" => Ended::Passed,
            "fail" => Ended::Failed,
            "skip" => Ended::Skipped,
            "run" => {
                self.is_seen = true;
                self.pending = None;
                return;
            }
            "output" => {
                if self.pending.is_none() {
                    self.pending = event.output.as_deref().and_then(|line| own_place(line.trim()));
                }
                return;
            }
            _ => return,
        };
        self.is_seen = true;
        match event.test {
            Some(test) => {
                if ended == Ended::Failed && self.failed.len() < CASES_MAX {
                    self.failed.push(package.clone());
                }
                let place = if ended == Ended::Failed { self.pending.take() } else { None };
                self.tests.add(&format!("{package}.{test}"), ended, place);
            }
            None if ended == Ended::Failed && !self.failed.contains(&package) => {
                let place = self.build_place(&package);
                self.tests.add(&package, Ended::Failed, place);
            }
            None => {}
        }
    }

    fn build_place(&self, package: &str) -> Option<Place> {
        self.builds.iter().find(|(own, _)| own == package).map(|(_, place)| place.clone())
    }

    /// `--- FAIL: TestGroup/inner (0.00s)`
    fn case(&mut self, text: &str) -> Option<()> {
        let rest = text.strip_prefix("--- ")?;
        let (word, rest) = rest.split_once(": ")?;
        let ended = match word {
            "PASS" => Ended::Passed,
            "FAIL" => Ended::Failed,
            "SKIP" => Ended::Skipped,
            _ => return None,
        };
        let name = rest.rsplit_once(" (").map_or(rest, |(name, _)| name);
        let place = if ended == Ended::Failed { self.pending.take() } else { None };
        self.is_after_failure = ended == Ended::Failed;
        if self.open.len() < CASES_MAX {
            self.open.push((name.to_owned(), ended, place));
        }
        Some(())
    }

    /// `ok  \texample.org/a\t0.002s`, `FAIL\texample.org/b [build failed]`
    fn package(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once('\t')?;
        let ended = match word.trim_end() {
            "ok" => Ended::Passed,
            "FAIL" => Ended::Failed,
            _ => return None,
        };
        self.is_seen = true;
        let package = rest.split(['\t', ' ']).next().unwrap_or(rest).to_owned();
        let open = std::mem::take(&mut self.open);
        let is_explained = open.iter().any(|(_, its, _)| *its == Ended::Failed);
        if open.is_empty() || (ended == Ended::Failed && !is_explained) {
            let place = self.build_place(&package);
            self.tests.add(&package, ended, place);
        }
        for (name, ended, place) in open {
            self.tests.add(&format!("{package}.{name}"), ended, place);
        }
        (self.pending, self.is_after_failure) = (None, false);
        Some(())
    }
}

/// A place in Go code that is the project's: not in the frames of the library that runs the tests.
fn own_place(text: &str) -> Option<Place> {
    let (found, _) = place(text)?;
    let is_library = ["/src/testing/", "/src/runtime/", "/pkg/mod/"].iter().any(|part| found.file.contains(part));
    (found.file.ends_with(".go") && !is_library).then_some(found)
}

impl LineParser for GoTest {
    fn line(&mut self, line: &str) {
        if line.starts_with("{\"") {
            if let Ok(event) = serde_json::from_str::<Event>(line) {
                self.event(event);
            }
            return;
        }
        let text = line.trim_start();
        if let Some(package) = line.strip_prefix("# ") {
            let package = package.split(' ').next().unwrap_or(package);
            self.building = Some((package.to_owned(), None));
        } else if self.case(text).is_some() {
        } else if text.starts_with("=== RUN ") {
            (self.pending, self.is_after_failure) = (None, false);
        } else if self.package(line).is_none()
            && let Some(found) = own_place(text)
        {
            if let Some((package, _)) = self.building.take() {
                if self.builds.len() < CASES_MAX {
                    self.builds.push((package, found));
                }
            } else if self.is_after_failure && text.len() < line.len() {
                if let Some((_, _, place @ None)) = self.open.last_mut() {
                    *place = Some(found);
                }
            } else {
                self.pending.get_or_insert(found);
            }
        }
    }

    fn finish(self: Box<Self>) -> Option<Measured> {
        self.is_seen.then(|| Measured::of_tests(CheckFormat::GoTest, self.tests))
    }
}
