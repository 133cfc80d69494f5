//! Gemini CLI: `gemini -o stream-json` (0.61.0 was recorded).
//! Knows nothing of other programs.

use serde_json::{Value, json};

use super::{
    adapter::{Adapter, Ending, Invocation, Parser, Surroundings, common_env},
    fault::{Fault, Names, Trouble},
    reading::{Reading, Terminal, detail_of, whole},
    request::{AgentEvent, Answer, Request, Structure},
};
use crate::{
    config::settings::{AdapterKind, AgentSettings},
    model::{money::Tokens, workflow::Access},
    sys::process::How,
};

const NAMES: Names = Names { program: "gemini", login: "run 'gemini' once and log in, or set GEMINI_API_KEY" };

/// The adapter.
#[derive(Debug)]
pub struct Gemini;

impl Adapter for Gemini {
    fn kind(&self) -> AdapterKind {
        AdapterKind::Gemini
    }

    fn program(&self) -> Option<&'static str> {
        Some("gemini")
    }

    fn version_args(&self) -> Option<&'static [&'static str]> {
        Some(&["--version"])
    }

    fn managed_settings(&self) -> Option<&'static str> {
        Some("/etc/gemini-cli/settings.json")
    }

    /// Its own settings and keys; what an editor or a Gemini around us set for its own children is not for this one.
    fn passes(&self, variable: &str) -> bool {
        ["GEMINI_", "GOOGLE_"].iter().any(|start| variable.starts_with(start))
            && !["GEMINI_CLI_IDE_", "GEMINI_PTY_"].iter().any(|start| variable.starts_with(start))
    }

    /// It has no option against a project's settings but not to trust the directory, and then it does not work alone.
    /// So the directory is trusted and settings above the project's switch off what would run: hooks, servers, tools by
    /// command, the project's `.env`. They take the administrator's place, so where an administrator has settings of
    /// their own, theirs stay and these are left out. `.gemini/.env` and `GEMINI.md` are read in any case.
    fn invocation(&self, request: &Request, settings: &AgentSettings, surroundings: Surroundings) -> Invocation {
        let mut args: Vec<String> =
            ["--skip-trust", "-o", "stream-json", "--approval-mode"].map(str::to_owned).to_vec();
        args.push(match request.access {
            Access::Write => "yolo".to_owned(),
            // No shell is offered, and files are written nowhere but in its directory of plans.
            Access::Read => "plan".to_owned(),
        });
        // No server of this name: none is started.
        args.extend(["--allowed-mcp-server-names", "none-of-them"].map(str::to_owned));
        if let Some(model) = &settings.model {
            args.extend(["-m".to_owned(), model.clone()]);
        }
        args.extend(settings.args.iter().cloned());

        let mut env = common_env(request);
        // Else it starts itself once more, and the parent takes no signal.
        env.insert("GEMINI_CLI_NO_RELAUNCH".to_owned(), "true".to_owned());
        let mut files = Vec::new();
        if !surroundings.is_managed {
            let path = request.scratch.join("gemini-settings.json");
            env.insert("GEMINI_CLI_SYSTEM_SETTINGS_PATH".to_owned(), path.to_string_lossy().into_owned());
            files.push((path, overrides().to_string().into_bytes()));
        }
        Invocation { args, env, stdin: stdin_of(&request.prompt), files, result_file: None }
    }

    fn parser(&self, request: &Request) -> Box<dyn Parser> {
        Box::new(Events {
            reading: Reading::default(),
            structure: request.structure,
            spoken: String::new(),
            error: String::new(),
        })
    }
}

fn overrides() -> Value {
    json!({
        "general": {"enableAutoUpdate": false, "enableAutoUpdateNotification": false},
        "privacy": {"usageStatisticsEnabled": false},
        "telemetry": {"enabled": false},
        "hooksConfig": {"enabled": false},
        "tools": {"discoveryCommand": "", "callCommand": ""},
        "advanced": {"ignoreLocalEnv": true},
    })
}

/// A prompt that begins with '/' would be taken for a command of the program. '@' before a word would be taken for a
/// file: it searches the whole worktree for one of that name, for each `@Override` in a piece of code, and puts what it
/// finds into the prompt. Only a backslash keeps it from that, and it does not take the backslash away again.
fn stdin_of(prompt: &str) -> Vec<u8> {
    let mut text = String::with_capacity(prompt.len() + 128);
    if prompt.trim_start().starts_with('/') {
        text.push_str("Task:\n\n");
    }
    let mut rest = prompt.chars().peekable();
    let (mut is_escaped, mut before) = (false, ' ');
    while let Some(c) = rest.next() {
        let names = |next: &char| !next.is_whitespace() && !",;!?()[]{}".contains(*next);
        if c == '@' && before != '\\' && rest.peek().is_some_and(names) {
            text.push('\\');
            is_escaped = true;
        }
        text.push(c);
        before = c;
    }
    if is_escaped {
        text.insert_str(0, "(In this prompt '\\@' stands for '@'. Write '@' in files and answers.)\n\n");
    }
    text.into_bytes()
}

