//! OpenCode: `opencode run --format json` (1.18.33 was recorded).
//! Knows nothing of other programs.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use super::{
    adapter::{Adapter, Ending, Invocation, Parser, Surroundings, common_env},
    fault::{Fault, Names, Trouble},
    reading::{Reading, Terminal, detail_of, waiting_line, whole},
    request::{AgentEvent, Answer, Request, Structure},
};
use crate::{
    config::settings::{AdapterKind, AgentSettings},
    model::{
        money::{Money, Tokens},
        workflow::Access,
    },
    sys::file::read_limited,
};

const NAMES: Names =
    Names { program: "opencode", login: "run 'opencode auth login', or set the key of the model's provider" };

/// Bytes of a project's settings that are looked through.
const SETTINGS_BYTES_MAX: usize = 1 << 20;

/// The adapter.
#[derive(Debug)]
pub struct OpenCode;

impl Adapter for OpenCode {
    fn kind(&self) -> AdapterKind {
        AdapterKind::OpenCode
    }

    fn program(&self) -> Option<&'static str> {
        Some("opencode")
    }

    fn version_args(&self) -> Option<&'static [&'static str]> {
        Some(&["--version"])
    }

    /// Its own settings and the keys of the providers it knows. Credentials of clouds are more than a model's key, so
    /// who uses one names them in `env_pass`.
    fn passes(&self, variable: &str) -> bool {
        const OF_A_SESSION: [&str; 4] =
            ["OPENCODE_SERVER_", "OPENCODE_PID", "OPENCODE_CLIENT", "OPENCODE_WORKSPACE_ID"];
        const PROVIDERS: [&str; 22] = [
            "ANTHROPIC_API_KEY",
            "OPENAI_API_KEY",
            "GEMINI_API_KEY",
            "GOOGLE_API_KEY",
            "GOOGLE_GENERATIVE_AI_API_KEY",
            "OPENROUTER_API_KEY",
            "ZHIPU_API_KEY",
            "ZAI_API_KEY",
            "DEEPSEEK_API_KEY",
            "GROQ_API_KEY",
            "MISTRAL_API_KEY",
            "XAI_API_KEY",
            "MOONSHOT_API_KEY",
            "CEREBRAS_API_KEY",
            "TOGETHER_API_KEY",
            "FIREWORKS_API_KEY",
            "DASHSCOPE_API_KEY",
            "MINIMAX_API_KEY",
            "AZURE_API_KEY",
            "AZURE_RESOURCE_NAME",
            "HF_TOKEN",
            "OLLAMA_API_KEY",
        ];
        PROVIDERS.contains(&variable)
            || variable.starts_with("OPENCODE_") && !OF_A_SESSION.iter().any(|start| variable.starts_with(start))
    }

    /// Plugins of the worktree run whatever it is told (1.18.33 has two loaders of settings, and only one of them can be
    /// switched off). A writer may run anything there anyway; a reader that runs what the author left is none.
    fn obstacle(&self, request: &Request) -> Option<String> {
        if request.access == Access::Write {
            return None;
        }
        let says_plugin = |file: &Path| {
            // What cannot be looked at may hold one.
            file.exists()
                && read_limited(file, SETTINGS_BYTES_MAX)
                    .map_or(true, |bytes| String::from_utf8_lossy(&bytes).contains("plugin"))
        };
        let root = &request.worktree;
        let directories = [".opencode/plugin", ".opencode/plugins"].into_iter().filter(|path| root.join(path).exists());
        let files = ["opencode.json", "opencode.jsonc", ".opencode/opencode.json", ".opencode/opencode.jsonc"]
            .into_iter()
            .filter(|path| says_plugin(&root.join(path)));
        directories.chain(files).next().map(|path| {
            format!(
                "opencode would run the plugins of '{path}' in the work it shall only read, which cannot be switched \
                 off: set another agent for this role"
            )
        })
    }

    /// The project's `opencode.json`, its `.opencode/` but for plugins, and its `AGENTS.md` are not loaded.
    fn invocation(&self, request: &Request, settings: &AgentSettings, _surroundings: Surroundings) -> Invocation {
        let mut args: Vec<String> =
            ["run", "--format", "json", "--pure", "--print-logs", "--log-level", "WARN"].map(str::to_owned).to_vec();
        // Without a title it asks a model for one.
        args.extend(["--title".to_owned(), format!("{} {}", request.task, request.phase)]);
        if request.access == Access::Write {
            args.push("--auto".to_owned());
        }
        if let Some(model) = &settings.model {
            args.extend(["-m".to_owned(), model.clone()]);
        }
        args.extend(settings.args.iter().cloned());

        let mut env = common_env(request);
        for name in [
            "OPENCODE_PURE",
            "OPENCODE_DISABLE_PROJECT_CONFIG",
            "OPENCODE_DISABLE_AUTOUPDATE",
            "OPENCODE_DISABLE_LSP_DOWNLOAD",
            "OPENCODE_DISABLE_SHARE",
            "OPENCODE_DISABLE_TERMINAL_TITLE",
        ] {
            env.insert(name.to_owned(), "1".to_owned());
        }
        if request.access == Access::Read {
            env.insert("OPENCODE_PERMISSION".to_owned(), read_only().to_string());
        }
        Invocation { args, env, stdin: request.prompt.clone().into_bytes(), files: Vec::new(), result_file: None }
    }

    fn parser(&self, request: &Request) -> Box<dyn Parser> {
        Box::new(Events { structure: request.structure, ..Events::default() })
    }
}

