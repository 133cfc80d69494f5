//! cargo-semver-checks, and cargo-public-api's words for the same.
//! Does not know which version a change would need.

use super::line::{LineParser, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Measured, Place, Warnings},
};

/// What stands between a thing and where it is.
const PLACES: [&str; 4] = [", previously in file ", ", previously at ", " in file ", " in "];

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
        } else if line.starts_with("--- ") {
            // `--- warning …`: it does not refuse, so neither does what is listed below it.
            self.rule = None;
            self.is_listing = false;
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
            // `function sample::add, previously in file src/lib.rs:8`, `method add in trait sample::Sum in src/lib.rs:9`
            let parted = PLACES.iter().find_map(|between| {
                let (what, at) = text.rsplit_once(between)?;
                Some((what, place(at)?.0))
            });
            let (text, found) = parted.unwrap_or((text, Place::default()));
            self.warnings.add(found, rule, text);
        }
    }

    fn finish(mut self: Box<Self>) -> Option<Measured> {
        self.warnings.is_refusal = self.warnings.count > 0;
        self.is_seen.then(|| Measured::of_warnings(CheckFormat::SemverChecks, self.warnings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the form of version 0.4x: failures, then warnings, each with its list, and the summary on stderr in between.
    const OUTPUT: &str = "
     Checked [   0.041s] 245 checks: 241 pass, 3 fail, 1 warn, 0 skip

--- failure function_missing: pub fn removed or renamed ---

Description:
A publicly-visible function cannot be imported by its prior path.
        ref: https://doc.rust-lang.org/cargo/reference/semver.html#item-remove
       impl: https://github.com/obi1kenobi/cargo-semver-checks/tree/v0.41.0/src/lints/function_missing.ron

Failed in:
  function shop::total, previously in file src/lib.rs:8
  function shop::tax::rate, previously in file src/tax.rs:3

--- failure trait_method_missing: pub trait method removed or renamed ---

Description:
A trait method is no longer callable.

Failed in:
  method sum in trait shop::Sum in src/lib.rs:21
  associated constant Sum::ZERO, previously at src/lib.rs:22
  shop::Sum::add takes 1 parameters in src/lib.rs:30, but now takes 2 parameters in src/lib.rs:31

--- failure feature_missing: package feature removed or renamed ---

Failed in:
  feature json in the package's Cargo.toml

--- warning enum_must_use_added: enum #[must_use] added ---

Failed in:
  enum Coin in src/coin.rs:4

     Summary semver requires new major version: 3 major and 0 minor checks failed
";

    #[test]
    fn failures_are_told_with_their_places_and_warnings_are_not() {
        let mut parser = Box::<SemverChecks>::default();
        OUTPUT.lines().for_each(|line| parser.line(line));
        let found = parser.finish().expect("it is known").warnings.expect("findings");
        assert!(found.is_refusal);
        let told: Vec<String> = found
            .all
            .iter()
            .map(|one| format!("{} {} {}:{}", one.rule, one.text, one.file, one.line.unwrap_or_default()))
            .collect();
        assert_eq!(
            told,
            [
                "function_missing function shop::total src/lib.rs:8",
                "function_missing function shop::tax::rate src/tax.rs:3",
                "trait_method_missing method sum in trait shop::Sum src/lib.rs:21",
                "trait_method_missing associated constant Sum::ZERO src/lib.rs:22",
                "trait_method_missing shop::Sum::add takes 1 parameters in src/lib.rs:30, but now takes 2 parameters \
                 src/lib.rs:31",
                "feature_missing feature json in the package's Cargo.toml :0",
            ]
        );
    }

    #[test]
    fn what_breaks_nothing_refuses_nothing() {
        let mut parser = Box::<SemverChecks>::default();
        parser.line("     Checked [   0.041s] 245 checks: 245 pass, 0 skip");
        parser.line("     Summary no semver update required");
        let found = parser.finish().expect("it is known").warnings.expect("findings");
        assert!(!found.is_refusal && found.all.is_empty());
    }
}
