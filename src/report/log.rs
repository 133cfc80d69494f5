//! The steps of tasks, one after another.
//! Knows nothing of where they are read, nor how many there are besides.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use super::{
    json,
    look::{Ink, Look},
    step::{SignatureView, StepView},
    table::{self, Cell, numbers, words},
    task::word,
};
use crate::{
    model::{
        checkpoint::TaskState,
        money::{Money, Tokens},
        object::CommitId,
        record::{ChangeKind, ChangedFile, ModelCall},
        task::TaskId,
    },
    text,
};

/// Lines of an agent's summary that are shown.
const SUMMARY_LINES_MAX: usize = 20;
/// Bytes of an agent's summary that are shown.
const SUMMARY_BYTES_MAX: usize = 4 << 10;

/// The steps of one task.
#[derive(Debug, Clone, Serialize)]
pub struct TaskLog {
    /// The task.
    pub task: TaskId,
    /// One line for people.
    pub title: String,
    /// How far it has come.
    #[serde(serialize_with = "word")]
    pub state: TaskState,
    /// Its steps, the first one first.
    pub steps: Vec<StepView>,
}

/// The steps of tasks, all at once.
#[derive(Debug, Clone)]
pub struct LogView {
    /// Task by task.
    pub tasks: Vec<TaskLog>,
}

/// What steps add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LogTotals {
    /// How many they are.
    pub steps: usize,
    /// Milliseconds of all added up.
    pub duration_ms: u64,
    /// What passed through models.
    pub tokens: Tokens,
    /// What is known of their cost.
    #[serde(rename = "cost_usd")]
    pub cost: Money,
    /// Steps that used tokens at a cost that is not known.
    #[serde(rename = "unknown_costs")]
    pub unknown: usize,
}

impl LogTotals {
    fn line(&self) -> String {
        let time = text::duration(Duration::from_millis(self.duration_ms));
        let mut parts = vec![format!("{} in {time}", text::count(self.steps, "step"))];
        if self.tokens.total() > 0 {
            parts.push(format!("{} tokens", text::tokens(self.tokens.total())));
        }
        if self.cost > Money::ZERO {
            parts.push(self.cost.to_string());
        }
        if self.unknown > 0 {
            parts.push(format!("{} of unknown cost", self.unknown));
        }
        parts.join(", ")
    }
}

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// A line a step.
    #[default]
    Lines,
    /// With reasons, summaries, findings and files.
    Full,
}

impl LogTotals {
    fn add(&mut self, step: &StepView) {
        self.steps += 1;
        self.duration_ms += step.duration_ms;
        self.tokens = self.tokens + step.tokens;
        self.cost = self.cost + step.cost.unwrap_or_default();
        self.unknown += usize::from(step.tokens.total() > 0 && step.cost.is_none());
    }
}

/// How a log is written.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// For people.
    Text(Look, Detail),
    /// For programs.
    Json,
}

/// Writes a log a task at a time: the first is seen before the last is read, and none is kept.
pub struct LogWriter<'a> {
    to: To<'a>,
    totals: LogTotals,
    tasks: usize,
}

enum To<'a> {
    Text(Look, Detail, &'a mut dyn Write),
    Json(json::Listing<'a>),
}

impl<'a> LogWriter<'a> {
    /// Begins.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn begin(form: Form, out: &'a mut dyn Write) -> io::Result<Self> {
        let to = match form {
            Form::Text(look, detail) => To::Text(look, detail, out),
            Form::Json => To::Json(json::Listing::begin("tasks", out)?),
        };
        Ok(Self { to, totals: LogTotals::default(), tasks: 0 })
    }

    /// The next task.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn task(&mut self, log: &TaskLog) -> io::Result<()> {
        log.steps.iter().for_each(|step| self.totals.add(step));
        self.tasks += 1;
        match &mut self.to {
            To::Json(listing) => listing.item(log),
            To::Text(look, detail, out) => {
                if self.tasks > 1 {
                    writeln!(out)?;
                }
                write_task(log, *look, *detail, *out)?;
                out.flush()
            }
        }
    }

    /// What all of it adds up to.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn end(self) -> io::Result<()> {
        match (self.to, self.totals) {
            (To::Json(listing), totals) => listing.end("totals", &totals),
            (To::Text(..), LogTotals { steps: 0, .. }) => Ok(()),
            (To::Text(_, _, out), totals) => writeln!(out, "\n{}", totals.line()),
        }
    }
}

