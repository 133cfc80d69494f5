//! What a person decides about a held phase, and requests to a run that is at work.
//! Knows nothing of how the person was asked.

use std::{collections::BTreeMap, fs, io, sync::Mutex};

use super::{
    Project, RunError,
    commit::{Committed, Step, commit_with, step_commit},
    foreman::{self, Job},
    preflight,
    queue::{self, Queued},
    workshop::Brief,
};
use crate::{
    config::settings::Durability,
    handoff::layout::LocalDir,
    model::{
        checkpoint::{Checkpoint, TaskState},
        machine::State,
        money::Money,
        next::{What, Work},
        object::CommitId,
        record::{Actor, Decision, Record},
        task::TaskId,
        workflow::PhaseId,
    },
    sys::{
        clock,
        file::{self, Sync},
        lock,
        signal::StopLevel,
    },
};

/// The file below the requests directory that asks a run to stop.
const STOP_FILE: &str = "stop";
/// Bytes of it that are read.
const STOP_BYTES_MAX: usize = 64;

/// The phases of a task that wait for a person.
pub fn held(checkpoint: &Checkpoint) -> Vec<PhaseId> {
    let held = checkpoint.phases.iter().filter(|phase| phase.state == State::Held);
    held.map(|phase| phase.id.clone()).collect()
}

/// The phase that a decision is about: the one that was named, or the only one that waits.
///
/// # Errors
/// [`RunError::NotHeld`] if none waits, [`RunError::WhichPhase`] if several do.
pub fn phase(queued: &Queued, named: Option<&PhaseId>, decision: &Decision) -> Result<PhaseId, RunError> {
    let id = &queued.task.id;
    let checkpoint = queued.checkpoint.as_ref().ok_or_else(|| RunError::NotHeld(id.clone()))?;
    let held = held(checkpoint);
    match (named, held.as_slice()) {
        (Some(named), _) if held.contains(named) => Ok(named.clone()),
        // What nobody may review, say, is not held by a step; it can be passed over all the same.
        (Some(named), _) if *decision == Decision::Skip && checkpoint.phase(named).is_some() => Ok(named.clone()),
        (None, [only]) => Ok(only.clone()),
        // Giving up does not need a phase that waits, only one to write it down for.
        (None, _) if matches!(decision, Decision::Abort { .. }) && queued.state() != TaskState::Landed => {
            checkpoint.current().map(|phase| phase.id.clone()).ok_or_else(|| RunError::NotHeld(id.clone()))
        }
        (Some(_), _) | (None, []) => Err(RunError::NotHeld(id.clone())),
        (None, _) => Err(RunError::WhichPhase { task: id.clone(), phases: held }),
    }
}

/// Writes a person's decision down as a step. A run that is at work is not disturbed: it holds the task no more than
/// the person does, and sees the step when it starts again; to be sure of that the lock is taken.
///
/// # Errors
/// [`RunError::HeldBy`] while a run is at work; else when the decision does not fit or cannot be written.
pub fn decide(
    project: &Project,
    queued: &Queued,
    named: Option<&PhaseId>,
    decision: Decision,
) -> Result<Committed, RunError> {
    let lease = lock::acquire(&project.local.lock(), "review")?;
    crate::sys::crash_point::reach("decision.locked");
    let phase = phase(queued, named, &decision)?;
    let (Some(checkpoint), Some(tip)) = (&queued.checkpoint, queued.tip) else {
        return Err(RunError::NotHeld(queued.task.id.clone()));
    };
    write_down(project, &Decided { queued, checkpoint, tip: Some(tip), phase, decision, briefs: None }, &lease)
}

/// Lets a task cost that much in all, as a step. A task that has not begun begins with it.
///
/// # Errors
/// [`RunError::HeldBy`] while a run is at work; else when it cannot be written.
pub fn allow(project: &Project, queue: &[Queued], queued: &Queued, usd: Money) -> Result<Committed, RunError> {
    let lease = lock::acquire(&project.local.lock(), "review")?;
    let not_held = || RunError::NotHeld(queued.task.id.clone());
    let decision = Decision::Allow { usd };
    if let (Some(checkpoint), Some(tip)) = (&queued.checkpoint, queued.tip) {
        let phase = checkpoint.current().map(|phase| phase.id.clone()).ok_or_else(not_held)?;
        let decided = Decided { queued, checkpoint, tip: Some(tip), phase, decision, briefs: None };
        return write_down(project, &decided, &lease);
    }
    let workflow = queue::workflow(project, &queued.task, None)?;
    let base = preflight::integration(project, &mut Vec::new())?;
    let briefs = Mutex::new(preflight::brief(project, queue, &queued.task.id, &workflow));
    let checkpoint = &Checkpoint::begin(&queued.task, workflow, base, foreman::bounds(&project.settings));
    let phase = checkpoint.current().map(|phase| phase.id.clone()).ok_or_else(not_held)?;
    write_down(project, &Decided { queued, checkpoint, tip: None, phase, decision, briefs: Some(&briefs) }, &lease)
}

