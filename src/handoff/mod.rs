//! The files of `.handoff/`: tasks, workflows, checkpoints, records; read, checked, written, kept compatible.
//! Knows nothing of git; where a text comes from a commit, the caller brings it.

pub mod checkpoints;
pub mod disk;
pub mod error;
pub mod import;
pub mod init;
pub mod landings;
pub mod layout;
pub mod message;
pub mod records;
pub mod tasks;
pub mod workflows;
