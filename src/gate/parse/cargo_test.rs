//! `cargo test`, as Rust's libtest prints it, with names or with `-q`.
//! Does not know of compilers' messages, which stand around it.

use super::line::{LineParser, number_before, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Ended, Measured, Place, Tests},
};

/// Failed tests of one program whose places are looked for.
const FAILURES_MAX: usize = 10_000;

/// The state while lines come.
#[derive(Default)]
pub struct CargoTest {
    tests: Tests,
    part: Part,
    /// Tests of this program that failed, by the lines that tell of each.
    told: Vec<String>,
    /// The same, by the list at the end.
    listed: Vec<String>,
    places: Vec<(String, Place)>,
    current: String,
    is_seen: bool,
    broken: Option<String>,
}

/// Where in the output of one test program we are.
#[derive(Default, PartialEq, Eq)]
enum Part {
    /// In none.
    #[default]
    Outside,
    /// Tests end.
    Running,
    /// What the failed tests printed.
    Failures,
    /// The names of the failed tests.
    Names,
}

impl CargoTest {
    fn case(&mut self, line: &str) {
        let told = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "));
        let quiet = line.strip_suffix(" --- FAILED").map(|name| (name, "FAILED"));
        let Some((name, ended)) = told.or(quiet) else { return };
        let (name, place) = own_name(name);
        match ended.split([',', ' ']).next().unwrap_or_default() {
            "ok" => self.tests.name(&name, Ended::Passed, place),
            "ignored" => self.tests.name(&name, Ended::Skipped, place),
            "FAILED" if self.told.len() < FAILURES_MAX => {
                if let Some(place) = place {
                    self.places.push((name.clone(), place));
                }
                self.told.push(name);
            }
            _ => {}
        }
    }

    fn failure(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.current = own_name(name).0;
            return;
        }
        let panicked = line.starts_with("thread '").then(|| line.split_once("' ")).flatten();
        let at = match panicked {
            Some((_, rest)) => rest.split_once("panicked at ").map(|(_, at)| at),
            None => line.strip_prefix("note: test did not panic as expected at "),
        };
        if let Some((place, _)) = at.and_then(place)
            && self.places.len() < FAILURES_MAX
            && !self.places.iter().any(|(name, _)| *name == self.current)
        {
            self.places.push((self.current.clone(), place));
        }
    }

    /// The end of a test program.
    fn result(&mut self, line: &str) {
        let number = |word| number_before(line, word).unwrap_or_default();
        let (passed, failed) = (number("passed"), number("failed"));
        self.tests.counts.run += passed + failed;
        self.tests.counts.failed += failed;
        self.tests.counts.skipped += number("ignored");
        let failures =
            if self.listed.is_empty() { std::mem::take(&mut self.told) } else { std::mem::take(&mut self.listed) };
        for name in failures {
            let place = self.places.iter().find(|(own, _)| *own == name).map(|(_, place)| place.clone());
            self.tests.name(&name, Ended::Failed, place);
        }
        self.told.clear();
        self.places.clear();
        self.part = Part::Outside;
    }
}

impl LineParser for CargoTest {
    fn line(&mut self, line: &str) {
        if line.starts_with("test result: ") {
            self.is_seen = true;
            return self.result(line);
        }
        let running = line.strip_prefix("running ").and_then(|rest| rest.split_once(' '));
        if running.is_some_and(|(count, word)| count.parse::<u64>().is_ok() && (word == "test" || word == "tests")) {
            self.part = Part::Running;
            return;
        }
        match self.part {
            Part::Outside => {
                // A crash of the test program, or an exit by itself, names no test.
                if line.trim_start().starts_with("process didn't exit successfully") {
                    self.broken.get_or_insert_with(|| line.trim().to_owned());
                }
            }
            Part::Running if line == "failures:" => self.part = Part::Failures,
            // It ended in the middle of its tests.
            Part::Running if line.starts_with("error: test failed") => {
                self.is_seen = true;
                self.broken.get_or_insert_with(|| "a test program ended before its tests did".to_owned());
                self.part = Part::Outside;
            }
            Part::Running => self.case(line),
            Part::Failures if line == "failures:" => {
                self.part = Part::Names;
                self.listed.clear();
            }
            Part::Failures => self.failure(line),
            Part::Names => match line.strip_prefix("    ") {
                Some(name) if self.listed.len() < FAILURES_MAX => self.listed.push(own_name(name).0),
                Some(_) => {}
                None if line.is_empty() => {}
                None => self.part = Part::Failures,
            },
        }
    }

    fn finish(self: Box<Self>) -> Option<Measured> {
        self.is_seen.then(|| Measured::of_tests(CheckFormat::CargoTest, self.tests).and_broken(self.broken))
    }
}

/// A test's name without what changes when lines move or what is not its name: `src/lib.rs - add (line 5)`.
fn own_name(name: &str) -> (String, Option<Place>) {
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    let name = name.strip_suffix(" - compile fail").or_else(|| name.strip_suffix(" - compile")).unwrap_or(name);
    let doc = name.strip_suffix(')').and_then(|name| name.rsplit_once(" (line "));
    match doc.and_then(|(own, line)| Some((own, line.parse().ok()?))) {
        Some((own, line)) => {
            let file = own.split(" - ").next().unwrap_or_default();
            (own.trim_end_matches(" -").to_owned(), Some(Place::new(file, Some(line))))
        }
        None => (name.to_owned(), None),
    }
}
