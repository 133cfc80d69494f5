//! What a person passes over, by name and in the open: `GIT_ORCHESTRATE_SKIP=gate,audit`.
//! Knows nothing of what is passed over, nor of where it is recorded.

use crate::text;

/// The variable.
pub const SKIP: &str = "GIT_ORCHESTRATE_SKIP";
/// Why; without a reason it is said, but not signed off.
pub const SKIP_REASON: &str = "GIT_ORCHESTRATE_SKIP_REASON";

/// What can be passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// That steps are signed, in order and unaltered.
    Audit,
    /// That the gate passed.
    Gate,
    /// That no message is forged.
    Message,
    /// That no secret is in a commit.
    Secrets,
}

impl Part {
    const ALL: [Self; 4] = [Self::Audit, Self::Gate, Self::Message, Self::Secrets];

    /// As people type it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Gate => "gate",
            Self::Message => "message",
            Self::Secrets => "secrets",
        }
    }
}

/// What is passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skip {
    parts: Vec<Part>,
    /// Why, if somebody says.
    pub reason: Option<String>,
}

/// A word that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' in {SKIP} names nothing that can be skipped", .0.escape_debug())]
pub struct BadSkip(pub String);

impl BadSkip {
    /// What to type.
    pub fn hint(&self) -> String {
        match text::did_you_mean(&self.0, Part::ALL.map(Part::word)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("it is one of {}", Part::ALL.map(Part::word).join(", ")),
        }
    }
}

impl Skip {
    /// Reads the two variables.
    ///
    /// # Errors
    /// A misspelt word must not pass over nothing in silence.
    pub fn parse(words: &str, reason: Option<String>) -> Result<Self, BadSkip> {
        let mut parts = Vec::new();
        for word in words.split([',', ' ']).filter(|word| !word.is_empty()) {
            let part = Part::ALL.into_iter().find(|part| part.word() == word);
            parts.push(part.ok_or_else(|| BadSkip(word.to_owned()))?);
        }
        parts.sort_unstable();
        parts.dedup();
        Ok(Self { parts, reason: reason.filter(|reason| !reason.trim().is_empty()) })
    }

    /// Whether this is passed over.
    pub fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Which of these are, in words.
    pub fn words(&self, of: &[Part]) -> Vec<&'static str> {
        self.parts.iter().filter(|part| of.contains(part)).map(|part| part.word()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_skip() {
        let skip = Skip::parse("gate, audit,gate", Some(" ".to_owned())).expect("known words");
        assert!(skip.has(Part::Gate) && skip.has(Part::Audit) && !skip.has(Part::Message) && skip.reason.is_none());
        assert_eq!(skip.words(&[Part::Gate, Part::Secrets]), ["gate"]);
        assert_eq!(Skip::parse("", None), Ok(Skip::default()));
        let wrong = Skip::parse("gaet", None).expect_err("misspelt");
        assert_eq!(
            (wrong.to_string().as_str(), wrong.hint().as_str()),
            ("'gaet' in GIT_ORCHESTRATE_SKIP names nothing that can be skipped", "did you mean 'gate'?")
        );
        assert_eq!(BadSkip("1".to_owned()).hint(), "it is one of audit, gate, message, secrets");
    }
}
