//! Removes what no task needs any more: branches of landed tasks, old logs, and, if asked, worktrees and caches.
//! Knows nothing of how much room there should be. Whatever is in no ref is saved before its directory goes.

use std::{fs, io, path::Path};

use super::{Project, RunError, preflight, queue, recovery, salvage};
use crate::{
    git::Slots,
    handoff::layout,
    model::checkpoint::TaskState,
    report::event::RunEvent,
    sys::{file, lock},
};

/// What is to be removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Also the worktrees and caches that the next run would use again.
    pub all: bool,
    /// Only say what would be removed.
    pub dry_run: bool,
}

/// What was removed, or would be.
#[derive(Debug, Clone, Default)]
pub struct Cleaned {
    /// A line each.
    pub removed: Vec<String>,
    /// What was found and saved on the way.
    pub told: Vec<RunEvent>,
}

/// Removes what is not needed.
///
/// # Errors
/// [`RunError::HeldBy`] while a run is at work; when something cannot be saved or removed.
pub fn clean(project: &Project, extent: Extent) -> Result<Cleaned, RunError> {
    let made = |source| RunError::File { path: project.local.root().to_owned(), what: "cannot be made", source };
    fs::create_dir_all(project.local.root()).map_err(made)?;
    let lease = lock::acquire(&project.local.lock(), "clean")?;
    let mut cleaned = Cleaned::default();
    if !extent.dry_run {
        let supervisor = preflight::supervisor(project)?;
        cleaned.told = recovery::recover(project, &supervisor, &lease)?;
    }
    branches(project, extent, &mut cleaned)?;
    let mut directories = vec![project.local.scratch(), project.local.log()];
    if extent.all {
        directories.push(project.local.cache());
        worktrees(project, extent, &mut cleaned)?;
    }
    for directory in directories.iter().filter(|directory| directory.exists()) {
        remove(directory, extent, &mut cleaned)?;
    }
    drop(lease);
    Ok(cleaned)
}

/// Branches of tasks whose every step is part of the integration branch, or of HEAD.
fn branches(project: &Project, extent: Extent, cleaned: &mut Cleaned) -> Result<(), RunError> {
    let repository = &project.repository;
    let integration = repository.reference(&project.integration_branch())?;
    let holders: Vec<_> = integration.into_iter().chain(repository.head()?.commit).collect();
    for queued in queue::load(project)?.iter().filter(|queued| queued.state() == TaskState::Landed) {
        let branch = layout::task_ref(&queued.task.id);
        // A landed task without a branch has its tip from the landing.
        let Some(tip) = repository.reference(&branch)? else { continue };
        let mut held = false;
        for holder in &holders {
            held = held || repository.is_ancestor(tip, *holder)?;
        }
        if !held {
            continue;
        }
        cleaned.removed.push(format!("branch {}", branch.trim_start_matches("refs/heads/")));
        if !extent.dry_run {
            repository.delete_reference(&branch, tip)?;
        }
    }
    Ok(())
}

fn worktrees(project: &Project, extent: Extent, cleaned: &mut Cleaned) -> Result<(), RunError> {
    let slots = Slots::open(&project.repository, &project.worktrees_dir())?.with(project.settings.worktrees.sparse);
    let (identity, at) = (project.repository.identity()?, project.head_code_commit()?);
    for name in slots.list()? {
        cleaned.removed.push(format!("worktree {}", project.worktrees_dir().join(&name).display()));
        if extent.dry_run {
            continue;
        }
        let mut slot = slots.get(&name, at)?;
        salvage::save(&mut slot, &identity, "unknown")?;
        slots.remove(slot)?;
    }
    if let Some(aside) = slots.aside() {
        let message = format!(
            "'{}' is kept: git no longer knew the worktrees in it, so nothing of them is saved",
            aside.display()
        );
        cleaned
            .told
            .push(RunEvent::Warning { message, hint: Some(format!("look at it, then: rm -r '{}'", aside.display())) });
    }
    let directory = project.worktrees_dir();
    match fs::remove_dir(&directory) {
        Ok(()) => Ok(()),
        // Not there, or somebody keeps something in it.
        Err(error)
            if extent.dry_run || matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) =>
        {
            Ok(())
        }
        Err(source) => Err(RunError::File { path: directory, what: "cannot be removed", source }),
    }
}

fn remove(directory: &Path, extent: Extent, cleaned: &mut Cleaned) -> Result<(), RunError> {
    cleaned.removed.push(format!("directory {}", directory.display()));
    if extent.dry_run {
        return Ok(());
    }
    let path = directory.to_owned();
    file::remove_tree(directory).map_err(|source| RunError::File { path, what: "cannot be removed", source })
}