impl LogView {
    /// Writes all of it.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn write(&self, form: Form, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = LogWriter::begin(form, out)?;
        self.tasks.iter().try_for_each(|log| writer.task(log))?;
        writer.end()
    }
}

impl TaskLog {
    /// Leaves the last `steps_max` steps.
    pub fn keep_last(&mut self, steps_max: usize) {
        self.steps.drain(..self.steps.len().saturating_sub(steps_max));
    }
}

fn write_task(log: &TaskLog, look: Look, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let state = look.paint(Ink::of_task(log.state), log.state.word());
    let task = look.paint(Ink::Strong, log.task.as_str());
    writeln!(out, "{task}  {state}  {}", text::clean_line(&log.title))?;
    let columns = [
        numbers("STEP"),
        words("PHASE"),
        words("OUTCOME"),
        words("AGENT"),
        words("MODEL"),
        numbers("TOKENS"),
        numbers("COST"),
        numbers("TIME"),
        words("COMMIT"),
        words("SIGNATURE"),
        words("WHAT"),
    ];
    let rows: Vec<Vec<Cell>> = log.steps.iter().map(row).collect();
    let (headings, lines) = table::lines(look, &columns, &rows);
    if !lines.is_empty() {
        writeln!(out, "{headings}")?;
    }
    for (step, line) in log.steps.iter().zip(lines) {
        writeln!(out, "{line}")?;
        if detail == Detail::Full {
            write_detail(step, look, out)?;
        }
    }
    Ok(())
}

fn row(step: &StepView) -> Vec<Cell> {
    let (counted, told) = step.about();
    let what: Vec<String> = counted.into_iter().chain(told).collect();
    let tokens = step.tokens.total();
    vec![
        step.seq.to_string().into(),
        step.phase.as_str().into(),
        Cell::new(step.ink(), step.word()),
        step.agent.as_str().into(),
        step.model.as_deref().unwrap_or_default().into(),
        if tokens > 0 { text::tokens(tokens) } else { String::new() }.into(),
        step.cost.map_or_else(String::new, |cost| cost.to_string()).into(),
        text::duration(Duration::from_millis(step.duration_ms)).into(),
        step.commit.as_ref().map_or_else(String::new, CommitId::short).into(),
        signature(&step.signature),
        what.join(", ").into(),
    ]
}

/// `by haiku (claude-haiku-4-5), 12.4k tok, $0.03, 41s`.
fn of_call(call: &ModelCall) -> String {
    let model = call.model.as_ref().map(|model| format!(" ({})", text::clean_line(model)));
    let mut said = vec![format!("by {}{}", text::clean_line(&call.agent), model.unwrap_or_default())];
    if call.tokens.total() > 0 {
        said.push(format!("{} tok", text::tokens(call.tokens.total())));
    }
    said.extend(call.cost_usd.map(|cost| cost.to_string()));
    said.push(text::duration(Duration::from_millis(call.duration_ms)));
    said.join(", ")
}

fn signature(signature: &SignatureView) -> Cell {
    match signature {
        SignatureView::Good { .. } => Cell::new(Ink::Good, "good"),
        SignatureView::Unknown { .. } => Cell::new(Ink::Warn, "unknown key"),
        SignatureView::Bad => Cell::new(Ink::Bad, "bad"),
        SignatureView::Missing => Cell::new(Ink::Bad, "none"),
        SignatureView::Unchecked => Cell::new(Ink::Plain, ""),
    }
}

