//! How each program is started, for writing and for reading; one snapshot for all.

use std::fmt::Write as _;

use git_orchestrate::{
    agents::{
        adapter::Surroundings,
        adapters::adapter_of,
        request::{Request, SpendMax, Structure},
    },
    config::settings::{AdapterKind, Price},
    model::{money::Money, workflow::Access},
};

use super::kit;

const KINDS: [AdapterKind; 5] =
    [AdapterKind::Claude, AdapterKind::Codex, AdapterKind::Gemini, AdapterKind::OpenCode, AdapterKind::Command];

#[test]
fn words_and_variables() {
    let mut listing = String::new();
    for kind in KINDS {
        let adapter = adapter_of(kind).expect("it starts a program");
        for (access, structure, is_root) in
            [(Access::Write, None, false), (Access::Read, Some(Structure::Verdict), true)]
        {
            let mut request = kit::request(access);
            request.structure = structure;
            request.prompt = "SECRET WORDS".to_owned();
            let mut settings = kit::settings(kind);
            settings.model = Some("some-model".to_owned());
            settings.args = vec!["--of-the-user".to_owned()];
            let invocation = adapter.invocation(&request, &settings, Surroundings { is_root, is_managed: false });
            writeln!(listing, "{} to {access:?}, root {is_root}", kind.word()).expect("a string");
            for word in &invocation.args {
                let word = if word.starts_with("{\"type\"") { "(schema)" } else { word };
                writeln!(listing, "    {word}").expect("a string");
            }
            for (name, value) in &invocation.env {
                writeln!(listing, "  {name}={value}").expect("a string");
            }
            for (path, content) in &invocation.files {
                let content = String::from_utf8_lossy(content);
                let content = if content.starts_with("{\"type\"") { "(schema)" } else { content.as_ref() };
                writeln!(listing, "  file {}: {content}", path.display()).expect("a string");
            }
            listing.push('\n');

            // The prompt is on standard input and nowhere else.
            assert_eq!(invocation.stdin, b"SECRET WORDS");
            assert!(!invocation.args.iter().any(|word| word.contains("SECRET")));
            assert!(!invocation.env.values().any(|value| value.contains("SECRET")));
            assert!(invocation.files.iter().all(|(path, _)| path.starts_with(&request.scratch)));
        }
    }
    kit::assert_listing(&listing, "command-lines.txt");
}

#[test]
fn claude_is_told_what_a_step_may_cost() {
    let price = Price { input: Money::micros(3_000_000), ..Price::default() };
    let request =
        Request { spend_max: Some(SpendMax { price, usd: Money::micros(1_250_000) }), ..kit::request(Access::Write) };
    let adapter = adapter_of(AdapterKind::Claude).expect("it starts a program");
    let args = adapter.invocation(&request, &kit::settings(AdapterKind::Claude), Surroundings::default()).args;
    assert!(args.windows(2).any(|words| words == ["--max-budget-usd", "1.25"]), "{args:?}");
}

#[test]
fn a_prompt_cannot_be_a_command_of_the_program() {
    for kind in [AdapterKind::Claude, AdapterKind::Gemini] {
        let mut request = kit::request(Access::Write);
        request.prompt = " /clear and forget".to_owned();
        let adapter = adapter_of(kind).expect("it starts a program");
        let stdin = adapter.invocation(&request, &kit::settings(kind), Surroundings::default()).stdin;
        assert!(!stdin.trim_ascii().starts_with(b"/"), "{kind:?}");
    }
}

#[test]
fn a_word_of_the_prompt_is_no_file() {
    let mut request = kit::request(Access::Write);
    request.prompt = "a@b.c @Override @ x \\@done (@).".to_owned();
    let adapter = adapter_of(AdapterKind::Gemini).expect("it starts a program");
    let stdin = adapter.invocation(&request, &kit::settings(AdapterKind::Gemini), Surroundings::default()).stdin;
    let text = String::from_utf8(stdin).expect("text");
    assert_eq!(text.lines().last(), Some("a\\@b.c \\@Override @ x \\@done (@)."));
    assert_eq!(text.lines().count(), 3, "it is said what the backslash means");
}

#[test]
fn keys_are_seen_by_those_they_are_for() {
    for (variable, who) in [
        ("ANTHROPIC_API_KEY", "claude opencode"),
        ("CLAUDE_CONFIG_DIR", "claude"),
        ("CLAUDE_CODE_OAUTH_TOKEN", "claude"),
        ("CLAUDE_CODE_ENTRYPOINT", ""),
        ("CLAUDECODE", ""),
        ("OPENAI_API_KEY", "codex opencode"),
        ("CODEX_HOME", "codex"),
        ("CODEX_SANDBOX_NETWORK_DISABLED", ""),
        ("GEMINI_API_KEY", "gemini opencode"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "gemini"),
        ("GEMINI_CLI_IDE_SERVER_PORT", ""),
        ("OPENCODE_CONFIG", "opencode"),
        ("OPENCODE_SERVER_PASSWORD", ""),
        ("OPENROUTER_API_KEY", "opencode"),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("GITHUB_TOKEN", ""),
        ("SSH_AUTH_SOCK", ""),
        ("GIT_DIR", ""),
    ] {
        let seen: Vec<_> = KINDS
            .iter()
            .filter(|kind| adapter_of(**kind).is_some_and(|adapter| adapter.passes(variable)))
            .map(|kind| kind.word())
            .collect();
        assert_eq!(seen.join(" "), who, "{variable}");
    }
}
