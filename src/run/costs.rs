//! What the steps of the repository cost and when, from their records, and what follows from it for a run's money.
//! Knows nothing of what runs now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    Project, RunError, history,
    purse::{Consent, Funds},
    queue::Queued,
    spending::Spending,
};
use crate::{
    config::settings::Settings,
    model::{checkpoint::TaskState, money::Money, record::Outcome, task::TaskId},
    route::{
        estimate::{Estimator, unknown},
        history::{History, Trial, Worth},
    },
    sys::file::Sync,
};

/// What all steps cost, and the attempts that left none.
#[derive(Debug, Clone, Default)]
pub struct Costs {
    history: History,
    /// Of attempts that left no step: when each began, seconds since 1970, and what it cost.
    dropped: Vec<(TaskId, i64, Money)>,
    /// Whether any budget bounds a task or all of them: then what nobody knows counts as estimated.
    is_bounded: bool,
}

impl Costs {
    /// Reads what the steps of this repository cost.
    ///
    /// # Errors
    /// When the branches cannot be read.
    pub fn read(project: &Project, queue: &[Queued], given: Option<Money>) -> Result<Self, RunError> {
        let spending = Spending::new(project.local.spending(), Sync::No);
        let dropped = spending.dropped().into_iter().filter_map(|attempt| {
            let began = Timestamp::try_from(attempt.began()?).ok()?;
            Some((attempt.task, began.as_second(), attempt.cost_usd))
        });
        let budget = &project.settings.budget;
        let limits = [given, budget.task_usd, budget.run_usd, budget.day_usd, budget.month_usd];
        let is_bounded = limits.iter().any(Option::is_some) || queue.iter().any(has_budget);
        Ok(Self { dropped: dropped.collect(), history: history::read_beside(project, queue)?, is_bounded })
    }

    /// What was spent on each day of the calendar.
    pub fn days(&self, zone: &TimeZone) -> BTreeMap<Date, Money> {
        let steps = self.history.trials().map(|trial| (trial.at, self.counted(trial).0));
        let dropped = self.dropped.iter().map(|(_, began, cost)| (*began, *cost));
        let mut days: BTreeMap<Date, Money> = BTreeMap::new();
        for (began, cost) in steps.chain(dropped).filter(|(_, cost)| *cost > Money::ZERO) {
            let Ok(began) = Timestamp::from_second(began) else { continue };
            let day = days.entry(began.to_zoned(zone.clone()).date()).or_default();
            *day = *day + cost;
        }
        days
    }

    /// What tasks cost beyond what their checkpoints say: steps of unknown cost and attempts that left no step.
    pub fn beyond(&self) -> BTreeMap<TaskId, Money> {
        let steps = self.history.trials().map(|trial| (&trial.task, self.counted(trial)));
        let assumed = steps.filter(|(_, (_, is_known))| !is_known).map(|(id, (cost, _))| (id, cost));
        let dropped = self.dropped.iter().map(|(id, _, cost)| (id, *cost));
        let mut beyond: BTreeMap<TaskId, Money> = BTreeMap::new();
        for (id, cost) in assumed.chain(dropped).filter(|(_, cost)| *cost > Money::ZERO) {
            let of_task = beyond.entry(id.clone()).or_default();
            *of_task = *of_task + cost;
        }
        beyond
    }

    /// What is known of what steps of these agents and tasks cost.
    fn estimator(&self, settings: &Settings, queue: &[Queued]) -> Estimator {
        let mut estimator = Estimator::default();
        let mut trials: Vec<&Trial> = self.history.trials().filter(|trial| trial.worth != Worth::Infra).collect();
        trials.sort_by_key(|trial| trial.at);
        for trial in trials {
            let Some(cost) = trial.cost_usd else { continue };
            let agents = settings.agents.iter();
            for (agent, _) in agents.filter(|(name, agent)| trial.is_of(name, agent.model.as_deref())) {
                estimator.learn_step(&trial.facts.role, agent, cost);
            }
        }
        let beyond = self.beyond();
        // A task of whose steps one's cost is not known, and is not reckoned either, says nothing of what tasks cost.
        let is_unknown = |trial: &&Trial| trial.cost_usd.is_none() && trial.worth != Worth::Infra && !self.is_bounded;
        let unknown: BTreeSet<&TaskId> = self.history.trials().filter(is_unknown).map(|trial| &trial.task).collect();
        for queued in queue.iter().filter(|queued| queued.state() == TaskState::Landed) {
            let Some(checkpoint) = queued.checkpoint.as_ref().filter(|_| !unknown.contains(&queued.task.id)) else {
                continue;
            };
            let more = beyond.get(&queued.task.id).copied().unwrap_or_default();
            estimator.learn_task(checkpoint.spent.cost_usd + more);
        }
        estimator
    }

