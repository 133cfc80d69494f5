//! What is looked at before any money is spent, and what a run is made of when all of it is well.
//! Knows nothing of the loop.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use super::{
    Project, RunError,
    costs::Costs,
    drive::Options,
    forecast,
    foreman::{Entry, Foreman, Rules},
    history,
    learning::Learning,
    live,
    programs::{self, Asked},
    purse::Unusual,
    queue::{self, Queued},
    recovery,
    roll_call::{RollCall, Wanted, roll_call},
    spending::Spending,
    view,
    workshop::{Brief, Equipment, Workshop, sync_of},
};
use crate::{
    agents::player::Player,
    config::{
        limits,
        settings::{RoutingMode, SigningKey},
    },
    gate::{Definition, change},
    git::{RefMove, Repository, Signer},
    handoff::{
        layout,
        tasks::{self, Format, QueuedTask},
    },
    model::{
        checkpoint::{Bounds, Checkpoint, TaskState},
        object::CommitId,
        task::{Task, TaskId},
        workflow::{PhaseId, Role, Workflow},
    },
    plan::Graph,
    report::event::RunEvent,
    route,
    sys::{
        clock, environment, file,
        lock::Lease,
        machine,
        ports::{self, Ports},
        process::{Cancel, Supervisor},
    },
    text,
};

/// How long the test signature may take: a key that asks a person would hang every step.
pub const SIGNATURE_LIMIT: Duration = Duration::from_secs(5);
/// Bytes of a file that a first commit carries.
const BRIEF_FILE_BYTES_MAX: usize = 1 << 20;

/// What a run is made of.
pub struct Prepared {
    /// What the workers share.
    pub shop: Workshop,
    /// What decides.
    pub foreman: Foreman,
    /// What a person should hear first.
    pub warnings: Vec<RunEvent>,
}

/// The key that signs, made if this machine has none.
///
/// # Errors
/// When it cannot be read, made or used within [`SIGNATURE_LIMIT`].
pub fn signer(repository: &Repository, key: SigningKey) -> Result<Signer, RunError> {
    let signer = match key {
        SigningKey::Git => Signer::from_git(repository)?,
        SigningKey::Own => {
            let path = environment::own_key_path()
                .ok_or_else(|| RunError::Preflight { what: "no home directory for the key".to_owned(), hint: None })?;
            match path.exists() {
                true => Signer::own(&path)?,
                // Another run, in another repository, may make it at this moment.
                false => Signer::create_own(&path, "git-orchestrate").or_else(|error| match path.exists() {
                    true => Signer::own(&path),
                    false => Err(error),
                })?,
            }
        }
    };
    signer
        .test(SIGNATURE_LIMIT)
        .map_err(|error| RunError::Signature { limit: SIGNATURE_LIMIT, why: error.to_string() })?;
    Ok(signer)
}

/// The supervisor of this repository's children.
///
/// # Errors
/// When its directory cannot be made.
pub fn supervisor(project: &Project) -> Result<Supervisor, RunError> {
    let dir = project.local.children();
    // The repository's own marker, so that a later run finds what this one leaves, wherever it went.
    let marker = crate::model::object::Digest::of(project.repository.common_dir().as_os_str().as_encoded_bytes());
    let marker = marker.0.trim_start_matches("sha256:")[..16].to_owned();
    let ports =
        Ports::new(ports::locks(project.local.root()), project.worktrees_dir(), project.settings.worktrees.ports);
    let made = Supervisor::new(dir.clone(), marker).map(|supervisor| supervisor.with_ports(ports));
    made.map_err(|source| RunError::File { path: dir, what: "cannot be made", source })
}

/// The configured agents by name.
///
/// # Errors
/// When one of them is not configured well.
pub fn agents(project: &Project) -> Result<BTreeMap<String, Player>, RunError> {
    let root = project.root.as_deref().unwrap_or_else(|| project.repository.common_dir());
    let all = &project.settings.agents;
    all.iter().map(|(name, settings)| Ok((name.clone(), Player::new(name, settings, all, root)?))).collect()
}

