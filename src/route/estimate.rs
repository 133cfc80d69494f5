//! What a step is likely to cost: from its role and the task's complexity first, from this repository's own history as soon
//! as there is some. Knows nothing of budgets or of where history is read.

use std::collections::BTreeMap;

use super::price;
use crate::{
    config::settings::{AgentSettings, Price},
    model::{
        checkpoint::Checkpoint,
        money::{Money, Tokens},
        record::{Actor, Outcome, Record},
        task::Complexity,
        workflow::Role,
    },
};

/// Steps of a role by an agent that must be known before they count more than the table.
pub const SAMPLES_MIN: usize = 5;
/// Steps of a role by an agent that are kept, the newest.
const SAMPLES_MAX: usize = 200;
/// Tasks whose cost must be reckoned to say what a task usually costs, where too few are finished. Of finished ones as many
/// are needed as steps before those count: what was learned is not compared with the table.
const TASKS_MIN: usize = 3;
/// Steps that a plan is taken to have before it is made.
const PLAN_STEPS: u64 = 3;
/// What no step is taken to cost less than, unless its model is free.
const STEP_LEAST: Money = Money::micros(10_000);
/// The price of a model that is in no list, dollars per million tokens: that of a usual one.
const PRICE_UNKNOWN: Price = Price {
    input: Money::micros(3_000_000),
    output: Money::micros(15_000_000),
    cache_read: Some(Money::micros(300_000)),
    cache_write: Some(Money::micros(3_750_000)),
};
/// Of a step whose agent ends it at a limit: the limit as a multiple of what nine in ten steps cost.
const CUT_OFF_MARGIN: u64 = 2;
/// Of what is set aside for a step whose agent ends it at a limit, the fifths that the agent is told: it looks at the limit
/// between two turns, so that one more answer may come.
const TOLD_FIFTHS: u64 = 4;
/// Of other steps: what is set aside in halves of what nine in ten steps cost.
const MARGIN_HALVES: u64 = 3;
/// How many times the usual cost of a task is far above it.
const UNUSUAL_FACTOR: u64 = 5;
/// What is never far above the usual.
const UNUSUAL_LEAST: Money = Money::micros(1_000_000);

/// Tokens of a usual step of a task of medium complexity: newly read (and written to the provider's cache), read from
/// that cache, written. Writing roles read their files again at every turn, hence the many cached ones.
const USUAL_TOKENS: [(&str, [u64; 3]); 5] = [
    ("planner", [60_000, 400_000, 8_000]),
    ("plan-reviewer", [25_000, 100_000, 3_000]),
    ("implementer", [80_000, 1_500_000, 20_000]),
    ("tester", [60_000, 1_000_000, 15_000]),
    ("code-reviewer", [50_000, 300_000, 5_000]),
];
/// The same of any other role.
const OTHER_TOKENS: [u64; 3] = [60_000, 600_000, 10_000];

/// Complexity in tenths of a medium task.
fn tenths(complexity: Complexity) -> u64 {
    match complexity {
        Complexity::Small => 4,
        Complexity::Medium => 10,
        Complexity::Large => 30,
    }
}

/// The price that a model is reckoned at: its own, else that of a usual one.
pub fn price_of(prices: &BTreeMap<String, Price>, model: Option<&str>) -> Price {
    model.and_then(|model| price::price(prices, model)).unwrap_or(PRICE_UNKNOWN)
}

/// What a step is likely to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Half of such steps cost no more.
    pub usual: Money,
    /// Nine in ten cost no more.
    pub upper: Money,
    /// Steps that it is reckoned from; 0: from the table.
    pub samples: usize,
}

impl Estimate {
    /// What must be set aside for the step: if its agent ends it at a limit, that limit, as far as there is money; else
    /// all of it with a margin, for nothing ends it.
    pub fn need(&self, is_cut_off: bool) -> super::budget::Need {
        if is_cut_off {
            let most = Money::micros(self.upper.micros.saturating_mul(CUT_OFF_MARGIN));
            // So that what it is told is not less than what such a step usually costs.
            let least = Money::micros(self.usual.micros.saturating_mul(5).div_ceil(TOLD_FIFTHS));
            return super::budget::Need { least, most: most.max(least) };
        }
        let all = Money::micros(self.upper.micros.saturating_mul(MARGIN_HALVES) / 2);
        super::budget::Need { least: all, most: all }
    }
}

/// The limit that an agent is told of a step for which that much is set aside.
pub fn told_limit(amount: Money) -> Money {
    Money::micros(amount.micros / 5 * TOLD_FIFTHS)
}

/// What steps and tasks of this repository cost so far.
#[derive(Debug, Clone, Default)]
pub struct Estimator {
    steps: BTreeMap<(String, String), Vec<Money>>,
    tasks: Vec<Money>,
}

