//! A verdict: what a reviewer answers.
//! Knows nothing of who may review; `Verdict::check` holds what must be true of every one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{object::Digest, task::word_enum};

/// What a reviewer decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It may go on.
    Approved,
    /// It goes back to its author with the required changes.
    NeedsChanges,
    /// It goes to a person.
    Rejected,
}

word_enum!(Status { Approved = "approved", NeedsChanges = "needs_changes", Rejected = "rejected" });

/// The structured answer of a review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The decision.
    pub status: Status,
    /// Marks by aspect, 0 to 10.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<String, f64>,
    /// What must change; each says where and which requirement it serves.
    #[serde(default)]
    pub required_changes: Vec<RequiredChange>,
    /// What could be better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
    /// The acceptance criteria, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
    /// The reviewer's reasoning in a few sentences.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

/// One change that a reviewer requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequiredChange {
    /// What must be different.
    pub what: String,
    /// Where: a file and line, a function, a plan step.
    #[serde(rename = "where")]
    pub place: String,
    /// The requirement, criterion or rule that it serves.
    pub why: String,
}

/// One acceptance criterion, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// `A1`, `A2`, … as the prompt numbers them.
    pub id: String,
    /// Whether it is met.
    pub met: bool,
    /// What shows it.
    #[serde(default)]
    pub evidence: String,
}

/// Why a verdict cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadVerdict {
    /// Changes are asked for, but none is named.
    #[error("the verdict needs changes but names none")]
    NoChanges,
    /// A required change leaves out what, where or why.
    #[error("required change {0} does not say {1}")]
    Incomplete(usize, &'static str),
    /// Approved with required changes: it contradicts itself.
    #[error("the verdict approves and requires changes at once")]
    Contradiction,
}

impl Verdict {
    /// Whether every rule of a verdict holds.
    ///
    /// # Errors
    /// The first rule that does not.
    pub fn check(&self) -> Result<(), BadVerdict> {
        for (i, change) in self.required_changes.iter().enumerate() {
            for (text, name) in [(&change.what, "what"), (&change.place, "where"), (&change.why, "why")] {
                if text.trim().is_empty() {
                    return Err(BadVerdict::Incomplete(i + 1, name));
                }
            }
        }
        match self.status {
            Status::NeedsChanges if self.required_changes.is_empty() => Err(BadVerdict::NoChanges),
            Status::Approved if !self.required_changes.is_empty() => Err(BadVerdict::Contradiction),
            Status::Approved | Status::NeedsChanges | Status::Rejected => Ok(()),
        }
    }

    /// The same for two verdicts that ask for the same changes, however they space and order them.
    pub fn finding(&self) -> Digest {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let mut lines: Vec<_> =
            self.required_changes.iter().map(|c| format!("{}\t{}", words(&c.place), words(&c.what))).collect();
        lines.sort();
        Digest::of(lines.join("\n"))
    }

    /// How many acceptance criteria are met, of how many.
    pub fn criteria_met(&self) -> (usize, usize) {
        (self.criteria.iter().filter(|c| c.met).count(), self.criteria.len())
    }
}
