//! ruff: its full and its concise text, and its JSON.
//! Does not know which rules there are.

use serde::Deserialize;

use super::line::{LineParser, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Measured, Place, Warnings},
};

/// The state while lines come.
#[derive(Default)]
pub struct Ruff {
    warnings: Warnings,
    /// The rule and the text whose place comes next.
    open: Option<(String, String)>,
    is_seen: bool,
}

/// `F401 [*] text` in its parts.
fn rule(text: &str) -> Option<(&str, &str)> {
    let (rule, rest) = text.split_once(' ')?;
    let rule = rule.strip_suffix(':').unwrap_or(rule);
    let letters = rule.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_code = letters.len() < rule.len() && !letters.is_empty() && letters.bytes().all(|b| b.is_ascii_uppercase());
    (is_code || rule == "invalid-syntax").then(|| (rule, rest.strip_prefix("[*] ").unwrap_or(rest)))
}

impl LineParser for Ruff {
    fn line(&mut self, line: &str) {
        if let Some(count) = line.strip_prefix("Found ").and_then(|rest| rest.split(' ').next()) {
            let is_end = line.ends_with(" error.") || line.ends_with(" errors.") || line.contains(" remaining).");
            self.is_seen |= is_end && count.parse::<u64>().is_ok();
        } else if line == "All checks passed!" {
            self.is_seen = true;
        } else if let Some(at) = line.trim_start().strip_prefix("--> ") {
            if let Some((rule, text)) = self.open.take()
                && let Some((found, _)) = place(at)
            {
                self.warnings.add(found, &rule, &text);
            }
        } else if let Some((rule, text)) = rule(line) {
            self.open = Some((rule.to_owned(), text.to_owned()));
        } else if let Some((found, rest)) = place(line)
            && let Some((rule, text)) = rule(rest.trim_start())
        {
            self.warnings.add(found, rule, text);
        }
    }

    fn finish(mut self: Box<Self>) -> Option<Measured> {
        self.warnings.is_refusal = self.warnings.count > 0;
        self.is_seen.then(|| Measured::of_warnings(CheckFormat::Ruff, self.warnings))
    }
}

/// One item of its JSON.
#[derive(Deserialize)]
pub struct Item {
    code: Option<String>,
    filename: String,
    message: String,
    location: Option<Location>,
}

#[derive(Deserialize)]
struct Location {
    row: u32,
}

/// What the JSON says.
pub fn of_json(items: Vec<Item>) -> Measured {
    let mut warnings = Warnings::default();
    for item in items {
        let line = item.location.map(|location| location.row);
        warnings.add(Place::new(item.filename, line), item.code.as_deref().unwrap_or("invalid-syntax"), &item.message);
    }
    warnings.is_refusal = warnings.count > 0;
    Measured::of_warnings(CheckFormat::Ruff, warnings)
}
