//! Makes a step's commit: code, record and checkpoint in one signed commit, put onto the task's branch durably.
//! Knows nothing of how the step was done.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{
    RunError,
    foreman::Job,
    secrets::redact_record,
    workshop::{Brief, Workshop},
};
use crate::{
    config::settings::{AuthorName, Durability},
    git::{CommitDraft, Draft, Edit, Identity, OnConflict, PublishError, RefMove, Repository, Signer, When},
    handoff::{checkpoints, layout, message::message, records},
    model::{
        apply::apply,
        checkpoint::Checkpoint,
        next::What,
        object::{CommitId, Digest, TreeId},
        record::{Actor, Outcome, Record},
        task::TaskId,
        workflow::Access,
    },
    secrets::Scanner,
};

/// How often a step is put onto a branch that moves under it.
const TRIES_MAX: usize = 16;

/// A step that was done.
pub struct Step<'a> {
    /// What was to be done, on which state.
    pub job: &'a Job,
    /// The commit whose code it started from.
    pub from: CommitId,
    /// The code as it was left; in the draft or in the repository.
    pub code: TreeId,
    /// The record; `seq`, `code` and `checkpoint_before` are filled in here.
    pub record: Record,
    /// The agent's whole output.
    pub transcript: Option<Vec<u8>>,
}

/// A step that is on the disk.
pub struct Committed {
    /// The state after it.
    pub checkpoint: Checkpoint,
    /// Its commit.
    pub tip: CommitId,
    /// Its record.
    pub record: Record,
}

/// What it takes to commit a step.
pub struct Desk<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// Who commits.
    pub identity: &'a Identity,
    /// Whose key signs.
    pub signer: &'a Signer,
    /// Who is named as author of an agent's step.
    pub author: AuthorName,
    /// Whether it must survive power loss.
    pub durability: Durability,
    /// Knows what must not be written down.
    pub secrets: &'a Scanner,
    /// What first commits carry, if any may be made here.
    pub briefs: Option<&'a Mutex<BTreeMap<TaskId, Brief>>>,
}

/// Commits a worker's step; see [`commit_with`].
///
/// # Errors
/// As [`commit_with`].
pub fn commit(shop: &Workshop, draft: Draft, step: Step) -> Result<Committed, RunError> {
    let desk = Desk {
        repository: &shop.project.repository,
        identity: &shop.identity,
        signer: &shop.signer,
        author: shop.project.settings.commits.author,
        durability: shop.project.settings.commits.durability,
        secrets: &shop.project.secrets,
        briefs: Some(&shop.briefs),
    };
    commit_with(&desk, draft, step)
}

