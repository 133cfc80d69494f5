//! Every way in which the demo cannot be given.
//! Does not know what went wrong for the tasks in it: that is the end of a run, not an error.

use std::{io, path::PathBuf};

use crate::{git::GitError, handoff::error::HandoffError, run::RunError, sys::process::StartError};

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The directory that was asked for holds something.
    #[error("'{}' is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// A program that the demo needs is missing.
    #[error("no program '{program}' in PATH, and the demo needs it {why}")]
    NoProgram {
        /// Its name.
        program: &'static str,
        /// What for.
        why: &'static str,
    },
    /// A file or directory could not be made.
    #[error("'{}' cannot be made: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// git could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// git refused.
    #[error("'git {command}' failed:\n  {said}")]
    GitRefused {
        /// Its first words.
        command: String,
        /// The end of what it wrote.
        said: String,
    },
    /// The key could not be made, or the repository not be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file below `.handoff/` could not be written.
    #[error(transparent)]
    Handoff(#[from] HandoffError),
    /// The run could not start.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What is told was not taken.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl DemoError {
    /// One line to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotEmpty(_) => Some("git orchestrate demo --dir <new directory>".to_owned()),
            Self::NoProgram { program: "cargo", .. } => Some("install Rust: https://rustup.rs".to_owned()),
            Self::NoProgram { program, .. } => Some(format!("install '{program}'")),
            Self::Start(error) => error.hint(),
            Self::Git(error) => error.hint(),
            Self::Handoff(error) => error.hint(),
            Self::Run(error) => error.hint(),
            Self::File { .. } => Some("git orchestrate demo --dir <directory that you may write>".to_owned()),
            Self::GitRefused { .. } | Self::Output(_) => None,
        }
    }
}
