//! The Messages API: <https://docs.anthropic.com/en/api/messages>, streamed. Others speak it as well.
//! Knows nothing of other providers.

use std::{collections::BTreeMap, ops::ControlFlow};

use serde_json::{Value, json};

use super::{
    conversation::{Message, Returned, Said, ToolCall},
    provider::{Ask, Decoder, Provider, Stop, Turn, arguments_of, object_of, versioned},
    refusal::trouble_in,
};
use crate::{
    agents::{fault::Trouble, reading::whole, tools::tool::ToolSpec},
    sys::http::Secret,
};

/// The version of the API that this is written for.
const VERSION: &str = "2023-06-01";
/// Tokens of an answer, which must be said here; all models of the last years take so many.
const ANSWER_TOKENS: u64 = 32_000;
/// Blocks that an answer may have.
const BLOCKS_MAX: u64 = 4_096;

/// The provider.
pub struct Anthropic;

impl Provider for Anthropic {
    fn key_variable(&self) -> &'static str {
        "ANTHROPIC_API_KEY"
    }

    fn base_variable(&self) -> &'static str {
        "ANTHROPIC_BASE_URL"
    }

    fn model_variable(&self) -> &'static str {
        "ANTHROPIC_MODEL"
    }

    fn base(&self) -> &'static str {
        "https://api.anthropic.com"
    }

    fn usual_model(&self) -> &'static str {
        "claude-sonnet-4-5"
    }

    fn turn_url(&self, base: &str, _model: &str) -> String {
        format!("{}/messages", versioned(base, "v1"))
    }

    fn models_url(&self, base: &str) -> String {
        format!("{}/models", versioned(base, "v1"))
    }

    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)> {
        let key = key.map(|key| ("x-api-key", key.expose().to_owned()));
        [("anthropic-version", VERSION.to_owned())].into_iter().chain(key).collect()
    }

    fn body(&self, ask: &Ask<'_>) -> Value {
        let mut messages: Vec<Value> = ask.messages.iter().map(message).collect();
        // What stays the same from turn to turn is read from the provider's cache: the beginning, and all up to here.
        if let Some(block) = messages.last_mut().and_then(|message| message["content"].as_array_mut()?.last_mut()) {
            block["cache_control"] = json!({"type": "ephemeral"});
        }
        let mut body = json!({
            "model": ask.model,
            "max_tokens": ask.answer_tokens.unwrap_or(ANSWER_TOKENS),
            "stream": true,
            "system": [{"type": "text", "text": ask.system, "cache_control": {"type": "ephemeral"}}],
            "messages": messages,
        });
        if !ask.tools.is_empty() {
            let tool = |tool: &ToolSpec| json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters});
            body["tools"] = ask.tools.iter().map(tool).collect();
            // They must be there as long as the messages tell of them, so they are forbidden instead of left out.
            body["tool_choice"] = json!({"type": if ask.may_call { "auto" } else { "none" }});
        }
        if let Some(schema) = ask.schema {
            body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
        }
        body
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(Blocks::default())
    }

    fn takes_schema_with_tools(&self) -> bool {
        true
    }
}

fn message(message: &Message) -> Value {
    match message {
        Message::User(text) => json!({"role": "user", "content": [{"type": "text", "text": text}]}),
        Message::Model(Said { verbatim: Some(content), .. }) => json!({"role": "assistant", "content": content}),
        Message::Model(said) => {
            // An empty text is refused.
            let text = (!said.text.trim().is_empty()).then(|| json!({"type": "text", "text": said.text}));
            let call = |call: &ToolCall| json!({"type": "tool_use", "id": call.id, "name": call.name, "input": object_of(&call.arguments)});
            let content: Vec<Value> = text.into_iter().chain(said.calls.iter().map(call)).collect();
            json!({"role": "assistant", "content": content})
        }
        Message::Results(results) => {
            let result = |result: &Returned| {
                json!({"type": "tool_result", "tool_use_id": result.id, "content": result.text,
                       "is_error": result.is_error})
            };
            json!({"role": "user", "content": results.iter().map(result).collect::<Vec<_>>()})
        }
    }
}

/// A block of an answer and the text of its arguments, which comes in pieces.
#[derive(Default)]
struct Block {
    content: Value,
    arguments: String,
}

/// Reads `message_start`, `content_block_…`, `message_delta`, `message_stop`, `error`, and a whole message.
#[derive(Default)]
struct Blocks {
    blocks: BTreeMap<u64, Block>,
    turn: Turn,
    stop: Option<Stop>,
    is_over: bool,
}

