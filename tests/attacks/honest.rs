//! Honest histories in which everything happens that can happen to a task: no verifier finds anything in them.
//! Proves that the second verifier derives the same states from the same records, far from the straight way.

use std::collections::BTreeSet;

use crate::{
    asked::{program, second},
    forge::Forge,
    kit::{agents::config, sandbox::Sandbox},
};

/// The built-in workflow, whose review of code is passed over for what is marked so.
const WORKFLOW: &str = r#"name = "long"
[[phase]]
id = "plan"
role = "planner"
produces = "plan"
[[phase]]
id = "plan-review"
role = "plan-reviewer"
needs = ["plan"]
reviews = "plan"
[[phase]]
id = "implement"
role = "implementer"
needs = ["plan-review"]
for_each = "plan.steps"
[[phase]]
id = "code-review"
role = "code-reviewer"
needs = ["implement"]
reviews = "implement"
max_rounds = 2
[phase.skip_when]
labels = ["quick"]
[[phase]]
id = "gate"
gate = "full"
needs = ["code-review"]
on_fail = "implement"
[[phase]]
id = "tidy"
role = "implementer"
needs = ["gate"]
[phase.skip_when]
results = ["code-review = approved"]
[[phase]]
id = "last-gate"
gate = "full"
needs = ["tidy"]
on_fail = "tidy"
retry = "continue"
"#;

/// What agents do; each task goes wrong in another way.
const SCRIPTS: [(&str, &str); 5] = [
    (
        "plan",
        r#"case $task in infra) [ -e "$home/able" ] || exit 7;; esac
        case $task in plain | gate) also=b;; *) also=$task.md;; esac
        cat > "$GIT_ORCHESTRATE_RESULT_FILE" <<END
{"structured": {"summary": "Plan $attempt: \"é\"", "steps": [
  {"id": "S1", "title": "One", "detail": "do it\nwell", "files": ["$task.txt", "$also"], "acceptance": ["it is there"]},
  {"id": "S2", "title": "Two"}]}}
END"#,
    ),
    (
        "plan-review",
        r#"change='{"what": "Name  the file", "where": "S1", "why": "A1"}'
        case $task-$attempt in
        sentback-1 | twice-*) answer "{\"structured\": {\"status\": \"needs_changes\", \"required_changes\": [$change]}}";;
        rejected-1) answer '{"structured": {"status": "rejected", "summary": "no, really"}}';;
        *) answer '{"structured": {"status": "approved", "scores": {"clarity": 7.5}}}';;
        esac"#,
    ),
    (
        "implement",
        r#"case $task-$GIT_ORCHESTRATE_PHASE-$attempt in
        gate-implement/S1-1) echo BROKEN > $task.txt;;
        failed-implement/S2-1) ;;
        stuck-implement/S1-*) [ -e "$home/able" ] && echo "$attempt" > $task.txt;;
        meet*) share "$task $GIT_ORCHESTRATE_PHASE"; echo $task > $task.txt; echo "$GIT_ORCHESTRATE_PHASE $attempt" >> $task.txt;;
        *) echo "$GIT_ORCHESTRATE_PHASE $attempt" >> $task.txt;;
        esac"#,
    ),
    (
        "code-review",
        r#"change="{\"what\": \"again $attempt\", \"where\": \"$task.txt:1\", \"why\": \"A1\"}"
        case $task-$GIT_ORCHESTRATE_PHASE-$attempt in
        sentback-code-review/S1-1 | over-code-review/S2-[1-3])
            answer "{\"structured\": {\"status\": \"needs_changes\", \"required_changes\": [$change]}}";;
        *) answer '{"structured": {"status": "approved"}}';;
        esac"#,
    ),
    ("tidy", r#"case $task-$attempt in quick-1) echo BROKEN;; *) echo tidy $attempt;; esac > $task-tidy.txt"#),
];

const TASKS: [(&str, &str); 13] = [
    ("plain", ""),
    ("sentback", "area = \"web\"\n"),
    ("twice", ""),
    ("rejected", ""),
    ("gate", ""),
    ("failed", ""),
    ("stuck", ""),
    ("infra", "timeout = \"90m\"\nbudget_usd = 500\n"),
    ("over", ""),
    ("quick", "labels = [\"quick\", \"x\"]\n"),
    ("meet-a", "priority = 5\n"),
    ("meet-b", "priority = 5\n"),
    ("late", "timeout = \"1ms\"\n"),
];

#[test]
fn whatever_happens_to_tasks_is_found_right() {
    // The gate asks hooks too; there are none here, but its definition says so.
    let settings = config("long") + "\n[hooks]\nrun_user_hooks = true\n";
    let sandbox = Sandbox::new().with_agents(&settings);
    sandbox.write(".handoff/workflows/long.toml", WORKFLOW);
    for (task, more) in TASKS {
        sandbox.task(task, more);
    }
    for (phase, script) in SCRIPTS {
        sandbox.script(phase, script);
    }
    sandbox.run(&["init"]);
    sandbox.commit("queue");
    let key = std::fs::read_to_string(sandbox.outside("home/.local/share/git-orchestrate/id_ed25519.pub"));
    std::fs::write(sandbox.outside("signers"), format!("* {}", key.expect("init makes a key"))).expect("written");
    std::fs::create_dir(sandbox.outside("stranger")).expect("a directory");

    sandbox.run(&["start"]).expect(3);
    std::fs::write(sandbox.outside("able"), "").expect("written");
    let review = |task: &str, words: &[&str]| sandbox.run(&[&["review", task], words].concat()).expect(0).code();
    review("twice", &["--approve"]);
    review("rejected", &["--feedback", "it is right"]);
    review("stuck", &["--feedback", "go on"]);
    review("infra", &["--retry"]);
    review("over", &["--skip"]);
    // Each word of a person grants as much time again; in the end they have had enough.
    for _ in 0..2 {
        review("late", &["--retry"]);
        sandbox.run(&["resume"]).expect(3);
    }
    review("late", &["--abort"]);
    sandbox.run(&["resume"]).expect(1);
    let forge = Forge::of(sandbox);
    let outcomes: BTreeSet<String> = TASKS
        .iter()
        .flat_map(|(task, _)| forge.steps(task))
        .filter_map(|step| {
            let message = forge.raw(step).message;
            let word = |key: &str| Some(message.split(key).nth(1)?.lines().next()?.to_owned());
            let phase = word("Orchestrate-Step: ")?.split([' ', '/']).nth(1)?.to_owned();
            Some(format!("{phase} {}", word("Orchestrate-Outcome: ")?))
        })
        .collect();
    for wanted in [
        "plan infra",
        "plan-review changes",
        "plan-review rejected",
        "implement failed",
        "code-review changes",
        "gate failed",
        "last-gate failed",
        "land failed",
    ] {
        assert!(outcomes.contains(wanted), "no step is '{wanted}': {outcomes:?}");
    }
    // One of the two whose plans name the same file was written on what the other had landed.
    let moved = ["plain", "gate"].map(|task| {
        let steps = ["grep", "-l", "new_base", &crate::forge::task_ref(task), "--", ".handoff/steps"];
        forge.sandbox.try_git(&steps).is_ok_and(|found| found.contains("implement-S1"))
    });
    assert!(moved.contains(&true), "nobody waited for the other");
    for said in [program(&forge, &[]), second(&forge, &[])] {
        assert_eq!((said.code, said.rules.len()), (0, 0), "{}", said.text);
    }
}