/// Looks at everything, puts right what a crash left, and makes what a run needs.
///
/// # Errors
/// The first thing that is wrong, with what to type.
pub fn prepare(
    project: &Project,
    options: &Options,
    lease: &Lease,
    tell: Arc<dyn Fn(RunEvent) + Send + Sync>,
) -> Result<Prepared, RunError> {
    if let Some(why) = project.repository.unsupported() {
        return Err(RunError::Preflight { what: format!("this repository {why}"), hint: None });
    }
    let identity = project.repository.identity()?;
    project.head_commit()?;
    let supervisor = supervisor(project)?;
    let parked = live::read(&project.local.live()).2;
    let mut warnings = recovery::recover(project, &supervisor, lease)?;
    crate::sys::crash_point::reach("start.recovered");
    for branch in queue::adopt(project)? {
        let message = format!("took over {branch} from the clone's remote");
        warnings.push(RunEvent::Warning { message, hint: None });
    }
    let mut queue = queue::glance(project)?;
    close_attempts(project, &queue)?;
    let selected = selection(project, &queue, options)?;
    let workflows = workflows(project, &queue, &selected, options)?;
    warnings.extend(check_gates(project, &queue, &selected, &workflows, options)?);
    check_resources(project, &queue, &selected)?;
    let mut agents = agents(project)?;
    let RollCall { versions, absent, warnings: missing } =
        roll_call(project, &wanted(project, &queue, &selected, &workflows)?, &agents, &supervisor)?;
    warnings.extend(missing);
    agents.retain(|name, _| !absent.contains(name));
    check_disk(project)?;
    let signer = signer(&project.repository, project.settings.commits.key)?;
    warnings.extend(signer_warning(project, &signer)?);
    warnings.extend(uncommitted_warning(project));
    let integration = integration(project, &mut warnings)?;
    crate::sys::crash_point::reach("start.based");

    let jobs = options.jobs.unwrap_or(project.settings.limits.jobs as usize).max(1);
    let gates_max = (project.settings.limits.gates as usize).clamp(1, jobs);
    let mut briefs = briefs(project, &queue, &selected, &workflows);
    warnings.extend(edited(project, &mut queue, &selected, options, &mut briefs)?);
    let equipment =
        Equipment { identity, signer, supervisor, cancel: Cancel::new(), agents, versions, briefs, gates_max, tell };
    let shop = Workshop::open(project.clone(), equipment)?;
    let zone = clock::zone();
    let rules = Rules {
        jobs,
        gates_max,
        batch_max: project.settings.landing.batch as usize,
        until: options.until.clone(),
        zone: zone.clone(),
        seed: seed(),
    };
    let costs = Costs::read(project, &queue, options.budget)?;
    let funds = costs.funds(&project.settings, &queue, options.budget, options.consent.clone(), &zone);
    let entries = queue.into_iter().enumerate().map(|(i, queued)| Entry {
        selected: selected.contains(&i),
        checkpoint: queued.checkpoint,
        tip: queued.tip,
        landed: queued.landed,
        ..Entry::new(Arc::new(queued.task), workflows.get(&i).cloned())
    });
    crate::sys::crash_point::reach("start.equipped");
    let families = Arc::new(shop.families());
    let mut foreman = Foreman::new(rules, project.settings.clone(), families, entries.collect(), integration);
    // One alone gets in nobody's way.
    if workflows.len() > 1 {
        foreman.know_code(forecast::code_map(project));
    }
    if project.settings.routing.mode == RoutingMode::Learned {
        foreman.learn_from(Learning::new(&project.settings, &history::read(project)?));
    }
    park(&mut foreman, &parked, clock::now());
    foreman.fund(funds, clock::now());
    Ok(Prepared { shop, foreman, warnings })
}

/// Has agents stay parked that an earlier run, or the one at work, has parked until later than now.
pub(super) fn park(foreman: &mut Foreman, parked: &[live::ParkedAgent], now: SystemTime) {
    for agent in parked {
        if let Some(until) = clock::parse_rfc3339(&agent.until).filter(|until| *until > now) {
            foreman.park(agent.agent.clone(), until, agent.reason.clone(), agent.streak);
        }
    }
}

/// Tasks that a run with these options would not begin without a word, as they are likely to cost far more than tasks
/// usually do: each with its title and why.
///
/// # Errors
/// When the queue cannot be read, or the options name what is not there.
pub fn expensive(project: &Project, options: &Options) -> Result<Vec<(TaskId, String, Unusual)>, RunError> {
    let queue = queue::glance(project)?;
    let selected = selection(project, &queue, options)?;
    let present = view::present(project)?;
    let judge = view::bystander_of(project, &queue, &present, view::Known::Open, &|at| selected.contains(&at));
    let Some(judge) = judge else { return Ok(Vec::new()) };
    let unusual = judge.unusual_tasks().map(|(task, why)| (task.id.clone(), task.title.clone(), why.clone()));
    Ok(unusual.collect())
}

