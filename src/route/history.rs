//! What was tried and how it turned out: one trial for each step that an agent made.
//! Knows nothing of records or repositories; `hindsight` judges the steps, `run` reads them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::model_name::{is_same_model, plain};
use crate::model::{
    money::{Money, Tokens},
    record::Usage,
    task::{Complexity, Risk, Task, TaskId, word_enum},
    workflow::Role,
};

/// The share of steps that an estimate's `upper` is not passed by, in percent.
pub const UPPER_PERCENT: usize = 90;

/// What a step turned out to be worth, once its reviews, its gate and its landing have spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Worth {
    /// It passed all that judged it without being sent back.
    Success,
    /// It failed, was sent back, or was contradicted.
    Miss,
    /// Nobody has judged it yet, or nobody will.
    Open,
    /// Nothing can be said of the agent's work: its provider was down, its program did not start.
    Infra,
}

word_enum!(Worth { Success = "success", Miss = "miss", Open = "open", Infra = "infra" });

/// What kind of work a step was: what routes and learned choices go by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Facts {
    /// The role that the agent played.
    pub role: String,
    /// The task's area.
    pub area: Option<String>,
    /// The task's risk.
    pub risk: Risk,
    /// The task's kind.
    pub kind: Option<String>,
    /// The task's complexity.
    pub complexity: Complexity,
}

impl Facts {
    /// Those of a role in a task.
    pub fn of(role: &Role, task: &Task) -> Self {
        Self {
            role: role.0.clone(),
            area: task.area.clone(),
            risk: task.risk,
            kind: task.kind.clone(),
            complexity: task.complexity,
        }
    }
}

/// One step that an agent made, judged with hindsight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct Trial {
    /// The task.
    pub task: TaskId,
    /// What kind of work it was.
    pub facts: Facts,
    /// The agent's name in the configuration of then.
    pub agent: String,
    /// The model, as the agent reported it, else as it was asked for; empty: not known.
    pub model: String,
    /// When it began, seconds since 1970.
    pub at: i64,
    /// What it turned out to be worth.
    pub worth: Worth,
    /// Whether its phase had to be done again after it, by whomever and for whatever reason.
    pub redone: bool,
    /// Required changes: those that reviews named against it; of a review, those that it named.
    pub findings: u32,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
    /// What passed through the model.
    pub tokens: Tokens,
    /// What it cost; none: not known.
    pub cost_usd: Option<Money>,
    /// What the agent's program used of the machine; none: not known.
    pub usage: Option<Usage>,
    /// What the reviews of it cost, as far as that is known.
    pub judging_usd: Money,
}

/// A trial as it is kept: values in a row. With a name before each they take twice as long to read.
#[derive(Serialize, Deserialize)]
struct Kept(Made, Kind, Judged, Took);

/// The task, the agent, the model, when.
type Made = (TaskId, String, String, i64);
/// The role, the area, the risk, the kind, the complexity.
type Kind = (String, Option<String>, Risk, Option<String>, Complexity);
/// The worth, whether it was done again, findings.
type Judged = (Worth, bool, u32);
/// Milliseconds, tokens, micro-dollars, bytes and milliseconds of the machine, micro-dollars of its reviews.
type Took = (u64, [u64; 5], Option<u64>, Option<(u64, u64)>, u64);

impl From<Kept> for Trial {
    fn from(Kept(made, kind, judged, took): Kept) -> Self {
        let ((task, agent, model, at), (role, area, risk, kind, complexity)) = (made, kind);
        let ((worth, redone, findings), (duration_ms, tokens, cost, usage, judging)) = (judged, took);
        let [input, output, cache_read, cache_write, reasoning] = tokens;
        Self {
            task,
            facts: Facts { role, area, risk, kind, complexity },
            agent,
            model,
            at,
            worth,
            redone,
            findings,
            duration_ms,
            tokens: Tokens { input, output, cache_read, cache_write, reasoning },
            cost_usd: cost.map(Money::micros),
            usage: usage.map(|(memory_bytes_max, cpu_ms)| Usage { memory_bytes_max, cpu_ms }),
            judging_usd: Money::micros(judging),
        }
    }
}

impl From<Trial> for Kept {
    fn from(trial: Trial) -> Self {
        let Facts { role, area, risk, kind, complexity } = trial.facts;
        let Tokens { input, output, cache_read, cache_write, reasoning } = trial.tokens;
        let tokens = [input, output, cache_read, cache_write, reasoning];
        let usage = trial.usage.map(|usage| (usage.memory_bytes_max, usage.cpu_ms));
        let cost = trial.cost_usd.map(|cost| cost.micros);
        Self(
            (trial.task, trial.agent, trial.model, trial.at),
            (role, area, risk, kind, complexity),
            (trial.worth, trial.redone, trial.findings),
            (trial.duration_ms, tokens, cost, usage, trial.judging_usd.micros),
        )
    }
}

impl Trial {
    /// Whether it tells something of an agent as it is configured now: the same model, or, where the configuration leaves
    /// the model to the program or names it by one word (`opus`), the same name.
    pub fn is_of(&self, agent: &str, model: Option<&str>) -> bool {
        match model {
            None => self.agent == agent,
            Some(model) if is_same_model(&self.model, model) => true,
            Some(alias) => {
                let is_word = !alias.is_empty() && alias.chars().all(|c| c.is_ascii_alphabetic());
                let alias = alias.to_ascii_lowercase();
                is_word && self.agent == agent && plain(&self.model).split('-').any(|word| word == alias)
            }
        }
    }
}

