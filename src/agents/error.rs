//! Why an agent of the configuration cannot be used at all, and what to type about it.
//! Knows nothing of a step that went wrong: that is an outcome, not an error.

use std::path::PathBuf;

use crate::{config::settings::AdapterKind, sys::http::HttpError};

/// What is wrong with an agent's settings.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The model's family is neither given nor to be derived.
    #[error("agent '{agent}' has no model family: {}", match model {
        Some(model) => format!("the name '{model}' does not tell it"),
        None => format!("adapter '{}' needs a model or a family", adapter.word()),
    })]
    NoFamily {
        /// The agent's name in the configuration.
        agent: String,
        /// Its adapter.
        adapter: AdapterKind,
        /// Its model, if one is named.
        model: Option<String>,
    },
    /// A model over HTTP that is not named.
    #[error("agent '{agent}' names no model, which adapter '{}' must be told", adapter.word())]
    NoModel {
        /// The agent's name in the configuration.
        agent: String,
        /// Its adapter.
        adapter: AdapterKind,
    },
    /// A server that cannot be asked.
    #[error("agent '{agent}': {cause}")]
    Http {
        /// The agent's name in the configuration.
        agent: String,
        /// What is wrong with its address, its proxy or its certificates.
        cause: HttpError,
    },
    /// `command` without a program.
    #[error("agent '{agent}' names no program")]
    NoProgram {
        /// The agent's name in the configuration.
        agent: String,
    },
    /// `replay` without a recording.
    #[error("agent '{agent}' names no recording")]
    NoRecording {
        /// The agent's name in the configuration.
        agent: String,
    },
    /// A hybrid without one of its two agents.
    #[error("agent '{agent}' is a hybrid, but its '{part}' names no agent that works alone")]
    NoPart {
        /// The hybrid's name in the configuration.
        agent: String,
        /// `brief` or `work`.
        part: &'static str,
    },
    /// The recording cannot be read.
    #[error("cannot read recording '{}' of agent '{agent}': {cause}", path.display())]
    UnreadableRecording {
        /// The agent's name in the configuration.
        agent: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The recording is not one.
    #[error("recording '{}' of agent '{agent}' is wrong: {why}", path.display())]
    BadRecording {
        /// The agent's name in the configuration.
        agent: String,
        /// The file.
        path: PathBuf,
        /// What and where.
        why: String,
    },
}

impl AgentError {
    /// The one line to write into the configuration, where there is one.
    pub fn hint(&self) -> Option<String> {
        let line = |agent: &str, line: &str| Some(format!("add to [agents.{agent}] in .handoff/config.toml: {line}"));
        match self {
            Self::NoFamily { agent, adapter: AdapterKind::OpenCode, model: None } => {
                line(agent, r#"model = "anthropic/claude-sonnet-4-5""#)
            }
            Self::NoFamily { agent, .. } => line(agent, r#"family = "openai", or whose model it is"#),
            Self::NoModel { agent, .. } => line(agent, r#"model = "…""#),
            Self::Http { cause, .. } => cause.hint(),
            Self::NoProgram { agent } => line(agent, r#"program = "./my-agent""#),
            Self::NoRecording { agent } => line(agent, r#"recording = "recording.toml""#),
            Self::NoPart { agent, part } => line(agent, &format!("{part} = \"<another agent>\"")),
            Self::UnreadableRecording { .. } | Self::BadRecording { .. } => None,
        }
    }
}

impl AdapterKind {
    /// The word for it in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::OpenCode => "opencode",
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Google => "google",
            Self::Acp => "acp",
            Self::Command => "command",
            Self::Hybrid => "hybrid",
            Self::Replay => "replay",
        }
    }
}
