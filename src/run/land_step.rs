//! Lands a batch of finished tasks and writes down, on their branches, why those that did not land are done again.
//! Knows nothing of the order in which tasks are taken.

use std::time::Instant;

use super::{
    RunError,
    commit::{Step, commit, step_commit},
    foreman::{Happened, Job, Landing, LandingEnded, Preparation, Redone},
    gate_step::{self, Asking},
    workshop::Workshop,
};
use crate::{
    config::settings::Settings,
    gate::Answer,
    git::Repository,
    land::{
        LandError,
        batch::{self, Candidate, Fate},
    },
    model::{
        checkpoint::Checkpoint,
        next::{What, Work},
        object::{CommitId, TreeId},
        record::{Actor, GateVerdict, Outcome, Record},
        task::TaskId,
        workflow::PhaseId,
    },
    sys::{clock, process::Label},
    text,
};

/// Bytes of a task's own changes that are told back to it after a conflict.
const CONFLICT_DIFF_BYTES_MAX: usize = 24 << 10;
/// The profile that merged trees must pass where nothing else is said.
const PROFILE_DEFAULT: &str = "full";

/// Lands what can be landed, telling each thing that happens. Returns what came of those that did not land. One that
/// conflicts in the files of one of the `redone` is left: what it is brought onto would be outdated before it is done.
///
/// # Errors
/// When the landing itself failed; what was told before has happened.
pub fn make(
    shop: &Workshop,
    batch: Vec<Landing>,
    mut redone: Redone,
    send: &mut dyn FnMut(Happened),
) -> Result<LandingEnded, RunError> {
    let (started, clock) = (clock::now_rfc3339(), Instant::now());
    let repository = &shop.project.repository;
    let mut groups: Vec<(String, Vec<&Landing>)> = Vec::new();
    for landing in &batch {
        let profile = profile(&shop.project.settings, &landing.checkpoint);
        match groups.iter_mut().find(|(known, _)| *known == profile) {
            Some((_, group)) => group.push(landing),
            None => groups.push((profile, vec![landing])),
        }
    }
    let mut ended = LandingEnded::default();
    for (profile, group) in groups {
        let candidates: Result<Vec<Candidate>, RunError> =
            group.iter().map(|landing| candidate(repository, landing)).collect();
        let fates = {
            let definition = |verdict: &GateVerdict| gate_step::definition(shop, verdict);
            let mut judge = |tree, checkout| judge(shop, &profile, tree, checkout);
            let mut landed = |tasks: &[TaskId], tip: CommitId| send(Happened::Landed { tasks: tasks.to_vec(), tip });
            let mut landing = batch::Landing {
                repository,
                branch: &shop.project.integration_branch(),
                identity: &shop.identity,
                signer: &shop.signer,
                durability: shop.project.settings.commits.durability,
                judge: &mut judge,
                definition: &definition,
                config: &shop.project.config_text,
                landed: &mut landed,
            };
            match batch::land(&mut landing, candidates?) {
                Ok(fates) => fates,
                Err(LandError::Cancelled) => {
                    ended.left.extend(group.iter().map(|landing| landing.task.id.clone()));
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
        };
        for (task, fate) in fates {
            let Some(landing) = group.iter().find(|landing| landing.task.id == task) else { continue };
            match fate {
                Fate::Landed(_) => drop(redone.remove(&task)),
                Fate::Infra(why) => {
                    ended.problem = Some(format!("{task} cannot be judged for landing: {why}"));
                    ended.left.push(task);
                }
                Fate::Conflict { paths, onto, tree } => {
                    let is_same = |theirs: &[String]| theirs.iter().any(|path| paths.contains(path));
                    if let Some((first, _)) = redone.iter().find(|(other, at)| **other != task && is_same(at)) {
                        ended.behind.insert(task.clone(), first.clone());
                        ended.left.push(task);
                        continue;
                    }
                    let refusal = conflict(shop, landing, &paths, onto, tree)?;
                    send(write_down(shop, landing, refusal, &started, clock)?);
                    redone.insert(task.clone(), paths.clone());
                    ended.sent_back.insert(task, paths);
                }
                Fate::Red { verdict, onto, tree } => {
                    let refusal = Refusal {
                        reason: format!("red when merged: {}", batch::gate_reason(&verdict)),
                        feedback: format!(
                            "Alone the change passed its gate; merged with what has landed since, it does not.\n\n{}",
                            gate_step::feedback(shop, &verdict)?
                        ),
                        onto,
                        tree,
                        verdict: Some(*verdict),
                    };
                    send(write_down(shop, landing, refusal, &started, clock)?);
                }
            }
        }
    }
    Ok(ended)
}

fn candidate(repository: &Repository, landing: &Landing) -> Result<Candidate, RunError> {
    let checkpoint = &landing.checkpoint;
    Ok(Candidate {
        task: landing.task.id.clone(),
        title: landing.task.title.clone(),
        base: checkpoint.base,
        good: step_commit(repository, checkpoint, Some(landing.tip), checkpoint.good)?,
        tip: landing.tip,
    })
}

/// Has the gate judge what would be on the branch after the next landing, and remember it. Nothing moves.
///
/// # Errors
/// When it cannot be merged or judged.
pub fn prepare(shop: &Workshop, preparation: &Preparation) -> Result<(), RunError> {
    let repository = &shop.project.repository;
    let Some(first) = preparation.next.first() else { return Ok(()) };
    let profile = profile(&shop.project.settings, &first.checkpoint);
    let all = |landings: &[Landing]| landings.iter().map(|landing| candidate(repository, landing)).collect();
    let (on, next): (Result<Vec<_>, _>, Result<Vec<_>, _>) = (all(&preparation.on), all(&preparation.next));
    let mut judge = |tree, checkout| judge(shop, &profile, tree, checkout);
    Ok(batch::prepare(repository, &shop.project.integration_branch(), on?, next?, &mut judge)?)
}

/// The profile that a task's merged tree must pass: as configured, else that of its last gate phase.
pub fn profile(settings: &Settings, checkpoint: &Checkpoint) -> String {
    let of_task = || checkpoint.workflow.phases.iter().rev().find_map(|spec| spec.gate.clone());
    let configured = settings.landing.gate.clone();
    configured.or_else(of_task).unwrap_or_else(|| PROFILE_DEFAULT.to_owned())
}

/// The tip that a merged tree is put on: its checkout is made as the tip's child.
///
/// # Errors
/// When the commit is missing.
pub fn base_of(repository: &Repository, checkout: CommitId) -> Result<CommitId, RunError> {
    Ok(repository.parents(checkout)?.first().copied().unwrap_or(checkout))
}

fn judge(shop: &Workshop, profile: &str, tree: TreeId, checkout: CommitId) -> Result<GateVerdict, LandError> {
    let label = Label { slot: "landing".to_owned(), task: String::new(), phase: "land".to_owned() };
    match base_of(&shop.project.repository, checkout).and_then(|base| {
        gate_step::ask(shop, Asking { profile, tree, checkout, base, message: None, label, slot: None })
    }) {
        Ok(Answer::Verdict(verdict)) => Ok(*verdict),
        Ok(Answer::Cancelled) => Err(LandError::Cancelled),
        Err(RunError::Git(error)) => Err(error.into()),
        Err(error) => Err(LandError::Gate(error.to_string())),
    }
}

/// Why a task did not land, and where it goes on.
struct Refusal {
    reason: String,
    feedback: String,
    onto: CommitId,
    tree: TreeId,
    verdict: Option<GateVerdict>,
}

fn conflict(
    shop: &Workshop,
    landing: &Landing,
    paths: &[String],
    onto: CommitId,
    tree: TreeId,
) -> Result<Refusal, RunError> {
    let repository = &shop.project.repository;
    let checkpoint = &landing.checkpoint;
    let good = step_commit(repository, checkpoint, Some(landing.tip), checkpoint.good)?;
    let (base, own) = (repository.code_tree(checkpoint.base)?, repository.code_tree(good)?);
    let diff = repository.diff_text(base, own, CONFLICT_DIFF_BYTES_MAX)?;
    let list = paths.iter().map(|path| text::clean_line(path)).collect::<Vec<_>>().join(", ");
    Ok(Refusal {
        reason: format!("conflicts with what has landed: {list}"),
        feedback: format!(
            "Other tasks have landed since this one began, and the changes conflict in: {list}\n\
             The files now hold what has landed; of your change everything is still there except in the files that \
             conflict. Bring your change to those files again, on top of what they hold now, without undoing what has \
             landed.\n\nYour change was:\n\n{diff}"
        ),
        onto,
        tree,
        verdict: None,
    })
}

/// The step on the task's branch that says why it did not land.
fn write_down(
    shop: &Workshop,
    landing: &Landing,
    refusal: Refusal,
    started: &str,
    clock: Instant,
) -> Result<Happened, RunError> {
    let checkpoint = &landing.checkpoint;
    let phase = PhaseId::land();
    let attempt = checkpoint.phase(&phase).map_or(0, |phase| phase.attempts) + 1;
    let job = Job {
        slot: 0,
        task: landing.task.clone(),
        checkpoint: checkpoint.clone(),
        tip: Some(landing.tip),
        work: Work { phase: phase.clone(), what: What::Land, from: checkpoint.good, attempt },
        agent: None,
        chosen: String::new(),
        grant: None,
        onto: None,
    };
    let record = Record {
        attempt,
        duration_ms: clock.elapsed().as_millis() as u64,
        outcome: Outcome::Failed,
        reason: refusal.reason,
        definition: refusal.verdict.as_ref().and_then(|verdict| gate_step::definition(shop, verdict)),
        gate: refusal.verdict,
        new_base: Some(refusal.onto),
        feedback: refusal.feedback,
        ..Record::begin(landing.task.id.clone(), phase, Actor::Land, refusal.onto, refusal.tree, started.to_owned())
    };
    crate::sys::crash_point::reach("land.refused");
    let draft = shop.project.repository.draft();
    let step = Step { job: &job, from: refusal.onto, code: refusal.tree, record, transcript: None };
    let committed = commit(shop, draft, step)?;
    Ok(Happened::Committed {
        slot: None,
        checkpoint: Box::new(committed.checkpoint),
        tip: committed.tip,
        record: Box::new(committed.record),
    })
}
