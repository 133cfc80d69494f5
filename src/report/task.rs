//! One task as people and programs are shown it, and what a run adds up to.
//! Knows nothing of where a task's state comes from.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::{Serialize, Serializer};

use super::{
    look::{Ink, Look},
    table::{self, Cell, numbers, words},
};
use crate::{
    model::{
        checkpoint::{Checkpoint, TaskState},
        money::{Money, Tokens},
        object::CommitId,
        task::{Task, TaskId},
        workflow::PhaseId,
    },
    sys::clock::to_rfc3339,
    text,
};

/// One task in a table.
#[derive(Debug, Clone, Serialize)]
pub struct TaskView {
    /// Its name.
    pub id: TaskId,
    /// One line for people.
    pub title: String,
    /// How far it has come.
    #[serde(serialize_with = "word")]
    pub state: TaskState,
    /// The phase that is worked on, or that is next, or that stands in the way.
    pub phase: Option<PhaseId>,
    /// Phases that are over, the landing left out.
    pub done: usize,
    /// Phases in all, likewise; plans unfold more on the way.
    pub total: usize,
    /// The attempt at `phase` that runs or would be next, from 1.
    pub attempt: u32,
    /// Why it waits or is held, or what it waits for; one line.
    pub why: Option<String>,
    /// The agent that works on it now.
    pub agent: Option<String>,
    /// When its state last changed.
    #[serde(serialize_with = "moment_option")]
    pub since: Option<jiff::Timestamp>,
    /// Higher goes first.
    pub priority: i32,
    /// What it cost, as far as is known.
    #[serde(rename = "cost_usd")]
    pub cost: Money,
    /// What passed through models for it.
    pub tokens: Tokens,
    /// The commit of its last step.
    pub commit: Option<CommitId>,
}

impl TaskView {
    /// A task of the queue, as far as its checkpoint tells; `agent`, `since` and a state that the world around it
    /// decides (`waiting`, `running`) are for the caller to set.
    pub fn new(task: &Task, checkpoint: Option<&Checkpoint>, commit: Option<CommitId>) -> Self {
        let current = checkpoint.and_then(Checkpoint::current);
        let held = current.map(|phase| phase.held.clone()).filter(|why| !why.is_empty());
        let (done, total) = checkpoint.map_or((0, 0), Checkpoint::progress);
        Self {
            id: task.id.clone(),
            title: task.title.clone(),
            state: checkpoint.map_or(TaskState::New, Checkpoint::state),
            phase: current.map(|phase| phase.id.clone()),
            done,
            total,
            attempt: current.map_or(1, |phase| phase.attempts + 1),
            why: checkpoint.and_then(|checkpoint| checkpoint.aborted.clone()).or(held),
            agent: None,
            since: None,
            priority: task.priority,
            cost: checkpoint.map_or(Money::ZERO, |checkpoint| checkpoint.spent.cost_usd),
            tokens: checkpoint.map_or_else(Tokens::default, |checkpoint| checkpoint.spent.tokens),
            commit,
        }
    }
}

/// Tasks counted by state, and what they used up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Tasks in all.
    pub tasks: usize,
    /// No step has been made.
    pub new: usize,
    /// Something else must happen first.
    pub waiting: usize,
    /// Worked on, or begun and next to be worked on.
    pub running: usize,
    /// A person must decide.
    pub held: usize,
    /// Ready to land.
    pub finished: usize,
    /// On the integration branch.
    pub landed: usize,
    /// Given up.
    pub aborted: usize,
    /// Phases that are over.
    pub phases_done: usize,
    /// Phases in all, as far as is known.
    pub phases: usize,
    /// What all of it cost, as far as is known.
    #[serde(rename = "cost_usd")]
    pub cost: Money,
    /// What passed through models.
    pub tokens: Tokens,
}

