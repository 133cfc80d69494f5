//! Which agent makes a step; and which kinds of tasks find none in this round, so that not every one of thousands is asked.
//! Knows nothing of money or files.

use super::{Entry, Foreman};
use crate::{
    config::{limits::Resources, settings::QuotaPolicy},
    model::{
        next::Work,
        record::Families,
        task::{Complexity, Risk, TaskId},
        workflow::{PhaseId, Role},
    },
    route::{self, Choice, Circumstances, NoChoice, Preference},
    run::learning::Learning,
};

/// What decides who may make the first step of a task and what it takes: tasks of one kind begin alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// The workflow, by where it is.
    workflow: usize,
    labels: Vec<String>,
    area: Option<String>,
    kind: Option<String>,
    complexity: Complexity,
    risk: Risk,
    resources: Resources,
}

impl Kind {
    /// That of a task which has not begun.
    fn of(entry: &Entry) -> Option<Self> {
        let workflow = entry.workflow.as_ref().filter(|_| entry.checkpoint.is_none())?;
        let task = &entry.task;
        Some(Self {
            workflow: std::sync::Arc::as_ptr(workflow).addr(),
            labels: task.labels.clone(),
            area: task.area.clone(),
            kind: task.kind.clone(),
            complexity: task.complexity,
            risk: task.risk,
            resources: task.resources.clone(),
        })
    }
}

impl Foreman {
    /// Whether a task of that kind found all that could make its first step taken in this round. Until the round is over
    /// nothing becomes free.
    pub(super) fn is_crowded_out(&self, entry: &Entry) -> bool {
        !self.line.crowded_out.is_empty() && Kind::of(entry).is_some_and(|kind| self.line.crowded_out.contains(&kind))
    }

    /// All that could make the first step of a task is taken.
    pub(super) fn crowds_out(&mut self, id: &TaskId) {
        let kind = self.entries.get(id).and_then(Kind::of);
        self.line.crowded_out.extend(kind);
    }

    /// Whether no agent that may play a role for a task is free, whichever of them would be asked first.
    pub(super) fn are_all_taken(&self, entry: &Entry, role: &Role) -> bool {
        let (busy, resting) = (self.busy_agents(), self.parking.resting());
        let ends_the_run = resting.values().any(|parked| parked.policy == QuotaPolicy::Stop);
        let is_taken =
            |agent: &String| busy.contains(agent) || resting.contains_key(agent) || !self.families.contains_key(agent);
        !ends_the_run && route::candidates(&self.settings, role, &entry.task).iter().all(is_taken)
    }

    /// In which order agents are asked for a step of a task, and why.
    pub fn preference(&self, entry: &Entry, role: &Role, phase: &PhaseId, attempt: u32) -> Preference {
        let task = &entry.task;
        let seed = format!("{} {phase} {attempt}", task.id);
        let learner = self.learning.as_ref().map(Learning::learner);
        let state = entry.checkpoint.as_ref().and_then(|checkpoint| checkpoint.phase(phase));
        let unable = state.map_or(&[][..], |phase| &phase.unable);
        Preference::new(&self.settings, learner, role, task, &seed, self.now).ablest_first(unable)
    }

    /// Asks what becomes of a preference as things stand: who is there, parked, busy.
    pub fn as_it_stands<T>(&self, except: &Families, ask: impl FnOnce(Circumstances) -> T) -> T {
        let busy = self.busy_agents();
        ask(Circumstances { families: &self.families, except, parked: &self.parking.resting(), busy: &busy })
    }

    pub(super) fn choose(
        &self,
        entry: &Entry,
        work: &Work,
        role: &Role,
        except: &Families,
    ) -> Result<Choice, NoChoice> {
        let preference = self.preference(entry, role, &work.phase, work.attempt);
        self.as_it_stands(except, |now| route::decide(&preference, now))
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::World;

    const SETTINGS: &str = "[agents.a]\nadapter = 'claude'\nparallel_max = 1\n[agents.b]\nadapter = 'codex'\n\
                            [roles]\nimplementer = 'a'\nplanner = 'b'\n";
    const WRITE: &str = "name = 'w'\n[[phase]]\nid = 'write'\nrole = 'implementer'\n";
    const LOOK: &str = "name = 'l'\n[[phase]]\nid = 'look'\nrole = 'planner'\nproduces = 'report'\n";

    /// Tasks whose names begin with `w` write, the others look.
    #[track_caller]
    fn check(tasks: &str, script: &str) {
        let workflow = |name: &str| if name.starts_with('w') { WRITE } else { LOOK };
        let tasks = tasks.split_whitespace().map(|name| (name, workflow(name)));
        World::new(World::rules(8, 1, 9), SETTINGS, tasks).play(script);
    }

    #[test]
    fn a_kind_that_finds_nobody_keeps_no_other_from_beginning() {
        check(
            "w1 w2 w3 l1 w4 l2",
            "> l1/look l2/look w1/write
             >
             w1/write done
             > land w1 w2/write
             w2/write failed
             > w2/write
             ? w3: 'a' is busy with as many steps as it may",
        );
    }
}
