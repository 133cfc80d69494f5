//! What went both ways in a step, a JSON object a line, without keys.
//! Does not know where it is kept.

use serde_json::{Value, json};

use super::{
    conversation::{Message, Returned, ToolCall},
    provider::Turn,
};
use crate::sys::http::Secret;

/// The lines so far.
pub struct Transcript {
    bytes: Vec<u8>,
    bytes_max: usize,
    key: Option<Secret>,
    is_cut: bool,
}

impl Transcript {
    /// An empty one that keeps so many bytes, and never the key.
    pub fn new(bytes_max: usize, key: Option<Secret>) -> Self {
        Self { bytes: Vec::new(), bytes_max, key, is_cut: false }
    }

    /// A message of ours, once, when it is added to what is sent.
    pub fn sent(&mut self, message: &Message) {
        match message {
            Message::User(text) => self.line(&json!({"to": "model", "text": text})),
            Message::Results(results) => {
                for Returned { id, name, text, is_error } in results {
                    let line = json!({"to": "model", "result_of": name, "id": id, "is_error": is_error, "text": text});
                    self.line(&line);
                }
            }
            Message::Model(_) => {}
        }
    }

    /// A turn of the model.
    pub fn turn(&mut self, turn: &Turn) {
        let call = |ToolCall { id, name, arguments }: &ToolCall| match arguments {
            Ok(arguments) => json!({"id": id, "name": name, "arguments": arguments}),
            Err(text) => json!({"id": id, "name": name, "unreadable": text}),
        };
        self.line(&json!({
            "from": "model", "model": turn.model, "text": turn.said.text,
            "calls": turn.said.calls.iter().map(call).collect::<Vec<_>>(),
            "tokens": turn.tokens, "cost_usd": turn.cost_usd,
        }));
    }

    /// A word of our own.
    pub fn note(&mut self, note: &str) {
        self.line(&json!({ "note": note }));
    }

    fn line(&mut self, line: &Value) {
        let line = line.to_string();
        let line = self.key.as_ref().map_or_else(|| line.clone(), |key| key.scrub(&line));
        if self.bytes.len() + line.len() < self.bytes_max {
            self.bytes.extend_from_slice(line.as_bytes());
            self.bytes.push(b'\n');
        } else if !self.is_cut {
            self.is_cut = true;
            let note = json!({"note": "the rest is not kept: it is longer than limits.output_bytes"}).to_string();
            self.bytes.extend_from_slice(note.as_bytes());
            self.bytes.push(b'\n');
        }
    }

    /// All lines.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
