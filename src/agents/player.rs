//! Whoever can be given a step: an agent alone, or two of them as a hybrid.
//! Does not know who plays which role, nor how a step is made.

use std::{collections::BTreeMap, path::Path, time::Duration};

use super::{agent::Agent, error::AgentError, health::Health, hybrid::Hybrid};
use crate::{
    config::settings::{AdapterKind, AgentSettings},
    model::record::{Families, Family},
    sys::process::Supervisor,
};

/// Whoever can be given a step.
#[derive(Debug)]
pub enum Player {
    /// An agent alone.
    Alone(Box<Agent>),
    /// Two together.
    Hybrid(Box<Hybrid>),
}

impl Player {
    /// The one of this name among these settings. Paths in them are relative to `repository_root`.
    ///
    /// # Errors
    /// As [`Agent::new`], also for either agent of a hybrid.
    pub fn new(
        name: &str,
        settings: &AgentSettings,
        all: &BTreeMap<String, AgentSettings>,
        repository_root: &Path,
    ) -> Result<Self, AgentError> {
        if settings.adapter != AdapterKind::Hybrid {
            return Ok(Self::Alone(Box::new(Agent::new(name, settings, repository_root)?)));
        }
        let part = |part: &'static str, named: Option<&String>| {
            let missing = || AgentError::NoPart { agent: name.to_owned(), part };
            let (named, settings) = named.and_then(|named| all.get_key_value(named)).ok_or_else(missing)?;
            Agent::new(named, settings, repository_root)
        };
        Ok(Self::Hybrid(Box::new(Hybrid {
            name: name.to_owned(),
            brief: part("brief", settings.brief.as_ref())?,
            work: part("work", settings.work.as_ref())?,
            check: settings.check.unwrap_or_default(),
        })))
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        match self {
            Self::Alone(agent) => agent.name(),
            Self::Hybrid(hybrid) => &hybrid.name,
        }
    }

    /// How it is driven.
    pub fn adapter(&self) -> AdapterKind {
        match self {
            Self::Alone(agent) => agent.adapter(),
            Self::Hybrid(_) => AdapterKind::Hybrid,
        }
    }

    /// The agent that does the work itself.
    pub fn worker(&self) -> &Agent {
        match self {
            Self::Alone(agent) => agent,
            Self::Hybrid(hybrid) => &hybrid.work,
        }
    }

    /// The family of the model that does the work itself.
    pub fn family(&self) -> Family {
        self.worker().family()
    }

    /// The families of all its models: none of them may review what it wrote, nor it what one of them wrote.
    pub fn families(&self) -> Families {
        match self {
            Self::Alone(agent) => [agent.family()].into(),
            Self::Hybrid(hybrid) => hybrid.families(),
        }
    }

    /// The model that does the work itself, as it is asked for; none: the program's own choice.
    pub fn model(&self) -> Option<&str> {
        self.worker().model()
    }

    /// Whether it can be given work: see [`Agent::probe`]; a hybrid can if both of its agents can.
    pub fn probe(&self, supervisor: &Supervisor, limit: Duration) -> Health {
        self.ask(|agent| agent.probe(supervisor, limit))
    }

    /// The same, with versions remembered in a file.
    pub fn probe_cached(&self, supervisor: &Supervisor, limit: Duration, cache_file: &Path) -> Health {
        self.ask(|agent| agent.probe_cached(supervisor, limit, cache_file))
    }

    fn ask(&self, probe: impl Fn(&Agent) -> Health + Sync) -> Health {
        match self {
            Self::Alone(agent) => probe(agent),
            Self::Hybrid(hybrid) => {
                let (brief, work) = std::thread::scope(|scope| {
                    let brief = scope.spawn(|| probe(&hybrid.brief));
                    let work = probe(&hybrid.work);
                    (brief.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), work)
                });
                let parts = [("work", &hybrid.work, work), ("brief", &hybrid.brief, brief)];
                let sick = parts.into_iter().find(|(.., health)| !health.is_well());
                let Some((part, agent, health)) = sick else { return Health::default() };
                let problem = health.problem.map(|why| format!("its '{part}', agent '{}': {why}", agent.name()));
                Health { problem, hint: health.hint, ..Health::default() }
            }
        }
    }
}
