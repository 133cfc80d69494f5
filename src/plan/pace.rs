//! How long tasks are still going to take, by what their steps took so far.
//! Knows nothing of clocks; times are in the records it is told of.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use super::estimate::{Effort, outlook, usual};
use crate::model::{
    checkpoint::Checkpoint,
    record::{Outcome, Record},
    task::Task,
    workflow::{PhaseSpec, Workflow},
};

/// Says how long things are going to take.
pub trait Foresight: Debug + Send + Sync {
    /// The time that is left of a task; of one that has not begun, all of it.
    fn left(&self, task: &Task, workflow: &Workflow, checkpoint: Option<&Checkpoint>) -> Duration;

    /// Takes in a step. Whether what it says of other tasks is another now.
    fn learn(&mut self, task: &Task, checkpoint: &Checkpoint, record: &Record) -> bool;

    /// Another of the same knowledge.
    fn copy(&self) -> Box<dyn Foresight>;
}

impl Clone for Box<dyn Foresight> {
    fn clone(&self) -> Self {
        self.copy()
    }
}

/// Steps that what is usual counts for, beside those that were made.
const USUAL_STEPS: f64 = 2.0;
/// A step that took longer than this many times the usual counts as if it had not.
const TIMES_MAX: f64 = 8.0;
/// What is said of other tasks changes when so many more steps are known: all ways are measured anew then.
const GROWTH: (u64, u64) = (5, 4);

/// What is usual, corrected by what was seen.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    /// By role, or `gate` and the profile: how many times the usual each step took, summed up, and how many steps.
    seen: BTreeMap<(bool, String), (f64, f64)>,
    steps: u64,
    /// The steps that were known when ways were last measured.
    told: u64,
}

impl Pace {
    /// A step of a kind took so long.
    pub fn saw(&mut self, spec: &PhaseSpec, task: &Task, took: Duration) {
        let usual = usual(spec, task.complexity);
        let times = (took.as_secs_f64() / usual.as_secs_f64()).min(TIMES_MAX);
        let (sum, steps) = self.seen.entry(kind(spec)).or_default();
        *sum += times;
        *steps += 1.0;
        self.steps += 1;
    }

    /// How long a step of a phase is likely to take.
    pub fn step(&self, spec: &PhaseSpec, task: &Task) -> Duration {
        let usual = usual(spec, task.complexity);
        let (sum, steps) = self.seen.get(&kind(spec)).copied().unwrap_or_default();
        usual.mul_f64((sum + USUAL_STEPS) / (steps + USUAL_STEPS))
    }
}

fn kind(spec: &PhaseSpec) -> (bool, String) {
    match (&spec.role, &spec.gate) {
        (Some(role), _) => (false, role.0.clone()),
        (None, gate) => (true, gate.clone().unwrap_or_default()),
    }
}

impl Foresight for Pace {
    fn left(&self, task: &Task, workflow: &Workflow, checkpoint: Option<&Checkpoint>) -> Duration {
        let step = |spec: &PhaseSpec| Effort { time: self.step(spec, task), ..Effort::default() };
        outlook(task, workflow, checkpoint, &step).length
    }

    fn learn(&mut self, task: &Task, checkpoint: &Checkpoint, record: &Record) -> bool {
        if let Some(spec) = checkpoint.spec(&record.phase).filter(|_| record.outcome != Outcome::Infra) {
            self.saw(spec, task, Duration::from_millis(record.duration_ms));
        }
        let is_told = self.steps * GROWTH.1 < self.told * GROWTH.0 || self.steps == self.told;
        if !is_told {
            self.told = self.steps;
        }
        !is_told
    }

    fn copy(&self) -> Box<dyn Foresight> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_outweighs_what_is_usual() {
        let workflow: Workflow = toml::from_str(include_str!("../handoff/workflows/single.toml")).expect("a workflow");
        let task = Task::new("t".parse().expect("an id"), "t");
        let (write, gate) = (&workflow.phases[0], &workflow.phases[1]);
        let mut pace = Pace::default();
        let check = |pace: &Pace, write_s: u64, gate_s: u64| {
            assert_eq!(pace.step(write, &task).as_secs(), write_s);
            assert_eq!(pace.step(gate, &task).as_secs(), gate_s);
        };
        check(&pace, 360, 120);
        pace.saw(gate, &task, Duration::from_secs(480));
        pace.saw(gate, &task, Duration::from_secs(480));
        check(&pace, 360, 300);
        for _ in 0..100 {
            pace.saw(gate, &task, Duration::from_secs(480));
        }
        check(&pace, 360, 473);
        // One that hung for hours is not what the next will do.
        pace.saw(write, &task, Duration::from_secs(360_000));
        check(&pace, 1200, 473);
        assert!(pace.left(&task, &workflow, None) > Duration::from_secs(1600));
    }
}
