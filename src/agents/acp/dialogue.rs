//! One step with a program that speaks the Agent Client Protocol: what it says, and what we answer.
//! Knows nothing of processes; it can be talked with by a test.

use std::{collections::BTreeMap, path::PathBuf};

use agent_client_protocol_schema::v1::{
    CLIENT_METHOD_NAMES, ContentBlock, Error, ErrorCode, RequestId, RequestPermissionRequest,
    RequestPermissionResponse, StopReason,
};
use serde_json::Value;

use super::{
    permission,
    session::{self, Call, Choice},
};
use crate::{
    agents::{
        adapter::{Dialogue, Ending, Parser},
        fault::{Fault, Names, Trouble},
        reading::{Reading, Terminal, detail_of, whole},
        request::{AgentEvent, Answer, Request, Structure},
    },
    model::{
        money::{Money, Tokens},
        workflow::Access,
    },
    sys::process::{How, LINE_BYTES_MAX},
    text,
};

const NAMES: Names = Names {
    program: "the agent",
    login: "log in with its own program once, or name the variable of its key in 'env_pass' of .handoff/config.toml",
};

/// Modes in which a program changes nothing, by the names that programs have for them, the strictest first.
const READING_MODES: [&str; 4] = ["read-only", "readonly", "read_only", "plan"];
/// Tool calls that are remembered until they say what they are for.
const TOOLS_MAX: usize = 4096;
/// Bytes of what it says at a time that are kept.
const SPOKEN_BYTES_MAX: usize = 1 << 20;
/// Names that a message lists.
const NAMED_MAX: usize = 12;

/// One step.
pub struct Talk {
    reading: Reading,
    structure: Option<Structure>,
    access: Access,
    worktree: PathBuf,
    prompt: String,
    /// The model that is asked for.
    model: Option<String>,
    session: Option<String>,
    /// What is still to be set before it is prompted.
    to_set: Vec<Setting>,
    is_prompted: bool,
    is_over: bool,
    is_leaving: bool,
    /// What it says now; it comes in pieces.
    spoken: String,
    /// The message that the pieces belong to, if it says so.
    message: Option<String>,
    /// Tools that it uses, and whether that was told.
    tools: BTreeMap<String, Tool>,
    to_say: Vec<u8>,
}

#[derive(Debug, Default)]
struct Tool {
    name: String,
    is_told: bool,
}

enum Setting {
    Mode(Choice, String),
    Model(Choice, String),
}

impl Talk {
    /// A dialogue for a request, with the model to ask for.
    pub fn new(request: &Request, model: Option<String>) -> Self {
        Self {
            reading: Reading::default(),
            structure: request.structure,
            access: request.access,
            worktree: request.worktree.clone(),
            prompt: request.prompt.clone(),
            model,
            session: None,
            to_set: Vec::new(),
            is_prompted: false,
            is_over: false,
            is_leaving: false,
            spoken: String::new(),
            message: None,
            tools: BTreeMap::new(),
            to_say: Vec::new(),
        }
    }

    fn say(&mut self, message: Vec<u8>) {
        self.to_say.extend(message);
    }

    fn end(&mut self, terminal: Option<Terminal>) {
        self.reading.terminal = terminal.or(self.reading.terminal.take());
        self.is_over = true;
    }

    fn answered(&mut self, call: Call, message: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        if let Some(error) = message.get("error") {
            // A program that does not take the mode may still keep to the role; its files are looked at afterwards.
            if call == Call::SetMode {
                return self.go_on();
            }
            self.speak(on_event);
            let mut trouble = trouble_of(error);
            if call == Call::SetModel {
                trouble.fault = Some(Fault::Model);
            }
            // What it says when it was told to stop is no trouble.
            return self.end((!self.is_leaving).then_some(Terminal::Bad(trouble)));
        }
        let result = &message["result"];
        match call {
            Call::Initialize => match result["protocolVersion"].as_u64() {
                Some(1) => {
                    let session = session::new_session(&self.worktree);
                    self.say(session);
                }
                version => {
                    let version = version.map_or("no version".to_owned(), |version| format!("version {version}"));
                    let said = format!("it speaks {version} of the Agent Client Protocol, and we speak version 1");
                    self.end(Some(Terminal::Bad(Trouble::of(Fault::Setup, said))));
                }
            },
            Call::NewSession => self.opened(result, on_event),
            Call::SetMode | Call::SetModel => self.go_on(),
            Call::Prompt => self.ended(result, on_event),
        }
    }

