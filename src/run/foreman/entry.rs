//! A task of the queue, as a run knows it.
//! Knows nothing of the others, nor of what is done next.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    config::limits::Resources,
    model::{
        checkpoint::{Checkpoint, TaskState},
        object::CommitId,
        task::Task,
        workflow::{PhaseId, Workflow},
    },
};

/// Who works on a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtWork {
    /// The worker.
    pub slot: usize,
    /// The agent; none: a gate.
    pub agent: Option<String>,
    /// What it takes of the named resources.
    pub takes: Resources,
}

/// A task of the queue, as the run knows it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The task; shared with the workers.
    pub task: Arc<Task>,
    /// The workflow it follows if it has not begun; every task that the run works on has one.
    pub workflow: Option<Arc<Workflow>>,
    /// Its state after its last step.
    pub checkpoint: Option<Checkpoint>,
    /// The commit of its last step.
    pub tip: Option<CommitId>,
    /// Whether its result is on the integration branch.
    pub landed: bool,
    /// Whether this run works on it.
    pub selected: bool,
    /// Phases that are being worked on, and by whom.
    pub running: BTreeMap<PhaseId, AtWork>,
    /// Whether it is being landed.
    pub landing: bool,
    /// Steps that could not be made since the last that was.
    pub breaks: u32,
    /// Why this run cannot go on with it.
    pub broken: Option<String>,
}

impl Entry {
    /// One that this run works on and that has not begun.
    pub fn new(task: Arc<Task>, workflow: Option<Arc<Workflow>>) -> Self {
        Self {
            task,
            workflow,
            checkpoint: None,
            tip: None,
            landed: false,
            selected: true,
            running: BTreeMap::new(),
            landing: false,
            breaks: 0,
            broken: None,
        }
    }

    /// How far it has come, with what runs now.
    pub fn state(&self) -> TaskState {
        if self.landed {
            return TaskState::Landed;
        }
        match &self.checkpoint {
            None if self.running.is_empty() => TaskState::New,
            None => TaskState::Running,
            Some(checkpoint) => checkpoint.state(),
        }
    }

    /// Whether this run may do something for it.
    pub(super) fn may_work(&self) -> bool {
        self.selected && !self.landed && self.broken.is_none()
    }
}
