//! Views of the queue for people and programs: what `status`, `show`, `log` and `review` print.
//! Knows nothing of how they are printed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use rayon::prelude::*;

use super::{
    Project, RunError, control,
    costs::Costs,
    decide,
    early::Clash,
    foreman::{Entry, Foreman, Rules, Spent},
    history,
    live::Present,
    preflight,
    purse::Consent,
    queue::{self, Queued},
};
use crate::{
    context::Counts,
    git::{AllowedSigners, Repository, SignatureState},
    handoff::{layout, records},
    model::{
        checkpoint::{Checkpoint, TaskState},
        money::Money,
        next::Stop,
        object::{BlobId, CommitId},
        record::{GateVerdict, Record},
        task::TaskId,
        workflow::PhaseId,
    },
    report::{
        cached::CachedView,
        event::RunEnd,
        log::TaskLog,
        money::{MoneyView, StandView},
        review::{Approvable, ReviewItem, ReviewView},
        show::ShowView,
        status::{ParkedView, RunView, StatusView, WorkerView},
        step::{SignatureView, StepView},
        task::{TaskView, Totals},
    },
    sys::{clock, file, lock},
};

/// Bytes of `.handoff/allowed_signers` that are read.
const SIGNERS_BYTES_MAX: usize = 1 << 20;

/// A task as the run sees it.
pub fn of_entry(foreman: &Foreman, entry: &Entry) -> TaskView {
    let mut view = TaskView::new(&entry.task, entry.checkpoint.as_ref(), entry.tip);
    view.state = entry.state();
    let at_work = entry.running.iter().next();
    if let Some((phase, at_work)) = at_work {
        view.state = TaskState::Running;
        view.phase = Some(phase.clone());
        view.agent.clone_from(&at_work.agent);
        view.attempt = entry.checkpoint.as_ref().and_then(|c| c.phase(phase)).map_or(1, |phase| phase.attempts + 1);
        view.why = None;
    } else if let Some(why) = foreman.why_waiting(entry) {
        let open = matches!(view.state, TaskState::New | TaskState::Running);
        let stuck = || {
            foreman.held_for_money(entry).is_some()
                || foreman.next(entry).stops.iter().any(|stop| matches!(stop, Stop::NoReviewer { .. }))
        };
        if open && stuck() {
            view.state = TaskState::Held;
        } else if open {
            view.state = TaskState::Waiting;
        }
        view.why = view.why.or(Some(why));
    }
    if view.state == TaskState::Landed {
        view.phase = None;
    }
    view
}

/// A task that no run has to do with.
fn of_queued(queued: &Queued) -> TaskView {
    let mut view = TaskView::new(&queued.task, queued.checkpoint.as_ref(), queued.tip);
    if queued.landed {
        view.state = TaskState::Landed;
        view.phase = None;
    }
    view
}

/// What was spent by the run of a foreman, and by all.
pub fn money(foreman: &Foreman) -> MoneyView {
    let [run, day, month] =
        foreman.money().map(|stand| StandView { spent: stand.spent, reserved: stand.reserved, limit: stand.limit });
    MoneyView { zone: clock::zone_name(foreman.parking().zone()), run: Some(run), day, month }
}

/// Counts as they are shown.
pub fn cached(counts: Counts) -> CachedView {
    CachedView { asked: counts.asked, found: counts.found }
}

/// What a task must be let cost in all for it to go on, if that is what it waits for.
pub fn money_needed(project: &Project, queue: &[Queued], queued: &Queued) -> Option<Money> {
    let judge = bystander(project, queue, Known::Open)?;
    let entry = judge.entry(&queued.task.id)?;
    judge.held_for_money(entry).map(|(_, usd)| usd)
}

