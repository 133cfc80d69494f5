//! The queue as it stands: tasks from the checkout and from branches, each with its checkpoint.
//! Knows nothing of what runs now; that is in the files of `live`.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::Path,
    time::SystemTime,
};

use rayon::prelude::*;

use super::{
    Project, RunError,
    past::{Key, Look, Past},
    tips::Tips,
};
use crate::{
    git::RefMove,
    handoff::{
        checkpoints, layout,
        tasks::{self, Format},
        workflows,
    },
    model::{
        checkpoint::{Checkpoint, TaskState},
        object::{BlobId, CommitId},
        task::{Task, TaskId},
        workflow::Workflow,
    },
    sys::clock,
    text,
};

/// A task and how far it has come.
#[derive(Debug, Clone)]
pub struct Queued {
    /// The task, as the checkout has it, else as its branch has it.
    pub task: Task,
    /// Its file relative to the root, and the file's text.
    pub file: (String, String),
    /// Its state after its last step; none before the first.
    pub checkpoint: Option<Checkpoint>,
    /// The commit of its last step.
    pub tip: Option<CommitId>,
    /// Whether its result is on the integration branch or on HEAD.
    pub landed: bool,
}

impl Queued {
    /// How far it has come, as far as its own steps tell.
    pub fn state(&self) -> TaskState {
        match &self.checkpoint {
            _ if self.landed => TaskState::Landed,
            Some(checkpoint) => checkpoint.state(),
            None => TaskState::New,
        }
    }
}

/// Every task, in the order of names.
///
/// # Errors
/// All mistakes in task files at once, as [`RunError::Problems`]; [`RunError::BadCheckpoint`] for a branch of ours that
/// somebody wrote to.
pub fn load(project: &Project) -> Result<Vec<Queued>, RunError> {
    gather(project, || None)
}

/// As [`load`], but what has landed is not read again if it was seen before: of such a task there is only what views and
/// graphs ask for, see [`Remembered`](super::past::Remembered), and no text of its file.
///
/// # Errors
/// As [`load`].
pub fn glance(project: &Project) -> Result<Vec<Queued>, RunError> {
    gather(project, || Some(Past::load(&project.local.cache())))
}

/// What a repository knows of tasks before any is read.
struct Known {
    landed: HashMap<TaskId, BlobId>,
    tips: BTreeMap<TaskId, CommitId>,
}

impl Known {
    /// What a landed task is remembered by, if it can be: the file, if it has one, is the one at `path`.
    fn key(&self, id: &TaskId, path: Option<&Path>, now: SystemTime) -> Option<Key> {
        let landed = *self.landed.get(id)?;
        let file = match path {
            Some(path) => Some(Look::at(path, now)?),
            None => None,
        };
        Some(Key { file, landed, tip: self.tips.get(id).copied() })
    }
}

fn gather(project: &Project, past: impl FnOnce() -> Option<Past> + Send) -> Result<Vec<Queued>, RunError> {
    project.check_that_files_are_there()?;
    let files = || project.root.as_deref().map(tasks::files).transpose().map_err(RunError::Problems);
    let of_repository = || rayon::join(|| tips(project), || landed(project));
    let ((tips, landed), (past, files)) = rayon::join(of_repository, || rayon::join(past, files));
    let (known, files) = (Known { landed: landed?, tips: tips? }, files?.unwrap_or_default());
    let (mut queue, keys) = match &past {
        Some(past) => recall(project, past, &known, &files),
        None => Default::default(),
    };
    let recalled: HashSet<&TaskId> = queue.iter().map(|queued| &queued.task.id).collect();
    let left = read(project, &known, &files, &recalled)?;
    if let Some(past) = past {
        let news: Vec<_> = left.iter().filter(|queued| queued.landed).collect();
        let news = news.iter().filter_map(|queued| {
            let key = keys.get(&queued.task.id)?;
            Some((*key, queued.file.0.as_str(), &queued.task, queued.checkpoint.as_ref()?))
        });
        past.save(&news.collect::<Vec<_>>(), &recalled.into_iter().collect::<Vec<_>>());
    }
    if queue.is_empty() {
        return Ok(left);
    }
    if !left.is_empty() {
        queue.extend(left);
        queue.sort_by(|one, two| one.task.id.cmp(&two.task.id));
    }
    Ok(queue)
}

/// The landed tasks that are remembered, and by what the others can be.
fn recall(project: &Project, past: &Past, known: &Known, files: &tasks::Files) -> (Vec<Queued>, BTreeMap<TaskId, Key>) {
    let now = clock::now();
    let mut wanted: Vec<(TaskId, Option<String>)> = files.ids().map(|(id, file)| (id, Some(file))).collect();
    let filed: HashSet<&TaskId> = wanted.iter().map(|(id, _)| id).collect();
    let others: Vec<_> = known.tips.keys().filter(|id| !filed.contains(id)).map(|id| (id.clone(), None)).collect();
    wanted.extend(others);
    wanted.sort_unstable();
    // As many as there are, so that each is put where it stays.
    let found: Vec<Option<(TaskId, Key, Option<Queued>)>> = wanted
        .into_par_iter()
        .map(|(id, file)| {
            let path = file.as_ref().and_then(|file| Some(project.root.as_ref()?.join(file)));
            let key = known.key(&id, path.as_deref(), now)?;
            let queued = past.get(&id, &key).map(|(name, task, last)| Queued {
                task,
                file: (name, String::new()),
                checkpoint: Some(last),
                tip: key.tip,
                landed: true,
            });
            Some((id, key, queued))
        })
        .collect();
    let mut keys = BTreeMap::new();
    // Collected where they are: to move them elsewhere takes as long as to read them.
    let queue = found.into_iter().flatten().filter_map(|(id, key, queued)| {
        if queued.is_none() {
            keys.insert(id, key);
        }
        queued
    });
    (queue.collect(), keys)
}

