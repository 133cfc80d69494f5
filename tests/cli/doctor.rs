//! `doctor`.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn where_nothing_is_missing_all_is_well() {
    let sandbox = Sandbox::new();
    sandbox.program("claude", "echo 2.0.1");
    sandbox.program("codex", "echo 0.9");
    sandbox.run(&["init", "--gate", "true"]);
    sandbox.run(&["doctor"]).is(
        0,
        str![[r#"
ok       git                 [..]
ok       identity            Ann <ann@example.com>
ok       config              .handoff/config.toml
ok       key                 SHA256:[..] signs
ok       signers             .handoff/allowed_signers
ok       agent claude        2.0.1 (anthropic)
ok       agent codex         0.9 (openai)
ok       gate full           tests: true
ok       tasks               0 tasks
ok       disk                [..] free
ok       disk for worktrees  [..] free
ok       lock                free
ok       worktrees           none is stale

all is well

"#]],
        "",
    );
}

#[test]
fn each_thing_that_is_missing_comes_with_what_to_type() {
    let sandbox = Sandbox::new();
    sandbox.run(&["doctor"]).is(
        3,
        str![[r#"
...
problem  config     there is no '.handoff/config.toml' here
         hint: git orchestrate init
problem  key        there is no key '[SANDBOX]/home/.local/share/git-orchestrate/id_ed25519'
         hint: git orchestrate init
...
2 problems to see to

"#]],
        "",
    );
    sandbox.run(&["init"]);
    let config = sandbox.read(".handoff/config.toml");
    let checks = "[agents.claude]\nadapter = \"claude\"\n[[gate.full.check]]\nname = \"t\"\nrun = \"nothere x\"\n";
    sandbox.write(".handoff/config.toml", &format!("{config}\n{checks}"));
    sandbox.write(".handoff/allowed_signers", "");
    sandbox.write(".handoff/tasks/api.toml", "titel = \"x\"\n");
    let ran = sandbox.run(&["doctor"]);
    for told in [
        "problem  signers             '.handoff/allowed_signers' does not name this key\n         hint: git orchestrate init\n",
        "problem  agent claude        no program 'claude' in PATH\n         hint: ",
        "problem  gate full           check 't' needs 'nothere', which is not in PATH\n         hint: ",
        "problem  tasks               unknown key 'titel'\n           at .handoff/tasks/api.toml:1\n",
    ] {
        assert!(ran.stdout.contains(told), "{told}\n{}", ran.stdout);
    }
    assert_eq!(ran.code, 3);
    let json: serde_json::Value = serde_json::from_str(&sandbox.run(&["doctor", "--json"]).stdout).expect("it is JSON");
    assert_eq!((&json["schema"], &json["findings"][0]["health"]), (&1.into(), &"well".into()));
}
