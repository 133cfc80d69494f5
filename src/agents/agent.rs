//! An agent of the configuration: its program found, its environment closed, one step run, its answer read.
//! Does not know what the answer is for, nor whether the files it left are good.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    adapter::{Adapter, Dialogue, Ending, Invocation, PROMPT_BYTES_MAX, Parser, Surroundings},
    adapters::adapter_of,
    error::AgentError,
    family::{family_of, family_of_program},
    health::{Health, Probe, Versions, missing},
    http::{self, Endpoint},
    replay::Recording,
    request::{AgentEvent, Answer, EndedAs, Request},
};
use crate::{
    config::settings::{AdapterKind, AgentSettings},
    model::record::{Family, Usage},
    sys::{
        clock, environment,
        file::{read_limited, remove_tree},
        process::{Cancel, Conversation, How, Label, ProcessLimits, Program, Say, Source, Supervisor, find_program},
    },
};

/// Bytes of a result file that are read.
const RESULT_BYTES_MAX: usize = 4 << 20;
/// Bytes of standard error that are kept.
const STDERR_BYTES_MAX: usize = 1 << 20;

/// An agent, ready to be asked.
pub struct Agent {
    name: String,
    settings: AgentSettings,
    family: Family,
    root: PathBuf,
    driven: Driven,
}

