//! The ledger: what was spent, what running steps may still spend, and whether one more may begin.
//! Knows nothing of clocks, agents or files; days are told, and what a step is likely to cost is reckoned elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::civil::Date;

use crate::model::{money::Money, task::TaskId, workflow::PhaseId};

/// What a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One task, over all runs.
    Task,
    /// One `start` or `resume`.
    Run,
    /// A day of the local calendar.
    Day,
    /// A month of the local calendar.
    Month,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task => "the task's budget",
            Self::Run => "the run's budget",
            Self::Day => "today's budget",
            Self::Month => "this month's budget",
        })
    }
}

/// What may be spent by all tasks together; none: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// In this run.
    pub run: Option<Money>,
    /// On one day.
    pub day: Option<Money>,
    /// In one month.
    pub month: Option<Money>,
    /// The share of a budget at which a warning is due.
    pub warn: f64,
}

/// What a step needs to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// It does not begin with less.
    pub least: Money,
    /// It is never given more.
    pub most: Money,
}

/// What a task has used of its own budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskMoney {
    /// What it cost so far, without what runs.
    pub spent: Money,
    /// What it may cost.
    pub limit: Option<Money>,
}

/// Why a step may not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The budget that does not suffice.
    pub scope: Scope,
    /// What the step would need.
    pub need: Money,
    /// What is spent of it.
    pub spent: Money,
    /// What running steps may still spend of it.
    pub reserved: Money,
    /// The budget.
    pub limit: Money,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, need, spent, reserved, limit } = self;
        write!(f, "the next step may cost {need}, but {spent} of {scope} of {limit} is spent")?;
        if *reserved > Money::ZERO { write!(f, " and {reserved} set aside for running steps") } else { Ok(()) }
    }
}

/// How one budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// What is spent.
    pub spent: Money,
    /// What running steps may still spend.
    pub reserved: Money,
    /// The budget.
    pub limit: Option<Money>,
}

