//! Says who would be asked for each phase of a task, and why: the foreman is asked what he would do.
//! Decides nothing itself, and knows nothing of how it is printed.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Project, RunError,
    foreman::{Entry, Foreman},
    history,
    learning::Learning,
    preflight, queue,
    roll_call::PROBE_LIMIT,
    view,
};
use crate::{
    agents::player::Player,
    config::{
        routing::{line_of_role, line_of_route},
        settings::RoutingMode,
    },
    handoff::layout,
    model::{
        checkpoint::{Checkpoint, Phase},
        next::{authors, subject},
        record::{Families, joined},
        workflow::{PhaseId, Role},
    },
    report::routing::{CandidateView, ChanceView, HistoryView, PhaseRoute, RouteView, RuleView},
    route::{self, Source, history::Facts, usual},
    sys::clock,
    text,
};

/// Who would be asked for the phases of a task that are not over, or for one phase.
///
/// # Errors
/// When there is no such task or phase.
pub fn explain(project: &Project, name: &str, phase: Option<&PhaseId>) -> Result<RouteView, RunError> {
    let queue = queue::load(project)?;
    let queued = queue::find(&queue, name)?;
    let mut foreman = view::bystander(project, &queue, view::Known::All).ok_or(RunError::NotInitialised)?;
    let problems = problems(project)?;
    foreman.leave_out(&problems.keys().cloned().collect());
    let learning = Learning::new(&project.settings, &history::read(project)?);
    foreman.learn_from(learning.clone());
    let entry = foreman.entry(&queued.task.id).ok_or_else(|| RunError::NotHeld(queued.task.id.clone()))?;
    let checkpoint = foreman.checkpoint(entry);
    let asking = Asking { project, foreman: &foreman, learning: &learning, entry, checkpoint: &checkpoint, problems };
    let mut expected: BTreeMap<PhaseId, Families> = BTreeMap::new();
    let mut phases = Vec::new();
    for of in &checkpoint.phases {
        let Some(role) = checkpoint.spec(&of.id).and_then(|spec| spec.role.clone()) else { continue };
        let routed = asking.route(of, &role, &expected);
        let families = routed.agent.as_ref().and_then(|agent| foreman.families().get(agent));
        expected.extend(families.map(|families| (of.id.clone(), families.clone())));
        let is_asked = match phase {
            Some(phase) => of.id == *phase || of.id.spec() == phase.as_str(),
            None => !of.state.is_over(),
        };
        if is_asked {
            phases.push(routed);
        }
    }
    if let (Some(phase), true) = (phase, phases.is_empty()) {
        return Err(no_phase(&checkpoint, phase));
    }
    let is_usual = |phase: &PhaseRoute| phase.candidates.iter().any(|candidate| candidate.rule.is_built_in);
    Ok(RouteView {
        task: queued.task.id.clone(),
        title: queued.task.title.clone(),
        mode: match project.settings.routing.mode {
            RoutingMode::Rules => "rules",
            RoutingMode::Learned => "learned",
        },
        tiers: if phases.iter().any(is_usual) { tiers(project) } else { BTreeMap::new() },
        phases,
    })
}

fn no_phase(checkpoint: &Checkpoint, phase: &PhaseId) -> RunError {
    let played = checkpoint.phases.iter().filter(|of| checkpoint.spec(&of.id).is_some_and(|spec| spec.role.is_some()));
    let played: Vec<&str> = played.map(|of| of.id.as_str()).collect();
    let hint = match text::did_you_mean(phase.as_str(), played.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("agents play {}", text::list(&played)),
    };
    RunError::Preflight { what: format!("no agent plays phase '{phase}' of '{}'", checkpoint.task), hint: Some(hint) }
}

/// What is wrong with agents that cannot be used here.
fn problems(project: &Project) -> Result<BTreeMap<String, String>, RunError> {
    let supervisor = preflight::supervisor(project)?;
    let cache = project.local.cache().join("agents.json");
    let agents = preflight::agents(project)?;
    let ask = &|agent: &Player| agent.probe_cached(&supervisor, PROBE_LIMIT, &cache).problem;
    Ok(std::thread::scope(|scope| {
        let asked: Vec<_> = agents.iter().map(|(name, agent)| (name, scope.spawn(move || ask(agent)))).collect();
        asked.into_iter().filter_map(|(name, thread)| Some((name.clone(), thread.join().ok()??))).collect()
    }))
}

