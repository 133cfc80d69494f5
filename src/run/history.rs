//! Reads what was tried from the branches of tasks, and of those that have landed from the merges that landed them.
//! Knows nothing of what follows from it; `route` judges and chooses.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{
    Project, RunError,
    commit::step_commit,
    history_file::{HistoryFile, Landings, Told},
    queue::{self, Queued},
};
use crate::{
    git::GitError,
    handoff::{checkpoints, layout, records},
    model::{
        checkpoint::{Checkpoint, TaskState},
        object::{BlobId, CommitId},
        record::Record,
        task::TaskId,
    },
    plan::foretold::Came,
    route::{hindsight, history::History},
};

/// Commits of a branch's line that are looked at for landings, the newest first; older ones tell little of today's models.
const LANDING_COMMITS_MAX: usize = 50_000;

/// All that was tried in this repository. What was read once is kept below our own directory, by commit, so that a later
/// look reads only what is new. A branch that cannot be read is passed over: history is advice.
///
/// # Errors
/// When the refs cannot be read.
pub fn read(project: &Project) -> Result<History, RunError> {
    Ok(History::new(told(project)?.into_iter().flat_map(|told| told.trials)))
}

/// As [`read`], where the queue was read just before: the branches stand as it says.
///
/// # Errors
/// When the refs cannot be read.
pub fn read_beside(project: &Project, queue: &[Queued]) -> Result<History, RunError> {
    let tips = queue.iter().filter_map(|queued| Some((queued.task.id.clone(), queued.tip?))).collect();
    Ok(History::new(told_of(project, tips)?.into_iter().flat_map(|told| told.trials)))
}

/// The same, task by task, with what each changed beside what it claimed.
///
/// # Errors
/// When the refs cannot be read.
pub fn told(project: &Project) -> Result<Vec<Told>, RunError> {
    told_of(project, queue::tips(project)?)
}

fn told_of(project: &Project, branches: BTreeMap<TaskId, CommitId>) -> Result<Vec<Told>, RunError> {
    let mut file = HistoryFile::load(&project.local.cache());
    let landings = landings(project, &file.scanned())?;
    file.scan(landings);
    let tips = tips(project, branches, file.landed())?;
    let new: Vec<(TaskId, CommitId)> =
        tips.iter().filter(|(_, tip)| !file.knows(*tip)).map(|(task, tip)| (task.clone(), *tip)).collect();
    let read: Vec<(CommitId, Told)> = new
        .into_par_iter()
        .map(|(task, tip)| {
            let told = of_tip(project, &task, tip).unwrap_or_else(|error| {
                tracing::debug!(%error, %task, "its history cannot be read");
                None
            });
            (tip, told.unwrap_or_default())
        })
        .collect();
    for (tip, told) in read {
        file.learn(tip, told);
    }
    let wanted: BTreeSet<CommitId> = tips.into_iter().map(|(_, tip)| tip).collect();
    file.save(&wanted);
    Ok(file.into_told(&wanted))
}

/// The last step of every task: where its branch stands, here or as a remote has it, and where it stood when it landed.
fn tips(
    project: &Project,
    mut branches: BTreeMap<TaskId, CommitId>,
    landed: &[(TaskId, CommitId)],
) -> Result<Vec<(TaskId, CommitId)>, RunError> {
    let repository = &project.repository;
    for (name, commit) in repository.references("refs/remotes/")? {
        let branch = name.strip_prefix("refs/remotes/").and_then(|name| name.split_once('/')).map(|(_, branch)| branch);
        let full = format!("refs/heads/{}", branch.unwrap_or_default());
        if let Some(id) = full.strip_prefix(layout::TASK_REFS).and_then(|id| id.parse::<TaskId>().ok()) {
            branches.entry(id).or_insert(commit);
        }
    }
    let mut tips: Vec<(TaskId, CommitId)> = branches.iter().map(|(id, tip)| (id.clone(), *tip)).collect();
    for (id, tip) in landed {
        let is_told = match branches.get(id) {
            Some(branch) => branch == tip || repository.is_ancestor(*tip, *branch).unwrap_or(true),
            None => false,
        };
        if !is_told {
            tips.push((id.clone(), *tip));
        }
    }
    Ok(tips)
}

