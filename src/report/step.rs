//! One step as people and programs are shown it.
//! Knows nothing of where a record was read, nor how its signature was checked.

use std::time::Duration;

use serde::Serialize;

use super::{
    look::{Ink, Look},
    task::word,
};
use crate::{
    model::{
        money::{Money, Tokens},
        object::CommitId,
        record::{Actor, ChangedFile, Decision, ModelCall, Outcome, Record, RefusedFile, Usage},
        task::TaskId,
        verdict::{RequiredChange, Status},
        workflow::PhaseId,
    },
    text,
};

/// Columns that a part of a step's line is padded to at most; a longer one stands out.
const PADDED_COLUMNS_MAX: usize = 24;

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
    /// Why that agent: the rule, who was passed over, what history said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub chosen: String,
    /// How it ended.
    #[serde(serialize_with = "word")]
    pub outcome: Outcome,
    /// What a reviewer decided.
    pub verdict: Option<Status>,
    /// What a person decided: `approve`, `retry`, `skip`, `allow` or `abort`.
    pub decision: Option<&'static str>,
    /// One line, why it ended so.
    pub reason: String,
    /// The agent's last words.
    pub summary: String,
    /// The changes that a reviewer requires.
    pub findings: Vec<RequiredChange>,
    /// The commit that the task's changes are made on from this step on, where it is another than before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_base: Option<CommitId>,
    /// What passed through models.
    pub tokens: Tokens,
    /// What it cost, if it is known.
    #[serde(rename = "cost_usd")]
    pub cost: Option<Money>,
    /// What the agent's program used of the machine, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The questions it took, where several agents did it together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ModelCall>,
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
        let (decision, said) = match &record.decision {
            Some(Decision::Approve) => (Some("approve"), ""),
            Some(Decision::Retry { feedback }) => (Some("retry"), feedback.as_str()),
            Some(Decision::Skip) => (Some("skip"), ""),
            Some(Decision::Allow { .. }) => (Some("allow"), ""),
            Some(Decision::Abort { reason }) => (Some("abort"), reason.as_str()),
            None => (None, ""),
        };
        Self {
            task: record.task.clone(),
            seq: record.seq,
            phase: record.phase.clone(),
            attempt: record.attempt,
            agent: record.actor.name().to_owned(),
            model,
            chosen: record.chosen.clone(),
            new_base: record.new_base,
            outcome: record.outcome,
            verdict: verdict.map(|verdict| verdict.status),
            decision,
            reason: if record.reason.is_empty() { said.to_owned() } else { record.reason.clone() },
            summary: record.summary.clone(),
            findings: verdict.map(|verdict| verdict.required_changes.clone()).unwrap_or_default(),
            tokens: record.tokens,
            cost: record.cost_usd,
            usage: record.usage,
            calls: record.calls.clone(),
            duration_ms: record.duration_ms,
            started: record.started.clone(),
            commit,
            signature,
            files: record.changed.clone(),
            refused: record.refused.clone(),
            remembered: record.gate.as_ref().is_some_and(|gate| gate.remembered),
        }
    }

    /// How it ended in one word: a person's decision, a review's verdict, else the outcome.
    pub fn word(&self) -> &'static str {
        match (self.decision, self.outcome, self.verdict) {
            (Some(decision), _, _) => decision,
            (None, Outcome::Infra, _) | (None, _, None) => self.outcome.word(),
            (None, _, Some(verdict)) => verdict.word(),
        }
    }
}

/// How wide each part of a step's line has been so far, so that lines that appear one by one still line up.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepColumns {
    task: usize,
    phase: usize,
    word: usize,
    agent: usize,
}

impl StepColumns {
    fn pad(widest: &mut usize, text: &str) -> String {
        *widest = text::width(text).max(*widest).min(PADDED_COLUMNS_MAX);
        " ".repeat(widest.saturating_sub(text::width(text)))
    }
}