/// What is to be typed after a run that ended so.
pub fn next_commands(project: &Project, end: RunEnd, tasks: &[TaskView], spent: Option<&Spent>) -> Vec<String> {
    let any = |state| tasks.iter().any(|task| task.state == state);
    let mut next = Vec::new();
    if any(TaskState::Held) {
        next.push("git orchestrate review".to_owned());
    }
    match end {
        RunEnd::Interrupted { .. } | RunEnd::Stopped => next.push("git orchestrate resume".to_owned()),
        RunEnd::Spent => next.push(match spent.and_then(Spent::would_do) {
            Some(money) => format!("git orchestrate resume --budget {}", money.plain()),
            None => "git orchestrate resume".to_owned(),
        }),
        RunEnd::Failed => next.push("git orchestrate log".to_owned()),
        RunEnd::NothingMatched => next.push("git orchestrate task add \"…\"".to_owned()),
        RunEnd::Done | RunEnd::Held => {}
    }
    if any(TaskState::Landed) && is_ahead(project) {
        let branch = &project.settings.landing.branch;
        let head = project.repository.head().ok().and_then(|head| head.branch);
        let head = head.map_or_else(|| "HEAD".to_owned(), |name| name.trim_start_matches("refs/heads/").to_owned());
        next.push(format!("git diff {head}...{branch}"));
        next.push("git orchestrate land".to_owned());
    }
    next
}

/// Whether the integration branch has what HEAD has not.
fn is_ahead(project: &Project) -> bool {
    let tip = project.repository.reference(&project.integration_branch()).ok().flatten();
    let head = project.repository.head().ok().and_then(|head| head.commit);
    match (tip, head) {
        (Some(tip), Some(head)) => !project.repository.is_ancestor(tip, head).unwrap_or(false),
        _ => false,
    }
}

/// Why a task that could go on does not.
const NO_RUN: &str = "no run is at work: git orchestrate resume";

/// How the whole stands.
///
/// # Errors
/// When the queue cannot be read.
pub fn status(project: &Project, names: &[String]) -> Result<StatusView, RunError> {
    let queue = queue::glance(project)?;
    let present = present(project)?;
    let Present { run, workers, .. } = &present;
    let waiting: BTreeMap<_, _> = run.iter().flat_map(|run| run.waiting.iter().cloned()).collect();
    let view_of = |queued: &Queued, judge: Option<&Foreman>| {
        let mut view = match judge.and_then(|judge| judge.entry(&queued.task.id).map(|e| (judge, e))) {
            Some((judge, entry)) => of_entry(judge, entry),
            None => of_queued(queued),
        };
        if let Some(worker) = workers.iter().find(|worker| worker.task == queued.task.id) {
            view.state = TaskState::Running;
            view.phase = Some(worker.phase.clone());
            view.attempt = worker.attempt;
            view.agent = Some(worker.agent.clone());
            view.since = worker.since.parse().ok();
            view.why = None;
        } else if let Some(why) = waiting.get(&queued.task.id).filter(|_| view.state != TaskState::Landed) {
            view.why = view.why.or_else(|| Some(why.clone()));
        } else if run.is_none() && matches!(view.state, TaskState::Running | TaskState::Finished) {
            // Whatever did it is gone: what stands still must not look alive.
            view.state = if view.state == TaskState::Running { TaskState::Waiting } else { view.state };
            view.why = view.why.or_else(|| Some(NO_RUN.to_owned()));
        }
        view
    };
    let selected = queue::select(&queue, names)?;
    // What has landed looks the same whoever looks.
    let of_landed = || selected.par_iter().map(|queued| queued.landed.then(|| view_of(queued, None))).collect();
    let (judge, mut views): (_, Vec<Option<TaskView>>) =
        rayon::join(|| bystander_of(project, &queue, &present, Known::Open, &|_| true), of_landed);
    views.par_iter_mut().zip(selected).for_each(|(view, queued)| {
        view.get_or_insert_with(|| view_of(queued, judge.as_ref()));
    });
    // Where they are: to move ten thousand of them takes as long as to make them.
    let tasks: Vec<TaskView> = views.into_iter().map(|view| view.expect("BUG: each was made just now")).collect();
    let Present { run, workers, parked } = present;
    let now = clock::now();
    let stand =
        run.as_ref().map(|run| StandView { spent: run.spent_usd, reserved: run.reserved_usd, limit: run.budget_usd });
    let money = judge.as_ref().map(money).unwrap_or_default();
    let money = MoneyView { run: stand, ..money };
    // To take ten thousand tasks apart takes a while, and nobody needs to wait for it.
    rayon::spawn(move || drop((queue, judge)));
    Ok(StatusView {
        repository: project.root.as_deref().unwrap_or_else(|| project.repository.common_dir()).display().to_string(),
        target: project.settings.landing.branch.clone(),
        clashes: run.iter().flat_map(|run| &run.clashes).map(Clash::told).collect(),
        run: run.map(|run| RunView {
            pid: run.pid,
            host: None,
            since: run.since.parse().ok(),
            jobs: run.jobs as u32,
            jobs_now: run.jobs_now as u32,
            why_fewer: run.why_fewer,
        }),
        totals: Totals::of(&tasks),
        tasks,
        workers: workers
            .into_iter()
            .map(|worker| WorkerView {
                slot: worker.slot as u32,
                since_s: clock::parse_rfc3339(&worker.since)
                    .and_then(|since| now.duration_since(since).ok())
                    .map_or(0, |age| age.as_secs()),
                task: worker.task,
                phase: worker.phase,
                agent: worker.agent,
                model: worker.model,
                last: Some(worker.last).filter(|last| !last.is_empty()),
                tokens: worker.tokens,
            })
            .collect(),
        parked: parked
            .into_iter()
            .filter(|parked| clock::parse_rfc3339(&parked.until).is_some_and(|until| until > now))
            .map(|parked| ParkedView {
                agent: parked.agent,
                until: parked.until.parse().ok(),
                reason: parked.reason,
                policy: parked.policy,
            })
            .collect(),
        quiet_until: quiet_until(project),
        money,
    })
}