/// What a reader may do; the last rule that fits wins. Its own agent `plan` is no reader: its shell writes.
///
/// These are rules on words, no sandbox: a `*` that the shell expands to a file named like an option gets through, so
/// what a reader leaves in the worktree must be looked at as well.
fn read_only() -> Value {
    json!({
        "*": "deny",
        "read": "allow",
        "list": "allow",
        "glob": "allow",
        "grep": "allow",
        "bash": {
            "*": "deny",
            "git diff*": "allow",
            "git log*": "allow",
            "git show*": "allow",
            "git status*": "allow",
            "git blame*": "allow",
            "git ls-files*": "allow",
            // What writes a file or runs a program of the repository's choice, and what could hide such a word.
            "*>*": "deny",
            "*--output*": "deny",
            "*--ext-diff*": "deny",
            "*--textconv*": "deny",
            "*\"*": "deny",
            "*'*": "deny",
            "*\\*": "deny",
            "*$*": "deny",
            "*`*": "deny",
            "*{*": "deny",
        },
        "edit": "deny",
        "external_directory": "deny",
        "webfetch": "deny",
        "websearch": "deny",
        "task": "deny",
    })
}

/// Reads `--format json`. There is no event while it tries again (its log, on standard error, tells why), and none names
/// the model.
#[derive(Default)]
struct Events {
    reading: Reading,
    structure: Option<Structure>,
    /// What it said since it last used a tool.
    spoken: String,
    /// The last failure in its log.
    failure: String,
}

impl Parser for Events {
    fn line(&mut self, line: &[u8], on_event: &mut dyn FnMut(AgentEvent)) {
        let Some(event) = self.reading.object(line) else { return };
        let part = &event["part"];
        if let Some(session) = event["sessionID"].as_str() {
            self.reading.begin(Some(session), None, on_event);
        }
        match event["type"].as_str() {
            Some("text") => {
                let words = part["text"].as_str().unwrap_or_default();
                if !self.spoken.is_empty() {
                    self.spoken.push_str("\n\n");
                }
                self.spoken.push_str(words);
                self.reading.say(words, on_event);
                self.reading.set_words(&self.spoken);
            }
            Some("tool_use") => {
                self.spoken.clear();
                let state = &part["state"];
                let detail = state["title"].as_str().unwrap_or_else(|| detail_of(&state["input"]));
                self.reading.use_tool(part["tool"].as_str().unwrap_or_default(), detail, on_event);
            }
            Some("step_finish") => self.step(part, on_event),
            Some("error") => self.reading.terminal = Some(Terminal::Bad(trouble_of(&event["error"]))),
            _ => {}
        }
    }

