//! cargo-semver-checks, and cargo-public-api's words for the same.
//! Does not know which version a change would need.

use super::line::{LineParser, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Measured, Place, Warnings},
};

/// The state while lines come.
#[derive(Default)]
pub struct SemverChecks {
    warnings: Warnings,
    rule: Option<String>,
    is_listing: bool,
    is_seen: bool,
}

impl LineParser for SemverChecks {
    fn line(&mut self, line: &str) {
        if let Some(failure) = line.strip_prefix("--- failure ").and_then(|rest| rest.strip_suffix(" ---")) {
            self.rule = failure.split(':').next().map(str::to_owned);
            self.is_listing = false;
            self.is_seen = true;
        } else if line.trim_start().starts_with("Summary ") && line.contains("semver") {
            self.is_seen = true;
            self.is_listing = false;
        } else if line == "Failed in:" {
            self.is_listing = self.rule.is_some();
        } else if line.is_empty() {
            self.is_listing = false;
        } else if self.is_listing
            && line.starts_with("  ")
            && let Some(rule) = &self.rule
        {
            let text = line.trim();
            // `function sample::add, previously in file src/lib.rs:8`
            let parts = text
                .split_once(", previously in file ")
                .or_else(|| text.split_once(" in file "))
                .or_else(|| text.split_once(" in "));
            let (text, at) = parts.unwrap_or((text, ""));
            let found = place(at).map_or_else(Place::default, |(place, _)| place);
            self.warnings.add(found, rule, text);
        }
    }

    fn finish(mut self: Box<Self>) -> Option<Measured> {
        self.warnings.is_refusal = self.warnings.count > 0;
        self.is_seen.then(|| Measured::of_warnings(CheckFormat::SemverChecks, self.warnings))
    }
}