/// Counts the attempts that a crash cut off. One whose step is in a commit is counted there.
fn close_attempts(project: &Project, queue: &[Queued]) -> Result<(), RunError> {
    let spending = Spending::new(project.local.spending(), sync_of(&project.settings));
    spending.close_left(|attempt| {
        let queued = queue.iter().find(|queued| queued.task.id == attempt.task);
        let steps = queued.and_then(|queued| view::steps(project, queued).ok()).unwrap_or_default();
        steps.iter().any(|(_, record)| record.phase == attempt.phase && record.started == attempt.started)
    })
}

/// A number that differs from run to run.
fn seed() -> u64 {
    let now = clock::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (now.as_nanos() as u64).rotate_left(17) ^ u64::from(std::process::id())
}

/// A task as a run would take it up.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Rehearsed {
    /// Its name.
    pub id: TaskId,
    /// One line for people.
    pub title: String,
    /// How far it has come.
    #[serde(serialize_with = "crate::report::task::word")]
    pub state: TaskState,
    /// The workflow it follows.
    pub workflow: String,
    /// Tasks that must have landed before.
    pub after: Vec<String>,
    /// Its phases that are not over, each with who would do it.
    pub phases: Vec<(String, String)>,
}

/// What a run would do.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// The tasks in the order in which they would begin.
    pub tasks: Vec<Rehearsed>,
    /// What a person should hear first.
    pub warnings: Vec<RunEvent>,
}

/// Looks at everything and says what a run would do, without doing anything.
///
/// # Errors
/// The first thing that is wrong, with what to type.
pub fn rehearse(project: &Project, options: &Options) -> Result<Rehearsal, RunError> {
    if let Some(holder) = crate::sys::lock::holder(&project.local.lock()).map_err(RunError::Lock)? {
        return Err(RunError::HeldBy(Some(Box::new(holder))));
    }
    project.repository.identity()?;
    let head = project.head_commit()?;
    let queue = queue::glance(project)?;
    let selected = selection(project, &queue, options)?;
    let workflows = workflows(project, &queue, &selected, options)?;
    let of_gates = check_gates(project, &queue, &selected, &workflows, options)?;
    check_resources(project, &queue, &selected)?;
    let wanted = wanted(project, &queue, &selected, &workflows)?;
    let RollCall { mut warnings, .. } = roll_call(project, &wanted, &agents(project)?, &supervisor(project)?)?;
    warnings.splice(..0, of_gates);
    check_disk(project)?;
    signer(&project.repository, project.settings.commits.key)?;
    let ids: Vec<TaskId> = queue.iter().map(|queued| queued.task.id.clone()).collect();
    let mut rehearsed = Vec::new();
    let places: HashMap<&TaskId, usize> = queue.iter().enumerate().map(|(i, queued)| (&queued.task.id, i)).collect();
    for id in Graph::new(queue.iter().map(|queued| &queued.task)).order(&ids) {
        let Some(i) = places.get(&id).copied() else { continue };
        let (Some(workflow), queued) = (workflows.get(&i), &queue[i]) else { continue };
        let fresh = || {
            let bounds = Bounds::default();
            Checkpoint::begin(&queued.task, workflow.as_ref().clone(), head, bounds)
        };
        let checkpoint = queued.checkpoint.clone().unwrap_or_else(fresh);
        let open = checkpoint.phases.iter().filter(|phase| !phase.state.is_over());
        let phases = open.map(|phase| (phase.id.to_string(), who(project, &checkpoint, &phase.id, &queued.task)));
        let landed = |id: &TaskId| places.get(id).is_some_and(|i| queue[*i].landed);
        rehearsed.push(Rehearsed {
            id,
            title: queued.task.title.clone(),
            state: queued.state(),
            workflow: workflow.name.clone(),
            after: queued.task.depends_on.iter().filter(|id| !landed(id)).map(ToString::to_string).collect(),
            phases: phases.collect(),
        });
    }
    Ok(Rehearsal { tasks: rehearsed, warnings })
}