/// Reads all tasks but those that are recalled.
fn read(
    project: &Project,
    known: &Known,
    files: &tasks::Files,
    recalled: &HashSet<&TaskId>,
) -> Result<Vec<Queued>, RunError> {
    let mut found: BTreeMap<TaskId, (Task, (String, String))> = BTreeMap::new();
    if let Some(root) = &project.root {
        let is_wanted = |stem: &str| stem.parse::<TaskId>().map_or(true, |id| !recalled.contains(&id));
        for queued in files.read(root, is_wanted).map_err(RunError::Problems)?.tasks {
            let file = queued.file.to_string_lossy().into_owned();
            found.insert(queued.task.id.clone(), (queued.task, (file, queued.text)));
        }
    }
    for (id, tip) in known.tips.iter().filter(|(id, _)| !recalled.contains(*id)) {
        if !found.contains_key(id) {
            let (task, file) = from_branch(project, id, *tip)?;
            found.insert(id.clone(), (task, file));
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let remembered = Tips::load(&project.local.cache());
    let queue = found
        .into_par_iter()
        .map(|(id, (task, file))| {
            let tip = known.tips.get(&id).copied();
            let (checkpoint, landed) = state(project, &remembered, &id, tip, known.landed.get(&id).copied())?;
            Ok(Queued { task, file, checkpoint, tip, landed })
        })
        .collect();
    if recalled.is_empty() {
        remembered.save()
    } else {
        remembered.add()
    }
    queue
}

/// Where the branches of tasks stand.
///
/// # Errors
/// When the refs cannot be read.
pub(super) fn tips(project: &Project) -> Result<BTreeMap<TaskId, CommitId>, RunError> {
    let refs = project.repository.references(layout::TASK_REFS)?.into_iter();
    Ok(refs.filter_map(|(name, tip)| Some((name.strip_prefix(layout::TASK_REFS)?.parse().ok()?, tip))).collect())
}

/// The checkpoints that are on the integration branch or on HEAD: what has landed.
fn landed(project: &Project) -> Result<HashMap<TaskId, BlobId>, RunError> {
    let mut landed = HashMap::new();
    let integration = project.repository.reference(&project.integration_branch())?;
    let head = project.repository.head()?.commit;
    for commit in head.into_iter().chain(integration) {
        for entry in project.repository.list(commit, layout::CHECKPOINTS)? {
            if let Some(id) = entry.name.strip_suffix(".toml").and_then(|id| id.parse::<TaskId>().ok()) {
                landed.insert(id, BlobId(entry.id));
            }
        }
    }
    Ok(landed)
}

fn state(
    project: &Project,
    remembered: &Tips,
    id: &TaskId,
    tip: Option<CommitId>,
    landed: Option<BlobId>,
) -> Result<(Option<Checkpoint>, bool), RunError> {
    let path = layout::checkpoint(id);
    let own = match tip {
        Some(tip) => Some(remembered.get(tip, || {
            let entry = project.repository.entry(project.repository.root_tree(tip)?, &path)?;
            Ok::<_, RunError>(BlobId(entry.ok_or_else(|| bad(id, "it is not there"))?.id))
        })?),
        None => None,
    };
    // A landed task that has gone on since, against all habit, is what its branch says.
    let is_landed = landed.is_some() && own.is_none_or(|own| landed == Some(own));
    let Some(blob) = own.or(landed) else { return Ok((None, false)) };
    let bytes = project.repository.blob(blob)?;
    let text = String::from_utf8(bytes).map_err(|_| bad(id, "it is not UTF-8"))?;
    let checkpoint = checkpoints::from_toml(&text, &path).map_err(|problem| bad(id, &problem.to_string()))?;
    Ok((Some(checkpoint), is_landed))
}

fn bad(id: &TaskId, why: &str) -> RunError {
    RunError::BadCheckpoint { branch: layout::task_ref(id), why: why.to_owned() }
}

/// The task as its first commit keeps it.
pub(super) fn from_branch(project: &Project, id: &TaskId, tip: CommitId) -> Result<(Task, (String, String)), RunError> {
    for format in [Format::Toml, Format::Md] {
        let path = task_path(id, format);
        let Some(bytes) = project.repository.read(tip, &path)? else { continue };
        let content = String::from_utf8_lossy(&bytes).into_owned();
        let task = tasks::parse(&content, &path, format, id).map_err(RunError::Problems)?;
        return Ok((task, (path, content)));
    }
    // Somebody took the file away; the branch still shows what was done.
    let task = Task::new(id.clone(), id.to_string());
    Ok((task, (task_path(id, Format::Toml), String::new())))
}

fn task_path(id: &TaskId, format: Format) -> String {
    format!("{}/{id}.{}", layout::TASKS, format.extension())
}

/// The last step of a landed task whose branch was removed: the second parent of the merge that landed it.
///
/// # Errors
/// When the history cannot be read.
pub fn landed_tip(project: &Project, id: &TaskId) -> Result<Option<CommitId>, RunError> {
    let repository = &project.repository;
    let integration = repository.reference(&project.integration_branch())?;
    let trailer = format!("\nOrchestrate-Task: {id}\nOrchestrate-Step: land\n");
    for from in repository.head()?.commit.into_iter().chain(integration) {
        for commit in repository.first_parents(from, None)? {
            let parents = repository.parents(commit)?;
            if let [first, second] = parents.as_slice() {
                if repository.message(commit)?.contains(&trailer) {
                    return Ok(Some(*second));
                }
                // The integration branch came to the user's by a merge: its own line is the second parent's.
                if repository.message(commit)?.starts_with("Merge branch '") {
                    for commit in repository.first_parents(*second, Some(*first))? {
                        if repository.message(commit)?.contains(&trailer) {
                            return Ok(repository.parents(commit)?.get(1).copied());
                        }
                    }
                }
            }
        }
    }
    Ok(None)
}

/// Makes local branches of the task and integration branches that a clone has only as remote ones.
/// Returns the names of those that it made.
///
/// # Errors
/// When the branches cannot be written.
pub fn adopt(project: &Project) -> Result<Vec<String>, RunError> {
    let mut moves: BTreeMap<String, RefMove> = BTreeMap::new();
    for (name, commit) in project.repository.references("refs/remotes/")? {
        let Some((_, branch)) = name.strip_prefix("refs/remotes/").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        let local = format!("refs/heads/{branch}");
        let ours = local.starts_with(layout::TASK_REFS) || local == project.integration_branch();
        if ours && !moves.contains_key(&local) && project.repository.reference(&local)?.is_none() {
            let reason = format!("orchestrate: adopt {name}");
            moves.insert(local.clone(), RefMove { name: local, from: None, to: commit, reason });
        }
    }
    let names: Vec<String> = moves.keys().cloned().collect();
    if !moves.is_empty() {
        project.repository.publish(
            Default::default(),
            moves.into_values().collect(),
            project.settings.commits.durability,
        )?;
    }
    Ok(names)
}

/// The tasks that were named, or all.
///
/// # Errors
/// [`RunError::NoTask`] for a name that is none.
pub fn select<'a>(queue: &'a [Queued], names: &[String]) -> Result<Vec<&'a Queued>, RunError> {
    if names.is_empty() {
        return Ok(queue.iter().collect());
    }
    names.iter().map(|name| find(queue, name)).collect()
}

