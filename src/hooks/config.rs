//! Our part of git's own settings of a repository: a block at the end, and nothing else of the file is touched.
//! Knows nothing of hooks' files.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::PathBuf,
};

use super::{HookName, HooksError, error::file, fence};
use crate::git::Repository;

/// The name of a hook of ours in git's settings.
pub(super) fn section(name: HookName) -> String {
    format!("orchestrate-{name}")
}

fn path(repository: &Repository) -> PathBuf {
    let path = repository.common_dir().join("config");
    // Where it is a link, what it leads to is changed.
    path.canonicalize().unwrap_or(path)
}

/// Lines for hooks that git runs beside all others. No path is in them: git finds us as it finds every command.
pub(super) fn hook_lines(names: &[HookName]) -> String {
    let one = |name: &HookName| {
        format!("[hook \"{}\"]\n\tevent = {name}\n\tcommand = git orchestrate hook {name}\n", section(*name))
    };
    names.iter().map(one).collect()
}

/// Lines that bring in settings of ours from a file beside git's own. What they set, stands in no file that others change:
/// whoever sets the same key finds one value, sets it, and is beaten by ours, which comes last.
pub(super) fn include_lines(path: &str) -> String {
    format!("[include]\n\tpath = {path}\n")
}

/// A file of settings that names a directory of hooks.
pub(super) fn path_settings(dir: &std::path::Path) -> String {
    let value = dir.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("[core]\n\thooksPath = \"{value}\"\n")
}

/// Puts our lines in, in place of those that we had; `None` takes them away. Says whether anything changed.
pub(super) fn set(repository: &Repository, lines: Option<&str>) -> Result<bool, HooksError> {
    let path = path(repository);
    let before = fs::read(&path).map_err(file(&path, "cannot be read"))?;
    // Our block is ASCII; what else stands there is kept byte by byte.
    let text = String::from_utf8(before).map_err(|_| HooksError::File {
        path: path.clone(),
        what: "cannot be changed",
        source: std::io::Error::other("it is not UTF-8"),
    })?;
    let rest = fence::take_out(&text).map_or_else(|| text.clone(), |taken| taken.rest);
    let after = lines.map_or_else(|| rest.clone(), |lines| fence::append(&rest, lines));
    if after == text {
        return Ok(false);
    }
    // As git does: whoever has the lock may write.
    let lock = path.with_file_name("config.lock");
    let mut locked = OpenOptions::new().write(true).create_new(true).open(&lock).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            HooksError::Locked(lock.clone())
        } else {
            file(&lock, "cannot be made")(error)
        }
    })?;
    let written = fs::metadata(&path)
        .and_then(|metadata| locked.set_permissions(metadata.permissions()))
        .and_then(|()| locked.write_all(after.as_bytes()))
        .and_then(|()| locked.sync_all())
        .and_then(|()| fs::rename(&lock, &path));
    if written.is_err() {
        let _ = fs::remove_file(&lock);
    }
    written.map_err(file(&path, "cannot be written"))?;
    Ok(true)
}

/// Our lines, if there are any.
pub(super) fn lines(repository: &Repository) -> Option<String> {
    let text = fs::read(path(repository)).ok()?;
    Some(fence::take_out(&String::from_utf8_lossy(&text))?.lines)
}
