//! The tool `search`: lines of files that a regular expression matches, without what ignore rules leave out.
//! Knows nothing of languages.

use std::{
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use regex::bytes::{Regex, RegexBuilder};
use serde_json::{Value, json};

use super::{
    arguments::Arguments,
    ground::{Ground, read_in},
    pattern::Files,
    read::is_binary,
    refusal::Refusal,
    tool::{Said, ToolSpec},
    walk::walk,
};
use crate::{sys::process::Cancel, text};

/// Lines given at once.
const MATCHES_MAX: usize = 200;
/// Lines given of one file, so that one file does not hide the others.
const MATCHES_OF_FILE_MAX: usize = 40;
/// Lines around a match that can be asked for.
const CONTEXT_LINES_MAX: usize = 10;
/// Bytes given at once.
const SHOWN_BYTES_MAX: usize = 64 << 10;
/// Columns of a line that are given.
const LINE_COLUMNS_MAX: usize = 300;
/// Bytes of a file that is searched; a larger one is seldom written by a person.
const FILE_BYTES_MAX: usize = 4 << 20;
/// Bytes of a pattern.
const PATTERN_BYTES_MAX: usize = 4096;
/// Bytes that a compiled pattern may take.
const REGEX_BYTES_MAX: usize = 4 << 20;
/// How long it may take.
const WALL: Duration = Duration::from_secs(20);
/// Directories in directories.
const DEPTH_MAX: usize = 64;

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "search",
        description: format!(
            "Searches the files of the worktree, line by line, for a regular expression (Rust syntax: no look-around, no \
             back references). Each match comes as 'path:line: text'. What ignore rules leave out, binary files and files \
             over {} are not searched. At most {MATCHES_MAX} lines.",
            text::bytes(FILE_BYTES_MAX as u64)
        ),
        parameters: json!({
            "type": "object",
            "properties": {
                "pattern": {"type": "string", "description": "the regular expression"},
                "path": {"type": "string", "description": "the directory or file to search; default '.', the worktree"},
                "glob": {"type": "string", "description": "only files that match, such as '*.rs' or 'src/**/*.ts'"},
                "ignore_case": {"type": "boolean", "description": "upper and lower case are the same"},
                "literal": {"type": "boolean", "description": "'pattern' is plain text, not a regular expression"},
                "context": {"type": "integer", "description": "lines to show before and after each match; default 0"},
            },
            "required": ["pattern"],
        }),
    }
}

pub(super) fn call(ground: &Ground, cancel: &Cancel, values: &Value) -> Result<Said, Refusal> {
    let arguments = Arguments::new(values, &["pattern", "path", "glob", "ignore_case", "literal", "context"])?;
    let pattern = arguments.text("pattern")?;
    let path = arguments.optional("path")?.filter(|path| !path.is_empty()).unwrap_or(".");
    let files = Files::new(arguments.optional("glob")?)?;
    let context = (arguments.number("context")?.unwrap_or(0) as usize).min(CONTEXT_LINES_MAX);
    let regex = compile(pattern, arguments.flag("literal")?, arguments.flag("ignore_case")?)?;
    let mut search = Search { regex, context, shown: String::new(), matches: 0, cut: None, skipped: 0 };
    let left = if ground.directory(path)?.is_some() {
        let until = Instant::now() + WALL;
        walk(ground, path, DEPTH_MAX, &mut |seen| {
            if Instant::now() >= until {
                search.cut = Some("it took too long; search a part of the worktree");
            }
            if search.cut.is_some() || cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            if seen.kind.is_file() && files.has(seen.path) {
                match read_in(seen.dir, seen.name, FILE_BYTES_MAX) {
                    Some(bytes) => search.file(seen.path, &bytes),
                    None => search.skipped += 1,
                }
            }
            ControlFlow::Continue(())
        })?
    } else {
        let bytes = ground.read(path, FILE_BYTES_MAX)?;
        if is_binary(&bytes) {
            return Err(Refusal::Call(format!("'{path}' is a binary file")));
        }
        search.file(&ground.resolved(path)?, &bytes);
        Default::default()
    };
    let mut shown = search.shown;
    if search.matches == 0 {
        shown.push_str("[no match]\n");
    }
    if let Some(why) = search.cut {
        shown.push_str(&format!("[there may be more: {why}]\n"));
    } else if left.is_cut {
        shown.push_str("[there may be more: the worktree has more files than are searched]\n");
    }
    if search.skipped > 0 {
        let count = text::count(search.skipped as u64, "file");
        shown.push_str(&format!("[{count} not searched: too large or unreadable]\n"));
    }
    let found = text::count(search.matches as u64, "match");
    let what = format!("'{}' in {path}: {found}", text::cut(&text::clean_line(pattern), 60));
    Ok(Said::new(shown, what))
}

fn compile(pattern: &str, is_literal: bool, ignore_case: bool) -> Result<Regex, Refusal> {
    let wrong = |why: String| Refusal::Call(format!("'pattern' is wrong: {why}"));
    if pattern.is_empty() || pattern.len() > PATTERN_BYTES_MAX {
        return Err(wrong(format!("it must have 1 to {PATTERN_BYTES_MAX} bytes")));
    }
    let escaped = if is_literal { regex::escape(pattern) } else { pattern.to_owned() };
    RegexBuilder::new(&escaped)
        .case_insensitive(ignore_case)
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|error| wrong(format!("{error}\n(set 'literal' to search for it as plain text)")))
}

/// What was found so far.
struct Search {
    regex: Regex,
    context: usize,
    shown: String,
    matches: usize,
    cut: Option<&'static str>,
    skipped: usize,
}

impl Search {
    fn file(&mut self, path: &Path, bytes: &[u8]) {
        if is_binary(bytes) {
            return;
        }
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').map(without_return).collect();
        let name = text::clean_line(&path.to_string_lossy());
        let (mut of_file, mut shown_to) = (0, 0);
        for (at, line) in lines.iter().enumerate() {
            if !self.regex.is_match(line) || (line.is_empty() && at + 1 == lines.len()) {
                continue;
            }
            if self.matches >= MATCHES_MAX || self.shown.len() >= SHOWN_BYTES_MAX {
                self.cut = Some("that is as much as is shown at once; search for less");
                return;
            }
            if of_file >= MATCHES_OF_FILE_MAX {
                self.shown.push_str(&format!("{name}: [more in this file]\n"));
                return;
            }
            self.matches += 1;
            of_file += 1;
            let from = at.saturating_sub(self.context).max(shown_to);
            if self.context > 0 && shown_to > 0 && from > shown_to {
                self.shown.push_str("--\n");
            }
            let to = (at + 1 + self.context).min(lines.len());
            for (number, line) in lines.iter().enumerate().take(to).skip(from) {
                let mark = if self.regex.is_match(line) { ':' } else { '-' };
                let line = text::cut(&text::clean_bytes(line).replace('\n', " "), LINE_COLUMNS_MAX);
                self.shown.push_str(&format!("{name}{mark}{}{mark} {line}\n", number + 1));
            }
            shown_to = shown_to.max(to);
        }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
