//! A server of models as an agent's settings name it: its address, its key, what one may ask of it, and whether it answers.
//! Knows nothing of a step. The key is read where it is needed and shown nowhere.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;

use super::{provider::Provider, providers::provider_of, refusal::trouble_in};
use crate::{
    agents::{error::AgentError, health::Health},
    config::settings::AgentSettings,
    sys::{
        environment,
        http::{Call, Client, HttpError, Origin, Secret, Then},
        process::{Cancel, How, Label, ProcessLimits, Program, Supervisor},
    },
    text::{clean_line, cut, duration},
};

/// How long a command may take to print a key.
const KEY_COMMAND_MAX: Duration = Duration::from_secs(30);
/// Bytes that a key may have.
const KEY_BYTES_MAX: usize = 16 << 10;
/// How long a server may take to list its models.
const MODELS_MAX: Duration = Duration::from_secs(10);
/// Bytes of that list.
const MODELS_BYTES_MAX: usize = 8 << 20;

/// Turns of one step, where the settings do not say.
const TURNS_MAX: u32 = 100;
/// Tokens of one step, likewise.
const TOKENS_MAX: u64 = 5_000_000;
/// Tokens that a model takes at once, likewise: what the usual ones take at least, and room for the answer.
const CONTEXT_TOKENS: u64 = 160_000;

/// Limits of a step beside those of its request.
#[derive(Debug, Clone, Copy)]
pub struct StepLimits {
    /// Turns.
    pub turns_max: u32,
    /// Tokens in all.
    pub tokens_max: u64,
    /// Tokens at once.
    pub context_tokens: u64,
    /// Tokens of an answer; none: as many as the server lets.
    pub answer_tokens: Option<u64>,
}

/// Where the key is.
#[derive(Debug)]
enum KeyPlace {
    Variable(String),
    Command(String),
}

/// A server of models, ready to be asked.
pub struct Endpoint {
    provider: &'static dyn Provider,
    model: String,
    base: String,
    place: KeyPlace,
    /// What a command printed.
    printed: Mutex<Option<Secret>>,
    client: Client,
    limits: StepLimits,
    may_run: bool,
    settings: AgentSettings,
    root: PathBuf,
    /// How it is named to people.
    name: String,
}

impl Endpoint {
    /// That of an agent; none: it is not over HTTP. Paths in the settings are relative to `root`.
    ///
    /// # Errors
    /// It names no model, or its address, proxy or certificates are none.
    pub fn new(agent: &str, settings: &AgentSettings, root: &Path) -> Result<Option<Self>, AgentError> {
        let Some(provider) = provider_of(settings.adapter) else { return Ok(None) };
        let named = settings.model.clone().filter(|model| !model.trim().is_empty());
        let model = named.ok_or_else(|| AgentError::NoModel { agent: agent.to_owned(), adapter: settings.adapter })?;
        let base = base_of(provider, settings, |name| std::env::var(name).ok());
        let ca_file = settings.ca_file.as_ref().map(|path| root.join(path));
        let client = Client::new(&base, ca_file.as_deref())
            .map_err(|cause| AgentError::Http { agent: agent.to_owned(), cause })?;
        let place = match (&settings.key_command, &settings.key_env) {
            (Some(command), _) => KeyPlace::Command(command.clone()),
            (None, Some(variable)) => KeyPlace::Variable(variable.clone()),
            (None, None) => KeyPlace::Variable(provider.key_variable().to_owned()),
        };
        Ok(Some(Self {
            name: format!("model '{model}' at {}", client.origin().authority),
            provider,
            base,
            place,
            printed: Mutex::default(),
            client,
            limits: StepLimits {
                turns_max: settings.turns_max.unwrap_or(TURNS_MAX),
                tokens_max: settings.tokens_max.unwrap_or(TOKENS_MAX),
                context_tokens: settings.context_tokens.unwrap_or(CONTEXT_TOKENS),
                answer_tokens: settings.answer_tokens,
            },
            may_run: settings.run.unwrap_or(true),
            settings: settings.clone(),
            root: root.to_owned(),
            model,
        }))
    }

