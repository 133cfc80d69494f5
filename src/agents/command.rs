//! Any program: the prompt on standard input, the exit code and an optional JSON result as the answer.
//! Knows nothing of which program it is.
//!
//! The program of the settings is started with their `args`, in the worktree. It finds
//!
//! | where | what |
//! | --- | --- |
//! | standard input | the prompt, then the end |
//! | `GIT_ORCHESTRATE_TASK` | the task's id |
//! | `GIT_ORCHESTRATE_PHASE` | the phase: `implement/S1` |
//! | `GIT_ORCHESTRATE_ATTEMPT` | the attempt at it, from 1 |
//! | `GIT_ORCHESTRATE_ACCESS` | `read` or `write`: whether it may change files; nothing but its manners holds it to that |
//! | `GIT_ORCHESTRATE_PORT`, `GIT_ORCHESTRATE_PORTS` | the first port that its worktree has to itself, and how many there are |
//! | `GIT_ORCHESTRATE_STRUCTURE` | `plan`, `verdict` or nothing: the structure its answer must have |
//! | `GIT_ORCHESTRATE_SCHEMA_FILE` | the JSON schema of that structure, if there is one |
//! | `GIT_ORCHESTRATE_RESULT_FILE` | where it may write its result |
//!
//! Exit code 0 is success, and what it printed are its last words. It may say more with a result: one JSON object, in the
//! result file or as the last line of its standard output. Every key may be left out:
//!
//! ```json
//! {"status": "done|failed|infra|limited", "text": "…", "structured": {…}, "model": "…", "session": "…",
//!  "tokens": {"input": 1, "output": 2, "cache_read": 3, "cache_write": 4, "reasoning": 0},
//!  "cost_usd": 0.01, "retry_after_s": 60}
//! ```
//!
//! `failed` is the work's failure, `infra` says that nothing can be said of the work, `limited` that a quota is used up
//! and when it is worth trying again. A result cannot make a failed exit a success.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{
    adapter::{Adapter, Ending, Invocation, Parser, Surroundings, common_env},
    fault::Names,
    reading::{Reading, Terminal},
    request::{AgentEvent, Answer, EndedAs, Request, Structure},
    reset,
    schema::schema_of,
};
use crate::{
    config::settings::{AdapterKind, AgentSettings},
    model::{
        money::{Money, Tokens},
        workflow::Access,
    },
    sys::process::How,
    text::{clean_line, cut},
};

const NAMES: Names = Names { program: "the program", login: "log in" };
/// Columns of what it says that a line for people holds.
const LINE_COLUMNS_MAX: usize = 240;
/// Bytes of its standard output that are its last words.
const WORDS_BYTES_MAX: usize = 256 << 10;

/// The adapter.
#[derive(Debug)]
pub struct Command;

impl Adapter for Command {
    fn kind(&self) -> AdapterKind {
        AdapterKind::Command
    }

    fn program(&self) -> Option<&'static str> {
        None
    }

    /// It may do anything with words it does not know, so it is not asked.
    fn version_args(&self) -> Option<&'static [&'static str]> {
        None
    }

    fn passes(&self, _variable: &str) -> bool {
        false
    }

    fn invocation(&self, request: &Request, settings: &AgentSettings, _surroundings: Surroundings) -> Invocation {
        let result_file = request.scratch.join("result.json");
        let mut env = common_env(request);
        let access = match request.access {
            Access::Read => "read",
            Access::Write => "write",
        };
        let structure = match request.structure {
            Some(Structure::Plan) => "plan",
            Some(Structure::Verdict) => "verdict",
            None => "",
        };
        let mut files = Vec::new();
        let mut set = |name: &str, value: &str| env.insert(format!("GIT_ORCHESTRATE_{name}"), value.to_owned());
        if let Some(structure) = request.structure {
            let path = request.scratch.join("answer-schema.json");
            set("SCHEMA_FILE", &path.to_string_lossy());
            files.push((path, schema_of(structure).to_string().into_bytes()));
        }
        set("TASK", &request.task);
        set("PHASE", &request.phase);
        set("ATTEMPT", &request.attempt.to_string());
        set("ACCESS", access);
        set("STRUCTURE", structure);
        set("RESULT_FILE", &result_file.to_string_lossy());
        Invocation {
            args: settings.args.clone(),
            env,
            stdin: request.prompt.clone().into_bytes(),
            files,
            result_file: Some(result_file),
        }
    }

    fn parser(&self, request: &Request) -> Box<dyn Parser> {
        Box::new(Output { structure: request.structure, ..Output::default() })
    }
}

/// What a program may say of its step.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    status: Option<Status>,
    text: Option<String>,
    structured: Option<Value>,
    tokens: Tokens,
    cost_usd: Option<Money>,
    model: Option<String>,
    session: Option<String>,
    retry_after_s: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Done,
    Failed,
    Infra,
    Limited,
}

