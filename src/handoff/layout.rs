//! Where everything is: paths in the repository, refs, and our directory in the common git directory.
//! Knows nothing of what is in the files.

use std::path::{Path, PathBuf};

use crate::model::{task::TaskId, workflow::PhaseId};

/// The directory in the repository that holds all that is committed.
pub const DIR: &str = ".handoff";
/// The configuration.
pub const CONFIG: &str = ".handoff/config.toml";
/// The queue.
pub const TASKS: &str = ".handoff/tasks";
/// Workflows beside the built-in ones.
pub const WORKFLOWS: &str = ".handoff/workflows";
/// Prompt templates beside the built-in ones, `<role>.md.j2`.
pub const PROMPTS: &str = ".handoff/prompts";
/// Keys that may sign steps, in ssh's allowed-signers format.
pub const ALLOWED_SIGNERS: &str = ".handoff/allowed_signers";
/// The tasks' states.
pub const CHECKPOINTS: &str = ".handoff/checkpoints";
/// The records of landings.
pub const LANDINGS: &str = ".handoff/landings";
/// The records of steps.
pub const STEPS: &str = ".handoff/steps";

/// Where the branches of tasks are.
pub const TASK_REFS: &str = "refs/heads/orchestrate/task/";
/// Where work that would have been lost is kept.
pub const SALVAGE_REFS: &str = "refs/orchestrate/salvage/";
/// Where redacted transcripts are; never pushed by us.
pub const TRANSCRIPT_REFS: &str = "refs/orchestrate/transcripts/";
/// A directory of git hooks of ours, below the common git directory and not among what may be deleted.
pub const HOOKS_DIR: &str = "orchestrate-hooks";

/// `.handoff/workflows/<name>.toml`
pub fn workflow(name: &str) -> String {
    format!("{WORKFLOWS}/{name}.toml")
}

/// `.handoff/prompts/<role>.md.j2`
pub fn prompt(role: &str) -> String {
    format!("{PROMPTS}/{role}.md.j2")
}

/// `.handoff/checkpoints/<task>.toml`
pub fn checkpoint(task: &TaskId) -> String {
    format!("{CHECKPOINTS}/{task}.toml")
}

/// `.handoff/landings/<task>.json`
pub fn landing(task: &TaskId) -> String {
    format!("{LANDINGS}/{task}.json")
}

/// `.handoff/landings/land.json`: of the last merge of the integration branch into a person's. No task can have that name.
pub fn landing_onto() -> String {
    format!("{LANDINGS}/land.json")
}

/// `.handoff/steps/<task>`
pub fn steps(task: &TaskId) -> String {
    format!("{STEPS}/{task}")
}

/// `.handoff/steps/<task>/<nnnn>-<phase>.json`
pub fn step(task: &TaskId, seq: u32, phase: &PhaseId) -> String {
    format!("{STEPS}/{task}/{seq:04}-{}.json", phase.file_stem())
}

/// `refs/heads/orchestrate/task/<task>`
pub fn task_ref(task: &TaskId) -> String {
    format!("{TASK_REFS}{task}")
}

/// `refs/heads/<branch>`
pub fn branch_ref(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// `refs/orchestrate/salvage/<task>/<n>`
pub fn salvage_ref(task: &TaskId, number: u32) -> String {
    format!("{SALVAGE_REFS}{task}/{number}")
}

/// `refs/orchestrate/transcripts/<task>`
pub fn transcript_ref(task: &TaskId) -> String {
    format!("{TRANSCRIPT_REFS}{task}")
}

/// `<nnnn>-`: how the file name of a step's record or transcript begins.
pub fn step_prefix(seq: u32) -> String {
    format!("{seq:04}-")
}

/// The name of a step's transcript in the tree of its task's transcripts.
pub fn transcript_file(seq: u32, phase: &PhaseId) -> String {
    format!("{}{}.txt", step_prefix(seq), phase.file_stem())
}

/// Our directory in the common git directory. Deleting it loses no finished step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalDir {
    root: PathBuf,
}

impl LocalDir {
    /// That of a repository, by its common git directory.
    pub fn new(common_dir: &Path) -> Self {
        Self { root: common_dir.join("orchestrate") }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The lock of the one run that may be.
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// What each worker is doing, a file each.
    pub fn live(&self) -> PathBuf {
        self.root.join("live")
    }

    /// Records of child processes, a file each.
    pub fn children(&self) -> PathBuf {
        self.root.join("children")
    }

    /// Remembered gate verdicts, contexts, verified commits.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// What attempts cost that left no step.
    pub fn spending(&self) -> PathBuf {
        self.root.join("spending")
    }

    /// What was gathered for prompts.
    pub fn contexts(&self) -> PathBuf {
        self.cache().join("context")
    }

    /// Logs of runs.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Directories for agents' temporary files.
    pub fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }

    /// What other processes ask of the run, a file each.
    pub fn requests(&self) -> PathBuf {
        self.root.join("requests")
    }

    /// A file for each task that is paused, named after it; they outlive runs.
    pub fn paused(&self) -> PathBuf {
        self.root.join("paused")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_design() {
        let task: TaskId = "RAE-001".parse().expect("an id");
        let phase: PhaseId = "implement/S2".parse().expect("a phase");
        assert_eq!(step(&task, 7, &phase), ".handoff/steps/RAE-001/0007-implement-S2.json");
        assert_eq!(checkpoint(&task), ".handoff/checkpoints/RAE-001.toml");
        assert_eq!(task_ref(&task), "refs/heads/orchestrate/task/RAE-001");
        assert_eq!(salvage_ref(&task, 3), "refs/orchestrate/salvage/RAE-001/3");
        assert_eq!(LocalDir::new(Path::new("/r/.git")).lock(), Path::new("/r/.git/orchestrate/lock"));
    }
}
