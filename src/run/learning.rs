//! What a run learns while it goes on, on top of what the repository told it at its start.
//! Knows nothing of how an order follows from it; that is `route`'s.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    config::settings::Settings,
    model::{
        checkpoint::Checkpoint,
        record::Record,
        task::{Task, TaskId},
    },
    route::{
        hindsight,
        history::{History, Trial},
        learned::Learner,
    },
};

/// Learned routing, kept up to date.
#[derive(Debug, Clone)]
pub struct Learning {
    learner: Learner,
    /// What came of the steps since the run began. Work of before it is judged when it is read the next time.
    since: BTreeMap<TaskId, Since>,
}

/// The steps of one task since the run began.
#[derive(Debug, Clone, Default)]
struct Since {
    records: Vec<Arc<Record>>,
    trials: Vec<Trial>,
}

impl Learning {
    /// That which begins with this history.
    pub fn new(settings: &Settings, history: &History) -> Self {
        Self { learner: Learner::new(settings, history), since: BTreeMap::new() }
    }

    /// What is known now.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// Takes in a step, and judges anew those of its task that it throws a light on.
    pub fn take_in(&mut self, task: &Task, checkpoint: &Checkpoint, record: &Record) {
        let since = self.since.entry(task.id.clone()).or_default();
        since.records.push(Arc::new(short(record)));
        since.records.sort_by_key(|record| record.seq);
        let trials = hindsight::trials(task, checkpoint, since.records.iter().map(AsRef::as_ref));
        self.learner.replace(&since.trials, &trials);
        since.trials = trials;
    }
}

/// A record without the long texts, which say nothing here.
fn short(record: &Record) -> Record {
    let mut short = record.clone();
    short.context.clear();
    short.feedback.clear();
    short.summary.clear();
    short.changed.clear();
    short.refused.clear();
    short
}
