//! eslint: its `stylish` text and its JSON.
//! Does not know which rules there are.

use serde::Deserialize;

use super::line::LineParser;
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Measured, Place, Warnings},
};

/// The state while lines come.
#[derive(Default)]
pub struct Eslint {
    warnings: Warnings,
    file: String,
    has_errors: bool,
    is_seen: bool,
}

impl Eslint {
    /// `  2:7   warning  text  rule`
    fn item(&mut self, line: &str) -> Option<()> {
        let (at, rest) = line.strip_prefix("  ")?.trim_start().split_once(' ')?;
        let (row, column) = at.split_once(':')?;
        let (row, _) = (row.parse::<u32>().ok()?, column.parse::<u32>().ok()?);
        let (severity, rest) = rest.trim_start().split_once("  ")?;
        if severity != "error" && severity != "warning" {
            return None;
        }
        let (text, rule) = rest.trim().rsplit_once("  ").unwrap_or((rest.trim(), ""));
        self.has_errors |= severity == "error";
        self.warnings.add(Place::new(&self.file, Some(row)), rule, text.trim_end());
        Some(())
    }
}

impl LineParser for Eslint {
    fn line(&mut self, line: &str) {
        if line.starts_with("✖ ") && line.contains(" problem") {
            self.is_seen = true;
        } else if line.starts_with("ESLint found too many warnings") {
            self.has_errors = true;
        } else if line.starts_with(' ') {
            let _ = self.item(line);
        } else if !line.is_empty() {
            line.clone_into(&mut self.file);
        }
    }

    fn finish(mut self: Box<Self>) -> Option<Measured> {
        self.warnings.is_refusal = self.has_errors;
        self.is_seen.then(|| Measured::of_warnings(CheckFormat::Eslint, self.warnings))
    }
}

/// One file of its JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    file_path: String,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    rule_id: Option<String>,
    message: String,
    line: Option<u32>,
}

/// What the JSON says. With `--max-warnings` warnings refuse too, which it does not say.
pub fn of_json(files: Vec<File>) -> Measured {
    let mut warnings = Warnings::default();
    for file in files {
        for message in file.messages {
            let place = Place::new(&file.file_path, message.line);
            // In the text it has no full stop; the two are the same warning.
            let text = message.message.strip_suffix('.').unwrap_or(&message.message);
            warnings.add(place, message.rule_id.as_deref().unwrap_or_default(), text);
        }
    }
    warnings.is_refusal = warnings.count > 0;
    Measured::of_warnings(CheckFormat::Eslint, warnings)
}
