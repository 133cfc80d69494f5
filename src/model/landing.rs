//! The record of a landing: the evidence that the merge of a task carries.
//! Knows nothing of merging, nor of how the gate came to its verdict.

use serde::{Deserialize, Serialize};

use super::{
    object::{CommitId, TreeId},
    record::GateVerdict,
    task::TaskId,
};

/// The version of the format that this program writes.
pub const LANDING_SCHEMA: u32 = 1;

/// What was put onto what, and who let it pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// [`LANDING_SCHEMA`].
    pub schema: u32,
    /// The task; none where the integration branch was merged into a person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The merge's first parent.
    pub onto: CommitId,
    /// The merge's second parent: the task's last step, or the integration branch.
    pub tip: CommitId,
    /// The code tree of the merge.
    pub code: TreeId,
    /// The tasks that were gated together, in the order in which they were merged. The verdict is that on the last merge,
    /// and stands in its record alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batch: Vec<TaskId>,
    /// What the gate said of `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateVerdict>,
    /// The text whose digest the verdict's `definition` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// The configuration that the gate was read from, if neither parent has it in `.handoff/config.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
}