fn who(project: &Project, checkpoint: &Checkpoint, phase: &PhaseId, task: &Task) -> String {
    match checkpoint.spec(phase) {
        None => project.settings.landing.branch.clone(),
        Some(spec) => match (&spec.role, &spec.gate) {
            (Some(role), _) => route::ranked(&project.settings, role, task).first.agents.join(", "),
            (None, gate) => format!("gate {}", gate.as_deref().unwrap_or_default()),
        },
    }
}

/// The positions of the tasks that the run works on: those that were named and what they depend on, or all.
fn selection(project: &Project, queue: &[Queued], options: &Options) -> Result<BTreeSet<usize>, RunError> {
    check_graph(project, queue)?;
    queue::select_with_needs(queue, &options.tasks)
}

/// Circles and missing dependencies, each with the file and line that names them.
fn check_graph(project: &Project, queue: &[Queued]) -> Result<(), RunError> {
    if Graph::new(queue.iter().map(|queued| &queued.task)).problems().is_empty() {
        return Ok(());
    }
    // A glance has no texts, and only they have lines.
    let of = |queued: Queued| QueuedTask { task: queued.task, file: queued.file.0.into(), text: queued.file.1 };
    let whole = tasks::Queue { tasks: queue::load(project)?.into_iter().map(of).collect() };
    Err(RunError::Problems(whole.graph_problems()))
}

fn is_open(queued: &Queued) -> bool {
    !matches!(queued.state(), TaskState::Landed | TaskState::Aborted)
}

/// The workflow of each selected task: that of its checkpoint if it has begun.
fn workflows(
    project: &Project,
    queue: &[Queued],
    selected: &BTreeSet<usize>,
    options: &Options,
) -> Result<BTreeMap<usize, Arc<Workflow>>, RunError> {
    let mut by_name: BTreeMap<String, Arc<Workflow>> = BTreeMap::new();
    let mut workflows = BTreeMap::new();
    for i in selected.iter().copied().filter(|i| is_open(&queue[*i])) {
        let queued = &queue[i];
        if let Some(checkpoint) = &queued.checkpoint {
            workflows.insert(i, Arc::new(checkpoint.workflow.clone()));
            continue;
        }
        let asked = options.workflow.as_deref();
        let name = asked.or(queued.task.workflow.as_deref()).unwrap_or(&project.settings.workflow).to_owned();
        if !by_name.contains_key(&name) {
            by_name.insert(name.clone(), Arc::new(queue::workflow(project, &queued.task, asked)?));
        }
        workflows.insert(i, by_name[&name].clone());
    }
    if let Some(until) = &options.until {
        let known = workflows.values().any(|workflow| workflow.phase(until.spec()).is_some());
        if !known && until.spec() != "land" && !workflows.is_empty() {
            let phases: BTreeSet<&str> =
                workflows.values().flat_map(|w| w.phases.iter().map(|spec| spec.id.as_str())).collect();
            let hint =
                text::did_you_mean(until.spec(), phases.iter().copied()).map(|near| format!("did you mean '{near}'?"));
            return Err(RunError::Preflight { what: format!("no selected task has a phase '{until}'"), hint });
        }
    }
    Ok(workflows)
}

/// The gates that the selected tasks are judged by, and what a person should hear of their checks.
fn check_gates(
    project: &Project,
    queue: &[Queued],
    selected: &BTreeSet<usize>,
    workflows: &BTreeMap<usize, Arc<Workflow>>,
    options: &Options,
) -> Result<Vec<RunEvent>, RunError> {
    let open = selected.iter().filter(|i| is_open(&queue[**i]));
    let profiles: BTreeSet<String> = open
        .filter_map(|i| workflows.get(i))
        .flat_map(|workflow| {
            let own = workflow.phases.iter().filter_map(|spec| spec.gate.clone());
            let landing = project.settings.landing.gate.clone();
            let none = !workflow.phases.iter().any(|spec| spec.gate.is_some());
            own.chain(landing.or_else(|| none.then(|| "full".to_owned())))
        })
        .collect();
    let auto = profiles.contains(change::AUTO).then(|| change::profiles(&project.settings));
    let named: BTreeSet<String> = profiles.into_iter().filter(|profile| profile != change::AUTO).collect();
    let auto: BTreeSet<String> = auto.into_iter().flatten().filter(|profile| !named.contains(profile)).collect();
    let definitions = |profiles: BTreeSet<String>| -> Result<Vec<Definition>, RunError> {
        profiles.iter().map(|profile| Ok(Definition::from_settings(&project.settings, profile)?)).collect()
    };
    let (named, auto) = (definitions(named)?, definitions(auto)?);
    let asked = if options.until.is_none() { Asked::Surely } else { Asked::Perhaps };
    let mut warnings = programs::look(project, &named, asked)?;
    // Which of these is asked depends on what tasks change.
    warnings.extend(programs::look(project, &auto, Asked::Perhaps)?);
    Ok(warnings)
}

