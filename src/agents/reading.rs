//! What was read so far of an agent's output, and the one rule that turns it into an answer.
//! Knows no program's events: the adapters fill it in.

use std::time::Duration;

use serde_json::Value;

use super::{
    adapter::Ending,
    fault::{Fault, Names, Trouble},
    request::{AgentEvent, Answer, EndedAs, Structure},
    reset, structured,
};
use crate::{
    model::money::{Money, Tokens},
    sys::process::How,
    text::{clean_line, cut, duration},
};

/// Bytes of the last words that are kept.
const WORDS_BYTES_MAX: usize = 1 << 20;
/// Columns of what a tool is used for.
const DETAIL_COLUMNS_MAX: usize = 120;
/// Columns of foreign words that a line for people holds.
const QUOTED_COLUMNS_MAX: usize = 240;
/// Bytes at the end of the output that is no event, kept to tell why a program gave up.
const STRAY_BYTES_MAX: usize = 4 << 10;
/// Tokens that one event may tell of.
const TOKENS_MAX: u64 = 1 << 40;
/// Lines at the end of standard error that are looked at for why a program gave up.
const STDERR_LINES_MAX: usize = 100;

/// How the program itself says that it ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Terminal {
    /// Well.
    Good,
    /// Not well.
    Bad(Trouble),
}

/// What was read so far.
#[derive(Debug, Default)]
pub struct Reading {
    /// The program's name for the session.
    pub session: Option<String>,
    /// The model it reports.
    pub model: Option<String>,
    /// Tokens so far.
    pub tokens: Tokens,
    /// What it cost so far.
    pub cost_usd: Option<Money>,
    /// The structured answer as the program gave it.
    pub structured: Option<Value>,
    /// The last terminal event.
    pub terminal: Option<Terminal>,
    /// What it waits for, if it said so and went not on since.
    pub waiting: Option<Trouble>,
    /// The moment at which its limit ends, as a bare number of an event.
    pub reset_number: Option<f64>,
    words: String,
    tools: u32,
    has_begun: bool,
    stray: Vec<u8>,
}

impl Reading {
    /// The line as an object; what is none is kept as a reason to give.
    ///
    /// Invalid UTF-8 is replaced, so that one bad byte does not lose an event.
    pub fn object(&mut self, line: &[u8]) -> Option<Value> {
        let parsed = match std::str::from_utf8(line) {
            Ok(line) => serde_json::from_str(line),
            Err(_) => serde_json::from_str(&String::from_utf8_lossy(line)),
        };
        match parsed {
            Ok(value @ Value::Object(_)) => Some(value),
            Ok(_) | Err(_) => {
                if !line.trim_ascii().is_empty() {
                    let kept = &line[line.len().saturating_sub(STRAY_BYTES_MAX)..];
                    self.stray.extend_from_slice(kept);
                    self.stray.push(b'\n');
                    let surplus = self.stray.len().saturating_sub(STRAY_BYTES_MAX);
                    self.stray.drain(..surplus);
                }
                None
            }
        }
    }

    /// It began, or tells its session again; only the first time is an event.
    pub fn begin(&mut self, session: Option<&str>, model: Option<&str>, on_event: &mut dyn FnMut(AgentEvent)) {
        let name =
            |text: Option<&str>| text.map(|text| cut(&clean_line(text), DETAIL_COLUMNS_MAX)).filter(|t| !t.is_empty());
        self.session = name(session).or_else(|| self.session.take());
        self.model = name(model).or_else(|| self.model.take());
        if !self.has_begun {
            self.has_begun = true;
            on_event(AgentEvent::Started { session: self.session.clone(), model: self.model.clone() });
        }
    }

    /// It said something; these are now its last words.
    pub fn say(&mut self, words: &str, on_event: &mut dyn FnMut(AgentEvent)) {
        self.set_words(words);
        if !words.trim().is_empty() {
            self.waiting = None;
            on_event(AgentEvent::Text(self.words.clone()));
        }
    }

