//! The money of a run: what the next step may cost, what it is given, what it cost in the end, and what a person should
//! hear of it. Knows nothing of clocks or files; days are told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    config::settings::{AgentSettings, Settings},
    model::{
        checkpoint::Checkpoint,
        money::Money,
        record::{Actor, Outcome, Record},
        task::{Complexity, Task, TaskId},
        workflow::{PhaseId, Role},
    },
    route::{
        self,
        budget::{Ledger, Limits, Refusal, Scope, Stand, TaskMoney},
        estimate::{Estimate, Estimator, counted, is_unusual},
    },
};

/// The role whose steps are like the brief of a hybrid.
const PLANNER: &str = "planner";

/// Tasks that may begin however much they are likely to cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// All: `--yes`.
    All,
    /// These, as a person said.
    These(BTreeSet<TaskId>),
}

impl Default for Consent {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

/// What a run begins with.
#[derive(Debug, Clone, Default)]
pub struct Funds {
    /// What may be spent by all tasks together.
    pub limits: Limits,
    /// What was spent on each day before.
    pub days: BTreeMap<Date, Money>,
    /// What tasks cost beyond what their checkpoints say: attempts that left no step, and steps of unknown cost.
    pub beyond: BTreeMap<TaskId, Money>,
    /// What steps and tasks cost so far.
    pub estimator: Estimator,
    /// Who may begin however much it is likely to cost.
    pub consent: Consent,
    /// Whether any budget bounds a task or all of them: then what nobody knows counts as estimated.
    pub is_bounded: bool,
}

impl Funds {
    /// The limits of the configuration. An amount that a person gave this run counts instead of the run's, the day's and
    /// the month's.
    pub fn limits(settings: &Settings, given: Option<Money>) -> Limits {
        let budget = &settings.budget;
        match given {
            Some(given) => Limits { run: Some(given), day: None, month: None, warn: budget.warn },
            None => Limits { run: budget.run_usd, day: budget.day_usd, month: budget.month_usd, warn: budget.warn },
        }
    }
}

/// What a step is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// What is set aside for it.
    pub amount: Money,
    /// What it is likely to cost.
    pub usual: Money,
    /// Whether its agent is told to end at that amount.
    pub is_cap: bool,
}

/// Something that a person should hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// One line.
    pub message: String,
    /// One thing to do.
    pub hint: Option<String>,
}

/// A task that is likely to cost far more than tasks usually do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusual {
    /// What it is likely to cost.
    pub estimate: Money,
    /// What a task usually costs.
    pub usual: Money,
}

impl std::fmt::Display for Unusual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it is likely to cost about {}, where a task usually costs {}", self.estimate, self.usual)
    }
}

/// The money of a run.
#[derive(Debug, Clone)]
pub struct Purse {
    ledger: Ledger,
    estimator: Estimator,
    beyond: BTreeMap<TaskId, Money>,
    unusual: BTreeMap<TaskId, Unusual>,
    is_bounded: bool,
    notices: Vec<Notice>,
    /// Agents whose unknown cost was told.
    told: BTreeSet<String>,
}

/// A step that may begin.
pub struct Asked<'a> {
    /// The task.
    pub task: &'a Task,
    /// Its state.
    pub checkpoint: &'a Checkpoint,
    /// The role that is played.
    pub role: &'a Role,
    /// By whom.
    pub agent: &'a str,
}