impl Totals {
    /// The sums over these tasks.
    pub fn of<'a>(tasks: impl IntoIterator<Item = &'a TaskView>) -> Self {
        let mut totals = Self::default();
        for task in tasks {
            totals.tasks += 1;
            *match task.state {
                TaskState::New => &mut totals.new,
                TaskState::Waiting => &mut totals.waiting,
                TaskState::Running => &mut totals.running,
                TaskState::Held => &mut totals.held,
                TaskState::Finished => &mut totals.finished,
                TaskState::Landed => &mut totals.landed,
                TaskState::Aborted => &mut totals.aborted,
            } += 1;
            totals.phases_done += task.done;
            totals.phases += task.total;
            totals.cost = totals.cost + task.cost;
            totals.tokens = totals.tokens + task.tokens;
        }
        totals
    }

    /// One line: `3 tasks: 1 landed, 2 running; 12.4k tokens, $0.03`.
    pub fn line(&self) -> String {
        let states = [
            (self.landed, TaskState::Landed),
            (self.finished, TaskState::Finished),
            (self.running, TaskState::Running),
            (self.waiting, TaskState::Waiting),
            (self.held, TaskState::Held),
            (self.new, TaskState::New),
            (self.aborted, TaskState::Aborted),
        ];
        let states: Vec<_> =
            states.iter().filter(|(tasks, _)| *tasks > 0).map(|(tasks, state)| format!("{tasks} {state}")).collect();
        let mut line = text::count(self.tasks as u64, "task");
        if !states.is_empty() {
            line.push_str(&format!(": {}", states.join(", ")));
        }
        let mut used = Vec::new();
        if self.tokens.total() > 0 {
            used.push(format!("{} tokens", text::tokens(self.tokens.total())));
        }
        if self.cost > Money::ZERO {
            used.push(self.cost.to_string());
        }
        if !used.is_empty() {
            line.push_str(&format!("; {}", used.join(", ")));
        }
        line
    }
}

/// Serializes what a `Display` says: the words of the model's enums.
pub fn word<T: std::fmt::Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Serializes a moment as RFC 3339 in UTC, or null.
pub(super) fn moment_option<S: Serializer>(value: &Option<jiff::Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(moment) => to.serialize_str(&to_rfc3339((*moment).into())),
        None => to.serialize_none(),
    }
}

/// Writes tasks as a table.
///
/// # Errors
/// When `out` does not take it.
pub fn write_tasks(tasks: &[TaskView], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let columns = [
        words("TASK"),
        words("STATE"),
        numbers("DONE"),
        numbers("TOKENS"),
        numbers("COST"),
        words("AGENT"),
        words("TITLE"),
    ];
    let rows: Vec<Vec<Cell>> = tasks.par_iter().map(row).collect();
    table::write(out, look, &columns, &rows)
}

fn row(task: &TaskView) -> Vec<Cell> {
    let is_at_a_phase = match task.state {
        TaskState::Running | TaskState::Held | TaskState::Waiting => true,
        TaskState::New | TaskState::Finished | TaskState::Landed | TaskState::Aborted => false,
    };
    let phase = task.phase.as_ref().filter(|_| is_at_a_phase).map_or_else(String::new, |phase| format!(" {phase}"));
    let again = if task.attempt > 1 && task.state == TaskState::Running {
        format!(", attempt {}", task.attempt)
    } else {
        String::new()
    };
    let about = match &task.why {
        Some(why) => format!("{} ({why})", task.title),
        None => task.title.clone(),
    };
    let known = |is_known: bool, text: String| if is_known { text } else { String::new() };
    vec![
        Cell::new(Ink::Strong, task.id.as_str()),
        Cell::new(Ink::of_task(task.state), format!("{}{phase}{again}", task.state)),
        known(task.total > 0, format!("{}/{}", task.done, task.total)).into(),
        known(task.tokens.total() > 0, text::tokens(task.tokens.total())).into(),
        known(task.cost > Money::ZERO, task.cost.to_string()).into(),
        task.agent.as_deref().unwrap_or_default().into(),
        about.into(),
    ]
}
