//! Puts a batch of finished tasks onto the integration branch: merged in memory, gated as merged, then the branch moves.
//! Knows nothing of agents, worktrees or the loop: the gate is asked through a closure, a task that does not land is
//! handed back with the reason.

use crate::{
    config::settings::Durability,
    git::{
        CommitDraft, Draft, Edit, GitError, Identity, Objects, OnConflict, PublishError, RefMove, Repository, Signer,
        When,
    },
    handoff::{landings, layout},
    land::LandError,
    model::{
        landing::{self as record, LANDING_SCHEMA},
        object::{BlobId, CommitId, TreeId},
        record::{CheckResult, GateVerdict},
        task::TaskId,
    },
};

/// A finished task.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name.
    pub task: TaskId,
    /// One line for the merge commit.
    pub title: String,
    /// The commit its changes are made on.
    pub base: CommitId,
    /// The step whose code counts.
    pub good: CommitId,
    /// Its last step.
    pub tip: CommitId,
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It is on the branch, by this merge commit.
    Landed(CommitId),
    /// Its changes and the branch's cannot be put together.
    Conflict {
        /// The files.
        paths: Vec<String>,
        /// The branch's tip it was tried on.
        onto: CommitId,
        /// Both together, the branch's side where they conflict.
        tree: TreeId,
    },
    /// The gate refuses it as merged.
    Red {
        /// What the gate said.
        verdict: Box<GateVerdict>,
        /// The branch's tip it was tried on.
        onto: CommitId,
        /// The merged tree.
        tree: TreeId,
    },
    /// The gate could not judge: it is tried again later.
    Infra(String),
}

/// Where and how to land.
pub struct Landing<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The full name of the integration branch.
    pub branch: &'a str,
    /// Who commits.
    pub identity: &'a Identity,
    /// Whose key signs.
    pub signer: &'a Signer,
    /// Whether it must survive power loss.
    pub durability: Durability,
    /// Judges a code tree that is in the repository, given also as a commit that a slot can check out.
    pub judge: &'a mut dyn FnMut(TreeId, CommitId) -> Result<GateVerdict, LandError>,
    /// The text of the definition by which a verdict was given.
    pub definition: &'a dyn Fn(&GateVerdict) -> Option<String>,
    /// The text of the configuration that the gate is read from.
    pub config: &'a str,
    /// Told each time that the branch moved: the tasks that did it, and the new tip.
    pub landed: &'a mut dyn FnMut(&[TaskId], CommitId),
}

/// A candidate put onto the tip in memory.
struct Merged {
    candidate: Candidate,
    tree: TreeId,
}

/// Lands what can be landed of `candidates`, in their order, and says what became of each.
///
/// A batch that the gate refuses is halved until the task that breaks it stands alone.
///
/// # Errors
/// [`LandError`] when the landing itself fails; whatever was told through `landed` before has landed.
pub fn land(landing: &mut Landing, candidates: Vec<Candidate>) -> Result<Vec<(TaskId, Fate)>, LandError> {
    let mut fates = Vec::new();
    let mut batches = vec![candidates];
    while let Some(batch) = batches.pop() {
        if batch.is_empty() {
            continue;
        }
        let tip = landing
            .repository
            .reference(landing.branch)?
            .ok_or_else(|| LandError::NothingThere(landing.branch.to_owned()))?;
        let mut draft = landing.repository.draft();
        let known = fates.len();
        let under = draft.code_tree(tip)?;
        let (merged, later) = merge(&mut draft, tip, under, batch, &mut fates)?;
        if !later.is_empty() {
            batches.push(later);
        }
        let Some(last) = merged.last() else {
            // The trees that the conflicts are redone on must be there.
            keep(landing, draft.objects(), landing.durability)?;
            continue;
        };
        let (tree, alone) = (last.tree, merged.len() == 1);
        let candidate_commit = draft.code_commit(tree, tip)?;
        let objects = draft.objects();
        // The gate has to see them; they are put on the disk for good together with what lands.
        let for_now = if fates.len() > known { landing.durability } else { Durability::Os };
        keep(landing, objects.clone(), for_now)?;
        crate::sys::crash_point::reach("land.merged");
        let verdict = unswept(landing.repository, &objects, || (landing.judge)(tree, candidate_commit))?;
        crate::sys::crash_point::reach("land.judged");
        match verdict.result {
            CheckResult::Pass => match unswept(landing.repository, &objects, || {
                publish(landing, tip, &merged, &verdict, objects.clone()).map_err(LandError::Git)
            }) {
                Ok(commits) => {
                    let tasks: Vec<TaskId> = merged.iter().map(|merged| merged.candidate.task.clone()).collect();
                    if let Some(tip) = commits.last() {
                        crate::sys::crash_point::reach("land.published");
                        (landing.landed)(&tasks, *tip);
                    }
                    fates.extend(tasks.into_iter().zip(commits.into_iter().map(Fate::Landed)));
                }
                // Somebody moved the branch meanwhile: what was tested is not what would land. Once more, on the new tip.
                Err(LandError::Git(GitError::Publish(PublishError::Moved { .. }))) => {
                    batches.push(merged.into_iter().map(|m| m.candidate).collect())
                }
                Err(error) => return Err(error),
            },
            CheckResult::Infra => {
                let why = gate_reason(&verdict);
                fates.extend(merged.into_iter().map(|m| (m.candidate.task, Fate::Infra(why.clone()))));
            }
            CheckResult::Fail if alone => {
                keep(landing, objects, landing.durability)?;
                fates.extend(merged.into_iter().map(|merged| {
                    let verdict = Box::new(verdict.clone());
                    (merged.candidate.task, Fate::Red { verdict, onto: tip, tree: merged.tree })
                }));
            }
            CheckResult::Fail => {
                let mut first: Vec<Candidate> = merged.into_iter().map(|merged| merged.candidate).collect();
                let second = first.split_off(first.len().div_ceil(2));
                batches.push(second);
                batches.push(first);
            }
        }
    }
    Ok(fates)
}

