//! JUnit's XML, as test runners of all languages write it.
//! There is no one schema; read is what Jenkins, pytest, nextest, vitest, Maven and Gradle agree on. Does not know which wrote it.

use std::collections::BTreeMap;

use super::{line::place, xml::Element};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Ended, Measured, Place, Tests},
};

/// The state while elements come.
#[derive(Default)]
pub struct Junit {
    tests: Tests,
    suite: String,
    case: Option<Case>,
    is_in_failure: bool,
}

struct Case {
    name: String,
    file: Option<String>,
    line: Option<u32>,
    ended: Ended,
    found: Option<Place>,
}

impl Junit {
    /// Takes an element.
    pub fn element(&mut self, element: Element) {
        match element {
            Element::Begin(name, attributes) => match name.as_str() {
                "testsuite" => self.suite = attributes.get("name").cloned().unwrap_or_default(),
                "testcase" => self.case = Some(self.begin(&attributes)),
                "failure" | "error" => {
                    self.is_in_failure = true;
                    let message = attributes.get("message").cloned().unwrap_or_default();
                    if let Some(case) = &mut self.case {
                        case.ended = Ended::Failed;
                        case.look(&message);
                    }
                }
                "skipped" => {
                    if let Some(case) = self.case.as_mut().filter(|case| case.ended != Ended::Failed) {
                        // An expected failure of pytest ran.
                        let is_run = attributes.get("type").is_some_and(|kind| kind == "pytest.xfail");
                        case.ended = if is_run { Ended::Passed } else { Ended::Skipped };
                    }
                }
                _ => {}
            },
            Element::Text(text) => {
                if let Some(case) = self.case.as_mut().filter(|_| self.is_in_failure) {
                    case.look(&text);
                }
            }
            Element::End(name) => match name.as_str() {
                "failure" | "error" => self.is_in_failure = false,
                "testcase" => {
                    if let Some(case) = self.case.take() {
                        let named = case.file.map(|file| Place::new(file, case.line));
                        let at = if case.ended == Ended::Failed { case.found.or(named) } else { None };
                        self.tests.add(&case.name, case.ended, at);
                    }
                }
                _ => {}
            },
        }
    }

    fn begin(&self, attributes: &BTreeMap<String, String>) -> Case {
        let own = attributes.get("name").map(String::as_str).unwrap_or_default();
        let class = attributes.get("classname").map(String::as_str).filter(|class| !class.is_empty());
        let class = class.unwrap_or(&self.suite);
        let name = if class.is_empty() { own.to_owned() } else { format!("{class} {own}") };
        let line = attributes.get("line").and_then(|line| line.parse().ok());
        Case { name, file: attributes.get("file").cloned(), line, ended: Ended::Passed, found: None }
    }

    /// What they said.
    pub fn finish(self) -> Measured {
        Measured::of_tests(CheckFormat::Junit, self.tests)
    }
}

impl Case {
    /// Looks for the place where it failed.
    fn look(&mut self, text: &str) {
        if self.found.is_none() {
            self.found = text.lines().rev().find_map(|line| {
                let line = line.trim();
                let line =
                    line.split_once("panicked at ").or(line.split_once("as expected at ")).map_or(line, |(_, at)| at);
                let at = line.strip_prefix("❯ ").unwrap_or(line);
                let (found, _) = place(at)?;
                let is_file = found.file.contains('.')
                    && !found.file.contains([' ', '(', '"', '<'])
                    && !found.file.contains("node_modules");
                (is_file && !found.file.starts_with('/')).then_some(found)
            });
        }
    }
}
