//! What is on the branches, seen by git alone: steps, landings, content, what is kept of agents' work.
//! Knows nothing of how it came there.

use std::collections::{BTreeMap, BTreeSet};

use super::{agents::AgentRun, sandbox::Sandbox};

/// What git itself complains of.
pub fn git_problems(sandbox: &Sandbox) -> String {
    let words = ["fsck", "--strict", "--no-dangling", "--no-progress"];
    sandbox.try_git(&words).unwrap_or_else(|said| format!("{said} (failed)"))
}

/// The steps of every task and what has landed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Branches {
    /// Of each task the commits of its steps, oldest first, each with its number and phase.
    pub steps: BTreeMap<String, Vec<(String, u32, String)>>,
    /// The tasks in the order in which they landed.
    pub landed: Vec<String>,
}

impl Branches {
    /// Reads them.
    pub fn of(sandbox: &Sandbox) -> Self {
        let mut branches = Self::default();
        let refs = sandbox.git(&["for-each-ref", "--format=%(refname)", "refs/heads/orchestrate/"]);
        for name in refs.lines() {
            let format = "--format=%H%x09%(trailers:key=Orchestrate-Task,valueonly,separator=,)%x09%(trailers:key=Orchestrate-Step,valueonly,separator=,)";
            let log = sandbox.git(&["log", "--first-parent", "--reverse", format, name]);
            let commits = log.lines().filter_map(|line| {
                let mut parts = line.split('\t');
                let (commit, task, step) = (parts.next()?, parts.next()?, parts.next()?);
                Some((commit.to_owned(), task.to_owned(), step.to_owned())).filter(|(_, task, _)| !task.is_empty())
            });
            match name.strip_prefix("refs/heads/orchestrate/task/") {
                Some(own) => {
                    let own_steps = commits.filter(|(_, task, _)| task == own).filter_map(|(commit, _, step)| {
                        let (number, phase) = step.split_once(' ')?;
                        Some((commit, number.parse().ok()?, phase.to_owned()))
                    });
                    branches.steps.insert(own.to_owned(), own_steps.collect());
                }
                None => {
                    branches.landed = commits.filter(|(.., step)| step == "land").map(|(_, task, _)| task).collect()
                }
            }
        }
        branches
    }

    /// Panics unless each task's steps are numbered 1, 2, 3 and no task landed twice.
    #[track_caller]
    pub fn check(&self) {
        for (task, steps) in &self.steps {
            let numbers: Vec<u32> = steps.iter().map(|(_, number, _)| *number).collect();
            let wanted: Vec<u32> = (1..=steps.len() as u32).collect();
            assert_eq!(numbers, wanted, "steps of {task}: {steps:?}");
        }
        let once: BTreeSet<&String> = self.landed.iter().collect();
        assert_eq!(once.len(), self.landed.len(), "landed twice: {:?}", self.landed);
    }

    /// Panics unless all that `before` had is still here, the same commits.
    #[track_caller]
    pub fn check_keeps(&self, before: &Self) {
        for (task, steps) in &before.steps {
            let now = self.steps.get(task).map(Vec::as_slice).unwrap_or_default();
            assert!(now.starts_with(steps), "steps of {task} were {steps:?} and are {now:?}");
        }
        assert!(self.landed.starts_with(&before.landed), "{:?} had landed, now {:?}", before.landed, self.landed);
    }

    /// Task, phase and attempt of every step that a phase of a worker made.
    pub fn attempts(&self) -> BTreeSet<(String, String, u32)> {
        let mut attempts = BTreeSet::new();
        for (task, steps) in &self.steps {
            let mut counts: BTreeMap<&String, u32> = BTreeMap::new();
            for (.., phase) in steps {
                let count = counts.entry(phase).or_default();
                *count += 1;
                attempts.insert((task.clone(), phase.clone(), *count));
            }
        }
        attempts
    }

    /// How often agents were run for each of the steps here.
    pub fn runs(&self, runs: &[AgentRun]) -> BTreeMap<(String, String, u32), usize> {
        let attempts = self.attempts().into_iter();
        let count = |(task, phase, attempt): &(String, String, u32)| {
            runs.iter().filter(|run| run.task == *task && run.phase == *phase && run.attempt == *attempt).count()
        };
        attempts.map(|attempt| (attempt.clone(), count(&attempt))).collect()
    }
}

impl Sandbox {
    /// The code on a branch by path, without notes, which differ from run to run.
    pub fn content(&self, branch: &str) -> BTreeMap<String, String> {
        let list = self.git(&["ls-tree", "-r", branch]);
        let entries = list.lines().filter_map(|line| {
            let (object, path) = line.split_once('\t')?;
            Some((path.to_owned(), object.to_owned()))
        });
        entries.filter(|(path, _)| !path.starts_with(".handoff/") && !path.starts_with("notes/")).collect()
    }

    /// What `status --json` says.
    #[track_caller]
    pub fn status(&self) -> serde_json::Value {
        let ended = self.run(&["status", "--json"]);
        serde_json::from_str(&ended.expect(0).stdout).expect("JSON")
    }

    /// Those of agents' tokens that are in no commit of any ref.
    pub fn lost_tokens(&self) -> Vec<String> {
        let tokens = self.tokens();
        if tokens.is_empty() {
            return Vec::new();
        }
        let words = ["log", "--all", "--full-history", "-m", "--format=", "-p", "--unified=0", "--", "notes"];
        let added = self.git(&words);
        let kept: BTreeSet<&str> = added.lines().filter_map(|line| line.strip_prefix('+')).collect();
        tokens.into_iter().filter(|token| !kept.contains(token.as_str())).collect()
    }
}
