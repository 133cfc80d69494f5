//! A plan: what a planner answers, in steps that the workflow unfolds.
//! Knows nothing of who wrote it; `Plan::check` holds what must be true of every one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::object::Digest;

/// Steps a plan may have at most.
pub const PLAN_STEPS_MAX: usize = 40;

/// What a planner produces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The idea in a few sentences.
    #[serde(default)]
    pub summary: String,
    /// The steps, done one after another in this order.
    pub steps: Vec<PlanStep>,
}

/// One step of a plan: a change that can be reviewed and gated alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// `S1`, `S2`, … or another short word of letters, digits and '-'.
    pub id: String,
    /// One line.
    pub title: String,
    /// What to do.
    #[serde(default)]
    pub detail: String,
    /// Files it will change, as far as is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// How one sees that it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acceptance: Vec<String>,
}

/// Why a plan cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// It has no step.
    #[error("the plan has no steps")]
    Empty,
    /// It has too many.
    #[error("the plan has {0} steps, more than {PLAN_STEPS_MAX}")]
    TooMany(usize),
    /// A step id is not a short word.
    #[error("'{}' is not a step id: up to 16 letters, digits and '-', as in S1", .0.escape_debug())]
    StepId(String),
    /// Two steps of one id.
    #[error("step '{0}' is there twice")]
    Twice(String),
    /// A step without a title.
    #[error("step '{0}' has no title")]
    NoTitle(String),
}

impl Plan {
    /// The same for two plans that say the same, wherever it is derived: SHA-256 over netstrings (`<bytes>:<text>,`) of the
    /// summary and of each step's id, title, detail, files and acceptance, a list being one netstring of its netstrings.
    pub fn digest(&self) -> Digest {
        let string = |text: &str| format!("{}:{text},", text.len());
        let list = |texts: &[String]| string(&texts.iter().map(|text| string(text)).collect::<String>());
        let mut all = string(&self.summary);
        for step in &self.steps {
            all.extend([&step.id, &step.title, &step.detail].map(|text| string(text)));
            all.extend([&step.files, &step.acceptance].map(|texts| list(texts)));
        }
        Digest::of(all)
    }

    /// Whether every rule of a plan holds.
    ///
    /// # Errors
    /// The first rule that does not.
    pub fn check(&self) -> Result<(), BadPlan> {
        match self.steps.len() {
            0 => return Err(BadPlan::Empty),
            n if n > PLAN_STEPS_MAX => return Err(BadPlan::TooMany(n)),
            _ => {}
        }
        let mut seen = BTreeSet::new();
        for step in &self.steps {
            if super::workflow::PhaseId::unfolded("x", &step.id).is_err() {
                return Err(BadPlan::StepId(step.id.chars().take(40).collect()));
            }
            // Phase names become file names, and some file systems do not tell 's1' from 'S1'.
            if !seen.insert(step.id.to_ascii_lowercase()) {
                return Err(BadPlan::Twice(step.id.clone()));
            }
            if step.title.trim().is_empty() {
                return Err(BadPlan::NoTitle(step.id.clone()));
            }
        }
        Ok(())
    }
}
