//! What `[budget]` and `[quota]` say, and what cannot be meant by it.
//! Knows nothing of what is spent.

use serde::{Deserialize, Serialize};

use super::{
    document::{Place, place},
    quiet_hours::QuietHours,
    settings::Settings,
};
use crate::model::money::Money;

/// `[budget]`, in dollars. Nothing is started that could pass one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// What a task may cost, where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_usd: Option<Money>,
    /// What one `start` or `resume` may cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_usd: Option<Money>,
    /// What a day of the local calendar may cost, in all runs of this repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_usd: Option<Money>,
    /// What a month of the local calendar may cost, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month_usd: Option<Money>,
    /// The share of a budget at which a warning is given, 0 to 1.
    pub warn: f64,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { task_usd: None, run_usd: None, day_usd: None, month_usd: None, warn: 0.8 }
    }
}

/// What is done when an agent's rate or quota is used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuotaPolicy {
    /// The step waits for this agent.
    Wait,
    /// Another agent of the role does it; if none may, it waits for the first that is back.
    #[default]
    Switch,
    /// Nothing new is started and the run ends; `resume` goes on.
    Stop,
}

crate::model::task::word_enum!(QuotaPolicy { Wait = "wait", Switch = "switch", Stop = "stop" });

/// `[quota]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaSettings {
    /// What is done when an agent's quota is used up, where the agent does not say.
    pub policy: QuotaPolicy,
    /// Local time in which no agent's step begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
}

/// A mistake, where it is, and what to do about it.
pub(super) struct Wrong {
    pub place: Place,
    pub what: String,
    pub hint: Option<String>,
}

/// Version 0.1 had a task's budget among the limits. Such a file still counts; both spellings at once do not.
pub(super) fn old_spelling(settings: &mut Settings) -> Option<Wrong> {
    let old = settings.limits.task_budget_usd.take()?;
    let is_there = settings.budget.task_usd.is_some();
    settings.budget.task_usd.get_or_insert(old);
    is_there.then(|| Wrong {
        place: place!["limits", "task_budget_usd"].to_vec(),
        what: "'task_budget_usd' is now 'task_usd' in [budget], which is there too".to_owned(),
        hint: Some("remove it from [limits]".to_owned()),
    })
}

/// Amounts and shares that cannot be meant.
pub(super) fn problems(budget: &BudgetSettings) -> Vec<Wrong> {
    let BudgetSettings { task_usd, run_usd, day_usd, month_usd, warn } = *budget;
    let amounts = [("task_usd", task_usd), ("run_usd", run_usd), ("day_usd", day_usd), ("month_usd", month_usd)];
    let nothing = amounts.iter().filter(|(_, amount)| *amount == Some(Money::ZERO)).map(|(key, _)| Wrong {
        place: place!["budget", *key].to_vec(),
        what: format!("'{key}' must be more than nothing"),
        hint: Some("leave it out for no limit".to_owned()),
    });
    let mut wrong: Vec<Wrong> = nothing.collect();
    if !(warn > 0.0 && warn <= 1.0) {
        wrong.push(Wrong {
            place: place!["budget", "warn"].to_vec(),
            what: "'warn' must be more than 0 and at most 1".to_owned(),
            hint: Some("warn = 0.8 warns at 80 %, warn = 1.0 not before the end".to_owned()),
        });
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse::parse;

    fn check(text: &str, wanted: &[&str]) {
        let problems = parse(text, "c").expect_err(text);
        let said = problems.iter().map(|problem| {
            let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
            format!("{}: {}{hint}", problem.line.expect("it has a line"), problem.what)
        });
        assert_eq!(said.collect::<Vec<_>>(), wanted, "{text}");
    }

    #[test]
    fn budgets_and_quotas() {
        check(
            "[budget]\ntask_usd = 0\nday_usd = -1\nrun = 5\nwarn = 80",
            &[
                "3: 'day_usd': '-1' is not an amount of dollars such as 1.50",
                "4: unknown key 'run' in [budget] (did you mean 'run_usd'?)",
            ],
        );
        check(
            "[budget]\ntask_usd = 0\nwarn = 80",
            &[
                "2: 'task_usd' must be more than nothing (leave it out for no limit)",
                "3: 'warn' must be more than 0 and at most 1 (warn = 0.8 warns at 80 %, warn = 1.0 not before the end)",
            ],
        );
        check(
            "[quota]\npolicy = 'swich'\nquiet_hours = '22-7'",
            &[
                "2: 'policy' cannot be 'swich' (did you mean 'switch'?)",
                "3: 'quiet_hours': '22-7' is no part of a day such as 22:00-07:00",
            ],
        );
        let old = parse("[limits]\ntask_budget_usd = 5", "c").expect("0.1 wrote that");
        assert_eq!((old.budget.task_usd, old.limits.task_budget_usd), (Some(Money::micros(5_000_000)), None));
        check(
            "[limits]\ntask_budget_usd = 5\n[budget]\ntask_usd = 4",
            &["2: 'task_budget_usd' is now 'task_usd' in [budget], which is there too (remove it from [limits])"],
        );
    }
}