impl Decoder for Blocks {
    fn event(&mut self, event: &Value) -> Result<ControlFlow<()>, Trouble> {
        match event["type"].as_str() {
            Some("message_start") => self.begin(&event["message"]),
            Some("content_block_start") => self.block(&event["index"], event["content_block"].clone()),
            Some("content_block_delta") => self.delta(event),
            Some("message_delta") => {
                self.usage(&event["usage"]);
                self.stop = stop_of(&event["delta"]).or(self.stop.take());
            }
            Some("message_stop") => self.is_over = true,
            Some("error") => return Err(trouble_in(event, None)),
            // It came in one piece.
            Some("message") => {
                self.begin(event);
                for (at, block) in event["content"].as_array().into_iter().flatten().enumerate() {
                    self.block(&json!(at), block.clone());
                }
                self.stop = stop_of(event);
                self.is_over = true;
            }
            Some(_) => {}
            None if event.get("error").is_some() => return Err(trouble_in(event, None)),
            None => {}
        }
        Ok(if self.is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn turn(self: Box<Self>) -> Turn {
        let mut turn = self.turn;
        let mut content = Vec::new();
        let mut must_be_kept = false;
        for Block { content: mut block, arguments } in self.blocks.into_values() {
            match block["type"].as_str() {
                Some("text") => {
                    let words = block["text"].as_str().unwrap_or_default();
                    turn.said.text.push_str(words);
                    if words.trim().is_empty() {
                        continue;
                    }
                }
                Some("tool_use") => {
                    let arguments =
                        if arguments.is_empty() { Ok(block["input"].clone()) } else { arguments_of(&arguments) };
                    let name = |key: &str| block[key].as_str().unwrap_or_default().to_owned();
                    let (id, name) = (name("id"), name("name"));
                    block["input"] = object_of(&arguments);
                    turn.said.calls.push(ToolCall { id, name, arguments });
                }
                // Reasoning is signed, and other blocks mean something to the provider: they go back as they came.
                Some(_) | None => must_be_kept = true,
            }
            content.push(block);
        }
        turn.said.verbatim = (must_be_kept && !content.is_empty()).then_some(Value::Array(content));
        turn.stop = if self.is_over { self.stop.unwrap_or(Stop::Done) } else { Stop::Unsaid };
        turn
    }
}

impl Blocks {
    fn begin(&mut self, message: &Value) {
        self.turn.model = message["model"].as_str().map(str::to_owned);
        self.usage(&message["usage"]);
    }

    fn usage(&mut self, usage: &Value) {
        let tokens = &mut self.turn.tokens;
        // The later event has the whole again, or only what was written: what it leaves out stays.
        for (key, kept) in [
            ("input_tokens", &mut tokens.input),
            ("output_tokens", &mut tokens.output),
            ("cache_read_input_tokens", &mut tokens.cache_read),
            ("cache_creation_input_tokens", &mut tokens.cache_write),
        ] {
            *kept = whole(&usage[key]).max(*kept);
        }
    }

    fn block(&mut self, index: &Value, content: Value) {
        if let Some(index) = index.as_u64().filter(|index| *index < BLOCKS_MAX && content.is_object()) {
            self.blocks.insert(index, Block { content, arguments: String::new() });
        }
    }

    fn delta(&mut self, event: &Value) {
        let Some(block) = event["index"].as_u64().and_then(|index| self.blocks.get_mut(&index)) else { return };
        let delta = &event["delta"];
        let (from, to) = match delta["type"].as_str() {
            Some("text_delta") => ("text", "text"),
            Some("thinking_delta") => ("thinking", "thinking"),
            Some("signature_delta") => ("signature", "signature"),
            Some("input_json_delta") => {
                block.arguments.push_str(delta["partial_json"].as_str().unwrap_or_default());
                return;
            }
            Some(_) | None => return,
        };
        let more = delta[from].as_str().unwrap_or_default();
        match &mut block.content[to] {
            Value::String(text) => text.push_str(more),
            other => *other = Value::String(more.to_owned()),
        }
    }
}

fn stop_of(delta: &Value) -> Option<Stop> {
    Some(match delta["stop_reason"].as_str()? {
        "max_tokens" | "model_context_window_exceeded" => Stop::OutputLimit,
        "refusal" => Stop::Declined(String::new()),
        "pause_turn" => Stop::Paused,
        _ => Stop::Done,
    })
}
