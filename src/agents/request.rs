//! What an agent is asked and what it answers, whichever program it is.
//! Knows nothing of any one program; each adapter turns this into a command line and back.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::{
    config::settings::Price,
    model::{
        money::{Money, Tokens},
        record::Usage,
        workflow::Access,
    },
};

/// The structure that an answer must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// A plan: [`crate::model::plan::Plan`] as JSON.
    Plan,
    /// A verdict: [`crate::model::verdict::Verdict`] as JSON.
    Verdict,
}

/// The most that a step may cost, for agents that we can end within a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendMax {
    /// What the model's tokens cost.
    pub price: Price,
    /// The limit.
    pub usd: Money,
}

impl SpendMax {
    /// Whether nothing costs anything, so that there is nothing to limit.
    pub fn is_free(&self) -> bool {
        self.price.input == Money::ZERO && self.price.output == Money::ZERO
    }
}

/// One step for an agent.
#[derive(Debug, Clone)]
pub struct Request {
    /// The task's id, for `replay` and for the child's record.
    pub task: String,
    /// The phase's id, likewise.
    pub phase: String,
    /// The attempt at that phase, from 1.
    pub attempt: u32,
    /// What it is told.
    pub prompt: String,
    /// Where it works.
    pub worktree: PathBuf,
    /// What it may do there.
    pub access: Access,
    /// The structure its answer must have, if any.
    pub structure: Option<Structure>,
    /// A directory of its own for temporary files, outside the worktree; emptied afterwards by the caller.
    pub scratch: PathBuf,
    /// How long it may take in all.
    pub wall: Duration,
    /// How long it may be silent.
    pub idle: Duration,
    /// Bytes of its output that are kept.
    pub output_bytes_max: usize,
    /// The most that it may cost; heeded by agents over HTTP and by Claude Code, none: no limit of its own.
    pub spend_max: Option<SpendMax>,
}

/// What an agent does, while it does it.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentEvent {
    /// It began, under this session and model as far as it tells.
    Started {
        /// Its own name for the session.
        session: Option<String>,
        /// The model it reports.
        model: Option<String>,
    },
    /// It said something.
    Text(String),
    /// It uses a tool: the tool's name and one line of what for.
    Tool {
        /// Such as `Bash` or `write_file`.
        name: String,
        /// Such as the command or the path.
        detail: String,
    },
    /// Tokens used so far.
    Usage(Tokens),
    /// It waits for its provider: why.
    Waiting(String),
}

/// How an agent's step ended, before anybody looked at the files.
#[derive(Debug, Clone, PartialEq)]
pub enum EndedAs {
    /// It says that it is finished, by a good terminal event.
    Finished,
    /// It tried and gave up, or its answer cannot be read: the attempt failed. A line for people.
    Failed(String),
    /// It could not do its part at all: not installed, not logged in, the provider is down. A line for people.
    Infra(String),
    /// Its quota or rate is used up: a state of the agent, not a failure of the task.
    Limited {
        /// When it may go on, if the provider said so.
        until: Option<SystemTime>,
        /// A line for people.
        reason: String,
    },
    /// It was stopped because the run stops.
    Cancelled,
}

/// What came of an agent's step.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// How it ended.
    pub ended: EndedAs,
    /// Its last words.
    pub text: String,
    /// The structured answer as the program gave it, or as found in its last words; not yet checked.
    pub structured: Option<Value>,
    /// Tokens.
    pub tokens: Tokens,
    /// What it cost, if the program says so.
    pub cost_usd: Option<Money>,
    /// Its own name for the session.
    pub session: Option<String>,
    /// The model it reports.
    pub model: Option<String>,
    /// The program's whole output, capped, for the transcript.
    pub transcript: Vec<u8>,
    /// Processes that it had left running and that were ended.
    pub left_behind: u32,
    /// What its program used of the machine; none: not known, or there was none.
    pub usage: Option<Usage>,
}

impl Answer {
    /// One that is nothing but how it ended.
    pub fn only(ended: EndedAs) -> Self {
        Self {
            ended,
            text: String::new(),
            structured: None,
            tokens: Tokens::default(),
            cost_usd: None,
            session: None,
            model: None,
            transcript: Vec::new(),
            left_behind: 0,
            usage: None,
        }
    }
}
