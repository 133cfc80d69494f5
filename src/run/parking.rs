//! Agents that are not asked for a while, for all workers of a run, and the hours in which none is.
//! Knows nothing of tasks; the time is told.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    config::{
        quiet_hours::QuietHours,
        settings::{AdapterKind, QuotaPolicy, Settings},
    },
    route::{Parked, backoff},
};

/// How long an agent is left alone at least, whatever its provider says: one that names a moment that has passed would be
/// asked again and again.
const PARK_MIN: Duration = Duration::from_secs(1);

/// Who is parked, and until when all rest.
#[derive(Debug, Clone)]
pub struct Parking {
    seed: u64,
    zone: TimeZone,
    quiet_hours: Option<QuietHours>,
    parked: BTreeMap<String, Parked>,
    /// How often in a row each agent was parked.
    streaks: BTreeMap<String, u32>,
    /// Hybrids: each rests while one of its agents does.
    hybrids: BTreeMap<String, HybridParts>,
    quiet_until: Option<SystemTime>,
}

#[derive(Debug, Clone)]
struct HybridParts {
    agents: Vec<String>,
    policy: QuotaPolicy,
}

/// What changed as time went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An agent may be asked again.
    Unparked(String),
    /// Quiet hours began, until then.
    Quiet(SystemTime),
    /// They are over.
    Loud,
}

impl Parking {
    /// Nobody is parked. `seed` decides how long agents are left alone whose providers name no time.
    pub fn new(seed: u64, zone: TimeZone, settings: &Settings) -> Self {
        Self {
            seed,
            zone,
            quiet_hours: settings.quota.quiet_hours,
            parked: BTreeMap::new(),
            streaks: BTreeMap::new(),
            hybrids: settings
                .agents
                .iter()
                .filter(|(_, agent)| agent.adapter == AdapterKind::Hybrid)
                .map(|(name, agent)| {
                    let agents = [&agent.brief, &agent.work].into_iter().flatten().cloned().collect();
                    (name.clone(), HybridParts { agents, policy: settings.quota_policy(name) })
                })
                .collect(),
            quiet_until: None,
        }
    }

    /// Who is parked.
    pub fn parked(&self) -> &BTreeMap<String, Parked> {
        &self.parked
    }

    /// Who is not to be asked, and why: those who are parked, and the hybrids of which one is.
    pub fn resting(&self) -> BTreeMap<String, Parked> {
        let mut resting = self.parked.clone();
        for (name, parts) in self.hybrids.iter().filter(|_| !self.parked.is_empty()) {
            let parked = parts.agents.iter().filter_map(|agent| self.parked.get_key_value(agent));
            // None comes after any time: it is not known when that one is back.
            let last = parked.max_by_key(|(_, parked)| (parked.until.is_none(), parked.until));
            if let Some((agent, parked)) = last.filter(|_| !self.parked.contains_key(name)) {
                let reason = format!("its agent '{agent}' is: {}", parked.reason);
                resting.insert(name.clone(), Parked { until: parked.until, reason, policy: parts.policy });
            }
        }
        resting
    }

    /// Until when all agents rest.
    pub fn quiet_until(&self) -> Option<SystemTime> {
        self.quiet_until
    }

    /// The time zone of days and hours.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// How often in a row an agent was parked.
    pub fn streak(&self, agent: &str) -> u32 {
        self.streaks.get(agent).copied().unwrap_or_default()
    }

    /// Parks an agent as an earlier run left it.
    pub fn restore(&mut self, agent: String, parked: Parked, streak: u32) {
        self.streaks.insert(agent.clone(), streak);
        self.parked.insert(agent, parked);
    }

    /// The agent's rate or quota is used up, until then if its provider says so.
    pub fn park(&mut self, settings: &Settings, agent: &str, until: Option<SystemTime>, reason: &str, now: SystemTime) {
        let before = self.parked.get(agent).and_then(|parked| parked.until).filter(|until| *until > now);
        let streak = self.streaks.entry(agent.to_owned()).or_default();
        let until = match until {
            Some(until) => until.max(now + PARK_MIN).max(before.unwrap_or(now)),
            // Steps that were running beside the one that was parked first are told the same thing once more.
            None => before.unwrap_or_else(|| now + backoff::pause(self.seed, agent, *streak)),
        };
        if before.is_none() {
            *streak = streak.saturating_add(1);
        }
        let policy = settings.quota_policy(agent);
        self.parked.insert(agent.to_owned(), Parked { until: Some(until), reason: reason.to_owned(), policy });
    }

    /// An agent did a step, a hybrid with those it is made of: the next time it is parked is the first again.
    pub fn did_a_step(&mut self, agent: &str) {
        let parts = self.hybrids.get(agent).map_or(&[][..], |parts| &parts.agents);
        for agent in parts.iter().map(String::as_str).chain([agent]) {
            self.streaks.remove(agent);
        }
    }

