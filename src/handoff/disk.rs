//! Reads and writes texts below `.handoff/` without being led astray: by size, by links, by other bytes than UTF-8.
//! Knows nothing of what the texts mean.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use super::error::HandoffError;
use crate::{
    config::{
        document::{TEXT_BYTES_MAX, too_long},
        problem::Problem,
    },
    sys::file,
};

/// The text of a file, `file` relative to `root`; none: it is not there.
///
/// # Errors
/// The problem with the file: too long, not text, led out of `root` by a link, unreadable.
pub fn read_text(root: &Path, name: &str) -> Result<Option<String>, Problem> {
    let path = root.join(name);
    let bytes = match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error),
        Ok(found) if found.is_symlink() && !file::is_inside(root, &path) => {
            return Err(Problem::new(name, "the file is a link that leads out of the repository"));
        }
        Ok(_) => file::read_limited(&path, TEXT_BYTES_MAX),
    };
    let bytes = bytes.map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => too_long(name),
        _ => Problem::new(name, format!("the file cannot be read: {}", reason(&error))),
    })?;
    text(bytes, name).map(Some)
}

/// The bytes as text.
pub(super) fn text(bytes: Vec<u8>, name: &str) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Problem::new(name, "the file is not UTF-8 text").at(line)
    })
}

/// What the system says, without its error number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.chars().take(1).flat_map(char::to_lowercase).chain(text.chars().skip(1)).collect()
}

/// Makes a directory below `root` if it is not there, but not through a link that leads out.
pub fn ensure_dir(root: &Path, name: &str) -> Result<PathBuf, HandoffError> {
    let path = root.join(name);
    if !file::is_inside(root, &path) {
        return Err(HandoffError::Outside(PathBuf::from(name)));
    }
    fs::create_dir_all(&path).map_err(|source| HandoffError::Io { doing: "create", path: path.clone(), source })?;
    Ok(path)
}

/// Writes a file below `root` that must not be there yet: whole or not at all, never over another.
pub fn write_new(root: &Path, name: &str, text: &str) -> Result<(), HandoffError> {
    let path = root.join(name);
    let (dir, _) = name.rsplit_once('/').unwrap_or(("", name));
    let dir = ensure_dir(root, dir)?;
    let failed = |source| HandoffError::Io { doing: "write", path: path.clone(), source };
    let mut temporary = tempfile::Builder::new()
        .prefix(".")
        .suffix(".tmp")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .tempfile_in(&dir)
        .map_err(failed)?;
    temporary.write_all(text.as_bytes()).map_err(failed)?;
    match temporary.persist_noclobber(&path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(HandoffError::Exists(name.into())),
        Err(error) => Err(failed(error.error)),
    }
}

/// Writes a file below `root` whether or not it is there: readers see the old text or the new one.
pub fn write_over(root: &Path, name: &str, text: &str) -> Result<(), HandoffError> {
    let (dir, _) = name.rsplit_once('/').unwrap_or(("", name));
    ensure_dir(root, dir)?;
    let path = root.join(name);
    if !file::is_inside(root, &path) {
        return Err(HandoffError::Outside(name.into()));
    }
    file::write_atomic(&path, text.as_bytes(), file::Sync::No).map_err(|source| HandoffError::Io {
        doing: "write",
        path,
        source,
    })
}
