//! Who of the agents that a run may need is there: each is asked for its version, side by side.
//! Knows nothing of what they are asked to do, nor who is asked first.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Project, RunError};
use crate::{
    agents::{health::Health, player::Player},
    model::{task::TaskId, workflow::Role},
    report::event::RunEvent,
    sys::process::Supervisor,
};

/// How long an agent may take to tell its version.
pub const PROBE_LIMIT: Duration = Duration::from_secs(20);

/// A role that must be played.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The role.
    pub role: Role,
    /// Who may play it, the first choice first; never empty.
    pub candidates: Vec<String>,
    /// A task that needs it.
    pub task: TaskId,
}

/// Who is there.
#[derive(Debug, Default)]
pub struct RollCall {
    /// The versions that were told, by agent.
    pub versions: BTreeMap<String, String>,
    /// Agents that cannot work here.
    pub absent: BTreeSet<String>,
    /// A warning for each of them.
    pub warnings: Vec<RunEvent>,
}

/// Asks every agent that may be needed. One that cannot work is only missed where nobody else can take its place.
///
/// # Errors
/// A role has no candidate that can work.
pub fn roll_call(
    project: &Project,
    wanted: &[Wanted],
    agents: &BTreeMap<String, Player>,
    supervisor: &Supervisor,
) -> Result<RollCall, RunError> {
    let names: BTreeSet<&String> = wanted.iter().flat_map(|wanted| &wanted.candidates).collect();
    let cache = project.local.cache().join("agents.json");
    let health: BTreeMap<String, Health> = std::thread::scope(|scope| {
        let asked: Vec<_> = names
            .into_iter()
            .filter_map(|name| agents.get(name))
            .map(|agent| (agent, scope.spawn(|| agent.probe_cached(supervisor, PROBE_LIMIT, &cache))))
            .collect();
        asked.into_iter().filter_map(|(agent, thread)| Some((agent.name().to_owned(), thread.join().ok()?))).collect()
    });
    let problem = |name: &String| health.get(name).and_then(|health| health.problem.clone().map(|why| (why, health)));
    for Wanted { role, candidates, task } in wanted {
        if let Some(first) = candidates.first()
            && let Some((why, health)) = problem(first)
            && candidates.iter().all(|name| problem(name).is_some())
        {
            return Err(RunError::Preflight {
                what: format!("agent '{first}' for role '{role}' of task '{task}' cannot work: {why}"),
                hint: health.hint.clone().or_else(|| Some("git orchestrate agents".to_owned())),
            });
        }
    }
    let mut call = RollCall::default();
    for (name, health) in health {
        if let Some(why) = &health.problem {
            let message = format!("agent '{name}' cannot work, others take its place: {why}");
            call.warnings.push(RunEvent::Warning { message, hint: health.hint.clone() });
            call.absent.insert(name);
        } else if let Some(version) = health.version {
            call.versions.insert(name, version);
        }
    }
    Ok(call)
}
