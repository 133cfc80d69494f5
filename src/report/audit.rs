//! What an audit found, for people and for programs.
//! Knows nothing of how it was found.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    look::{Ink, Look},
    table::{self, Cell, numbers, words},
    task::word,
};
use crate::{
    model::{
        object::CommitId,
        task::{TaskId, word_enum},
        workflow::PhaseId,
    },
    text,
};

/// Findings that are printed for people; the rest is counted.
const FINDINGS_SHOWN_MAX: usize = 100;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It was looked at, and is as it must be.
    Ok,
    /// What would prove it is not there.
    Absent,
    /// It is not as it must be.
    Fail,
}

word_enum!(Standing { Ok = "ok", Absent = "absent", Fail = "fail" });

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// An object is missing, is not what its name says, or is not well made.
    Object,
    /// git would show another history than the one that is there: replaced, grafted, cut off.
    History,
    /// A commit is not signed, or its signature does not fit.
    Signature,
    /// It is signed, by a key that nobody outside of what is audited trusts.
    Signer,
    /// No keys are known but those that what is audited brings along.
    Trust,
    /// The commits of a task are not one line from its first step to its last.
    Chain,
    /// Its steps are not 1, 2, 3 …: one is missing, there twice, or at another place.
    Order,
    /// A branch was moved back, or to another history.
    Rewound,
    /// A commit says that it is a step or a landing, and carries no evidence of it.
    Claim,
    /// Files of the program were changed by what may not change them.
    Handoff,
    /// A record cannot be read, or does not fit its commit.
    Record,
    /// The message says something else than the record.
    Trailers,
    /// The code is not the code that the record names.
    Code,
    /// The files that changed are not those that the record names.
    Changes,
    /// The state is not what follows from the state before and the record.
    Checkpoint,
    /// A verdict is on another tree, or does not fit what was made of it.
    Gate,
    /// A verdict was given by another definition than the one in force.
    Definition,
    /// A review was made by the author's own family or session.
    Reviewer,
    /// What was landed is not what was gated.
    Landing,
    /// A protected file was changed.
    Protected,
    /// A file has a name, or is of a kind, that can do harm where it is checked out.
    Tree,
}

word_enum!(Rule {
    Object = "object",
    History = "history",
    Signature = "signature",
    Signer = "signer",
    Trust = "trust",
    Chain = "chain",
    Order = "order",
    Rewound = "rewound",
    Claim = "claim",
    Handoff = "handoff",
    Record = "record",
    Trailers = "trailers",
    Code = "code",
    Changes = "changes",
    Checkpoint = "checkpoint",
    Gate = "gate",
    Definition = "definition",
    Reviewer = "reviewer",
    Landing = "landing",
    Protected = "protected",
    Tree = "tree"
});

/// Something that is not as it must be. Its texts are clean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub rule: Rule,
    /// `absent` or `fail`.
    pub standing: Standing,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The step's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// The file, relative to the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What is wrong, without a full stop.
    pub what: String,
    /// What to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What kind of commit a link is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum LinkKind {
    /// A step of a task.
    Step {
        /// The task.
        task: TaskId,
        /// Its number.
        step: u32,
        /// Its phase.
        phase: PhaseId,
    },
    /// The merge of a task, or of the integration branch into a person's.
    Landing {
        /// The task, if it is one's.
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
    },
    /// A commit of a person: not judged, but for what it may not touch.
    Person,
}

/// One commit that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Its name.
    pub commit: CommitId,
    /// What it is.
    #[serde(flatten)]
    pub kind: LinkKind,
    /// How it stands, with all that is said of it.
    pub result: Standing,
}

impl Link {
    /// The task that it is of.
    pub fn task(&self) -> Option<&TaskId> {
        match &self.kind {
            LinkKind::Step { task, .. } | LinkKind::Landing { task: Some(task) } => Some(task),
            LinkKind::Landing { task: None } | LinkKind::Person => None,
        }
    }
}

/// Whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustView {
    /// Where the keys are from, a phrase each.
    pub sources: Vec<String>,
    /// Whether the keys are from what is audited itself.
    pub first_use: bool,
    /// What was read and has no effect, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Everything an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditView {
    /// How it all stands: the worst of what was found.
    pub result: Standing,
    /// Whose signatures count.
    pub trust: TrustView,
    /// Every commit, the newest first.
    pub links: Vec<Link>,
    /// What is wrong, the gravest of each commit first.
    pub findings: Vec<Finding>,
}

impl AuditView {
    /// Whether nothing was there to look at.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.findings.is_empty()
    }

    /// Leaves what is of one task, and what is of all.
    pub fn keep_task(&mut self, task: &TaskId) {
        self.links.retain(|link| link.task() == Some(task));
        let left: Vec<CommitId> = self.links.iter().map(|link| link.commit).collect();
        self.findings.retain(|finding| match (&finding.task, finding.commit) {
            (Some(of), _) => of == task,
            (None, commit) => commit.is_none_or(|commit| left.contains(&commit)),
        });
        self.result = self.findings.iter().map(|finding| finding.standing).max().unwrap_or(Standing::Ok);
    }

    /// Steps, landings and persons' commits.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&LinkKind) -> bool| self.links.iter().filter(|link| wanted(&link.kind)).count();
        (
            count(|kind| matches!(kind, LinkKind::Step { .. })),
            count(|kind| matches!(kind, LinkKind::Landing { .. })),
            count(|kind| matches!(kind, LinkKind::Person)),
        )
    }
}

/// Writes it for people: a line a task, then what was found, then one line that says how it stands.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &AuditView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", look.paint(Ink::Faint, &format!("keys: {}", view.trust.sources.join(", "))))?;
    let rows = rows(view);
    if !rows.is_empty() {
        let (headings, lines) = table::lines(look, &[words("TASK"), numbers("COMMITS"), words("RESULT")], &rows);
        writeln!(out, "{headings}")?;
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    for finding in view.findings.iter().take(FINDINGS_SHOWN_MAX) {
        write_finding(finding, look, out)?;
    }
    if let Some(more) = view.findings.len().checked_sub(FINDINGS_SHOWN_MAX).filter(|more| *more > 0) {
        writeln!(out, "\nand {more} more: git orchestrate verify --json")?;
    }
    let (steps, landings, persons) = view.counts();
    let mut counted = vec![text::count(steps as u64, "step"), text::count(landings as u64, "landing")];
    if persons > 0 {
        counted.push(format!("{} of people, not judged", text::count(persons as u64, "commit")));
    }
    let said = match view.result {
        Standing::Ok => "all is as it was recorded".to_owned(),
        Standing::Absent | Standing::Fail => text::count(view.findings.len() as u64, "finding"),
    };
    let ink = ink(view.result);
    if view.result != Standing::Ok {
        writeln!(out)?;
    }
    writeln!(out, "{}: {}", counted.join(", "), look.paint(ink, &said))
}

fn ink(standing: Standing) -> Ink {
    match standing {
        Standing::Ok => Ink::Good,
        Standing::Absent => Ink::Warn,
        Standing::Fail => Ink::Bad,
    }
}

fn rows(view: &AuditView) -> Vec<Vec<Cell>> {
    let mut rows: Vec<(String, usize, Standing)> = Vec::new();
    let mut add = |name: String, result: Standing| match rows.iter_mut().find(|(known, ..)| *known == name) {
        Some((_, count, worst)) => (*count, *worst) = (*count + 1, result.max(*worst)),
        None => rows.push((name, 1, result)),
    };
    for link in &view.links {
        match &link.kind {
            LinkKind::Step { task, .. } => add(task.to_string(), link.result),
            LinkKind::Landing { .. } => add("(landings)".to_owned(), link.result),
            LinkKind::Person if link.result != Standing::Ok => add("(people)".to_owned(), link.result),
            LinkKind::Person => {}
        }
    }
    rows.sort();
    let row = |(name, count, result): (String, usize, Standing)| {
        vec![name.into(), count.to_string().into(), Cell::new(ink(result), result.word())]
    };
    rows.into_iter().map(row).collect()
}

