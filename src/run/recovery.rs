//! Puts right what a crash left behind: children that outlived their run, work in worktrees that is in no commit,
//! lock files of ours. Knows nothing of what is to be done next: state is in the commits, nothing is repaired there.

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{Project, RunError, decide, salvage, setup};
use crate::{
    git::Slots,
    handoff::layout,
    report::event::RunEvent,
    sys::{lock::Lease, process::Supervisor},
    text,
};

/// Lock files younger than this may belong to a git that the user runs right now.
const LOCK_AGE_MIN: Duration = Duration::from_secs(2);
/// How often is looked whether one is gone.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Puts right what an earlier run left behind. The lease proves that no other run is at work.
///
/// # Errors
/// When leftovers cannot be ended or work not be saved: nothing new may start over them.
pub fn recover(project: &Project, supervisor: &Supervisor, _lease: &Lease) -> Result<Vec<RunEvent>, RunError> {
    let mut told = Vec::new();
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| RunError::File { path, what: "cannot be put right", source }
    };
    let children = project.local.children();
    let ended = supervisor.end_leftovers().map_err(file(&children))?;
    if !ended.is_empty() {
        let count = text::count(ended.len() as u64, "process");
        let message = format!("{count} of an earlier run outlived it and had to be ended");
        told.push(RunEvent::Warning { message, hint: None });
    }
    crate::sys::crash_point::reach("recovery.ended");
    for directory in ["refs/heads/orchestrate", "refs/orchestrate", "worktrees"] {
        let directory = project.repository.common_dir().join(directory);
        remove_stale_locks(&directory, SystemTime::now()).map_err(file(&directory))?;
    }
    let common_dir = project.repository.common_dir();
    let lock = common_dir.join(format!("{}.lock", project.integration_branch()));
    wait_for_lock(&lock).map_err(file(&lock))?;
    let transcripts = common_dir.join(layout::TRANSCRIPT_REFS);
    remove_empty_files(&transcripts).map_err(file(&transcripts))?;
    crate::sys::crash_point::reach("recovery.unlocked");
    let slots = Slots::open(&project.repository, &project.worktrees_dir())?.with(project.settings.worktrees.sparse);
    let shared = setup::shared(project)?.paths();
    let (identity, at) = (project.repository.identity()?, project.head_code_commit()?);
    for name in slots.list()? {
        let mut slot = slots.get(&name, at)?;
        crate::sys::crash_point::reach("recovery.opened");
        slot.set_brought(&shared);
        let task = last_task(project, &name).unwrap_or_else(|| "unknown".to_owned());
        // What a check left in a gate's slot is no work of anybody.
        if name.starts_with("gate-") {
            slot.discard()?;
        } else if let Some(kept) = salvage::save(&mut slot, &identity, &task)? {
            let message = format!("unfinished work on {task} was found in worktree '{name}' and is kept as {kept}");
            told.push(RunEvent::Warning { message, hint: Some(format!("git show {kept}")) });
        }
    }
    crate::sys::crash_point::reach("recovery.saved");
    let requests = project.local.requests();
    if decide::stop_request(&project.local).is_some() {
        // It was made since we hold the lock.
        return Ok(told);
    }
    match fs::remove_dir_all(&requests) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file(&requests)(error)),
        Ok(()) | Err(_) => Ok(told),
    }
}

/// The task that a worker of the last run was at work on, as far as its file still tells.
fn last_task(project: &Project, slot: &str) -> Option<String> {
    let (_, workers, _) = super::live::read(&project.local.live());
    workers.into_iter().find(|worker| format!("worker-{}", worker.slot) == slot).map(|worker| worker.task.to_string())
}

/// Removes `*.lock` below one of our own directories: only runs of ours write there, and none is at work.
fn remove_stale_locks(directory: &Path, now: SystemTime) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            // Of the worktrees, only ours.
            let ours = !directory.ends_with("worktrees") || is_our_slot(&path);
            if ours {
                remove_stale_locks(&path, now)?;
            }
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "lock") {
            let modified = entry.metadata()?.modified()?;
            if now.duration_since(modified).is_ok_and(|age| age > LOCK_AGE_MIN) {
                tracing::info!(path = %path.display(), "a stale lock file of an earlier run was removed");
                fs::remove_file(&path)?;
            }
        }
    }
    Ok(())
}

/// Removes the lock of the integration branch, which may have any name, as soon as it is too old to be held.
fn wait_for_lock(lock: &Path) -> io::Result<()> {
    loop {
        let modified = match fs::metadata(lock).and_then(|found| found.modified()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            modified => modified?,
        };
        // One from the future is as old as it will ever seem.
        let age = SystemTime::now().duration_since(modified).unwrap_or(LOCK_AGE_MIN);
        if age >= LOCK_AGE_MIN {
            tracing::info!(path = %lock.display(), "a stale lock file of an earlier run was removed");
            return fs::remove_file(lock);
        }
        std::thread::sleep(LOCK_PAUSE);
    }
}

/// Removes refs that a power loss left empty, as it can where they are not synced. There nothing was promised.
fn remove_empty_files(directory: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let found = entry.metadata()?;
        if found.is_file() && found.len() == 0 {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a directory below `worktrees/` is one that a run made.
fn is_our_slot(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.starts_with("orchestrate-worker-") || name.starts_with("orchestrate-gate-")
}
