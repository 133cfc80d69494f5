//! Programs that are started with nothing of the user's settings, and must succeed.
//! Knows nothing of which programs these are.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The command with `home` as its home, none of the machine's git settings, nothing to read and nowhere to say anything.
pub fn closed<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    command
        .env("HOME", home)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("XDG_DATA_HOME")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
}

/// Runs a command, which must succeed.
pub fn run(command: &mut Command) {
    let status = command.status().expect("a program that starts");
    assert!(status.success(), "{command:?}: {status}");
}
