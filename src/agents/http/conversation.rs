//! What was said between us and a model, in words of our own, and how it is kept within the model's context.
//! Knows no provider's form; each of them writes these messages down in its own.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::text;

/// Bytes that a token is taken for until a provider has counted.
const TOKEN_BYTES: u64 = 4;
/// Bytes of a token of text that has many: scripts beyond ASCII, numbers.
const DENSE_TOKEN_BYTES: u64 = 2;
/// What is left of the context, in percent, after older results were dropped: each drop makes the provider read all
/// anew, so it shall not come with every turn.
const KEPT_PERCENT: u64 = 70;
/// Results of the last turns that are never dropped.
const KEPT_TURNS: usize = 1;

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The provider's name for the call, or one of ours where it has none.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments, or the text that should have been JSON.
    pub arguments: Result<Value, String>,
}

/// What a model said in one turn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// Its words.
    pub text: String,
    /// The tools it calls.
    pub calls: Vec<ToolCall>,
    /// The turn in the provider's own form, where it must be sent back as it was: signed reasoning and the like.
    pub verbatim: Option<Value>,
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The call.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// What it said.
    pub text: String,
    /// Whether it went wrong.
    pub is_error: bool,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Ours.
    User(String),
    /// The model's.
    Model(Said),
    /// The results of the calls of the message before, in their order.
    Results(Vec<Returned>),
}

impl Message {
    fn bytes(&self) -> usize {
        match self {
            Self::User(text) => text.len(),
            Self::Model(said) => {
                let calls = said.calls.iter().map(|call| match &call.arguments {
                    Ok(arguments) => arguments.to_string().len(),
                    Err(text) => text.len(),
                });
                let words = said.text.len() + calls.sum::<usize>();
                said.verbatim.as_ref().map_or(words, |verbatim| verbatim.to_string().len())
            }
            Self::Results(results) => results.iter().map(|result| result.text.len()).sum(),
        }
    }
}

/// The messages of one step.
#[derive(Debug, Default)]
pub struct Conversation {
    messages: Vec<Message>,
    /// What is sent with each turn besides the messages.
    overhead_bytes: usize,
    /// Bytes of the last turn that was counted, and the tokens that the provider counted in them.
    counted: Option<(u64, u64)>,
    dropped: BTreeSet<(usize, usize)>,
}

impl Conversation {
    /// One that begins with a prompt; `overhead_bytes` is what goes with each turn: the system's words and the tools.
    pub fn new(prompt: String, overhead_bytes: usize) -> Self {
        Self { messages: vec![Message::User(prompt)], overhead_bytes, ..Self::default() }
    }

    /// Adds a message.
    pub fn push(&mut self, message: Message) {
        self.messages.push(message);
    }

    /// All of them.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    fn bytes(&self) -> u64 {
        (self.overhead_bytes + self.messages.iter().map(Message::bytes).sum::<usize>()) as u64
    }

    /// Takes up what the provider counted for what was just sent.
    pub fn counted(&mut self, input_tokens: u64) {
        if input_tokens > 0 {
            self.counted = Some((self.bytes().max(1), input_tokens));
        }
    }

    fn tokens_of(&self, bytes: u64) -> u64 {
        match self.counted {
            // What providers count beside the words (images, templates) must not make a byte cost many tokens.
            Some((counted, tokens)) => {
                let scaled = u128::from(bytes) * u128::from(tokens) / u128::from(counted);
                u64::try_from(scaled).unwrap_or(u64::MAX).clamp(bytes / 16, bytes)
            }
            None => bytes.div_ceil(TOKEN_BYTES),
        }
    }

    /// Tokens that the next turn will send, estimated.
    pub fn tokens(&self) -> u64 {
        self.tokens_of(self.bytes())
    }

    /// Tokens that the next turn will send, at most: what was not counted yet is taken for dense text.
    pub fn tokens_at_most(&self) -> u64 {
        let (counted, tokens) = self.counted.unwrap_or_default();
        self.tokens().max(tokens + self.bytes().saturating_sub(counted).div_ceil(DENSE_TOKEN_BYTES))
    }

    /// Drops the oldest results of tools, in their place said so, until about [`KEPT_PERCENT`] of `context_tokens` are
    /// taken, if they are more than that. Returns how many were dropped.
    pub fn fit(&mut self, context_tokens: u64) -> usize {
        if self.tokens() <= context_tokens {
            return 0;
        }
        self.drop_down_to(context_tokens / 100 * KEPT_PERCENT)
    }

    /// The same when a provider says that it is too much, whatever was reckoned: half of it shall go.
    pub fn halve(&mut self) -> usize {
        self.drop_down_to(self.tokens() / 2)
    }

    fn drop_down_to(&mut self, tokens_max: u64) -> usize {
        let is_results = |message: &Message| matches!(message, Message::Results(_));
        let turns = self.messages.iter().filter(|message| is_results(message)).count();
        let mut droppable = turns.saturating_sub(KEPT_TURNS);
        let mut tokens = self.tokens();
        let mut dropped = 0;
        for at in 0..self.messages.len() {
            if tokens <= tokens_max || droppable == 0 {
                break;
            }
            let Message::Results(results) = &mut self.messages[at] else { continue };
            droppable -= 1;
            let mut freed = 0;
            for (number, result) in results.iter_mut().enumerate() {
                let note = format!(
                    "[this result of {} was dropped to save room; call the tool again if you need it]",
                    text::bytes(result.text.len() as u64)
                );
                if note.len() < result.text.len() && self.dropped.insert((at, number)) {
                    freed += result.text.len() - note.len();
                    result.text = note;
                    dropped += 1;
                }
            }
            tokens = tokens.saturating_sub(self.tokens_of(freed as u64));
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(results: usize, bytes: usize) -> Conversation {
        let mut conversation = Conversation::new("p".repeat(300), 300);
        for at in 0..results {
            conversation.push(Message::Model(Said { text: "x".repeat(30), ..Said::default() }));
            let returned =
                Returned { id: at.to_string(), name: "read".to_owned(), text: "r".repeat(bytes), is_error: false };
            conversation.push(Message::Results(vec![returned]));
        }
        conversation
    }

    fn kept(conversation: &Conversation) -> Vec<bool> {
        let results = conversation.messages().iter().filter_map(|message| match message {
            Message::Results(results) => Some(!results[0].text.starts_with("[this result of 2.9 KiB was dropped")),
            Message::User(_) | Message::Model(_) => None,
        });
        results.collect()
    }

    #[test]
    fn the_oldest_results_go_first_and_the_last_stays() {
        let mut few = conversation(4, 3_000);
        assert_eq!((few.tokens(), few.fit(4_000)), (3_180, 0));
        assert_eq!(few.fit(3_000), 2);
        assert_eq!(kept(&few), [false, false, true, true]);
        assert!(few.tokens() <= 2_100);
        assert_eq!(few.fit(3_000), 0);
        assert_eq!(few.fit(100), 1);
        assert_eq!(kept(&few), [false, false, false, true]);
        assert_eq!(few.fit(100), 0, "nothing more can go");
    }

    #[test]
    fn what_the_provider_counted_is_believed() {
        let mut counted = conversation(4, 3_000);
        counted.counted(1_272);
        assert_eq!((counted.tokens(), counted.fit(2_000)), (1_272, 0));
        counted.counted(1 << 40);
        assert_eq!(counted.tokens(), 12_720, "no byte is more than a token");
        assert_eq!(counted.halve(), 3);
    }
}
