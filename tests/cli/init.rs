//! `init`.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn it_finds_out_all_it_can_and_twice_is_harmless() {
    let sandbox = Sandbox::new();
    for agent in ["claude", "gemini", "cargo"] {
        sandbox.program(agent, "echo 1.0");
    }
    sandbox.write("Cargo.toml", "[package]\n");
    sandbox.run(&["init"]).is(
        0,
        str![[r#"
agents claude, gemini
gate   tests: cargo test  (by Cargo.toml)
made   [SANDBOX]/home/.local/share/git-orchestrate/id_ed25519  (SHA256:[..])
made   .handoff/config.toml
made   .handoff/tasks
made   .handoff/allowed_signers

next:  git orchestrate task add "…"      a task; or git orchestrate task import <directory>
       git orchestrate start             let the agents work

"#]],
        "",
    );
    let (config, signers) = (sandbox.read(".handoff/config.toml"), sandbox.read(".handoff/allowed_signers"));
    assert!(config.contains("\n[agents.claude]\nadapter = \"claude\"\n"), "{config}");
    assert!(config.contains("\ncode-reviewer = [\"gemini\", \"claude\"]\n"), "{config}");
    assert!(config.contains("\nrun = \"cargo test\"\n"), "{config}");
    assert!(signers.starts_with("ann@example.com namespaces=\"git\" ssh-ed25519 AAAA"), "{signers}");
    let key = sandbox.path("home/.local/share/git-orchestrate/id_ed25519");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).expect("a key").permissions());
    assert_eq!(mode & 0o777, 0o600);

    sandbox.run(&["init", "--quiet"]).is(0, "", "");
    assert_eq!(sandbox.read(".handoff/config.toml"), config);
    assert_eq!(sandbox.read(".handoff/allowed_signers"), signers);
    assert_eq!(sandbox.status(), "?? .handoff/allowed_signers\n?? .handoff/config.toml\n?? Cargo.toml\n");
}

