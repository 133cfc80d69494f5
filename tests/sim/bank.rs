//! The money of a simulated world, counted apart from the program: what is spent, by which run, task and day, and that no
//! budget is passed whatever the order of things. Knows nothing of the program's own ledger.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use git_orchestrate::{
    agents::request::SpendMax,
    config::settings::Settings,
    model::{
        money::{Money, Tokens},
        record::{Outcome, Record},
        task::TaskId,
    },
    route::estimate::price_of,
    run::{
        foreman::{Job, Spent},
        purse::{Consent, Funds},
    },
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::Dice;

/// Tokens of the longest answer, and of the shortest that is asked for.
const ANSWER_TOKENS: u64 = 32_000;
const ANSWER_TOKENS_LEAST: u64 = 1_000;

/// What all runs of a world spent.
#[derive(Default)]
pub struct Bank {
    /// By the day it began: which task, how much, and whether its checkpoint has it.
    spent: Vec<(Date, TaskId, Money, InCheckpoint)>,
    /// What this run spent.
    run: Money,
    /// How many of `spent` are of earlier runs.
    earlier: usize,
    /// What steps of a role by an agent cost, as their records tell.
    known: Vec<(String, String, Money)>,
    /// What a person gave this run.
    pub given: Option<Money>,
}

/// Whether a task's checkpoint has what was spent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum InCheckpoint {
    Yes,
    No,
}

/// A step that is being made.
pub struct Running<'a> {
    pub job: &'a Job,
    pub began: SystemTime,
}

pub fn day(time: SystemTime) -> Date {
    Timestamp::try_from(time).expect("in range").to_zoned(TimeZone::UTC).date()
}

/// Budgets for half of the worlds, each alone or with others.
pub fn budgets(settings: &mut Settings, dice: &mut Dice) {
    if dice.one_in(2) {
        return;
    }
    let budget = &mut settings.budget;
    let mut some = |most: u64| dice.one_in(2).then(|| Money::micros(10_000 * (1 + dice.below(most * 100))));
    (budget.run_usd, budget.day_usd, budget.month_usd) = (some(40), some(40), some(80));
    budget.task_usd = some(30);
}

/// What a step costs: of a model over HTTP what its turns cost, else anything up to what it was given, often about that.
pub fn cost(settings: &Settings, job: &Job, dice: &mut Dice) -> Money {
    let agent = job.agent.as_ref().and_then(|name| settings.agents.get(name));
    if let (Some(agent), Some(grant)) = (agent.filter(|agent| agent.adapter.is_over_http()), job.grant)
        && grant.is_cap
    {
        let spent =
            turns(SpendMax { price: price_of(&settings.prices, agent.model.as_deref()), usd: grant.amount }, dice);
        assert!(spent <= grant.amount, "turns over HTTP cost {spent} of {}", grant.amount);
        return spent;
    }
    let most = job.grant.map_or(0, |grant| grant.amount.micros);
    match dice.below(4) {
        0 => Money::micros(most),
        1 => Money::micros(most / 10),
        _ => Money::micros(dice.below(most + 1)),
    }
}

/// Turn after turn as the adapter for models over HTTP makes them: the context grows, the cache is there or not, an answer
/// is as long as it may be or shorter.
fn turns(max: SpendMax, dice: &mut Dice) -> Money {
    let (mut spent, mut known, mut next) = (Money::ZERO, 0, 1_000 + dice.below(30_000));
    while max.obstacle(spent, known, next).is_none() {
        let most = max.answer_tokens(spent, next).min(ANSWER_TOKENS);
        if most < ANSWER_TOKENS_LEAST {
            break;
        }
        let cached = if dice.one_in(3) { 0 } else { known };
        let output = if dice.one_in(3) { most } else { dice.below(most) };
        let fresh = next - cached;
        let (input, cache_write) = if dice.one_in(2) { (fresh, 0) } else { (0, fresh) };
        spent = spent + max.cost(&Tokens { input, output, cache_read: cached, cache_write, reasoning: 0 });
        known = next;
        next += output + dice.below(20_000);
        if dice.one_in(6) {
            break;
        }
    }
    spent
}

impl Bank {
    pub fn is_limited(settings: &Settings) -> bool {
        let budget = &settings.budget;
        [budget.task_usd, budget.run_usd, budget.day_usd, budget.month_usd].iter().any(Option::is_some)
    }

    /// A run begins; what a person gave the one before is not for it.
    pub fn begin(&mut self, settings: &Settings, given: Option<Money>) -> Funds {
        self.run = Money::ZERO;
        self.earlier = self.spent.len();
        self.given = given;
        let mut funds = Funds { limits: Funds::limits(settings, given), consent: Consent::All, ..Funds::default() };
        funds.is_bounded = Self::is_limited(settings) || given.is_some();
        for (role, agent, cost) in &self.known {
            funds.estimator.learn_step(role, agent, *cost);
        }
        for (day, task, cost, checkpoint) in &self.spent {
            *funds.days.entry(*day).or_default() = funds.days.get(day).copied().unwrap_or_default() + *cost;
            if *checkpoint == InCheckpoint::No {
                let before = funds.beyond.get(task).copied().unwrap_or_default();
                funds.beyond.insert(task.clone(), before + *cost);
            }
        }
        funds
    }

