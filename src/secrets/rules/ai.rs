//! Keys of the providers of models.
//! Knows nothing of how they are searched.

use super::super::rule::{Rule, assigned, form, named};

pub(super) const RULES: &[Rule] = &[
    form("anthropic-key", "an API key of Anthropic", &["sk-ant-"], r"\b(sk-ant-(?:[a-z]{3,8}\d{2}-)?[\w-]{40,200})")
        .bits(3.5),
    form("openrouter-key", "an API key of OpenRouter", &["sk-or-v1-"], r"\b(sk-or-v1-[a-f0-9]{64})\b"),
    form(
        "openai-key",
        "an API key of OpenAI",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-none-", "t3blbkfj"],
        r"\b(sk-(?:proj|svcacct|admin|None)-[\w-]{40,250}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})",
    )
    .bits(3.5),
    form("sk-key", "an API key in OpenAI's form", &["sk-"], r"\b(sk-[A-Za-z0-9]{48}|sk-[a-f0-9]{32})\b").bits(3.3),
    form("huggingface-token", "a token of Hugging Face", &["hf_", "api_org_"], r"\b((?:hf|api_org)_[A-Za-z0-9]{34})\b")
        .bits(3.5),
    form("replicate-token", "a token of Replicate", &["r8_"], r"\b(r8_[A-Za-z0-9]{37})\b").bits(3.3),
    form("groq-key", "an API key of Groq", &["gsk_"], r"\b(gsk_[A-Za-z0-9]{52})\b").bits(3.5),
    form("xai-key", "an API key of xAI", &["xai-"], r"\b(xai-[A-Za-z0-9]{70,90})\b").bits(3.5),
    form("perplexity-key", "an API key of Perplexity", &["pplx-"], r"\b(pplx-[A-Za-z0-9]{40,64})\b").bits(3.5),
    form("fireworks-key", "an API key of Fireworks", &["fw_"], r"\b(fw_[A-Za-z0-9]{22,40})\b").bits(4.0),
    form("elevenlabs-key", "an API key of ElevenLabs", &["sk_"], r"\b(sk_[a-f0-9]{48})\b"),
    form("langsmith-key", "an API key of LangSmith", &["lsv2_"], r"\b(lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10})\b"),
    form("nvidia-key", "an API key of NVIDIA", &["nvapi-"], r"\b(nvapi-[\w-]{60,70})\b").bits(3.5),
    form("cerebras-key", "an API key of Cerebras", &["csk-"], r"\b(csk-[a-z0-9]{48})\b").bits(3.3),
    form("pinecone-key", "an API key of Pinecone", &["pcsk_"], r"\b(pcsk_[A-Za-z0-9_]{50,90})\b").bits(3.5),
    form("tavily-key", "an API key of Tavily", &["tvly-"], r"\b(tvly-(?:dev-|prod-)?[A-Za-z0-9]{28,40})\b").bits(3.5),
    named(
        "mistral-key",
        "an API key of Mistral, Cohere or Together",
        &["mistral", "cohere", "together", "codestral", "co_api_key"],
        assigned!(
            "(?:mistral|codestral|cohere|co|together(?:_?ai)?)[\\w .-]{0,10}?(?:key|token)",
            "[A-Za-z0-9]{32}|[A-Za-z0-9]{40}|[a-f0-9]{64}"
        ),
    )
    .bits(3.5),
    named(
        "zai-key",
        "an API key of Z.ai or Zhipu",
        &["zai_", "zhipu", "bigmodel", "glm"],
        assigned!("(?:zai|zhipu|bigmodel|glm)[\\w .-]{0,10}?(?:key|token)", "[a-f0-9]{32}\\.[A-Za-z0-9]{16}"),
    )
    .bits(3.5),
    named("wandb-key", "an API key of Weights & Biases", &["wandb"], assigned!("wandb", "[a-f0-9]{40}")),
];
