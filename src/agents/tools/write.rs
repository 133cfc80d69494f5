//! The tool `write`: a whole file, new or in place of the old one.
//! Knows nothing of what is written.

use serde_json::{Value, json};

use super::{
    arguments::Arguments,
    ground::{Ground, Written},
    refusal::Refusal,
    tool::{Said, ToolSpec},
};
use crate::text;

/// Bytes of a file that is written or changed.
pub(super) const FILE_BYTES_MAX: usize = 8 << 20;

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "write",
        description: "Writes a file of the worktree as a whole, and the directories it needs. A file that is there is \
                      replaced; to change a part of it use 'edit'."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "the file, relative to the worktree"},
                "content": {"type": "string", "description": "all of its text"},
            },
            "required": ["path", "content"],
        }),
    }
}

pub(super) fn call(ground: &Ground, values: &Value) -> Result<Said, Refusal> {
    let arguments = Arguments::new(values, &["path", "content"])?;
    let (path, content) = (arguments.text("path")?, arguments.text("content")?);
    within(content.len())?;
    let word = match ground.write(path, content.as_bytes())? {
        Written::Created => "created",
        Written::Replaced => "replaced",
    };
    let lines = text::count(content.lines().count() as u64, "line");
    Ok(Said::new(format!("{word} '{path}' with {lines}"), format!("{path}: {word}, {lines}")))
}

/// Refuses a file that is too large to be written.
pub(super) fn within(bytes: usize) -> Result<(), Refusal> {
    if bytes <= FILE_BYTES_MAX {
        return Ok(());
    }
    let (bytes, max) = (text::bytes(bytes as u64), text::bytes(FILE_BYTES_MAX as u64));
    Err(Refusal::Call(format!("the file would have {bytes}, more than the {max} that are written")))
}
