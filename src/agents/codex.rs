//! Codex: `codex exec --json` (0.169.0 was recorded).
//! Knows nothing of other programs.

use serde_json::{Value, json};

use super::{
    adapter::{Adapter, Ending, Invocation, Parser, Surroundings, common_env},
    fault::{Names, Trouble},
    reading::{Reading, Terminal, waiting_line, whole},
    request::{AgentEvent, Answer, Request, Structure},
    schema::schema_of,
};
use crate::{
    config::settings::{AdapterKind, AgentSettings},
    model::{money::Tokens, workflow::Access},
};

const NAMES: Names = Names { program: "codex", login: "run 'codex login', or set OPENAI_API_KEY" };

/// The adapter.
#[derive(Debug)]
pub struct Codex;

impl Adapter for Codex {
    fn kind(&self) -> AdapterKind {
        AdapterKind::Codex
    }

    fn program(&self) -> Option<&'static str> {
        Some("codex")
    }

    fn version_args(&self) -> Option<&'static [&'static str]> {
        Some(&["--version"])
    }

    /// Its own settings and keys; what a Codex around us set for its own children is not for this one.
    fn passes(&self, variable: &str) -> bool {
        const OF_A_SESSION: [&str; 3] = ["CODEX_SANDBOX", "CODEX_THREAD_ID", "CODEX_INTERNAL"];
        ["OPENAI_", "CODEX_", "AZURE_OPENAI_"].iter().any(|start| variable.starts_with(start))
            && !OF_A_SESSION.iter().any(|start| variable.starts_with(start))
    }

    /// The project's own `.codex/` (settings, hooks, servers) is not loaded: a worktree is declared untrusted, whatever
    /// the user declared of the repository. With it goes the project's `AGENTS.md`.
    fn invocation(&self, request: &Request, settings: &AgentSettings, _surroundings: Surroundings) -> Invocation {
        let mut args: Vec<String> =
            ["exec", "--json", "--color", "never", "--skip-git-repo-check", "-s"].map(str::to_owned).to_vec();
        args.push(match request.access {
            Access::Write => "workspace-write".to_owned(),
            Access::Read => "read-only".to_owned(),
        });
        let worktree = request.worktree.to_string_lossy();
        let untrusted = format!("projects={{{}={{trust_level=\"untrusted\"}}}}", toml_text(&worktree));
        for setting in [
            "check_for_update_on_startup=false",
            "analytics.enabled=false",
            // Else it asks three hosts for its plugins at each start.
            "features.plugins=false",
            // Else it may write below /tmp, where the worktree of another agent can be.
            "sandbox_workspace_write.exclude_slash_tmp=true",
            &untrusted,
        ] {
            args.extend(["-c".to_owned(), setting.to_owned()]);
        }
        if let Some(model) = &settings.model {
            args.extend(["-m".to_owned(), model.clone()]);
        }
        let mut files = Vec::new();
        if let Some(structure) = request.structure {
            let path = request.scratch.join("answer-schema.json");
            args.extend(["--output-schema".to_owned(), path.to_string_lossy().into_owned()]);
            files.push((path, schema_of(structure).to_string().into_bytes()));
        }
        args.extend(settings.args.iter().cloned());
        // The prompt is what stands on standard input.
        args.push("-".to_owned());
        Invocation {
            args,
            env: common_env(request),
            stdin: request.prompt.clone().into_bytes(),
            files,
            result_file: None,
        }
    }

    fn parser(&self, request: &Request) -> Box<dyn Parser> {
        Box::new(Events { reading: Reading::default(), structure: request.structure, shown: None })
    }
}

/// A text as a quoted key or value of TOML; JSON's escapes are a part of TOML's.
fn toml_text(text: &str) -> String {
    json!(text).to_string()
}

/// Reads `--json`. The stream names no model and no cost.
struct Events {
    reading: Reading,
    structure: Option<Structure>,
    /// The item whose use was shown when it began.
    shown: Option<String>,
}

impl Parser for Events {
    fn line(&mut self, line: &[u8], on_event: &mut dyn FnMut(AgentEvent)) {
        let Some(event) = self.reading.object(line) else { return };
        match event["type"].as_str() {
            Some("thread.started") => self.reading.begin(event["thread_id"].as_str(), None, on_event),
            Some("item.started" | "item.completed") => self.item(&event["item"], on_event),
            Some("error") => self.error(event["message"].as_str().unwrap_or_default(), on_event),
            Some("turn.completed") => {
                // Each step has a thread of its own, so what is counted over the thread is the step's.
                self.reading.tokens = usage_of(&event["usage"]);
                on_event(AgentEvent::Usage(self.reading.tokens));
                self.reading.terminal = Some(Terminal::Good);
            }
            Some("turn.failed") => {
                let message = event["error"]["message"].as_str().unwrap_or("the turn failed");
                self.reading.terminal = Some(Terminal::Bad(Trouble::saying(message)));
            }
            _ => {}
        }
    }

    fn finish(self: Box<Self>, ending: &Ending<'_>) -> Answer {
        // It passes the schema on and checks nothing: the structure is in the last words, or it is not.
        self.reading.finish(NAMES, self.structure, ending)
    }
}

impl Events {
    fn item(&mut self, item: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        let kind = item["type"].as_str().unwrap_or_default();
        match kind {
            "agent_message" => self.reading.say(item["text"].as_str().unwrap_or_default(), on_event),
            // Warnings, not the end.
            "reasoning" | "error" | "todo_list" | "" => {}
            _ => {
                let id = item["id"].as_str().map(str::to_owned);
                if id.is_some() && self.shown == id {
                    return;
                }
                self.shown = id;
                let paths: Vec<&str> = item["changes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|change| change["path"].as_str())
                    .collect();
                let detail = match kind {
                    "file_change" => paths.join(" "),
                    "command_execution" => item["command"].as_str().unwrap_or_default().to_owned(),
                    _ => item["tool"].as_str().or(item["query"].as_str()).unwrap_or_default().to_owned(),
                };
                self.reading.use_tool(kind, &detail, on_event);
            }
        }
    }

    /// `Reconnecting... 2/5 (why)` while it tries again; anything else is followed by `turn.failed`.
    fn error(&mut self, message: &str, on_event: &mut dyn FnMut(AgentEvent)) {
        let Some(rest) = message.strip_prefix("Reconnecting...") else { return };
        let (tries, why) = rest.split_once('(').unwrap_or((rest, ""));
        let tries = tries.trim().split_once('/').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let trouble = Trouble::saying(why.trim_end_matches(')'));
        let line = waiting_line(&trouble, tries, None);
        self.reading.wait(trouble, line, on_event);
    }
}

/// Cached input is a part of the input here, and reasoning of the output.
fn usage_of(usage: &Value) -> Tokens {
    let (cache_read, cache_write) = (whole(&usage["cached_input_tokens"]), whole(&usage["cache_write_input_tokens"]));
    Tokens {
        input: whole(&usage["input_tokens"]).saturating_sub(cache_read + cache_write),
        output: whole(&usage["output_tokens"]),
        cache_read,
        cache_write,
        reasoning: whole(&usage["reasoning_output_tokens"]),
    }
}
