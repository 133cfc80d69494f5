//! History as a table: trials taken together by what they have in common.
//! Knows nothing of how a table is shown.

use std::{collections::BTreeMap, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use super::history::{Estimate, Trial, Worth};
use crate::model::{
    money::{Money, Tokens},
    task::word_enum,
};

/// What trials can have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The role.
    Role,
    /// The model, as it was reported; of a program that does not tell, the agent's name.
    Model,
    /// The agent's name of then.
    Agent,
    /// The task's area.
    Area,
    /// The task's risk.
    Risk,
    /// The task's kind.
    Kind,
    /// The task's complexity.
    Complexity,
    /// The task.
    Task,
    /// The day that it began, by the calendar of a time zone.
    Day,
    /// The month, likewise.
    Month,
}

word_enum!(By {
    Role = "role",
    Model = "model",
    Agent = "agent",
    Area = "area",
    Risk = "risk",
    Kind = "kind",
    Complexity = "complexity",
    Task = "task",
    Day = "day",
    Month = "month"
});

impl By {
    /// What a trial has there; empty: nothing.
    fn of(self, trial: &Trial, zone: &TimeZone) -> String {
        let facts = &trial.facts;
        let began = || Timestamp::from_second(trial.at).unwrap_or_default().to_zoned(zone.clone()).date();
        match self {
            Self::Role => facts.role.clone(),
            Self::Model if trial.model.is_empty() => trial.agent.clone(),
            Self::Model => trial.model.clone(),
            Self::Agent => trial.agent.clone(),
            Self::Area => facts.area.clone().unwrap_or_default(),
            Self::Risk => facts.risk.to_string(),
            Self::Kind => facts.kind.clone().unwrap_or_default(),
            Self::Complexity => facts.complexity.to_string(),
            Self::Task => trial.task.to_string(),
            Self::Day => began().to_string(),
            Self::Month => began().strftime("%Y-%m").to_string(),
        }
    }
}

/// Trials that have something in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What they have in common, as it was asked for.
    pub key: Vec<String>,
    /// All of them.
    pub steps: usize,
    /// Those that succeeded.
    pub successes: usize,
    /// Those that missed.
    pub misses: usize,
    /// Those that nobody has judged yet.
    pub open: usize,
    /// Those that could not be made.
    pub infra: usize,
    /// Those after which the phase had to be done again.
    pub redone: usize,
    /// Required changes.
    pub findings: u64,
    /// Half of them took at most this; none: none could be made.
    pub time_median: Option<Duration>,
    /// What passed through models.
    pub tokens: Tokens,
    /// What they cost together, as far as it is known.
    pub cost: Money,
    /// Those whose cost is known.
    pub priced: usize,
}

impl Row {
    /// The share that succeeded of those that were judged; none: none was.
    pub fn success(&self) -> Option<f64> {
        let judged = self.successes + self.misses;
        (judged > 0).then(|| self.successes as f64 / judged as f64)
    }

    /// What one costs on average; none: no cost is known.
    pub fn cost_mean(&self) -> Option<Money> {
        let priced = u64::try_from(self.priced).ok().filter(|priced| *priced > 0)?;
        Some(Money::micros(self.cost.micros / priced))
    }

    /// What a success costs, with all that failed; none: no cost is known, or none succeeded.
    pub fn cost_per_success(&self) -> Option<Money> {
        let successes = u64::try_from(self.successes).ok().filter(|successes| *successes > 0 && self.priced > 0)?;
        Some(Money::micros(self.cost.micros / successes))
    }
}

/// The rows, in the order of their keys.
pub fn table<'a>(trials: impl IntoIterator<Item = &'a Trial>, by: &[By], zone: &TimeZone) -> Vec<Row> {
    let mut groups: BTreeMap<Vec<String>, Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        groups.entry(by.iter().map(|by| by.of(trial, zone)).collect()).or_default().push(trial);
    }
    groups.into_iter().map(|(key, trials)| row(key, &trials)).collect()
}

fn row(key: Vec<String>, trials: &[&Trial]) -> Row {
    let count = |worth| trials.iter().filter(|trial| trial.worth == worth).count();
    let costs = || trials.iter().filter_map(|trial| trial.cost_usd);
    Row {
        key,
        steps: trials.len(),
        successes: count(Worth::Success),
        misses: count(Worth::Miss),
        open: count(Worth::Open),
        infra: count(Worth::Infra),
        redone: trials.iter().filter(|trial| trial.redone).count(),
        findings: trials.iter().map(|trial| u64::from(trial.findings)).sum(),
        time_median: Estimate::of(trials.iter().copied()).map(|estimate| estimate.time.median),
        tokens: trials.iter().fold(Tokens::default(), |sum, trial| sum + trial.tokens),
        cost: costs().sum(),
        priced: costs().count(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::tests::trial;
    use super::*;

    fn check(by: &[By], wanted: &[&str]) {
        let redone = Trial { redone: true, findings: 2, ..trial("m", Worth::Miss, Some(10)) };
        let trials = [
            trial("m", Worth::Success, Some(20)),
            redone,
            trial("m", Worth::Open, None),
            trial("n", Worth::Infra, None),
        ];
        let told: Vec<String> = table(&trials, by, &TimeZone::UTC)
            .iter()
            .map(|row| {
                let cost = |cost: Option<Money>| cost.map_or("-".to_owned(), |cost| cost.micros.to_string());
                format!(
                    "{}: {} {}/{}/{}/{} again {} findings {} success {:?} cost {} {}",
                    row.key.join(","),
                    row.steps,
                    row.successes,
                    row.misses,
                    row.open,
                    row.infra,
                    row.redone,
                    row.findings,
                    row.success(),
                    cost(row.cost_mean()),
                    cost(row.cost_per_success()),
                )
            })
            .collect();
        assert_eq!(told, wanted);
    }

    #[test]
    fn rows_are_by_what_was_asked() {
        let both = [
            "implementer,m: 3 1/1/1/0 again 1 findings 2 success Some(0.5) cost 15 30",
            "implementer,n: 1 0/0/0/1 again 0 findings 0 success None cost - -",
        ];
        check(&[By::Role, By::Model], &both);
        check(
            &[By::Month, By::Day],
            &["1970-01,1970-01-01: 4 1/1/1/1 again 1 findings 2 success Some(0.5) cost 15 30"],
        );
        check(&[By::Area], &[": 4 1/1/1/1 again 1 findings 2 success Some(0.5) cost 15 30"]);
    }
}
