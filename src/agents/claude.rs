//! Claude Code: `claude -p` with its stream of JSON events (2.1.197 and 2.1.329 were recorded).
//! Knows nothing of other programs.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::{
    adapter::{Adapter, Ending, Invocation, Parser, Surroundings, common_env},
    fault::{Fault, Names, Trouble},
    reading::{Reading, Terminal, detail_of, waiting_line, whole},
    request::{AgentEvent, Answer, Request},
    schema::schema_of,
};
use crate::{
    config::settings::{AdapterKind, AgentSettings},
    model::{
        money::{Money, Tokens},
        workflow::Access,
    },
};

const NAMES: Names = Names { program: "claude", login: "run 'claude' once and type /login, or set ANTHROPIC_API_KEY" };

/// Tools that would leave the worktree, outlive the step or ask a person who is not there.
const NEVER: [&str; 6] =
    ["EnterWorktree", "ExitWorktree", "CronCreate", "ScheduleWakeup", "RemoteTrigger", "AskUserQuestion"];

/// The adapter.
#[derive(Debug)]
pub struct Claude;

impl Adapter for Claude {
    fn kind(&self) -> AdapterKind {
        AdapterKind::Claude
    }

    fn program(&self) -> Option<&'static str> {
        Some("claude")
    }

    fn version_args(&self) -> Option<&'static [&'static str]> {
        Some(&["--version"])
    }

    /// Its own settings and keys. Credentials of clouds (`AWS_…` and the like) are more than a model's key, so who uses
    /// one names them in `env_pass`. What a Claude Code around us set for its own children is not for this one.
    fn passes(&self, variable: &str) -> bool {
        const OF_A_SESSION: [&str; 4] =
            ["CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_SESSION", "CLAUDE_CODE_REMOTE"];
        variable == "CLAUDE_CONFIG_DIR"
            || ["MAX_THINKING_TOKENS", "API_TIMEOUT_MS"].contains(&variable)
            || ["ANTHROPIC_", "CLAUDE_CODE_"].iter().any(|start| variable.starts_with(start))
                && !OF_A_SESSION.iter().any(|start| variable.starts_with(start))
    }

    /// Settings of the project are not loaded: its hooks would run, and its `.mcp.json` can hang a run without a person.
    /// With them goes the project's `CLAUDE.md`. What an administrator manages still applies; it cannot be switched off.
    fn invocation(&self, request: &Request, settings: &AgentSettings, surroundings: Surroundings) -> Invocation {
        let mut args = words(&["-p", "--output-format", "stream-json", "--verbose"]);
        args.extend(words(&["--setting-sources", "user", "--strict-mcp-config"]));
        match request.access {
            Access::Write => {
                args.extend(words(&["--permission-mode", "bypassPermissions"]));
                args.extend(["--disallowedTools".to_owned(), NEVER.join(",")]);
            }
            // What it does not know to change nothing is denied without a question. It knows commands by each of their
            // words, so rules of our own, such as `git diff:*`, would only let through what it refuses: `--output=FILE`.
            // What the user's own settings allow is allowed here as well; that cannot be switched off.
            Access::Read => {
                args.extend(words(&["--permission-mode", "dontAsk", "--tools", "Read,Grep,Glob,Bash"]));
            }
        }
        if let Some(model) = &settings.model {
            args.extend(["--model".to_owned(), model.clone()]);
        }
        if let Some(limit) = request.spend_max.filter(|limit| !limit.is_free()) {
            args.extend(["--max-budget-usd".to_owned(), limit.usd.plain()]);
        }
        if let Some(structure) = request.structure {
            args.extend(["--json-schema".to_owned(), schema_of(structure).to_string()]);
        }
        args.extend(settings.args.iter().cloned());

        let mut env = common_env(request);
        for name in [
            "DISABLE_AUTOUPDATER",
            "DISABLE_TELEMETRY",
            "DISABLE_ERROR_REPORTING",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
            // What it would leave running ends with the step, so it shall wait for it instead.
            "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS",
            // A step knows what its prompt says, not what other tasks left in its memory.
            "CLAUDE_CODE_DISABLE_AUTO_MEMORY",
        ] {
            env.insert(name.to_owned(), "1".to_owned());
        }
        if request.access == Access::Read {
            // Else '@/any/file' in the work that it reads puts that file into the prompt.
            env.insert("CLAUDE_CODE_DISABLE_ATTACHMENTS".to_owned(), "1".to_owned());
        }
        if surroundings.is_root {
            // Else it refuses to work without asking, and there is nobody to ask.
            env.insert("IS_SANDBOX".to_owned(), "1".to_owned());
        }
        Invocation { args, env, stdin: stdin_of(&request.prompt), files: Vec::new(), result_file: None }
    }

    fn parser(&self, _request: &Request) -> Box<dyn Parser> {
        Box::new(Events::default())
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A prompt that begins with '/' would be taken for a command of the program.
fn stdin_of(prompt: &str) -> Vec<u8> {
    let lead = if prompt.trim_start().starts_with('/') { "Task:\n\n" } else { "" };
    [lead, prompt].concat().into_bytes()
}

/// Reads `--output-format stream-json`. Keys of an object come in any order; unknown types are passed over.
#[derive(Default)]
struct Events {
    reading: Reading,
    /// The word for the last error that stood beside a message, such as `rate_limit`.
    error: Option<String>,
    /// Messages whose usage was counted: each block of a message repeats it.
    counted: BTreeSet<String>,
    so_far: Tokens,
}

impl Parser for Events {
    fn line(&mut self, line: &[u8], on_event: &mut dyn FnMut(AgentEvent)) {
        let Some(event) = self.reading.object(line) else { return };
        match event["type"].as_str() {
            Some("system") => self.system(&event, on_event),
            Some("assistant") => self.assistant(&event, on_event),
            Some("user") => self.reading.waiting = None,
            Some("rate_limit_event") if event["rate_limit_info"]["status"] == "rejected" => {
                self.reading.reset_number = event["rate_limit_info"]["resetsAt"].as_f64();
            }
            Some("result") => self.result(&event, on_event),
            _ => {}
        }
    }

    fn finish(self: Box<Self>, ending: &Ending<'_>) -> Answer {
        // It has a schema option of its own that is enforced, so an object in its words is not taken for an answer.
        self.reading.finish(NAMES, None, ending)
    }
}

impl Events {
    fn system(&mut self, event: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        match event["subtype"].as_str() {
            Some("init") => self.reading.begin(event["session_id"].as_str(), event["model"].as_str(), on_event),
            Some("api_retry") => {
                let status = event["error_status"].as_u64().and_then(|status| u16::try_from(status).ok());
                let error = event["error"].as_str().unwrap_or_default();
                // Without a status there was no answer.
                let fault = fault_of(error).or((status.is_none() && error == "unknown").then_some(Fault::Network));
                let message = if error == "unknown" { String::new() } else { error.replace('_', " ") };
                let trouble = Trouble { fault, status, message, retry_after: None };
                let tries = event["attempt"].as_u64().zip(event["max_retries"].as_u64());
                let pause = event["retry_delay_ms"].as_f64().and_then(|ms| Duration::try_from_secs_f64(ms / 1e3).ok());
                let line = waiting_line(&trouble, tries, pause);
                self.reading.wait(trouble, line, on_event);
            }
            _ => {}
        }
    }

    fn assistant(&mut self, event: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        let message = &event["message"];
        if let Some(error) = event["error"].as_str() {
            self.error = Some(error.to_owned());
        }
        // Its own words for an error stand in a message of a model of this name.
        let is_spoken = message["model"].as_str() != Some("<synthetic>");
        let is_main = event["parent_tool_use_id"].is_null();
        if is_spoken && is_main {
            self.reading.begin(event["session_id"].as_str(), message["model"].as_str(), on_event);
        }
        for block in message["content"].as_array().into_iter().flatten() {
            match block["type"].as_str() {
                Some("text") if is_spoken && is_main => {
                    self.reading.say(block["text"].as_str().unwrap_or_default(), on_event);
                }
                Some("tool_use") => {
                    let name = block["name"].as_str().unwrap_or_default();
                    self.reading.use_tool(name, detail_of(&block["input"]), on_event);
                }
                _ => {}
            }
        }
        if is_spoken
            && let Some(id) = message["id"].as_str()
            && self.counted.insert(id.to_owned())
        {
            self.so_far = self.so_far + usage_of(&message["usage"]);
            on_event(AgentEvent::Usage(self.so_far));
        }
    }

    fn result(&mut self, event: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        self.reading.begin(event["session_id"].as_str(), None, on_event);
        let words = event["result"].as_str().unwrap_or_default();
        self.reading.structured = event.get("structured_output").filter(|value| !value.is_null()).cloned();
        self.reading.cost_usd = event["total_cost_usd"].as_f64().and_then(Money::from_dollars);
        // After it fell back to an answer in one piece, `usage` is all zero and only `modelUsage` is right.
        let by_model = event["modelUsage"].as_object().into_iter().flat_map(|models| models.values());
        let tokens = by_model.map(model_usage_of).fold(Tokens::default(), |sum, tokens| sum + tokens);
        self.reading.tokens = if tokens.total() > 0 { tokens } else { usage_of(&event["usage"]) };
        on_event(AgentEvent::Usage(self.reading.tokens));

        // An error of the provider comes as subtype 'success' with `is_error`.
        let subtype = event["subtype"].as_str().unwrap_or("success");
        let is_good = subtype == "success" && event["is_error"].as_bool() == Some(false);
        self.reading.terminal = Some(if is_good {
            self.reading.set_words(words);
            Terminal::Good
        } else {
            let errors: Vec<&str> =
                event["errors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let message = match (words, errors.is_empty(), subtype) {
                (_, _, "error_max_turns") => "it used up the turns it was given".to_owned(),
                (_, _, "error_max_budget_usd") => "it used up the budget it was given".to_owned(),
                ("", true, subtype) => subtype.replace('_', " "),
                ("", false, _) => errors.join("; "),
                (words, _, _) => words.to_owned(),
            };
            let fault = match (event["terminal_reason"].as_str(), event["stop_reason"].as_str(), subtype) {
                (_, _, "error_max_turns" | "error_max_budget_usd") => Some(Fault::GaveUp),
                (Some("prompt_too_long"), _, _) => Some(Fault::Context),
                (_, Some("refusal"), _) => Some(Fault::Refusal),
                _ => self.error.as_deref().and_then(fault_of),
            };
            let status = event["api_error_status"].as_u64().and_then(|status| u16::try_from(status).ok());
            Terminal::Bad(Trouble { fault, status, message, retry_after: None })
        });
    }
}

/// Its own words for errors, as they stand in `error` of `api_retry` and of messages; others tell nothing certain.
fn fault_of(error: &str) -> Option<Fault> {
    match error {
        "rate_limit" | "billing_error" => Some(Fault::Limit),
        "authentication_failed" | "oauth_org_not_allowed" => Some(Fault::Login),
        "model_not_found" => Some(Fault::Model),
        "max_output_tokens" => Some(Fault::OutputLimit),
        "overloaded" | "server_error" => Some(Fault::Overload),
        _ => None,
    }
}

fn usage_of(usage: &Value) -> Tokens {
    Tokens {
        input: whole(&usage["input_tokens"]),
        output: whole(&usage["output_tokens"]),
        cache_read: whole(&usage["cache_read_input_tokens"]),
        cache_write: whole(&usage["cache_creation_input_tokens"]),
        reasoning: whole(&usage["output_tokens_details"]["thinking_tokens"]),
    }
}

fn model_usage_of(usage: &Value) -> Tokens {
    Tokens {
        input: whole(&usage["inputTokens"]),
        output: whole(&usage["outputTokens"]),
        cache_read: whole(&usage["cacheReadInputTokens"]),
        cache_write: whole(&usage["cacheCreationInputTokens"]),
        reasoning: whole(&usage["thinkingTokens"]),
    }
}