    /// These are its last words, without an event: they were said before.
    pub fn set_words(&mut self, words: &str) {
        let mut start = words.len().saturating_sub(WORDS_BYTES_MAX);
        while !words.is_char_boundary(start) {
            start += 1;
        }
        words[start..].clone_into(&mut self.words);
    }

    /// It uses a tool.
    pub fn use_tool(&mut self, name: &str, detail: &str, on_event: &mut dyn FnMut(AgentEvent)) {
        self.tools = self.tools.saturating_add(1);
        self.waiting = None;
        on_event(AgentEvent::Tool {
            name: cut(&clean_line(name), DETAIL_COLUMNS_MAX),
            detail: cut(&clean_line(detail), DETAIL_COLUMNS_MAX),
        });
    }

    /// It waits for its provider.
    pub fn wait(&mut self, trouble: Trouble, line: String, on_event: &mut dyn FnMut(AgentEvent)) {
        self.waiting = Some(trouble);
        on_event(AgentEvent::Waiting(line));
    }

    /// The answer.
    ///
    /// Good is only a good terminal event, whatever the exit code, and then whatever ended the program afterwards: an
    /// agent that has finished and hangs while it closes has finished.
    pub fn finish(mut self, names: Names<'_>, structure: Option<Structure>, ending: &Ending<'_>) -> Answer {
        let ended = match self.terminal.take() {
            Some(Terminal::Good) => self.finished(names),
            Some(Terminal::Bad(trouble)) => self.troubled(&trouble, names, ending),
            None => self.cut_short(names, ending),
        };
        let found = structure.filter(|_| ended == EndedAs::Finished).and_then(|s| structured::find(&self.words, s));
        Answer {
            structured: self.structured.or(found),
            text: self.words,
            tokens: self.tokens,
            cost_usd: self.cost_usd,
            session: self.session,
            model: self.model,
            ..Answer::only(ended)
        }
    }

    /// A claim without any word or deed behind it is none.
    fn finished(&self, names: Names<'_>) -> EndedAs {
        if self.words.trim().is_empty() && self.tools == 0 && self.structured.is_none() {
            EndedAs::Failed(format!("{} gave an empty answer and used no tool", names.program))
        } else {
            EndedAs::Finished
        }
    }

    fn troubled(&self, trouble: &Trouble, names: Names<'_>, ending: &Ending<'_>) -> EndedAs {
        let mut ended = trouble.ended(names, ending.now);
        if let EndedAs::Limited { until, .. } = &mut ended {
            let told = self.reset_number.and_then(|number| reset::from_number(number, ending.now));
            *until = told.or(*until).or_else(|| reset::from_text(&stderr_end(ending.stderr), ending.now));
        }
        ended
    }

    /// It ended without saying so.
    fn cut_short(&self, names: Names<'_>, ending: &Ending<'_>) -> EndedAs {
        let program = names.program;
        let waiting = |line: String| match &self.waiting {
            // Who was still being put off by the provider when the time was up has that trouble, not a slow task.
            Some(trouble) => match self.troubled(trouble, names, ending) {
                EndedAs::Failed(line) => EndedAs::Infra(line),
                ended @ (EndedAs::Finished | EndedAs::Infra(_) | EndedAs::Limited { .. } | EndedAs::Cancelled) => ended,
            },
            None => EndedAs::Infra(line),
        };
        match ending.how {
            How::Cancelled => EndedAs::Cancelled,
            How::IdleLimit => waiting(format!("{program} was silent for {} and was stopped", duration(ending.idle))),
            How::WallLimit if self.waiting.is_some() => waiting(String::new()),
            How::WallLimit => {
                EndedAs::Failed(format!("{program} was not finished after {} and was stopped", duration(ending.wall)))
            }
            How::Signaled(signal) => EndedAs::Infra(format!("{program} was killed by signal {signal}")),
            How::Exited(0) => {
                let said = quoted(&self.last_stray());
                self.without_result(format!("{program} ended without a result that can be read{said}"))
            }
            How::Exited(code) => {
                let why = self.last_complaint(ending.stderr);
                let trouble = Trouble::saying(why.clone());
                if trouble.fault() == Fault::GaveUp {
                    let said = quoted(&why);
                    self.without_result(format!("{program} ended without a result (exit code {code}){said}"))
                } else {
                    self.troubled(&trouble, names, ending)
                }
            }
        }
    }