impl Estimator {
    /// Takes in what a step of a role by an agent cost, the oldest first.
    pub fn learn_step(&mut self, role: &str, agent: &str, cost: Money) {
        let known = self.steps.entry((role.to_owned(), agent.to_owned())).or_default();
        if known.len() == SAMPLES_MAX {
            known.remove(0);
        }
        known.push(cost);
    }

    /// Takes in what a finished task cost.
    pub fn learn_task(&mut self, cost: Money) {
        self.tasks.push(cost);
    }

    /// What a step of a role for a task of that complexity is likely to cost with that agent.
    pub fn step(
        &self,
        role: &Role,
        complexity: Complexity,
        (name, agent): (&str, &AgentSettings),
        prices: &BTreeMap<String, Price>,
    ) -> Estimate {
        let price = agent.model.as_deref().and_then(|model| price::price(prices, model));
        let is_free = price.is_some_and(|price| (price.input, price.output) == (Money::ZERO, Money::ZERO));
        let least = if is_free { Money::ZERO } else { STEP_LEAST };
        let scaled = |money: Money| Money::micros(money.micros.saturating_mul(tenths(complexity)) / 10).max(least);
        let known = self.steps.get(&(role.0.clone(), name.to_owned()));
        match known.filter(|known| known.len() >= SAMPLES_MIN) {
            Some(known) => {
                // What was learned is of tasks of all kinds, which are medium together.
                let usual = quantile(known, 5);
                Estimate { usual: scaled(usual), upper: scaled(quantile(known, 9).max(usual)), samples: known.len() }
            }
            None => {
                let usual = scaled(assumed(&role.0, price.unwrap_or(PRICE_UNKNOWN)));
                Estimate { usual, upper: Money::micros(usual.micros * 2), samples: 0 }
            }
        }
    }

    /// What the rest of a task is likely to cost: each phase that is not over once, and those that come once for each step
    /// of a plan that is not made three times. `step` says what a step of a role is likely to cost.
    pub fn rest_of_task(&self, checkpoint: &Checkpoint, step: impl Fn(&Role) -> Money) -> Money {
        let open = checkpoint.phases.iter().filter(|phase| !phase.state.is_over());
        let costs = open.filter_map(|phase| {
            let spec = checkpoint.spec(&phase.id)?;
            let once = step(spec.role.as_ref()?);
            let will_unfold = phase.id.plan_step().is_none() && unfolds(checkpoint, spec.id.as_str());
            Some(Money::micros(once.micros.saturating_mul(if will_unfold { PLAN_STEPS } else { 1 })))
        });
        costs.sum()
    }

    /// What a task usually costs here: the median of those that were finished, else of `others`; none if there are few of
    /// both.
    pub fn usual_task(&self, others: &[Money]) -> Option<Money> {
        let known = if self.tasks.len() >= SAMPLES_MIN { &self.tasks } else { others };
        (known.len() >= TASKS_MIN).then(|| quantile(known, 5))
    }
}

/// Whether what a task is likely to cost is so far above the usual that a person should hear of it first.
pub fn is_unusual(estimate: Money, usual: Money) -> bool {
    // Where nothing has a price, the estimate is that of others and says nothing of what is usual here.
    usual > Money::ZERO && estimate > UNUSUAL_LEAST && estimate.micros > usual.micros.saturating_mul(UNUSUAL_FACTOR)
}

/// Whether a phase of the workflow comes once for each step of a plan, itself or by what it needs.
fn unfolds(checkpoint: &Checkpoint, phase: &str) -> bool {
    let Some(spec) = checkpoint.workflow.phase(phase) else { return false };
    let alone = !spec.needs.is_empty() && spec.needs.iter().all(|need| unfolds(checkpoint, need.as_str()));
    spec.for_each.is_some() || alone
}

/// The value that so many tenths of the others do not exceed; nothing of none.
fn quantile(values: &[Money], tenths: usize) -> Money {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * tenths).div_ceil(10).max(1) - 1;
    sorted.get(at).copied().unwrap_or_default()
}

/// Tokens of a usual step of a role in a task of medium complexity.
pub fn usual_tokens(role: &str) -> Tokens {
    let known = USUAL_TOKENS.iter().find(|(name, _)| *name == role);
    let [cache_write, cache_read, output] = known.map_or(OTHER_TOKENS, |(_, tokens)| *tokens);
    Tokens { output, cache_read, cache_write, ..Tokens::default() }
}

fn assumed(role: &str, price: Price) -> Money {
    price::at(price, &usual_tokens(role))
}