/// Has what would be on the branch judged if `on`, which is being judged, and then `next` landed; the gate remembers what it says.
/// Nothing moves, and nothing is judged where they cannot all be put together.
///
/// # Errors
/// [`LandError`] when they cannot be merged or judged at all.
pub fn prepare(
    repository: &Repository,
    branch: &str,
    on: Vec<Candidate>,
    next: Vec<Candidate>,
    judge: &mut dyn FnMut(TreeId, CommitId) -> Result<GateVerdict, LandError>,
) -> Result<(), LandError> {
    let tip = repository.reference(branch)?.ok_or_else(|| LandError::NothingThere(branch.to_owned()))?;
    let (mut draft, mut fates) = (repository.draft(), Vec::new());
    let mut under = (draft.code_tree(tip)?, tip);
    for batch in [on, next] {
        let (merged, later) = merge(&mut draft, tip, under.0, batch, &mut fates)?;
        let Some(last) = merged.last().filter(|_| later.is_empty() && fates.is_empty()) else { return Ok(()) };
        under = (last.tree, draft.code_commit(last.tree, under.1)?);
    }
    let objects = draft.objects();
    repository.publish(objects.clone(), Vec::new(), Durability::Os).map_err(GitError::from)?;
    unswept(repository, &objects, || judge(under.0, under.1)).map(|_| ())
}

/// Does something with objects that no ref needs yet, and again with the same where they were swept away.
///
/// # Errors
/// Those of `work`, and when the objects cannot be put there.
pub(super) fn unswept<T>(
    repository: &Repository,
    objects: &Objects,
    work: impl FnMut() -> Result<T, LandError>,
) -> Result<T, LandError> {
    repository.unswept(|| Ok(objects.clone()), LandError::git, work)
}

/// Puts the candidates one after another onto a tree of the tip. One that conflicts with the tip is left out, with its fate; one
/// that conflicts with those before it is left for later: whether they land is not known yet.
fn merge(
    draft: &mut Draft,
    tip: CommitId,
    mut tree: TreeId,
    batch: Vec<Candidate>,
    fates: &mut Vec<(TaskId, Fate)>,
) -> Result<(Vec<Merged>, Vec<Candidate>), LandError> {
    let mut later = Vec::new();
    let mut merged = Vec::new();
    for candidate in batch {
        let (base, theirs) = (draft.code_tree(candidate.base)?, draft.code_tree(candidate.good)?);
        let both = draft.merge_trees(base, tree, theirs, OnConflict::KeepOurs)?;
        if both.conflicts.is_empty() {
            tree = both.tree;
            merged.push(Merged { candidate, tree });
        } else if !merged.is_empty() {
            later.push(candidate);
        } else {
            let paths = both.conflicts.into_iter().map(|conflict| conflict.path).collect();
            fates.push((candidate.task, Fate::Conflict { paths, onto: tip, tree: both.tree }));
        }
    }
    Ok((merged, later))
}