/// What does the work.
enum Driven {
    Program { adapter: &'static dyn Adapter, program: String },
    Http(Box<Endpoint>),
    Recording(Recording),
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("name", &self.name).field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Agent {
    /// The agent of this name and these settings. Paths in them are relative to `repository_root`.
    ///
    /// # Errors
    /// Its family cannot be told, `command` names no program, a recording cannot be read, it is a hybrid.
    pub fn new(name: &str, settings: &AgentSettings, repository_root: &Path) -> Result<Self, AgentError> {
        let agent = || name.to_owned();
        if settings.adapter == AdapterKind::Hybrid {
            // It takes two others; a hybrid of hybrids is none.
            return Err(AgentError::NoPart { agent: agent(), part: "work" });
        }
        let endpoint = Endpoint::new(name, settings, repository_root)?;
        // Whose bridge to the protocol it is, its name tells: `claude-agent-acp`, `gemini`.
        let by_program =
            || settings.program.as_deref().filter(|_| settings.adapter == AdapterKind::Acp).and_then(family_of_program);
        let given = settings.family.clone();
        let by_model = || family_of(settings.model.as_deref(), settings.adapter);
        let family = given.or_else(by_model).or_else(by_program).ok_or_else(|| AgentError::NoFamily {
            agent: agent(),
            adapter: settings.adapter,
            model: settings.model.clone(),
        })?;
        let driven = match (adapter_of(settings.adapter), endpoint) {
            (_, Some(endpoint)) => Driven::Http(Box::new(endpoint)),
            (Some(adapter), None) => {
                let named = settings.program.clone().or_else(|| adapter.program().map(str::to_owned));
                let program = named.ok_or_else(|| AgentError::NoProgram { agent: agent() })?;
                Driven::Program { adapter, program }
            }
            (None, None) => {
                let path = settings.recording.as_ref().ok_or_else(|| AgentError::NoRecording { agent: agent() })?;
                Driven::Recording(Recording::load(name, &repository_root.join(path))?)
            }
        };
        let (settings, root) = (settings.clone(), repository_root.to_owned());
        Ok(Self { name: agent(), settings, family, root, driven })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is driven.
    pub fn adapter(&self) -> AdapterKind {
        self.settings.adapter
    }

    /// The family of its model.
    pub fn family(&self) -> Family {
        self.family.clone()
    }

    /// The model it is asked for; none: the program's own choice.
    pub fn model(&self) -> Option<&str> {
        self.settings.model.as_deref()
    }

    /// Whether it is a model over HTTP, whose turns are ours.
    pub fn is_over_http(&self) -> bool {
        self.settings.adapter.is_over_http()
    }

    /// Does one step, on the caller's thread, until the program and all it started have ended.
    ///
    /// It never panics and never hangs longer than the request allows: whatever goes wrong is how it ended.
    pub fn run(
        &self,
        request: &Request,
        supervisor: &Supervisor,
        cancel: &Cancel,
        on_event: &mut dyn FnMut(AgentEvent),
    ) -> Answer {
        match &self.driven {
            Driven::Recording(recording) => recording.play(request, cancel, on_event),
            Driven::Http(endpoint) => http::run(endpoint, request, supervisor, cancel, on_event),
            Driven::Program { adapter, program } => {
                self.run_program(*adapter, program, request, supervisor, cancel, on_event).unwrap_or_else(Answer::only)
            }
        }
    }

    fn run_program(
        &self,
        adapter: &dyn Adapter,
        program: &str,
        request: &Request,
        supervisor: &Supervisor,
        cancel: &Cancel,
        on_event: &mut dyn FnMut(AgentEvent),
    ) -> Result<Answer, EndedAs> {
        if request.prompt.len() > PROMPT_BYTES_MAX {
            return Err(EndedAs::Failed(format!(
                "the prompt has {} bytes, more than the {PROMPT_BYTES_MAX} that agents take: give the task less context",
                request.prompt.len()
            )));
        }
        if let Some(line) = adapter.obstacle(request) {
            return Err(EndedAs::Infra(line));
        }
        let surroundings = Surroundings {
            is_root: rustix::process::geteuid().is_root(),
            is_managed: adapter.managed_settings().is_some_and(|path| Path::new(path).exists()),
        };
        let invocation = adapter.invocation(request, &self.settings, surroundings);
        let env = self.environment(adapter, &invocation.env);
        let file = self.find(program, &env).ok_or_else(|| {
            let hint = format!("install it, or set another agent in .handoff/config.toml instead of '{}'", self.name);
            EndedAs::Infra(format!("no program '{program}' in PATH: {hint}"))
        })?;
        prepare(&invocation, request)?;
        let mut argv = vec![file.into_os_string()];
        argv.extend(invocation.args.iter().map(OsString::from));
        let program = Program {
            argv,
            cwd: request.worktree.clone(),
            env,
            stdin: invocation.stdin,
            limits: ProcessLimits {
                wall: request.wall,
                idle: Some(request.idle),
                stdout_bytes_max: request.output_bytes_max,
                stderr_bytes_max: STDERR_BYTES_MAX,
            },
            label: Label { slot: String::new(), task: request.task.clone(), phase: request.phase.clone() },
        };
        let (ended, parser): (_, Box<dyn Parser>) = match adapter.dialogue(request, &self.settings) {
            Some(dialogue) => {
                let mut talk = Talk { dialogue, on_event };
                let ended = supervisor.converse(&program, cancel, &mut talk);
                (ended, talk.dialogue)
            }
            None => {
                let mut parser = adapter.parser(request);
                let ended = supervisor.run(&program, cancel, &mut |source, line| match source {
                    Source::Stdout => parser.line(line, on_event),
                    Source::Stderr => parser.complaint(line, on_event),
                });
                (ended, parser)
            }
        };
        let ended = ended.map_err(|error| EndedAs::Infra(error.to_string()))?;
        let result = invocation.result_file.and_then(|path| read_limited(&path, RESULT_BYTES_MAX).ok());
        let stderr = ended.stderr.bytes;
        let ending = Ending {
            how: &ended.how,
            stderr: &stderr,
            result,
            now: clock::now(),
            wall: request.wall,
            idle: request.idle,
        };
        let mut answer = parser.finish(&ending);
        answer.transcript = ended.stdout.bytes;
        answer.left_behind = ended.left_behind;
        answer.usage = ended
            .usage
            .map(|usage| Usage { memory_bytes_max: usage.memory_bytes_max, cpu_ms: usage.cpu.as_millis() as u64 });
        Ok(answer)
    }

    /// All variables of the program: the allow-list, its own settings and keys as far as we have them, what the
    /// configuration sets, and last what the adapter needs to keep its promises.
    fn environment(&self, adapter: &dyn Adapter, needed: &BTreeMap<String, String>) -> BTreeMap<OsString, OsString> {
        let mut pass = self.settings.env_pass.clone();
        // By their whole names: a pattern would not let through what is guarded against nested sessions.
        pass.extend(
            std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(|name| adapter.passes(name)),
        );
        let mut env = environment::allowed(&pass);
        let set = self.settings.env.iter().chain(needed);
        env.extend(set.map(|(name, value)| (OsString::from(name), OsString::from(value))));
        env
    }

    /// The program's file. A path is relative to the repository, not to the worktree, which agents write into.
    fn find(&self, program: &str, env: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
        let path = env.get(std::ffi::OsStr::new("PATH")).cloned().unwrap_or_default();
        if program.contains('/') {
            find_program(&self.root.join(program).to_string_lossy(), &path)
        } else {
            find_program(program, &path)
        }
    }

    /// Whether it can be given work: its program is there and tells its version within the limit.
    pub fn probe(&self, supervisor: &Supervisor, limit: Duration) -> Health {
        self.probe_remembering(supervisor, limit, None)
    }

    /// The same, with versions remembered in a file, by the program's path, size and time of change.
    pub fn probe_cached(&self, supervisor: &Supervisor, limit: Duration, cache_file: &Path) -> Health {
        self.probe_remembering(supervisor, limit, Some(cache_file))
    }

    fn probe_remembering(&self, supervisor: &Supervisor, limit: Duration, cache_file: Option<&Path>) -> Health {
        let (adapter, program) = match &self.driven {
            Driven::Program { adapter, program } => (*adapter, program),
            Driven::Http(endpoint) => return endpoint.probe(supervisor, limit),
            // It was read when the agent was made.
            Driven::Recording(_) => return Health::default(),
        };
        let mut needed = BTreeMap::new();
        needed.insert("NO_COLOR".to_owned(), "1".to_owned());
        let env = self.environment(adapter, &needed);
        let Some(file) = self.find(program, &env) else { return missing(program) };
        let Some(args) = adapter.version_args() else {
            return Health { found: Some(file), ..Health::default() };
        };
        let mut versions = cache_file.map(|path| (path, Versions::load(path)));
        if let Some(version) = versions.as_ref().and_then(|(_, versions)| versions.of(&file)) {
            return Health { version: Some(version.to_owned()), found: Some(file), ..Health::default() };
        }
        let health = Probe { file: &file, args, env, limit }.ask(supervisor);
        if let (Some((path, versions)), Some(version)) = (&mut versions, &health.version) {
            versions.remember(&file, version, path);
        }
        health
    }
}

/// A dialogue as the supervisor hears it.
struct Talk<'a> {
    dialogue: Box<dyn Dialogue>,
    on_event: &'a mut dyn FnMut(AgentEvent),
}

impl Talk<'_> {
    fn pass_on(&mut self, say: &mut Say) {
        say.bytes(&self.dialogue.words());
        if self.dialogue.is_over() {
            say.close();
        }
    }
}

impl Conversation for Talk<'_> {
    fn line(&mut self, source: Source, line: &[u8], say: &mut Say) {
        match source {
            Source::Stdout => self.dialogue.line(line, self.on_event),
            Source::Stderr => self.dialogue.complaint(line, self.on_event),
        }
        self.pass_on(say);
    }

    fn farewell(&mut self, _: How, say: &mut Say) {
        self.dialogue.farewell();
        self.pass_on(say);
    }
}

/// Puts the files there that the program is told of.
fn prepare(invocation: &Invocation, request: &Request) -> Result<(), EndedAs> {
    let failed = |path: &Path, error: std::io::Error| {
        EndedAs::Infra(format!("cannot prepare the step: cannot write '{}': {error}", path.display()))
    };
    std::fs::create_dir_all(&request.scratch).map_err(|error| failed(&request.scratch, error))?;
    // What an earlier step left there would be taken for this one's.
    if let Some(path) = &invocation.result_file {
        remove_tree(path).map_err(|error| failed(path, error))?;
    }
    for (path, content) in &invocation.files {
        std::fs::write(path, content).map_err(|error| failed(path, error))?;
    }
    Ok(())
}