impl Purse {
    /// The purse of a run over tasks; `new` has those that have not begun, each with the state in which it would begin.
    pub fn new<'a>(funds: Funds, settings: &Settings, new: impl IntoIterator<Item = (&'a Task, Checkpoint)>) -> Self {
        let Funds { limits, days, beyond, estimator, consent, is_bounded } = funds;
        let estimates: Vec<(TaskId, Money)> = new
            .into_iter()
            .map(|(task, checkpoint)| {
                let step = |role: &Role| {
                    let agents = route::candidates(settings, role, task);
                    let estimate = |agent| estimate(&estimator, settings, role, task.complexity, agent);
                    agents.first().and_then(|agent| estimate(agent)).map_or(Money::ZERO, |estimate| estimate.usual)
                };
                (task.id.clone(), estimator.rest_of_task(&checkpoint, step))
            })
            .collect();
        let others: Vec<Money> = estimates.iter().map(|(_, estimate)| *estimate).collect();
        let usual = estimator.usual_task(&others);
        let may = |task: &TaskId| match &consent {
            Consent::All => true,
            Consent::These(tasks) => tasks.contains(task),
        };
        let unusual = estimates.into_iter().filter_map(|(task, estimate)| {
            let usual = usual.filter(|usual| is_unusual(estimate, *usual) && !may(&task))?;
            Some((task, Unusual { estimate, usual }))
        });
        Self {
            unusual: unusual.collect(),
            ledger: Ledger::new(limits, days),
            estimator,
            beyond,
            is_bounded,
            notices: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    /// Why a task that has not begun should not begin before a person has heard of it.
    pub fn unusual(&self, task: &TaskId) -> Option<&Unusual> {
        self.unusual.get(task)
    }

    /// What a task has used of its own budget.
    pub fn of_task(&self, checkpoint: &Checkpoint) -> TaskMoney {
        let beyond = self.beyond.get(&checkpoint.task).copied().unwrap_or_default();
        TaskMoney { spent: checkpoint.spent.cost_usd + beyond, limit: checkpoint.bounds.budget_usd }
    }

    /// Whether any budget bounds a task or all of them: else none stands in the way of a step.
    pub fn is_bounded(&self) -> bool {
        self.is_bounded
    }

    /// Whether a step could begin.
    ///
    /// # Errors
    /// The budget that does not suffice.
    pub fn ask(&self, settings: &Settings, asked: &Asked, today: Date) -> Result<Money, Refusal> {
        if !self.is_bounded {
            return Ok(Money::ZERO);
        }
        let need = self.estimate(settings, asked).need(is_cut_off(settings, asked.agent));
        self.ledger.ask(&asked.task.id, need, self.of_task(asked.checkpoint), today)
    }

    /// Sets aside what a step may cost.
    ///
    /// # Errors
    /// As [`Purse::ask`].
    pub fn reserve(
        &mut self,
        settings: &Settings,
        asked: &Asked,
        phase: &PhaseId,
        today: Date,
    ) -> Result<Grant, Refusal> {
        if !self.is_bounded {
            return Ok(Grant { amount: Money::ZERO, usual: Money::ZERO, is_cap: false });
        }
        let is_cut_off = is_cut_off(settings, asked.agent);
        let estimate = self.estimate(settings, asked);
        let need = estimate.need(is_cut_off);
        let money = self.of_task(asked.checkpoint);
        let amount = self.ledger.reserve(&asked.task.id, phase, need, money, today)?;
        let is_limited = self.ledger.is_limited() || money.limit.is_some();
        Ok(Grant { amount, usual: estimate.usual, is_cap: is_cut_off && is_limited })
    }

    /// What a step is likely to cost.
    pub fn estimate(&self, settings: &Settings, asked: &Asked) -> Estimate {
        estimate(&self.estimator, settings, asked.role, asked.task.complexity, asked.agent)
            .expect("BUG: only configured agents are chosen")
    }

    /// A step was made: `checkpoint` is the task's state after it.
    pub fn made(&mut self, record: &Record, checkpoint: &Checkpoint, today: Date) {
        let (cost, is_known) = match counted(record) {
            (_, false) if !self.is_bounded => (Money::ZERO, true),
            counted => counted,
        };
        self.ledger.settle(&record.task, &record.phase, cost, today);
        if let (Actor::Agent { name, model, .. }, Some(role)) = (&record.actor, &record.role) {
            if record.cost_usd.is_some() && record.outcome != Outcome::Infra {
                self.estimator.learn_step(role, name, cost);
            }
            if !is_known {
                self.count_beyond(&record.task, cost);
                let unknown = record.calls.iter().find(|call| call.cost_usd.is_none() && call.tokens.total() > 0);
                let model = unknown.map_or(model, |call| &call.model);
                self.tell_unknown(name, model.as_deref(), cost);
            }
        }
        let money = self.of_task(checkpoint);
        self.warn(Some((&record.task, money)), today);
    }

    /// A step ended without being made; `cost` is what it cost, if that is known, else what was set aside counts.
    pub fn dropped(&mut self, task: &TaskId, phase: &PhaseId, cost: Option<Money>, today: Date) {
        let cost = cost.or_else(|| self.ledger.reserved_for(task, phase)).unwrap_or_default();
        self.ledger.settle(task, phase, cost, today);
        self.count_beyond(task, cost);
        self.warn(None, today);
    }

    fn count_beyond(&mut self, task: &TaskId, cost: Money) {
        let beyond = self.beyond.entry(task.clone()).or_default();
        *beyond = *beyond + cost;
    }

    /// Budgets that are nearly spent are told, each once.
    pub fn warn(&mut self, task: Option<(&TaskId, TaskMoney)>, today: Date) {
        for (scope, stand) in self.ledger.warnings(task, today) {
            let limit = stand.limit.unwrap_or_default();
            let whose = match (scope, task) {
                (Scope::Task, Some((task, _))) => format!("the budget of {task}"),
                (Scope::Task, None) | (Scope::Run | Scope::Day | Scope::Month, _) => scope.to_string(),
            };
            let message = format!("{} of {whose} of {limit} is spent", stand.spent);
            self.notices.push(Notice { message, hint: None });
        }
    }

    fn tell_unknown(&mut self, agent: &str, model: Option<&str>, cost: Money) {
        if !self.told.insert(agent.to_owned()) {
            return;
        }
        let message =
            format!("what steps of agent '{agent}' cost is not known; each counts as estimated, this one {cost}");
        let model = model.unwrap_or("<model>");
        let hint = format!("add to .handoff/config.toml: [prices.\"{model}\"] input = 3.0 output = 15.0 (or 0 and 0)");
        self.notices.push(Notice { message, hint: Some(hint) });
    }

    /// What a person should hear, told once.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// How the budgets of the run, of this day and of this month stand.
    pub fn stands(&self, today: Date) -> [Stand; 3] {
        [self.ledger.of_run(), self.ledger.of_day(today), self.ledger.of_month(today)]
    }
}

fn is_cut_off(settings: &Settings, agent: &str) -> bool {
    let Some(found) = settings.agents.get(agent) else { return false };
    let parts = settings.parts_of(found);
    parts.map_or(found.adapter.heeds_spend_max(), |parts| parts.iter().all(|part| part.adapter.heeds_spend_max()))
}

fn estimate(
    estimator: &Estimator,
    settings: &Settings,
    role: &Role,
    complexity: Complexity,
    agent: &str,
) -> Option<Estimate> {
    let found = settings.agents.get(agent)?;
    let step = |role: &Role, of: &AgentSettings| estimator.step(role, complexity, (agent, of), &settings.prices);
    let Some([brief, work]) = settings.parts_of(found) else { return Some(step(role, found)) };
    let whole = step(role, work);
    if whole.samples > 0 {
        return Some(whole);
    }
    // To look at the code and write down what to do is what planners do.
    let brief = step(&Role(PLANNER.to_owned()), brief);
    Some(Estimate { usual: whole.usual + brief.usual, upper: whole.upper + brief.upper, samples: 0 })
}
