//! The tool `read`: lines of a file, each with its number.
//! Knows nothing of what the file is about.

use serde_json::{Value, json};

use super::{
    arguments::Arguments,
    ground::Ground,
    refusal::Refusal,
    tool::{Said, ToolSpec},
};
use crate::text;

/// Bytes of a file that can be read at all.
pub(super) const FILE_BYTES_MAX: usize = 16 << 20;
/// Lines given at once.
const LINES_MAX: usize = 2000;
/// Bytes given at once.
const SHOWN_BYTES_MAX: usize = 96 << 10;
/// Bytes of a line that are given.
const LINE_BYTES_MAX: usize = 2000;
/// Bytes at a file's beginning in which a zero says that it is no text; as many as git looks at.
const LOOKED_AT_BYTES: usize = 8000;

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "read",
        description: format!(
            "Reads a text file of the worktree. Each line comes as its number, a tab and its text. At most {LINES_MAX} \
             lines at once; give 'from' and 'lines' for a part."
        ),
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "the file, relative to the worktree"},
                "from": {"type": "integer", "description": "the first line to read; default 1"},
                "lines": {"type": "integer", "description": "how many lines to read"},
            },
            "required": ["path"],
        }),
    }
}

pub(super) fn call(ground: &Ground, values: &Value) -> Result<Said, Refusal> {
    let arguments = Arguments::new(values, &["path", "from", "lines"])?;
    let path = arguments.text("path")?;
    let from = arguments.number("from")?.unwrap_or(1).max(1) as usize;
    let lines_max = arguments.number("lines")?.map_or(LINES_MAX, |lines| (lines as usize).clamp(1, LINES_MAX));
    let bytes = match ground.read(path, FILE_BYTES_MAX) {
        Err(Refusal::IsADirectory { path }) => {
            return Err(Refusal::Call(format!("'{path}' is a directory: use the tool 'list'")));
        }
        read => read?,
    };
    if is_binary(&bytes) {
        let size = text::bytes(bytes.len() as u64);
        return Ok(Said::new(format!("binary file, {size}"), format!("{path}: binary")));
    }
    if bytes.is_empty() {
        return Ok(Said::new("the file is empty", format!("{path}: empty")));
    }
    let whole = String::from_utf8_lossy(&bytes);
    let is_utf8 = matches!(whole, std::borrow::Cow::Borrowed(_));
    let lines_in_all = whole.lines().count();
    if from > lines_in_all {
        let lines = text::count(lines_in_all as u64, "line");
        return Err(Refusal::Call(format!("'{path}' has {lines}, so there is no line {from}")));
    }
    let mut shown = String::new();
    let mut last = from - 1;
    for (at, line) in whole.lines().enumerate().skip(from - 1).take(lines_max) {
        let (line, cut) = cut_line(line);
        if shown.len() + line.len() > SHOWN_BYTES_MAX {
            break;
        }
        shown.push_str(&format!("{}\t{line}{cut}\n", at + 1));
        last = at + 1;
    }
    if !is_utf8 {
        shown.push_str("[not UTF-8: what is no text is shown as U+FFFD, and 'edit' does not change this file]\n");
    }
    if last < lines_in_all {
        shown.push_str(&format!("[lines {from} to {last} of {lines_in_all}; go on with from = {}]\n", last + 1));
    }
    let detail = if from == 1 && last == lines_in_all { path.to_owned() } else { format!("{path}:{from}-{last}") };
    Ok(Said::new(shown, detail))
}

/// Whether content is no text, by what git takes for it: a zero byte near the beginning.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(LOOKED_AT_BYTES)].contains(&0)
}

fn cut_line(line: &str) -> (&str, &'static str) {
    if line.len() <= LINE_BYTES_MAX {
        return (line, "");
    }
    (&line[..line.floor_char_boundary(LINE_BYTES_MAX)], "… [line cut]")
}
