//! Diagnostics of rustc and clippy as cargo passes them on: its text, or its JSON a line each.
//! Does not know which of them the project minds.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::line::{LineParser, place};
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Measured, Place, WARNINGS_MAX, Warning, Warnings},
    text::{clean_line, cut},
};

/// Columns of a message that are kept while it is read.
const TEXT_COLUMNS_MAX: usize = 300;

/// The state while lines come.
#[derive(Default)]
pub struct Clippy {
    /// The same line is told once for the library and once for its tests.
    seen: BTreeSet<Warning>,
    open: Option<Open>,
    /// Whether a lint was said to be denied: others of the kind are then told without a word of it.
    has_denied: bool,
    bare_errors: Vec<String>,
    errors: u64,
    broken: Option<String>,
    is_seen: bool,
}

/// A diagnostic whose lines come.
struct Open {
    is_error: bool,
    code: String,
    text: String,
    place: Option<Place>,
    is_lint: bool,
}

/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>
#[derive(Deserialize)]
struct Message {
    reason: String,
    message: Option<Diagnostic>,
    success: Option<bool>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    is_primary: bool,
}

/// What stands behind `error: ` when cargo only sums up.
const SUMMARIES: [&str; 9] = [
    "could not compile",
    "aborting due to",
    "test failed",
    "test run failed",
    "doctest failed",
    "build failed",
    "targets failed",
    "target failed",
    "could not document",
];

fn is_error_code(code: &str) -> bool {
    code.strip_prefix('E').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

impl Clippy {
    fn put(&mut self, place: Place, rule: &str, text: &str) {
        if self.seen.len() < WARNINGS_MAX {
            let (rule, text) = (rule.to_owned(), cut(&clean_line(text), TEXT_COLUMNS_MAX));
            self.seen.insert(Warning { file: place.file, rule, text, line: place.line });
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let Some(place) = open.place else {
            // It has no place: something that is wrong with the build itself, or a summary.
            let is_summary = SUMMARIES.iter().any(|summary| open.text.contains(summary));
            if open.is_error && !is_summary {
                self.broken.get_or_insert(open.text);
            }
            return;
        };
        self.is_seen = true;
        if open.is_error {
            self.errors += 1;
            if is_error_code(&open.code) {
                self.broken.get_or_insert_with(|| format!("does not compile: {}", open.text));
            } else if !open.is_lint {
                self.bare_errors.push(open.text.clone());
                self.bare_errors.truncate(1);
            }
            self.has_denied |= open.is_lint;
        }
        // The text names a lint only the first time, so it cannot be gone by.
        let rule = if is_error_code(&open.code) { open.code.as_str() } else { "" };
        self.put(place, rule, &open.text);
    }

    fn json(&mut self, line: &str) {
        let Ok(message) = serde_json::from_str::<Message>(line) else { return };
        self.is_seen |= matches!(message.reason.as_str(), "compiler-message" | "build-finished");
        if message.reason == "build-finished" && message.success == Some(false) && self.errors == 0 {
            self.broken.get_or_insert_with(|| "the build failed".to_owned());
        }
        let Some(diagnostic) = message.message.filter(|_| message.reason == "compiler-message") else { return };
        let is_error = diagnostic.level.starts_with("error");
        let Some(span) = diagnostic.spans.iter().find(|span| span.is_primary) else {
            let is_summary = SUMMARIES.iter().any(|summary| diagnostic.message.contains(summary));
            if is_error && !is_summary {
                self.broken.get_or_insert(diagnostic.message);
            }
            return;
        };
        let code = diagnostic.code.map(|code| code.code).unwrap_or_default();
        if is_error {
            self.errors += 1;
            if code.is_empty() || is_error_code(&code) {
                self.broken.get_or_insert_with(|| format!("does not compile: {}", diagnostic.message));
            }
        }
        let place = Place::new(&span.file_name, Some(span.line_start));
        self.put(place, &code, &diagnostic.message);
    }
}

impl LineParser for Clippy {
    fn line(&mut self, line: &str) {
        if line.starts_with("{\"reason\":") {
            return self.json(line);
        }
        let begins = line.strip_prefix("warning: ").map(|text| (false, String::new(), text));
        let begins = begins.or_else(|| line.strip_prefix("error: ").map(|text| (true, String::new(), text)));
        let begins = begins.or_else(|| {
            let (code, text) = line.strip_prefix("error[")?.split_once("]: ")?;
            Some((true, code.to_owned(), text))
        });
        if let Some((is_error, code, text)) = begins {
            self.close();
            let text = cut(&clean_line(text), TEXT_COLUMNS_MAX);
            self.open = Some(Open { is_error, code, text, place: None, is_lint: false });
        } else if line.is_empty() {
            self.close();
        } else if let Some(open) = &mut self.open {
            let text = line.trim_start();
            if let Some(at) = text.strip_prefix("--> ").filter(|_| open.place.is_none()) {
                open.place = place(at).map(|(place, _)| place);
            } else if let Some(note) = text.strip_prefix("= ") {
                let signs = ["`-D ", "`#[deny(", "`#[forbid(", "`-F ", "rust-clippy/", "`#[warn("];
                open.is_lint |= signs.iter().any(|sign| note.contains(sign));
            }
        }
    }

    fn finish(mut self: Box<Self>) -> Option<Measured> {
        self.close();
        if !self.is_seen {
            return None;
        }
        if !self.has_denied
            && let Some(text) = self.bare_errors.pop()
        {
            self.broken.get_or_insert_with(|| format!("does not compile: {text}"));
        }
        let mut warnings = Warnings::default();
        for warning in self.seen {
            warnings.add(Place::new(warning.file, warning.line), &warning.rule, &warning.text);
        }
        warnings.is_refusal = self.errors > 0;
        Some(Measured::of_warnings(CheckFormat::Clippy, warnings).and_broken(self.broken))
    }
}
