//! What a task is going to touch, as a view: what is said of it, what is there of that, and what it may touch beside that.
//! Knows nothing of who meets whom.

use serde::Serialize;

/// Who says that a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SaidBy {
    /// The task's `files`.
    Task,
    /// The plan that it follows.
    Plan,
}

/// What a task is going to touch.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ClaimView {
    /// Globs that it says it writes, and who says so.
    pub says: Vec<SaysView>,
    /// Files that are there and that those name, the first of them.
    pub files: Vec<String>,
    /// Files that it may touch beside them, the likeliest.
    pub may_touch: Vec<TouchView>,
}

/// A glob that somebody says a task writes.
#[derive(Debug, Clone, Serialize)]
pub struct SaysView {
    /// As it was written.
    pub glob: String,
    /// Who says so.
    pub by: SaidBy,
}

/// A file that a task may touch.
#[derive(Debug, Clone, Serialize)]
pub struct TouchView {
    /// From the root.
    pub path: String,
    /// How likely, in percent.
    pub percent: u8,
    /// Why.
    pub why: String,
}
