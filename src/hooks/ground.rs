//! What hooks judge by: the repository, its configuration, and where checkouts may be made.
//! Knows nothing of how they judge.

use std::path::Path;

use crate::{config::settings::Settings, git::Repository, secrets::Scanner, sys::process::Cancel};

/// What hooks judge by.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The configuration; the default one where there is none.
    pub settings: &'a Settings,
    /// Knows secrets.
    pub secrets: &'a Scanner,
    /// The directory of all worktrees.
    pub worktrees: &'a Path,
    /// Stops the gate.
    pub cancel: &'a Cancel,
}

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What, and why; further lines say where.
    pub message: String,
    /// What to type.
    pub hint: Option<String>,
}

impl Refusal {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}