    /// The session is there: its mode and model are set, then it is prompted.
    fn opened(&mut self, result: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        let Some(session) = result["sessionId"].as_str() else {
            let said = "it opened a session without a name";
            return self.end(Some(Terminal::Bad(Trouble::of(Fault::Setup, said))));
        };
        self.session = Some(session.to_owned());
        let models = session::choice(result, "model", "models", "modelId");
        let current = models.as_ref().and_then(|models| models.current.clone());
        let wanted = self.model.clone();
        let model = match (&wanted, models) {
            (Some(wanted), Some(models)) => match pick(&models.values, wanted) {
                Some(model) => {
                    let model = model.to_owned();
                    if models.current.as_ref() != Some(&model) {
                        self.to_set.push(Setting::Model(models, model.clone()));
                    }
                    Some(model)
                }
                None => {
                    let there: Vec<&str> = models.values.iter().take(NAMED_MAX).map(String::as_str).collect();
                    let said = format!("it has no model '{wanted}', but {}", there.join(", "));
                    return self.end(Some(Terminal::Bad(Trouble::of(Fault::Model, said))));
                }
            },
            // It offers no choice: then the name is for us.
            (Some(wanted), None) => Some(wanted.clone()),
            (None, _) => current.filter(|model| !["auto", "default"].contains(&model.as_str())),
        };
        if self.access == Access::Read
            && let Some(modes) = session::choice(result, "mode", "modes", "id")
            && let Some(mode) = READING_MODES.into_iter().find(|mode| modes.values.iter().any(|there| there == mode))
            && modes.current.as_deref() != Some(mode)
        {
            self.to_set.push(Setting::Mode(modes, mode.to_owned()));
        }
        self.reading.begin(Some(session), model.as_deref(), on_event);
        self.go_on();
    }

    /// Sets what is still to be set, then prompts.
    fn go_on(&mut self) {
        let Some(session) = self.session.clone() else { return };
        let message = match self.to_set.pop() {
            Some(Setting::Mode(choice, mode)) => session::set_mode(&session, &choice, &mode),
            Some(Setting::Model(choice, model)) => session::set_model(&session, &choice, &model),
            None if self.is_prompted => return,
            None => {
                self.is_prompted = true;
                session::prompt(&session, &self.prompt)
            }
        };
        self.say(message);
    }

    /// It has answered the prompt.
    fn ended(&mut self, result: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        self.speak(on_event);
        if let Some(tokens) = tokens_of(result) {
            self.reading.tokens = tokens;
            on_event(AgentEvent::Usage(tokens));
        }
        if self.reading.model.is_none() {
            let used = result["_meta"]["quota"]["model_usage"].as_array().into_iter().flatten();
            let mut names = used.filter_map(|used| used["model"].as_str());
            let name = names.find(|name| *name != "auto").map(str::to_owned);
            self.reading.begin(None, name.as_deref(), on_event);
        }
        let bad = |fault, said: &str| Some(Terminal::Bad(Trouble::of(fault, said)));
        let reason = serde_json::from_value::<StopReason>(result["stopReason"].clone());
        self.end(match reason {
            Ok(StopReason::EndTurn) => Some(Terminal::Good),
            Ok(StopReason::MaxTokens) => bad(Fault::OutputLimit, ""),
            Ok(StopReason::MaxTurnRequests) => bad(Fault::GaveUp, "it used up its requests to the model for one turn"),
            Ok(StopReason::Refusal) => bad(Fault::Refusal, ""),
            // We said so, and why is told by how the program ended.
            Ok(StopReason::Cancelled) if self.is_leaving => None,
            Ok(StopReason::Cancelled) => bad(Fault::GaveUp, "it says that it was cancelled, and nobody did"),
            Ok(_) | Err(_) => {
                bad(Fault::GaveUp, &format!("it stopped for a reason that we do not know: {}", result["stopReason"]))
            }
        });
    }

