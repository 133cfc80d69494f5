//! What a run would have to do, for people, for programs, and as a drawing.
//! Knows nothing of how it was reckoned.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    claim::ClaimView,
    look::{Ink, Look},
    table::{self, Cell, numbers, words},
    task::word,
};
use crate::{
    model::{
        checkpoint::TaskState,
        money::Money,
        task::{Complexity, TaskId},
    },
    plan::claim::RISK_YIELDS_PERCENT_MIN,
    text,
};

/// Lines of a list that people are shown; `--json` has all.
const LINES_MAX: usize = 12;
/// Tasks without files that people are told.
const SILENT_MAX: usize = 40;
/// Tasks that people are shown; more are told by their number.
const TASKS_MAX: usize = 200;
/// Tasks of a drawing: nobody can read a larger one.
const DRAWN_MAX: usize = 2000;
/// Columns of a terminal that has room for what the machine gives.
const WIDE_COLUMNS_MIN: usize = 100;
/// The columns of that in the table of tasks.
const MACHINE_COLUMNS: std::ops::Range<usize> = 7..9;
/// Columns where the reader says nothing of his own.
const COLUMNS: usize = 100;

/// What some work takes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct EffortView {
    /// Steps.
    pub steps: u64,
    /// Seconds, one step after another.
    pub time_s: u64,
    /// Tokens of all kinds.
    pub tokens: u64,
    /// Money, of the steps whose price is known.
    #[serde(rename = "cost_usd")]
    pub cost: Money,
    /// Steps whose price is not known.
    #[serde(rename = "steps_without_price")]
    pub unpriced: u64,
    /// Seconds of processor time of the agents' programs.
    pub cpu_s: u64,
    /// The most memory of an agent's program at one time, bytes.
    pub memory_bytes_max: u64,
}

impl EffortView {
    /// Both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            time_s: self.time_s + other.time_s,
            tokens: self.tokens + other.tokens,
            cost: self.cost + other.cost,
            unpriced: self.unpriced + other.unpriced,
            cpu_s: self.cpu_s + other.cpu_s,
            memory_bytes_max: self.memory_bytes_max.max(other.memory_bytes_max),
        }
    }
}

/// One task that is not over.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTask {
    /// Its name.
    pub id: TaskId,
    /// One line for people.
    pub title: String,
    /// How far it has come.
    #[serde(serialize_with = "word")]
    pub state: TaskState,
    /// Higher goes first.
    pub priority: i32,
    /// How much work it is said to be.
    #[serde(serialize_with = "word")]
    pub complexity: Complexity,
    /// Tasks whose landed result it starts from.
    pub depends_on: Vec<TaskId>,
    /// What it is going to touch.
    pub claim: ClaimView,
    /// What is left of it.
    pub effort: EffortView,
    /// Seconds from its beginning to the end of the longest chain that begins with it.
    pub path_s: u64,
    /// Whether it is on the critical path.
    pub critical: bool,
    /// Which wave it is in, from 1; none: it is in a circle, or behind one.
    pub wave: Option<usize>,
}

/// Two tasks that may touch the same files.
#[derive(Debug, Clone, Serialize)]
pub struct MeetingView {
    /// One.
    pub one: TaskId,
    /// The other.
    pub other: TaskId,
    /// How likely, in percent; 100: both say so.
    pub percent: u8,
    /// Which files, and why.
    pub why: String,
}

/// Something wrong between the tasks.
#[derive(Debug, Clone, Serialize)]
pub struct FoundView {
    /// What.
    pub what: String,
    /// The file in which it can be put right.
    pub file: String,
    /// The line.
    pub line: Option<usize>,
    /// What to do.
    pub hint: Option<String>,
}

/// How long it all takes with some workers.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct MakespanView {
    /// How many.
    pub workers: usize,
    /// Seconds.
    pub time_s: u64,
    /// Seconds below which no order of work could get.
    pub bound_s: u64,
}

/// What was read of the code.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct CodeView {
    /// Files.
    pub files: usize,
    /// Pairs of files that hang together.
    pub ties: usize,
}

