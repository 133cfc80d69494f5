//! Why a task does nothing now, until when, and whether the run is at its end because of it.
//! Changes nothing: it reads the foreman's state, which only `orders` and `absorb` change.

use std::time::SystemTime;

use super::{Entry, Foreman};
use crate::{
    agents::family::another_than,
    model::{
        checkpoint::TaskState,
        money::Money,
        next::{Stop, What},
        task::{Task, TaskId},
        workflow::Role,
    },
    route::{
        self, NoChoice,
        budget::{Refusal, Scope},
    },
    run::purse::{Asked, Unusual},
};

/// Why nothing begins in quiet hours.
const QUIET: &str = "waits for the end of the quiet hours";
/// Micro-dollars of a dollar.
const DOLLAR: u64 = 1_000_000;

/// Why a run ends although there is work left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spent {
    /// A budget does not suffice for what would be next.
    Budget(Refusal),
    /// An agent's quota is used up, and its policy is to stop.
    Quota(String),
}

impl Spent {
    /// What a run must be given to go on; none: it needs time, not money.
    pub fn would_do(&self) -> Option<Money> {
        match self {
            Self::Budget(refusal) => {
                let dollars = refusal.need.max(refusal.limit).micros.div_ceil(DOLLAR);
                Some(Money::micros(dollars.saturating_mul(DOLLAR)))
            }
            Self::Quota(_) => None,
        }
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Budget(refusal) => refusal.fmt(f),
            Self::Quota(why) => f.write_str(why),
        }
    }
}

impl Foreman {
    /// Why the run would end now although there is work left; none: there is none, or it waits for something else.
    pub fn spent(&self) -> Option<Spent> {
        if let Some(why) = &self.quota_spent {
            return Some(Spent::Quota(why.clone()));
        }
        // The one that needs most: who gives that much has the others go on too.
        let refused = self.entries.values().filter(|entry| entry.may_work()).filter_map(|entry| self.refusal(entry));
        let refused = refused.filter(|refusal| refusal.scope != Scope::Task).max_by_key(|refusal| refusal.need);
        refused.map(Spent::Budget)
    }

    /// Why a task waits for a person because of money: it is likely to cost far more than usual, or its own budget does
    /// not suffice for its next step. With what it would need in all.
    pub fn held_for_money(&self, entry: &Entry) -> Option<(String, Money)> {
        if !entry.may_work() || !entry.running.is_empty() {
            return None;
        }
        if let Some(unusual) = self.unusual(entry) {
            return Some((unusual.to_string(), unusual.estimate));
        }
        let refusal = self.refusal(entry).filter(|refusal| refusal.scope == Scope::Task)?;
        // As much again as it had, or what the step needs.
        Some((refusal.to_string(), refusal.spent + refusal.need.max(refusal.limit)))
    }

    /// Tasks that have not begun and are likely to cost far more than tasks usually do, each with how much.
    pub fn unusual_tasks(&self) -> impl Iterator<Item = (&Task, &Unusual)> {
        self.entries.values().filter_map(|entry| Some((entry.task.as_ref(), self.purse.unusual(&entry.task.id)?)))
    }

    /// What a step of a role for a task is likely to cost with that agent, and the budget that does not suffice for it now.
    pub fn reckon(&self, entry: &Entry, role: &Role, agent: &str) -> (Money, Option<Refusal>) {
        let asked = Asked { task: &entry.task, checkpoint: &self.checkpoint(entry), role, agent };
        let usual = self.purse.estimate(&self.settings, &asked).usual;
        (usual, self.purse.ask(&self.settings, &asked, self.today()).err())
    }

    /// Why the agent that was chosen for a step would not begin it now: quiet hours, or money.
    pub fn why_not_now(&self, entry: &Entry, role: &Role, agent: &str) -> Option<String> {
        if self.parking.quiet_until().is_some() {
            return Some(QUIET.to_owned());
        }
        let unusual = self.unusual(entry).map(ToString::to_string);
        unusual.or_else(|| self.reckon(entry, role, agent).1.map(|refusal| refusal.to_string()))
    }

    pub(super) fn unusual(&self, entry: &Entry) -> Option<&Unusual> {
        let may_begin = entry.checkpoint.is_none() && self.unmet(entry).is_empty();
        self.purse.unusual(&entry.task.id).filter(|_| may_begin)
    }

    /// The budget that stands in the way of a task's next step, if that is all that does.
    fn refusal(&self, entry: &Entry) -> Option<Refusal> {
        let is_free = !self.purse.is_bounded() || entry.workflow.is_none();
        if is_free || !self.unmet(entry).is_empty() || self.unusual(entry).is_some() {
            return None;
        }
        let checkpoint = self.checkpoint(entry);
        self.next_of(entry, &checkpoint).work.iter().find_map(|work| match &work.what {
            What::Agent { role, except, .. } => {
                let choice = self.choose(entry, work, role, except).ok()?;
                let asked = Asked { task: &entry.task, checkpoint: &checkpoint, role, agent: &choice.agent };
                self.purse.ask(&self.settings, &asked, self.today()).err()
            }
            What::Gate { .. } | What::Land => None,
        })
    }