impl Stand {
    fn left(&self) -> Option<Money> {
        self.limit.map(|limit| limit.saturating_sub(self.spent).saturating_sub(self.reserved))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reservation {
    amount: Money,
    /// The day it was made: what the step costs counts for it.
    day: Date,
}

/// What was spent and what is set aside.
#[derive(Debug, Clone)]
pub struct Ledger {
    limits: Limits,
    run: Money,
    days: BTreeMap<Date, Money>,
    reserved: BTreeMap<(TaskId, PhaseId), Reservation>,
    warned: BTreeSet<(Scope, Option<TaskId>)>,
}

impl Ledger {
    /// The ledger of a run that begins; `days` has what earlier runs spent on each day.
    pub fn new(limits: Limits, days: BTreeMap<Date, Money>) -> Self {
        Self { limits, run: Money::ZERO, days, reserved: BTreeMap::new(), warned: BTreeSet::new() }
    }

    /// How much a step of this task that begins today could be given: between what it needs at least and at most, as much
    /// as every budget has left.
    ///
    /// # Errors
    /// The task's budget if less of it is left than the step needs, else the one with the least left.
    pub fn ask(&self, task: &TaskId, need: Need, money: TaskMoney, today: Date) -> Result<Money, Refusal> {
        let stands = [
            (Scope::Task, self.of_task(task, money)),
            (Scope::Run, self.of_run()),
            (Scope::Day, self.of_day(today)),
            (Scope::Month, self.of_month(today)),
        ];
        let lefts = || stands.iter().filter_map(|(scope, stand)| Some((*scope, *stand, stand.left()?, stand.limit?)));
        // The task's own first: who has too little of that is not helped by more for the run.
        let too_little = lefts().filter(|(_, _, left, _)| *left < need.least);
        if let Some((scope, stand, _, limit)) =
            too_little.min_by_key(|(scope, _, left, _)| (*scope != Scope::Task, *left))
        {
            let Stand { spent, reserved, .. } = stand;
            return Err(Refusal { scope, need: need.least, spent, reserved, limit });
        }
        Ok(lefts().map(|(_, _, left, _)| left).min().map_or(need.most, |left| left.min(need.most)))
    }

    /// Sets that much aside for a step of this phase, and returns it.
    ///
    /// # Errors
    /// As [`Ledger::ask`]. Nothing is then set aside.
    pub fn reserve(
        &mut self,
        task: &TaskId,
        phase: &PhaseId,
        need: Need,
        money: TaskMoney,
        today: Date,
    ) -> Result<Money, Refusal> {
        let amount = self.ask(task, need, money, today)?;
        self.reserved.insert((task.clone(), phase.clone()), Reservation { amount, day: today });
        Ok(amount)
    }

    /// A step has ended: what was set aside is free again, and what it cost is spent. What nothing was set aside for counts
    /// for `today`.
    pub fn settle(&mut self, task: &TaskId, phase: &PhaseId, cost: Money, today: Date) {
        let reservation = self.reserved.remove(&(task.clone(), phase.clone()));
        let day = reservation.map_or(today, |reservation| reservation.day);
        self.run = self.run + cost;
        let spent = self.days.entry(day).or_default();
        *spent = *spent + cost;
    }

    /// Whether anything bounds what all tasks together may cost.
    pub fn is_limited(&self) -> bool {
        let Limits { run, day, month, .. } = self.limits;
        [run, day, month].iter().any(Option::is_some)
    }

    /// What is set aside for a step.
    pub fn reserved_for(&self, task: &TaskId, phase: &PhaseId) -> Option<Money> {
        self.reserved.get(&(task.clone(), phase.clone())).map(|reservation| reservation.amount)
    }

    /// How a task's budget stands.
    pub fn of_task(&self, task: &TaskId, money: TaskMoney) -> Stand {
        let own = self.reserved.iter().filter(|((of, _), _)| of == task);
        Stand { spent: money.spent, reserved: own.map(|(_, r)| r.amount).sum(), limit: money.limit }
    }

    /// How the run's budget stands.
    pub fn of_run(&self) -> Stand {
        let reserved = self.reserved.values().map(|r| r.amount).sum();
        Stand { spent: self.run, reserved, limit: self.limits.run }
    }

    /// How the budget of that day stands.
    pub fn of_day(&self, day: Date) -> Stand {
        let reserved = self.reserved.values().filter(|r| r.day == day).map(|r| r.amount).sum();
        Stand { spent: self.days.get(&day).copied().unwrap_or_default(), reserved, limit: self.limits.day }
    }

    /// How the budget of the month of that day stands.
    pub fn of_month(&self, day: Date) -> Stand {
        let is_in = |other: Date| other.year() == day.year() && other.month() == day.month();
        let reserved = self.reserved.values().filter(|r| is_in(r.day)).map(|r| r.amount).sum();
        let days = self.days.iter().filter(|(other, _)| is_in(**other));
        Stand { spent: days.map(|(_, spent)| *spent).sum(), reserved, limit: self.limits.month }
    }

    /// The budgets that have reached the share at which a warning is due, each told once.
    pub fn warnings(&mut self, task: Option<(&TaskId, TaskMoney)>, today: Date) -> Vec<(Scope, Stand)> {
        let of_task = task.map(|(id, money)| (Scope::Task, Some(id.clone()), self.of_task(id, money)));
        let stands = [
            (Scope::Run, None, self.of_run()),
            (Scope::Day, None, self.of_day(today)),
            (Scope::Month, None, self.of_month(today)),
        ];
        let due = of_task.into_iter().chain(stands).filter(|(_, _, stand)| {
            stand.limit.is_some_and(|limit| stand.spent.micros as f64 >= limit.micros as f64 * self.limits.warn)
        });
        let due: Vec<_> = due.collect();
        due.into_iter()
            .filter_map(|(scope, task, stand)| self.warned.insert((scope, task)).then_some((scope, stand)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is done to a ledger with budgets of $10 a run, $20 a day, $30 a month, of which the words say what was spent
    /// before: `day:amount`. Words that follow are done in order; each that asks for money is answered.
    fn check(before: &str, words: &str, wanted: &str) {
        let date = |day: &str| format!("2026-02-{day:0>2}").parse::<Date>().expect("a day");
        let money = |text: &str| text.parse::<Money>().expect(text);
        let days = before.split_whitespace().map(|word| word.split_once(':').expect("day:amount"));
        let limits = Limits { run: Some(money("10")), day: Some(money("20")), month: Some(money("30")), warn: 0.8 };
        let mut ledger = Ledger::new(limits, days.map(|(day, spent)| (date(day), money(spent))).collect());
        let phase: PhaseId = "p".parse().expect("a phase");
        let (mut today, mut said) = (date("9"), Vec::new());
        for word in words.split_whitespace() {
            let (name, rest) = word.split_once(['+', '=', '@']).expect("a word");
            let task: Option<TaskId> = name.parse().ok();
            match (task, word.contains('@'), word.contains('+')) {
                (_, true, _) => today = date(rest),
                (Some(task), _, true) => {
                    let (least, most) = rest.split_once('-').unwrap_or((rest, rest));
                    let need = Need { least: money(least), most: money(most) };
                    let own = TaskMoney { spent: Money::ZERO, limit: (name == "small").then(|| money("2")) };
                    said.push(match ledger.reserve(&task, &phase, need, own, today) {
                        Ok(amount) => amount.to_string(),
                        Err(no) => format!("{:?} {}+{} of {}", no.scope, no.spent, no.reserved, no.limit),
                    });
                }
                (Some(task), _, false) => {
                    ledger.settle(&task, &phase, money(rest), today);
                    said.extend(ledger.warnings(None, today).iter().map(|(scope, _)| format!("warn {scope:?}")));
                }
                (None, ..) => unreachable!("{word}"),
            }
        }
        assert_eq!(said.join(", "), wanted, "{before}: {words}");
    }

    #[test]
    fn what_is_set_aside_is_not_given_twice() {
        check("", "a+4 b+4 c+4", "$4.00, $4.00, Run $0.00+$8.00 of $10.00");
        check("", "a+4 b+4 a=1 c+4 b=4 d+1", "$4.00, $4.00, $4.00, $1.00");
        check("", "a+10 a=10 b+0 c+0.01", "$10.00, warn Run, $0.00, Run $10.00+$0.00 of $10.00");
        // It begins with less than it may at most have, if that suffices.
        check("", "a+4-8 b+1-8 c+0.5-1", "$8.00, $2.00, Run $0.00+$10.00 of $10.00");
        check("", "small+3", "Task $0.00+$0.00 of $2.00");
    }

    #[test]
    fn days_and_months_count_what_began_in_them() {
        check("9:15", "a+6 b+5 a=6", "Day $15.00+$0.00 of $20.00, $5.00, warn Day");
        check("8:24 9:1", "a+6 b+5", "Month $25.00+$0.00 of $30.00, $5.00");
        // Begun yesterday, ended today: it counts for yesterday.
        check(
            "9:12",
            "a+8 day@10 b+2 a=8 c+1 b=2 d+1",
            "$8.00, $2.00, warn Run, Run $8.00+$2.00 of $10.00, Run $10.00+$0.00 of $10.00",
        );
    }

    #[test]
    fn a_warning_is_given_once() {
        check("8:22", "a+2 a=2 b+2 b=1 c+2 c=2 d+3 d=3", "$2.00, warn Month, $2.00, $2.00, $3.00, warn Run");
        check("", "a+8 a=7.99 b+1 b=0.01 c+1 c=1", "$8.00, $1.00, warn Run, $1.00");
    }

    #[test]
    fn a_refusal_says_which_and_how_much() {
        let money = Money::micros(5_000_000);
        let no = Refusal { scope: Scope::Run, need: money, spent: money, reserved: Money::ZERO, limit: money };
        assert_eq!(no.to_string(), "the next step may cost $5.00, but $5.00 of the run's budget of $5.00 is spent");
        let no = Refusal { reserved: Money::micros(300_000), scope: Scope::Day, ..no };
        assert!(
            no.to_string().ends_with("$5.00 of today's budget of $5.00 is spent and $0.30 set aside for running steps")
        );
    }
}