/// What a recorded step counts for in budgets, and whether that is known: what it cost, else what its tokens cost at the
/// price of a usual model, else what a step of its role usually costs.
pub fn counted(record: &Record) -> (Money, bool) {
    let is_agent = match &record.actor {
        Actor::Agent { .. } => true,
        Actor::Gate { .. } | Actor::Person { .. } | Actor::Land => false,
    };
    match record.cost_usd {
        Some(cost) => (cost, true),
        None if !is_agent => (Money::ZERO, true),
        None => match unknown(record.role.as_deref().unwrap_or_default(), &record.tokens, record.outcome) {
            Some(cost) => (cost, false),
            None => (Money::ZERO, true),
        },
    }
}

/// What a step counts for whose cost nobody knows; none: it did nothing that costs.
pub fn unknown(role: &str, tokens: &Tokens, outcome: Outcome) -> Option<Money> {
    if tokens.total() > 0 {
        return Some(price::at(PRICE_UNKNOWN, tokens));
    }
    match outcome {
        // It was not even reached.
        Outcome::Infra => None,
        Outcome::Done | Outcome::Changes | Outcome::Rejected | Outcome::Failed => Some(assumed(role, PRICE_UNKNOWN)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Settings;

    fn settings() -> Settings {
        let text = "[agents.known]\nadapter = 'claude'\nmodel = 'claude-sonnet-4-5'\n\
                    [agents.other]\nadapter = 'command'\nprogram = 'x'\nmodel = 'mine'\n\
                    [agents.free]\nadapter = 'command'\nprogram = 'x'\nmodel = 'gratis'\n\
                    [prices.gratis]\ninput = 0\noutput = 0\n";
        crate::config::parse::parse(text, "c").expect("it is right")
    }

    /// `history` is what steps of an implementer by the agent cost, in cents.
    fn check(agent: &str, complexity: Complexity, history: &[u64], wanted: &str) {
        let settings = settings();
        let mut estimator = Estimator::default();
        history.iter().for_each(|cents| {
            estimator.learn_step("implementer", agent, Money::micros(cents * 10_000));
        });
        let role = Role("implementer".to_owned());
        let found = estimator.step(&role, complexity, (agent, &settings.agents[agent]), &settings.prices);
        let (cut_off, open) = (found.need(true), found.need(false));
        let said = format!(
            "{} {} by {}; {} to {}, else {}",
            found.usual, found.upper, found.samples, cut_off.least, cut_off.most, open.least
        );
        assert_eq!(said, wanted, "{agent} {complexity} {history:?}");
    }

    #[test]
    fn the_table_counts_until_there_is_history() {
        check("known", Complexity::Medium, &[], "$1.05 $2.10 by 0; $1.31 to $4.20, else $3.15");
        check("other", Complexity::Medium, &[500; 4], "$1.05 $2.10 by 0; $1.31 to $4.20, else $3.15");
        check("known", Complexity::Small, &[], "$0.42 $0.84 by 0; $0.53 to $1.68, else $1.26");
        check("free", Complexity::Large, &[], "$0.00 $0.00 by 0; $0.00 to $0.00, else $0.00");
        let costs = [10, 20, 30, 40, 50, 60, 70, 80, 90, 1000];
        check("known", Complexity::Medium, &costs, "$0.50 $0.90 by 10; $0.63 to $1.80, else $1.35");
        check("known", Complexity::Large, &costs, "$1.50 $2.70 by 10; $1.88 to $5.40, else $4.05");
        check("known", Complexity::Medium, &[0; 9], "$0.01 $0.01 by 9; $0.01 to $0.02, else $0.02");
    }

    #[test]
    fn the_usual_task_and_what_is_far_above_it() {
        let dollars = |n: u64| Money::micros(n * 1_000_000);
        let mut estimator = Estimator::default();
        assert_eq!(estimator.usual_task(&[dollars(1), dollars(2)]), None);
        assert_eq!(estimator.usual_task(&[dollars(1), dollars(9), dollars(2)]), Some(dollars(2)));
        [4, 5, 6, 5].iter().for_each(|cost| estimator.learn_task(dollars(*cost)));
        assert_eq!(estimator.usual_task(&[]), None);
        estimator.learn_task(dollars(5));
        assert_eq!(estimator.usual_task(&[]), Some(dollars(5)));
        assert!(!is_unusual(dollars(25), dollars(5)) && is_unusual(dollars(26), dollars(5)));
        assert!(!is_unusual(dollars(1), Money::ZERO), "a dollar is nobody's surprise");
    }

    #[test]
    fn what_nobody_knows_counts_all_the_same() {
        let tokens = Tokens { output: 1_000_000, ..Tokens::default() };
        let said = |tokens: &Tokens, outcome| unknown("planner", tokens, outcome).map(|money| money.to_string());
        assert_eq!(said(&tokens, Outcome::Infra).as_deref(), Some("$15.00"));
        assert_eq!(said(&Tokens::default(), Outcome::Infra), None);
        assert_eq!(said(&Tokens::default(), Outcome::Failed).as_deref(), Some("$0.47"));
    }
}