/// The agents of each tier, for the table that is compiled in.
fn tiers(project: &Project) -> BTreeMap<String, Vec<String>> {
    let mut tiers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, agent) in &project.settings.agents {
        tiers.entry(usual::tier(agent).to_owned()).or_default().push(name.clone());
    }
    tiers
}

struct Asking<'a> {
    project: &'a Project,
    foreman: &'a Foreman,
    learning: &'a Learning,
    entry: &'a Entry,
    checkpoint: &'a Checkpoint,
    problems: BTreeMap<String, String>,
}

impl Asking<'_> {
    fn route(&self, phase: &Phase, role: &Role, expected: &BTreeMap<PhaseId, Families>) -> PhaseRoute {
        let attempt = phase.attempts + 1;
        let mut except: Families = authors(self.checkpoint, &phase.id);
        let mut assumed = BTreeSet::new();
        if except.is_empty()
            && let Some(subject) = subject(self.checkpoint, &phase.id)
        {
            let of_subject = expected.iter().filter(|(id, _)| **id == subject || id.spec() == subject.as_str());
            assumed.extend(of_subject.flat_map(|(_, families)| families.iter().cloned()));
            except.extend(assumed.iter().cloned());
        }
        let preference = self.foreman.preference(self.entry, role, &phase.id, attempt);
        let decided = self.foreman.as_it_stands(&except, |now| route::decide(&preference, now));
        let weighed = self.foreman.as_it_stands(&except, |now| route::weigh(&preference, now));
        let (agent, why) = match decided {
            Ok(choice) => (Some(choice.agent), choice.why),
            Err(no) => (None, no.to_string()),
        };
        let waits = agent.as_ref().and_then(|agent| self.foreman.why_not_now(self.entry, role, agent));
        let facts = Facts::of(role, &self.entry.task);
        let candidate = |weighed: route::Weighed| {
            let settings = self.project.settings.agents.get(&weighed.agent);
            let (estimate_usd, refusal) = self.foreman.reckon(self.entry, role, &weighed.agent);
            let against = self.problems.get(&weighed.agent).cloned().or(weighed.against);
            CandidateView {
                estimate_usd,
                is_taken: agent.as_ref() == Some(&weighed.agent),
                model: settings.and_then(|settings| settings.model.clone()),
                family: self.foreman.families().get(&weighed.agent).map(joined),
                against: against.or_else(|| refusal.map(|refusal| refusal.to_string())),
                rule: self.rule(&weighed.source),
                is_fallback: weighed.is_fallback,
                history: self.history(&weighed.agent, &facts),
                agent: weighed.agent,
            }
        };
        PhaseRoute {
            phase: phase.id.clone(),
            role: role.0.clone(),
            attempt,
            rule: self.rule(&preference.ranking.first.source),
            learned: preference.learned.clone(),
            authors: except.iter().map(ToString::to_string).collect(),
            authors_are_expected: !assumed.is_empty(),
            candidates: weighed.into_iter().map(candidate).collect(),
            agent: agent.clone(),
            why,
            waits,
        }
    }

    fn history(&self, agent: &str, facts: &Facts) -> HistoryView {
        let learner = self.learning.learner();
        let steps = learner.steps(agent, facts);
        let chance = learner.chance(agent, facts, clock::now()).map(|chance| ChanceView {
            weight: chance.weight,
            mean: chance.mean,
            lower: chance.lower,
            cost_per_success_usd: chance.cost_per_success(),
            text: chance.to_string(),
        });
        HistoryView { steps, chance }
    }

    fn rule(&self, source: &Source) -> RuleView {
        let text = &self.project.config_text;
        let (line, is_built_in) = match source {
            Source::Route(number) => (line_of_route(text, number - 1), false),
            Source::Role(role) => (line_of_role(text, role), false),
            Source::Usual(number) => (usual::line_of_route(number - 1), true),
        };
        let file = if is_built_in { "usual.toml (built in)" } else { layout::CONFIG };
        let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
        RuleView { name: source.to_string(), place, is_built_in }
    }
}
