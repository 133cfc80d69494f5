//! Reads the output of a check, whatever it is: every parser of lines sees each line, a document is read at the end.
//! Holds a bounded part of it, however much there is. Does not know how the check ended.

use std::borrow::Cow;

use super::{
    cargo_test::CargoTest, clippy::Clippy, document, eslint::Eslint, go_test::GoTest, jest::Jest, lcov::Lcov,
    line::LineParser, mypy::Mypy, nextest::Nextest, pytest::Pytest, ruff::Ruff, semver_checks::SemverChecks, tap::Tap,
    vitest::Vitest,
};
use crate::{config::settings::CheckFormat, gate::measured::Measured, text::clean_bytes};

/// Bytes of standard output that are held for a document in it.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 20;
/// Lines that are tried as the beginning of a document.
const BEGINNINGS_MAX: usize = 8;

/// Reads lines as they come.
pub struct Reader {
    wanted: Option<CheckFormat>,
    parsers: Vec<Box<dyn LineParser>>,
    has_document: bool,
}

/// What a line is without: the text before the last carriage return, colours, bytes that are no text.
fn plain(line: &[u8]) -> Cow<'_, str> {
    let line = line.rsplit(|b| *b == b'\r').find(|part| !part.is_empty()).unwrap_or_default();
    match str::from_utf8(line) {
        Ok(text) if !line.contains(&0x1b) => Cow::Borrowed(text.trim_end()),
        Ok(_) | Err(_) => Cow::Owned(clean_bytes(line).trim_end().to_owned()),
    }
}

impl Reader {
    /// For output of this format; none: of any that is known.
    pub fn new(wanted: Option<CheckFormat>) -> Self {
        let parsers: Vec<Box<dyn LineParser>> = match wanted {
            None => {
                let all: [fn() -> Box<dyn LineParser>; 13] = [
                    || Box::<CargoTest>::default(),
                    || Box::<Nextest>::default(),
                    || Box::<Pytest>::default(),
                    || Box::<GoTest>::default(),
                    || Box::<Jest>::default(),
                    || Box::<Vitest>::default(),
                    || Box::<Tap>::default(),
                    || Box::<Clippy>::default(),
                    || Box::<Ruff>::default(),
                    || Box::<Mypy>::default(),
                    || Box::<Eslint>::default(),
                    || Box::<Lcov>::default(),
                    || Box::<SemverChecks>::default(),
                ];
                all.iter().map(|make| make()).collect()
            }
            Some(CheckFormat::CargoTest) => vec![Box::<CargoTest>::default(), Box::<Clippy>::default()],
            Some(CheckFormat::Nextest) => vec![Box::<Nextest>::default(), Box::<Clippy>::default()],
            Some(CheckFormat::Pytest) => vec![Box::<Pytest>::default()],
            Some(CheckFormat::GoTest) => vec![Box::<GoTest>::default()],
            Some(CheckFormat::Jest) => vec![Box::<Jest>::default()],
            Some(CheckFormat::Vitest) => vec![Box::<Vitest>::default()],
            Some(CheckFormat::Tap) => vec![Box::<Tap>::default()],
            Some(CheckFormat::Clippy) => vec![Box::<Clippy>::default()],
            Some(CheckFormat::Ruff) => vec![Box::<Ruff>::default()],
            Some(CheckFormat::Mypy) => vec![Box::<Mypy>::default()],
            Some(CheckFormat::Eslint) => vec![Box::<Eslint>::default()],
            Some(CheckFormat::Lcov) => vec![Box::<Lcov>::default()],
            Some(CheckFormat::SemverChecks) => vec![Box::<SemverChecks>::default()],
            // Documents only, or nothing at all.
            Some(
                CheckFormat::Junit
                | CheckFormat::Sarif
                | CheckFormat::Cobertura
                | CheckFormat::LlvmCov
                | CheckFormat::None,
            ) => Vec::new(),
        };
        Self { wanted, parsers, has_document: false }
    }

    /// Takes a line.
    pub fn line(&mut self, line: &[u8]) {
        if self.wanted == Some(CheckFormat::None) {
            return;
        }
        self.has_document |= matches!(line.first(), Some(b'{' | b'[' | b'<'));
        if self.parsers.is_empty() {
            return;
        }
        let line = plain(line);
        for parser in &mut self.parsers {
            parser.line(&line);
        }
    }

    /// What was read. `stdout` is what was held of standard output, all of it or nothing.
    pub fn finish(self, stdout: Option<&[u8]>) -> Measured {
        let mut all = Measured::default();
        for parser in self.parsers {
            if let Some(measured) = parser.finish() {
                all.join(measured);
            }
        }
        if self.has_document && self.wanted != Some(CheckFormat::None) {
            match stdout {
                Some(stdout) => {
                    if let Some(document) = in_output(stdout) {
                        all.prefer(document);
                    }
                }
                None if all.formats.is_empty() => all.unread.push(format!(
                    "standard output has more than {}, too much for a document",
                    crate::text::bytes(DOCUMENT_BYTES_MAX as u64)
                )),
                None => {}
            }
        }
        all
    }
}

/// The first document of a known format in an output.
fn in_output(stdout: &[u8]) -> Option<Measured> {
    let mut at = 0;
    let mut tried = 0;
    for line in stdout.split_inclusive(|b| *b == b'\n') {
        let first = line.first().copied().unwrap_or_default();
        let found = match first {
            b'{' | b'[' => document::json(&stdout[at..], first).ok().flatten(),
            b'<' => document::xml(&stdout[at..]).ok().flatten(),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        tried += usize::from(matches!(first, b'{' | b'[' | b'<'));
        if tried >= BEGINNINGS_MAX {
            return None;
        }
        at += line.len();
    }
    None
}
