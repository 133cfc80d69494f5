//! Learned routing: of the agents that a rule names, the cheapest that is good enough goes first, as earlier steps tell.
//! Knows nothing of who may: families, parked and busy agents are for the choice, which goes down the list that this makes.
//!
//! What is believed of an agent's chance is a beta distribution over its successes and misses, each counted by its age.
//! It stands on the finest key that has enough of them: role, area, risk and kind, else role and risk, else the role alone;
//! but never on the role alone for a task of high risk, whose failures easier tasks do not foretell.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    beta::Beta,
    history::{Facts, History, Trial, Worth},
};
use crate::{
    config::settings::{RoutingSettings, Settings},
    model::{money::Money, object::Digest, task::Risk},
    text,
};

/// The lower bound of a chance: the true one is above it with four of five.
const LOWER_SHARE: f64 = 0.2;
/// The upper bound: the true one is below it with four of five.
const UPPER_SHARE: f64 = 0.8;

/// What kind of work is taken together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Exact { role: String, area: Option<String>, risk: Risk, kind: Option<String> },
    Risk { role: String, risk: Risk },
    Role { role: String },
}

impl Key {
    /// Those that a step counts for, the finest first.
    fn all(facts: &Facts) -> [Self; 3] {
        let Facts { role, area, risk, kind, complexity: _ } = facts.clone();
        [
            Self::Exact { role: role.clone(), area, risk, kind },
            Self::Risk { role: role.clone(), risk },
            Self::Role { role },
        ]
    }

    /// What is told of it: `role, area, risk and kind`.
    fn words(&self) -> &'static str {
        match self {
            Self::Exact { .. } => "like this one",
            Self::Risk { .. } => "of this role and risk",
            Self::Role { .. } => "of this role",
        }
    }
}

/// What came of the steps of one agent under one key; each counts 1 at the moment zero, twice that a half-life later.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    steps: i64,
    successes: f64,
    misses: f64,
    /// Micro-dollars of the steps whose cost is known, reviews of them included.
    cost: f64,
    /// Those steps.
    priced: f64,
}

/// What is believed of an agent for some work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Steps that it stands on.
    pub steps: u32,
    /// The same, each counted by its age.
    pub weight: f64,
    /// Which steps these are, for people: `of this role and risk`.
    pub of: &'static str,
    /// The chance of success that is expected.
    pub mean: f64,
    /// The true chance is above this with four of five.
    pub lower: f64,
    /// The true chance is below this with four of five.
    pub upper: f64,
    /// What a step costs, with its reviews; none: no step's cost is known.
    pub cost: Option<Money>,
}

impl Chance {
    /// What a success costs: the steps that it takes on average, each with its reviews.
    pub fn cost_per_success(&self) -> Option<Money> {
        let cost = self.cost?.micros as f64 / self.mean;
        Some(Money::micros(cost.round() as u64))
    }
}

/// An order of agents that history made, or would not make.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// The agents, the first choice first.
    pub agents: Vec<String>,
    /// Why in that order, for people.
    pub why: String,
}

/// What is known of every agent of the configuration.
#[derive(Debug, Clone)]
pub struct Learner {
    settings: RoutingSettings,
    /// Agents and the models that the configuration gives them.
    agents: Vec<(String, Option<String>)>,
    tallies: HashMap<(usize, Key), Tally>,
    /// Which agents a model's steps tell of, by the agent and model of then.
    told_of: HashMap<(String, String), Vec<usize>>,
    /// The moment at which a step counts 1, seconds since 1970.
    zero: i64,
}

impl Learner {
    /// What this history tells of the agents that are configured now.
    pub fn new(settings: &Settings, history: &History) -> Self {
        let agents = settings.agents.iter().map(|(name, agent)| (name.clone(), agent.model.clone())).collect();
        let zero = history.trials().map(|trial| trial.at).max().unwrap_or_default();
        let (tallies, told_of) = (HashMap::new(), HashMap::new());
        let mut learner = Self { settings: settings.routing, agents, tallies, told_of, zero };
        history.trials().for_each(|trial| learner.count(trial, 1));
        learner
    }

