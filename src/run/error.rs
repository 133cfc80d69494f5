//! Every way in which a run cannot start or go on. Knows nothing of how it is shown.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    agents::error::AgentError,
    config::problem::Problem,
    context::ContextError,
    gate::GateError,
    git::{GitError, PublishError},
    land::LandError,
    model::{apply::Impossible, task::TaskId, workflow::PhaseId},
    sys::lock::{Holder, LockError},
};

/// Why a run, or a command on its state, cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The repository did not do its part.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A step or a branch could not be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A landing failed.
    #[error(transparent)]
    Land(#[from] LandError),
    /// A prompt could not be made.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A gate could not be asked.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// An agent is not configured well.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// A record cannot be the next step.
    #[error("the step cannot follow: {0}")]
    Impossible(#[from] Impossible),
    /// Files that people wrote have mistakes.
    #[error("{}", problems(.0))]
    Problems(Vec<Problem>),
    /// There is no configuration.
    #[error("there is no .handoff/config.toml here, nor on a branch of orchestrate")]
    NotInitialised,
    /// The checkout there is sparse, without the files that people edit.
    #[error("the sparse checkout '{}' leaves out '.handoff', where the tasks are", .0.display())]
    LeftOut(PathBuf),
    /// HEAD points to no commit.
    #[error("the repository has no commit yet")]
    NoCommit,
    /// Another run holds the repository.
    #[error("another run holds this repository{}", holder(.0.as_deref()))]
    HeldBy(Option<Box<Holder>>),
    /// The lock cannot be taken for another reason.
    #[error("the lock of the repository cannot be taken: {0}")]
    Lock(io::Error),
    /// No run holds the repository.
    #[error("no run is at work in this repository")]
    NoRun,
    /// The lock of a run that is at work is no longer there.
    #[error("the run ended: its lock '{path}' {}", what_is_gone(path))]
    LockGone {
        /// The file.
        path: PathBuf,
    },
    /// A name that is no task.
    #[error("there is no task '{name}'")]
    NoTask {
        /// The name.
        name: String,
        /// A task of nearly that name.
        near: Option<String>,
    },
    /// Nothing waits for a person there.
    #[error("task '{0}' does not wait for a person")]
    NotHeld(TaskId),
    /// Several phases wait for a person.
    #[error("{} phases of '{task}' wait for a person: {}", .phases.len(), phases.iter().map(PhaseId::as_str).collect::<Vec<_>>().join(", "))]
    WhichPhase {
        /// The task.
        task: TaskId,
        /// The phases.
        phases: Vec<PhaseId>,
    },
    /// Something found before any money is spent.
    #[error("{what}")]
    Preflight {
        /// What.
        what: String,
        /// One line to type.
        hint: Option<String>,
    },
    /// A test signature did not come in time or at all.
    #[error("no signature within {}: {why}", crate::text::duration(*.limit))]
    Signature {
        /// How long was waited.
        limit: Duration,
        /// Why.
        why: String,
    },
    /// The disk has too little room.
    #[error("only {} are free below '{}'", crate::text::bytes(*.free_bytes), .path.display())]
    DiskFull {
        /// Where.
        path: PathBuf,
        /// Bytes that are free.
        free_bytes: u64,
    },
    /// A file or directory of ours could not be read or written.
    #[error("'{}' {what}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What could not be done.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The checkpoint or record on a branch cannot be read.
    #[error("branch '{branch}' holds no readable checkpoint: {why}")]
    BadCheckpoint {
        /// The branch.
        branch: String,
        /// Why.
        why: String,
    },
    /// A worker died of a bug; its step is lost, nothing else.
    #[error("BUG: a worker panicked at {task} {phase}")]
    WorkerPanicked {
        /// The task.
        task: TaskId,
        /// The phase.
        phase: PhaseId,
    },
}

impl RunError {
    /// What the repository said, if it was the repository.
    pub fn git(&self) -> Option<&GitError> {
        if let Self::Git(error) = self { Some(error) } else { None }
    }

    /// One line to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Git(error) => error.hint(),
            Self::Publish(error) => error.hint(),
            Self::Land(error) => error.hint(),
            Self::Context(error) => error.hint(),
            Self::Gate(error) => error.hint(),
            Self::Agent(error) => error.hint(),
            Self::Problems(problems) => problems.first().and_then(|problem| problem.hint.clone()),
            Self::NotInitialised => Some("git orchestrate init".to_owned()),
            Self::LeftOut(_) => Some("git sparse-checkout add .handoff".to_owned()),
            Self::NoCommit => Some("git commit --allow-empty -m 'first commit'".to_owned()),
            Self::HeldBy(_) => Some("git orchestrate status --watch".to_owned()),
            Self::LockGone { path } => is_repository(path).then(|| "git orchestrate resume".to_owned()),
            Self::NoRun => Some("git orchestrate start".to_owned()),
            Self::NoTask { near: Some(near), .. } => Some(format!("did you mean '{near}'?")),
            Self::NoTask { near: None, .. } => Some("git orchestrate task list".to_owned()),
            Self::NotHeld(task) => Some(format!("git orchestrate show {task}")),
            Self::WhichPhase { task, phases } => {
                phases.first().map(|phase| format!("git orchestrate review {task} {phase} …"))
            }
            Self::Preflight { hint, .. } => hint.clone(),
            Self::Signature { .. } => Some("git orchestrate doctor".to_owned()),
            Self::DiskFull { .. } => Some("git orchestrate clean".to_owned()),
            Self::Impossible(Impossible::NotApprovable(_)) => {
                Some("give it --feedback or --retry, pass it over with --skip, or end the task with --abort".to_owned())
            }
            Self::Impossible(_) | Self::BadCheckpoint { .. } => Some("git orchestrate log <task>".to_owned()),
            Self::Lock(_) | Self::File { .. } | Self::WorkerPanicked { .. } => None,
        }
    }
}

impl From<LockError> for RunError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { holder } => Self::HeldBy(holder.map(Box::new)),
            LockError::Io { source, .. } => Self::Lock(source),
        }
    }
}

fn problems(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn holder(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!(": pid {} on {}, since {}", holder.pid, holder.host, holder.since))
}

/// Whether the repository of a lock is still there: the lock is in a directory of its common directory.
fn is_repository(lock: &Path) -> bool {
    lock.ancestors().nth(2).is_some_and(|common| common.join("HEAD").exists())
}

fn what_is_gone(lock: &Path) -> &'static str {
    if is_repository(lock) { "was removed or replaced" } else { "is gone, and the repository with it" }
}
