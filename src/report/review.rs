//! What waits for a person: why, and what to type.
//! Knows nothing of how a decision is carried out.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::{Serialize, Serializer};

use super::{
    gate,
    log::finding,
    look::{Ink, Look},
};
use crate::{
    model::{
        checkpoint::TaskState,
        money::Money,
        object::CommitId,
        record::{GateVerdict, Record},
        task::TaskId,
        verdict::RequiredChange,
        workflow::PhaseId,
    },
    text,
};

/// Characters of a reason by which phases are told to wait for the same one.
const REASON_CHARS_MAX: usize = 60;

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
    /// What its task would have to be allowed to cost in all, if that is what it waits for.
    #[serde(skip)]
    pub money: Option<Money>,
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
            money: match approvable {
                Approvable::Money(usd) => Some(usd),
                Approvable::Yes | Approvable::No => None,
            },
        }
    }

    /// Whether this can be typed for it: `--retry`.
    pub fn offers(&self, option: &str) -> bool {
        self.choices.iter().any(|choice| choice.command.split(' ').any(|word| word == option))
    }
}

/// What waits for a person.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReviewView {
    /// Phase by phase.
    pub items: Vec<ReviewItem>,
}

/// What was decided, or would be, for all that wait.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DecidedView {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Phase by phase.
    pub decided: Vec<Decided>,
    /// Phases of the selection for which it could not be decided.
    pub left: Vec<Left>,
}

/// One decision.
#[derive(Debug, Clone, Serialize)]
pub struct Decided {
    /// The task.
    pub task: TaskId,
    /// The phase.
    pub phase: PhaseId,
    /// Why it waited.
    pub why: String,
    /// The step that notes the decision; none in a dry run.
    pub commit: Option<CommitId>,
    /// The task's state then; none in a dry run.
    #[serde(serialize_with = "word_option")]
    pub state: Option<TaskState>,
}

fn word_option<S: Serializer>(state: &Option<TaskState>, to: S) -> Result<S::Ok, S::Error> {
    state.map(|state| state.to_string()).serialize(to)
}

/// One that was not made.
#[derive(Debug, Clone, Serialize)]
pub struct Left {
    /// The task.
    pub task: TaskId,
    /// The phase.
    pub phase: PhaseId,
    /// Why it still waits.
    pub because: String,
}

impl ReviewView {
    /// The one reason for which most phases wait, if more than one does, with their number. Where they end otherwise, it is the
    /// beginning.
    fn shared_reason(&self) -> Option<(&str, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for item in self.items.iter().filter(|item| item.offers("--retry")) {
            let line = item.why.lines().next().unwrap_or_default();
            let reason = line.char_indices().nth(REASON_CHARS_MAX).map_or(line, |(end, _)| line[..end].trim_end());
            *counts.entry(reason).or_default() += 1;
        }
        counts.into_iter().filter(|(reason, count)| *count > 1 && !reason.is_empty()).max_by_key(|(_, count)| *count)
    }
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
    if let Some((reason, count)) = view.shared_reason() {
        let quoted = text::clean_line(reason).replace('\'', "'\\''");
        writeln!(out, "\n{count} wait for the same reason; to try them all again, once it is put right:")?;
        writeln!(out, "    git orchestrate review --all --why '{quoted}' --retry")?;
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
        assert!(item(Approvable::Yes).offers("--approve") && !item(Approvable::No).offers("--approve"));
        let mut out = Vec::new();
        let mut items = vec![item(Approvable::No), item(Approvable::No), item(Approvable::No)];
        items[0].why = format!("it's {}, a", "long".repeat(20));
        items[2].why = format!("it's {}, b", "long".repeat(20));
        write(&ReviewView { items }, Look::default(), &mut out).expect("a Vec takes all");
        let said = String::from_utf8_lossy(&out).into_owned();
        let last = format!("--all --why 'it'\\''s {}l' --retry\n", "long".repeat(13) + "lon").replace("lonl'", "lon'");
        assert!(said.contains("\n2 wait for the same reason;") && said.ends_with(&last), "{said}");
    }
}
