//! Chat completions: <https://platform.openai.com/docs/api-reference/chat>, streamed, as nearly every other server of
//! models speaks them as well. Knows nothing of other forms.

use std::{collections::BTreeMap, ops::ControlFlow};

use serde_json::{Value, json};

use super::{
    conversation::{Message, Returned, ToolCall},
    provider::{Ask, Decoder, Provider, Stop, Turn, arguments_of, versioned},
    refusal::trouble_in,
};
use crate::{
    agents::{fault::Trouble, reading::whole, tools::tool::ToolSpec},
    model::money::{Money, Tokens},
    sys::http::Secret,
};

/// Calls that one turn may have.
const CALLS_MAX: u64 = 256;

/// The provider.
pub struct OpenAi;

impl Provider for OpenAi {
    fn key_variable(&self) -> &'static str {
        "OPENAI_API_KEY"
    }

    fn base_variable(&self) -> &'static str {
        "OPENAI_BASE_URL"
    }

    fn model_variable(&self) -> &'static str {
        "OPENAI_MODEL"
    }

    fn base(&self) -> &'static str {
        "https://api.openai.com/v1"
    }

    fn usual_model(&self) -> &'static str {
        "gpt-5.5"
    }

    fn turn_url(&self, base: &str, _model: &str) -> String {
        format!("{}/chat/completions", with_path(base))
    }

    fn models_url(&self, base: &str) -> String {
        format!("{}/models", with_path(base))
    }

    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)> {
        key.map(|key| ("authorization", format!("Bearer {}", key.expose()))).into_iter().collect()
    }

    fn body(&self, ask: &Ask<'_>) -> Value {
        let system = json!({"role": "system", "content": ask.system});
        let messages: Vec<Value> = [system].into_iter().chain(ask.messages.iter().flat_map(messages)).collect();
        let mut body = json!({
            "model": ask.model,
            "stream": true,
            "messages": messages,
        });
        if ask.counts {
            body["stream_options"] = json!({"include_usage": true});
        }
        if let Some(tokens) = ask.answer_tokens {
            // Models that reason refuse the older 'max_tokens', other servers know only that one.
            body[if is_own_model(ask.model) { "max_completion_tokens" } else { "max_tokens" }] = json!(tokens);
        }
        if !ask.tools.is_empty() {
            let tool = |tool: &ToolSpec| {
                let ToolSpec { name, description, parameters } = tool;
                json!({"type": "function", "function":
                    {"name": name, "description": description, "parameters": parameters}})
            };
            body["tools"] = ask.tools.iter().map(tool).collect();
            if !ask.may_call {
                body["tool_choice"] = json!("none");
            }
        }
        if let Some(schema) = ask.schema {
            body["response_format"] =
                json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}});
        }
        body
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(Chunks::default())
    }

    fn takes_schema_with_tools(&self) -> bool {
        true
    }
}

fn is_own_model(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    ["gpt-5", "gpt-6", "o1", "o3", "o4"].iter().any(|start| name.starts_with(start))
}

/// A host alone means its `/v1`; who gives a path means that path.
fn with_path(base: &str) -> String {
    let base = base.trim_end_matches('/');
    let is_host_alone = !base.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if is_host_alone { versioned(base, "v1") } else { base.to_owned() }
}

fn messages(message: &Message) -> Vec<Value> {
    match message {
        Message::User(text) => vec![json!({"role": "user", "content": text})],
        Message::Model(said) => {
            let mut message = json!({"role": "assistant", "content": said.text});
            if !said.calls.is_empty() {
                let call = |call: &ToolCall| {
                    let arguments = match &call.arguments {
                        Ok(arguments) => arguments.to_string(),
                        // Some servers parse what they are shown again.
                        Err(text) => json!({ "unreadable": text }).to_string(),
                    };
                    json!({"id": call.id, "type": "function", "function":
                        {"name": call.name, "arguments": arguments}})
                };
                message["tool_calls"] = said.calls.iter().map(call).collect();
            }
            // Servers of models that reason want to see it again under the key that they gave it under.
            for (key, value) in said.verbatim.as_ref().and_then(Value::as_object).into_iter().flatten() {
                message[key.as_str()] = value.clone();
            }
            vec![message]
        }
        Message::Results(results) => {
            let result = |result: &Returned| {
                let text = if result.is_error { format!("error: {}", result.text) } else { result.text.clone() };
                json!({"role": "tool", "tool_call_id": result.id, "content": text})
            };
            results.iter().map(result).collect()
        }
    }
}

/// A call, put together from its pieces.
#[derive(Default)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

