//! What waits for a person: why, and what to type.
//! Knows nothing of how a decision is carried out.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    gate,
    log::finding,
    look::{Ink, Look},
};
use crate::{
    model::{
        money::Money,
        object::CommitId,
        record::{GateVerdict, Record},
        task::TaskId,
        verdict::RequiredChange,
        workflow::PhaseId,
    },
    text,
};

/// One thing a person can type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The whole command.
    pub command: String,
    /// What it does.
    pub does: String,
}

/// One phase that waits for a person.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewItem {
    /// The task.
    pub task: TaskId,
    /// Its title.
    pub title: String,
    /// The phase.
    pub phase: PhaseId,
    /// Why it is held.
    pub why: String,
    /// The commit of the task's last step, to look at.
    pub commit: Option<CommitId>,
    /// What its last reviewer requires.
    pub findings: Vec<RequiredChange>,
    /// What its gate said last.
    pub gate: Option<GateVerdict>,
    /// What its last step said of itself.
    pub summary: String,
    /// What can be typed.
    pub choices: Vec<Choice>,
}

/// Whether a person's approval can stand for what a phase owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approvable {
    /// It is a review: its verdict can be overruled.
    Yes,
    /// It is work or a gate: it is done again or skipped.
    No,
    /// It waits for a word on what its task may cost in all: that much would do.
    Money(Money),
}

impl ReviewItem {
    /// A phase that waits; `last` is the record of the last step made for it.
    pub fn new(
        task: TaskId,
        title: String,
        phase: PhaseId,
        why: String,
        approvable: Approvable,
        last: Option<&Record>,
    ) -> Self {
        let review = format!("git orchestrate review {task} {phase}");
        let mut choices = Vec::new();
        let mut choice = |rest: &str, does: &str| {
            choices.push(Choice { command: format!("{review} {rest}"), does: does.to_owned() });
        };
        match approvable {
            Approvable::Yes => choice("--approve", "overrule the review: it counts as passed"),
            Approvable::No => {}
            Approvable::Money(usd) => choice("--approve", &format!("let the task cost up to {usd} in all")),
        }
        match approvable {
            Approvable::Yes | Approvable::No => {
                choice("--feedback \"…\"", "try again with your advice");
                choice("--retry", "try again as it is");
                choice("--skip", "pass over this phase");
                choice("--abort", "give up the task");
            }
            // What has not begun is not given up by a step.
            Approvable::Money(_) => {}
        }
        Self {
            task,
            title,
            phase,
            why,
            commit: None,
            findings: last.and_then(Record::verdict).map(|v| v.required_changes.clone()).unwrap_or_default(),
            gate: last.and_then(|last| last.gate.clone()),
            summary: last.map(|last| last.summary.clone()).unwrap_or_default(),
            choices,
        }
    }
}

/// What waits for a person.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReviewView {
    /// Phase by phase.
    pub items: Vec<ReviewItem>,
}

/// Writes it for people.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &ReviewView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if view.items.is_empty() {
        return writeln!(out, "nothing waits for a person");
    }
    for (at, item) in view.items.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        let task = look.paint(Ink::Strong, item.task.as_str());
        writeln!(out, "{task}  {}  {}", look.paint(Ink::Warn, item.phase.as_str()), text::clean_line(&item.title))?;
        writeln!(out, "  {}", text::clean_line(&item.why))?;
        for change in &item.findings {
            writeln!(out, "  - {}", finding(change))?;
        }
        if let Some(verdict) = &item.gate {
            let mut shown = Vec::new();
            gate::write(verdict, &|_| None, look, &mut shown)?;
            String::from_utf8_lossy(&shown).lines().try_for_each(|line| writeln!(out, "  {line}"))?;
        }
        if let Some(commit) = item.commit {
            let look_at = format!("git show {}", commit.short());
            writeln!(out, "  to look at it: {look_at}")?;
        }
        let widest = item.choices.iter().map(|choice| text::width(&choice.command)).max().unwrap_or(0);
        for Choice { command, does } in &item.choices {
            let pad = " ".repeat(widest - text::width(command));
            writeln!(out, "    {command}{pad}  {}", look.paint(Ink::Faint, does))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_says_why_and_what_to_type() {
        let item = |approvable| {
            ReviewItem::new(
                "api".parse().expect("an id"),
                "Add an API".to_owned(),
                "code-review".parse().expect("a phase"),
                "sent back 4 times".to_owned(),
                approvable,
                None,
            )
        };
        let mut out = Vec::new();
        write(&ReviewView { items: vec![item(Approvable::Yes)] }, Look::default(), &mut out).expect("a Vec takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "api  code-review  Add an API
  sent back 4 times
    git orchestrate review api code-review --approve       overrule the review: it counts as passed
    git orchestrate review api code-review --feedback \"…\"  try again with your advice
    git orchestrate review api code-review --retry         try again as it is
    git orchestrate review api code-review --skip          pass over this phase
    git orchestrate review api code-review --abort         give up the task
"
        );
        assert!(item(Approvable::No).choices.iter().all(|choice| !choice.command.ends_with("--approve")));
    }
}
