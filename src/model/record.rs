//! The record of a step: the evidence that a step's commit carries, and all that `apply` needs to know of it.
//! Knows nothing of JSON or of commits; `handoff` writes it, `git` commits it.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    money::{Money, Tokens},
    object::{BlobId, CommitId, Digest, TreeId},
    plan::Plan,
    task::{TaskId, word_enum},
    verdict::Verdict,
    workflow::PhaseId,
};

/// The version of the format that this program writes.
pub const RECORD_SCHEMA: u32 = 1;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What the phase owed is there.
    Done,
    /// A review asks for changes.
    Changes,
    /// A review rejects; a person must decide.
    Rejected,
    /// The work is not good: the attempt failed, the gate refused.
    Failed,
    /// Nothing can be said of the work: the agent, the reviewer or the check could not do its part.
    Infra,
}

word_enum!(Outcome { Done = "done", Changes = "changes", Rejected = "rejected", Failed = "failed", Infra = "infra" });

/// A family of models: `anthropic`, `openai`, `google` …; no author is reviewed by its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Family(pub String);

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// Who did a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Actor {
    /// An agent.
    Agent {
        /// Its name in the configuration.
        name: String,
        /// The adapter that drives it.
        adapter: String,
        /// The version of the program, as far as it tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// The model, as the agent reports it, else as it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// The model's family.
        family: Family,
    },
    /// A gate profile.
    Gate {
        /// The profile.
        profile: String,
    },
    /// A person, by the identity git knows.
    Person {
        /// Name and address.
        identity: String,
    },
    /// The landing.
    Land,
}

impl Actor {
    /// A short name for a line of the log.
    pub fn name(&self) -> &str {
        match self {
            Self::Agent { name, .. } => name,
            Self::Gate { profile } => profile,
            Self::Person { .. } => "person",
            Self::Land => "land",
        }
    }
}

/// What a person decided about a held phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "lowercase")]
pub enum Decision {
    /// It counts as passed.
    Approve,
    /// It is tried again, with this advice.
    Retry {
        /// May be empty.
        feedback: String,
    },
    /// It is passed over.
    Skip,
    /// The task may cost this much in all.
    Allow {
        /// Dollars.
        usd: Money,
    },
    /// The task ends here.
    Abort {
        /// Why, may be empty.
        reason: String,
    },
}

/// The document a step produced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Document {
    /// Of a planner.
    Plan(Plan),
    /// Of a reviewer.
    Verdict(Verdict),
    /// Of any other reading phase.
    Report(String),
}

/// How one check of a gate ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckResult {
    /// It ran and is content.
    Pass,
    /// It ran and refuses.
    Fail,
    /// It could not run, or was cut short.
    #[default]
    Infra,
}

word_enum!(CheckResult { Pass = "pass", Fail = "fail", Infra = "infra" });

/// What a gate found wrong, or worth knowing, in what a check said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateRule {
    /// A test fails that did not fail on the base.
    Tests,
    /// Fewer tests ran than on the base.
    TestsGone,
    /// A test is skipped that ran on the base.
    TestsSkipped,
    /// A warning that the base does not have.
    Warnings,
    /// Less of the code is covered by tests than on the base.
    Coverage,
    /// Less of the changed lines is covered than of the base as a whole.
    ChangedCoverage,
    /// The public interface broke.
    Api,
    /// A test failed and then, on the same tree, passed.
    Flaky,
    /// The exit code alone.
    Exit,
    /// The base could not be measured.
    Base,
}

word_enum!(GateRule {
    Tests = "tests",
    TestsGone = "tests_gone",
    TestsSkipped = "tests_skipped",
    Warnings = "warnings",
    Coverage = "coverage",
    ChangedCoverage = "changed_coverage",
    Api = "api",
    Flaky = "flaky",
    Exit = "exit",
    Base = "base"
});

/// Whether a finding refuses the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// It refuses.
    Block,
    /// It is told.
    Warn,
}

word_enum!(Weight { Block = "block", Warn = "warn" });

/// One thing that the judge found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// By which rule.
    pub rule: GateRule,
    /// Whether it refuses the work.
    pub weight: Weight,
    /// One line for people: a test's name, a warning's text.
    pub what: String,
    /// The tool's own name for it, such as `clippy::needless_return`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The file, relative to the root where the tool says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// How many tests a check ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCounts {
    /// Those that ran.
    pub run: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Those that were left out.
    pub skipped: u64,
}