    /// Time has gone on.
    pub fn tick(&mut self, now: SystemTime) -> Vec<Change> {
        let is_back = |parked: &Parked| parked.until.is_some_and(|until| until <= now);
        let back: Vec<String> =
            self.parked.iter().filter(|(_, parked)| is_back(parked)).map(|(agent, _)| agent.clone()).collect();
        self.parked.retain(|_, parked| !is_back(parked));
        let mut changes: Vec<Change> = back.into_iter().map(Change::Unparked).collect();
        let before = self.quiet_until;
        self.quiet_until = self.quiet_hours.and_then(|hours| {
            let until = hours.until(Timestamp::try_from(now).ok()?, &self.zone)?;
            Some(until.into())
        });
        match (before, self.quiet_until) {
            (before, Some(until)) if before != Some(until) => changes.push(Change::Quiet(until)),
            (Some(_), None) => changes.push(Change::Loud),
            (None, None) | (_, Some(_)) => {}
        }
        changes
    }

    /// When the first of what is waited for is over.
    pub fn wakes_at(&self) -> Option<SystemTime> {
        match self.quiet_until {
            Some(until) => Some(until),
            None => self.parked.values().filter_map(|parked| parked.until).min(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn parking(settings: &Settings) -> Parking {
        Parking::new(7, TimeZone::UTC, settings)
    }

    #[test]
    fn an_agent_is_parked_until_its_provider_says_or_longer_each_time() {
        let settings = Settings::default();
        let mut parking = parking(&settings);
        let until = |parking: &Parking| parking.parked()["a"].until.expect("it is known");
        parking.park(&settings, "a", Some(at(500)), "quota", at(100));
        assert_eq!((until(&parking), parking.streak("a")), (at(500), 1));
        // Another worker hears of the same wall, without the time.
        parking.park(&settings, "a", None, "quota", at(101));
        assert_eq!((until(&parking), parking.streak("a")), (at(500), 1));
        assert_eq!(parking.tick(at(499)), []);
        assert_eq!(parking.tick(at(500)), [Change::Unparked("a".to_owned())]);
        for streak in 1..5 {
            parking.park(&settings, "a", None, "rate", at(1000));
            assert_eq!(until(&parking), at(1000) + backoff::pause(7, "a", streak));
            parking.tick(at(100_000));
        }
        parking.did_a_step("a");
        parking.park(&settings, "a", None, "rate", at(200_000));
        assert_eq!(until(&parking), at(200_000) + backoff::pause(7, "a", 0));
        // A moment that has passed does not have it asked at once.
        parking.park(&settings, "b", Some(at(5)), "rate", at(200_000));
        assert_eq!(parking.parked()["b"].until, Some(at(200_001)));
    }

    #[test]
    fn each_agent_has_its_policy_and_all_rest_together() {
        let text = "[agents.a]\nadapter = 'claude'\nquota = 'wait'\n[agents.b]\nadapter = 'codex'\n\
                    [quota]\npolicy = 'stop'\nquiet_hours = '00:10-00:20'\n";
        let settings = crate::config::parse::parse(text, "c").expect("it is right");
        let mut parking = parking(&settings);
        parking.park(&settings, "a", None, "quota", at(0));
        parking.park(&settings, "b", Some(at(800)), "quota", at(0));
        let policies: Vec<_> = parking.parked().values().map(|parked| parked.policy).collect();
        assert_eq!(policies, [QuotaPolicy::Wait, QuotaPolicy::Stop]);
        assert_eq!(parking.tick(at(600)).last(), Some(&Change::Quiet(at(1200))));
        assert_eq!(parking.wakes_at(), Some(at(1200)));
        assert_eq!(parking.tick(at(700)), []);
        assert_eq!(parking.tick(at(1200)), [Change::Unparked("b".to_owned()), Change::Loud]);
    }

    #[test]
    fn a_hybrid_rests_while_one_of_its_agents_does() {
        let text = "[agents.a]\nadapter = 'claude'\n[agents.b]\nadapter = 'codex'\n\
                    [agents.both]\nbrief = 'a'\nwork = 'b'\nquota = 'wait'\n[agents.other]\nadapter = 'gemini'\n";
        let settings = crate::config::parse::parse(text, "c").expect("it is right");
        let mut parking = parking(&settings);
        assert!(parking.resting().is_empty());
        parking.park(&settings, "a", Some(at(500)), "rate", at(100));
        parking.park(&settings, "b", Some(at(900)), "quota", at(100));
        let resting = parking.resting();
        assert_eq!(resting.keys().collect::<Vec<_>>(), ["a", "b", "both"]);
        let both = &resting["both"];
        assert_eq!((both.until, both.reason.as_str()), (Some(at(900)), "its agent 'b' is: quota"));
        assert_eq!((both.policy, resting["b"].policy), (QuotaPolicy::Wait, QuotaPolicy::Switch));
        parking.tick(at(900));
        assert!(parking.resting().is_empty());
        parking.did_a_step("both");
        assert_eq!((parking.streak("a"), parking.streak("b")), (0, 0));
    }
}
