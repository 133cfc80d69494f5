//! Early warnings: whether what tasks have written so far still merges with what has landed and with each other.
//! Changes nothing, all is merged in memory; what follows from a conflict is decided when a task lands.

use serde::{Deserialize, Serialize};

use super::{RunError, commit::step_commit};
use crate::{
    git::{Draft, OnConflict, Repository},
    model::{
        checkpoint::Checkpoint,
        object::{CommitId, TreeId},
        task::TaskId,
    },
};

/// Tasks that one is merged with; of more, the first.
const OTHERS_MAX: usize = 32;
/// Paths of a conflict that are told.
const PATHS_MAX: usize = 5;

/// What a task has written so far.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its state.
    pub checkpoint: Checkpoint,
    /// The commit of its last step.
    pub tip: CommitId,
}

/// Two changes that do not merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clash {
    /// The task.
    pub task: TaskId,
    /// The other task; none: what has landed.
    #[serde(default)]
    pub with: Option<TaskId>,
    /// Where, some of the paths.
    pub paths: Vec<String>,
}

impl Clash {
    /// In a line.
    pub fn told(&self) -> String {
        let paths = self.paths.join(", ");
        match &self.with {
            Some(other) => format!("what {} and {other} have written so far conflicts in {paths}", self.task),
            None => format!("what {} has written so far conflicts with what has landed in {paths}", self.task),
        }
    }

    fn is_about(&self, task: &TaskId) -> bool {
        self.task == *task || self.with.as_ref() == Some(task)
    }
}

/// After what it is looked.
#[derive(Debug, Clone)]
pub enum After {
    /// A step of this task: it is merged with what has landed and with the others.
    Step(TaskId),
    /// A landing: each is merged with what has landed.
    Landing,
}

/// All that is known to clash.
#[derive(Debug, Clone, Default)]
pub struct Clashes {
    known: Vec<Clash>,
}

impl Clashes {
    /// What is known, in the order in which it was found.
    pub fn all(&self) -> &[Clash] {
        &self.known
    }

    /// Takes in what was found. Returns what was not known.
    pub fn take_in(&mut self, after: &After, found: Vec<Clash>) -> Vec<Clash> {
        let new = found.iter().filter(|clash| !self.known.contains(clash)).cloned().collect();
        match after {
            After::Step(task) => self.known.retain(|clash| !clash.is_about(task)),
            After::Landing => self.known.retain(|clash| clash.with.is_some()),
        }
        self.known.extend(found);
        new
    }

    /// A task is over: it clashes with nobody any more.
    pub fn forget(&mut self, task: &TaskId) {
        self.known.retain(|clash| !clash.is_about(task));
    }
}

/// Merges in memory what is to be merged after that, on the tip of what has landed.
///
/// # Errors
/// When an object cannot be read.
pub fn look(
    repository: &Repository,
    tip: CommitId,
    written: &[Written],
    after: &After,
) -> Result<Vec<Clash>, RunError> {
    let mut draft = repository.draft();
    let landed = draft.code_tree(tip)?;
    let mut found = Vec::new();
    let task = match after {
        After::Landing => {
            for one in written.iter().take(OTHERS_MAX) {
                found.extend(merged(repository, &mut draft, landed, one)?.err());
            }
            return Ok(found);
        }
        After::Step(task) => task,
    };
    let Some(own) = written.iter().find(|written| written.checkpoint.task == *task) else { return Ok(found) };
    let with_own = match merged(repository, &mut draft, landed, own)? {
        Ok(tree) => tree,
        Err(clash) => return Ok(vec![clash]),
    };
    for other in written.iter().filter(|other| other.checkpoint.task != *task).take(OTHERS_MAX) {
        // What conflicts with what has landed says nothing of the two.
        if merged(repository, &mut draft, landed, other)?.is_ok()
            && let Err(clash) = merged(repository, &mut draft, with_own, other)?
        {
            found.push(Clash { task: task.clone(), with: Some(clash.task), paths: clash.paths });
        }
    }
    Ok(found)
}

fn merged(
    repository: &Repository,
    draft: &mut Draft,
    ours: TreeId,
    one: &Written,
) -> Result<Result<TreeId, Clash>, RunError> {
    let good = step_commit(repository, &one.checkpoint, Some(one.tip), one.checkpoint.good)?;
    let (base, theirs) = (draft.code_tree(one.checkpoint.base)?, draft.code_tree(good)?);
    if base == theirs {
        return Ok(Ok(ours));
    }
    let both = draft.merge_trees(base, ours, theirs, OnConflict::KeepOurs)?;
    if both.conflicts.is_empty() {
        return Ok(Ok(both.tree));
    }
    let mut paths: Vec<String> = both.conflicts.into_iter().map(|conflict| conflict.path).collect();
    paths.dedup();
    paths.truncate(PATHS_MAX);
    Ok(Err(Clash { task: one.checkpoint.task.clone(), with: None, paths }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a b path` or `a - path`, a line each.
    fn clashes(text: &str) -> Vec<Clash> {
        let id = |word: &str| word.parse().expect("an id");
        text.lines()
            .map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let with = (words[1] != "-").then(|| id(words[1]));
                Clash { task: id(words[0]), with, paths: vec![words[2].to_owned()] }
            })
            .collect()
    }

    #[track_caller]
    fn check(known: &str, after: After, found: &str, new: &str, all: &str) {
        let mut clashes_known = Clashes { known: clashes(known) };
        assert_eq!(clashes_known.take_in(&after, clashes(found)), clashes(new));
        assert_eq!(clashes_known.all(), clashes(all));
    }

    #[test]
    fn each_clash_is_told_once_and_forgotten_when_it_is_gone() {
        let step = || After::Step("a".parse().expect("an id"));
        check("", step(), "a b x", "a b x", "a b x");
        check("a b x", step(), "a b x", "", "a b x");
        check("a b x\nc b y\nb a z", step(), "", "", "c b y");
        check("a - x\nc b y", step(), "", "", "c b y");
        check("a - x\nc b y", After::Landing, "b - q", "b - q", "c b y\nb - q");
        let mut known = Clashes { known: clashes("a - x\nc a y\nc b y") };
        known.forget(&"a".parse().expect("an id"));
        assert_eq!(known.all(), clashes("c b y"));
    }
}