fn write_detail(step: &StepView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut told = |name: &str, what: &str| writeln!(out, "      {} {what}", look.paint(Ink::Faint, name));
    told("started", &format!("{}, attempt {}", text::clean_line(&step.started), step.attempt))?;
    match &step.signature {
        SignatureView::Good { principal } => told("signed by", &text::clean_line(principal))?,
        SignatureView::Unknown { key } => told("signed with", &text::clean_line(key))?,
        SignatureView::Bad | SignatureView::Missing | SignatureView::Unchecked => {}
    }
    if let Some(usage) = &step.usage {
        let cpu = text::duration(Duration::from_millis(usage.cpu_ms));
        // What was over before anybody looked has no memory that is known.
        let memory =
            (usage.memory_bytes_max > 0).then(|| format!(", {} of memory", text::bytes(usage.memory_bytes_max)));
        told("used", &format!("{cpu} of processor time{}", memory.unwrap_or_default()))?;
    }
    for call in &step.calls {
        told(call.purpose.word(), &of_call(call))?;
    }
    if !step.chosen.is_empty() {
        told("chosen by", &text::clean_line(&step.chosen))?;
    }
    if let Some(base) = &step.new_base {
        told("goes on from", &format!("{}, with what others have landed", base.short()))?;
    }
    if !step.reason.is_empty() {
        told("because", &text::clean_line(&step.reason))?;
    }
    for change in &step.findings {
        told("requires", &finding(change))?;
    }
    for file in &step.files {
        told(change_word(file), &text::clean_line(&file.path))?;
    }
    for file in &step.refused {
        told("not taken", &format!("{}: {}", text::clean_line(&file.path), text::clean_line(&file.reason)))?;
    }
    for line in text::head(&text::clean(&step.summary), SUMMARY_LINES_MAX, SUMMARY_BYTES_MAX).lines() {
        writeln!(out, "      {line}")?;
    }
    Ok(())
}

/// A required change on one clean line.
pub(super) fn finding(change: &crate::model::verdict::RequiredChange) -> String {
    let [what, place, why] = [&change.what, &change.place, &change.why].map(|part| text::clean_line(part));
    format!("{what} (at {place}; {why})")
}

fn change_word(file: &ChangedFile) -> &'static str {
    match file.change {
        ChangeKind::Added => "added",
        ChangeKind::Modified => "modified",
        ChangeKind::Deleted => "deleted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_a_line_for_each_step_and_more_on_request() {
        let step = crate::report::step::tests::step();
        let second = StepView { seq: 8, ..step.clone() };
        let mut log = TaskLog {
            task: step.task.clone(),
            title: "Split fuse".to_owned(),
            state: TaskState::Running,
            steps: vec![step, second],
        };
        log.keep_last(1);
        let shown = |detail| {
            let mut out = Vec::new();
            let mut writer = LogWriter::begin(Form::Text(Look::default(), detail), &mut out).expect("a Vec takes all");
            writer.task(&log).expect("a Vec takes all");
            writer.end().expect("a Vec takes all");
            String::from_utf8(out).expect("it is text")
        };
        let lines = "\
RAE-001  running  Split fuse
STEP  PHASE           OUTCOME        AGENT       MODEL           TOKENS   COST  TIME  COMMIT      SIGNATURE  WHAT
   8  code-review/S2  needs_changes  gemini-pro  gemini-2.5-pro   12.4k  $0.03   41s  0123456789  good       3 findings
";
        assert_eq!(shown(Detail::Lines), format!("{lines}\n1 step in 41s, 12.4k tokens, $0.03\n"));
        let full = shown(Detail::Full);
        assert!(full.starts_with(lines), "{full}");
        assert!(full.contains("chosen by route 1: first choice"), "{full}");
        assert!(full.contains("goes on from 4444444444, with what others have landed"), "{full}");
        assert!(full.contains("requires do not divide by zero (at src/rank.rs:12; A1)"), "{full}");
        assert!(full.contains("\n      the ranking is not.\n"), "{full}");
        assert!(!full.contains('\u{1b}'), "{full}");
    }
}