#[test]
fn what_it_writes_can_be_started_at_once() {
    let sandbox = Sandbox::new();
    for agent in ["claude", "codex", "gemini", "opencode", "make"] {
        sandbox.program(agent, "echo 1.0");
    }
    sandbox.write("Makefile", "test:\n\ttrue\n");
    sandbox.git(&["commit", "--quiet", "--allow-empty", "--message=first"]);
    let ran = sandbox.run(&["init"]);
    assert_eq!(
        ran.stderr,
        "warning: 'opencode' was found too, but not which model it runs\n\
         hint: name the model under [agents.opencode] in .handoff/config.toml to use it\n"
    );
    sandbox.run(&["task", "add", "A task"]);
    let ran = sandbox.run(&["start", "--dry-run"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);

    // What it left as a comment needs no more than the '#' away.
    let config = sandbox.read(".handoff/config.toml");
    let filled: Vec<_> = config
        .lines()
        .scan(false, |is_within, line| {
            *is_within = (*is_within || line == "# [agents.opencode]") && line.starts_with('#');
            Some(if *is_within { line.trim_start_matches("# ") } else { line })
        })
        .collect();
    sandbox.write(".handoff/config.toml", &filled.join("\n"));
    let ran = sandbox.run(&["agents"]);
    assert!(ran.stdout.contains("opencode"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn each_kind_of_project_is_tested_in_its_own_way() {
    for (files, program, check) in [
        (&[("go.mod", "module x")][..], "go", "go test ./..."),
        (&[("package.json", "{\"scripts\": {\"test\": \"vitest\"}}"), ("pnpm-lock.yaml", "")], "pnpm", "pnpm test"),
        (&[("pyproject.toml", "[tool.pytest.ini_options]")], "python3", "python3 -m pytest"),
        (&[("Makefile", "test:\n\ttrue\n")], "make", "make test"),
    ] {
        let sandbox = Sandbox::new();
        files.iter().for_each(|(path, content)| sandbox.write(path, content));
        for program in ["claude", "codex", program] {
            sandbox.program(program, "echo 1.0");
        }
        let ran = sandbox.run(&["init"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{check}");
        assert!(ran.stdout.contains(&format!("gate   tests: {check}  (by {})\n", files[0].0)), "{}", ran.stdout);
        assert!(sandbox.read(".handoff/config.toml").contains(&format!("run = \"{check}\"\n")));
    }
}

#[test]
fn what_it_cannot_find_out_it_says_and_asks_nobody() {
    let sandbox = Sandbox::new();
    sandbox.run(&["init"]).is(
        0,
        str![[r#"
agents none found in PATH, and no key of a model in the environment
made   [..]
made   .handoff/config.toml
made   .handoff/tasks
made   .handoff/allowed_signers

next:  git orchestrate doctor            what is missing, and what to type

"#]],
        str![[r#"
warning: no command that tests this project was found, and without a gate nothing can land
hint: name one in .handoff/config.toml, or: rm .handoff/config.toml && git orchestrate init --gate '<command>'

"#]],
    );
}

#[test]
fn it_takes_what_it_is_told() {
    let sandbox = Sandbox::new();
    sandbox.program("gemini", "echo 1.0");
    sandbox.program("claude", "echo 1.0");
    sandbox.run(&["init", "--yes", "--agent", "gemini", "--agent", "codex", "--gate", "true", "--gate", "./check"]).is(
        0,
        str![[r#"
agents gemini, codex
gate   tests: true
gate   tests-2: ./check
...
"#]],
        str![[r#"
warning: no program 'codex' in PATH
hint: git orchestrate doctor
warning: no program './check' in PATH, which check 'tests-2' needs

"#]],
    );
    let config = sandbox.read(".handoff/config.toml");
    assert!(config.contains("default = [\"gemini\", \"codex\"]"), "{config}");
    assert!(!config.contains("[agents.claude]"), "{config}");
    let again = sandbox.run(&["init", "--gate", "false"]);
    assert!(again.stderr.starts_with("warning: '.handoff/config.toml' is there already"), "{}", again.stderr);
    assert_eq!((again.code, sandbox.read(".handoff/config.toml")), (0, config));

    sandbox.run(&["init", "--agent", "x"]);
    let fresh = Sandbox::new();
    fresh.run(&["init", "--agent", "cluade"]).is(
        129,
        "",
        str![[r#"
fatal: 'cluade' is none of the known agents: claude, codex, gemini, opencode, anthropic, openai and google
hint: did you mean 'claude'?

"#]],
    );
    assert_eq!(fresh.status(), "", "nothing was made");
}

#[test]
fn one_family_of_models_is_not_enough_for_reviews() {
    let sandbox = Sandbox::new();
    sandbox.program("claude", "echo 1.0");
    sandbox.run(&["init", "--gate", "true"]).is(
        0,
        str![[r#"
agents claude
...
"#]],
        str![[r#"
warning: only one family of models was found: each review will wait for you
hint: add to .handoff/config.toml: [agents.gpt] adapter = "openai", model = "gpt-5.5" (its key is OPENAI_API_KEY in the environment)
hint: or go without reviews: workflow = "single"

"#]],
    );
}

#[test]
fn a_key_that_is_there_is_used_and_a_second_address_is_added() {
    let sandbox = Sandbox::new();
    sandbox.run(&["init", "--gate", "true"]);
    sandbox.git(&["config", "user.email", "ann@work.example"]);
    let ran = sandbox.run(&["init"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("added  to .handoff/allowed_signers: the key of ann@work.example\n"), "{}", ran.stdout);
    let signers = sandbox.read(".handoff/allowed_signers");
    let keys: Vec<_> = signers.lines().map(|line| line.split_once(' ').expect("a line").1).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn git_must_know_who_one_is() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("home/.gitconfig"), "[user]\n\tuseConfigOnly = true\n").expect("written");
    let ran = sandbox.run(&["init"]);
    assert_eq!(ran.code, 128);
    assert!(ran.stderr.starts_with("fatal: git does not know your name and e-mail address\nhint: "), "{}", ran.stderr);
    assert_eq!(sandbox.status(), "");
}

#[test]
fn a_sparse_checkout_that_leaves_our_files_out_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("in/code", "code\n");
    sandbox.git(&["add", "in"]);
    sandbox.git(&["commit", "--quiet", "--message=begin"]);
    sandbox.git(&["sparse-checkout", "set", "--cone", "in"]);
    let ran = sandbox.run(&["init", "--yes", "--quiet", "--gate", "true"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.ends_with("hint: git sparse-checkout add .handoff\n"), "{}", ran.stderr);
    sandbox.git(&["sparse-checkout", "add", ".handoff"]);
    assert!(!sandbox.run(&["init", "--yes", "--quiet"]).stderr.contains("sparse"));
}
