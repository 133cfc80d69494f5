//! Who is done again because it conflicts with what has landed, and who, in conflict in the same files, lands after that:
//! were all of them done again at once, all but one would be done again for nothing.
//! Knows nothing of how a conflict is found; what a crash has it forget costs a round more.

use std::collections::BTreeMap;

use super::{Entry, Foreman};
use crate::model::{checkpoint::TaskState, task::TaskId};

/// Tasks that are done again, and the files in which they conflicted.
pub type Redone = BTreeMap<TaskId, Vec<String>>;

/// What came of a landing, for those that did not land.
#[derive(Debug, Clone, Default)]
pub struct LandingEnded {
    /// They are tried later.
    pub left: Vec<TaskId>,
    /// They conflict and are done again.
    pub sent_back: Redone,
    /// They conflict in the files of one that is done again, and are tried after that one; they are also among `left`.
    pub behind: BTreeMap<TaskId, TaskId>,
    /// What is wrong with the landing itself.
    pub problem: Option<String>,
}

/// What is known of conflicts.
#[derive(Debug, Clone, Default)]
pub(super) struct Conflicts {
    redone: Redone,
    behind: BTreeMap<TaskId, TaskId>,
}

impl Conflicts {
    pub fn take_in(&mut self, ended: &LandingEnded) {
        self.redone.extend(ended.sent_back.clone());
        self.behind.extend(ended.behind.clone());
    }

    pub fn has_landed(&mut self, id: &TaskId) {
        self.redone.remove(id);
        self.behind.remove(id);
    }
}

impl Foreman {
    /// The task that this one lands after, because that one is done again.
    pub(super) fn lands_after(&self, id: &TaskId) -> Option<&TaskId> {
        self.conflicts.behind.get(id).filter(|first| self.goes_on(first))
    }

    /// Whether a task will land without a person's word; else nobody waits for it.
    fn goes_on(&self, id: &TaskId) -> bool {
        self.entries.get(id).is_some_and(|entry| {
            let state = entry.state();
            entry.may_work()
                && matches!(state, TaskState::Running | TaskState::Waiting | TaskState::Finished)
                && self.why_paused(entry).is_none()
        })
    }

    /// Those that others may land after. Who lands after another is not among them, so that none waits for itself.
    pub(super) fn redone(&self) -> Redone {
        let is_first = |id: &TaskId| self.goes_on(id) && self.lands_after(id).is_none();
        let first = self.conflicts.redone.iter().filter(|(id, _)| is_first(id));
        first.map(|(id, paths)| (id.clone(), paths.clone())).collect()
    }

    /// Why a finished task does not land yet.
    pub(super) fn why_lands_later(&self, entry: &Entry) -> Option<String> {
        let first = self.lands_after(&entry.task.id)?;
        Some(format!("lands after {first}, which changes the same lines and is done again first"))
    }
}
