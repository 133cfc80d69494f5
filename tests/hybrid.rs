//! A hybrid of two agents in real runs: one step to the workflow, both of its models its authors, its files checked before
//! they count. Knows nothing of how either agent is driven.

#[expect(dead_code, reason = "each test binary uses a part of the kit")]
mod kit;

use kit::sandbox::Sandbox;
use serde_json::Value;

/// Says who is asked, and hands over to the part of its script that is for this access; `again` is set when its work was
/// sent back. What it is told is kept in `told-<agent>`.
fn agent(name: &str) -> String {
    format!(
        r#"#!/bin/sh
home=${{0%/*}}/..
cat > "$home/told-{name}"
echo "{name} $GIT_ORCHESTRATE_ACCESS $GIT_ORCHESTRATE_PHASE" >> "$home/log"
again=; grep -q "^## Sent back" "$home/told-{name}" && again=yes
result() {{ echo "$1" > "$GIT_ORCHESTRATE_RESULT_FILE"; }}
. "$home/scripts/{name}.sh"
"#
    )
}

const CONFIG: &str = r#"version = 1
workflow = "reviewed"
[agents.cheap]
adapter = "command"
program = "../bin/cheap"
model = "cheap-1"
family = "one"
[agents.strong]
adapter = "command"
program = "../bin/strong"
model = "strong-1"
family = "two"
[agents.both]
brief = "cheap"
work = "strong"
[agents.other]
adapter = "command"
program = "../bin/other"
family = "three"
[roles]
implementer = "both"
code-reviewer = ["strong", "cheap", "both", "other"]
[prices.cheap-1]
input = 1.0
output = 2.0
[[gate.full.check]]
name = "whole"
run = "true"
[limits]
jobs = 1
attempts = 2
disk_free_bytes = 0
[commits]
durability = "os"
"#;

const WORKFLOW: &str = r#"[[phase]]
id = "implement"
role = "implementer"
[[phase]]
id = "code-review"
role = "code-reviewer"
needs = ["implement"]
reviews = "implement"
[[phase]]
id = "gate"
gate = "full"
needs = ["code-review"]
"#;

const APPROVE: &str = r#"result '{"status": "done", "structured": {"status": "approved", "summary": "Good.", "required_changes": [], "suggestions": [], "criteria": [], "scores": {}}}'"#;
const BRIEF: &str = r#"echo stray > stray.txt
result '{"text": "Change two() in src/lib.rs.", "model": "cheap-1-2026", "tokens": {"input": 1000, "output": 500}}'"#;

fn sandbox(work: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, script) in [("cheap", BRIEF), ("strong", work), ("other", APPROVE)] {
        sandbox.program(name, &agent(name));
        kit::sandbox::write(&sandbox.outside("scripts").join(format!("{name}.sh")), script);
    }
    sandbox.write(".handoff/config.toml", CONFIG);
    sandbox.write(".handoff/workflows/reviewed.toml", WORKFLOW);
    sandbox.write(".handoff/tasks/a.toml", "title = \"Write two()\"\n");
    sandbox
}

fn record(sandbox: &Sandbox, branch: &str, step: &str) -> Value {
    let text = sandbox.git(&["show", &format!("{branch}:.handoff/steps/a/{step}.json")]);
    serde_json::from_str(&text).expect("JSON")
}

fn log(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.outside("log")).unwrap_or_default()
}

#[test]
fn a_brief_work_that_is_mended_and_a_review_by_neither_family() {
    let sandbox = sandbox(
        r#"if [ $again ]; then echo 'fn two() {}' > src/lib.rs; else echo 'fn two( {' > src/lib.rs; echo '{"a": 1}' > a.json; fi
result '{"text": "Wrote two'$again'.", "tokens": {"input": 100, "output": 50}, "cost_usd": 0.01}'"#,
    );
    sandbox.run(&["start"]).expect(0);
    assert_eq!(
        log(&sandbox),
        "cheap read implement\nstrong write implement\nstrong write implement\nother read code-review\n"
    );
    let told = std::fs::read_to_string(sandbox.outside("told-strong")).expect("it was told");
    for words in
        ["Write two()", "\n```\nChange two() in src/lib.rs.\n```\n", "src/lib.rs:1: ", "## A brief by another agent"]
    {
        assert!(told.contains(words), "{told}");
    }
    assert!(!told.contains("a.json:"), "{told}");

    // One step, with every call's tokens and cost, and their sum.
    let branch = "orchestrate/task/a";
    let step = record(&sandbox, branch, "0001-implement");
    let actor = &step["actor"];
    assert_eq!(
        (&actor["name"], &actor["adapter"], &actor["family"]),
        (&"both".into(), &"hybrid".into(), &"two".into())
    );
    let calls: Vec<String> = step["calls"].as_array().expect("calls").iter().map(told_of).collect();
    assert_eq!(
        calls,
        [
            "brief by cheap (cheap-1-2026, one): 1000+500 0.002",
            "work by strong (strong-1, two): 100+50 0.01",
            "mend by strong (strong-1, two): 100+50 0.01",
        ]
    );
    assert_eq!((&step["tokens"]["input"], &step["cost_usd"]), (&1200.into(), &0.022.into()));
    assert_eq!(step["summary"], "Wrote two.\n\nWrote twoyes.");
    let changed: Vec<&str> =
        step["changed"].as_array().expect("files").iter().filter_map(|f| f["path"].as_str()).collect();
    assert_eq!(changed, ["a.json", "src/lib.rs"], "what the first of them wrote is not the step's");
    assert_eq!(sandbox.git(&["show", "orchestrate/integration:src/lib.rs"]), "fn two() {}");

    // Who checks the history comes to the same authors; people see the parts.
    sandbox.run(&["verify"]).expect(0);
    let shown = sandbox.run(&["log", "a", "-v"]).stdout;
    assert!(shown.contains("brief by cheap (cheap-1-2026), 1.5k tok, $0.002, "), "{shown}");
    assert!(shown.contains("both") && shown.contains("$0.02"), "{shown}");
    let transcript = sandbox.run(&["show", "a", "--transcript", "1"]).stdout;
    assert!(transcript.contains("== brief by agent 'cheap' (cheap-1-2026) ==\n"), "{transcript}");
    assert!(transcript.contains("== mend by agent 'strong' (strong-1) ==\n"), "{transcript}");
}

fn told_of(call: &Value) -> String {
    let word = |key: &str| call[key].as_str().unwrap_or_default().to_owned();
    let tokens = &call["tokens"];
    format!(
        "{} by {} ({}, {}): {}+{} {}",
        word("purpose"),
        word("agent"),
        word("model"),
        word("family"),
        tokens["input"],
        tokens["output"],
        call["cost_usd"]
    )
}

#[test]
fn what_still_does_not_parse_is_a_failure_of_the_step() {
    let sandbox = sandbox("echo 'fn two( {' > src/lib.rs");
    sandbox.run(&["start"]).expect(3);
    let step = record(&sandbox, "orchestrate/task/a", "0001-implement");
    assert_eq!(step["outcome"], "failed");
    let reason = step["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("1 file cannot be parsed, also after being sent back once: src/lib.rs:1: "), "{reason}");
    assert!(step["feedback"].as_str().is_some_and(|told| told.contains("src/lib.rs:1: ")), "{step}");
    assert_eq!(log(&sandbox).lines().count(), 6, "two attempts of three calls");
}

#[test]
fn what_was_broken_before_and_what_nobody_knows_is_not_sent_back() {
    let sandbox = sandbox(
        "echo 'fn two( {{' > src/broken.rs; echo '](' > a.md; printf 'if true; then :; fi\\n' > run.sh; ln -s nowhere b.json",
    );
    sandbox.write("src/broken.rs", "fn one( {\n");
    sandbox.commit("it was broken before");
    sandbox.run(&["start"]).expect(0);
    assert_eq!(log(&sandbox), "cheap read implement\nstrong write implement\nother read code-review\n");
}

#[test]
fn without_a_brief_nothing_is_said_of_the_work() {
    let sandbox = sandbox("echo 'fn two() {}' > src/lib.rs");
    kit::sandbox::write(
        &sandbox.outside("scripts/cheap.sh"),
        "result '{\"status\": \"failed\", \"text\": \"no idea\"}'; exit 1",
    );
    sandbox.run(&["start"]).expect(3);
    let step = record(&sandbox, "orchestrate/task/a", "0001-implement");
    assert_eq!(step["outcome"], "infra");
    assert_eq!(step["reason"], "no brief by agent 'cheap': no idea");
    assert!(!log(&sandbox).contains("strong"), "{}", log(&sandbox));
}

#[test]
fn a_wall_that_one_of_them_meets_is_that_ones() {
    let sandbox = sandbox("true");
    sandbox.write(
        ".handoff/config.toml",
        CONFIG.replace("implementer = \"both\"", "implementer = [\"both\", \"cheap\", \"other\"]"),
    );
    // The first question meets the wall; no other may be asked of the same agent, alone or in the hybrid.
    let limited = r#"result '{"status": "limited", "text": "out of quota", "retry_after_s": 9000}'"#;
    kit::sandbox::write(&sandbox.outside("scripts/cheap.sh"), limited);
    let writes = format!("[ $GIT_ORCHESTRATE_PHASE = implement ] && {{ echo two > two.txt; exit; }}\n{APPROVE}");
    kit::sandbox::write(&sandbox.outside("scripts/other.sh"), &writes);
    kit::sandbox::write(&sandbox.outside("scripts/strong.sh"), APPROVE);
    sandbox.run(&["start"]).expect(0);
    assert_eq!(log(&sandbox), "cheap read implement\nother write implement\nstrong read code-review\n");
    let status = sandbox.run(&["status"]).stdout;
    assert!(status.contains("agent 'cheap' is parked for 2h"), "{status}");
    assert!(!status.contains("'both' is parked"), "{status}");
    let explained = sandbox.run(&["agents", "route", "a", "--phase", "implement", "--explain"]).stdout;
    assert!(explained.contains("is parked: its agent 'cheap' is: out of quota"), "{explained}");
}

#[test]
fn an_error_in_a_hybrid_is_told_where_it_stands() {
    let sandbox = sandbox("true");
    sandbox.write(".handoff/config.toml", CONFIG.replace("work = \"strong\"", "work = \"stong\""));
    let said = sandbox.run(&["agents"]).stderr;
    assert!(
        said.contains("'work' of agent 'both' is 'stong', which is not in [agents]\n  at .handoff/config.toml:15\n"),
        "{said}"
    );
    assert!(said.contains("hint: did you mean 'strong'?"), "{said}");
    // One that cannot work makes the hybrid unable, and says which of the two it is.
    sandbox.write(".handoff/config.toml", CONFIG.replace("../bin/cheap", "../bin/none"));
    let said = sandbox.run(&["agents"]).stdout;
    assert!(said.contains("its 'brief', agent 'cheap': no program '../bin/none' in PATH"), "{said}");
    assert!(said.contains("one+two"), "{said}");
}
