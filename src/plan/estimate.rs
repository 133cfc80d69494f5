//! What a task is likely to take: steps, time, tokens and money, from its complexity and the phases that are left of it.
//! Knows nothing of agents or prices; what one step takes is told, here is only what is usual where nobody knows.

use std::{
    collections::BTreeMap,
    ops::{Add, Mul},
    time::Duration,
};

use crate::model::{
    checkpoint::Checkpoint,
    money::Money,
    task::{Complexity, Task},
    workflow::{Access, PhaseId, PhaseSpec, Product, SkipWhen, Workflow},
};

/// What some work takes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Effort {
    /// Steps, those that are likely to be done again counted in.
    pub steps: f64,
    /// Time, one step after another.
    pub time: Duration,
    /// Tokens of all kinds.
    pub tokens: u64,
    /// Money, of the steps whose price is known.
    pub cost: Money,
    /// Steps whose price is not known.
    pub unpriced: f64,
    /// Processor time on this machine.
    pub cpu: Duration,
    /// The most memory of this machine at one time, one step after another, bytes.
    pub memory_bytes_max: u64,
}

impl Add for Effort {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            time: self.time + other.time,
            tokens: self.tokens + other.tokens,
            cost: self.cost + other.cost,
            unpriced: self.unpriced + other.unpriced,
            cpu: self.cpu + other.cpu,
            memory_bytes_max: self.memory_bytes_max.max(other.memory_bytes_max),
        }
    }
}

impl Mul<f64> for Effort {
    type Output = Self;
    fn mul(self, times: f64) -> Self {
        Self {
            steps: self.steps * times,
            time: self.time.mul_f64(times),
            tokens: (self.tokens as f64 * times) as u64,
            cost: Money::micros((self.cost.micros as f64 * times) as u64),
            unpriced: self.unpriced * times,
            cpu: self.cpu.mul_f64(times),
            // However often it is done, it is not done twice at once; what is not done at all takes nothing.
            memory_bytes_max: if times > 0.0 { self.memory_bytes_max } else { 0 },
        }
    }
}

impl std::iter::Sum for Effort {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// What one task is likely to take from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outlook {
    /// All of it.
    pub effort: Effort,
    /// The time of the longest chain of its phases: what it takes however many workers there are.
    pub length: Duration,
}

/// How often a phase that others judge is done, on average.
const JUDGED_TIMES: f64 = 1.3;

/// Steps that a plan is likely to have.
pub fn plan_steps(complexity: Complexity) -> f64 {
    match complexity {
        Complexity::Small => 1.0,
        Complexity::Medium => 3.0,
        Complexity::Large => 6.0,
    }
}

/// How much a step of an agent is in a task of this complexity, where one of a medium task is 1.
pub fn scale(complexity: Complexity) -> f64 {
    match complexity {
        Complexity::Small => 0.5,
        Complexity::Medium => 1.0,
        Complexity::Large => 1.5,
    }
}

/// How long a step of this kind usually takes.
pub fn usual(spec: &PhaseSpec, complexity: Complexity) -> Duration {
    let seconds = match (&spec.gate, spec.access(), spec.produces) {
        (Some(_), ..) => return Duration::from_secs(120),
        (None, Access::Write, _) => 360.0,
        (None, Access::Read, Some(Product::Plan)) => 180.0,
        (None, Access::Read, Some(Product::Report) | None) => 120.0,
    };
    Duration::from_secs_f64(seconds * scale(complexity))
}

/// The memory that an agent's program usually takes for a step in a task of this complexity, bytes; the programs of 2026
/// take from 60 MiB (Codex) to 500 MiB (those on Node), with what they start.
pub fn usual_memory_bytes(complexity: Complexity) -> u64 {
    (400.0 * scale(complexity)) as u64 * (1 << 20)
}

/// The processor time of a step of an agent that takes so long: it mostly waits for its model.
pub fn usual_cpu(time: Duration) -> Duration {
    time / 10
}

/// What is left of a task; `step` tells what one step of a phase takes. Nothing is left of one that is over.
pub fn outlook(
    task: &Task,
    workflow: &Workflow,
    checkpoint: Option<&Checkpoint>,
    step: &dyn Fn(&PhaseSpec) -> Effort,
) -> Outlook {
    let workflow = checkpoint.map_or(workflow, |checkpoint| &checkpoint.workflow);
    let group = for_each_group(workflow);
    let judged: Vec<&PhaseId> = workflow.phases.iter().flat_map(|s| s.reviews.iter().chain(&s.on_fail)).collect();
    let mut effort = Effort::default();
    let mut ends: BTreeMap<&PhaseId, Duration> = BTreeMap::new();
    let mut length = Duration::ZERO;
    for spec in &workflow.phases {
        let is_judged = judged.contains(&&spec.id) || spec.reviews.is_some() || spec.on_fail.is_some();
        let times = if is_judged { JUDGED_TIMES } else { 1.0 };
        let of_phase = step(spec) * (times * left(task, spec, checkpoint, group.contains(&&spec.id)));
        effort = effort + of_phase;
        let begin = spec.needs.iter().filter_map(|need| ends.get(need)).max().copied().unwrap_or_default();
        ends.insert(&spec.id, begin + of_phase.time);
        length = length.max(begin + of_phase.time);
    }
    Outlook { effort, length }
}

