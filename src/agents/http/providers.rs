//! Which provider speaks the form of which adapter.
//! Knows nothing of the forms.

use super::{anthropic::Anthropic, google::Google, openai::OpenAi, provider::Provider};
use crate::config::settings::AdapterKind;

/// The provider of an adapter; none for what is no HTTP.
pub fn provider_of(adapter: AdapterKind) -> Option<&'static dyn Provider> {
    match adapter {
        AdapterKind::Anthropic => Some(&Anthropic),
        AdapterKind::OpenAi => Some(&OpenAi),
        AdapterKind::Google => Some(&Google),
        AdapterKind::Claude
        | AdapterKind::Codex
        | AdapterKind::Gemini
        | AdapterKind::OpenCode
        | AdapterKind::Acp
        | AdapterKind::Command
        | AdapterKind::Hybrid
        | AdapterKind::Replay => None,
    }
}
