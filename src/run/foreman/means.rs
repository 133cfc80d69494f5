//! What steps need besides being next: a worker, an agent that is free, a model, named resources, and not to be paused.
//! Starts nothing and measures nothing: how many workers may work now is told.

use std::collections::{BTreeMap, BTreeSet};

use super::{super::land_step, Entry, Foreman, Landing};
use crate::{
    config::limits::{Resources, gate_takes},
    model::{
        checkpoint::TaskState,
        next::What,
        task::{Task, TaskId},
    },
};

/// What there is to work with.
#[derive(Debug, Clone, Default)]
pub(super) struct Means {
    /// Fewer workers than the run has may work, and why.
    fewer: Option<(usize, String)>,
    /// Named resources that are in use.
    in_use: Resources,
    /// What the landing takes of them.
    landing: Resources,
    /// What it waits for: no step takes any of it before.
    landing_waits: Resources,
    paused: BTreeSet<TaskId>,
}

impl Foreman {
    /// So many workers from now on. Steps that are being made are made to their end.
    pub fn set_jobs(&mut self, jobs: usize) {
        self.rules.jobs = jobs.max(1);
        self.line.precedence.set_workers(self.rules.jobs);
        self.line.has_news();
    }

    /// So many may work at once until something else is said, and why so few; none: all.
    pub fn set_fewer(&mut self, fewer: Option<(usize, String)>) {
        if self.means.fewer != fewer {
            self.means.fewer = fewer;
            self.line.has_news();
        }
    }

    /// How many may work at once now, and why they are fewer than the run has.
    pub fn jobs_now(&self) -> (usize, Option<&str>) {
        match &self.means.fewer {
            Some((most, why)) if *most < self.rules.jobs => (*most, Some(why)),
            Some(_) | None => (self.rules.jobs, None),
        }
    }

    /// How many steps are being made.
    pub fn busy(&self) -> usize {
        self.busy.len()
    }

    /// Whether one more step may be made.
    pub(super) fn has_room(&self) -> bool {
        self.busy.len() < self.jobs_now().0
    }

    /// The first worker that is free.
    pub(super) fn take_worker(&mut self) -> usize {
        let slot = (0..).find(|slot| !self.busy.contains(slot)).expect("BUG: there are more numbers than workers");
        self.busy.insert(slot);
        slot
    }

    /// Nothing new is started for these tasks.
    pub fn pause(&mut self, paused: BTreeSet<TaskId>) {
        if paused == self.means.paused {
            return;
        }
        self.line.has_news();
        let before = std::mem::replace(&mut self.means.paused, paused);
        before.iter().for_each(|id| self.happened_to(id));
    }

    /// The tasks for which nothing new is started.
    pub fn paused(&self) -> &BTreeSet<TaskId> {
        &self.means.paused
    }

    /// Why a task is left alone although it could go on.
    pub(super) fn why_paused(&self, entry: &Entry) -> Option<String> {
        let id = &entry.task.id;
        let is_over = matches!(entry.state(), TaskState::Landed | TaskState::Aborted);
        let is_paused = self.means.paused.contains(id) && !is_over;
        is_paused.then(|| format!("paused (git orchestrate resume {id})"))
    }

    /// What a piece of work takes of the named resources while it is done.
    pub(super) fn takes(&self, task: &Task, what: &What) -> Resources {
        let mut takes = task.resources.clone();
        if let What::Gate { profile } = what {
            for (name, count) in gate_takes(&self.settings, profile) {
                let known = takes.entry(name).or_default();
                *known = (*known).max(count);
            }
        }
        takes
    }

    /// What of this is in use: `gpu (1 of 1 in use)`.
    pub(super) fn lacks(&self, takes: &Resources) -> Option<String> {
        let lacking = takes.iter().find_map(|(name, count)| {
            let all = self.settings.resources.get(name).copied()?;
            let in_use = self.means.in_use.get(name).copied().unwrap_or_default();
            (in_use + count > all).then(|| format!("{name} ({in_use} of {all} in use)"))
        });
        lacking.or_else(|| {
            let name = takes.keys().find(|name| self.means.landing_waits.contains_key(*name))?;
            Some(format!("{name} (kept for the landing)"))
        })
    }

    pub(super) fn take(&mut self, takes: &Resources) {
        for (name, count) in takes {
            *self.means.in_use.entry(name.clone()).or_default() += count;
        }
    }

    pub(super) fn give_back(&mut self, takes: &Resources) {
        for (name, count) in takes {
            if let Some(in_use) = self.means.in_use.get_mut(name) {
                *in_use = in_use.saturating_sub(*count);
            }
        }
    }

    /// Takes what the gate of a landing takes; whether it was there.
    pub(super) fn take_for_landing(&mut self, batch: &[Landing]) -> bool {
        let mut takes = Resources::new();
        for landing in batch {
            let profile = land_step::profile(&self.settings, &landing.checkpoint);
            for (name, count) in gate_takes(&self.settings, &profile) {
                let known = takes.entry(name).or_default();
                *known = (*known).max(count);
            }
        }
        self.means.landing_waits.clear();
        if self.lacks(&takes).is_some() {
            self.means.landing_waits = takes;
            return false;
        }
        self.take(&takes);
        self.means.landing = takes;
        true
    }

    /// The landing is over.
    pub(super) fn give_back_from_landing(&mut self) {
        let takes = std::mem::take(&mut self.means.landing);
        self.give_back(&takes);
    }

    /// Agents that do as much as they may, or whose model does.
    pub(super) fn busy_agents(&self) -> BTreeSet<String> {
        let model = |agent: &String| self.settings.agents.get(agent).and_then(|settings| settings.model.as_deref());
        let mut of_models: BTreeMap<&str, u32> = BTreeMap::new();
        for (agent, running) in &self.agents_running {
            if let Some(model) = model(agent) {
                *of_models.entry(model).or_default() += running;
            }
        }
        let is_busy = |name: &&String| {
            let running = self.agents_running.get(*name).copied().unwrap_or_default();
            let most = self.settings.agents.get(*name).and_then(|settings| settings.parallel_max);
            let of_model = model(name).and_then(|model| {
                let most = self.settings.limits.models_parallel.get(model)?;
                Some(of_models.get(model).copied().unwrap_or_default() >= *most)
            });
            most.is_some_and(|most| running >= most) || of_model == Some(true)
        };
        self.settings.agents.keys().filter(is_busy).cloned().collect()
    }
}