/// How often a phase is still to be done, if nothing sends it back.
fn left(task: &Task, spec: &PhaseSpec, checkpoint: Option<&Checkpoint>, is_for_each: bool) -> f64 {
    let fresh = || match (is_for_each, is_skipped(task, &spec.skip_when)) {
        (_, true) => 0.0,
        (true, false) => plan_steps(task.complexity),
        (false, false) => 1.0,
    };
    let Some(checkpoint) = checkpoint else { return fresh() };
    if checkpoint.aborted.is_some() {
        return 0.0;
    }
    let phases: Vec<_> = checkpoint.phases.iter().filter(|phase| phase.id.spec() == spec.id.as_str()).collect();
    match phases.as_slice() {
        // Its plan is not there yet.
        [phase] if phase.id == spec.id && is_for_each && !phase.state.is_over() => match &checkpoint.plan {
            Some(plan) => plan.steps.len() as f64,
            None => fresh(),
        },
        phases => phases.iter().filter(|phase| !phase.state.is_over()).count() as f64,
    }
}

/// Whether it is passed over, as far as the task itself tells.
fn is_skipped(task: &Task, when: &SkipWhen) -> bool {
    let labelled = when.labels.is_empty() || when.labels.iter().any(|label| task.labels.contains(label));
    let in_area = when.areas.is_empty() || when.areas.iter().any(|area| Some(area) == task.area.as_ref());
    *when != SkipWhen::default() && when.results.is_empty() && labelled && in_area
}

/// The phases that a plan unfolds: those that say so, and those that hang on them alone.
fn for_each_group(workflow: &Workflow) -> Vec<&PhaseId> {
    let mut group: Vec<&PhaseId> = Vec::new();
    loop {
        let is_new = |spec: &&PhaseSpec| {
            let hangs = !spec.needs.is_empty() && spec.needs.iter().all(|need| group.contains(&need));
            !group.contains(&&spec.id) && (spec.for_each.is_some() || hangs)
        };
        match workflow.phases.iter().find(is_new) {
            Some(spec) => group.push(&spec.id),
            None => return group,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::checkpoint::Bounds;

    const STANDARD: &str = include_str!("../handoff/workflows/standard.toml");
    const READERS: &str = r#"
name = "readers"
[[phase]]
id = "a"
role = "reader"
produces = "report"
[[phase]]
id = "b"
role = "reader"
produces = "report"
skip_when = { labels = ["quick"] }
[[phase]]
id = "c"
role = "writer"
needs = ["a", "b"]
"#;

    /// Steps and minutes, each step taking a minute.
    fn check(workflow: &str, complexity: Complexity, label: &str, begun: bool, steps: f64, minutes: f64) {
        let workflow: Workflow = toml::from_str(workflow).expect("a workflow");
        let mut task = Task::new("t".parse().expect("an id"), "t");
        task.complexity = complexity;
        task.labels = vec![label.to_owned()];
        let base = "1".repeat(40).parse().expect("hex");
        let checkpoint = begun.then(|| Checkpoint::begin(&task, workflow.clone(), base, Bounds::default()));
        let minute = |_: &PhaseSpec| Effort { steps: 1.0, time: Duration::from_secs(60), ..Effort::default() };
        let outlook = outlook(&task, &workflow, checkpoint.as_ref(), &minute);
        assert!((outlook.effort.steps - steps).abs() < 0.01, "{} steps", outlook.effort.steps);
        let length = outlook.length.as_secs_f64() / 60.0;
        assert!((length - minutes).abs() < 0.01, "{length} minutes");
    }

    #[test]
    fn plans_unfold_reviews_repeat_and_readers_run_side_by_side() {
        check(STANDARD, Complexity::Small, "", false, 5.0 * 1.3, 5.0 * 1.3);
        check(STANDARD, Complexity::Large, "", false, (2.0 + 3.0 * 6.0) * 1.3, (2.0 + 3.0 * 6.0) * 1.3);
        check(STANDARD, Complexity::Large, "", true, (2.0 + 3.0 * 6.0) * 1.3, (2.0 + 3.0 * 6.0) * 1.3);
        check(READERS, Complexity::Large, "", false, 3.0, 2.0);
        check(READERS, Complexity::Medium, "quick", false, 2.0, 2.0);
        check(READERS, Complexity::Medium, "quick", true, 2.0, 2.0);
    }
}
