//! A directory of hooks of our own, for where nothing can be put into the one that is there: each runs the old one.
//! Knows nothing of which of them judge.

use std::{fs, path::PathBuf};

use super::{HookName, HooksError, config, error::file, fence, install, place::Place};
use crate::{git::Repository, handoff::layout::HOOKS_DIR};

/// The file in it that names it to git.
const SETTINGS: &str = "config";
/// Finds the directory that git would look into without us when it is run, not when it was written: who sets
/// `core.hooksPath` later means it. What is relative, is so to where the hook runs, in each worktree.
const PLAIN: &str = "#!/bin/sh
# Runs the hook that would run without git-orchestrate.
own=${0%/*} old=
while IFS= read -r dir; do
    [ -z \"$dir\" ] || [ \"$dir\" = \"$own\" ] || old=$dir
done <<DIRECTORIES
$(git config --type=path --get-all core.hooksPath)
DIRECTORIES
[ -n \"$old\" ] || old=$(git rev-parse --git-common-dir)/hooks
[ -x \"$old/HOOK\" ] || exit 0
exec \"$old/HOOK\" \"$@\"
";
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
    repository.common_dir().join(HOOKS_DIR)
}

/// The settings that lead git to it, below the common git directory.
pub(super) fn settings() -> String {
    format!("{HOOKS_DIR}/{SETTINGS}")
}

/// The scripts: each client hook, ours in three of them.
pub(super) fn scripts(repository: &Repository, place: &Place, names: &[HookName]) -> Vec<(PathBuf, String)> {
    let own = dir(repository);
    let script = |hook: &&str| {
        let plain = PLAIN.replace("HOOK", hook);
        let ours = names.iter().find(|name| name.word() == *hook);
        let text = ours.and_then(|name| fence::insert(&plain, *name)).unwrap_or(plain);
        (own.join(hook), text)
    };
    let is_there = |hook: &&&str| **hook != "reference-transaction" || place.dir.join(hook).exists();
    CLIENT_HOOKS.iter().filter(is_there).map(script).collect()
}

/// Writes them, and the settings.
pub(super) fn write(repository: &Repository, scripts: &[(PathBuf, String)]) -> Result<(), HooksError> {
    let dir = dir(repository);
    fs::create_dir_all(&dir).map_err(file(&dir, "cannot be made"))?;
    for (path, text) in scripts {
        install::write(path, text, 0o755)?;
    }
    let path = dir.join(SETTINGS);
    fs::write(&path, config::path_settings(&dir)).map_err(file(&path, "cannot be written"))
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
