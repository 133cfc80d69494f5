//! The Test Anything Protocol, versions 12 to 14, with subtests.
//! The source is <https://testanything.org/tap-version-14-specification.html>. Does not know who writes it.

use super::{
    jest::SEPARATOR,
    line::{LineParser, place},
};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Ended, Measured, Tests},
};

/// Subtests in subtests.
const DEPTH_MAX: usize = 64;
/// Spaces that a subtest is indented by.
const INDENT: usize = 4;

/// The state while lines come.
#[derive(Default)]
pub struct Tap {
    tests: Tests,
    /// The subtests that are open, the outermost first.
    open: Vec<String>,
    last_failed: Option<String>,
    planned: Option<u64>,
    top: u64,
    is_seen: bool,
    broken: Option<String>,
}

impl Tap {
    fn point(&mut self, depth: usize, is_ok: bool, rest: &str) {
        let rest = rest.trim_start();
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        let rest = rest.strip_prefix("- ").unwrap_or(rest);
        let directive = rest.rfind(" # ").map(|at| (rest[..at].trim_end(), rest[at + 3..].to_ascii_lowercase()));
        let (own, directive) = directive.unwrap_or((rest, String::new()));
        let own = own.strip_suffix('{').unwrap_or(own).trim_end();
        self.open.truncate(depth);
        let parts: Vec<&str> = self.open.iter().map(String::as_str).chain([own]).collect();
        let name = parts.join(SEPARATOR);
        let ended = match (is_ok, directive.split([' ', ':']).next().unwrap_or_default()) {
            (_, "skip" | "skipped" | "todo") => Ended::Skipped,
            (true, _) => Ended::Passed,
            (false, _) => Ended::Failed,
        };
        self.top += u64::from(depth == 0);
        self.last_failed = (ended == Ended::Failed).then(|| name.clone());
        self.tests.add(&name, ended, None);
    }
}

impl LineParser for Tap {
    fn line(&mut self, line: &str) {
        let text = line.trim_start_matches(' ');
        let depth = ((line.len() - text.len()) / INDENT).min(DEPTH_MAX);
        let after = |word: &str| text.strip_prefix(word).filter(|rest| rest.is_empty() || rest.starts_with(' '));
        if let Some(rest) = after("ok") {
            self.point(depth, true, rest);
        } else if let Some(rest) = after("not ok") {
            self.point(depth, false, rest);
        } else if let Some(name) = text.strip_prefix("# Subtest: ") {
            self.open.truncate(depth);
            if self.open.len() == depth {
                self.open.push(name.to_owned());
            }
        } else if line.starts_with("TAP version ") {
            self.is_seen = true;
        } else if let Some(why) = line.strip_prefix("Bail out!") {
            self.broken.get_or_insert_with(|| format!("bailed out:{why}"));
        } else if depth == 0
            && let Some(plan) = line.strip_prefix("1..")
            && let Ok(count) = plan.split(' ').next().unwrap_or_default().parse()
        {
            self.planned = Some(count);
        } else if let Some(at) = text.strip_prefix("location: ")
            && let Some((found, _)) = place(at.trim_matches('\''))
            && let Some(case) = self.last_failed.as_ref().and_then(|name| self.tests.cases.get_mut(name))
        {
            case.place.get_or_insert(found);
        }
    }

    fn finish(self: Box<Self>) -> Option<Measured> {
        let is_whole = self.planned.is_some_and(|planned| planned > 0 && self.top > 0);
        if !(is_whole || self.is_seen && self.planned.is_some()) {
            return None;
        }
        let missing = self.planned.filter(|planned| *planned > self.top);
        let broken = self.broken.or(missing.map(|planned| format!("{} of {planned} planned tests ran", self.top)));
        Some(Measured::of_tests(CheckFormat::Tap, self.tests).and_broken(broken))
    }
}