    /// How one talks to it.
    pub fn provider(&self) -> &'static dyn Provider {
        self.provider
    }

    /// The model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The variable that the key is in, if it is in one.
    pub fn key_variable(&self) -> Option<&str> {
        match &self.place {
            KeyPlace::Variable(variable) => Some(variable),
            KeyPlace::Command(_) => None,
        }
    }

    /// How it is named to people: `model 'glm-4.7' at api.example.com`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What to do where it does not take the key.
    pub fn login(&self) -> String {
        match &self.place {
            KeyPlace::Variable(variable) => format!("look at the key in {variable}"),
            KeyPlace::Command(_) => "look at what 'key_command' prints".to_owned(),
        }
    }

    /// The connection.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Limits of a step.
    pub fn limits(&self) -> StepLimits {
        self.limits
    }

    /// Whether it may run commands where it may write.
    pub fn may_run(&self) -> bool {
        self.may_run
    }

    /// The settings of the agent.
    pub fn settings(&self) -> &AgentSettings {
        &self.settings
    }

    /// Where a turn is asked for.
    pub fn turn_url(&self) -> String {
        self.provider.turn_url(&self.base, &self.model)
    }

    /// Whether it is the provider's own server, and not one that speaks its form.
    pub fn is_providers_own(&self) -> bool {
        Origin::of(self.provider.base()).as_ref() == Some(self.client.origin())
    }

    /// The key; none: this machine's own servers need none.
    ///
    /// # Errors
    /// There is none, or it is no key: a line for people and what to do.
    pub fn key(&self, supervisor: &Supervisor, cancel: &Cancel) -> Result<Option<Secret>, (String, Option<String>)> {
        let secret = match &self.place {
            KeyPlace::Variable(variable) => {
                let value = std::env::var(variable).ok().map(|value| Secret::new(&value));
                match value.filter(|key| !key.expose().is_empty()) {
                    Some(key) => key,
                    None if self.client.origin().is_loopback() => return Ok(None),
                    None => {
                        let hint = format!("export {variable}=…, or name 'key_env' or 'key_command' of the agent");
                        return Err((format!("no key: the variable '{variable}' is not set"), Some(hint)));
                    }
                }
            }
            KeyPlace::Command(command) => {
                let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
                match &*printed {
                    Some(key) => key.clone(),
                    None => {
                        let key = self.ask_command(command, supervisor, cancel).map_err(|line| (line, None))?;
                        printed.insert(key).clone()
                    }
                }
            }
        };
        if secret.expose().bytes().any(|byte| !(0x21..0x7f).contains(&byte)) {
            return Err(("the key has characters in it that no key has".to_owned(), Some(self.login())));
        }
        Ok(Some(secret))
    }

    /// Forgets what a command printed, because the key was refused. Says whether there was something to forget.
    pub fn forget_key(&self) -> bool {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    fn ask_command(&self, command: &str, supervisor: &Supervisor, cancel: &Cancel) -> Result<Secret, String> {
        let program = Program {
            argv: ["sh", "-c", command].map(OsString::from).to_vec(),
            cwd: self.root.clone(),
            env: environment::allowed(&self.settings.env_pass),
            stdin: Vec::new(),
            limits: ProcessLimits {
                wall: KEY_COMMAND_MAX,
                idle: None,
                stdout_bytes_max: KEY_BYTES_MAX,
                stderr_bytes_max: KEY_BYTES_MAX,
            },
            label: Label::default(),
        };
        let ended = supervisor
            .run(&program, cancel, &mut |_, _| {})
            .map_err(|error| format!("'key_command' cannot be run: {error}"))?;
        let said = String::from_utf8_lossy(&ended.stderr.bytes);
        let said = said.lines().map(clean_line).rfind(|line| !line.is_empty()).unwrap_or_default();
        let said = if said.is_empty() { said } else { format!(": {}", cut(&said, 120)) };
        match ended.how {
            How::Exited(0) => {
                let key = Secret::new(&String::from_utf8_lossy(&ended.stdout.bytes));
                if key.expose().is_empty() { Err(format!("'key_command' prints no key{said}")) } else { Ok(key) }
            }
            How::Exited(code) => Err(format!("'key_command' failed with exit code {code}{said}")),
            How::Signaled(signal) => Err(format!("'key_command' was killed by signal {signal}{said}")),
            How::WallLimit | How::IdleLimit => {
                Err(format!("'key_command' did not end within {}", duration(KEY_COMMAND_MAX)))
            }
            How::Cancelled => Err("'key_command' was stopped".to_owned()),
        }
    }

    /// Headers of each request.
    pub fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)> {
        let mut headers = self.provider.headers(key);
        headers.push(("content-type", "application/json".to_owned()));
        headers.push(("accept", "text/event-stream, application/json".to_owned()));
        headers
    }

    /// Whether it can be given work: the key is there, the server answers and takes it. The list of models costs nothing.
    pub fn probe(&self, supervisor: &Supervisor, limit: Duration) -> Health {
        let ill = |problem: String, hint: Option<String>| Health { problem: Some(problem), hint, ..Health::default() };
        let key = match self.key(supervisor, &Cancel::new()) {
            Ok(key) => key,
            Err((line, hint)) => return ill(line, hint),
        };
        match self.list(key.as_ref(), limit) {
            // Many servers have no such list; they answer, and that is enough.
            Ok(_) => Health::default(),
            Err(Unlisted::Refused(status, line)) if matches!(status, 401 | 403 | 407) => {
                let line = if line.is_empty() { String::new() } else { format!(": {line}") };
                ill(
                    format!("{} does not take the key ({status}){line}", self.client.origin().authority),
                    Some(self.login()),
                )
            }
            Err(Unlisted::Refused(status, line)) if status >= 500 => {
                ill(format!("{} is not well ({status}): {line}", self.client.origin().authority), None)
            }
            Err(Unlisted::Refused(..)) => Health::default(),
            Err(Unlisted::Silent(error)) => {
                let hint =
                    error.hint().or_else(|| Some(format!("look at the network, or at 'base_url': {}", self.base)));
                ill(error.to_string(), hint)
            }
        }
    }

    /// The names of the models that the server lists, or none where it lists none.
    pub fn models(&self, supervisor: &Supervisor) -> Vec<String> {
        let key = self.key(supervisor, &Cancel::new()).ok().flatten();
        let list = self.list(key.as_ref(), MODELS_MAX).unwrap_or_default();
        let models = list["data"].as_array().or_else(|| list["models"].as_array());
        let name = |model: &Value| model["id"].as_str().or_else(|| model["name"].as_str()).map(str::to_owned);
        let names = models.into_iter().flatten().filter_map(name);
        names.map(|name| name.strip_prefix("models/").unwrap_or(&name).to_owned()).collect()
    }

    fn list(&self, key: Option<&Secret>, limit: Duration) -> Result<Value, Unlisted> {
        let call = Call {
            url: self.provider.models_url(&self.base),
            headers: self.headers(key),
            body: None,
            wall: limit.min(MODELS_MAX),
            idle: limit.min(MODELS_MAX),
            body_bytes_max: MODELS_BYTES_MAX,
            line_bytes_max: MODELS_BYTES_MAX,
        };
        let mut body = Vec::new();
        let reply = self
            .client
            .call(call, &Cancel::new(), &mut |line| {
                body.extend_from_slice(line);
                body.push(b'\n');
                Then::More
            })
            .map_err(Unlisted::Silent)?;
        if !reply.is_success() {
            let said: Value = serde_json::from_slice(&reply.refusal).unwrap_or_default();
            let line = cut(&trouble_in(&said, Some(reply.status)).message, 120);
            return Err(Unlisted::Refused(reply.status, key.map_or(line.clone(), |key| key.scrub(&line))));
        }
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// Why there is no list of models.
enum Unlisted {
    Refused(u16, String),
    Silent(HttpError),
}

/// The base address: of the settings, else of the environment, else the provider's own; without `/` at its end.
fn base_of(provider: &dyn Provider, settings: &AgentSettings, variable: impl Fn(&str) -> Option<String>) -> String {
    let base = settings.base_url.clone().or_else(|| variable(provider.base_variable()));
    let base = base.filter(|base| !base.trim().is_empty()).unwrap_or_else(|| provider.base().to_owned());
    base.trim().trim_end_matches('/').to_owned()
}
