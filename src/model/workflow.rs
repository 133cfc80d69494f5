//! A workflow: the phases a task goes through and what each needs, as a file says it.
//! Knows nothing of tasks or of how far one has come; `Workflow::check` holds what must be true of every one.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::task::Span;

/// Phases a workflow may have at most.
pub const PHASES_MAX: usize = 64;
/// Review rounds and gate rounds where a phase does not say.
pub const ROUNDS_MAX_DEFAULT: u32 = 3;

/// The name of a phase of one task: `implement`, or `implement/S2` where a plan unfolded it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhaseId(String);

/// A text that cannot name a phase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is not a phase: lower-case letters, digits and '-', as in implement or implement/S2", .0.escape_debug())]
pub struct NotAPhaseId(pub String);

impl PhaseId {
    /// The phase that puts a finished task onto the integration branch; every workflow ends with it.
    pub fn land() -> Self {
        Self("land".to_owned())
    }

    /// The phase as it stands in the workflow: `implement` of `implement/S2`.
    pub fn spec(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }

    /// The plan step it was unfolded for: `S2` of `implement/S2`.
    pub fn plan_step(&self) -> Option<&str> {
        self.0.split_once('/').map(|(_, step)| step)
    }

    /// This phase for one step of a plan.
    pub fn unfolded(spec: &str, step: &str) -> Result<Self, NotAPhaseId> {
        format!("{spec}/{step}").parse()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as part of a file name: `/` becomes `-`.
    pub fn file_stem(&self) -> String {
        self.0.replace('/', "-")
    }
}

impl FromStr for PhaseId {
    type Err = NotAPhaseId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotAPhaseId(text.chars().take(80).collect());
        let (spec, step) = text.split_once('/').map_or((text, None), |(spec, step)| (spec, Some(step)));
        let spec_ok = spec.len() <= 40
            && spec.starts_with(|c: char| c.is_ascii_lowercase())
            && spec.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let step_ok = step.is_none_or(|step| {
            (1..=16).contains(&step.len()) && step.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        });
        if spec_ok && step_ok { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for PhaseId {
    type Error = NotAPhaseId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PhaseId> for String {
    fn from(id: PhaseId) -> Self {
        id.0
    }
}

impl fmt::Display for PhaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Who does a phase: `planner`, `implementer`, `code-reviewer` …; routes and prompts go by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(pub String);

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The document that a reading phase produces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Steps that `for_each = "plan.steps"` unfolds.
    Plan,
    /// Free text for later phases.
    Report,
}

/// What an agent may do to the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Look only.
    Read,
    /// Change files of the worktree.
    Write,
}

/// Where the next attempt starts after a gate refused the work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// From the code before the refused attempt; its commit stays in the log.
    #[default]
    Rollback,
    /// On top of the refused attempt.
    Continue,
}

/// When a phase is passed over. All that is given must hold; within one list any entry is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SkipWhen {
    /// The task has one of these labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The task is of one of these areas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<String>,
    /// One of these earlier phases ended so: `"code-review = approved"`, `"refactor = skipped"`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<String>,
}

impl SkipWhen {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One phase of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseSpec {
    /// Its name within the workflow.
    pub id: PhaseId,
    /// Who does it; exactly one of `role` and `gate` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The gate profile that is run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// Phases that must have passed, or been skipped, before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<PhaseId>,
    /// The phase whose result it judges with a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviews: Option<PhaseId>,
    /// The document it produces; a phase that neither reviews nor produces changes files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub produces: Option<Product>,
    /// `plan.steps`: once for each step of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<String>,
    /// The writing phase that is done again when this gate refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_fail: Option<PhaseId>,
    /// Where that starts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry: Retry,
    /// How often the work may go back before a person decides; default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rounds: Option<u32>,
    /// When it is passed over.
    #[serde(default, skip_serializing_if = "SkipWhen::is_empty")]
    pub skip_when: SkipWhen,
    /// How long one attempt may take; default: `limits.step_timeout` of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl PhaseSpec {
    /// What its agent may do to files.
    pub fn access(&self) -> Access {
        if self.reviews.is_some() || self.produces.is_some() { Access::Read } else { Access::Write }
    }

    /// Whether its result is a change of files.
    pub fn writes(&self) -> bool {
        self.role.is_some() && self.access() == Access::Write
    }

