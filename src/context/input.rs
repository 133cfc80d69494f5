//! Everything that a prompt is made of, gathered by whoever starts the step.
//! Does not know which parts a template uses, nor how much of them fits.

use serde::{Deserialize, Serialize};

use crate::{
    agents::request::Structure,
    model::{
        checkpoint::Checkpoint,
        object::{BlobId, CommitId},
        plan::PlanStep,
        task::{Task, TaskId},
        workflow::{Access, PhaseId, Role},
    },
};

/// What one step's prompt is made of.
#[derive(Debug, Clone)]
pub struct PromptInput<'a> {
    /// The task; its words are the user's and are given as they are.
    pub task: &'a Task,
    /// How far it has come.
    pub checkpoint: &'a Checkpoint,
    /// The phase.
    pub phase: &'a PhaseId,
    /// The role that is played.
    pub role: &'a Role,
    /// What the agent may do to the files.
    pub access: Access,
    /// The structure that the answer must have, if any.
    pub structure: Option<Structure>,
    /// The plan step that the phase was unfolded for.
    pub plan_step: Option<&'a PlanStep>,
    /// What earlier attempts were told, oldest first.
    pub feedback: &'a [String],
    /// What earlier phases of the task said at their end, in order.
    pub summaries: Vec<(PhaseId, String)>,
    /// What tasks said at their end that this one depends on.
    pub dependencies: Vec<Dependency>,
    /// The project's rules, the most important first.
    pub rules: Vec<Rule>,
    /// Files to read first, the most important first.
    pub files: Vec<ContextFileText>,
    /// What is reviewed, or was changed so far, as a diff.
    pub diff: Option<String>,
    /// The plan as JSON; none: that of the checkpoint, if it has one.
    pub plan_json: Option<String>,
    /// The commit that the task's changes are made on.
    pub base: CommitId,
}

/// A task that is depended on, after it landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The task.
    pub id: TaskId,
    /// Its title.
    pub title: String,
    /// Its last words.
    pub summary: String,
}

/// Rules that the work should follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Where they stand: `AGENTS.md`, `.handoff/config.toml`.
    pub source: String,
    /// Their content in the repository, if they are a file of it.
    pub blob: Option<BlobId>,
    /// The rules.
    pub text: String,
}

/// A file that the agent should read first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextFileText {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Its content; none: only its path is told.
    pub content: Option<FileText>,
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileText {
    /// The blob it is.
    pub blob: BlobId,
    /// The text, bytes that are not UTF-8 replaced.
    pub text: String,
}