/// What a person decided, about which state of a task.
struct Decided<'a> {
    queued: &'a Queued,
    checkpoint: &'a Checkpoint,
    tip: Option<CommitId>,
    phase: PhaseId,
    decision: Decision,
    /// What the first commit of a task carries.
    briefs: Option<&'a Mutex<BTreeMap<TaskId, Brief>>>,
}

fn write_down(project: &Project, decided: &Decided, _lease: &lock::Lease) -> Result<Committed, RunError> {
    let Decided { queued, checkpoint, tip, phase, decision, briefs } = decided;
    let identity = project.repository.identity()?;
    let signer = preflight::signer(&project.repository, project.settings.commits.key)?;
    let from = step_commit(&project.repository, checkpoint, *tip, checkpoint.good)?;
    let draft = project.repository.draft();
    let code = project.repository.code_tree(from)?;
    let feedback = match decision {
        Decision::Retry { feedback } => feedback.clone(),
        Decision::Approve | Decision::Skip | Decision::Allow { .. } | Decision::Abort { .. } => String::new(),
    };
    let record = Record {
        attempt: checkpoint.phase(phase).map_or(1, |phase| phase.attempts),
        reason: feedback.clone(),
        decision: Some(decision.clone()),
        feedback,
        ..Record::begin(
            queued.task.id.clone(),
            phase.clone(),
            Actor::Person { identity: format!("{} <{}>", identity.name, identity.email) },
            from,
            code,
            clock::now_rfc3339(),
        )
    };
    let job = Job {
        slot: 0,
        task: std::sync::Arc::new(queued.task.clone()),
        checkpoint: (*checkpoint).clone(),
        tip: *tip,
        work: Work { phase: phase.clone(), what: What::Land, from: checkpoint.good, attempt: 0 },
        agent: None,
        chosen: String::new(),
        grant: None,
        onto: None,
    };
    let step = Step { job: &job, from, code, record, transcript: None };
    commit_with(
        &super::commit::Desk {
            repository: &project.repository,
            identity: &identity,
            signer: &signer,
            author: project.settings.commits.author,
            durability: Durability::Full,
            secrets: &project.secrets,
            briefs: *briefs,
        },
        draft,
        step,
    )
}

/// Asks the run that is at work to stop.
///
/// # Errors
/// [`RunError::NoRun`] if none is.
pub fn request_stop(project: &Project, level: StopLevel) -> Result<lock::Holder, RunError> {
    let path = project.local.lock();
    let holder = lock::holder(&path).map_err(RunError::Lock)?.ok_or(RunError::NoRun)?;
    let directory = project.local.requests();
    let file = directory.join(STOP_FILE);
    // With its number: the request is for this run, not for one after it.
    let word = if level == StopLevel::Now { "now" } else { "finish" };
    let line = format!("{word} {}\n", holder.pid);
    fs::create_dir_all(&directory)
        .and_then(|()| file::write_atomic(&file, line.as_bytes(), Sync::No))
        .map_err(|source| RunError::File { path: file.clone(), what: "cannot be written", source })?;
    Ok(holder)
}

/// What `stop` asked of this process in this local directory.
pub fn stop_request(local: &LocalDir) -> Option<StopLevel> {
    let path = local.requests().join(STOP_FILE);
    match file::read_limited(&path, STOP_BYTES_MAX) {
        Ok(bytes) => match String::from_utf8_lossy(&bytes).trim_end().split_once(' ') {
            Some((word, pid)) if pid == std::process::id().to_string() => {
                Some(if word == "now" { StopLevel::Now } else { StopLevel::Finish })
            }
            Some(_) | None => None,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(%error, "the request to stop cannot be read");
            None
        }
    }
}