/// Keeps what is printed, until it is known whether the last line is a result.
#[derive(Default)]
struct Output {
    reading: Reading,
    structure: Option<Structure>,
    words: String,
    last_line: Vec<u8>,
}

impl Parser for Output {
    fn line(&mut self, line: &[u8], on_event: &mut dyn FnMut(AgentEvent)) {
        self.reading.begin(None, None, on_event);
        let before = std::mem::replace(&mut self.last_line, line.to_vec());
        self.keep(&before);
        let shown = clean_line(&String::from_utf8_lossy(line));
        if !shown.is_empty() && !shown.starts_with('{') {
            on_event(AgentEvent::Text(shown));
        }
    }

    fn finish(mut self: Box<Self>, ending: &Ending<'_>) -> Answer {
        let in_file = ending.result.as_deref().filter(|bytes| !bytes.trim_ascii().is_empty());
        let told = match in_file {
            Some(bytes) => serde_json::from_slice::<Told>(bytes).map_err(|error| error.to_string()),
            None => Ok(self.last_line_as_result().unwrap_or_default()),
        };
        let last_line = std::mem::take(&mut self.last_line);
        self.keep(&last_line);
        let told = match told {
            Ok(told) => told,
            Err(error) => {
                let mut answer = self.reading.finish(NAMES, None, ending);
                if answer.ended != EndedAs::Cancelled {
                    answer.ended = EndedAs::Failed(format!("the result file cannot be read: {error}"));
                }
                return answer;
            }
        };
        let words = told.text.unwrap_or_else(|| self.words.trim().to_owned());
        let mut reading = self.reading;
        reading.set_words(&words);
        reading.structured = told.structured.filter(|value| !value.is_null());
        reading.tokens = told.tokens;
        reading.cost_usd = told.cost_usd;
        reading.begin(told.session.as_deref(), told.model.as_deref(), &mut |_| {});
        let line =
            cut(&clean_line(words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("")), LINE_COLUMNS_MAX);
        let or = |otherwise: &str| if line.is_empty() { otherwise.to_owned() } else { line.clone() };
        let until = told
            .retry_after_s
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|wait| reset::after(wait, ending.now));
        let claimed = match told.status {
            Some(Status::Failed) => Some(EndedAs::Failed(or("the program says that it failed"))),
            Some(Status::Infra) => Some(EndedAs::Infra(or("the program says that it could not do its part"))),
            Some(Status::Limited) => {
                Some(EndedAs::Limited { until, reason: or("the program says that its limit is reached") })
            }
            Some(Status::Done) | None => None,
        };
        if *ending.how == How::Exited(0) {
            reading.terminal = Some(Terminal::Good);
        }
        let has_worked = reading.terminal.is_some();
        let mut answer = reading.finish(NAMES, self.structure, ending);
        answer.ended = match (claimed, ending.how) {
            (_, How::Cancelled) => EndedAs::Cancelled,
            (Some(claimed), _) => claimed,
            // A program that only changes files has no need to say anything.
            (None, _) if has_worked => EndedAs::Finished,
            // As a shell says that it found no such program, or could not start it.
            (None, How::Exited(code @ (126 | 127))) => EndedAs::Infra(format!(
                "the program could not be started (exit code {code}){}",
                complaint(ending.stderr)
            )),
            (None, How::Exited(code)) => {
                EndedAs::Failed(format!("the program ended with exit code {code}{}", complaint(ending.stderr)))
            }
            (None, How::Signaled(_) | How::WallLimit | How::IdleLimit) => answer.ended,
        };
        answer
    }
}

impl Output {
    fn keep(&mut self, line: &[u8]) {
        if !line.is_empty() || !self.words.is_empty() {
            self.words.push_str(&String::from_utf8_lossy(line));
            self.words.push('\n');
        }
        if self.words.len() > 2 * WORDS_BYTES_MAX {
            let mut start = self.words.len() - WORDS_BYTES_MAX;
            while !self.words.is_char_boundary(start) {
                start += 1;
            }
            self.words.drain(..start);
        }
    }

    /// The last line, taken off the words, if it is a result: an object with one of the keys of a result.
    fn last_line_as_result(&mut self) -> Option<Told> {
        const KEYS: [&str; 8] =
            ["status", "text", "structured", "tokens", "cost_usd", "model", "session", "retry_after_s"];
        let value: Value = serde_json::from_slice(&self.last_line).ok()?;
        // A bare verdict has a status as well, but not one of ours, so it stays what the program said.
        KEYS.iter().any(|key| value.get(key).is_some()).then_some(())?;
        let told = serde_json::from_value(value).ok()?;
        self.last_line.clear();
        Some(told)
    }
}

fn complaint(stderr: &[u8]) -> String {
    let stderr = String::from_utf8_lossy(&stderr[stderr.len().saturating_sub(16 << 10)..]).into_owned();
    match stderr.lines().rfind(|line| !line.trim().is_empty()) {
        Some(line) => format!(": {}", cut(&clean_line(line), LINE_COLUMNS_MAX)),
        None => String::new(),
    }
}
