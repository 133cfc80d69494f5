//! What a run tells while it goes on, for progress on a terminal and as JSON lines.
//! Knows nothing of the loop that tells it, nor of who listens.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    cached::CachedView,
    json::SCHEMA,
    money::MoneyView,
    step::StepView,
    task::{TaskView, Totals, moment_option, word},
};
use crate::{
    config::settings::QuotaPolicy,
    model::{money::Tokens, object::CommitId, task::TaskId, workflow::PhaseId},
    sys::clock::to_rfc3339,
};

/// One thing that happened in a run. What is told here is over or has begun; nothing is asked.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The run holds the repository and is about to work.
    RunStarted {
        /// Our process.
        pid: u32,
        /// Workers.
        jobs: u32,
        /// The branch that finished tasks land on.
        target: String,
        /// The tasks that were selected, as they stand.
        tasks: Vec<TaskView>,
    },
    /// A task's state, phase or progress is another. Also the way to tell of a task that joins the run.
    TaskChanged {
        /// The task as it stands now.
        task: Box<TaskView>,
    },
    /// A worker began a step.
    StepStarted {
        /// The worker, from 0.
        slot: u32,
        /// The task.
        task: TaskId,
        /// The phase.
        phase: PhaseId,
        /// The attempt, from 1.
        attempt: u32,
        /// The agent's name, the gate's profile, or `land`.
        agent: String,
        /// The model, if one is asked for.
        model: Option<String>,
    },
    /// A worker's agent said something.
    AgentSaid {
        /// The worker.
        slot: u32,
        /// Its words, foreign and not yet cleaned.
        text: String,
    },
    /// A worker's agent uses a tool, or its gate runs a check.
    ToolUsed {
        /// The worker.
        slot: u32,
        /// The tool's name, or `check`.
        tool: String,
        /// What for, foreign and not yet cleaned.
        detail: String,
    },
    /// A worker's agent waits for its provider.
    AgentWaiting {
        /// The worker.
        slot: u32,
        /// Why, foreign and not yet cleaned.
        reason: String,
    },
    /// Tokens that the worker's step has used so far.
    TokensUsed {
        /// The worker.
        slot: u32,
        /// All of the step so far.
        tokens: Tokens,
    },
    /// A step was made and is on the disk.
    StepFinished {
        /// The worker; none for a step that no worker made (a landing, a person).
        slot: Option<u32>,
        /// The step.
        step: Box<StepView>,
    },
    /// A worker ended its step without one being made: it was cancelled, or its agent was parked.
    StepDropped {
        /// The worker.
        slot: u32,
        /// The task.
        task: TaskId,
        /// The phase.
        phase: PhaseId,
        /// Why, one line.
        reason: String,
    },
    /// A task's result is on the integration branch.
    Landed {
        /// The task.
        task: TaskId,
        /// The branch.
        branch: String,
        /// Its new tip.
        commit: CommitId,
    },
    /// An agent is not asked for a while.
    Parked {
        /// The agent.
        agent: String,
        /// Until when, if it is known.
        #[serde(serialize_with = "moment_option")]
        until: Option<jiff::Timestamp>,
        /// Why.
        reason: String,
        /// What is done meanwhile: `wait`, `switch` or `stop`.
        #[serde(serialize_with = "word")]
        policy: QuotaPolicy,
    },
    /// Quiet hours began, in which no agent's step begins, or ended.
    Quiet {
        /// When they end; none: they are over.
        #[serde(serialize_with = "moment_option")]
        until: Option<jiff::Timestamp>,
    },
    /// More or fewer workers may work than before.
    Workers {
        /// Those that the run has.
        jobs: u32,
        /// Those of them that may work now.
        now: u32,
        /// Why that is fewer.
        why: Option<String>,
    },
    /// An agent may be asked again.
    Unparked {
        /// The agent.
        agent: String,
    },
    /// Something a person should know, that stops nothing.
    Warning {
        /// One line, in git's form without `warning:`.
        message: String,
        /// One command or line to type.
        hint: Option<String>,
    },
    /// The run is asked to stop and starts nothing new.
    Stopping {
        /// By whom or why: `interrupted`, `git orchestrate stop`, `the budget is spent`.
        reason: String,
        /// Whether running steps are ended too, and not waited for.
        now: bool,
    },
    /// The run is over.
    RunFinished {
        /// What it came to.
        summary: Box<RunSummary>,
    },
}

/// How a run ended; each is one exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// All that was asked is done, also if there was nothing to do.
    Done,
    /// Some task was given up, or its gate refuses it.
    Failed,
    /// A person must decide or act.
    Held,
    /// No task matched the selection.
    NothingMatched,
    /// The budget or the time of the run is spent.
    Spent,
    /// Stopped in good order by `stop`.
    Stopped,
    /// Stopped by a signal; the state is saved.
    Interrupted {
        /// The signal's number.
        signal: i32,
    },
}

/// What a run came to.
#[derive(Debug, Clone, Serialize)]
pub struct RunSummary {
    /// How it ended.
    pub end: RunEnd,
    /// Why it ended with work left, where that is a budget or a quota.
    pub why: Option<String>,
    /// What was spent, by this run and in all.
    pub money: MoneyView,
    /// How often what prompts are made of was known already.
    pub context: CachedView,
    /// Every selected task as it stands.
    pub tasks: Vec<TaskView>,
    /// The sums over `tasks`, over all runs.
    pub totals: Totals,
    /// Steps that this run made.
    pub steps: usize,
    /// Milliseconds that this run took.
    pub elapsed_ms: u64,
    /// The exact next command, the first one to type first; none when nothing is left to do.
    pub next: Vec<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    time: String,
    #[serde(flatten)]
    event: &'a RunEvent,
}

/// Writes an event as one line of JSON: `{"schema":1,"time":"…","event":"step_finished",…}`.
///
/// # Errors
/// When `out` does not take it.
pub fn write_json(event: &RunEvent, now: jiff::Timestamp, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { schema: SCHEMA, time: to_rfc3339(now.into()), event })?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_of_json() {
        let event = RunEvent::AgentSaid { slot: 2, text: "first\nsecond".to_owned() };
        let mut out = Vec::new();
        write_json(&event, jiff::Timestamp::UNIX_EPOCH, &mut out).expect("a Vec takes all");
        let line = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(
            line,
            "{\"schema\":1,\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"agent_said\",\"slot\":2,\"text\":\"first\\nsecond\"}\n"
        );
    }
}
