//! What every provider is: a turn written down in its form, and the events of its answer read back.
//! Knows nothing of sockets, nor of what follows from an answer.

use std::ops::ControlFlow;

use serde_json::Value;

use super::conversation::{Message, Said};
use crate::{
    agents::{fault::Trouble, tools::tool::ToolSpec},
    model::money::{Money, Tokens},
    sys::http::Secret,
};

/// One turn to ask for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The model.
    pub model: &'a str,
    /// Who it is and how it works.
    pub system: &'a str,
    /// All that was said.
    pub messages: &'a [Message],
    /// The tools.
    pub tools: &'a [ToolSpec],
    /// Whether it may call them now.
    pub may_call: bool,
    /// The schema that its words must follow, if any.
    pub schema: Option<&'a Value>,
    /// Tokens of the answer, if they are limited.
    pub answer_tokens: Option<u64>,
    /// Whether a count of the tokens must be asked for where it is not given by itself; some servers know no such word.
    pub counts: bool,
}

/// Why a model said no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stop {
    /// It did not say; the stream broke off.
    #[default]
    Unsaid,
    /// It has nothing more to say, or wants its tools called.
    Done,
    /// The answer is as long as it may be.
    OutputLimit,
    /// It, or its provider, declined: the reason.
    Declined(String),
    /// It is paused by its provider and goes on if it is sent back as it is.
    Paused,
}

/// What came of a turn, or what had come of it when it broke off.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    /// What it said.
    pub said: Said,
    /// The tokens that were counted.
    pub tokens: Tokens,
    /// What it cost, if that was told.
    pub cost_usd: Option<Money>,
    /// The model that answered, if it was told.
    pub model: Option<String>,
    /// Why it said no more.
    pub stop: Stop,
}

/// Reads the events of one answer.
pub trait Decoder {
    /// One event, or the whole answer. Breaks after the last one.
    ///
    /// # Errors
    /// It is the news of an error.
    fn event(&mut self, event: &Value) -> Result<ControlFlow<()>, Trouble>;

    /// What came so far. Without a [`Stop`] it broke off.
    fn turn(self: Box<Self>) -> Turn;
}

/// One form of talking to models.
pub trait Provider: Sync {
    /// The variable that usually holds the key.
    fn key_variable(&self) -> &'static str;

    /// The variable that may hold another base address.
    fn base_variable(&self) -> &'static str;

    /// The variable that may name the model, for `init`.
    fn model_variable(&self) -> &'static str;

    /// The provider's own base address.
    fn base(&self) -> &'static str;

    /// The model that `init` proposes there.
    fn usual_model(&self) -> &'static str;

    /// Where a turn is asked for, below a base address without `/` at its end.
    fn turn_url(&self, base: &str, model: &str) -> String;

    /// Where the models are listed.
    fn models_url(&self, base: &str) -> String;

    /// Headers of each request.
    fn headers(&self, key: Option<&Secret>) -> Vec<(&'static str, String)>;

    /// The body of a turn.
    fn body(&self, ask: &Ask<'_>) -> Value;

    /// A reader for its answer.
    fn decoder(&self) -> Box<dyn Decoder>;

    /// Whether its own models take a schema in the same turn as tools. Elsewhere the schema would keep them from
    /// calling any, so it is given only when they are done.
    fn takes_schema_with_tools(&self) -> bool;
}

/// Arguments as they came in pieces of text; nothing at all is no arguments.
pub fn arguments_of(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_str(text).map_err(|_| text.to_owned())
}

/// Arguments as the model must be shown them again, where only an object is taken.
pub fn object_of(arguments: &Result<Value, String>) -> Value {
    match arguments {
        Ok(value @ Value::Object(_)) => value.clone(),
        Ok(other) => serde_json::json!({ "value": other }),
        Err(text) => serde_json::json!({ "unreadable": text }),
    }
}

/// A base address with a version where it has none: `https://host` and `https://host/v1` mean the same.
pub fn versioned(base: &str, version: &str) -> String {
    let base = base.trim_end_matches('/');
    let last = base.rsplit('/').next().unwrap_or_default();
    let is_version = last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if is_version { base.to_owned() } else { format!("{base}/{version}") }
}