/// Reads chunks, and a whole completion.
#[derive(Default)]
struct Chunks {
    turn: Turn,
    calls: BTreeMap<u64, Call>,
    details: Vec<Value>,
    refusal: String,
    stop: Option<Stop>,
}

impl Decoder for Chunks {
    fn event(&mut self, event: &Value) -> Result<ControlFlow<()>, Trouble> {
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return Err(trouble_in(event, None));
        }
        if let Some(model) = event["model"].as_str().filter(|model| !model.is_empty()) {
            self.turn.model = Some(model.to_owned());
        }
        self.usage(&event["usage"]);
        let choice = &event["choices"][0];
        let delta = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
        self.turn.said.text.push_str(delta["content"].as_str().unwrap_or_default());
        self.refusal.push_str(delta["refusal"].as_str().unwrap_or_default());
        if let Some(details) = delta["reasoning_details"].as_array() {
            self.details.extend(details.iter().cloned());
        }
        for (at, call) in delta["tool_calls"].as_array().into_iter().flatten().enumerate() {
            self.call(at as u64, call);
        }
        if let Some(error) = choice.get("error").filter(|error| error.is_object()) {
            return Err(trouble_in(error, None));
        }
        match choice["finish_reason"].as_str() {
            Some("length") => self.stop = Some(Stop::OutputLimit),
            Some("content_filter") => self.stop = Some(Stop::Declined("its filter of contents stepped in".to_owned())),
            Some("error") => return Err(Trouble { status: Some(500), ..Trouble::saying("the model broke off") }),
            Some(reason) if !reason.is_empty() => self.stop = Some(Stop::Done),
            Some(_) | None => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    fn turn(self: Box<Self>) -> Turn {
        let Self { mut turn, calls, details, refusal, stop } = *self;
        let calls = calls.into_values().enumerate();
        turn.said.calls.extend(calls.map(|(at, Call { id, name, arguments })| {
            // Some servers give no name to a call, but want one in its result.
            let id = if id.is_empty() { format!("call_{at}") } else { id };
            ToolCall { id, name, arguments: arguments_of(&arguments) }
        }));
        if !details.is_empty() {
            turn.said.verbatim = Some(json!({ "reasoning_details": details }));
        }
        turn.stop = match stop {
            Some(Stop::Done) if !refusal.is_empty() => Stop::Declined(refusal),
            stop => stop.unwrap_or_default(),
        };
        turn
    }
}

impl Chunks {
    fn usage(&mut self, usage: &Value) {
        if !usage.is_object() {
            return;
        }
        let cached = whole(&usage["prompt_tokens_details"]["cached_tokens"]);
        let written = whole(&usage["prompt_tokens_details"]["cache_write_tokens"]);
        self.turn.tokens = Tokens {
            input: whole(&usage["prompt_tokens"]).saturating_sub(cached.saturating_add(written)),
            output: whole(&usage["completion_tokens"]),
            cache_read: cached,
            cache_write: written,
            reasoning: whole(&usage["completion_tokens_details"]["reasoning_tokens"]),
        };
        self.turn.cost_usd = usage["cost"].as_f64().and_then(Money::from_dollars).or(self.turn.cost_usd);
    }

    /// A piece of a call; a server that numbers none sends each in one piece, in their order.
    fn call(&mut self, at: u64, piece: &Value) {
        let id = piece["id"].as_str().unwrap_or_default();
        let mut index = piece["index"].as_u64().unwrap_or(at);
        // Some servers number every call 0, but each has an id of its own.
        if let Some(known) = self.calls.get(&index)
            && !id.is_empty()
            && !known.id.is_empty()
            && known.id != id
        {
            index = self.calls.keys().last().map_or(0, |last| last + 1);
        } else if id.is_empty() && piece["function"]["name"].as_str().is_none_or(str::is_empty) {
            // Pieces that follow belong to the last one that was begun under this number.
            let last = self.calls.keys().last().copied().unwrap_or(index);
            index = if self.calls.contains_key(&index) && piece["index"].as_u64() != Some(0) { index } else { last };
        }
        if index >= CALLS_MAX {
            return;
        }
        let call = self.calls.entry(index).or_default();
        if call.id.is_empty() {
            id.clone_into(&mut call.id);
        }
        let function = &piece["function"];
        if call.name.is_empty() {
            function["name"].as_str().unwrap_or_default().clone_into(&mut call.name);
        }
        match &function["arguments"] {
            Value::String(text) => call.arguments.push_str(text),
            // Ollama and others give an object here.
            Value::Object(object) => call.arguments = Value::Object(object.clone()).to_string(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
        }
    }
}
