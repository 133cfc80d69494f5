//! What must hold of an agent that is a model over HTTP, and of the keys that only such agents have.
//! Knows nothing of lines or files, nor whether a server is there or a variable is set.

use super::settings::{AdapterKind, AgentSettings};

/// The least of a model's context that is of use, tokens.
const CONTEXT_TOKENS_MIN: u64 = 4_000;
/// The least of an answer that is of use, tokens.
const ANSWER_TOKENS_MIN: u64 = 256;
/// Letters and digits that no variable's name has in a row, but keys do.
const KEY_LETTERS_MIN: usize = 30;

/// Words that people write a key under. It must not stand in a file that is committed.
const KEY_WORDS: [&str; 6] = ["api_key", "apikey", "api-key", "key", "token", "auth_token"];

/// What is wrong with one key of an agent.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The key of `[agents.<name>]` it is about.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to write.
    pub hint: Option<String>,
}

impl AdapterKind {
    /// Whether it is a model over HTTP, without any program.
    pub fn is_over_http(self) -> bool {
        match self {
            Self::Anthropic | Self::OpenAi | Self::Google => true,
            Self::Claude
            | Self::Codex
            | Self::Gemini
            | Self::OpenCode
            | Self::Acp
            | Self::Command
            | Self::Hybrid
            | Self::Replay => false,
        }
    }
}

/// Everything that is wrong with this agent as far as HTTP is concerned.
pub fn wrong_with(name: &str, agent: &AgentSettings) -> Vec<Wrong> {
    let mut found = Vec::new();
    let mut wrong = |key, what: String, hint: Option<&str>| {
        found.push(Wrong { key, what, hint: hint.map(str::to_owned) });
    };
    let own = [
        ("base_url", agent.base_url.is_some()),
        ("key_env", agent.key_env.is_some()),
        ("key_command", agent.key_command.is_some()),
        ("ca_file", agent.ca_file.is_some()),
        ("turns_max", agent.turns_max.is_some()),
        ("tokens_max", agent.tokens_max.is_some()),
        ("context_tokens", agent.context_tokens.is_some()),
        ("answer_tokens", agent.answer_tokens.is_some()),
        ("run", agent.run.is_some()),
    ];
    if !agent.adapter.is_over_http() {
        for (key, _) in own.iter().filter(|(_, is_there)| *is_there) {
            let what = format!("'{key}' of agent '{name}' is only for models over HTTP");
            wrong(key, what, Some("adapter = \"anthropic\", \"openai\" or \"google\""));
        }
        return found;
    }
    if agent.model.is_none() {
        let what = format!("agent '{name}' is a model over HTTP, but names no 'model'");
        wrong("adapter", what, Some("model = \"<as the server names it>\""));
    }
    let of_programs = [
        ("program", agent.program.is_some()),
        ("args", !agent.args.is_empty()),
        ("recording", agent.recording.is_some()),
    ];
    for (key, _) in of_programs.iter().filter(|(_, is_there)| *is_there) {
        wrong(key, format!("'{key}' of agent '{name}' means nothing: a model over HTTP is no program"), None);
    }
    if let Some(url) = &agent.base_url {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let authority = rest.unwrap_or_default().split('/').next().unwrap_or_default();
        if authority.contains('@') {
            let what = format!("'base_url' of agent '{name}' has a user or a key in it, which must not be committed");
            wrong("base_url", what, Some("key_env = \"<variable>\""));
        } else if authority.is_empty() || url.chars().any(|c| c.is_whitespace() || c.is_control() || "?#".contains(c)) {
            let what = format!("'base_url' of agent '{name}' is no address of a server");
            wrong("base_url", what, Some("base_url = \"https://<host>/<path>\""));
        }
    }
    if let Some(variable) = &agent.key_env
        && !is_variable(variable)
    {
        // It may be the key itself, so it is not repeated.
        let what = format!("'key_env' of agent '{name}' must be the name of a variable, never a key");
        wrong("key_env", what, Some("key_env = \"MY_KEY\", and in your shell: export MY_KEY=…"));
    }
    if agent.key_env.is_some() && agent.key_command.is_some() {
        wrong("key_command", format!("agent '{name}' has both 'key_env' and 'key_command'; one is enough"), None);
    }
    if agent.key_command.as_ref().is_some_and(|command| command.trim().is_empty()) {
        wrong("key_command", format!("'key_command' of agent '{name}' is empty"), None);
    }
    if agent.env.keys().any(|variable| Some(variable) == agent.key_env.as_ref() || variable.ends_with("_API_KEY")) {
        let what = format!("'env' of agent '{name}' holds a key, which must not be committed");
        wrong("env", what, Some("set the variable in your shell instead"));
    }
    let least = [
        ("turns_max", agent.turns_max.map(u64::from), 1),
        ("tokens_max", agent.tokens_max, 1),
        ("context_tokens", agent.context_tokens, CONTEXT_TOKENS_MIN),
        ("answer_tokens", agent.answer_tokens, ANSWER_TOKENS_MIN),
    ];
    for (key, _, min) in least.into_iter().filter(|(_, value, min)| value.is_some_and(|value| value < *min)) {
        wrong(key, format!("'{key}' of agent '{name}' must be {min} or more"), None);
    }
    found
}