    /// What a run begins with. `given` is what a person lets it spend, whatever the configuration says.
    pub fn funds(
        &self,
        settings: &Settings,
        queue: &[Queued],
        given: Option<Money>,
        consent: Consent,
        zone: &TimeZone,
    ) -> Funds {
        Funds {
            limits: Funds::limits(settings, given),
            days: self.days(zone),
            beyond: self.beyond(),
            estimator: self.estimator(settings, queue),
            consent,
            is_bounded: self.is_bounded,
        }
    }

    /// What a step counts for, and whether that is known.
    fn counted(&self, trial: &Trial) -> (Money, bool) {
        let outcome = if trial.worth == Worth::Infra { Outcome::Infra } else { Outcome::Done };
        match (trial.cost_usd, unknown(&trial.facts.role, &trial.tokens, outcome)) {
            (Some(cost), _) => (cost, true),
            (None, Some(cost)) if self.is_bounded => (cost, false),
            (None, _) => (Money::ZERO, true),
        }
    }
}

/// Whether a task has a budget of its own.
fn has_budget(queued: &Queued) -> bool {
    let begun = queued.checkpoint.as_ref().and_then(|checkpoint| checkpoint.bounds.budget_usd);
    queued.task.budget_usd.or(begun).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            checkpoint::{Bounds, Checkpoint},
            money::Tokens,
            task::Task,
            workflow::Role,
        },
        route::history::Facts,
    };

    fn trial(began: &str, cents: Option<u64>, worth: Worth) -> Trial {
        let task = Task::new("api".parse().expect("an id"), "Serve it");
        Trial {
            task: task.id.clone(),
            facts: Facts::of(&Role("implementer".to_owned()), &task),
            agent: "claude".to_owned(),
            model: String::new(),
            at: began.parse::<Timestamp>().expect(began).as_second(),
            worth,
            redone: false,
            findings: 0,
            duration_ms: 1,
            tokens: Tokens::default(),
            cost_usd: cents.map(|cents| Money::micros(cents * 10_000)),
            usage: None,
            judging_usd: Money::ZERO,
        }
    }

    #[test]
    fn days_are_those_of_the_local_calendar() {
        let id: TaskId = "api".parse().expect("an id");
        let began = trial("2026-04-01T22:00:00Z", None, Worth::Open).at;
        let costs = Costs {
            history: History::new([
                trial("2026-03-31T21:59:59Z", Some(100), Worth::Success),
                trial("2026-03-31T22:00:00Z", Some(20), Worth::Miss),
                trial("2026-04-01T21:59:59Z", Some(3), Worth::Infra),
                trial("2026-04-01T21:59:59Z", None, Worth::Infra),
            ]),
            dropped: vec![(id.clone(), began, Money::micros(7_000_000))],
            is_bounded: true,
        };
        let said = |zone: TimeZone| {
            costs.days(&zone).iter().map(|(day, spent)| format!("{day} {spent}")).collect::<Vec<_>>().join(", ")
        };
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        assert_eq!(said(berlin), "2026-03-31 $1.00, 2026-04-01 $0.23, 2026-04-02 $7.00");
        assert_eq!(said(TimeZone::UTC), "2026-03-31 $1.20, 2026-04-01 $7.03");
        assert_eq!(costs.beyond()[&id], Money::micros(7_000_000));
    }

    #[test]
    fn what_nobody_knows_counts_where_there_is_a_budget() {
        let costs = Costs {
            history: History::new([trial("2026-03-31T21:59:59Z", None, Worth::Success)]),
            dropped: Vec::new(),
            is_bounded: true,
        };
        let free = Costs { is_bounded: false, ..costs.clone() };
        assert!(free.days(&TimeZone::UTC).is_empty() && free.beyond().is_empty());
        let (beyond, days) = (costs.beyond(), costs.days(&TimeZone::UTC));
        assert_eq!(beyond.values().collect::<Vec<_>>(), days.values().collect::<Vec<_>>());
        assert!(beyond.values().all(|cost| *cost > Money::ZERO));
    }

    #[test]
    fn a_task_whose_cost_nobody_knows_makes_no_other_unusual() {
        let workflow = crate::handoff::workflows::builtin("single").expect("it is built in");
        let base = "1".repeat(40).parse().expect("hex");
        let task = Task::new("api".parse().expect("an id"), "Serve it");
        let landed = Queued {
            checkpoint: Some(Checkpoint::begin(&task, workflow, base, Bounds::default())),
            task,
            file: Default::default(),
            tip: None,
            landed: true,
        };
        let queue = vec![landed; 5];
        let usual = |cents: Option<u64>, is_bounded: bool| {
            let history = History::new([trial("2026-03-31T21:59:59Z", cents, Worth::Success)]);
            let costs = Costs { history, dropped: Vec::new(), is_bounded };
            costs.estimator(&Settings::default(), &queue).usual_task(&[])
        };
        assert_eq!(usual(None, false), None);
        assert_eq!(usual(Some(0), false), Some(Money::ZERO));
        assert!(usual(None, true) > Some(Money::ZERO), "it counts as reckoned");
    }
}