    /// How often the work may go back.
    pub fn rounds_max(&self) -> u32 {
        self.max_rounds.unwrap_or(ROUNDS_MAX_DEFAULT)
    }
}

/// A DAG of phases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// One line for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The phases, in the order of the file.
    #[serde(rename = "phase")]
    pub phases: Vec<PhaseSpec>,
}

/// Why a workflow cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWorkflow {
    /// It has no phase.
    #[error("workflow '{0}' has no phase")]
    Empty(String),
    /// It has too many.
    #[error("workflow '{0}' has more than {PHASES_MAX} phases")]
    TooMany(String),
    /// Two phases of one name.
    #[error("phase '{0}' is there twice")]
    Twice(PhaseId),
    /// The name `land` belongs to the landing, and `/` to plan steps.
    #[error("phase '{0}' cannot be named so: 'land' and names with '/' are reserved")]
    Reserved(PhaseId),
    /// Neither or both of role and gate.
    #[error("phase '{0}' must have either a role or a gate")]
    RoleOrGate(PhaseId),
    /// It names a phase that is not there.
    #[error("phase '{phase}' names '{other}' in '{key}', which is no phase of this workflow")]
    Unknown {
        /// The phase that names it.
        phase: PhaseId,
        /// In which key.
        key: &'static str,
        /// The name.
        other: PhaseId,
    },
    /// Phases need each other.
    #[error("phases need each other in a circle: {}", names(.0))]
    Circle(Vec<PhaseId>),
    /// `for_each` other than `plan.steps`, or without a plan before it.
    #[error("phase '{0}': for_each can only be \"plan.steps\", and a phase that it needs must produce a plan")]
    ForEach(PhaseId),
    /// `on_fail` of something that is no gate, or to a phase that does not write.
    #[error("phase '{0}': on_fail belongs to a gate and names a phase that writes")]
    OnFail(PhaseId),
    /// A review of a gate, or of a phase it does not need.
    #[error("phase '{0}': a review judges a phase with a role, and needs it, directly or through others")]
    Reviews(PhaseId),
    /// `max_rounds = 0`, or more than 100.
    #[error("phase '{0}': max_rounds must be between 1 and 100")]
    Rounds(PhaseId),
    /// A `skip_when.results` entry that cannot be read.
    #[error("phase '{phase}': skip_when.results must read \"<phase> = approved|passed|skipped\", not '{entry}'")]
    SkipResult {
        /// The phase.
        phase: PhaseId,
        /// The entry.
        entry: String,
    },
}

impl BadWorkflow {
    /// The phase it is about, so that the file's line can be named.
    pub fn phase(&self) -> Option<&PhaseId> {
        match self {
            Self::Empty(_) | Self::TooMany(_) => None,
            Self::Circle(ids) => ids.first(),
            Self::Twice(id)
            | Self::Reserved(id)
            | Self::RoleOrGate(id)
            | Self::ForEach(id)
            | Self::OnFail(id)
            | Self::Reviews(id)
            | Self::Rounds(id) => Some(id),
            Self::Unknown { phase, .. } | Self::SkipResult { phase, .. } => Some(phase),
        }
    }
}

fn names(ids: &[PhaseId]) -> String {
    let mut text: Vec<_> = ids.iter().map(PhaseId::as_str).collect();
    text.extend(ids.first().map(PhaseId::as_str));
    text.join(" -> ")
}

impl Workflow {
    /// Whether a gate judges its work.
    pub fn has_gate(&self) -> bool {
        self.phases.iter().any(|phase| phase.gate.is_some())
    }

    /// The phase of that name.
    pub fn phase(&self, id: &str) -> Option<&PhaseSpec> {
        self.phases.iter().find(|phase| phase.id.as_str() == id)
    }

    /// All phases that `id` needs, directly or through others.
    pub fn ancestors(&self, id: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![id];
        while let Some(spec) = open.pop().and_then(|id| self.phase(id)) {
            for need in &spec.needs {
                if found.insert(need.as_str()) {
                    open.push(need.as_str());
                }
            }
        }
        found
    }

