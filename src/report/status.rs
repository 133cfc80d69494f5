//! How the whole stands: the queue, the run, its workers.
//! Knows nothing of where this is read; `--porcelain` and `--json` are promises, the table is not.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use super::{
    look::{Ink, Look},
    money::MoneyView,
    table::{self, Cell, numbers, words},
    task::{TaskView, Totals, moment_option, word, write_tasks},
};
use crate::{
    config::settings::QuotaPolicy,
    model::{money::Tokens, task::TaskId, workflow::PhaseId},
    text,
};

/// The run that holds the repository.
#[derive(Debug, Clone, Serialize)]
pub struct RunView {
    /// Its process.
    pub pid: u32,
    /// On which machine; none: this one.
    pub host: Option<String>,
    /// When it began.
    #[serde(serialize_with = "moment_option")]
    pub since: Option<jiff::Timestamp>,
    /// Its workers.
    pub jobs: u32,
    /// Those of them that may work now.
    pub jobs_now: u32,
    /// Why that is fewer.
    pub why_fewer: Option<String>,
}

/// One worker of the run.
#[derive(Debug, Clone, Serialize)]
pub struct WorkerView {
    /// From 0.
    pub slot: u32,
    /// What it works on.
    pub task: TaskId,
    /// The phase.
    pub phase: PhaseId,
    /// The agent, the gate's profile or `land`.
    pub agent: String,
    /// The model, if one is known.
    pub model: Option<String>,
    /// Seconds since it began the step.
    pub since_s: u64,
    /// What it did last, one line, foreign and not yet cleaned.
    pub last: Option<String>,
    /// Tokens of the step so far.
    pub tokens: Tokens,
}

/// An agent that is not asked for a while.
#[derive(Debug, Clone, Serialize)]
pub struct ParkedView {
    /// The agent.
    pub agent: String,
    /// Until when, if it is known.
    #[serde(serialize_with = "moment_option")]
    pub until: Option<jiff::Timestamp>,
    /// Why.
    pub reason: String,
    /// What is done meanwhile: `wait`, `switch` or `stop`.
    #[serde(serialize_with = "word")]
    pub policy: QuotaPolicy,
}

/// How the whole stands.
#[derive(Debug, Clone, Serialize)]
pub struct StatusView {
    /// The repository's directory, for people.
    pub repository: String,
    /// The branch that finished tasks land on.
    pub target: String,
    /// The run that holds the repository, if one does.
    pub run: Option<RunView>,
    /// The tasks, in the order they are to be shown.
    pub tasks: Vec<TaskView>,
    /// What its workers do.
    pub workers: Vec<WorkerView>,
    /// Agents that are not asked for a while.
    pub parked: Vec<ParkedView>,
    /// What was written so far and does not merge, a line each.
    pub clashes: Vec<String>,
    /// When the hours end in which no agent's step begins; none: it is none of them.
    #[serde(serialize_with = "moment_option")]
    pub quiet_until: Option<jiff::Timestamp>,
    /// What was spent, and what may be.
    pub money: MoneyView,
    /// The sums over `tasks`.
    pub totals: Totals,
}

/// What ends a record of `--porcelain`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RecordEnd {
    /// A newline; titles are cleaned.
    #[default]
    Newline,
    /// NUL (`-z`); titles are as they are.
    Nul,
}

/// Writes `--porcelain=v1`, one record a task:
///
/// `task <state> <id> <phase|-> <done>/<total> <attempt> <commit|-> <cost in micro-dollars> <title>`
///
/// Fields are separated by one space; the title is the last and may have spaces. Readers ignore records that begin
/// with another word than `task`.
///
/// # Errors
/// When `out` does not take it.
pub fn write_porcelain(view: &StatusView, end: RecordEnd, out: &mut dyn Write) -> io::Result<()> {
    for task in &view.tasks {
        let phase = task.phase.as_ref().map_or("-", PhaseId::as_str);
        let commit = task.commit.map_or_else(|| "-".to_owned(), |commit| commit.to_string());
        let (title, last) = match end {
            RecordEnd::Newline => (text::clean_line(&task.title), '\n'),
            RecordEnd::Nul => (task.title.replace('\0', ""), '\0'),
        };
        let TaskView { state, id, done, total, attempt, cost, .. } = task;
        let micros = cost.micros;
        write!(out, "task {state} {id} {phase} {done}/{total} {attempt} {commit} {micros} {title}{last}")?;
    }
    Ok(())
}

