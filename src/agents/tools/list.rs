//! The tool `list`: what is in a directory, without what ignore rules leave out.
//! Reads no file but `.gitignore`.

use std::ops::ControlFlow;

use rustix::fs::FileType;
use serde_json::{Value, json};

use super::{
    arguments::Arguments,
    ground::{Ground, bytes_in, link_in},
    pattern::Files,
    refusal::Refusal,
    tool::{Said, ToolSpec},
    walk::walk,
};
use crate::text;

/// Entries given at once.
const ENTRIES_MAX: usize = 1000;
/// Directories in directories that can be asked for.
const DEPTH_MAX: usize = 16;

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "list",
        description: format!(
            "Lists a directory of the worktree: a line each, directories with '/' at the end, files with their size. What \
             ignore rules leave out is not shown. At most {ENTRIES_MAX} entries."
        ),
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "the directory; default '.', the worktree"},
                "depth": {"type": "integer", "description": format!("how many levels of directories; default 1, at most {DEPTH_MAX}")},
                "glob": {"type": "string", "description": "only files that match, such as '*.rs' or 'src/**/*.ts'"},
            },
        }),
    }
}

pub(super) fn call(ground: &Ground, values: &Value) -> Result<Said, Refusal> {
    let arguments = Arguments::new(values, &["path", "depth", "glob"])?;
    let path = arguments.optional("path")?.filter(|path| !path.is_empty()).unwrap_or(".");
    let glob = arguments.optional("glob")?.filter(|glob| !glob.is_empty());
    let files = Files::new(glob)?;
    // Who names files by a glob wants them wherever they are.
    let usual = if glob.is_some() { DEPTH_MAX } else { 1 };
    let depth = arguments.number("depth")?.map_or(usual, |depth| (depth as usize).clamp(1, DEPTH_MAX));
    let (mut shown, mut entries, mut more) = (String::new(), 0usize, false);
    let left = walk(ground, path, depth, &mut |seen| {
        let is_shown = if glob.is_some() { !seen.kind.is_dir() && files.has(seen.path) } else { true };
        if !is_shown {
            return ControlFlow::Continue(());
        }
        if entries >= ENTRIES_MAX {
            more = true;
            return ControlFlow::Break(());
        }
        entries += 1;
        let name = text::clean_line(&seen.path.to_string_lossy());
        let line = match seen.kind {
            FileType::Directory => format!("{name}/"),
            FileType::Symlink => {
                format!("{name} -> {}", text::clean_line(&link_in(seen.dir, seen.name).unwrap_or_default()))
            }
            FileType::RegularFile => {
                format!("{name}  {}", bytes_in(seen.dir, seen.name).map(text::bytes).unwrap_or_default())
            }
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => format!("{name}  (not a file)"),
        };
        shown.push_str(line.trim_end());
        shown.push('\n');
        ControlFlow::Continue(())
    })?;
    if entries == 0 {
        shown.push_str(if glob.is_some() { "[no file matches]\n" } else { "[nothing in it]\n" });
    }
    if more || left.is_cut {
        shown.push_str(&format!("[there are more; {} shown]\n", text::count(entries as u64, "entry")));
    }
    if left.ignored > 0 {
        shown.push_str(&format!("[{} left out by ignore rules]\n", text::count(left.ignored as u64, "entry")));
    }
    if left.unreadable > 0 {
        let count = text::count(left.unreadable as u64, "directory");
        shown.push_str(&format!("[{count} could not be read]\n"));
    }
    let found = text::count(entries as u64, "entry");
    Ok(Said::new(shown, format!("{path}: {found}")))
}