/// A usual value and one that is seldom passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread<T> {
    /// Half of the steps had at most this.
    pub median: T,
    /// [`UPPER_PERCENT`] of a hundred steps had at most this.
    pub upper: T,
}

impl<T: Copy + Ord> Spread<T> {
    fn of(mut values: Vec<T>) -> Option<Self> {
        values.sort_unstable();
        let last = values.len().checked_sub(1)?;
        Some(Self {
            median: values[last / 2],
            upper: values[(values.len() * UPPER_PERCENT).div_ceil(100).min(last + 1) - 1],
        })
    }
}

/// What steps of one kind took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Steps that it stands on.
    pub steps: usize,
    /// What one cost; none: no step's cost is known.
    pub cost: Option<Spread<Money>>,
    /// What passed through the model: all of it.
    pub tokens: Spread<u64>,
    /// How long one took.
    pub time: Spread<Duration>,
    /// The most memory that the agent's program had, bytes; none: of no step it is known.
    pub memory: Option<Spread<u64>>,
    /// Its processor time; none: of no step it is known.
    pub cpu: Option<Spread<Duration>>,
}

impl Estimate {
    /// What these steps took; none if there are none. Steps that the agent could not even begin say nothing of it.
    pub fn of<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Option<Self> {
        let trials: Vec<&Trial> = trials.into_iter().filter(|trial| trial.worth != Worth::Infra).collect();
        let usages = || trials.iter().filter_map(|trial| trial.usage);
        Some(Self {
            steps: trials.len(),
            cost: Spread::of(trials.iter().filter_map(|trial| trial.cost_usd).collect()),
            tokens: Spread::of(trials.iter().map(|trial| trial.tokens.total()).collect())?,
            time: Spread::of(trials.iter().map(|trial| Duration::from_millis(trial.duration_ms)).collect())?,
            // Of what was over at once it was not seen.
            memory: Spread::of(usages().map(|usage| usage.memory_bytes_max).filter(|bytes| *bytes > 0).collect()),
            cpu: Spread::of(usages().map(|usage| Duration::from_millis(usage.cpu_ms)).collect()),
        })
    }
}

/// All that was tried, by task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    tasks: BTreeMap<TaskId, Vec<Trial>>,
}

impl History {
    /// That of these trials.
    pub fn new(trials: impl IntoIterator<Item = Trial>) -> Self {
        let mut history = Self::default();
        for trial in trials {
            history.tasks.entry(trial.task.clone()).or_default().push(trial);
        }
        history
    }

    /// Every trial, task by task.
    pub fn trials(&self) -> impl Iterator<Item = &Trial> {
        self.tasks.values().flatten()
    }

    /// Whether nothing was tried yet.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// What a step of an agent, as it is configured now, takes in a role; none: it never played it.
    pub fn estimate(&self, role: &Role, agent: &str, model: Option<&str>) -> Option<Estimate> {
        Estimate::of(self.trials().filter(|trial| trial.facts.role == role.0 && trial.is_of(agent, model)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A trial of agent `a` with that model.
    pub fn trial(model: &str, worth: Worth, cost_micros: Option<u64>) -> Trial {
        let task = Task::new("t".parse().expect("an id"), "t");
        Trial {
            task: task.id.clone(),
            facts: Facts::of(&Role("implementer".to_owned()), &task),
            agent: "a".to_owned(),
            model: model.to_owned(),
            at: 0,
            worth,
            redone: false,
            findings: 0,
            duration_ms: 1000,
            tokens: Tokens::default(),
            cost_usd: cost_micros.map(Money::micros),
            usage: None,
            judging_usd: Money::ZERO,
        }
    }

    fn check(agent: &str, model: Option<&str>, wanted: bool) {
        let trial = trial("claude-opus-4-5-20251101", Worth::Success, None);
        assert_eq!(trial.is_of(agent, model), wanted, "{agent} {model:?}");
    }

    #[test]
    fn a_trial_tells_of_the_same_model_only() {
        check("a", None, true);
        check("b", None, false);
        check("b", Some("claude-opus-4-5"), true);
        check("b", Some("anthropic/claude-opus-4-5[1m]"), true);
        check("a", Some("claude-opus-4"), false);
        check("a", Some("claude-sonnet-4-5"), false);
        check("a", Some("opus"), true);
        check("a", Some("sonnet"), false);
        check("b", Some("opus"), false);
    }

    #[test]
    fn an_estimate_is_a_median_and_an_upper_bound() {
        let costs = (1..=10).map(|cost| trial("m", Worth::Success, Some(cost)));
        let unknown = trial("m", Worth::Miss, None);
        let down = trial("m", Worth::Infra, Some(1_000_000));
        let history = History::new(costs.chain([unknown, down]));
        let role = Role("implementer".to_owned());
        let estimate = history.estimate(&role, "a", Some("m")).expect("there are steps");
        assert_eq!(estimate.steps, 11);
        assert_eq!(estimate.cost, Some(Spread { median: Money::micros(5), upper: Money::micros(9) }));
        assert_eq!(estimate.time.upper, Duration::from_secs(1));
        assert_eq!(history.estimate(&role, "a", Some("other")), None);
        assert_eq!(history.estimate(&Role("planner".to_owned()), "a", Some("m")), None);
        assert_eq!(Estimate::of(&[trial("m", Worth::Success, None)]).and_then(|one| one.cost), None);
    }
}
