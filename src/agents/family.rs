//! Which family a model belongs to, by its name.
//! Does not know which families may review which; that is `route`'s.

use super::http::provider_of;
use crate::{config::settings::AdapterKind, model::record::Family};

/// Beginnings of model names and the family they belong to; the first that fits wins.
const MODELS: [(&str, &str); 34] = [
    ("claude", "anthropic"),
    ("opus", "anthropic"),
    ("sonnet", "anthropic"),
    ("haiku", "anthropic"),
    ("gpt", "openai"),
    ("chatgpt", "openai"),
    ("codex", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("gemini", "google"),
    ("gemma", "google"),
    ("glm", "zhipu"),
    ("chatglm", "zhipu"),
    ("qwen", "alibaba"),
    ("qwq", "alibaba"),
    ("deepseek", "deepseek"),
    ("mistral", "mistral"),
    ("mixtral", "mistral"),
    ("ministral", "mistral"),
    ("magistral", "mistral"),
    ("codestral", "mistral"),
    ("devstral", "mistral"),
    ("llama", "meta"),
    ("codellama", "meta"),
    ("grok", "xai"),
    ("kimi", "moonshot"),
    ("moonshot", "moonshot"),
    ("minimax", "minimax"),
    ("command-r", "cohere"),
    ("phi", "microsoft"),
    ("nova", "amazon"),
    ("granite", "ibm"),
    ("nemotron", "nvidia"),
];

/// Vendors as they stand before a model's name: `anthropic/…`, `openrouter/mistralai/…`, `us.anthropic.claude-…`.
const VENDORS: [(&str, &str); 20] = [
    ("anthropic", "anthropic"),
    ("openai", "openai"),
    ("google", "google"),
    ("zhipuai", "zhipu"),
    ("zai", "zhipu"),
    ("z-ai", "zhipu"),
    ("zai-coding-plan", "zhipu"),
    ("alibaba", "alibaba"),
    ("qwen", "alibaba"),
    ("deepseek", "deepseek"),
    ("mistral", "mistral"),
    ("mistralai", "mistral"),
    ("meta", "meta"),
    ("meta-llama", "meta"),
    ("xai", "xai"),
    ("x-ai", "xai"),
    ("moonshotai", "moonshot"),
    ("moonshot", "moonshot"),
    ("minimax", "minimax"),
    ("cohere", "cohere"),
];

/// The family of this model as driven by this adapter; none: neither tells it, the configuration must.
///
/// A name may carry the way to the model before it: `provider/model`, `openrouter/google/gemini-2.5-pro`. The name
/// itself counts before who serves it: `openrouter/anthropic/claude-…` and `bedrock/claude-…` are one family.
pub fn family_of(model: Option<&str>, adapter: AdapterKind) -> Option<Family> {
    model
        .and_then(family_of_model)
        .or(match adapter {
            AdapterKind::Claude => Some("anthropic"),
            AdapterKind::Codex => Some("openai"),
            AdapterKind::Gemini => Some("google"),
            // Whose form a server speaks does not tell whose models it serves.
            AdapterKind::Anthropic | AdapterKind::OpenAi | AdapterKind::Google => None,
            AdapterKind::OpenCode
            | AdapterKind::Acp
            | AdapterKind::Command
            | AdapterKind::Hybrid
            | AdapterKind::Replay => None,
        })
        .map(|family| Family(family.to_owned()))
}

/// The family of the models that a program runs when it is not told another, by the program's name.
pub fn family_of_program(program: &str) -> Option<Family> {
    let name = program.rsplit('/').next().unwrap_or_default();
    family_of_model(name).map(|family| Family(family.to_owned()))
}

/// An agent of another family than this one, in words for the configuration and with the key that it needs.
pub fn another_than(family: &str) -> String {
    let (name, adapter) =
        if family == "openai" { ("claude", AdapterKind::Anthropic) } else { ("gpt", AdapterKind::OpenAi) };
    let provider = provider_of(adapter).expect("BUG: both are over HTTP");
    let (word, model, key) = (adapter.word(), provider.usual_model(), provider.key_variable());
    format!("[agents.{name}] adapter = \"{word}\", model = \"{model}\" (its key is {key} in the environment)")
}

fn family_of_model(model: &str) -> Option<&'static str> {
    let model = model.to_ascii_lowercase();
    let segments: Vec<&str> = model.split(['/', ':']).filter(|segment| !segment.is_empty()).collect();
    let by_name = |segment: &str| MODELS.iter().find(|(start, _)| begins(segment, start)).map(|(_, family)| *family);
    let by_vendor = |segment: &str| VENDORS.iter().find(|(name, _)| *name == segment).map(|(_, family)| *family);
    // Bedrock writes `us.anthropic.claude-…-v1:0`, so words between dots count as well, the whole segment first.
    let words = || segments.iter().rev().flat_map(|segment| segment.split('.'));
    segments.iter().rev().find_map(|segment| by_name(segment)).or_else(|| words().find_map(by_name)).or_else(|| {
        segments.iter().rev().find_map(|segment| by_vendor(segment)).or_else(|| words().find_map(by_vendor))
    })
}