/// Writes the tables for people. `now` is what lengths of time are reckoned from.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &StatusView, look: Look, now: jiff::Timestamp, out: &mut dyn Write) -> io::Result<()> {
    match &view.run {
        Some(run) => {
            let host = run.host.as_ref().map_or_else(|| "this machine".to_owned(), |host| text::clean_line(host));
            let since = run.since.map(|since| format!(", for {}", text::duration(since_moment(since, now))));
            let jobs = text::count(run.jobs, "worker");
            let line = format!("running: pid {} on {host}, {jobs}{}", run.pid, since.unwrap_or_default());
            writeln!(out, "{}", look.paint(Ink::Busy, &line))?;
            if let Some(why) = &run.why_fewer {
                let line = format!("{} of them may work now: {}", run.jobs_now, text::clean_line(why));
                writeln!(out, "{}", look.paint(Ink::Warn, &line))?;
            }
        }
        None => writeln!(out, "{}", look.paint(Ink::Faint, "not running"))?,
    }
    if !view.workers.is_empty() {
        writeln!(out)?;
        let columns = [
            words("WORKER"),
            words("TASK"),
            words("PHASE"),
            words("AGENT"),
            numbers("FOR"),
            numbers("TOKENS"),
            words("DOES"),
        ];
        let rows: Vec<Vec<Cell>> = view.workers.iter().map(worker_row).collect();
        table::write(out, look, &columns, &rows)?;
    }
    for parked in &view.parked {
        let until = parked.until.map(|until| format!(" for {}", text::duration(since_moment(now, until))));
        let (agent, reason) = (text::clean_line(&parked.agent), text::clean_line(&parked.reason));
        let meanwhile = meanwhile(parked.policy);
        let line = format!("agent '{agent}' is parked{}, {meanwhile}: {reason}", until.unwrap_or_default());
        writeln!(out, "{}", look.paint(Ink::Warn, &line))?;
    }
    for clash in &view.clashes {
        writeln!(out, "{}", look.paint(Ink::Warn, &text::clean_line(clash)))?;
    }
    if let Some(until) = view.quiet_until {
        let span = text::duration(since_moment(now, until));
        let line = format!("quiet hours for {span}: no agent's step begins, gates and landings go on");
        writeln!(out, "{}", look.paint(Ink::Warn, &line))?;
    }
    if view.tasks.is_empty() {
        return writeln!(out, "no tasks (git orchestrate task add \"…\" makes one)");
    }
    writeln!(out)?;
    write_tasks(&view.tasks, look, out)?;
    writeln!(out)?;
    writeln!(out, "{}", view.totals.line())?;
    match view.money.line() {
        Some(line) => writeln!(out, "{line}"),
        None => Ok(()),
    }
}

/// What happens while an agent is parked.
pub fn meanwhile(policy: QuotaPolicy) -> &'static str {
    match policy {
        QuotaPolicy::Wait => "its steps wait for it",
        QuotaPolicy::Switch => "others do its steps",
        QuotaPolicy::Stop => "the run stops",
    }
}

fn worker_row(worker: &WorkerView) -> Vec<Cell> {
    let agent = match &worker.model {
        Some(model) if *model != worker.agent => format!("{} ({model})", worker.agent),
        Some(_) | None => worker.agent.clone(),
    };
    let tokens = worker.tokens.total();
    vec![
        worker.slot.to_string().into(),
        Cell::new(Ink::Strong, worker.task.as_str()),
        worker.phase.as_str().into(),
        agent.into(),
        text::duration(Duration::from_secs(worker.since_s)).into(),
        if tokens > 0 { text::tokens(tokens) } else { String::new() }.into(),
        Cell::new(Ink::Faint, worker.last.as_deref().unwrap_or_default()),
    ]
}