    /// When the next parked agent may be asked again, or quiet hours end, if that is what the run waits for.
    pub fn wakes_at(&self) -> Option<SystemTime> {
        self.parking.wakes_at().filter(|_| !self.stopping && self.quota_spent.is_none() && self.waits_for_agent())
    }

    fn waits_for_agent(&self) -> bool {
        let is_quiet = self.parking.quiet_until().is_some();
        self.entries.values().any(|entry| {
            entry.may_work()
                && self.unmet(entry).is_empty()
                && self.unusual(entry).is_none()
                && self.in_turn(entry, self.next(entry).work).0.iter().any(|work| match &work.what {
                    What::Agent { role, except, .. } => match self.choose(entry, work, role, except) {
                        Err(NoChoice::ForNow { .. }) => true,
                        Ok(choice) => is_quiet && self.could_pay(entry, role, &choice.agent),
                        Err(NoChoice::ForGood { .. } | NoChoice::Stopped { .. }) => false,
                    },
                    What::Gate { .. } | What::Land => false,
                })
        })
    }

    fn could_pay(&self, entry: &Entry, role: &Role, agent: &str) -> bool {
        let asked = Asked { task: &entry.task, checkpoint: &self.checkpoint(entry), role, agent };
        self.purse.ask(&self.settings, &asked, self.today()).is_ok()
    }

    /// Why a task that is not over does nothing now; none if it is at work.
    pub fn why_waiting(&self, entry: &Entry) -> Option<String> {
        if let Some(broken) = &entry.broken {
            return Some(broken.clone());
        }
        if !entry.running.is_empty() || entry.landed || entry.landing {
            return None;
        }
        if let Some(why) = self.why_paused(entry) {
            return Some(why);
        }
        if let (0, Some(why)) = self.jobs_now() {
            return Some(why.to_owned());
        }
        let states = |id: &TaskId| self.entries.get(id).map_or(TaskState::New, Entry::state);
        if entry.checkpoint.is_none()
            && let Some(why) = self.graph.why_waiting(&entry.task.id, &states)
        {
            return Some(why);
        }
        if let Some(why) = self.why_lands_later(entry).or_else(|| self.overlap(entry)).or_else(|| self.yields(entry)) {
            return Some(why);
        }
        if let Some((why, _)) = self.held_for_money(entry) {
            return Some(why);
        }
        let next = self.next(entry);
        let (works, others_first) = self.in_turn(entry, next.work);
        if others_first.is_some() && works.is_empty() {
            return others_first;
        }
        for work in &works {
            if let Some(lacking) = self.lacks(&self.takes(&entry.task, &work.what)) {
                return Some(format!("waits for {lacking}"));
            }
            if let What::Agent { role, except, .. } = &work.what {
                match self.choose(entry, work, role, except) {
                    Err(no) => return Some(no.to_string()),
                    Ok(_) if self.parking.quiet_until().is_some() => return Some(QUIET.to_owned()),
                    Ok(_) => {}
                }
            }
        }
        if let Some(refusal) = self.refusal(entry) {
            return Some(refusal.to_string());
        }
        next.stops.first().map(|stop| self.why_stopped(entry, stop)).or_else(|| self.why_yielding(entry))
    }

    /// A stop in words.
    pub fn why_stopped(&self, entry: &Entry, stop: &Stop) -> String {
        match stop {
            Stop::Held { why, .. } => why.clone(),
            Stop::Until(phase) => format!("stopped before {phase}, as asked"),
            Stop::NoReviewer { role, authors, .. } => {
                let authors: Vec<&str> = authors.iter().map(|family| family.0.as_str()).collect();
                let known = route::candidates(&self.settings, role, &entry.task).join(", ");
                let another = another_than(authors.first().copied().unwrap_or_default());
                format!(
                    "no {role} of another family than its author's ({}), now: {known}; add one to .handoff/config.toml, such \
                     as {another}, and name it as '{role}' in [roles]",
                    authors.join(", ")
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{SETTINGS, World};

    const WRITE: &str = "name = 'w'\n[[phase]]\nid = 'write'\nrole = 'implementer'\n";

    #[track_caller]
    fn check(script: &str) {
        World::new(World::rules(1, 1, 9), SETTINGS, [("a", WRITE), ("b", WRITE)]).play(script);
    }

    #[test]
    fn what_breaks_for_nothing_is_tried_again_before_the_task_is_left_alone() {
        check(
            "> a/write
             a/write broken 0
             > a/write
             a/write broken 0
             > a/write
             a/write broken 0
             > b/write
             ? a: it broke",
        );
        check(
            "> a/write
             a/write broken 0
             > a/write
             a/write failed
             > a/write
             a/write broken 0
             > a/write
             a/write broken 0
             > a/write",
        );
        check(
            "> a/write
             a/write broken 0.10
             > b/write
             ? a: it broke",
        );
    }
}