/// Writes one finding: what, where, and what to type.
///
/// # Errors
/// When `out` does not take it.
pub fn write_finding(finding: &Finding, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let level = match finding.standing {
        Standing::Fail => look.paint(Ink::Bad, "error:"),
        Standing::Absent | Standing::Ok => look.paint(Ink::Warn, "absent:"),
    };
    writeln!(out, "\n{level} {}: {}", subject(finding), finding.what)?;
    let place: Vec<String> = [
        finding.commit.map(|commit| format!("commit {commit}")),
        finding.file.clone(),
        Some(format!("rule '{}'", finding.rule)),
    ]
    .into_iter()
    .flatten()
    .collect();
    writeln!(out, "  at {}", place.join(", "))?;
    if let Some(hint) = &finding.hint {
        writeln!(out, "{} {hint}", look.paint(Ink::Strong, "hint:"))?;
    }
    Ok(())
}

fn subject(finding: &Finding) -> String {
    match (&finding.task, finding.step, finding.commit) {
        (Some(task), Some(step), _) => format!("step {step} of {task}"),
        (Some(task), None, _) => task.to_string(),
        (None, _, Some(commit)) => format!("commit {}", commit.short()),
        (None, _, None) => "this repository".to_owned(),
    }
}

/// One line of the exported trail: a step or a landing, and how it stands.
#[derive(Debug, Clone, Serialize)]
pub struct TrailLine<'a> {
    /// The version of the line's form.
    pub schema: u32,
    /// The commit.
    pub commit: CommitId,
    /// What it is.
    #[serde(flatten)]
    pub kind: &'a LinkKind,
    /// How it stands.
    #[serde(serialize_with = "word")]
    pub result: Standing,
    /// What its signature is worth: `good`, `unknown key`, `bad`, `none`, `unchecked`.
    pub signature: &'static str,
    /// The key that made it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<&'a Finding>,
    /// The record as the commit has it; none if it has none that is JSON.
    pub record: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_what_where_and_what_to_type() {
        let task: TaskId = "api".parse().expect("an id");
        let phase: PhaseId = "implement".parse().expect("a phase");
        let commit: CommitId = "1".repeat(40).parse().expect("a name");
        let step = LinkKind::Step { task: task.clone(), step: 2, phase };
        let link = |kind: &LinkKind, result| Link { commit, kind: kind.clone(), result };
        let view = AuditView {
            result: Standing::Fail,
            trust: TrustView { sources: vec!["this machine's key".to_owned()], first_use: false, notes: vec![] },
            links: vec![
                link(&step, Standing::Ok),
                link(&step, Standing::Fail),
                link(&LinkKind::Landing { task: None }, Standing::Ok),
                link(&LinkKind::Person, Standing::Ok),
            ],
            findings: vec![Finding {
                rule: Rule::Signature,
                standing: Standing::Fail,
                commit: Some(commit),
                task: Some(task),
                step: Some(2),
                file: None,
                what: "it is not signed".to_owned(),
                hint: Some("git show 1111111111".to_owned()),
            }],
        };
        let mut out = Vec::new();
        write(&view, Look::default(), &mut out).expect("a Vec takes all");
        let expected = "\
keys: this machine's key
TASK        COMMITS  RESULT
(landings)        1  ok
api               2  fail

error: step 2 of api: it is not signed
  at commit 1111111111111111111111111111111111111111, rule 'signature'
hint: git show 1111111111

2 steps, 1 landing, 1 commit of people, not judged: 1 finding
";
        assert_eq!(String::from_utf8(out).expect("text"), expected);
    }
}