    pub fn spend(&mut self, began: SystemTime, task: &TaskId, cost: Money, checkpoint: InCheckpoint) {
        self.run = self.run + cost;
        self.spent.push((day(began), task.clone(), cost, checkpoint));
    }

    pub fn note(&mut self, record: &Record) {
        if let (Some(role), Some(cost), false) = (&record.role, record.cost_usd, record.outcome == Outcome::Infra) {
            self.known.push((role.clone(), record.actor.name().to_owned(), cost));
        }
    }

    /// What was spent and what running steps may still spend stays within every budget.
    pub fn check(&self, settings: &Settings, running: &[Running]) {
        let budget = &settings.budget;
        let (run, day_usd, month_usd) = match self.given {
            Some(given) => (Some(given), None, None),
            None => (budget.run_usd, budget.day_usd, budget.month_usd),
        };
        let granted = |running: &Running| running.job.grant.map_or(Money::ZERO, |grant| grant.amount);
        let within = |what: String, spent: Money, set_aside: Money, limit: Option<Money>| {
            let all = spent + set_aside;
            assert!(limit.is_none_or(|limit| all <= limit), "{what}: {spent} and {set_aside} of {limit:?}");
        };
        within("the run".to_owned(), self.run, running.iter().map(granted).sum(), run);
        let mut days: BTreeMap<Date, (Money, Money)> = BTreeMap::new();
        let mut tasks: BTreeMap<&TaskId, (Money, Money)> = BTreeMap::new();
        let before = |is_of: &dyn Fn(Date) -> bool| -> Money {
            self.spent[..self.earlier].iter().filter(|(day, ..)| is_of(*day)).map(|(_, _, cost, _)| *cost).sum()
        };
        // A run before that was given more by a person may have passed the limit; this one does not go further.
        let at_least = |limit: Option<Money>, spent: Money| limit.map(|limit| limit.max(spent));
        for (day, task, cost, _) in &self.spent {
            let of_day = days.entry(*day).or_default();
            of_day.0 = of_day.0 + *cost;
            let of_task = tasks.entry(task).or_default();
            of_task.0 = of_task.0 + *cost;
        }
        for running in running {
            let of_day = days.entry(day(running.began)).or_default();
            of_day.1 = of_day.1 + granted(running);
            let of_task = tasks.entry(&running.job.task.id).or_default();
            of_task.1 = of_task.1 + granted(running);
        }
        let mut months: BTreeMap<(i16, i8), (Money, Money)> = BTreeMap::new();
        for (day, (spent, set_aside)) in days {
            within(day.to_string(), spent, set_aside, at_least(day_usd, before(&|other| other == day)));
            let of_month = months.entry((day.year(), day.month())).or_default();
            *of_month = (of_month.0 + spent, of_month.1 + set_aside);
        }
        for (month, (spent, set_aside)) in months {
            let is_in = |day: Date| (day.year(), day.month()) == month;
            within(format!("{month:?}"), spent, set_aside, at_least(month_usd, before(&is_in)));
        }
        for (task, (spent, set_aside)) in tasks {
            within(task.to_string(), spent, set_aside, budget.task_usd);
        }
    }

    /// A run that ended for want of money had indeed too little for what it says it would have needed.
    pub fn check_refusal(&self, spent: &Spent, now: SystemTime) {
        let Spent::Budget(refusal) = spent else { return };
        assert_eq!(refusal.reserved, Money::ZERO, "it ended while steps were running");
        assert!(refusal.spent + refusal.need > refusal.limit, "{refusal}");
        let today = day(now);
        let of = |is_of: &dyn Fn(Date) -> bool| -> Money {
            self.spent.iter().filter(|(day, ..)| is_of(*day)).map(|(_, _, cost, _)| *cost).sum()
        };
        use git_orchestrate::route::budget::Scope;
        let counted = match refusal.scope {
            Scope::Task => unreachable!("a task's own budget ends no run"),
            Scope::Run => self.run,
            Scope::Day => of(&|day| day == today),
            Scope::Month => of(&|day| (day.year(), day.month()) == (today.year(), today.month())),
        };
        assert_eq!(refusal.spent, counted, "{:?}", refusal.scope);
    }
}

/// How far time goes on between two things: mostly seconds, now and then hours or days, so that days and months end.
pub fn pause(dice: &mut Dice) -> Duration {
    Duration::from_secs(match dice.below(30) {
        0 => dice.below(30_000),
        1 => dice.below(400_000),
        _ => dice.below(60),
    })
}