/// The places of the tasks that were named and of what they depend on, or of all.
///
/// # Errors
/// [`RunError::NoTask`] for a name that is none.
pub fn select_with_needs(queue: &[Queued], names: &[String]) -> Result<BTreeSet<usize>, RunError> {
    if names.is_empty() {
        return Ok((0..queue.len()).collect());
    }
    let at: HashMap<&TaskId, usize> = queue.iter().enumerate().map(|(at, queued)| (&queued.task.id, at)).collect();
    let mut open: Vec<usize> = select(queue, names)?.iter().map(|queued| at[&queued.task.id]).collect();
    let mut selected = BTreeSet::new();
    while let Some(next) = open.pop() {
        if selected.insert(next) {
            open.extend(queue[next].task.depends_on.iter().filter_map(|need| at.get(need)));
        }
    }
    Ok(selected)
}

/// The task of that name.
///
/// # Errors
/// [`RunError::NoTask`] if there is none.
pub fn find<'a>(queue: &'a [Queued], name: &str) -> Result<&'a Queued, RunError> {
    queue.iter().find(|queued| queued.task.id.as_str() == name).ok_or_else(|| {
        let near = text::did_you_mean(name, queue.iter().map(|queued| queued.task.id.as_str()));
        RunError::NoTask { name: text::clean_line(name), near: near.map(str::to_owned) }
    })
}

/// The workflow that a task follows when it begins.
///
/// # Errors
/// [`RunError::Problems`] if there is none of that name, or it has mistakes.
pub fn workflow(project: &Project, task: &Task, asked: Option<&str>) -> Result<Workflow, RunError> {
    let name = asked.or(task.workflow.as_deref()).unwrap_or(&project.settings.workflow);
    match &project.root {
        Some(root) => workflows::load(root, name).map_err(RunError::Problems),
        None => workflows::builtin(name).ok_or_else(|| RunError::Preflight {
            what: format!("workflow '{name}' is not built in, and a bare repository has no others"),
            hint: Some(format!("name one of {}", workflows::names().join(", "))),
        }),
    }
}
