//! What is to be run, within which limits, and why it may not start.
//! Starts nothing.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};

/// Where programs are looked for if the environment of the child has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A program with its words, its place and its surroundings.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its name or path, and its arguments. A name is looked for in the `PATH` of `env`.
    pub argv: Vec<OsString>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// All its variables: nothing is inherited.
    pub env: BTreeMap<OsString, OsString>,
    /// What it reads; afterwards its input ends.
    pub stdin: Vec<u8>,
    /// How long it may take and how much of its output is kept.
    pub limits: ProcessLimits,
    /// What it is run for.
    pub label: Label,
}

/// How long a child may take and how much of its output is kept. It may write more: the rest is read and dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessLimits {
    /// How long it may take in all.
    pub wall: Duration,
    /// How long it may write nothing to either output; none: as long as it likes.
    pub idle: Option<Duration>,
    /// Bytes of stdout that are kept.
    pub stdout_bytes_max: usize,
    /// Bytes of stderr that are kept.
    pub stderr_bytes_max: usize,
}

/// What a child is run for; it stands in its record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Label {
    /// The worker's slot.
    pub slot: String,
    /// The task's id.
    pub task: String,
    /// The phase's id.
    pub phase: String,
}

/// Why a child could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such program.
    #[error("no program '{program}' in PATH")]
    NotFound {
        /// As it was named.
        program: String,
    },
    /// There is such a file, but it is no program, or not ours to run, or what its `#!` names is missing.
    #[error("'{program}' cannot be executed")]
    NotExecutable {
        /// Its path.
        program: String,
    },
    /// The directory it was to run in is not there.
    #[error("cannot start '{program}': no directory '{}'", cwd.display())]
    NoDirectory {
        /// As it was named.
        program: String,
        /// The directory.
        cwd: PathBuf,
    },
    /// Its arguments and variables are more than the system takes.
    #[error("cannot start '{program}': its arguments are too long for this system")]
    ArgumentsTooLong {
        /// As it was named.
        program: String,
    },
    /// Another reason of the system, such as no memory or too many processes.
    #[error("cannot start '{program}': {source}")]
    Other {
        /// As it was named.
        program: String,
        /// The reason.
        source: io::Error,
    },
}

impl StartError {
    /// What to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { program } => Some(format!("install '{program}', or give its whole path")),
            Self::NotExecutable { program } => Some(format!("chmod +x '{program}'")),
            Self::NoDirectory { .. } | Self::ArgumentsTooLong { .. } | Self::Other { .. } => None,
        }
    }
}

/// The program of that name: in the first directory of `path` (in the form of `PATH`) that has one which may be executed.
/// A name with a `/` is a path and stays as it is. Relative directories in `path` are passed over: what they name
/// depends on where one stands, and a worktree is full of files that somebody else wrote.
pub fn find_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    find(OsStr::new(name), path)
}

fn find(name: &OsStr, path: &OsStr) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    if is_path(name) {
        return is_executable(Path::new(name)).then(|| PathBuf::from(name));
    }
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|file| is_executable(file))
}

fn is_path(name: &OsStr) -> bool {
    name.as_encoded_bytes().contains(&b'/')
}

fn is_executable(file: &Path) -> bool {
    file.is_file() && access(file, Access::EXEC_OK).is_ok()
}

impl Program {
    /// Its name for people.
    pub(super) fn name(&self) -> String {
        self.argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The file to execute, by its absolute path.
    pub(super) fn file(&self) -> Result<PathBuf, StartError> {
        let name = self.argv.first().map(OsString::as_os_str).unwrap_or_default();
        if is_path(name) {
            let file = self.cwd.join(name);
            return match (is_executable(&file), file.exists()) {
                (true, _) => Ok(file),
                (false, true) => Err(StartError::NotExecutable { program: self.name() }),
                (false, false) => Err(StartError::NotFound { program: self.name() }),
            };
        }
        let path = self.env.get(OsStr::new("PATH")).map_or(OsStr::new(DEFAULT_PATH), OsString::as_os_str);
        find(name, path).ok_or_else(|| StartError::NotFound { program: self.name() })
    }

    /// What a failed start means.
    pub(super) fn start_error(&self, source: io::Error) -> StartError {
        let program = self.name();
        match source.kind() {
            ErrorKind::ArgumentListTooLong => StartError::ArgumentsTooLong { program },
            _ if !self.cwd.is_dir() => StartError::NoDirectory { program, cwd: self.cwd.clone() },
            // It was there a moment ago, so it is the interpreter that is missing.
            ErrorKind::NotFound | ErrorKind::PermissionDenied => StartError::NotExecutable { program },
            _ if source.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
                StartError::NotExecutable { program }
            }
            _ => StartError::Other { program, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_absolute_directories_only() {
        assert_eq!(find_program("sh", OsStr::new("/nowhere:/bin")), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find_program("/bin/sh", OsStr::new("")), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find_program("sh", OsStr::new(":.:../../../../../../../../bin")), None);
        assert_eq!(find_program("passwd", OsStr::new("/etc")), None, "not executable");
        assert_eq!(find_program("", OsStr::new("/bin")), None);
    }

    #[test]
    fn errors_say_what_to_do() {
        let error = StartError::NotFound { program: "codex".to_owned() };
        assert_eq!(error.to_string(), "no program 'codex' in PATH");
        assert!(error.hint().is_some_and(|hint| hint.starts_with("install 'codex'")));
    }
}