/// When the quiet hours that it is now end.
fn quiet_until(project: &Project) -> Option<jiff::Timestamp> {
    let now = jiff::Timestamp::try_from(clock::now()).ok()?;
    project.settings.quota.quiet_hours?.until(now, &clock::zone())
}

/// What goes on now.
pub(super) fn present(project: &Project) -> Result<Present, RunError> {
    let holder = lock::holder(&project.local.lock()).map_err(RunError::Lock)?;
    Ok(Present::read(&project.local.live(), holder.as_ref()))
}

/// The tasks that a bystander knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// All of them.
    All,
    /// Those that have not landed and what these wait for: enough to say why they do.
    Open,
}

/// A foreman who gives no orders, to say why tasks wait; none if the configuration does not allow even that.
pub(super) fn bystander(project: &Project, queue: &[Queued], known: Known) -> Option<Foreman> {
    bystander_of(project, queue, &present(project).ok()?, known, &|_| true)
}

/// The same for a run over those tasks only, by their places in the queue, at a moment that was read before.
pub(super) fn bystander_of(
    project: &Project,
    queue: &[Queued],
    present: &Present,
    known: Known,
    is_selected: &dyn Fn(usize) -> bool,
) -> Option<Foreman> {
    let agents = preflight::agents(project).ok()?;
    let families = agents.iter().map(|(name, agent)| (name.clone(), agent.families())).collect();
    let mut by_name: BTreeMap<String, Option<std::sync::Arc<crate::model::workflow::Workflow>>> = BTreeMap::new();
    let open = queue.iter().filter(|queued| !queued.landed);
    let needed: BTreeSet<&TaskId> = open.flat_map(|queued| &queued.task.depends_on).collect();
    let is_known = |queued: &Queued| match known {
        Known::All => true,
        Known::Open => !queued.landed || needed.contains(&queued.task.id),
    };
    let entries = queue.iter().enumerate().filter(|(_, queued)| is_known(queued)).map(|(at, queued)| {
        let name = queued.task.workflow.as_deref().unwrap_or(&project.settings.workflow).to_owned();
        let workflow = by_name
            .entry(name)
            .or_insert_with(|| queue::workflow(project, &queued.task, None).ok().map(std::sync::Arc::new))
            .clone();
        let of_checkpoint =
            || queued.checkpoint.as_ref().map(|checkpoint| std::sync::Arc::new(checkpoint.workflow.clone()));
        let workflow = workflow.or_else(of_checkpoint)?;
        Some(Entry {
            checkpoint: queued.checkpoint.clone(),
            tip: queued.tip,
            landed: queued.landed,
            selected: is_selected(at),
            ..Entry::new(std::sync::Arc::new(queued.task.clone()), Some(workflow))
        })
    });
    let entries: Option<Vec<Entry>> = entries.collect();
    let head = project.repository.head().ok()?.commit?;
    let zone = clock::zone();
    let mut foreman = Foreman::new(
        Rules { jobs: 1, gates_max: 1, batch_max: 1, until: None, zone: zone.clone(), seed: 0 },
        project.settings.clone(),
        std::sync::Arc::new(families),
        entries?,
        head,
    );
    let costs = Costs::read(project, queue, None).ok()?;
    let now = clock::now();
    foreman.fund(costs.funds(&project.settings, queue, None, Consent::default(), &zone), now);
    foreman.pause(control::paused(&project.local));
    preflight::park(&mut foreman, &present.parked, now);
    let mut running: BTreeMap<String, u32> = BTreeMap::new();
    present.workers.iter().for_each(|worker| *running.entry(worker.agent.clone()).or_default() += 1);
    foreman.look_on(now, running);
    Some(foreman)
}

