//! A directory of hooks of our own, for where nothing can be put into the one that is there: each runs the old one.
//! Knows nothing of which of them judge.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{HookName, HooksError, error::file, fence, place::Place};
use crate::git::Repository;

/// The directory, below the common git directory and not among what may be deleted.
const DIRECTORY: &str = "orchestrate-hooks";
/// The hooks of a client. Those of a server, and those whose mere presence changes what git does, are not in a clone.
const CLIENT_HOOKS: [&str; 16] = [
    "applypatch-msg",
    "commit-msg",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-merge",
    "post-rewrite",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "prepare-commit-msg",
    "reference-transaction",
    "sendemail-validate",
];

/// Where it is.
pub(super) fn dir(repository: &Repository) -> PathBuf {
    repository.common_dir().join(DIRECTORY)
}

/// The scripts: each client hook, ours in three of them.
pub(super) fn scripts(repository: &Repository, place: &Place, names: &[HookName]) -> Vec<(PathBuf, String)> {
    let own = dir(repository);
    let script = |hook: &&str| {
        let old = match &place.setting {
            // As it was written: what is relative is so to where the hook runs, in each worktree.
            Some(setting) => quoted(Path::new(&setting.value)),
            None => "$(git rev-parse --git-common-dir)/hooks".to_owned(),
        };
        let plain = format!(
            "#!/bin/sh\n# Runs the hook that would run without git-orchestrate.\nold={old}\n[ -x \"$old/{hook}\" ] || exit 0\nexec \"$old/{hook}\" \"$@\"\n"
        );
        let ours = names.iter().find(|name| name.word() == *hook);
        let text = ours.and_then(|name| fence::insert(&plain, *name)).unwrap_or(plain);
        (own.join(hook), text)
    };
    let is_there = |hook: &&&str| **hook != "reference-transaction" || place.dir.join(hook).exists();
    CLIENT_HOOKS.iter().filter(is_there).map(script).collect()
}

/// Writes them.
pub(super) fn write(scripts: &[(PathBuf, String)]) -> Result<(), HooksError> {
    for (path, text) in scripts {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(file(parent, "cannot be made"))?;
        }
        fs::write(path, text).map_err(file(path, "cannot be written"))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
            .map_err(file(path, "cannot be made executable"))?;
    }
    Ok(())
}

/// Removes the directory; says whether it was there. What is in it was all written by us.
pub(super) fn remove(repository: &Repository) -> Result<bool, HooksError> {
    let dir = dir(repository);
    match fs::remove_dir_all(&dir) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(file(&dir, "cannot be removed")(error)),
    }
}

/// A path as a word of sh.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}
