//! A checkpoint: a task's whole state after its last step.
//! Knows nothing of TOML or of commits; what it means to go on from it is for `apply` and `next`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    machine::State,
    money::{Money, Tokens},
    object::{CommitId, Digest},
    plan::Plan,
    record::Families,
    task::{Span, Task, TaskId},
    workflow::{PhaseId, PhaseSpec, Workflow},
};

/// The version of the format that this program writes.
pub const CHECKPOINT_SCHEMA: u32 = 1;
/// Texts of feedback that are kept for a phase, the newest.
pub const FEEDBACK_MAX: usize = 8;

/// What bounds a task, fixed when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Failed attempts of a phase before a person decides.
    pub attempts_max: u32,
    /// Times in a row that a step could not be done at all before a person decides.
    pub infra_max: u32,
    /// Landings that may go wrong before a person decides.
    pub land_rounds_max: u32,
    /// What the task may cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<Money>,
    /// How long its steps may take together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { attempts_max: 3, infra_max: 3, land_rounds_max: 3, budget_usd: None, timeout: None }
    }
}

/// What a task used up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    /// Dollars, as far as they are known.
    pub cost_usd: Money,
    /// Tokens.
    pub tokens: Tokens,
    /// Milliseconds of steps added up.
    pub duration_ms: u64,
}

impl Spent {
    /// Time of steps added up.
    pub fn duration(&self) -> Duration {
        Duration::from_millis(self.duration_ms)
    }
}

/// One phase of a task, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name, with the plan step it was unfolded for.
    pub id: PhaseId,
    /// How far it has come. `running` is never written: what runs is not yet done.
    pub state: State,
    /// Phases that must be over before; those of `id`'s workflow entry, unfolded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<PhaseId>,
    /// Steps made for it.
    #[serde(default)]
    pub attempts: u32,
    /// Attempts that failed since it was last opened.
    #[serde(default)]
    pub failures: u32,
    /// Times in a row that it could not be done at all.
    #[serde(default)]
    pub infra: u32,
    /// The agents that could not do it those times, the last one last: others are asked first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unable: Vec<String>,
    /// Times that it sent the work back.
    #[serde(default)]
    pub rounds: u32,
    /// The step that began the work it now stands for: its code is where a roll-back goes. 0 is the base.
    #[serde(default)]
    pub start: u32,
    /// The last step made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// Families of the models that wrote what it now stands for.
    #[serde(default, skip_serializing_if = "Families::is_empty")]
    pub authors: Families,
    /// For a review: what it last asked for, and of what work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// Whether its last verdict approved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approved: bool,
    /// Why it waits for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub held: String,
    /// The summary of its last step, for later phases.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What its next attempt must heed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feedback: Vec<String>,
}

impl Phase {
    /// It was done, well or badly, or a person had a hand in it: what could not be done before is over.
    pub(super) fn was_able(&mut self) {
        self.infra = 0;
        self.unable.clear();
    }

    /// A phase for which nothing has been done.
    pub fn new(id: PhaseId, needs: Vec<PhaseId>) -> Self {
        Self {
            id,
            state: State::Waiting,
            needs,
            attempts: 0,
            failures: 0,
            infra: 0,
            unable: Vec::new(),
            rounds: 0,
            start: 0,
            step: None,
            authors: Families::new(),
            finding: None,
            approved: false,
            held: String::new(),
            summary: String::new(),
            feedback: Vec::new(),
        }
    }
}

/// What a review asked for, and of what work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The digest of the required changes.
    pub changes: Digest,
    /// The digest of the work that was reviewed.
    pub subject: Digest,
}

/// A task's whole state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// [`CHECKPOINT_SCHEMA`].
    pub schema: u32,
    /// The task.
    pub task: TaskId,
    /// The last step; 0 before the first.
    pub seq: u32,
    /// The commit that its changes are made on.
    pub base: CommitId,
    /// The step whose code counts: later ones failed or only read. 0 is the base.
    pub good: u32,
    /// Why it was given up, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted: Option<String>,
    /// What bounds it.
    pub bounds: Bounds,
    /// What it used up.
    #[serde(default)]
    pub spent: Spent,
    /// The task's labels and area when it began, which `skip_when` asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The task's area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// The plan that is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The phases, in order; the last is `land`.
    #[serde(rename = "phase")]
    pub phases: Vec<Phase>,
    /// The workflow as it was when the task began.
    pub workflow: Workflow,
}

/// How far a task has come, derived from its checkpoint; `waiting` and `running` come from the world around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskState {
    /// No step has been made.
    New,
    /// Something else must happen first.
    Waiting,
    /// A step is being made, or could be.
    Running,
    /// A person must decide.
    Held,
    /// Every phase is over; it may land.
    Finished,
    /// Its result is on the integration branch.
    Landed,
    /// It was given up.
    Aborted,
}

super::task::word_enum!(TaskState {
    New = "new",
    Waiting = "waiting",
    Running = "running",
    Held = "held",
    Finished = "finished",
    Landed = "landed",
    Aborted = "aborted"
});

impl Checkpoint {
    /// The state of a task before its first step.
    pub fn begin(task: &Task, workflow: Workflow, base: CommitId, bounds: Bounds) -> Self {
        let mut phases: Vec<_> = workflow.phases.iter().map(|s| Phase::new(s.id.clone(), s.needs.clone())).collect();
        let all = phases.iter().map(|phase| phase.id.clone()).collect();
        phases.push(Phase::new(PhaseId::land(), all));
        let mut checkpoint = Self {
            schema: CHECKPOINT_SCHEMA,
            task: task.id.clone(),
            seq: 0,
            base,
            good: 0,
            aborted: None,
            bounds: Bounds {
                budget_usd: task.budget_usd.or(bounds.budget_usd),
                timeout: task.timeout.or(bounds.timeout),
                ..bounds
            },
            spent: Spent::default(),
            labels: task.labels.clone(),
            area: task.area.clone(),
            plan: None,
            phases,
            workflow,
        };
        super::apply::settle(&mut checkpoint);
        checkpoint
    }

    /// The phase of that name.
    pub fn phase(&self, id: &PhaseId) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.id == *id)
    }

    /// The phase of that name, to change.
    pub(super) fn phase_mut(&mut self, id: &PhaseId) -> Option<&mut Phase> {
        self.phases.iter_mut().find(|phase| phase.id == *id)
    }

    /// What the workflow says of a phase; none for `land`.
    pub fn spec(&self, id: &PhaseId) -> Option<&PhaseSpec> {
        self.workflow.phase(id.spec())
    }

    /// How far the task has come, as far as its own steps tell.
    pub fn state(&self) -> TaskState {
        let land = PhaseId::land();
        if self.aborted.is_some() {
            TaskState::Aborted
        } else if self.phases.iter().any(|phase| phase.state == State::Held) {
            TaskState::Held
        } else if self.phases.iter().all(|phase| phase.id == land || phase.state.is_over()) {
            TaskState::Finished
        } else if self.seq == 0 {
            TaskState::New
        } else {
            TaskState::Running
        }
    }

    /// The phase that is next, or stands in the way: for `running implement/S2 (2/3)`.
    pub fn current(&self) -> Option<&Phase> {
        let held = self.phases.iter().find(|phase| phase.state == State::Held);
        held.or_else(|| self.phases.iter().find(|phase| !phase.state.is_over()))
    }

    /// Phases that are over, of how many, the landing left out.
    pub fn progress(&self) -> (usize, usize) {
        let land = PhaseId::land();
        let own = || self.phases.iter().filter(|phase| phase.id != land);
        (own().filter(|phase| phase.state.is_over()).count(), own().count())
    }
}