/// The last step of each task that landed on the integration branch or on HEAD; of one that landed twice, the later.
///
/// # Errors
/// When the history cannot be read.
pub fn landed(project: &Project) -> Result<BTreeMap<TaskId, CommitId>, RunError> {
    let mut landed = BTreeMap::new();
    for (id, tip) in landings(project, &BTreeSet::new())?.landed {
        landed.entry(id).or_insert(tip);
    }
    Ok(landed)
}

/// What landed on the integration branch and on HEAD, down to where it was looked before.
fn landings(project: &Project, scanned: &BTreeSet<CommitId>) -> Result<Landings, RunError> {
    let repository = &project.repository;
    let mut found = Landings::default();
    let mut open: Vec<CommitId> = repository.head()?.commit.into_iter().collect();
    open.extend(repository.reference(&project.integration_branch())?);
    open.retain(|commit| !scanned.contains(commit));
    found.scanned.clone_from(&open);
    let mut seen = BTreeSet::new();
    while let Some(from) = open.pop() {
        let mut next = Some(from);
        while let Some(commit) = next.filter(|commit| !scanned.contains(commit) && seen.len() < LANDING_COMMITS_MAX) {
            if !seen.insert(commit) {
                break;
            }
            let parents = match repository.parents(commit) {
                // Where a clone's history was cut off.
                Err(GitError::NoObject { .. }) => break,
                parents => parents?,
            };
            if let [_, second] = parents.as_slice() {
                let message = repository.message(commit)?;
                match landed_task(&message) {
                    Some(task) => found.landed.push((task, *second)),
                    // The integration branch came to the user's by a merge: its own line is the second parent's.
                    None if message.starts_with("Merge branch '") => open.push(*second),
                    None => {}
                }
            }
            next = parents.first().copied();
        }
    }
    Ok(found)
}

fn landed_task(message: &str) -> Option<TaskId> {
    let (before, _) = message.split_once("\nOrchestrate-Step: land\n")?;
    before.lines().last()?.strip_prefix("Orchestrate-Task: ")?.parse().ok()
}

/// What is known of a task whose last step is that commit; none if it holds no steps.
fn of_tip(project: &Project, id: &TaskId, tip: CommitId) -> Result<Option<Told>, RunError> {
    let repository = &project.repository;
    let bad = |why: String| RunError::BadCheckpoint { branch: layout::task_ref(id), why };
    let path = layout::checkpoint(id);
    let Some(text) = repository.read(tip, &path)? else { return Ok(None) };
    let checkpoint = checkpoints::from_toml(&String::from_utf8_lossy(&text), &path).map_err(|p| bad(p.to_string()))?;
    let (task, _) = queue::from_branch(project, id, tip)?;
    let steps = repository.list(tip, &layout::steps(id))?;
    let records: Result<Vec<Record>, RunError> = steps
        .iter()
        .map(|entry| {
            let text = repository.blob(BlobId(entry.id))?;
            records::from_json(&String::from_utf8_lossy(&text), &entry.name).map_err(|p| bad(p.to_string()))
        })
        .collect();
    let mut records = records?;
    records.sort_by_key(|record| record.seq);
    let is_finished = checkpoint.state() == TaskState::Finished;
    // Where a clone's history is cut off it cannot be told.
    let changed = if is_finished { changed(project, &checkpoint, tip).ok() } else { None };
    let came = changed.map(|changed| Came::new(&task, checkpoint.plan.as_ref(), changed));
    Ok(Some(Told { trials: hindsight::trials(&task, &checkpoint, &records), came }))
}

/// The files that a task changed, all in all.
fn changed(project: &Project, checkpoint: &Checkpoint, tip: CommitId) -> Result<Vec<String>, RunError> {
    let repository = &project.repository;
    let good = step_commit(repository, checkpoint, Some(tip), checkpoint.good)?;
    let (base, good) = (repository.code_tree(checkpoint.base)?, repository.code_tree(good)?);
    Ok(repository.changed_paths(base, good)?.into_iter().map(|change| change.path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_landing_names_its_task() {
        let task = |message: &str| landed_task(message).map(|id| id.to_string());
        let whole = "api: land Serve it\n\nOrchestrate-Task: api\nOrchestrate-Step: land\nOrchestrate-Outcome: done\n";
        assert_eq!(task(whole).as_deref(), Some("api"));
        assert_eq!(task("Merge branch 'x'\n"), None);
        assert_eq!(task("api: implement\n\nOrchestrate-Task: api\nOrchestrate-Step: 3 implement\n"), None);
    }
}