/// The steps of a task, oldest first, each with its commit.
///
/// # Errors
/// When a step's record is not there or cannot be read.
pub fn steps(project: &Project, queued: &Queued) -> Result<Vec<(CommitId, Record)>, RunError> {
    let tip = match (queued.tip, &queued.checkpoint) {
        (None, Some(_)) => queue::landed_tip(project, &queued.task.id)?,
        (tip, _) => tip,
    };
    steps_up_to(project, queued, tip)
}

fn steps_up_to(project: &Project, queued: &Queued, tip: Option<CommitId>) -> Result<Vec<(CommitId, Record)>, RunError> {
    let (repository, id) = (&project.repository, &queued.task.id);
    let branch = layout::task_ref(id);
    let bad = |why: String| RunError::BadCheckpoint { branch: branch.clone(), why };
    let Some(checkpoint) = &queued.checkpoint else { return Ok(Vec::new()) };
    let tip = tip.ok_or_else(|| bad("no merge commit landed it".to_owned()))?;
    let entries = repository.list(tip, &layout::steps(id))?;
    let mut at = tip;
    let mut steps = Vec::new();
    for seq in (1..=checkpoint.seq).rev() {
        let prefix = layout::step_prefix(seq);
        let entry = entries.iter().find(|entry| entry.name.starts_with(&prefix));
        let blob = entry.map(|entry| BlobId(entry.id)).ok_or_else(|| bad(format!("step {seq} has no record")))?;
        let text = String::from_utf8_lossy(&repository.blob(blob)?).into_owned();
        let record = records::from_json(&text, &prefix).map_err(|problem| bad(problem.to_string()))?;
        steps.push((at, record));
        if seq > 1 {
            at = repository.parents(at)?.first().copied().ok_or_else(|| bad(format!("it has no step {}", seq - 1)))?;
        }
    }
    steps.reverse();
    Ok(steps)
}

/// The keys that may sign, as the checkout says.
fn allowed_signers(project: &Project) -> Option<AllowedSigners> {
    let path = project.root.as_ref()?.join(layout::ALLOWED_SIGNERS);
    let text = file::read_limited(&path, SIGNERS_BYTES_MAX).ok()?;
    AllowedSigners::parse(&String::from_utf8_lossy(&text)).ok()
}

