//! mypy: its text, and its JSON a line each.
//! Does not know of notes, which only explain.

use serde::Deserialize;

use super::line::{LineParser, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Measured, Place, Warnings},
};

/// The state while lines come.
#[derive(Default)]
pub struct Mypy {
    warnings: Warnings,
    is_seen: bool,
    broken: Option<String>,
}

/// A line of `--output=json`.
#[derive(Deserialize)]
struct Item {
    file: String,
    line: i64,
    message: String,
    code: Option<String>,
    severity: String,
}

impl LineParser for Mypy {
    fn line(&mut self, line: &str) {
        if line.starts_with("{\"file\":") {
            let Ok(item) = serde_json::from_str::<Item>(line) else { return };
            self.is_seen = true;
            if item.severity == "error" {
                let place = Place::new(item.file, u32::try_from(item.line).ok().filter(|line| *line > 0));
                self.warnings.add(place, item.code.as_deref().unwrap_or_default(), &item.message);
            }
        } else if line.starts_with("Success: no issues found in ") {
            self.is_seen = true;
        } else if line.starts_with("Found ")
            && line.contains(" error")
            && line.contains(" in ")
            && line.contains(" file")
        {
            self.is_seen = true;
            if line.contains("errors prevented further checking") {
                self.broken = Some(line.to_owned());
            }
        } else if let Some((found, rest)) = place(line)
            && let Some(text) = rest.strip_prefix(" error: ")
        {
            let (text, code) = match text.strip_suffix(']').and_then(|text| text.rsplit_once("  [")) {
                Some((text, code)) => (text, code),
                None => (text, ""),
            };
            self.warnings.add(found, code, text);
        }
    }

    fn finish(mut self: Box<Self>) -> Option<Measured> {
        self.warnings.is_refusal = self.warnings.count > 0;
        self.is_seen.then(|| Measured::of_warnings(CheckFormat::Mypy, self.warnings).and_broken(self.broken))
    }
}
