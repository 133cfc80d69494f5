//! The user's day with nothing on PATH but git and a shell, and an address and a key in the environment.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};
use snapbox::str;

use crate::{
    model_server::{Act, Asked, Server, Wire},
    sandbox::{Ran, Sandbox},
};

const KEY: &str = "planted-0123456789abcdef";

/// Plans, reviews and writes, whoever is asked: the form of the answer tells what is owed.
fn work(asked: &Asked) -> Act {
    let all = asked.body.to_string();
    let messages = asked.body["messages"].as_array().map_or(0, Vec::len);
    let plan = json!({"summary": "One file", "steps": [{"id": "S1", "title": "Write it", "detail": "hello.txt",
        "files": ["hello.txt"], "acceptance": ["it is there"]}]});
    let verdict = json!({"status": "approved", "summary": "Good.", "required_changes": [], "suggestions": [],
        "criteria": [], "scores": {}});
    match () {
        () if all.contains("A plan for this task") => Wire::OpenAi.says(&plan.to_string()),
        () if all.contains("A verdict on the") => Wire::OpenAi.says(&verdict.to_string()),
        () if messages > 2 => Wire::OpenAi.says("It is written."),
        () => Wire::OpenAi.calls(&[
            ("write", json!({"path": "hello.txt", "content": "hello\n"})),
            // What it finds of us must not have the key in it.
            ("run", json!({"command": "cat hello.txt; env"})),
        ]),
    }
}

fn with_model(sandbox: &Sandbox, port: u16, words: &[&str]) -> Command {
    let mut command = sandbox.orchestrate(words);
    command.env("OPENAI_BASE_URL", format!("http://127.0.0.1:{port}/v1")).env("OPENAI_API_KEY", KEY);
    command
}

fn begun() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("README", "hello\n");
    sandbox.git(&["add", "README"]);
    sandbox.git(&["commit", "--quiet", "--message=begin"]);
    sandbox
}

#[test]
fn a_day_with_an_address_and_a_key() {
    let (sandbox, server) = (begun(), Server::new(|_, asked| work(asked)));
    let run = |words: &[&str]| -> Ran { sandbox.end(with_model(&sandbox, server.port, words)) };
    run(&["init", "--yes", "--gate", "true"]).is(
        0,
        str![[r#"
agents claude (claude-fake over HTTP), gpt (gpt-fake over HTTP), gemini (gemini-fake over HTTP)
gate   tests: true
made   [SANDBOX]/home/.local/share/git-orchestrate/id_ed25519  (SHA256:[..])
made   .handoff/config.toml
made   .handoff/tasks
made   .handoff/allowed_signers

next:  git orchestrate task add "…"      a task; or git orchestrate task import <directory>
       git orchestrate start             let the agents work

"#]],
        "",
    );
    let doctor = run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{}", doctor.stdout);
    run(&["task", "add", "Say hello", "--id", "hello"]);
    sandbox.git(&["add", "--all"]);
    sandbox.git(&["commit", "--quiet", "--message=a task"]);
    let ran = run(&["start", "-v"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for line in ["hello  implement/S1  write: hello.txt\n", "hello  implement/S1  run: cat hello.txt; env\n"] {
        assert!(ran.stdout.contains(line), "{}", ran.stdout);
    }
    for words in [["status"], ["review"], ["log"]] {
        let ran = run(&words);
        assert!(!ran.stdout.contains(KEY) && !ran.stderr.contains(KEY), "{}", ran.stdout);
    }
    assert_eq!(run(&["land"]).code, 0);
    assert_eq!(sandbox.read("hello.txt"), "hello\n");

    // It was sent, and is in nothing that the day left: no file, no object, no transcript, no log.
    let asked = server.asked();
    assert!(asked.iter().all(|asked| asked.headers["authorization"] == format!("Bearer {KEY}")));
    assert!(asked.iter().all(|asked| !asked.body.to_string().contains(KEY)));
    assert_eq!(files_with(&sandbox.path(""), KEY), [""; 0]);
    let mut objects = sandbox.command("git");
    objects.args(["cat-file", "--batch-all-objects", "--batch", "--buffer"]);
    let objects = sandbox.end(objects);
    assert!(objects.code == 0 && objects.stdout.contains("It is written.") && !objects.stdout.contains(KEY));
}

/// The files below a directory that have these words in them.
fn files_with(directory: &Path, words: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(files_with(&path, words));
        } else if fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(words)) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn with_one_family_reviews_wait_and_say_what_to_add() {
    let (sandbox, server) = (begun(), Server::new(|_, asked| work(asked)));
    let run = |words: &[&str]| -> Ran {
        let mut command = with_model(&sandbox, server.port, words);
        command.env("OPENAI_MODEL", "gpt-fake");
        sandbox.end(command)
    };
    run(&["init", "--yes", "--gate", "true"]).is(
        0,
        str![[r#"
agents gpt (gpt-fake over HTTP)
gate   tests: true
made   [..]
made   .handoff/config.toml
made   .handoff/tasks
made   .handoff/allowed_signers

next:  git orchestrate task add "…"      a task; or git orchestrate task import <directory>
       git orchestrate start             let the agents work

"#]],
        str![[r#"
warning: only one family of models was found: each review will wait for you
hint: add to .handoff/config.toml: [agents.claude] adapter = "anthropic", model = "claude-sonnet-4-5" (its key is ANTHROPIC_API_KEY in the environment)
hint: or go without reviews: workflow = "single"

"#]],
    );
    run(&["task", "add", "Say hello", "--id", "hello"]);
    assert_eq!(run(&["start"]).code, 3);
    let review = run(&["review"]).stdout;
    for words in [
        "no plan-reviewer of another family than its author's (openai), now: gpt",
        "[agents.claude] adapter = \"anthropic\", model = \"claude-sonnet-4-5\"",
    ] {
        assert!(review.split_whitespace().collect::<Vec<_>>().join(" ").contains(words), "{review}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_gone_through() {
    let (sandbox, proxy) = (begun(), Server::new(|_, asked| work(asked)));
    sandbox.write(
        ".handoff/config.toml",
        "[agents.m]\nadapter = 'openai'\nmodel = 'gpt-fake'\nbase_url = 'http://models.invalid/v1'\nkey_env = 'K'\n",
    );
    let health = |variable: &str, value: &str| -> Value {
        let mut command = sandbox.orchestrate(&["agents", "--json"]);
        command.env("K", KEY).env(variable, value);
        serde_json::from_str(&sandbox.end(command).stdout).expect("JSON")
    };
    let told = health("HTTP_PROXY", &format!("http://127.0.0.1:{}", proxy.port));
    assert!(
        told["agents"][0]["problem"].is_null() || told["agents"][0]["problem"].to_string().contains("proxy"),
        "{told}"
    );
    let told = health("HTTP_PROXY", "http://secret-of-the-proxy@:x");
    let problem = told["agents"][0]["problem"].to_string();
    assert!(problem.contains("the variable 'HTTP_PROXY' names no proxy") && !problem.contains("secret"), "{problem}");
}