/// The roles that the selected tasks need played, each once for the same candidates.
fn wanted(
    project: &Project,
    queue: &[Queued],
    selected: &BTreeSet<usize>,
    workflows: &BTreeMap<usize, Arc<Workflow>>,
) -> Result<Vec<Wanted>, RunError> {
    let mut wanted: BTreeMap<(Role, Vec<String>), TaskId> = BTreeMap::new();
    for i in selected.iter().filter(|i| is_open(&queue[**i])) {
        let task = &queue[*i].task;
        let roles = workflows.get(i).into_iter().flat_map(|w| w.phases.iter().filter_map(|spec| spec.role.as_ref()));
        for role in roles {
            let candidates = route::candidates(&project.settings, role, task);
            if candidates.is_empty() {
                return Err(RunError::Preflight {
                    what: format!("no agent is configured for role '{role}' of task '{}'", task.id),
                    hint: Some(format!("add to .handoff/config.toml: [roles] {role} = \"<agent>\"")),
                });
            }
            wanted.entry((role.clone(), candidates)).or_insert_with(|| task.id.clone());
        }
    }
    Ok(wanted.into_iter().map(|((role, candidates), task)| Wanted { role, candidates, task }).collect())
}

/// What a task needs of named resources must be there at all, or it would wait for ever.
fn check_resources(project: &Project, queue: &[Queued], selected: &BTreeSet<usize>) -> Result<(), RunError> {
    for queued in selected.iter().map(|i| &queue[*i]).filter(|queued| is_open(queued)) {
        let lacks = limits::lacks(&project.settings.resources, &queued.task.resources);
        if let Some((_, what, hint)) = lacks.into_iter().next() {
            let what = format!("task '{}' {what}, in {}", queued.task.id, queued.file.0);
            return Err(RunError::Preflight { what, hint: Some(hint) });
        }
    }
    Ok(())
}

fn check_disk(project: &Project) -> Result<(), RunError> {
    let dir = project.worktrees_dir();
    let there = dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    let free_bytes = machine::free_disk_bytes(there).map_err(|source| RunError::File {
        path: there.to_owned(),
        what: "has unknown room",
        source,
    })?;
    if free_bytes < project.settings.limits.disk_free_bytes {
        return Err(RunError::DiskFull { path: dir, free_bytes });
    }
    Ok(())
}

fn signer_warning(project: &Project, signer: &Signer) -> Result<Option<RunEvent>, RunError> {
    let path = layout::ALLOWED_SIGNERS.to_owned();
    let text = match &project.root {
        Some(root) => file::read_limited(&root.join(&path), BRIEF_FILE_BYTES_MAX).ok(),
        None => None,
    };
    let Some(line) = signer.public_key_line() else { return Ok(None) };
    let key = line.split_whitespace().nth(1).unwrap_or(&line);
    let known = text.is_some_and(|text| String::from_utf8_lossy(&text).contains(key));
    let message = format!("this machine's key is not in {path}: others cannot tell its steps from forged ones");
    Ok((!known).then(|| RunEvent::Warning { message, hint: Some("git orchestrate init".to_owned()) }))
}

fn uncommitted_warning(project: &Project) -> Option<RunEvent> {
    let count = project.repository.uncommitted_count().unwrap_or(0);
    (count > 0).then(|| RunEvent::Warning {
        message: format!(
            "{} in your checkout: agents do not see them",
            text::count(count as u64, "uncommitted change")
        ),
        hint: None,
    })
}

/// The integration branch: made at HEAD if it is not there, moved up to HEAD if all that it has is in HEAD already.
pub(super) fn integration(project: &Project, warnings: &mut Vec<RunEvent>) -> Result<CommitId, RunError> {
    let repository = &project.repository;
    let (name, head) = (project.integration_branch(), project.head_commit()?);
    let from = repository.reference(&name)?;
    match from {
        None => move_up(project, name, from, head),
        Some(tip) if tip == head => Ok(tip),
        // What both have is looked for once: that means a walk over all that has landed.
        Some(tip) => match repository.merge_base(tip, head)? {
            Some(base) if base == tip => move_up(project, name, from, head),
            base => {
                if base != Some(head) {
                    let message = format!(
                        "'{}' and your branch have both moved on: tasks start from the former",
                        project.settings.landing.branch
                    );
                    warnings.push(RunEvent::Warning { message, hint: Some("git orchestrate land".to_owned()) });
                }
                Ok(tip)
            }
        },
    }
}