/// Puts objects into the repository that no ref needs yet.
fn keep(landing: &Landing, objects: Objects, durability: Durability) -> Result<(), LandError> {
    Ok(landing.repository.publish(objects, Vec::new(), durability).map_err(GitError::from)?)
}

/// One signed merge commit a task, then the branch moves over all of them at once.
fn publish(
    landing: &mut Landing,
    tip: CommitId,
    merged: &[Merged],
    verdict: &GateVerdict,
    objects: Objects,
) -> Result<Vec<CommitId>, GitError> {
    let mut draft = landing.repository.draft();
    let root = draft.root_tree(tip)?;
    let mut handoff = draft.tree_at(root, layout::DIR)?;
    let mut commits = Vec::new();
    let mut parent = tip;
    let batch: Vec<TaskId> = merged.iter().map(|merged| merged.candidate.task.clone()).collect();
    for (at, Merged { candidate, tree }) in merged.iter().enumerate() {
        let path = layout::checkpoint(&candidate.task);
        let own = landing.repository.root_tree(candidate.tip)?;
        let checkpoint = landing.repository.entry(own, &path)?.map(|entry| BlobId(entry.id));
        let checkpoint =
            checkpoint.ok_or_else(|| GitError::NoObject { kind: "blob", name: format!("{}:{path}", candidate.tip) })?;
        let mut edits: Vec<Edit> = handoff.iter().map(|tree| Edit::put_tree(layout::DIR, *tree)).collect();
        edits.push(Edit::put(&path, checkpoint));
        let mut record = record::Landing {
            schema: LANDING_SCHEMA,
            task: Some(candidate.task.clone()),
            onto: parent,
            tip: candidate.tip,
            code: *tree,
            batch: batch.clone(),
            gate: None,
            definition: None,
            config: None,
        };
        if at + 1 == merged.len() {
            record.gate = Some(verdict.clone());
            record.definition = (landing.definition)(verdict);
            let known = |commit| landing.repository.read(commit, layout::CONFIG);
            let has = |text: Option<Vec<u8>>| text.is_some_and(|text| text == landing.config.as_bytes());
            let is_known = has(known(tip)?) || has(known(candidate.tip)?);
            record.config = (!is_known).then(|| landing.config.to_owned());
        }
        let record = draft.blob(landings::to_json(&record).as_bytes())?;
        edits.push(Edit::put(&layout::landing(&candidate.task), record));
        let root = draft.tree(Some(*tree), &edits)?;
        let commit = CommitDraft {
            tree: root,
            parents: vec![parent, candidate.tip],
            author: landing.identity.clone(),
            committer: landing.identity.clone(),
            message: message(candidate),
            time: When::now(),
        };
        parent = draft.commit(commit, Some(landing.signer))?;
        handoff = draft.tree_at(root, layout::DIR)?;
        commits.push(parent);
    }
    if let Some(last) = merged.last() {
        // The next tasks start here: what their worktrees check out is made along with it.
        draft.code_commit(last.tree, parent)?;
    }
    let name = landing.branch.to_owned();
    let tasks: Vec<&str> = merged.iter().map(|merged| merged.candidate.task.as_str()).collect();
    let reason = format!("orchestrate: land {}", tasks.join(", "));
    crate::sys::crash_point::reach("land.signed");
    landing.repository.publish(
        draft.objects().join(objects),
        vec![RefMove { name, from: Some(tip), to: parent, reason }],
        landing.durability,
    )?;
    Ok(commits)
}

fn message(candidate: &Candidate) -> String {
    format!(
        "{task}: land {title}\n\nOrchestrate-Task: {task}\nOrchestrate-Step: land\nOrchestrate-Outcome: done\n",
        task = candidate.task,
        title = crate::text::clean_line(&candidate.title),
    )
}

/// The reason of the first check that is not content.
pub fn gate_reason(verdict: &GateVerdict) -> String {
    let check = verdict.checks.iter().find(|check| check.result == verdict.result);
    check.map_or_else(|| verdict.result.to_string(), |check| format!("{}: {}", check.name, check.reason))
}