    /// Takes in the trials of a task in place of those that were taken in before.
    pub fn replace(&mut self, before: &[Trial], after: &[Trial]) {
        before.iter().for_each(|trial| self.count(trial, -1));
        after.iter().for_each(|trial| self.count(trial, 1));
    }

    fn count(&mut self, trial: &Trial, times: i8) {
        let (success, miss) = match trial.worth {
            Worth::Success => (1.0, 0.0),
            Worth::Miss => (0.0, 1.0),
            Worth::Open | Worth::Infra => return,
        };
        let age = (self.zero - trial.at) as f64 / self.settings.half_life.0.as_secs_f64();
        let weight = (-age).exp2() * f64::from(times);
        let agents = self.agents_of(trial);
        for key in Key::all(&trial.facts) {
            for agent in &agents {
                let tally = self.tallies.entry((*agent, key.clone())).or_default();
                tally.steps += i64::from(times);
                tally.successes += success * weight;
                tally.misses += miss * weight;
                if let Some(cost) = trial.cost_usd {
                    tally.cost += (cost + trial.judging_usd).micros as f64 * weight;
                    tally.priced += weight;
                }
            }
        }
    }

    fn agents_of(&mut self, trial: &Trial) -> Vec<usize> {
        let agents = &self.agents;
        let is_of = |(_, (name, model)): &(usize, &(String, Option<String>))| trial.is_of(name, model.as_deref());
        let find = || agents.iter().enumerate().filter(is_of).map(|(at, _)| at).collect();
        self.told_of.entry((trial.agent.clone(), trial.model.clone())).or_insert_with(find).clone()
    }

    /// What is believed of an agent for work of this kind; none: too little is known.
    pub fn chance(&self, agent: &str, facts: &Facts, now: SystemTime) -> Option<Chance> {
        let at = self.agents.iter().position(|(name, _)| name == agent)?;
        let keys = Key::all(facts).into_iter().filter(|key| match key {
            Key::Exact { .. } | Key::Risk { .. } => true,
            Key::Role { .. } => facts.risk != Risk::High,
        });
        keys.filter_map(|key| self.chance_by(at, key, now))
            .find(|chance| chance.weight >= f64::from(self.settings.trials_min))
    }

    /// Steps of an agent in a role that say anything at all, of whatever risk and age.
    pub fn steps(&self, agent: &str, facts: &Facts) -> u32 {
        let at = self.agents.iter().position(|(name, _)| name == agent);
        let key = Key::Role { role: facts.role.clone() };
        let tally = at.and_then(|at| self.tallies.get(&(at, key)));
        tally.and_then(|tally| u32::try_from(tally.steps).ok()).unwrap_or_default()
    }

    fn chance_by(&self, agent: usize, key: Key, now: SystemTime) -> Option<Chance> {
        let of = key.words();
        let tally = self.tallies.get(&(agent, key)).filter(|tally| tally.steps > 0)?;
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        // A clock that stands before the last step makes no step count more than one.
        let age = ((now - self.zero).max(0) as f64) / self.settings.half_life.0.as_secs_f64();
        let fade = (-age).exp2();
        let belief = Beta::after(tally.successes * fade, tally.misses * fade);
        Some(Chance {
            steps: u32::try_from(tally.steps).unwrap_or(u32::MAX),
            weight: (tally.successes + tally.misses) * fade,
            of,
            mean: belief.mean(),
            lower: belief.quantile(LOWER_SHARE),
            upper: belief.quantile(UPPER_SHARE),
            cost: (tally.priced > 0.0).then(|| Money::micros((tally.cost / tally.priced).max(0.0).round() as u64)),
        })
    }