/// The one-line form of a step, without a newline:
/// `RAE-001  code-review/S2  needs_changes  gemini-pro  3 findings  12.4k tok  $0.03  41s`.
pub fn step_line(step: &StepView, look: Look, columns: &mut StepColumns) -> String {
    let agent = text::clean_line(&step.agent);
    let mut line = String::new();
    for (ink, text, widest) in [
        (Ink::Strong, step.task.as_str(), &mut columns.task),
        (Ink::Plain, step.phase.as_str(), &mut columns.phase),
        (step.ink(), step.word(), &mut columns.word),
        (Ink::Plain, agent.as_str(), &mut columns.agent),
    ] {
        line.push_str(&look.paint(ink, text));
        line.push_str(&StepColumns::pad(widest, text));
        line.push_str("  ");
    }
    let (counted, told) = step.about();
    let mut rest: Vec<String> = counted.into_iter().collect();
    if step.tokens.total() > 0 {
        rest.push(format!("{} tok", text::tokens(step.tokens.total())));
    }
    rest.extend(step.cost.map(|cost| cost.to_string()));
    rest.push(text::duration(Duration::from_millis(step.duration_ms)));
    line.push_str(&rest.join("  "));
    if let Some(told) = told {
        line.push_str("  ");
        line.push_str(&look.paint(Ink::Faint, &told));
    }
    match look.columns {
        Some(columns) => text::cut(&line, columns),
        None => line,
    }
}

impl StepView {
    /// What its end means.
    pub fn ink(&self) -> Ink {
        Ink::of_outcome(self.outcome)
    }

    /// What it amounts to, and why it ended so where it did not end well; each one clean line.
    pub(super) fn about(&self) -> (Option<String>, Option<String>) {
        let counted = if !self.findings.is_empty() {
            Some(text::count(self.findings.len(), "finding"))
        } else if !self.files.is_empty() {
            Some(text::count(self.files.len(), "file"))
        } else {
            self.remembered.then(|| "remembered".to_owned())
        };
        let told = match self.outcome {
            Outcome::Done if self.decision.is_none() => None,
            Outcome::Changes if !self.findings.is_empty() => None,
            Outcome::Done | Outcome::Changes | Outcome::Rejected | Outcome::Failed | Outcome::Infra => {
                Some(text::clean_line(&self.reason)).filter(|reason| !reason.is_empty())
            }
        };
        (counted, told)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A step with everything in it.
    pub fn step() -> StepView {
        StepView {
            task: "RAE-001".parse().expect("a task id"),
            seq: 7,
            phase: "code-review/S2".parse().expect("a phase"),
            attempt: 1,
            agent: "gemini-pro".to_owned(),
            model: Some("gemini-2.5-pro".to_owned()),
            chosen: "route 1: first choice".to_owned(),
            new_base: Some("4".repeat(40).parse().expect("hex")),
            outcome: Outcome::Changes,
            verdict: Some(Status::NeedsChanges),
            decision: None,
            reason: "3 required changes".to_owned(),
            summary: "The fusion is right,\nthe ranking is not.\u{1b}[2J".to_owned(),
            findings: vec![
                RequiredChange {
                    what: "do not divide by zero".to_owned(),
                    place: "src/rank.rs:12".to_owned(),
                    why: "A1".to_owned(),
                };
                3
            ],
            tokens: Tokens { input: 12_000, output: 400, ..Tokens::default() },
            cost: Some(Money::micros(30_000)),
            usage: None,
            calls: Vec::new(),
            duration_ms: 41_000,
            started: "2026-01-02T03:04:05Z".to_owned(),
            commit: Some("0123456789abcdef0123456789abcdef01234567".parse().expect("a commit")),
            signature: SignatureView::Good { principal: "ann@example.com".to_owned() },
            files: Vec::new(),
            refused: Vec::new(),
            remembered: false,
        }
    }

    #[test]
    fn a_step_is_one_line() {
        let line = |step: &StepView, columns: &mut StepColumns| step_line(step, Look::default(), columns);
        let mut columns = StepColumns::default();
        assert_eq!(
            line(&step(), &mut columns),
            "RAE-001  code-review/S2  needs_changes  gemini-pro  3 findings  12.4k tok  $0.03  41s"
        );
        let gate = StepView {
            phase: "gate".parse().expect("a phase"),
            agent: "full".to_owned(),
            model: None,
            outcome: Outcome::Failed,
            verdict: None,
            reason: "tests: 2 of 148 failed\u{7}".to_owned(),
            findings: Vec::new(),
            tokens: Tokens::default(),
            cost: None,
            ..step()
        };
        assert_eq!(
            line(&gate, &mut columns),
            "RAE-001  gate            failed         full        41s  tests: 2 of 148 failed"
        );
        let narrow = Look { colour: true, columns: Some(40) };
        assert_eq!(text::width(&step_line(&gate, narrow, &mut columns)), 40);
    }
}
