//! No worker is idle while something could be done: the rules of what may be started, stated once more without the program's
//! order, indexes and sleeping tasks, and asked of every task after every decision.
//! Knows nothing of money, quiet hours or agents that are waited for: these worlds have none.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use git_orchestrate::{
    config::settings::{BudgetSettings, QuotaPolicy, Settings},
    model::{
        checkpoint::{Checkpoint, Phase, TaskState},
        machine::State,
        next::authors,
        task::{Task, TaskId},
        workflow::{PhaseId, PhaseSpec, Role},
    },
    run::foreman::{Entry, Foreman, Job, Order},
};

use super::{Dice, World, files};

/// Worlds that are tried.
const WORLDS: u64 = 120;

const SCARCE: &str = r#"
[resources]
gpu = 2
db = 1
[[gate.full.check]]
name = "tests"
run = "true"
resources = { db = 1 }
[limits.models_parallel]
claude-haiku-4-5 = 2
"#;

/// What is being done.
struct Now<'a> {
    jobs: Vec<&'a Job>,
    landing: bool,
    preparing: bool,
}

fn world(seed: u64) -> World {
    let mut world = World::new(seed);
    let mut dice = Dice::new(seed ^ 0x1d1e);
    let scarce: Settings = toml::from_str(&format!("{}{SCARCE}", super::SETTINGS)).expect("settings");
    let settings = Arc::make_mut(&mut world.settings);
    settings.quota.policy = QuotaPolicy::Switch;
    settings.quota.quiet_hours = None;
    settings.budget = BudgetSettings::default();
    settings.limits.models_parallel = scarce.limits.models_parallel;
    settings.resources = scarce.resources;
    // Where no gate takes any of it, a landing does not either.
    let is_gated = dice.one_in(2);
    if is_gated {
        settings.gate = scarce.gate;
    }
    for (task, _) in &mut world.tasks {
        let task = Arc::make_mut(task);
        task.depends_on.retain(|_| dice.one_in(2));
        task.files = (0..dice.below(3)).map(|_| format!("src/{}.rs", dice.below(4))).collect();
        if dice.one_in(3) {
            task.resources.insert("gpu".to_owned(), 1 + dice.below(2) as u32);
        }
    }
    world.pauses = true;
    world
}

/// Panics if there is a free worker and work for it.
pub fn check(world: &World, foreman: &Foreman, running: &[&Order]) {
    let jobs: Vec<&Job> = running
        .iter()
        .filter_map(|order| match order {
            Order::Step(job) => Some(&**job),
            Order::Land { .. } | Order::Prepare(_) => None,
        })
        .collect();
    if jobs.len() >= foreman.jobs() || foreman.spent().is_some() {
        return;
    }
    let landing = running.iter().any(|order| matches!(order, Order::Land { .. }));
    let preparing = running.iter().any(|order| matches!(order, Order::Prepare(_)));
    let now = Now { jobs, landing, preparing };
    for entry in foreman.entries() {
        let Some(phase) = startable(world, foreman, entry, &now) else { continue };
        let id = &entry.task.id;
        let why = foreman.why_waiting(entry);
        let lets =
            why.as_ref().and_then(|why| why.strip_prefix("lets ")?.split_once(" go first, which has waited long"));
        // Who was overtaken often enough goes first; that it was is the program's to remember, not that it must wait.
        let first = lets.and_then(|(first, _)| foreman.entry(&first.parse().ok()?));
        let is_right = first.is_some_and(|first| {
            let (own, theirs) = (files(&entry.task, None), files(&first.task, None));
            first.checkpoint.is_none() && !own.is_disjoint(&theirs) && !may_begin(world, foreman, first)
        });
        assert!(is_right, "a worker is idle, and {id} {phase} could be started; it says: {why:?}");
    }
}

/// The first phase of a task that nothing stands in the way of.
fn startable(world: &World, foreman: &Foreman, entry: &Entry, now: &Now) -> Option<PhaseId> {
    let begun = entry.checkpoint.is_some();
    if is_over(entry) || foreman.paused().contains(&entry.task.id) || (!begun && !may_begin(world, foreman, entry)) {
        return None;
    }
    let checkpoint = foreman.checkpoint(entry);
    let is_next =
        |phase: &&Phase| matches!(phase.state, State::Ready | State::Failed) && !entry.running.contains_key(&phase.id);
    let could = |phase: &&Phase| {
        let Some(spec) = checkpoint.spec(&phase.id) else { return false };
        has_files(foreman, entry, &checkpoint, spec)
            && has_resources(world, foreman, &entry.task, spec, now)
            && has_worker(world, foreman, &checkpoint, &phase.id, spec, now)
    };
    checkpoint.phases.iter().filter(is_next).find(could).map(|phase| phase.id.clone())
}

fn is_over(entry: &Entry) -> bool {
    matches!(entry.state(), TaskState::Landed | TaskState::Held | TaskState::Aborted)
}

fn is_begun(entry: &Entry) -> bool {
    (entry.checkpoint.is_some() && !is_over(entry)) || !entry.running.is_empty()
}