/// From one moment to a later one; nothing if it is not later.
fn since_moment(from: jiff::Timestamp, to: jiff::Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{checkpoint::TaskState, money::Money, task::Task};

    fn spent(micros: u64) -> crate::report::money::StandView {
        crate::report::money::StandView { spent: Money::micros(micros), ..Default::default() }
    }

    fn view() -> StatusView {
        let mut first =
            TaskView::new(&Task::new("RAE-001".parse().expect("an id"), "Split\u{1b}[1m\nfuse"), None, None);
        first.state = TaskState::Running;
        first.phase = Some("implement/S2".parse().expect("a phase"));
        (first.done, first.total, first.attempt) = (2, 5, 2);
        first.cost = Money::micros(30_000);
        first.commit = Some("0123456789abcdef0123456789abcdef01234567".parse().expect("a commit"));
        let mut second = TaskView::new(&Task::new("docs".parse().expect("an id"), "Write it down"), None, None);
        second.state = TaskState::Waiting;
        second.why = Some("for RAE-001".to_owned());
        let tasks = vec![first, second];
        StatusView {
            repository: "/r".to_owned(),
            target: "orchestrate/integration".to_owned(),
            run: Some(RunView {
                pid: 7,
                host: None,
                since: Some(jiff::Timestamp::UNIX_EPOCH),
                jobs: 2,
                jobs_now: 1,
                why_fewer: Some("10 MB of memory available".to_owned()),
            }),
            totals: Totals::of(&tasks),
            tasks,
            workers: vec![WorkerView {
                slot: 0,
                task: "RAE-001".parse().expect("an id"),
                phase: "implement/S2".parse().expect("a phase"),
                agent: "claude".to_owned(),
                model: Some("claude-sonnet-4-5".to_owned()),
                since_s: 75,
                last: Some("Bash: cargo test".to_owned()),
                tokens: Tokens { input: 1200, ..Tokens::default() },
            }],
            parked: vec![ParkedView {
                agent: "gemini".to_owned(),
                until: None,
                reason: "quota".to_owned(),
                policy: QuotaPolicy::Switch,
            }],
            clashes: vec!["what a and b have written so far conflicts in x".to_owned()],
            quiet_until: jiff::Timestamp::from_second(840).ok(),
            money: MoneyView { zone: "UTC".to_owned(), day: spent(30_000), month: spent(40_000), ..Default::default() },
        }
    }

    #[test]
    fn people_see_tables() {
        let mut out = Vec::new();
        let now = jiff::Timestamp::from_second(720).expect("in range");
        write(&view(), Look { colour: false, columns: Some(80) }, now, &mut out).expect("a Vec takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "running: pid 7 on this machine, 2 workers, for 12m 00s
1 of them may work now: 10 MB of memory available

WORKER  TASK     PHASE         AGENT                          FOR  TOKENS  DOES
0       RAE-001  implement/S2  claude (claude-sonnet-4-5)  1m 15s    1.2k  Bash: c…
agent 'gemini' is parked, others do its steps: quota
what a and b have written so far conflicts in x
quiet hours for 2m 00s: no agent's step begins, gates and landings go on

TASK     STATE                            DONE   COST  TITLE
RAE-001  running implement/S2, attempt 2   2/5  $0.03  Split fuse
docs     waiting                                       Write it down (for RAE-0…

2 tasks: 1 running, 1 waiting; $0.03
spent: today $0.03, this month $0.04 (UTC)
"
        );
    }

    #[test]
    fn porcelain_is_a_promise() {
        let shown = |end| {
            let mut out = Vec::new();
            write_porcelain(&view(), end, &mut out).expect("a Vec takes all");
            String::from_utf8(out).expect("it is text")
        };
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            shown(RecordEnd::Newline),
            format!(
                "task running RAE-001 implement/S2 2/5 2 {commit} 30000 Split fuse\n\
                 task waiting docs - 0/0 1 - 0 Write it down\n"
            )
        );
        assert!(shown(RecordEnd::Nul).starts_with(&format!(
            "task running RAE-001 implement/S2 2/5 2 {commit} 30000 Split\u{1b}[1m\nfuse\0task waiting"
        )));
    }

    #[test]
    fn json_has_its_version_first() {
        let mut out = Vec::new();
        crate::report::json::write(&view(), &mut out).expect("a Vec takes all");
        let text = String::from_utf8(out).expect("it is text");
        assert!(text.starts_with("{\n  \"schema\": 1,\n  \"repository\": \"/r\""), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(read["tasks"][0]["state"], "running");
        assert_eq!(read["tasks"][0]["cost_usd"], 0.03);
        assert_eq!(read["run"]["since"], "1970-01-01T00:00:00.000Z");
    }
}