    /// It asks us for something.
    fn asked(&mut self, id: RequestId, method: &str, params: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        if method != CLIENT_METHOD_NAMES.session_request_permission {
            let answer = session::answer::<Value>(id, Err(Error::method_not_found()));
            return self.say(answer);
        }
        self.speak(on_event);
        let answer = match serde_json::from_value::<RequestPermissionRequest>(params.clone()) {
            Ok(request) => {
                self.tool(&params["toolCall"], true, on_event);
                let outcome = permission::decide(&request, self.access, &self.worktree);
                session::answer(id, Ok(RequestPermissionResponse::new(outcome)))
            }
            Err(_) => session::answer::<Value>(id, Err(Error::invalid_params())),
        };
        self.say(answer);
    }

    /// It tells something.
    fn told(&mut self, update: &Value, on_event: &mut dyn FnMut(AgentEvent)) {
        // Before it is prompted it can only tell of earlier times.
        if !self.is_prompted {
            return;
        }
        match update["sessionUpdate"].as_str() {
            Some("agent_message_chunk") => {
                let message = update["messageId"].as_str();
                if message != self.message.as_deref() {
                    self.speak(on_event);
                    self.message = message.map(str::to_owned);
                }
                let block = serde_json::from_value::<ContentBlock>(update["content"].clone());
                if let Ok(ContentBlock::Text(block)) = block
                    && self.spoken.len() + block.text.len() <= SPOKEN_BYTES_MAX
                {
                    self.spoken.push_str(&block.text);
                }
            }
            Some("tool_call") => {
                self.speak(on_event);
                self.tool(update, false, on_event);
            }
            Some("tool_call_update") => self.tool(update, false, on_event),
            Some("agent_thought_chunk") => self.speak(on_event),
            Some("usage_update") => {
                let cost = &update["cost"];
                if cost["currency"] == "USD" {
                    self.reading.cost_usd = cost["amount"].as_f64().and_then(Money::from_dollars);
                }
            }
            // Commands, modes, titles, plans: nothing of it is asked for.
            Some(_) | None => {}
        }
    }

    /// A tool is told once, as soon as it says what it is for.
    fn tool(&mut self, call: &Value, is_asking: bool, on_event: &mut dyn FnMut(AgentEvent)) {
        let id = call["toolCallId"].as_str().unwrap_or_default();
        if !self.tools.contains_key(id) && self.tools.len() >= TOOLS_MAX {
            self.tools.clear();
        }
        let tool = self.tools.entry(id.to_owned()).or_default();
        let named = [&call["_meta"]["claudeCode"]["toolName"], &call["name"], &call["kind"]];
        if tool.name.is_empty()
            && let Some(name) = named.into_iter().find_map(Value::as_str)
        {
            name.clone_into(&mut tool.name);
        }
        let detail = match detail_of(&call["rawInput"]) {
            // Of a command it is only where it runs.
            "" if call["kind"] != "execute" => call["locations"][0]["path"].as_str().unwrap_or_default(),
            detail => detail,
        };
        let has_begun = is_asking || call["status"].as_str().is_some_and(|status| status != "pending");
        if tool.is_told || (detail.is_empty() && !has_begun) {
            return;
        }
        tool.is_told = true;
        let detail = if detail.is_empty() { call["title"].as_str().unwrap_or_default() } else { detail };
        let name = if tool.name.is_empty() { "tool" } else { &tool.name };
        let inside = detail.strip_prefix(&*self.worktree.to_string_lossy()).and_then(|rest| rest.strip_prefix('/'));
        self.reading.use_tool(name, inside.unwrap_or(detail), on_event);
    }

    /// What was said in pieces is said.
    fn speak(&mut self, on_event: &mut dyn FnMut(AgentEvent)) {
        let spoken = std::mem::take(&mut self.spoken);
        if !spoken.trim().is_empty() {
            self.reading.say(&spoken, on_event);
        }
    }
}