/// How much of some lines is covered by tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveredLines {
    /// Lines that ran.
    pub covered: u64,
    /// Lines that could.
    pub total: u64,
}

/// The numbers of a check, read from what its tool printed or wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// The formats that it was read as, such as `cargo-test`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<String>,
    /// Its tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestCounts>,
    /// Its warnings, errors of linters among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<u64>,
    /// The coverage of all files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<CoveredLines>,
    /// The coverage of the lines that the change added or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_coverage: Option<CoveredLines>,
}

/// One check of a gate, after it ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name in the profile.
    pub name: String,
    /// How it ended.
    pub result: CheckResult,
    /// The program's exit code, if it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
    /// One line for people: `2 of 148 tests failed`, `exit code 1`, `no program 'cargo'`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The end of its output, cleaned and cut.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// What its output says in numbers; none: it counts by its exit code alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
    /// What the judge found, what refuses first; of too many the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// What a gate said of one tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateVerdict {
    /// The profile.
    pub profile: String,
    /// The digest of its definition.
    pub definition: Digest,
    /// The code tree that was judged.
    pub tree: TreeId,
    /// The worst of the checks: fail before infra before pass.
    pub result: CheckResult,
    /// Whether it was remembered from an earlier run on the same tree.
    #[serde(default)]
    pub remembered: bool,
    /// The code tree whose numbers it was compared with; none: there was nothing to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<TreeId>,
    /// Why this profile, where the size of the change chose it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Every check.
    pub checks: Vec<Check>,
}

/// How a file was changed by a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its content or mode is other.
    Modified,
    /// It is gone.
    Deleted,
}

/// A file that a step changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Relative to the root, with `/`; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// How.
    pub change: ChangeKind,
}

/// A file that was not taken into the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFile {
    /// Relative to the root.
    pub path: String,
    /// Why, for people.
    pub reason: String,
}

/// A file whose content was given to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextFile {
    /// Relative to the root.
    pub path: String,
    /// Its content then.
    pub blob: BlobId,
}

/// What an agent was asked for within a step that took several questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To turn the task into a brief.
    Brief,
    /// To do the work.
    Work,
    /// To mend what was found wrong with the work.
    Mend,
}

word_enum!(Purpose { Brief = "brief", Work = "work", Mend = "mend" });

/// What an agent's program used of the machine, with all that it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The most memory at one time, bytes.
    pub memory_bytes_max: u64,
    /// Processor time, milliseconds.
    pub cpu_ms: u64,
}

impl Usage {
    /// That of two, one after the other.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self { memory_bytes_max: self.memory_bytes_max.max(next.memory_bytes_max), cpu_ms: self.cpu_ms + next.cpu_ms }
    }
}

/// One question to one agent, of a step that took several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCall {
    /// What for.
    pub purpose: Purpose,
    /// The agent's name in the configuration.
    pub agent: String,
    /// The model, as the agent reports it, else as it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The model's family; it counts as an author of the step.
    pub family: Family,
    /// Milliseconds.
    pub duration_ms: u64,
    /// Tokens of this question; the record's own are the sum.
    #[serde(default)]
    pub tokens: Tokens,
    /// Dollars; none: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Money>,
}