/// What to say of an unknown key that looks as if it held a key of a provider.
pub fn forbidden_key(unknown: &str) -> Option<(String, String)> {
    KEY_WORDS.contains(&unknown.to_ascii_lowercase().as_str()).then(|| {
        (
            "a key must not stand in this file, which is committed".to_owned(),
            "remove it and write key_env = \"<variable>\" or key_command = \"<command>\"".to_owned(),
        )
    })
}

/// Whether it names a variable, and is not a key that happens to be of letters.
fn is_variable(name: &str) -> bool {
    let has = |is: fn(&char) -> bool| name.chars().any(|c| is(&c));
    let is_word = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let looks_random = name.len() >= KEY_LETTERS_MIN
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_digit);
    is_word && !looks_random
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: fn(&mut AgentSettings), wanted: &[&str]) {
        let mut agent = AgentSettings::of(AdapterKind::OpenAi);
        agent.model = Some("glm-4.7".to_owned());
        change(&mut agent);
        let told: Vec<String> =
            wrong_with("a", &agent).into_iter().map(|wrong| format!("{}: {}", wrong.key, wrong.what)).collect();
        assert_eq!(told, wanted);
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_a_key() {
        check(|_| {}, &[]);
        check(|agent| agent.base_url = Some("http://127.0.0.1:11434/v1".to_owned()), &[]);
        check(|agent| agent.model = None, &["adapter: agent 'a' is a model over HTTP, but names no 'model'"]);
        check(
            |agent| agent.base_url = Some("api.example.com".to_owned()),
            &["base_url: 'base_url' of agent 'a' is no address of a server"],
        );
        check(
            |agent| agent.base_url = Some("https://sk-1@api.example.com".to_owned()),
            &["base_url: 'base_url' of agent 'a' has a user or a key in it, which must not be committed"],
        );
        let never = "key_env: 'key_env' of agent 'a' must be the name of a variable, never a key";
        check(|agent| agent.key_env = Some("sk-live-123".to_owned()), &[never]);
        check(|agent| agent.key_env = Some("AIzaSyA1234567890abcdefghijklmnopqrstuv".to_owned()), &[never]);
        check(|agent| agent.key_env = Some("A_KEY_OF_MY_OWN_WITH_A_VERY_LONG_NAME_1".to_owned()), &[]);
        check(
            |agent| drop(agent.env.insert("OPENAI_API_KEY".to_owned(), "sk-1".to_owned())),
            &["env: 'env' of agent 'a' holds a key, which must not be committed"],
        );
        check(
            |agent| (agent.turns_max, agent.context_tokens) = (Some(0), Some(100)),
            &[
                "turns_max: 'turns_max' of agent 'a' must be 1 or more",
                "context_tokens: 'context_tokens' of agent 'a' must be 4000 or more",
            ],
        );
        check(|agent| agent.adapter = AdapterKind::Codex, &[]);
        check(
            |agent| (agent.adapter, agent.run) = (AdapterKind::Codex, Some(false)),
            &["run: 'run' of agent 'a' is only for models over HTTP"],
        );
    }
}