/// A task begins when what it needs has landed and nobody at work says that it changes its files; its first step is one.
fn may_begin(world: &World, foreman: &Foreman, entry: &Entry) -> bool {
    let own = &entry.task.files;
    let collides = |other: &Entry| {
        let theirs = files(&other.task, other.checkpoint.as_ref());
        other.task.id != entry.task.id && is_begun(other) && own.iter().any(|file| theirs.contains(file))
    };
    entry.running.is_empty()
        && entry.task.depends_on.iter().all(|on| world.disk.landed.contains_key(on))
        && !foreman.entries().any(collides)
}

/// Code is begun when nobody at work who changes the same files has code, or is at it and comes first.
fn has_files(foreman: &Foreman, entry: &Entry, checkpoint: &Checkpoint, spec: &PhaseSpec) -> bool {
    if !spec.writes() || checkpoint.good > 0 || is_writing(entry, checkpoint) {
        return true;
    }
    let own = files(&entry.task, Some(checkpoint));
    let turn = |entry: &Entry| (std::cmp::Reverse(entry.task.priority), entry.task.id.clone());
    let was_tried = |checkpoint: &Checkpoint| {
        let writes = |phase: &&Phase| checkpoint.spec(&phase.id).is_some_and(PhaseSpec::writes);
        checkpoint.phases.iter().filter(writes).any(|phase| phase.attempts > phase.infra)
    };
    !foreman.entries().filter(|other| other.task.id != entry.task.id && is_begun(other)).any(|other| {
        let theirs = foreman.checkpoint(other);
        let has_code = theirs.good > 0 || is_writing(other, &theirs);
        let comes_first = was_tried(&theirs) && (!was_tried(checkpoint) || turn(other) < turn(entry));
        (has_code || comes_first) && !own.is_disjoint(&files(&other.task, Some(&theirs)))
    })
}

fn is_writing(entry: &Entry, checkpoint: &Checkpoint) -> bool {
    entry.running.keys().any(|phase| checkpoint.spec(phase).is_some_and(PhaseSpec::writes))
}

fn takes(world: &World, task: &Task, is_gate: bool) -> BTreeMap<String, u32> {
    let mut takes = task.resources.clone();
    let of_gate = world.settings.gate.get("full").into_iter().flat_map(|gate| &gate.checks);
    for (name, count) in of_gate.flat_map(|check| &check.resources).filter(|_| is_gate) {
        let known = takes.entry(name.clone()).or_default();
        *known = (*known).max(*count);
    }
    takes
}

/// There is as much left of what it needs; and no landing waits for any of it.
fn has_resources(world: &World, foreman: &Foreman, task: &Task, spec: &PhaseSpec, now: &Now) -> bool {
    let mut in_use: BTreeMap<String, u32> = BTreeMap::new();
    let of_landing = now.landing.then(|| takes(world, &Task::new(task.id.clone(), "landing"), true));
    let of_jobs = now.jobs.iter().map(|job| takes(world, &job.task, job.agent.is_none()));
    for (name, count) in of_jobs.chain(of_landing).flatten() {
        *in_use.entry(name).or_default() += count;
    }
    let is_finished = |entry: &Entry| entry.state() == TaskState::Finished;
    let is_kept = !now.landing && foreman.entries().any(is_finished);
    takes(world, task, spec.gate.is_some()).iter().all(|(name, count)| {
        let all = world.settings.resources.get(name).copied().unwrap_or(u32::MAX);
        in_use.get(name).copied().unwrap_or_default() + count <= all && !(is_kept && name == "db")
    })
}

/// A gate that may run, or an agent of the role that is no author of what it judges, is not parked and has room.
fn has_worker(
    world: &World,
    foreman: &Foreman,
    checkpoint: &Checkpoint,
    phase: &PhaseId,
    spec: &PhaseSpec,
    now: &Now,
) -> bool {
    let Some(role) = &spec.role else {
        let gates = now.jobs.iter().filter(|job| job.agent.is_none()).count() + usize::from(now.preparing);
        return gates < world.gates_max;
    };
    let settings = &world.settings;
    let at_work = |name: &str| now.jobs.iter().filter(|job| job.agent.as_deref() == Some(name)).count() as u32;
    let except = authors(checkpoint, phase);
    let list = settings.roles.get(role).or_else(|| settings.roles.get(&Role("default".to_owned())));
    list.expect("a list for the role, or for all").names().iter().any(|name| {
        let agent = &settings.agents[name];
        let of_model = |model: &String| {
            let most = settings.limits.models_parallel.get(model).copied().unwrap_or(u32::MAX);
            let same = settings.agents.iter().filter(|(_, other)| other.model.as_ref() == Some(model));
            same.map(|(other, _)| at_work(other)).sum::<u32>() < most
        };
        world.families[name].is_disjoint(&except)
            && !foreman.parking().resting().contains_key(name)
            && agent.parallel_max.is_none_or(|most| at_work(name) < most)
            && agent.model.as_ref().is_none_or(of_model)
    })
}

/// Which tasks nothing is started for from now on.
pub fn pauses(world: &mut World) -> BTreeSet<TaskId> {
    let ids: Vec<TaskId> = world.tasks.iter().map(|(task, _)| task.id.clone()).collect();
    ids.into_iter().filter(|_| world.dice.one_in(6)).collect()
}

#[test]
fn no_worker_is_idle_while_something_could_be_done() {
    for seed in 0..WORLDS {
        let mut world = world(seed);
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
        if let Err(panic) = run {
            super::told(&world, &format!("world {seed} of those that are looked at for idle workers"));
            std::panic::resume_unwind(panic);
        }
    }
}
