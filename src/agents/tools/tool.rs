//! What every tool is: how a model is told of it, what it has to say, and what a command needs.
//! Knows nothing of which tools there are.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, time::Duration};

use serde_json::Value;

use crate::sys::process::{Cancel, Label, Supervisor};

/// A tool as a model is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does and within which limits.
    pub description: String,
    /// Its arguments, a JSON schema of type `object`.
    pub parameters: Value,
}

/// What a tool has to say.
#[derive(Debug)]
pub(super) struct Said {
    pub text: String,
    pub detail: String,
    pub is_error: bool,
}

impl Said {
    /// It went well.
    pub fn new(text: impl Into<String>, detail: String) -> Self {
        Self { text: text.into(), detail, is_error: false }
    }
}

/// Whether commands may be run, how long one may take, and how much of its output the model gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPolicy {
    /// Whether there is `run` at all; a role that may only read never has it.
    pub allowed: bool,
    /// How long one command may take.
    pub wall: Duration,
    /// Bytes of its output that are given.
    pub output_bytes_max: usize,
}

impl Default for RunPolicy {
    fn default() -> Self {
        Self { allowed: true, wall: Duration::from_secs(600), output_bytes_max: 32 << 10 }
    }
}

/// What `run` needs.
#[derive(Debug)]
pub(super) struct Shell<'a> {
    pub cwd: PathBuf,
    pub policy: RunPolicy,
    pub env: BTreeMap<OsString, OsString>,
    pub label: Label,
    pub supervisor: &'a Supervisor,
    pub cancel: &'a Cancel,
}