    fn complaint(&mut self, line: &[u8], on_event: &mut dyn FnMut(AgentEvent)) {
        let line = String::from_utf8_lossy(line);
        if line.contains(" message=failed ") {
            let why = line.split_once(" error=").map_or("", |(_, why)| why.trim_start_matches('"'));
            self.failure = why.split_once('"').map_or(why, |(why, _)| why).to_owned();
            return;
        }
        // The small model that thinks of a title has troubles of its own.
        if !line.contains("message=\"stream error\"") || line.contains("agent=title") {
            return;
        }
        let why = line.split_once("error.error=").map_or("", |(_, why)| why.trim_matches('"'));
        // What it names before the words is the class of the error.
        let trouble = Trouble::saying(why.split_once("Error: ").map_or(why, |(_, words)| words));
        let waiting = waiting_line(&trouble, None, None);
        self.reading.wait(trouble, waiting, on_event);
    }

    fn finish(mut self: Box<Self>, ending: &Ending<'_>) -> Answer {
        // "Unexpected server error. Check server logs for details." tells nothing, and this is its log.
        if let Some(Terminal::Bad(trouble)) = &mut self.reading.terminal
            && trouble.message.starts_with("Unexpected server error")
            && !self.failure.is_empty()
        {
            *trouble = Trouble::saying(std::mem::take(&mut self.failure));
        }
        self.reading.finish(NAMES, self.structure, ending)
    }
}

impl Events {
    /// The end of one call of the model: tokens and cost are its own, so they are summed.
    fn step(&mut self, part: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        self.reading.waiting = None;
        let tokens = &part["tokens"];
        let reasoning = whole(&tokens["reasoning"]);
        self.reading.tokens = self.reading.tokens
            + Tokens {
                input: whole(&tokens["input"]),
                output: whole(&tokens["output"]) + reasoning,
                cache_read: whole(&tokens["cache"]["read"]),
                cache_write: whole(&tokens["cache"]["write"]),
                reasoning,
            };
        if let Some(cost) = part["cost"].as_f64().and_then(Money::from_dollars) {
            self.reading.cost_usd = Some(self.reading.cost_usd.unwrap_or_default() + cost);
        }
        on_event(AgentEvent::Usage(self.reading.tokens));
        self.reading.terminal = match part["reason"].as_str() {
            // It goes on with what the tools say.
            Some("tool-calls") => None,
            Some("length") => Some(Terminal::Bad(Trouble::of(Fault::OutputLimit, ""))),
            Some("content-filter") => Some(Terminal::Bad(Trouble::of(Fault::Refusal, ""))),
            Some("error") => Some(Terminal::Bad(Trouble::of(Fault::GaveUp, "the call of the model went wrong"))),
            // Some providers give no reason for a plain stop; whether there are words decides.
            Some(_) | None => Some(Terminal::Good),
        };
    }
}

fn trouble_of(error: &Value) -> Trouble {
    let data = &error["data"];
    let name = error["name"].as_str().unwrap_or_default();
    let message = data["message"].as_str().or(error["message"].as_str()).unwrap_or(name);
    let fault = match name {
        "ContextOverflowError" => Some(Fault::Context),
        "ContentFilterError" => Some(Fault::Refusal),
        "MessageOutputLengthError" => Some(Fault::OutputLimit),
        "ProviderAuthError" => Some(Fault::Login),
        "ProviderModelNotFoundError" => Some(Fault::Model),
        _ => None,
    };
    let header = |name: &str| data["responseHeaders"][name].as_str().and_then(|value| value.parse::<f64>().ok());
    let wait = header("retry-after-ms").map(|ms| ms / 1e3).or_else(|| header("retry-after"));
    Trouble {
        fault,
        status: data["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()),
        message: message.to_owned(),
        retry_after: wait.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    }
}