    /// These agents in the order in which history would have them: those that are good enough by what a success of theirs
    /// costs, then the others as the rule has them. `seed` decides who is tried out: the same words, the same agent.
    pub fn order(&self, agents: &[String], facts: &Facts, seed: &str, now: SystemTime) -> Learned {
        let chances: BTreeMap<&String, Chance> =
            agents.iter().filter_map(|agent| Some((agent, self.chance(agent, facts, now)?))).collect();
        let is_good =
            |agent: &&String| chances.get(*agent).is_some_and(|chance| chance.lower >= self.settings.good_enough);
        let price = |agent: &&String| chances.get(*agent).and_then(Chance::cost_per_success);
        let (mut good, rest): (Vec<&String>, Vec<&String>) = agents.iter().partition(is_good);
        good.sort_by_key(|agent| (price(agent).is_none(), price(agent)));
        let (ordered, why) = match good.first() {
            Some(first) => {
                let among = if good.len() > 1 {
                    format!(", the cheapest of {} good enough", good.len())
                } else {
                    String::new()
                };
                let why = format!("{}{among}", sentence(first, &chances[*first]));
                ([good.clone(), rest].concat(), why)
            }
            None if chances.len() == agents.len() && !agents.is_empty() => {
                let mut likely = rest;
                likely.sort_by(|a, b| chances[*b].mean.total_cmp(&chances[*a].mean));
                let why = format!("none is good enough; {}", sentence(likely[0], &chances[likely[0]]));
                (likely, why)
            }
            None => (rest, "too little history, so as the rule says".to_owned()),
        };
        match self.tried_out(&ordered, &chances, facts, seed) {
            Some(tried) => {
                let rest = ordered.iter().filter(|agent| **agent != tried);
                let agents = std::iter::once(&tried).chain(rest).map(|agent| (*agent).clone()).collect();
                Learned { agents, why: format!("'{tried}' is tried out, of which too little is known") }
            }
            None => Learned { agents: ordered.into_iter().cloned().collect(), why },
        }
    }

    /// One that could be better than the first, if chance has it that this step is for trying out. Never for high risk.
    fn tried_out<'a>(
        &self,
        ordered: &[&'a String],
        chances: &BTreeMap<&String, Chance>,
        facts: &Facts,
        seed: &str,
    ) -> Option<&'a String> {
        let (whether, which) = draws(seed);
        if facts.risk == Risk::High || whether >= self.settings.explore {
            return None;
        }
        let (first, others) = ordered.split_first()?;
        let to_beat = chances.get(*first).and_then(Chance::cost_per_success);
        let could = |agent: &&&String| match chances.get(**agent) {
            None => true,
            Some(chance) => {
                let is_cheaper = match (chance.cost, to_beat) {
                    (Some(cost), Some(to_beat)) => cost < to_beat,
                    (None, _) | (_, None) => true,
                };
                is_cheaper && chance.lower < self.settings.good_enough && chance.upper >= self.settings.good_enough
            }
        };
        let could: Vec<&&String> = others.iter().filter(could).collect();
        could.get((which * could.len() as f64) as usize).map(|agent| **agent)
    }
}

impl fmt::Display for Chance {
    /// `91 % (at least 84 %) by 57 steps of this role and risk, $0.01 a success`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| (share * 100.0).round();
        let steps = text::count(self.steps, "step");
        write!(f, "{} % (at least {} %) by {steps} {}", percent(self.mean), percent(self.lower), self.of)?;
        self.cost_per_success().map_or(Ok(()), |cost| write!(f, ", {cost} a success"))
    }
}

fn sentence(agent: &str, chance: &Chance) -> String {
    format!("'{agent}' succeeds in {chance}")
}

/// Two numbers from 0 up to 1 that these words stand for.
fn draws(seed: &str) -> (f64, f64) {
    let digest = Digest::of(seed).0;
    let hex = digest.trim_start_matches("sha256:");
    let draw = |from: usize| {
        let bits = hex.get(from..from + 13).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
        bits as f64 / (1_u64 << 52) as f64
    };
    (draw(0), draw(13))
}