/// Reads `-o stream-json`.
struct Events {
    reading: Reading,
    structure: Option<Structure>,
    /// What it says now; it comes in pieces.
    spoken: String,
    /// The last error event; the one that ends it all stands alone before a result without words.
    error: String,
}

impl Parser for Events {
    fn line(&mut self, line: &[u8], on_event: &mut dyn FnMut(AgentEvent)) {
        let Some(event) = self.reading.object(line) else { return };
        match event["type"].as_str() {
            Some("init") => {
                // Without a model asked for it says 'auto', which is none.
                let model = event["model"].as_str().filter(|model| *model != "auto");
                self.reading.begin(event["session_id"].as_str(), model, on_event);
            }
            Some("message") if event["role"] == "assistant" => {
                let words = event["content"].as_str().unwrap_or_default();
                if event["delta"] != true {
                    self.speak(on_event);
                }
                self.spoken.push_str(words);
            }
            Some("tool_use") => {
                self.speak(on_event);
                let name = event["tool_name"].as_str().unwrap_or_default();
                self.reading.use_tool(name, detail_of(&event["parameters"]), on_event);
            }
            Some("error") if event["severity"] != "warning" => {
                event["message"].as_str().unwrap_or_default().clone_into(&mut self.error);
            }
            Some("result") => self.result(&event, on_event),
            _ => {}
        }
    }

    fn finish(mut self: Box<Self>, ending: &Ending<'_>) -> Answer {
        self.speak(&mut |_| {});
        // Its exit code is the low byte of the HTTP status, where the words do not tell it.
        if let (Some(Terminal::Bad(trouble)), How::Exited(code)) = (&mut self.reading.terminal, ending.how) {
            trouble.status = trouble.status.or(status_of(*code));
        }
        if let (None, How::Exited(code)) = (&self.reading.terminal, ending.how) {
            let stderr = String::from_utf8_lossy(ending.stderr).into_owned();
            let last = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let fault = match code {
                41 => Some(Fault::Login),
                42 | 44 | 52 | 55 => Some(Fault::Setup),
                53 => Some(Fault::GaveUp),
                _ => None,
            };
            let status = status_of(*code);
            if fault.is_some() || status.is_some() {
                let trouble = Trouble { fault, status, message: last.to_owned(), retry_after: None };
                self.reading.terminal = Some(Terminal::Bad(trouble));
            }
        }
        self.reading.finish(NAMES, self.structure, ending)
    }
}

impl Events {
    fn speak(&mut self, on_event: &mut dyn FnMut(AgentEvent)) {
        if !self.spoken.is_empty() {
            self.reading.say(&std::mem::take(&mut self.spoken), on_event);
        }
    }

    fn result(&mut self, event: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        self.speak(on_event);
        let stats = &event["stats"];
        self.reading.tokens = usage_of(stats);
        on_event(AgentEvent::Usage(self.reading.tokens));
        // A small model may have chosen the large one; the one that did most of the work counts.
        if self.reading.model.is_none()
            && let Some((name, _)) =
                stats["models"].as_object().into_iter().flatten().max_by_key(|(_, usage)| whole(&usage["total_tokens"]))
        {
            self.reading.model = Some(name.clone());
        }
        // An empty answer, a refusal and a cut stream come with exit code 0 and this status.
        self.reading.terminal = Some(if event["status"] == "success" {
            Terminal::Good
        } else {
            let message = event["error"]["message"].as_str().unwrap_or(&self.error);
            Terminal::Bad(trouble_of(message))
        });
    }
}

/// `[API Error: words]`, or `[API Error: {"error":{"code":401,"message":"words","status":"UNAUTHENTICATED"}}]`.
fn trouble_of(message: &str) -> Trouble {
    let inner = message.strip_prefix("[API Error: ").unwrap_or(message);
    let error = inner.rfind(']').and_then(|end| serde_json::from_str::<Value>(&inner[..end]).ok());
    let error = error.as_ref().map_or(&Value::Null, |value| &value["error"]);
    let words = match error["message"].as_str() {
        Some(words) => words.to_owned(),
        None => inner.replacen(']', "", usize::from(inner.len() < message.len())),
    };
    Trouble {
        fault: words.contains("empty response").then_some(Fault::GaveUp),
        status: error["code"].as_u64().and_then(|status| u16::try_from(status).ok()),
        message: words,
        retry_after: None,
    }
}

fn status_of(code: i32) -> Option<u16> {
    [400, 401, 403, 404, 429, 500, 502, 503, 504].into_iter().find(|status| i32::from(status & 0xff) == code)
}

/// Cached input is a part of the input here, and what is in the total and in neither is the model's reasoning.
fn usage_of(stats: &Value) -> Tokens {
    let (input, output) = (whole(&stats["input_tokens"]), whole(&stats["output_tokens"]));
    let cache_read = whole(&stats["cached"]);
    let reasoning = whole(&stats["total_tokens"]).saturating_sub(input + output);
    Tokens {
        input: input.saturating_sub(cache_read),
        output: output + reasoning,
        cache_read,
        cache_write: 0,
        reasoning,
    }
}