fn signature(repository: &Repository, commit: CommitId, signers: &AllowedSigners) -> SignatureView {
    match repository.verify(commit, signers) {
        Ok(SignatureState::Good { principal, .. }) => SignatureView::Good { principal },
        Ok(SignatureState::GoodUnknownKey { fingerprint }) => SignatureView::Unknown { key: fingerprint },
        Ok(SignatureState::Unsigned) => SignatureView::Missing,
        Ok(SignatureState::Bad(_)) => SignatureView::Bad,
        Ok(SignatureState::NotSsh) | Err(_) => SignatureView::Unchecked,
    }
}

/// Tasks whose steps are read side by side for the log, after the first.
const LOG_ABREAST: usize = 32;

/// The log of these tasks, or of all that have begun: `each` is handed one after the other, and none is kept.
///
/// # Errors
/// When a task's steps cannot be read, and those of `each`.
pub fn log<E: From<RunError>>(
    project: &Project,
    names: &[String],
    each: &mut dyn FnMut(TaskLog) -> Result<(), E>,
) -> Result<(), E> {
    let queue = queue::glance(project)?;
    let mut selected: Vec<&Queued> = queue::select(&queue, names)?;
    selected.retain(|queued| queued.checkpoint.is_some() || !names.is_empty());
    let signers = allowed_signers(project).unwrap_or_default();
    let landings = OnceLock::new();
    let one = |queued: &Queued| {
        let tip = queued.tip.or_else(|| {
            let landings = landings.get_or_init(|| history::landed(project).unwrap_or_default());
            landings.get(&queued.task.id).copied()
        });
        let steps = steps_up_to(project, queued, tip)?;
        let steps = steps.iter().map(|(commit, record)| {
            StepView::new(record, Some(*commit), signature(&project.repository, *commit, &signers))
        });
        Ok::<_, RunError>(TaskLog {
            task: queued.task.id.clone(),
            title: queued.task.title.clone(),
            state: queued.state(),
            steps: steps.collect(),
        })
    };
    let (first, rest) = selected.split_at(selected.len().min(1));
    for some in [first].into_iter().chain(rest.chunks(LOG_ABREAST)) {
        let logs: Vec<Result<TaskLog, RunError>> = some.par_iter().map(|queued| one(queued)).collect();
        for log in logs {
            each(log?)?;
        }
    }
    Ok(())
}

/// One task with all that is known of it.
///
/// # Errors
/// When there is no such task or its steps cannot be read.
pub fn show(project: &Project, name: &str) -> Result<ShowView, RunError> {
    let queue = queue::load(project)?;
    let queued = queue::find(&queue, name)?;
    let status = status(project, &[name.to_owned()])?;
    let view = status.tasks.into_iter().next().expect("BUG: the task was found a line before");
    let workflow = queued.task.workflow.as_deref().unwrap_or(&project.settings.workflow);
    let mut show = ShowView::new(queued.task.clone(), view, queued.checkpoint.as_ref(), workflow);
    show.branch = queued.tip.map(|_| layout::task_ref(&queued.task.id).trim_start_matches("refs/heads/").to_owned());
    let steps = steps(project, queued)?;
    for phase in &mut show.phases {
        let own = steps.iter().filter(|(_, record)| record.phase == phase.id);
        phase.cost_usd = own.filter_map(|(_, record)| record.cost_usd).sum();
    }
    show.gate = last_gate(&steps);
    Ok(show)
}

fn last_gate(steps: &[(CommitId, Record)]) -> Option<GateVerdict> {
    steps.iter().rev().find_map(|(_, record)| record.gate.clone())
}

