//! The batch that is prepared while another is being gated: put on top of that one and judged, so that it lands at once if that one
//! lands. Knows nothing of merging or gates. What was prepared in vain took a worker that had nothing else to do.

use super::{super::land_step, Foreman, Landing, Order};
use crate::{config::limits::gate_takes, model::task::TaskId};

/// What is prepared, and on what.
#[derive(Debug, Clone)]
pub(super) struct Ahead {
    /// Those that are being gated and have not landed.
    on: Vec<TaskId>,
    /// Those that are to land next.
    next: Vec<Landing>,
    /// Whether it is still being judged.
    is_running: bool,
    /// Whether something of what it stands on did not land: nothing of it is of use.
    is_vain: bool,
}

/// A batch to be prepared.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// What is being gated.
    pub on: Vec<Landing>,
    /// What would land next, if all of that lands.
    pub next: Vec<Landing>,
}

impl Foreman {
    /// Whether a batch is being judged ahead of its time.
    pub(super) fn is_preparing(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.is_running)
    }

    /// Has the next batch prepared while one is being gated and a worker has nothing to do.
    pub(super) fn prepare(&mut self) -> Option<Order> {
        let is_free = self.has_room() && self.gates_running < self.rules.gates_max;
        if self.at_landing.is_empty() || self.ahead.is_some() || !is_free {
            return None;
        }
        let next = self.next_batch(self.rules.batch_max.max(1));
        let profile = |landing: &Landing| land_step::profile(&self.settings, &landing.checkpoint);
        let own = self.at_landing.first().map(profile);
        let is_same = self.at_landing.iter().chain(&next).all(|landing| Some(profile(landing)) == own);
        // What there is only some of is left to what is certain to need it.
        let takes_nothing = own.is_some_and(|own| gate_takes(&self.settings, &own).is_empty());
        if next.is_empty() || !is_same || !takes_nothing {
            self.put_back(&next);
            return None;
        }
        self.gates_running += 1;
        let on = self.at_landing.clone();
        let tasks = on.iter().map(|landing| landing.task.id.clone()).collect();
        self.ahead = Some(Ahead { on: tasks, next: next.clone(), is_running: true, is_vain: false });
        Some(Order::Prepare(Preparation { on, next }))
    }

    /// The batch that was prepared; none: nothing was. While it is still being judged an empty one: what lands next is it.
    pub(super) fn take_prepared(&mut self) -> Option<Vec<Landing>> {
        if self.ahead.as_ref().is_none_or(|ahead| ahead.is_vain) {
            return None;
        }
        if self.is_preparing() {
            return Some(Vec::new());
        }
        self.ahead.take().map(|ahead| ahead.next)
    }

    /// These have landed.
    pub(super) fn ahead_of_landed(&mut self, tasks: &[TaskId]) {
        if let Some(ahead) = &mut self.ahead {
            ahead.on.retain(|task| !tasks.contains(task));
        }
    }

    /// The landing is over: what was prepared on it is of use only if all of it landed.
    pub(super) fn ahead_of_ended(&mut self) {
        let Some(ahead) = &mut self.ahead else { return };
        if ahead.on.is_empty() {
            return;
        }
        ahead.is_vain = true;
        let next = std::mem::take(&mut ahead.next);
        if !ahead.is_running {
            self.ahead = None;
        }
        self.put_back(&next);
    }

    /// What was prepared has been judged, or could not be.
    pub(super) fn was_prepared(&mut self) {
        self.gates_running = self.gates_running.saturating_sub(1);
        if let Some(ahead) = &mut self.ahead {
            ahead.is_running = false;
        }
        if self.ahead.as_ref().is_some_and(|ahead| ahead.is_vain) {
            self.ahead = None;
        }
    }
}