    /// Before its first event it has not even looked at the work.
    fn without_result(&self, line: String) -> EndedAs {
        if self.has_begun { EndedAs::Failed(line) } else { EndedAs::Infra(line) }
    }

    fn last_stray(&self) -> String {
        let stray = String::from_utf8_lossy(&self.stray);
        stray.lines().map(clean_line).rfind(|line| !line.is_empty()).unwrap_or_default()
    }

    /// The last line that says why: what stands on standard output and is no event, else on standard error, an error
    /// before what only stands there as well.
    fn last_complaint(&self, stderr: &[u8]) -> String {
        let stray = String::from_utf8_lossy(&self.stray);
        let stderr = stderr_end(stderr);
        let lines: Vec<String> = stderr
            .lines()
            .chain(stray.lines())
            .map(clean_line)
            .filter(|line| !line.is_empty() && !line.starts_with("at ") && !line.starts_with(['{', '}', '-']))
            .collect();
        // Who explains all options was given one that is none, and says so first, if at all.
        if stderr.lines().any(|line| line.trim() == "Options:") {
            let first = lines.iter().find(|line| line.to_ascii_lowercase().starts_with("unknown"));
            return first.cloned().unwrap_or_else(|| "unknown option: it only explains its usage".to_owned());
        }
        let complains = |line: &&String| {
            let line = line.to_ascii_lowercase();
            ["error", "fail", "invalid", "not ", "cannot", "denied", "limit", "unknown"]
                .iter()
                .any(|word| line.contains(word))
        };
        lines.iter().rev().find(complains).or(lines.last()).cloned().unwrap_or_default()
    }
}

fn quoted(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {}", cut(words, QUOTED_COLUMNS_MAX)) }
}

fn stderr_end(stderr: &[u8]) -> String {
    let end = &stderr[stderr.len().saturating_sub(64 << 10)..];
    let text = String::from_utf8_lossy(end);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(STDERR_LINES_MAX)..].join("\n")
}

/// One line of what a tool is used for, out of its parameters: the command, the path, the pattern, whatever is there.
pub fn detail_of(parameters: &Value) -> &str {
    const KEYS: [&str; 11] = [
        "command",
        "file_path",
        "filePath",
        "path",
        "pattern",
        "query",
        "url",
        "description",
        "prompt",
        "patchText",
        "name",
    ];
    KEYS.iter().find_map(|key| parameters[key].as_str()).unwrap_or("")
}

/// A number of tokens of a field, 0 if it is none; no sum of these overflows.
pub fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0).min(TOKENS_MAX)
}

/// A line that says how a program waits: `rate limited (429), attempt 3 of 10, next in 12s`.
pub fn waiting_line(trouble: &Trouble, tries: Option<(u64, u64)>, pause: Option<Duration>) -> String {
    let mut line = match trouble.fault() {
        Fault::Limit => "the provider limits the rate".to_owned(),
        Fault::Login => "the provider refuses the login".to_owned(),
        Fault::Overload => "the provider is overloaded".to_owned(),
        Fault::Network => "the connection to the provider fails".to_owned(),
        Fault::Model
        | Fault::Context
        | Fault::OutputLimit
        | Fault::Refusal
        | Fault::Request
        | Fault::Variable
        | Fault::Setup
        | Fault::GaveUp => "the provider does not answer as it should".to_owned(),
    };
    if let Some(status) = trouble.status {
        line.push_str(&format!(" ({status})"));
    }
    if let Some((attempt, attempts_max)) = tries {
        line.push_str(&format!(", attempt {attempt} of {attempts_max}"));
    }
    if let Some(pause) = pause {
        line.push_str(&format!(", next in {}", duration(pause)));
    }
    line
}
