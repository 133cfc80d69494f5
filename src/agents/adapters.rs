//! Which adapter drives which kind of program.
//! Knows nothing of how any of them does it.

use super::{
    acp::Acp, adapter::Adapter, claude::Claude, codex::Codex, command::Command, gemini::Gemini, opencode::OpenCode,
};
use crate::config::settings::AdapterKind;

/// The adapter for a program; none for what starts none itself: models over HTTP, hybrids and `replay`.
pub fn adapter_of(kind: AdapterKind) -> Option<&'static dyn Adapter> {
    match kind {
        AdapterKind::Claude => Some(&Claude),
        AdapterKind::Codex => Some(&Codex),
        AdapterKind::Gemini => Some(&Gemini),
        AdapterKind::OpenCode => Some(&OpenCode),
        AdapterKind::Acp => Some(&Acp),
        AdapterKind::Command => Some(&Command),
        AdapterKind::Anthropic
        | AdapterKind::OpenAi
        | AdapterKind::Google
        | AdapterKind::Hybrid
        | AdapterKind::Replay => None,
    }
}