/// Everything worth keeping of one step. Times are evidence only; order comes from `seq` and the parents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`RECORD_SCHEMA`].
    pub schema: u32,
    /// The task.
    pub task: TaskId,
    /// 1 for the first step of the task, then one more each.
    pub seq: u32,
    /// The phase.
    pub phase: PhaseId,
    /// 1 for the first attempt at the phase, counted over all rounds.
    pub attempt: u32,
    /// The role, if the phase has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Who did it.
    pub actor: Actor,
    /// One line, why this agent was chosen: the rule, who was passed over, what history said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub chosen: String,
    /// The agent's session, by its own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The commit whose code the step started from.
    pub base: CommitId,
    /// The code tree (the commit's tree without `.handoff/`) after the step.
    pub code: TreeId,
    /// The digest of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Digest>,
    /// What was read into the prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<ContextFile>,
    /// RFC 3339, UTC.
    pub started: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// Tokens of all model calls.
    #[serde(default)]
    pub tokens: Tokens,
    /// Dollars; none: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Money>,
    /// What the agent's program used of the machine; none: not known, or no program of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The questions that it took, in their order, where several agents did it together; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ModelCall>,
    /// How it ended.
    pub outcome: Outcome,
    /// One line for people, why it ended so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What it produced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// What the gate said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateVerdict>,
    /// The text whose digest the verdict's `definition` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// What the person decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// For `land`: the commit on which the work is redone. For the first code of a task: the commit that its changes are made
    /// on from now on, where others have landed since it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_base: Option<CommitId>,
    /// What goes back to the author: a gate's output, a conflict, a person's advice.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub feedback: String,
    /// The agent's last words, cleaned and cut.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Files it changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<ChangedFile>,
    /// Files that were not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedFile>,
    /// The digest of the checkpoint file before this step; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_before: Option<Digest>,
}

impl Record {
    /// The record of a step that has just begun: who does what, on which code, and when it began. How it ended is for the
    /// caller to say; its number is given when it is committed.
    pub fn begin(task: TaskId, phase: PhaseId, actor: Actor, base: CommitId, code: TreeId, started: String) -> Self {
        Self {
            schema: RECORD_SCHEMA,
            task,
            seq: 0,
            phase,
            attempt: 1,
            role: None,
            actor,
            chosen: String::new(),
            session: None,
            base,
            code,
            prompt: None,
            context: Vec::new(),
            started,
            duration_ms: 0,
            tokens: Tokens::default(),
            cost_usd: None,
            usage: None,
            calls: Vec::new(),
            outcome: Outcome::Done,
            reason: String::new(),
            document: None,
            gate: None,
            definition: None,
            decision: None,
            new_base: None,
            feedback: String::new(),
            summary: String::new(),
            changed: Vec::new(),
            refused: Vec::new(),
            checkpoint_before: None,
        }
    }

    /// Everything in it that somebody wrote or a program printed, to be changed in place: not ids, paths, digests or what a
    /// digest is of.
    pub fn words(&mut self, change: &mut dyn FnMut(&mut String)) {
        [&mut self.reason, &mut self.feedback, &mut self.summary].into_iter().for_each(&mut *change);
        match &mut self.document {
            Some(Document::Plan(plan)) => {
                change(&mut plan.summary);
                for step in &mut plan.steps {
                    change(&mut step.title);
                    change(&mut step.detail);
                    step.acceptance.iter_mut().for_each(&mut *change);
                }
            }
            Some(Document::Verdict(verdict)) => {
                change(&mut verdict.summary);
                verdict.suggestions.iter_mut().for_each(&mut *change);
                verdict.criteria.iter_mut().for_each(|criterion| change(&mut criterion.evidence));
                for required in &mut verdict.required_changes {
                    [&mut required.what, &mut required.place, &mut required.why].into_iter().for_each(&mut *change);
                }
            }
            Some(Document::Report(report)) => change(report),
            None => {}
        }
        for check in self.gate.iter_mut().flat_map(|gate| &mut gate.checks) {
            change(&mut check.reason);
            change(&mut check.output);
        }
        match &mut self.decision {
            Some(Decision::Retry { feedback: text } | Decision::Abort { reason: text }) => change(text),
            Some(Decision::Approve | Decision::Skip | Decision::Allow { .. }) | None => {}
        }
    }

    /// How long it took.
    pub fn duration(&self) -> Duration {
        Duration::from_millis(self.duration_ms)
    }

    /// The families of all models that had a part in it.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        let own = match &self.actor {
            Actor::Agent { family, .. } => Some(family),
            Actor::Gate { .. } | Actor::Person { .. } | Actor::Land => None,
        };
        own.into_iter().chain(self.calls.iter().map(|call| &call.family))
    }

    /// The verdict it carries.
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.document {
            Some(Document::Verdict(verdict)) => Some(verdict),
            _ => None,
        }
    }
}

/// Families, for who may not review.
pub type Families = BTreeSet<Family>;

/// Families in one word for a column: `anthropic`, `anthropic+zhipu`.
pub fn joined(families: &Families) -> String {
    families.iter().map(|family| family.0.as_str()).collect::<Vec<_>>().join("+")
}
