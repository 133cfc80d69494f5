//! One step as people and programs are shown it.
//! Knows nothing of where a record was read, nor how its signature was checked.

use serde::Serialize;

use super::task::word;
use crate::model::{
    money::{Money, Tokens},
    object::CommitId,
    record::{Actor, ChangedFile, Outcome, Record, RefusedFile},
    task::TaskId,
    verdict::{RequiredChange, Status},
    workflow::PhaseId,
};

/// What is known of the signature of a step's commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SignatureView {
    /// By a key that `.handoff/allowed_signers` allows.
    Good {
        /// Whose key it is, as that file says.
        principal: String,
    },
    /// Right, but by a key that the file does not name.
    Unknown {
        /// The key's fingerprint.
        key: String,
    },
    /// It does not belong to this commit.
    Bad,
    /// There is none.
    Missing,
    /// Nobody looked.
    Unchecked,
}

/// One step of a task.
#[derive(Debug, Clone, Serialize)]
pub struct StepView {
    /// The task.
    pub task: TaskId,
    /// 1 for the task's first step.
    pub seq: u32,
    /// The phase.
    pub phase: PhaseId,
    /// The attempt at the phase, from 1.
    pub attempt: u32,
    /// Who did it: the agent's name, the gate's profile, `person` or `land`.
    pub agent: String,
    /// The model, if one did it.
    pub model: Option<String>,
    /// How it ended.
    #[serde(serialize_with = "word")]
    pub outcome: Outcome,
    /// What a reviewer decided.
    pub verdict: Option<Status>,
    /// One line, why it ended so.
    pub reason: String,
    /// The agent's last words.
    pub summary: String,
    /// The changes that a reviewer requires.
    pub findings: Vec<RequiredChange>,
    /// What passed through models.
    pub tokens: Tokens,
    /// What it cost, if it is known.
    #[serde(rename = "cost_usd")]
    pub cost: Option<Money>,
    /// Milliseconds.
    pub duration_ms: u64,
    /// When it began, RFC 3339.
    pub started: String,
    /// The commit that holds it.
    pub commit: Option<CommitId>,
    /// What is known of that commit's signature.
    pub signature: SignatureView,
    /// Files it changed.
    pub files: Vec<ChangedFile>,
    /// Files that were not taken.
    pub refused: Vec<RefusedFile>,
    /// Whether it is a gate's verdict that was remembered from the same tree.
    pub remembered: bool,
}

impl StepView {
    /// The view of a record; the commit and its signature are what the caller knows of them.
    pub fn new(record: &Record, commit: Option<CommitId>, signature: SignatureView) -> Self {
        let model = match &record.actor {
            Actor::Agent { model, .. } => model.clone(),
            Actor::Gate { .. } | Actor::Person { .. } | Actor::Land => None,
        };
        let verdict = record.verdict();
        Self {
            task: record.task.clone(),
            seq: record.seq,
            phase: record.phase.clone(),
            attempt: record.attempt,
            agent: record.actor.name().to_owned(),
            model,
            outcome: record.outcome,
            verdict: verdict.map(|verdict| verdict.status),
            reason: record.reason.clone(),
            summary: record.summary.clone(),
            findings: verdict.map(|verdict| verdict.required_changes.clone()).unwrap_or_default(),
            tokens: record.tokens,
            cost: record.cost_usd,
            duration_ms: record.duration_ms,
            started: record.started.clone(),
            commit,
            signature,
            files: record.changed.clone(),
            refused: record.refused.clone(),
            remembered: record.gate.as_ref().is_some_and(|gate| gate.remembered),
        }
    }

    /// How it ended in one word: a review's verdict, else the outcome.
    pub fn word(&self) -> &'static str {
        match (self.outcome, self.verdict) {
            (Outcome::Infra, _) | (_, None) => self.outcome.word(),
            (_, Some(verdict)) => verdict.word(),
        }
    }
}
