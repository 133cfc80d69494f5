//! `agents`.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn agents_are_listed_with_version_and_health() {
    let sandbox = Sandbox::new();
    sandbox.program("claude", "echo '2.0.1 (Claude Code)'");
    sandbox.program("gemini", "echo 'it is broken' >&2; exit 3");
    sandbox.run(&["init", "--agent", "claude", "--agent", "gemini", "--agent", "codex", "--gate", "true"]);
    sandbox.program("opencode", "echo 1.0");
    let ran = sandbox.run(&["agents"]);
    ran.is(
        3,
        str![[r#"
AGENT   ADAPTER  FAMILY     ROLES                                  VERSION              HEALTH
claude  claude   anthropic  code-reviewer, default, plan-reviewer  2.0.1 (Claude Code)  ok
codex   codex    openai     code-reviewer, default, plan-reviewer                       no program 'codex' in PATH
  hint: [..]
gemini  gemini   google     code-reviewer, default, plan-reviewer                       gemini does not start (exit code 3): it is broken
  hint: [..]
also on PATH, but not configured: 'opencode'

"#]],
        "",
    );
    let json: serde_json::Value = serde_json::from_str(&sandbox.run(&["agents", "--json"]).stdout).expect("it is JSON");
    assert_eq!(json["schema"], 1);
    assert_eq!(json["agents"][0]["version"], "2.0.1 (Claude Code)");
    assert_eq!(json["unused"][0], "opencode");
}

#[test]
fn without_a_configuration_there_are_none() {
    Sandbox::new().run(&["agents"]).is(
        128,
        "",
        "fatal: there is no .handoff/config.toml here, nor on a branch of orchestrate\nhint: git orchestrate init\n",
    );
}
