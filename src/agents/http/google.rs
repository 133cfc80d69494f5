//! `generateContent`: <https://ai.google.dev/api/generate-content>, streamed.
//! Knows nothing of other providers.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::{
    conversation::{Message, Returned, Said, ToolCall},
    provider::{Ask, Decoder, Provider, Stop, Turn, object_of, versioned},
    refusal::trouble_in,
};
use crate::{
    agents::{fault::Trouble, reading::whole, tools::tool::ToolSpec},
    model::money::Tokens,
    sys::http::Secret,
};

/// The provider.
pub struct Google;

impl Provider for Google {
    fn key_variable(&self) -> &'static str {
        "GEMINI_API_KEY"
    }

    fn base_variable(&self) -> &'static str {
        "GOOGLE_GEMINI_BASE_URL"
    }

    fn model_variable(&self) -> &'static str {
        "GEMINI_MODEL"
    }

    fn base(&self) -> &'static str {
        "https://generativelanguage.googleapis.com"
    }

    fn usual_model(&self) -> &'static str {
        "gemini-2.5-pro"
    }

    fn turn_url(&self, base: &str, model: &str) -> String {
        let model = model.strip_prefix("models/").unwrap_or(model);
        format!("{}/models/{model}:streamGenerateContent?alt=sse", versioned(base, "v1beta"))
    }

    fn models_url(&self, base: &str) -> String {
        format!("{}/models", versioned(base, "v1beta"))
    }

    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)> {
        key.map(|key| ("x-goog-api-key", key.expose().to_owned())).into_iter().collect()
    }

    fn body(&self, ask: &Ask<'_>) -> Value {
        let mut body = json!({
            "systemInstruction": {"parts": [{"text": ask.system}]},
            "contents": ask.messages.iter().map(content).collect::<Vec<_>>(),
        });
        if !ask.tools.is_empty() && ask.may_call {
            let tool = |tool: &ToolSpec| {
                let ToolSpec { name, description, parameters } = tool;
                json!({"name": name, "description": description, "parametersJsonSchema": parameters})
            };
            body["tools"] = json!([{"functionDeclarations": ask.tools.iter().map(tool).collect::<Vec<_>>()}]);
        }
        let mut generation = json!({});
        if let Some(tokens) = ask.answer_tokens {
            generation["maxOutputTokens"] = json!(tokens);
        }
        if let Some(schema) = ask.schema {
            generation["responseMimeType"] = json!("application/json");
            generation["responseJsonSchema"] = schema.clone();
        }
        if generation.as_object().is_some_and(|settings| !settings.is_empty()) {
            body["generationConfig"] = generation;
        }
        body
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(Parts::default())
    }

    /// Not before Gemini 3, and one cannot tell by every name.
    fn takes_schema_with_tools(&self) -> bool {
        false
    }
}

fn content(message: &Message) -> Value {
    match message {
        Message::User(text) => json!({"role": "user", "parts": [{"text": text}]}),
        Message::Model(Said { verbatim: Some(parts), .. }) => json!({"role": "model", "parts": parts}),
        Message::Model(said) => {
            let text = (!said.text.is_empty()).then(|| json!({"text": said.text}));
            let call =
                |call: &ToolCall| json!({"functionCall": {"name": call.name, "args": object_of(&call.arguments)}});
            json!({"role": "model", "parts": text.into_iter().chain(said.calls.iter().map(call)).collect::<Vec<_>>()})
        }
        Message::Results(results) => {
            let result = |result: &Returned| {
                let key = if result.is_error { "error" } else { "output" };
                json!({"functionResponse": {"name": result.name, "response": {key: result.text}}})
            };
            json!({"role": "user", "parts": results.iter().map(result).collect::<Vec<_>>()})
        }
    }
}

/// Reads chunks of an answer, or all of them in a list.
#[derive(Default)]
struct Parts {
    turn: Turn,
    parts: Vec<Value>,
    must_be_kept: bool,
    stop: Option<Stop>,
}

impl Decoder for Parts {
    fn event(&mut self, event: &Value) -> Result<ControlFlow<()>, Trouble> {
        if let Some(chunks) = event.as_array() {
            for chunk in chunks {
                let _ = self.event(chunk)?;
            }
            return Ok(ControlFlow::Continue(()));
        }
        if event.get("error").is_some() {
            return Err(trouble_in(event, None));
        }
        if let Some(model) = event["modelVersion"].as_str() {
            self.turn.model = Some(model.to_owned());
        }
        self.usage(&event["usageMetadata"]);
        if let Some(reason) = event["promptFeedback"]["blockReason"].as_str() {
            self.stop = Some(Stop::Declined(format!("the prompt was blocked: {reason}")));
        }
        let candidate = &event["candidates"][0];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            self.part(part);
        }
        match candidate["finishReason"].as_str() {
            Some("MAX_TOKENS") => self.stop = Some(Stop::OutputLimit),
            Some("STOP") => self.stop = Some(Stop::Done),
            // It garbled its own call; the next try may go well.
            Some("MALFORMED_FUNCTION_CALL") => {
                return Err(Trouble { status: Some(500), ..Trouble::saying("the model garbled a call of a tool") });
            }
            Some(
                reason @ ("SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE"
                | "IMAGE_SAFETY"),
            ) => self.stop = Some(Stop::Declined(format!("it was blocked: {reason}"))),
            Some("" | "FINISH_REASON_UNSPECIFIED") | None => {}
            Some(_) => self.stop = Some(Stop::Done),
        }
        Ok(ControlFlow::Continue(()))
    }

    fn turn(self: Box<Self>) -> Turn {
        let mut turn = self.turn;
        turn.said.verbatim = (self.must_be_kept && !self.parts.is_empty()).then_some(Value::Array(self.parts));
        turn.stop = self.stop.unwrap_or_default();
        turn
    }
}

impl Parts {
    fn part(&mut self, part: &Value) {
        // A signature over its thoughts must come back on the part that it came with.
        self.must_be_kept |= part.get("thoughtSignature").is_some();
        let is_thought = part["thought"].as_bool() == Some(true);
        if let Some(call) = part.get("functionCall") {
            let name = call["name"].as_str().unwrap_or_default().to_owned();
            let id = call["id"].as_str().map(str::to_owned);
            let id = id.unwrap_or_else(|| format!("call_{}", self.turn.said.calls.len()));
            let arguments = if call["args"].is_object() { call["args"].clone() } else { json!({}) };
            self.turn.said.calls.push(ToolCall { id, name, arguments: Ok(arguments) });
        } else if let Some(text) = part["text"].as_str().filter(|_| !is_thought) {
            self.turn.said.text.push_str(text);
            if let Some(last) = self.parts.last_mut()
                && last["thought"].is_null()
                && part.get("thoughtSignature").is_none()
                && last.get("thoughtSignature").is_none()
                && let Value::String(before) = &mut last["text"]
            {
                before.push_str(text);
                return;
            }
        }
        if !is_thought {
            self.parts.push(part.clone());
        }
    }

    fn usage(&mut self, usage: &Value) {
        if !usage.is_object() {
            return;
        }
        let (cached, thoughts) = (whole(&usage["cachedContentTokenCount"]), whole(&usage["thoughtsTokenCount"]));
        let prompt = whole(&usage["promptTokenCount"]).saturating_add(whole(&usage["toolUsePromptTokenCount"]));
        self.turn.tokens = Tokens {
            input: prompt.saturating_sub(cached),
            output: whole(&usage["candidatesTokenCount"]).saturating_add(thoughts),
            cache_read: cached,
            cache_write: 0,
            reasoning: thoughts,
        };
    }
}
