//! Findings as they are made: about one commit, in clean words.
//! Knows nothing of what is looked for.

use crate::{
    git::Unreadable,
    model::{object::CommitId, task::TaskId},
    report::audit::{Finding, Rule, Standing},
    text,
};

/// Characters of foreign text that a finding quotes.
const QUOTED_CHARS_MAX: usize = 200;

/// What findings are about.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The commit.
    pub commit: Option<CommitId>,
    /// The task.
    pub task: Option<TaskId>,
    /// The step.
    pub step: Option<u32>,
}

impl About {
    /// Of a commit that belongs to no task.
    pub fn commit(commit: CommitId) -> Self {
        Self { commit: Some(commit), ..Self::default() }
    }

    /// Of a step.
    pub fn step(commit: CommitId, task: &TaskId, step: u32) -> Self {
        Self { commit: Some(commit), task: Some(task.clone()), step: Some(step) }
    }

    /// Of a task, at a commit.
    pub fn task(commit: CommitId, task: &TaskId) -> Self {
        Self { commit: Some(commit), task: Some(task.clone()), step: None }
    }

    /// Something is wrong.
    pub fn fail(&self, rule: Rule, what: impl AsRef<str>) -> Finding {
        self.finding(rule, Standing::Fail, what.as_ref())
    }

    /// What would prove it is not there.
    pub fn absent(&self, rule: Rule, what: impl AsRef<str>) -> Finding {
        self.finding(rule, Standing::Absent, what.as_ref())
    }

    /// An object that cannot be taken as evidence. What is missing behind the end of a shallow clone proves nothing bad.
    pub fn unreadable(&self, error: &Unreadable, is_cut_off: bool) -> Finding {
        match error {
            Unreadable::Missing { .. } if is_cut_off => self
                .absent(Rule::History, format!("the history is cut off here: {error}"))
                .hint("git fetch --unshallow"),
            Unreadable::Missing { .. } => self.fail(Rule::Object, error.to_string()).hint("git fsck"),
            Unreadable::NotItsName { .. } | Unreadable::Malformed { .. } => {
                self.fail(Rule::Object, error.to_string()).hint("git fsck --strict")
            }
        }
    }

    fn finding(&self, rule: Rule, standing: Standing, what: &str) -> Finding {
        Finding {
            rule,
            standing,
            commit: self.commit,
            task: self.task.clone(),
            step: self.step,
            file: None,
            what: text::clean_line(what),
            hint: self.commit.map(|commit| format!("git show {}", commit.short())),
        }
    }
}

impl Finding {
    /// With the file it is about.
    pub(super) fn file(mut self, file: impl AsRef<str>) -> Self {
        self.file = Some(quoted(file.as_ref()));
        self
    }

    /// With another thing to type.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Foreign text, clean, on one line and not too long.
pub fn quoted(foreign: &str) -> String {
    let clean = text::clean_line(foreign);
    match clean.char_indices().nth(QUOTED_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}