/// What waits for a person.
///
/// # Errors
/// When the queue cannot be read.
pub fn review(project: &Project, names: &[String]) -> Result<ReviewView, RunError> {
    let queue = queue::load(project)?;
    let judge = bystander(project, &queue, Known::Open);
    let mut items = Vec::new();
    for queued in queue::select(&queue, names)? {
        items.extend(judge.as_ref().and_then(|judge| money_item(judge, queued)));
        let Some(checkpoint) = queued.checkpoint.as_ref().filter(|_| !queued.landed) else { continue };
        if checkpoint.aborted.is_some() {
            continue;
        }
        let mut waits: Vec<(PhaseId, String, Approvable)> = decide::held(checkpoint)
            .into_iter()
            .filter_map(|id| {
                let why = checkpoint.phase(&id)?.held.clone();
                let reviews = checkpoint.spec(&id).is_some_and(|spec| spec.reviews.is_some());
                Some((id, why, if reviews { Approvable::Yes } else { Approvable::No }))
            })
            .collect();
        let entry = judge.as_ref().and_then(|judge| judge.entry(&queued.task.id).map(|entry| (judge, entry)));
        if let Some((judge, entry)) = entry {
            for stop in judge.next(entry).stops {
                if let Stop::NoReviewer { phase, .. } = &stop {
                    waits.push((phase.clone(), judge.why_stopped(entry, &stop), Approvable::No));
                }
            }
        }
        if waits.is_empty() {
            continue;
        }
        let steps = steps(project, queued)?;
        for (phase, why, approvable) in waits {
            items.push(item(queued, checkpoint, &steps, phase, why, approvable));
        }
    }
    Ok(ReviewView { items })
}

/// A task that waits for a word on what it may cost.
fn money_item(judge: &Foreman, queued: &Queued) -> Option<ReviewItem> {
    let entry = judge.entry(&queued.task.id)?;
    let (why, usd) = judge.held_for_money(entry)?;
    let phase = judge.checkpoint(entry).current()?.id.clone();
    let (id, title) = (queued.task.id.clone(), queued.task.title.clone());
    let mut item = ReviewItem::new(id, title, phase, why, Approvable::Money(usd), None);
    item.commit = queued.tip;
    Some(item)
}

fn item(
    queued: &Queued,
    checkpoint: &Checkpoint,
    steps: &[(CommitId, Record)],
    phase: PhaseId,
    why: String,
    approvable: Approvable,
) -> ReviewItem {
    let last = steps.iter().rev().find(|(_, record)| record.phase == phase);
    let (id, title) = (queued.task.id.clone(), queued.task.title.clone());
    let mut item = ReviewItem::new(id, title, phase.clone(), why, approvable, last.map(|(_, record)| record));
    item.commit = last.map(|(commit, _)| *commit).or(queued.tip);
    if item.summary.is_empty() {
        item.summary = checkpoint.phase(&phase).map(|phase| phase.summary.clone()).unwrap_or_default();
    }
    item
}

/// The prompt that a phase of a task would be sent now.
///
/// # Errors
/// When there is no such task, or no agent plays that phase.
pub fn prompt(project: &Project, name: &str, phase: &PhaseId) -> Result<crate::context::Prompt, RunError> {
    let queue = queue::load(project)?;
    let queued = queue::find(&queue, name)?;
    let foreman = bystander(project, &queue, Known::All).ok_or(RunError::NotInitialised)?;
    super::brief::show(project, &foreman, queued, phase)
}

/// All that the agent of a step printed; without a number, of the last step that an agent made.
///
/// # Errors
/// [`RunError::Preflight`] if no transcript of that step is kept on this machine.
pub fn transcript(project: &Project, name: &str, step: Option<u32>) -> Result<Vec<u8>, RunError> {
    let queue = queue::load(project)?;
    let id = &queue::find(&queue, name)?.task.id;
    let missing = || RunError::Preflight {
        what: match step {
            Some(step) => format!("no transcript of step {step} of '{id}' is kept here"),
            None => format!("no transcript of '{id}' is kept here"),
        },
        hint: Some(format!("git orchestrate log {id}")),
    };
    let commit = project.repository.reference(&layout::transcript_ref(id))?.ok_or_else(missing)?;
    let entries = project.repository.list(commit, "")?;
    let prefix = step.map(layout::step_prefix).unwrap_or_default();
    let entry = entries.iter().rev().find(|entry| entry.name.starts_with(&prefix)).ok_or_else(missing)?;
    Ok(project.repository.blob(BlobId(entry.id))?)
}
