//! What every adapter is: a request turned into a command line, and lines of output turned into events and an answer.
//! Knows nothing of processes: what an adapter says can be looked at, and a recording parsed, without any program.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use super::request::{AgentEvent, Answer, Request};
use crate::{
    config::settings::{AdapterKind, AgentSettings},
    sys::process::How,
};

/// Bytes of a prompt that are given to any program; the strictest of them takes a mebibyte of characters.
pub const PROMPT_BYTES_MAX: usize = 1_000_000;

/// What the adapter must know of the world besides the request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings {
    /// Whether we run as root, where some programs want to be told that this is meant.
    pub is_root: bool,
    /// Whether there are settings of an administrator, [`Adapter::managed_settings`].
    pub is_managed: bool,
}

/// A program as it shall be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The words after the program's name.
    pub args: Vec<String>,
    /// Variables set for it; they win over all others.
    pub env: BTreeMap<String, String>,
    /// What it is told on its standard input, which is closed afterwards, unless there is a dialogue.
    pub stdin: Vec<u8>,
    /// Files that must be there before it starts, all inside the request's scratch directory.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// The file that it may leave its result in.
    pub result_file: Option<PathBuf>,
}

/// How the program ended, and what it said beside its lines.
#[derive(Debug, Clone)]
pub struct Ending<'a> {
    /// How it ended.
    pub how: &'a How,
    /// Its standard error, capped.
    pub stderr: &'a [u8],
    /// What it left in [`Invocation::result_file`].
    pub result: Option<Vec<u8>>,
    /// The time now, for resets that are told as a time of day.
    pub now: SystemTime,
    /// How long it was allowed to take.
    pub wall: Duration,
    /// How long it was allowed to be silent.
    pub idle: Duration,
}

/// Reads the output of one step, line by line.
pub trait Parser {
    /// One line of standard output, without its end; never longer than the cap of `sys`, of any bytes.
    fn line(&mut self, line: &[u8], on_event: &mut dyn FnMut(AgentEvent));

    /// One line of standard error, for programs that say only there what they wait for.
    fn complaint(&mut self, _line: &[u8], _on_event: &mut dyn FnMut(AgentEvent)) {}

    /// The answer, once the program has ended. Transcript and left-behind processes are the caller's to fill in.
    fn finish(self: Box<Self>, ending: &Ending<'_>) -> Answer;
}

/// Reads the output of one step and answers it.
pub trait Dialogue: Parser {
    /// What it is told now, since the last time this was asked.
    fn words(&mut self) -> Vec<u8>;

    /// Whether that was all, so that its input may end.
    fn is_over(&self) -> bool;

    /// It shall stop, and is told so in its own language.
    fn farewell(&mut self);
}

/// One program that can be driven.
pub trait Adapter: Send + Sync {
    /// Which it is.
    fn kind(&self) -> AdapterKind;

    /// The program's usual name.
    fn program(&self) -> Option<&'static str>;

    /// The words that make it print its version and end; none: it is not asked.
    fn version_args(&self) -> Option<&'static [&'static str]>;

    /// The file of an administrator's settings, if we would have to take its place.
    fn managed_settings(&self) -> Option<&'static str> {
        None
    }

    /// Why it must not be started for this request, a line for people; looks into the worktree.
    fn obstacle(&self, _request: &Request) -> Option<String> {
        None
    }

    /// Whether a variable of our environment is one of the program's own settings or keys, which it may see.
    fn passes(&self, variable: &str) -> bool;

    /// How it is started for a request.
    fn invocation(&self, request: &Request, settings: &AgentSettings, surroundings: Surroundings) -> Invocation;

    /// A reader of its output for one step.
    fn parser(&self, request: &Request) -> Box<dyn Parser>;

    /// Who talks with it for one step; none: it is told all at once, and a parser is enough.
    fn dialogue(&self, _request: &Request, _settings: &AgentSettings) -> Option<Box<dyn Dialogue>> {
        None
    }
}

/// Variables that every program is given: its own directory for temporary files, where it stands, and no colours.
pub fn common_env(request: &Request) -> BTreeMap<String, String> {
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    [
        ("TMPDIR", path(&request.scratch)),
        // Some programs believe PWD more than where they were started.
        ("PWD", path(&request.worktree)),
        ("NO_COLOR", "1".to_owned()),
        ("TERM", "dumb".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
