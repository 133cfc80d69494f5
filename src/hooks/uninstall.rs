//! Takes our hooks away again; what was there before is as it was, byte for byte.
//! Knows nothing of how they got there: it looks everywhere.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use super::{HookName, HooksError, chain, config, error::file, fence, install, place::Place};
use crate::git::Repository;

/// How other programs name a hook that was there before theirs.
const ASIDE: [&str; 3] = ["", ".legacy", ".old"];

/// Takes them away and says where they were.
///
/// # Errors
/// When a file cannot be changed.
pub fn uninstall(repository: &Repository) -> Result<Vec<PathBuf>, HooksError> {
    let place = Place::of(repository)?;
    let mut gone = Vec::new();
    if config::set(repository, None)? {
        gone.push(repository.common_dir().join("config"));
    }
    if chain::remove(repository)? {
        gone.push(chain::dir(repository));
    }
    let mut dirs = vec![repository.default_hooks_dir()];
    if place.is_inside(repository) && place.dir != dirs[0] {
        dirs.push(place.dir);
    }
    for dir in dirs {
        for name in HookName::ALL {
            for aside in ASIDE {
                let path = dir.join(format!("{name}{aside}"));
                if take_out(repository, name, &path)? {
                    gone.push(path);
                }
            }
        }
    }
    Ok(gone)
}

fn take_out(repository: &Repository, name: HookName, path: &std::path::Path) -> Result<bool, HooksError> {
    let Ok(bytes) = fs::read(path) else { return Ok(false) };
    let Ok(text) = String::from_utf8(bytes) else { return Ok(false) };
    let Some(taken) = fence::take_out(&text) else { return Ok(false) };
    if taken.lines != fence::beside(name) && taken.lines != fence::alone(name) {
        install::keep(repository, name, &taken.lines)?;
    }
    if fence::is_bare(&taken.rest) && taken.lines != fence::beside(name) {
        fs::remove_file(path).map_err(file(path, "cannot be removed"))?;
        if let Some(dir) = path.parent().filter(|_| fence::made_directory(&taken.rest)) {
            // Somebody else may have put something into it; then it stays.
            let _ = fs::remove_dir(dir);
        }
    } else {
        let mode = fs::metadata(path).map_or(0o755, |metadata| metadata.permissions().mode());
        install::write(path, &taken.rest, mode)?;
    }
    Ok(true)
}