impl Parser for Talk {
    fn line(&mut self, line: &[u8], on_event: &mut dyn FnMut(AgentEvent)) {
        let Some(message) = self.reading.object(line) else {
            // A question that was cut off cannot be answered, and who asked it waits.
            let asks = CLIENT_METHOD_NAMES.session_request_permission.as_bytes();
            if line.len() >= LINE_BYTES_MAX && line.windows(asks.len()).any(|part| part == asks) {
                let size = text::bytes(LINE_BYTES_MAX as u64);
                let said = format!("it asked for permission with a message of more than {size}");
                self.end(Some(Terminal::Bad(Trouble::of(Fault::GaveUp, said))));
            }
            return;
        };
        let id = message.get("id").filter(|id| !id.is_null());
        match (message["method"].as_str(), id) {
            (Some(method), Some(id)) => {
                if let Ok(id) = serde_json::from_value(id.clone()) {
                    self.asked(id, method, &message["params"], on_event);
                }
            }
            (Some(method), None) if method == CLIENT_METHOD_NAMES.session_update => {
                self.told(&message["params"]["update"], on_event);
            }
            (Some(_), None) | (None, None) => {}
            (None, Some(id)) => {
                if let Some(call) = Call::of(id)
                    && !self.is_over
                {
                    self.answered(call, &message, on_event);
                }
            }
        }
    }

    fn finish(mut self: Box<Self>, ending: &Ending<'_>) -> Answer {
        self.speak(&mut |_| {});
        if *ending.how == How::Cancelled && self.reading.terminal != Some(Terminal::Good) {
            self.reading.terminal = None;
        }
        self.reading.finish(NAMES, self.structure, ending)
    }
}

impl Dialogue for Talk {
    fn words(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.to_say)
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn farewell(&mut self) {
        self.is_leaving = true;
        match &self.session {
            Some(session) if self.is_prompted => {
                let cancel = session::cancel(session);
                self.say(cancel);
            }
            Some(_) | None => self.is_over = true,
        }
    }
}

/// The value that a name stands for: itself, or the only one that ends in `/<name>`.
fn pick<'a>(values: &'a [String], wanted: &str) -> Option<&'a str> {
    let exact = values.iter().find(|value| *value == wanted);
    let mut ending = values.iter().filter(|value| value.strip_suffix(wanted).is_some_and(|way| way.ends_with('/')));
    let only = ending.next().filter(|_| ending.next().is_none());
    exact.or(only).map(String::as_str)
}

/// What an error of the protocol means: what it is called, and what it says, in `data` too.
fn trouble_of(error: &Value) -> Trouble {
    let data = &error["data"];
    let more = [&data["details"], &data["message"], &data["error"]["message"], &data["errorMessage"], data];
    let message = error["message"].as_str().unwrap_or_default();
    let more = more.into_iter().find_map(Value::as_str).unwrap_or_default();
    let said = match (message, more) {
        (message, "") => message.to_owned(),
        ("Internal error" | "", more) => more.to_owned(),
        (message, more) => format!("{message}: {more}"),
    };
    let is_login = error["code"].as_i64() == Some(i64::from(i32::from(ErrorCode::AuthRequired)));
    Trouble { fault: is_login.then_some(Fault::Login), ..Trouble::saying(said) }
}

/// The tokens of a turn: by the protocol's draft, or as Gemini CLI tells them.
fn tokens_of(result: &Value) -> Option<Tokens> {
    let usage = &result["usage"];
    if usage.is_object() {
        return Some(Tokens {
            input: whole(&usage["inputTokens"]),
            output: whole(&usage["outputTokens"]),
            cache_read: whole(&usage["cachedReadTokens"]),
            cache_write: whole(&usage["cachedWriteTokens"]),
            reasoning: whole(&usage["thoughtTokens"]),
        });
    }
    let count = &result["_meta"]["quota"]["token_count"];
    count.is_object().then(|| Tokens {
        input: whole(&count["input_tokens"]),
        output: whole(&count["output_tokens"]),
        ..Tokens::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_its_name_or_its_end() {
        let values = ["fake/gpt", "other/claude", "fake/claude", "sonnet"].map(str::to_owned);
        for (wanted, found) in [
            ("sonnet", Some("sonnet")),
            ("gpt", Some("fake/gpt")),
            ("claude", None),
            ("pt", None),
            ("fake/claude", Some("fake/claude")),
        ] {
            assert_eq!(pick(&values, wanted), found, "{wanted}");
        }
    }
}