/// What a run would have to do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PlanView {
    /// The tasks that are not over, in the queue's order.
    pub tasks: Vec<PlannedTask>,
    /// Tasks that are landed or given up.
    pub over: usize,
    /// What is wrong between the tasks.
    pub problems: Vec<FoundView>,
    /// Tasks that never run together.
    pub overlaps: Vec<MeetingView>,
    /// Tasks that may touch the same files, the likeliest first.
    pub risks: Vec<MeetingView>,
    /// What can be done side by side, group after group.
    pub waves: Vec<Vec<TaskId>>,
    /// The longest chain.
    pub critical_path: Vec<TaskId>,
    /// How long it takes, in seconds.
    pub critical_s: u64,
    /// What is left of all.
    pub total: EffortView,
    /// Steps of the history that the estimates stand on; 0: all of it is what is usual elsewhere.
    pub history_steps: usize,
    /// How long it takes with more and fewer workers.
    pub makespans: Vec<MakespanView>,
    /// The workers of a run.
    pub jobs: usize,
    /// What was read of the code.
    pub code: CodeView,
}

fn span(seconds: u64) -> String {
    // Nobody should take an estimate for more exact than it is.
    match seconds {
        0 => "0m".to_owned(),
        1..60 => "<1m".to_owned(),
        seconds if seconds < 3600 => format!("{}m", seconds.div_ceil(60)),
        seconds if seconds < 36 * 3600 => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
        seconds => format!("{}d {:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

fn cost(effort: &EffortView) -> String {
    match (effort.cost, effort.unpriced) {
        (Money::ZERO, 0) => "$0".to_owned(),
        (Money::ZERO, _) => "?".to_owned(),
        (cost, 0) => dollars(cost),
        (cost, _) => format!("{}+", dollars(cost)),
    }
}

/// In whole mebibytes: `400M`.
fn memory(bytes: u64) -> String {
    format!("{}M", bytes.div_ceil(1 << 20))
}

fn dollars(cost: Money) -> String {
    let cents = cost.micros.div_ceil(10_000);
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// Writes it for people.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &PlanView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let columns = look.columns.unwrap_or(COLUMNS);
    for found in &view.problems {
        let place = found.line.map_or_else(|| found.file.clone(), |line| format!("{}:{line}", found.file));
        writeln!(out, "{} {}", look.paint(Ink::Bad, "problem:"), text::clean_line(&found.what))?;
        writeln!(out, "  at {place}")?;
        if let Some(hint) = &found.hint {
            writeln!(out, "  hint: {}", text::clean_line(hint))?;
        }
    }
    if !view.problems.is_empty() {
        writeln!(out)?;
    }
    if view.tasks.is_empty() {
        return match view.over {
            0 => writeln!(out, "no tasks (git orchestrate task add \"…\" makes one)"),
            over => writeln!(out, "nothing to do: {} over", text::count(over as u64, "task")),
        };
    }
    write_tasks(view, look, out)?;
    writeln!(out)?;
    let total = &view.total;
    let over = if view.over > 0 { format!(" ({} over)", view.over) } else { String::new() };
    writeln!(
        out,
        "{}{over}, about {}\n{} of work, {} tokens, {}",
        text::count(view.tasks.len() as u64, "task"),
        text::count(total.steps, "step"),
        span(total.time_s),
        text::tokens(total.tokens),
        match (total.cost, total.unpriced) {
            (Money::ZERO, 1..) => "at no known price".to_owned(),
            (cost, 0) => dollars(cost),
            (cost, unpriced) =>
                format!("{} and {} without a known price", dollars(cost), text::count(unpriced, "step")),
        }
    )?;
    writeln!(
        out,
        "{} of processor time, {} of memory for each worker",
        span(total.cpu_s),
        text::bytes(total.memory_bytes_max)
    )?;
    let basis = match view.history_steps {
        0 => "what is usual; there is no history here yet".to_owned(),
        steps => format!("{} made here", text::count(steps as u64, "step")),
    };
    writeln!(out, "{}", look.paint(Ink::Faint, &format!("estimated from {basis}")))?;

    let names: Vec<&str> = view.critical_path.iter().map(TaskId::as_str).collect();
    if names.len() > 1 {
        heading(out, look, &format!("critical path, {}", span(view.critical_s)))?;
        wrapped(out, 2, &names, " -> ", columns)?;
    }
    write_waves(view, look, columns, out)?;
    write_meetings("never at the same time", &view.overlaps, 0, look, columns, out)?;
    write_meetings("may get in each other's way", &view.risks, RISK_YIELDS_PERCENT_MIN, look, columns, out)?;
    write_silent(view, look, columns, out)?;
    writeln!(out)?;
    write_makespans(view, look, out)
}

fn heading(out: &mut dyn Write, look: Look, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", look.paint(Ink::Strong, text))
}

fn write_tasks(view: &PlanView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut heads = vec![
        words("TASK"),
        words("STATE"),
        numbers("WAVE"),
        numbers("STEPS"),
        numbers("TIME"),
        numbers("TOKENS"),
        numbers("COST"),
        numbers("CPU"),
        numbers("MEMORY"),
        words("AFTER"),
        words("TITLE"),
    ];
    let row = |task: &PlannedTask| -> Vec<Cell> {
        let after: Vec<&str> = task.depends_on.iter().map(TaskId::as_str).collect();
        let after = if after.len() > 3 {
            format!("{} and {} more", after[..2].join(" "), after.len() - 2)
        } else {
            after.join(" ")
        };
        vec![
            Cell::new(if task.critical { Ink::Warn } else { Ink::Strong }, task.id.as_str()),
            Cell::new(Ink::of_task(task.state), task.state.to_string()),
            task.wave.map_or_else(|| "-".to_owned(), |wave| wave.to_string()).into(),
            task.effort.steps.to_string().into(),
            span(task.effort.time_s).into(),
            text::tokens(task.effort.tokens).into(),
            cost(&task.effort).into(),
            span(task.effort.cpu_s).into(),
            memory(task.effort.memory_bytes_max).into(),
            after.into(),
            Cell::new(Ink::Plain, &task.title),
        ]
    };
    let mut rows: Vec<Vec<Cell>> = view.tasks.iter().take(TASKS_MAX).map(row).collect();
    if look.columns.is_some_and(|columns| columns < WIDE_COLUMNS_MIN) {
        // Of the machine's own the sum below the table has to do.
        heads.drain(MACHINE_COLUMNS);
        rows.iter_mut().for_each(|row| drop(row.drain(MACHINE_COLUMNS)));
    }
    table::write(out, look, &heads, &rows)?;
    more(out, view.tasks.len().saturating_sub(TASKS_MAX), "task")
}

fn more(out: &mut dyn Write, left: usize, noun: &str) -> io::Result<()> {
    if left > 0 {
        writeln!(out, "  and {}: --json has all", text::count(left as u64, &format!("more {noun}")))
    } else {
        Ok(())
    }
}

/// Words in lines that fit, the first so many columns in, the others two more.
fn wrapped(out: &mut dyn Write, indent: usize, words: &[&str], joint: &str, columns: usize) -> io::Result<()> {
    let mut line = " ".repeat(indent - 1);
    for (at, word) in words.iter().enumerate() {
        let word = if at + 1 < words.len() { format!("{word}{}", joint.trim_end()) } else { (*word).to_owned() };
        if at > 0 && text::width(&line) + text::width(&word) + 1 > columns {
            writeln!(out, "{line}")?;
            line = " ".repeat(indent + 1);
        }
        line.push(' ');
        line.push_str(&text::cut(&word, columns.saturating_sub(indent + 2)));
    }
    writeln!(out, "{line}")
}

fn write_waves(view: &PlanView, look: Look, columns: usize, out: &mut dyn Write) -> io::Result<()> {
    let widest = view.waves.iter().map(Vec::len).max().unwrap_or(0);
    if view.waves.is_empty() {
        return Ok(());
    }
    heading(out, look, &format!("side by side, up to {}", text::count(widest as u64, "task")))?;
    for (at, wave) in view.waves.iter().take(LINES_MAX).enumerate() {
        let mut line = format!("{:>3} ", at + 1);
        for (told, id) in wave.iter().enumerate() {
            let left = wave.len() - told;
            let rest = if left > 1 { format!(" and {} more", left - 1) } else { String::new() };
            if told > 0 && text::width(&line) + 1 + text::width(id.as_str()) + rest.len() > columns {
                line.push_str(&format!(" and {left} more"));
                break;
            }
            line.push(' ');
            line.push_str(id.as_str());
        }
        writeln!(out, "{line}")?;
    }
    more(out, view.waves.len().saturating_sub(LINES_MAX), "wave")
}

/// Tasks of which nobody says what they change may collide with any.
fn write_silent(view: &PlanView, look: Look, columns: usize, out: &mut dyn Write) -> io::Result<()> {
    let silent = view.tasks.iter().filter(|task| task.claim.says.is_empty());
    let silent: Vec<&str> = silent.map(|task| task.id.as_str()).collect();
    if silent.is_empty() || view.tasks.len() < 2 {
        return Ok(());
    }
    heading(out, look, "without 'files': nobody can tell what they collide with before they have a plan")?;
    wrapped(out, 2, &silent[..silent.len().min(SILENT_MAX)], " ", columns)?;
    more(out, silent.len().saturating_sub(SILENT_MAX), "task")
}

fn write_meetings(
    head: &str,
    meetings: &[MeetingView],
    percent_min: u8,
    look: Look,
    columns: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown: Vec<&MeetingView> = meetings.iter().filter(|meeting| meeting.percent >= percent_min).collect();
    if shown.is_empty() {
        return Ok(());
    }
    heading(out, look, head)?;
    for meeting in shown.iter().take(LINES_MAX) {
        let percent = if percent_min > 0 { format!("{:>3}% ", meeting.percent) } else { String::new() };
        let (pair, why) =
            (format!("  {percent}{} and {}:", meeting.one, meeting.other), text::clean_line(&meeting.why));
        if text::width(&pair) + 1 + text::width(&why) <= columns {
            writeln!(out, "{pair} {why}")?;
        } else {
            // The end of a reason says as much as its beginning.
            writeln!(out, "{}", text::cut(&pair, columns))?;
            let indent = if percent_min > 0 { 7 } else { 4 };
            wrapped(out, indent, &why.split(' ').collect::<Vec<_>>(), " ", columns)?;
        }
    }
    more(out, shown.len().saturating_sub(LINES_MAX), "pair")
}

fn write_makespans(view: &PlanView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let heads = [numbers("WORKERS"), numbers("DONE IN"), numbers("AT BEST"), numbers("FASTER"), words("")];
    let alone = view.makespans.first().map_or(0, |one| one.time_s);
    let row = |one: &MakespanView| -> Vec<Cell> {
        let faster = if one.time_s > 0 { alone as f64 / one.time_s as f64 } else { 1.0 };
        vec![
            one.workers.to_string().into(),
            span(one.time_s).into(),
            span(one.bound_s).into(),
            format!("{faster:.1} x").into(),
            Cell::new(Ink::Faint, if one.workers == view.jobs { "your workers" } else { "" }),
        ]
    };
    table::write(out, look, &heads, &view.makespans.iter().map(row).collect::<Vec<_>>())
}

/// Writes the graph for Graphviz.
///
/// # Errors
/// When `out` does not take it.
pub fn write_dot(view: &PlanView, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph tasks {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];")?;
    let drawn = Drawn::of(view);
    for task in drawn.tasks {
        let bold = if task.critical { ", style=bold, color=\"#b45309\"" } else { "" };
        let label = format!("{}\\n{}", task.id, span(task.effort.time_s));
        let tip = text::clean_line(&task.title).replace(['"', '\\'], "'");
        writeln!(out, "  \"{}\" [label=\"{label}\", tooltip=\"{tip}\"{bold}];", task.id)?;
    }
    for (from, to, is_critical) in drawn.edges() {
        let bold = if is_critical { " [style=bold, color=\"#b45309\"]" } else { "" };
        writeln!(out, "  \"{from}\" -> \"{to}\"{bold};")?;
    }
    for meeting in drawn.meetings(&view.overlaps) {
        let tip = text::clean_line(&meeting.why).replace(['"', '\\'], "'");
        writeln!(
            out,
            "  \"{}\" -> \"{}\" [dir=none, style=dashed, color=\"#dc2626\", constraint=false, tooltip=\"{tip}\"];",
            meeting.one, meeting.other
        )?;
    }
    for meeting in drawn.meetings(&view.risks).filter(|meeting| meeting.percent >= RISK_YIELDS_PERCENT_MIN) {
        let (one, other, percent) = (&meeting.one, &meeting.other, meeting.percent);
        writeln!(
            out,
            "  \"{one}\" -> \"{other}\" [dir=none, style=dotted, color=gray, constraint=false, label=\"{percent}%\"];"
        )?;
    }
    writeln!(out, "}}")
}

/// Writes the graph for Mermaid.
///
/// # Errors
/// When `out` does not take it.
pub fn write_mermaid(view: &PlanView, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    let drawn = Drawn::of(view);
    for (at, task) in drawn.tasks.iter().enumerate() {
        let critical = if task.critical { ":::critical" } else { "" };
        writeln!(out, "    t{at}[\"{}<br>{}\"]{critical}", task.id, span(task.effort.time_s))?;
    }
    for (from, to, _) in drawn.edges() {
        writeln!(out, "    {} --> {}", drawn.node(from), drawn.node(to))?;
    }
    for meeting in drawn.meetings(&view.overlaps) {
        writeln!(out, "    {} x-. never together .-x {}", drawn.node(&meeting.one), drawn.node(&meeting.other))?;
    }
    for meeting in drawn.meetings(&view.risks).filter(|meeting| meeting.percent >= RISK_YIELDS_PERCENT_MIN) {
        let percent = meeting.percent;
        writeln!(out, "    {} -. {percent}% .- {}", drawn.node(&meeting.one), drawn.node(&meeting.other))?;
    }
    writeln!(out, "    classDef critical stroke:#b45309,stroke-width:3px")
}

/// The tasks of a drawing.
struct Drawn<'a> {
    tasks: &'a [PlannedTask],
    at: std::collections::HashMap<&'a TaskId, usize>,
}

impl<'a> Drawn<'a> {
    fn of(view: &'a PlanView) -> Self {
        let tasks = &view.tasks[..view.tasks.len().min(DRAWN_MAX)];
        Self { tasks, at: tasks.iter().enumerate().map(|(at, task)| (&task.id, at)).collect() }
    }

    fn node(&self, id: &TaskId) -> String {
        self.at.get(id).map_or_else(|| "gone".to_owned(), |at| format!("t{at}"))
    }

    /// From what is needed to what needs it, and whether both are on the critical path.
    fn edges(&self) -> impl Iterator<Item = (&'a TaskId, &'a TaskId, bool)> {
        self.tasks.iter().flat_map(|task| {
            let needed = task.depends_on.iter().filter_map(|need| self.at.get(need));
            needed.map(|at| (&self.tasks[*at].id, &task.id, self.tasks[*at].critical && task.critical))
        })
    }

    fn meetings<'b>(&'b self, all: &'b [MeetingView]) -> impl Iterator<Item = &'b MeetingView> {
        all.iter()
            .filter(|meeting| self.at.contains_key(&meeting.one) && self.at.contains_key(&meeting.other))
            .take(DRAWN_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::claim::{SaidBy, SaysView};

    fn id(name: &str) -> TaskId {
        name.parse().expect("an id")
    }

    fn view() -> PlanView {
        let task = |name: &str, needs: &[&str], critical| PlannedTask {
            id: id(name),
            title: format!("The \"{name}\""),
            state: TaskState::New,
            priority: 0,
            complexity: Complexity::Medium,
            depends_on: needs.iter().map(|need| id(need)).collect(),
            claim: ClaimView {
                says: vec![SaysView { glob: "a.rs".to_owned(), by: SaidBy::Task }],
                ..ClaimView::default()
            },
            effort: EffortView {
                steps: 5,
                time_s: 1800,
                tokens: 1_200_000,
                cost: Money::micros(1_234_567),
                unpriced: 0,
                cpu_s: 180,
                memory_bytes_max: 400 << 20,
            },
            path_s: 1800,
            critical,
            wave: Some(1 + needs.len()),
        };
        let meeting = |one, other, percent, why: &str| MeetingView {
            one: id(one),
            other: id(other),
            percent,
            why: why.to_owned(),
        };
        PlanView {
            tasks: vec![task("api", &[], true), task("ui-1.0", &["api"], true), task("docs", &[], false)],
            over: 1,
            problems: vec![FoundView {
                what: "task 'docs' depends on 'gone', which is not there".to_owned(),
                file: ".handoff/tasks/docs.toml".to_owned(),
                line: Some(3),
                hint: Some("did you mean 'gone2'?".to_owned()),
            }],
            overlaps: vec![meeting("api", "docs", 100, "both change 'a.rs'")],
            risks: vec![meeting("docs", "ui-1.0", 30, "'a.rs' imports 'b.rs'"), meeting("api", "ui-1.0", 6, "x")],
            waves: vec![vec![id("api"), id("docs")], vec![id("ui-1.0")]],
            critical_path: vec![id("api"), id("ui-1.0")],
            critical_s: 3600,
            total: EffortView {
                steps: 15,
                time_s: 5400,
                tokens: 3_600_000,
                cost: Money::micros(3_703_701),
                unpriced: 2,
                cpu_s: 540,
                memory_bytes_max: 400 << 20,
            },
            history_steps: 0,
            makespans: vec![
                MakespanView { workers: 1, time_s: 5400, bound_s: 5400 },
                MakespanView { workers: 2, time_s: 3600, bound_s: 3600 },
            ],
            jobs: 2,
            code: CodeView::default(),
        }
    }

    #[test]
    fn people_see_it_in_eighty_columns() {
        let mut out = Vec::new();
        write(&view(), Look { colour: false, columns: Some(80) }, &mut out).expect("a Vec takes all");
        let text = String::from_utf8(out).expect("it is text");
        assert!(text.lines().all(|line| text::width(line) <= 80), "{text}");
        assert_eq!(
            text,
            "problem: task 'docs' depends on 'gone', which is not there
  at .handoff/tasks/docs.toml:3
  hint: did you mean 'gone2'?

TASK    STATE  WAVE  STEPS  TIME  TOKENS   COST  AFTER  TITLE
api     new       1      5   30m    1.2M  $1.24         The \"api\"
ui-1.0  new       2      5   30m    1.2M  $1.24  api    The \"ui-1.0\"
docs    new       1      5   30m    1.2M  $1.24         The \"docs\"

3 tasks (1 over), about 15 steps
1h 30m of work, 3.6M tokens, $3.71 and 2 steps without a known price
9m of processor time, 400 MiB of memory for each worker
estimated from what is usual; there is no history here yet

critical path, 1h 00m
  api -> ui-1.0

side by side, up to 2 tasks
  1  api docs
  2  ui-1.0

never at the same time
  api and docs: both change 'a.rs'

may get in each other's way
   30% docs and ui-1.0: 'a.rs' imports 'b.rs'

WORKERS  DONE IN  AT BEST  FASTER
      1   1h 30m   1h 30m   1.0 x
      2   1h 00m   1h 00m   1.5 x  your workers
"
        );
    }

    #[test]
    fn a_reason_that_does_not_fit_has_a_line_of_its_own() {
        let mut out = Vec::new();
        write(&view(), Look { colour: false, columns: Some(40) }, &mut out).expect("a Vec takes all");
        let text = String::from_utf8(out).expect("it is text");
        assert!(text.contains("\n   30% docs and ui-1.0:\n       'a.rs' imports 'b.rs'\n"), "{text}");
        let mut narrow = Vec::new();
        write(&view(), Look { colour: false, columns: Some(24) }, &mut narrow).expect("a Vec takes all");
        let text = String::from_utf8(narrow).expect("it is text");
        assert!(text.contains("ui-1.0:\n       'a.rs' imports\n         'b.rs'\n"), "{text}");
    }

    #[test]
    fn a_wide_terminal_has_room_for_the_machine() {
        let mut out = Vec::new();
        write(&view(), Look { colour: false, columns: Some(WIDE_COLUMNS_MIN) }, &mut out).expect("a Vec takes all");
        let text = String::from_utf8(out).expect("it is text");
        let table = "TASK    STATE  WAVE  STEPS  TIME  TOKENS   COST  CPU  MEMORY  AFTER  TITLE
api     new       1      5   30m    1.2M  $1.24   3m    400M         The \"api\"
";
        assert!(text.contains(table), "{text}");
    }

    #[test]
    fn drawings_have_every_task_and_tie() {
        let drawn = |write: fn(&PlanView, &mut dyn Write) -> io::Result<()>| {
            let mut out = Vec::new();
            write(&view(), &mut out).expect("a Vec takes all");
            String::from_utf8(out).expect("it is text")
        };
        let dot = drawn(write_dot);
        assert!(dot.contains("  \"api\" -> \"ui-1.0\" [style=bold"), "{dot}");
        assert!(dot.contains("tooltip=\"The 'api'\""), "{dot}");
        assert!(dot.contains("\"api\" -> \"docs\" [dir=none, style=dashed"), "{dot}");
        assert_eq!(
            drawn(write_mermaid),
            "flowchart LR
    t0[\"api<br>30m\"]:::critical
    t1[\"ui-1.0<br>30m\"]:::critical
    t2[\"docs<br>30m\"]
    t0 --> t1
    t0 x-. never together .-x t2
    t2 -. 30% .- t1
    classDef critical stroke:#b45309,stroke-width:3px
"
        );
    }
}