fn move_up(project: &Project, name: String, from: Option<CommitId>, to: CommitId) -> Result<CommitId, RunError> {
    let repository = &project.repository;
    let reason = "orchestrate: start from HEAD".to_owned();
    let moves = vec![RefMove { name, from, to, reason }];
    let mut draft = repository.draft();
    let code = draft.code_tree(to)?;
    if code != repository.root_tree(to)? {
        draft.code_commit(code, to)?;
    }
    repository.publish(draft.objects(), moves, project.settings.commits.durability)?;
    Ok(to)
}

/// What each task's first commit carries: the task, the configuration, its workflow, the keys that may sign.
fn briefs(
    project: &Project,
    queue: &[Queued],
    selected: &BTreeSet<usize>,
    workflows: &BTreeMap<usize, Arc<Workflow>>,
) -> BTreeMap<TaskId, Brief> {
    let read = |path: &str| -> Option<Vec<u8>> {
        file::read_limited(&project.root.as_ref()?.join(path), BRIEF_FILE_BYTES_MAX).ok()
    };
    let signers = OnceLock::new();
    let mut briefs = BTreeMap::new();
    for i in selected.iter().copied().filter(|i| is_open(&queue[*i])) {
        let (path, text) = &queue[i].file;
        let config = project.config_text.clone().into_bytes();
        let mut files = vec![(layout::CONFIG.to_owned(), config.clone())];
        if !text.is_empty() {
            files.push((path.clone(), text.clone().into_bytes()));
        }
        if let Some(workflow) = workflows.get(&i) {
            let path = layout::workflow(&workflow.name);
            files.extend(read(&path).map(|bytes| (path, bytes)));
        }
        let signers = signers.get_or_init(|| read(layout::ALLOWED_SIGNERS));
        files.extend(signers.clone().map(|bytes| (layout::ALLOWED_SIGNERS.to_owned(), bytes)));
        briefs.insert(queue[i].task.id.clone(), Brief { files, config, renewed: false });
    }
    briefs
}

/// What the first commit of one task carries.
pub(super) fn brief(project: &Project, queue: &[Queued], id: &TaskId, workflow: &Workflow) -> BTreeMap<TaskId, Brief> {
    let Some(at) = queue.iter().position(|queued| queued.task.id == *id) else { return BTreeMap::new() };
    let workflows = BTreeMap::from([(at, Arc::new(workflow.clone()))]);
    briefs(project, queue, &BTreeSet::from([at]), &workflows)
}

/// Tasks whose file was edited since they began: said, and taken up only if asked.
fn edited(
    project: &Project,
    queue: &mut [Queued],
    selected: &BTreeSet<usize>,
    options: &Options,
    briefs: &mut BTreeMap<TaskId, Brief>,
) -> Result<Vec<RunEvent>, RunError> {
    let mut told = Vec::new();
    for i in selected.iter().copied() {
        let queued = &mut queue[i];
        if !is_open(queued) {
            continue;
        }
        let (Some(tip), (path, text)) = (queued.tip, &queued.file) else { continue };
        let Some(before) = project.repository.read(tip, path)? else { continue };
        if before == text.as_bytes() || text.is_empty() {
            continue;
        }
        if options.reload {
            if let Some(brief) = briefs.get_mut(&queued.task.id) {
                brief.renewed = true;
                brief.files.retain(|(known, _)| known == path);
            }
        } else {
            let before = String::from_utf8_lossy(&before);
            queued.task =
                tasks::parse(&before, path, Format::of(Path::new(path)).unwrap_or(Format::Toml), &queued.task.id)
                    .map_err(RunError::Problems)?;
            told.push(RunEvent::Warning {
                message: format!(
                    "{path} was edited since {} began; it goes on with the new text only if asked",
                    queued.task.id
                ),
                hint: Some("git orchestrate resume --reload".to_owned()),
            });
        }
    }
    Ok(told)
}