    /// Whether every rule of a workflow holds.
    ///
    /// # Errors
    /// The first rule that does not, with the phase it is about.
    pub fn check(&self) -> Result<(), BadWorkflow> {
        if self.phases.is_empty() {
            return Err(BadWorkflow::Empty(self.name.clone()));
        }
        if self.phases.len() > PHASES_MAX {
            return Err(BadWorkflow::TooMany(self.name.clone()));
        }
        let mut seen = BTreeSet::new();
        for spec in &self.phases {
            if !seen.insert(&spec.id) {
                return Err(BadWorkflow::Twice(spec.id.clone()));
            }
            if spec.id == PhaseId::land() || spec.id.plan_step().is_some() {
                return Err(BadWorkflow::Reserved(spec.id.clone()));
            }
            if spec.role.is_some() == spec.gate.is_some() {
                return Err(BadWorkflow::RoleOrGate(spec.id.clone()));
            }
            if spec.max_rounds.is_some_and(|rounds| !(1..=100).contains(&rounds)) {
                return Err(BadWorkflow::Rounds(spec.id.clone()));
            }
            let named = spec.needs.iter().map(|id| ("needs", id));
            let named = named.chain(spec.reviews.iter().map(|id| ("reviews", id)));
            for (key, other) in named.chain(spec.on_fail.iter().map(|id| ("on_fail", id))) {
                if self.phase(other.as_str()).is_none() {
                    return Err(BadWorkflow::Unknown { phase: spec.id.clone(), key, other: other.clone() });
                }
            }
        }
        self.check_circles()?;
        self.phases.iter().try_for_each(|spec| self.check_meaning(spec))
    }

    fn check_meaning(&self, spec: &PhaseSpec) -> Result<(), BadWorkflow> {
        let ancestors = self.ancestors(spec.id.as_str());
        if let Some(of) = &spec.for_each {
            let planned = |id: &&str| self.phase(id).is_some_and(|spec| spec.produces == Some(Product::Plan));
            if of != "plan.steps" || !ancestors.iter().any(planned) {
                return Err(BadWorkflow::ForEach(spec.id.clone()));
            }
        }
        if let Some(target) = &spec.on_fail {
            let writes = self.phase(target.as_str()).is_some_and(PhaseSpec::writes);
            if spec.gate.is_none() || !writes || !ancestors.contains(target.as_str()) {
                return Err(BadWorkflow::OnFail(spec.id.clone()));
            }
        }
        if let Some(subject) = &spec.reviews {
            let judged = self.phase(subject.as_str()).is_some_and(|subject| subject.role.is_some());
            if spec.gate.is_some() || !judged || !ancestors.contains(subject.as_str()) {
                return Err(BadWorkflow::Reviews(spec.id.clone()));
            }
        }
        for entry in &spec.skip_when.results {
            let read = parse_result(entry).filter(|(phase, _)| ancestors.contains(phase));
            if read.is_none() {
                return Err(BadWorkflow::SkipResult { phase: spec.id.clone(), entry: entry.clone() });
            }
        }
        Ok(())
    }

    fn check_circles(&self) -> Result<(), BadWorkflow> {
        for spec in &self.phases {
            if self.ancestors(spec.id.as_str()).contains(spec.id.as_str()) {
                return Err(BadWorkflow::Circle(self.circle_from(spec)));
            }
        }
        Ok(())
    }

    /// The shortest circle through a phase that is in one, in the order of `needs`.
    fn circle_from(&self, start: &PhaseSpec) -> Vec<PhaseId> {
        let mut paths = std::collections::VecDeque::from([vec![&start.id]]);
        let mut seen = BTreeSet::new();
        while let Some(path) = paths.pop_front() {
            let last = path.last().and_then(|id| self.phase(id.as_str()));
            for need in last.iter().flat_map(|spec| &spec.needs) {
                if *need == start.id {
                    return path.into_iter().cloned().collect();
                }
                if seen.insert(need) {
                    let mut longer = path.clone();
                    longer.push(need);
                    paths.push_back(longer);
                }
            }
        }
        vec![start.id.clone()]
    }
}

/// What a `skip_when.results` entry asks of an earlier phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A review that approved.
    Approved,
    /// It passed.
    Passed,
    /// It was passed over.
    Skipped,
}

/// Reads `"<phase> = approved|passed|skipped"`.
pub fn parse_result(entry: &str) -> Option<(&str, Ended)> {
    let (phase, word) = entry.split_once('=')?;
    let ended = match word.trim() {
        "approved" => Ended::Approved,
        "passed" => Ended::Passed,
        "skipped" => Ended::Skipped,
        _ => return None,
    };
    Some((phase.trim(), ended))
}
