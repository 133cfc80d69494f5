//! What is asked of a run that is at work, by files in directories that it looks at: fewer or more workers, tasks to be left
//! alone. Knows nothing of how the run does it. A pause outlives the run; deleting the files loses no finished step.

use std::{collections::BTreeSet, fs, io, path::Path};

use super::{Project, RunError};
use crate::{
    handoff::layout::LocalDir,
    model::task::TaskId,
    sys::{
        file::{self, Sync},
        lock::{self, Holder},
    },
};

/// The file that says how many workers there are to be.
const JOBS_FILE: &str = "jobs";
/// Bytes of it that are read.
const JOBS_BYTES_MAX: usize = 64;

/// The run that is at work, if one is.
///
/// # Errors
/// When the lock cannot be looked at.
pub fn holder(project: &Project) -> Result<Option<Holder>, RunError> {
    lock::holder(&project.local.lock()).map_err(RunError::Lock)
}

/// Asks the run that is at work to go on with so many workers.
///
/// # Errors
/// [`RunError::NoRun`] if none is.
pub fn request_jobs(project: &Project, jobs: usize) -> Result<Holder, RunError> {
    let holder = holder(project)?.ok_or(RunError::NoRun)?;
    // With its number: the request is for this run, not for one after it.
    write(&project.local.requests().join(JOBS_FILE), &format!("{jobs} {}\n", holder.pid))?;
    Ok(holder)
}

/// How many workers this process was asked to have.
pub fn jobs_request(local: &LocalDir) -> Option<usize> {
    let bytes = file::read_limited(&local.requests().join(JOBS_FILE), JOBS_BYTES_MAX).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (jobs, pid) = text.trim_end().split_once(' ')?;
    (pid == std::process::id().to_string()).then(|| jobs.parse().ok()).flatten()
}

/// Has nothing new started for a task until it is resumed. Whether it was not paused before.
///
/// # Errors
/// When it cannot be written down.
pub fn pause(project: &Project, task: &TaskId) -> Result<bool, RunError> {
    let was = paused(&project.local).contains(task);
    write(&project.local.paused().join(task.as_str()), "")?;
    Ok(!was)
}

/// Lets a task go on. Whether it was paused.
///
/// # Errors
/// When it cannot be written down.
pub fn unpause(project: &Project, task: &TaskId) -> Result<bool, RunError> {
    let path = project.local.paused().join(task.as_str());
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(RunError::File { path, what: "cannot be removed", source }),
    }
}

/// The tasks that are paused.
pub fn paused(local: &LocalDir) -> BTreeSet<TaskId> {
    let entries = fs::read_dir(local.paused()).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok()).collect()
}

fn write(path: &Path, text: &str) -> Result<(), RunError> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory)
        .and_then(|()| file::write_atomic(path, text.as_bytes(), Sync::No))
        .map_err(|source| RunError::File { path: path.to_owned(), what: "cannot be written", source })
}