/// Commits a step onto its task's branch.
///
/// When another step of the same task was committed meanwhile (tracks that run side by side), the changes of both are
/// put together in memory; if they conflict, the step has failed and its author hears why.
///
/// # Errors
/// [`RunError`] when nothing was committed; what the agent did is then still in its worktree.
pub fn commit_with(desk: &Desk, mut draft: Draft, mut step: Step) -> Result<Committed, RunError> {
    redact_record(desk.secrets, &mut step.record);
    step.transcript = step.transcript.map(|transcript| desk.secrets.redact_bytes(&transcript).into_owned());
    let (mut checkpoint, mut tip) = (step.job.checkpoint.clone(), step.job.tip);
    for _ in 0..TRIES_MAX {
        let (code, record) = on_top_of(desk, &mut draft, &step, &checkpoint, tip)?;
        if wrote(&step) {
            // What worktrees check out after this step is made along with it.
            let base = step.job.onto.unwrap_or(checkpoint.base);
            draft.code_commit(step.code, base)?;
            draft.code_commit(code, base)?;
        }
        let made = write(desk, &mut draft, &checkpoint, tip, code, record)?;
        let branch = layout::task_ref(&checkpoint.task);
        let mut moves = vec![RefMove { name: branch.clone(), from: tip, to: made.tip, reason: reflog(&made.record) }];
        moves.extend(transcript(desk, &mut draft, &step, &made)?);
        crate::sys::crash_point::reach("commit.made");
        match desk.repository.publish(draft.objects(), moves, desk.durability) {
            Ok(()) => {
                forget_brief(desk, &checkpoint);
                return Ok(made);
            }
            Err(PublishError::Moved { name, .. }) if name == branch => {
                (checkpoint, tip) = reread(desk, &checkpoint)?;
            }
            // Refs move one after another: the transcripts were read before those of the step that is there already moved.
            Err(PublishError::Moved { name, .. }) if name == layout::transcript_ref(&checkpoint.task) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(RunError::Preflight {
        what: format!("branch '{}' is moved by somebody else all the time", layout::task_ref(&checkpoint.task)),
        hint: None,
    })
}

/// Whether the step's agent could change files.
fn wrote(step: &Step) -> bool {
    matches!(&step.job.work.what, What::Agent { access: Access::Write, .. })
}

/// The state that the branch has now.
fn reread(desk: &Desk, known: &Checkpoint) -> Result<(Checkpoint, Option<CommitId>), RunError> {
    let repository = desk.repository;
    let branch = layout::task_ref(&known.task);
    let gone = |why: &str| RunError::BadCheckpoint { branch: branch.clone(), why: why.to_owned() };
    let tip = repository.reference(&branch)?.ok_or_else(|| gone("it was deleted while a step was made"))?;
    let path = layout::checkpoint(&known.task);
    let bytes = repository.read(tip, &path)?.ok_or_else(|| gone("the checkpoint is not there"))?;
    let checkpoint = checkpoints::from_toml(&String::from_utf8_lossy(&bytes), &path)
        .map_err(|problem| gone(&problem.to_string()))?;
    if checkpoint.seq <= known.seq {
        return Err(gone("somebody else moved it back"));
    }
    Ok((checkpoint, Some(tip)))
}

/// The code that the commit carries, and the record that says so, on the state as it is now.
fn on_top_of(
    desk: &Desk,
    draft: &mut Draft,
    step: &Step,
    checkpoint: &Checkpoint,
    tip: Option<CommitId>,
) -> Result<(TreeId, Record), RunError> {
    let mut record = step.record.clone();
    if (checkpoint.good, checkpoint.base) == (step.job.checkpoint.good, step.job.checkpoint.base) {
        return Ok((step.code, record));
    }
    let good = step_commit(desk.repository, checkpoint, tip, checkpoint.good)?;
    let ours = draft.code_tree(good)?;
    if !wrote(step) || record.outcome != Outcome::Done {
        return Ok((if wrote(step) { step.code } else { ours }, record));
    }
    let base = draft.code_tree(step.from)?;
    let both = draft.merge_trees(base, ours, step.code, OnConflict::KeepOurs)?;
    if !both.conflicts.is_empty() {
        let paths: Vec<String> = both.conflicts.into_iter().map(|conflict| conflict.path).collect();
        record.outcome = Outcome::Failed;
        record.reason = format!("another phase changed the same lines meanwhile: {}", paths.join(", "));
        record.feedback.clone_from(&record.reason);
        return Ok((step.code, record));
    }
    Ok((both.tree, record))
}

fn write(
    desk: &Desk,
    draft: &mut Draft,
    before: &Checkpoint,
    tip: Option<CommitId>,
    code: TreeId,
    mut record: Record,
) -> Result<Committed, RunError> {
    record.seq = before.seq + 1;
    record.code = code;
    let file = layout::checkpoint(&before.task);
    let text_before = tip.map(|tip| desk.repository.read(tip, &file)).transpose()?.flatten();
    record.checkpoint_before = text_before.as_ref().map(Digest::of);
    let after = apply(before, &record)?;

    let parent = tip.unwrap_or(before.base);
    let mut edits = Vec::new();
    let root = draft.root_tree(parent)?;
    if let Some(handoff) = draft.tree_at(root, layout::DIR)? {
        edits.push(Edit::put_tree(layout::DIR, handoff));
    }
    let mut brief = brief(desk, before);
    if record.gate.is_some() {
        brief.extend(config(desk, before, parent)?);
    }
    for (path, bytes) in brief {
        let blob = draft.blob(&bytes)?;
        edits.push(Edit::put(&path, blob));
    }
    let text = match &text_before {
        // What a later version wrote there and this one does not know survives.
        Some(before) => checkpoints::rewrite(&String::from_utf8_lossy(before), &after),
        None => checkpoints::to_toml(&after),
    };
    let checkpoint = draft.blob(text.as_bytes())?;
    edits.push(Edit::put(&file, checkpoint));
    let evidence = draft.blob(records::to_json(&record).as_bytes())?;
    edits.push(Edit::put(&layout::step(&record.task, record.seq, &record.phase), evidence));
    let tree = draft.tree(Some(code), &edits)?;
    let commit = CommitDraft {
        tree,
        parents: vec![parent],
        author: author(desk, &record),
        committer: desk.identity.clone(),
        message: message(&record),
        time: When::now(),
    };
    let tip = draft.commit(commit, Some(desk.signer))?;
    Ok(Committed { checkpoint: after, tip, record })
}

/// The commit of a task's step `seq`; 0 is the base.
///
/// # Errors
/// When the branch is shorter than its checkpoint says.
pub fn step_commit(
    repository: &Repository,
    checkpoint: &Checkpoint,
    tip: Option<CommitId>,
    seq: u32,
) -> Result<CommitId, RunError> {
    let (Some(mut at), true) = (tip, seq > 0) else { return Ok(checkpoint.base) };
    for _ in seq..checkpoint.seq {
        at = repository.parents(at)?.first().copied().ok_or_else(|| RunError::BadCheckpoint {
            branch: layout::task_ref(&checkpoint.task),
            why: format!("it has no step {seq}"),
        })?;
    }
    Ok(at)
}

fn author(desk: &Desk, record: &Record) -> Identity {
    match (&record.actor, desk.author) {
        (Actor::Agent { name, .. }, AuthorName::Agent) => {
            Identity { name: name.clone(), email: format!("{name}@git-orchestrate.invalid") }
        }
        (_, AuthorName::User | AuthorName::Agent) => desk.identity.clone(),
    }
}

fn reflog(record: &Record) -> String {
    format!("orchestrate: step {} {} {}", record.seq, record.phase, record.outcome)
}

fn brief(desk: &Desk, before: &Checkpoint) -> Vec<(String, Vec<u8>)> {
    let Some(briefs) = desk.briefs else { return Vec::new() };
    let briefs = briefs.lock().unwrap_or_else(PoisonError::into_inner);
    let brief = briefs.get(&before.task).filter(|brief| before.seq == 0 || brief.renewed);
    brief.map(|brief| brief.files.clone()).unwrap_or_default()
}

/// The configuration, if the branch has another: whoever reads the verdict must find there what it was given by.
fn config(desk: &Desk, before: &Checkpoint, parent: CommitId) -> Result<Option<(String, Vec<u8>)>, RunError> {
    let Some(briefs) = desk.briefs else { return Ok(None) };
    let own = {
        let briefs = briefs.lock().unwrap_or_else(PoisonError::into_inner);
        briefs.get(&before.task).map(|brief| brief.config.clone())
    };
    let Some(own) = own.filter(|own| !own.is_empty()) else { return Ok(None) };
    let there = desk.repository.read(parent, layout::CONFIG)?;
    Ok((there.as_deref() != Some(own.as_slice())).then(|| (layout::CONFIG.to_owned(), own)))
}

fn forget_brief(desk: &Desk, before: &Checkpoint) {
    let Some(briefs) = desk.briefs else { return };
    let mut briefs = briefs.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(brief) = briefs.get_mut(&before.task) {
        brief.renewed = false;
    }
}

/// The agent's whole output goes to a ref of its own that is never pushed by us.
fn transcript(desk: &Desk, draft: &mut Draft, step: &Step, made: &Committed) -> Result<Option<RefMove>, RunError> {
    let Some(transcript) = step.transcript.as_ref().filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
    let name = layout::transcript_ref(&made.record.task);
    let before = desk.repository.reference(&name)?;
    let tree = before.map(|commit| desk.repository.root_tree(commit)).transpose()?;
    let blob = draft.blob(transcript)?;
    let file = layout::transcript_file(made.record.seq, &made.record.phase);
    let tree = draft.tree(tree, &[Edit::put(&file, blob)])?;
    let commit = CommitDraft {
        tree,
        parents: before.into_iter().collect(),
        author: desk.identity.clone(),
        committer: desk.identity.clone(),
        message: format!("{}: transcript of step {}\n", made.record.task, made.record.seq),
        time: When::now(),
    };
    let to = draft.commit(commit, None)?;
    Ok(Some(RefMove { name, from: before, to, reason: reflog(&made.record) }))
}