/// Whether a name begins with this word and the word ends there: `o3-mini` and `o3`, `gpt5`, but not `o365` or `novel`.
fn begins(name: &str, word: &str) -> bool {
    let Some(rest) = name.strip_prefix(word) else { return false };
    let next = rest.chars().next();
    match word.chars().last() {
        Some(last) if last.is_ascii_digit() => next.is_none_or(|c| !c.is_ascii_alphanumeric()),
        _ => next.is_none_or(|c| !c.is_ascii_alphabetic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_family() {
        for (model, family) in [
            ("claude-sonnet-4-5", "anthropic"),
            ("opus", "anthropic"),
            ("claude-opus-4-8[1m]", "anthropic"),
            ("anthropic/claude-sonnet-4-5", "anthropic"),
            ("us.anthropic.claude-sonnet-4-5-v1:0", "anthropic"),
            ("gpt-5.5", "openai"),
            ("gpt5", "openai"),
            ("o3", "openai"),
            ("o4-mini", "openai"),
            ("codex-mini-latest", "openai"),
            ("openrouter/google/gemini-2.5-pro", "google"),
            ("gemma-3", "google"),
            ("zai/glm-4.6", "zhipu"),
            ("qwen3-coder", "alibaba"),
            ("deepseek-v3", "deepseek"),
            ("mistral/devstral-small", "mistral"),
            ("ollama/llama3.3:70b", "meta"),
            ("grok-code-fast-1", "xai"),
            ("kimi-k2", "moonshot"),
            ("openai/some-new-model", "openai"),
            ("openrouter/mistralai/some-new-model", "mistral"),
            // Who serves it does not count against what it is.
            ("openai/claude-sonnet-4-5", "anthropic"),
        ] {
            assert_eq!(family_of(Some(model), AdapterKind::OpenCode), Some(Family(family.to_owned())), "{model}");
        }
        for unknown in ["", "/", "house-model", "ollama/novel", "o365", "optimus"] {
            assert_eq!(family_of(Some(unknown), AdapterKind::OpenCode), None, "{unknown}");
        }
    }

    #[test]
    fn another_family_is_proposed_with_what_it_needs() {
        assert_eq!(
            another_than("anthropic"),
            "[agents.gpt] adapter = \"openai\", model = \"gpt-5.5\" (its key is OPENAI_API_KEY in the environment)"
        );
        assert!(another_than("openai").starts_with("[agents.claude] adapter = \"anthropic\""));
    }

    #[test]
    fn without_a_telling_name_the_adapter_tells_it() {
        for (adapter, family) in [
            (AdapterKind::Claude, Some("anthropic")),
            (AdapterKind::Codex, Some("openai")),
            (AdapterKind::Gemini, Some("google")),
            (AdapterKind::OpenCode, None),
            (AdapterKind::Command, None),
            (AdapterKind::Replay, None),
        ] {
            assert_eq!(family_of(None, adapter), family.map(|f| Family(f.to_owned())), "{adapter:?}");
        }
        // A program that can be pointed at another provider does not outweigh the model's name.
        assert_eq!(family_of(Some("glm-4.6"), AdapterKind::Claude), Some(Family("zhipu".to_owned())));
    }
}
