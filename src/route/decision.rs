//! From rules, history and circumstances to the agent that makes a step, or to why nobody does.
//! Knows nothing of runs: the foreman and those who explain him ask the same functions.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use super::{
    candidates::{Listed, Ranking, ablest_first, ranked},
    choice::{Choice, NoChoice, Parked, choose},
    history::Facts,
    learned::Learner,
};
use crate::{
    config::settings::{RoutingMode, Settings},
    model::{record::Families, task::Task, workflow::Role},
};

/// In which order agents are asked for a step, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Preference {
    /// What the rules say, its first list in the order that history gave it.
    pub ranking: Ranking,
    /// Why that order, where history was asked.
    pub learned: Option<String>,
}

impl Preference {
    /// For a role in a task; `seed` names the step, so that a run that goes on tries out what it would have tried out.
    pub fn new(
        settings: &Settings,
        learner: Option<&Learner>,
        role: &Role,
        task: &Task,
        seed: &str,
        now: SystemTime,
    ) -> Self {
        let mut ranking = ranked(settings, role, task);
        let asked = learner.filter(|_| settings.routing.mode == RoutingMode::Learned && ranking.first.agents.len() > 1);
        let learned = asked.map(|learner| learner.order(&ranking.first.agents, &Facts::of(role, task), seed, now));
        let why = learned.map(|learned| {
            ranking.first.agents = learned.agents;
            learned.why
        });
        Self { ranking, learned: why }
    }

    /// The same for another try: those go first that were less often unable to do this step at all, be they only of a
    /// later list.
    pub fn ablest_first(mut self, unable: &[String]) -> Self {
        if unable.is_empty() {
            return self;
        }
        let Ranking { first, fallbacks } = self.ranking;
        let mut lists: Vec<Listed> = std::iter::once(first).chain(fallbacks).collect();
        lists.sort_by_key(|listed| listed.agents.iter().all(|agent| unable.contains(agent)));
        for listed in &mut lists {
            listed.agents = ablest_first(std::mem::take(&mut listed.agents), unable);
        }
        self.ranking = Ranking { first: lists.remove(0), fallbacks: lists };
        self
    }
}

/// What agents are there now, and what they may not.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The families of those that can be used.
    pub families: &'a BTreeMap<String, Families>,
    /// Families that may not, as they wrote what is to be reviewed.
    pub except: &'a Families,
    /// Those whose rate or quota is used up.
    pub parked: &'a BTreeMap<String, Parked>,
    /// Those that do as many steps as they may.
    pub busy: &'a BTreeSet<String>,
}

/// Chooses the first that may: of the first list; of the next only where none of that ever may.
///
/// # Errors
/// Nobody may, for good or for now.
pub fn decide(preference: &Preference, now: Circumstances) -> Result<Choice, NoChoice> {
    let Circumstances { families, except, parked, busy } = now;
    let ranking = &preference.ranking;
    let mut before: Vec<(String, String)> = Vec::new();
    let lists = std::iter::once(&ranking.first).chain(&ranking.fallbacks);
    for (at, listed) in lists.enumerate() {
        match choose(&listed.agents, families, except, parked, busy) {
            Ok(mut choice) => {
                let learned = preference.learned.iter().filter(|_| at == 0);
                let fallback = if at == 0 { "" } else { ", as nobody before it may" };
                let mut why = format!("{}{fallback}: {}", listed.source, choice.why);
                for (agent, reason) in &choice.passed_over {
                    why.push_str(&format!("; '{agent}' {reason}"));
                }
                learned.for_each(|learned| why.push_str(&format!("; {learned}")));
                before.append(&mut choice.passed_over);
                return Ok(Choice { agent: choice.agent, why, passed_over: before });
            }
            Err(NoChoice::ForGood { mut passed_over }) => before.append(&mut passed_over),
            Err(other) => return Err(other),
        }
    }
    Err(NoChoice::ForGood { passed_over: before })
}

/// A candidate, looked at alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// The agent.
    pub agent: String,
    /// What named it.
    pub source: super::Source,
    /// Whether it comes into play only where none before its list ever may.
    pub is_fallback: bool,
    /// Why it cannot do it now; none: it could.
    pub against: Option<String>,
}

/// Every candidate, each looked at as [`decide`] looks at it.
pub fn weigh(preference: &Preference, now: Circumstances) -> Vec<Weighed> {
    let ranking = &preference.ranking;
    let mut weighed = Vec::new();
    for (at, listed) in std::iter::once(&ranking.first).chain(&ranking.fallbacks).enumerate() {
        for agent in &listed.agents {
            let alone = choose(std::slice::from_ref(agent), now.families, now.except, now.parked, now.busy);
            weighed.push(Weighed {
                agent: agent.clone(),
                source: listed.source.clone(),
                is_fallback: at > 0,
                against: alone.err().map(|no| against(agent, no)),
            });
        }
    }
    weighed
}

fn against(agent: &str, no: NoChoice) -> String {
    match no {
        NoChoice::ForGood { passed_over } | NoChoice::ForNow { passed_over, .. } => {
            passed_over.into_iter().next().map(|(_, why)| why).unwrap_or_else(|| format!("'{agent}' cannot"))
        }
        NoChoice::Stopped { reason, .. } => format!("is parked, and the run stops then: {reason}"),
    }
}
