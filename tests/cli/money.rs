//! Budgets, quotas and what is likely to be expensive, as a user meets them.

use snapbox::str;

use crate::{
    program::{Background, wait_until},
    sandbox::Sandbox,
};

/// A repository with an agent that says what each of its steps cost, in a price that is known to be a dollar a step.
fn day(config: &str, script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    sandbox.write("README", "hello\n");
    let agents = "workflow = \"single\"\n[agents.writer]\nadapter = \"command\"\nprogram = \"writer\"\n\
                  family = \"anthropic\"\nmodel = \"claude-sonnet-4-5\"\n[roles]\ndefault = \"writer\"\n\
                  [[gate.full.check]]\nname = \"tests\"\nrun = \"true\"\n";
    sandbox.write(".handoff/config.toml", &format!("{agents}{config}"));
    sandbox.git(&["add", "README"]);
    sandbox.git(&["commit", "--quiet", "--message=begin"]);
    sandbox.run(&["init", "--quiet"]).is(0, "", "");
    sandbox
}

/// Says how it ended and what that cost.
fn result(words: &str) -> String {
    format!("echo '{{{words}}}' > \"$GIT_ORCHESTRATE_RESULT_FILE\"")
}

/// Writes a file, and says that it cost so many dollars.
fn writes(dollars: &str) -> String {
    let result = result(&format!("\"status\": \"done\", \"cost_usd\": {dollars}, \"text\": \"I wrote it\""));
    format!("echo \"$GIT_ORCHESTRATE_TASK\" > \"$GIT_ORCHESTRATE_TASK.txt\"; {result}")
}

fn add(sandbox: &Sandbox, tasks: &[&str]) {
    for task in tasks {
        assert_eq!(sandbox.run(&["task", "add", &format!("Write {task}"), "--id", task]).code, 0);
    }
}

#[test]
fn a_budget_stops_before_it_is_passed_and_resume_goes_on() {
    let sandbox = day("[budget]\nrun_usd = 4.0\n", &writes("1.0"));
    add(&sandbox, &["a", "b", "c"]);
    // A step is reckoned at $3.15 before anything is known, so that a second does not fit beside the first.
    let spent = sandbox.run(&["start", "--jobs", "4"]);
    spent.is(
        5,
        str![[r#"
a  implement  done  writer  1 file  $1.00  [..]s
a  gate       done  full    [..]s
a  landed on orchestrate/integration  [..]

TASK  STATE    DONE   COST  TITLE
a     landed    2/2  $1.00  Write a
b     waiting               Write b (the next step may cost $3.15, but $1.00 of the run's budget of $4.00 is spent)
c     waiting               Write c (the next step may cost $3.15, but $1.00 of the run's budget of $4.00 is spent)

3 tasks: 1 landed, 2 waiting; $1.00
spent: this run $1.00 of $4.00, today $1.00, this month $1.00 (UTC)
the budget or a quota is spent; nothing is lost: 2 steps in [..]s
because the next step may cost $3.15, but $1.00 of the run's budget of $4.00 is spent
next: git orchestrate resume --budget 4
      git diff main...orchestrate/integration
      git orchestrate land

"#]],
        "",
    );
    let on = sandbox.run(&["resume", "--budget", "4", "--jobs", "4"]);
    assert_eq!(on.code, 5, "{}", on.stdout);
    assert!(on.stdout.contains("2 landed, 1 waiting; $2.00\n"), "{}", on.stdout);
    assert!(
        on.stdout.contains("spent: this run $1.00 of $4.00, today $2.00, this month $2.00 (UTC)\n"),
        "{}",
        on.stdout
    );
    assert_eq!(sandbox.run(&["resume", "--budget", "8", "--quiet"]).code, 0);
}

#[test]
fn what_was_spent_counts_for_later_runs_of_the_day() {
    let sandbox = day("[budget]\nday_usd = 5.0\nwarn = 0.5\n", &writes("1.5"));
    add(&sandbox, &["a", "b", "c"]);
    let first = sandbox.run(&["start", "a", "--quiet"]);
    assert_eq!((first.code, first.stderr.as_str()), (0, ""));
    let second = sandbox.run(&["start", "b", "--quiet"]);
    assert_eq!((second.code, second.stderr.as_str()), (0, "warning: $3.00 of today's budget of $5.00 is spent\n"));
    let third = sandbox.run(&["start", "c", "--json"]);
    assert_eq!(third.code, 5, "{}", third.stderr);
    let lines: Vec<serde_json::Value> =
        third.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let summary = &lines.last().expect("there are events")["summary"];
    assert_eq!((&summary["end"], &summary["next"][0]), (&"spent".into(), &"git orchestrate resume --budget 5".into()));
    assert_eq!(summary["money"]["day"], serde_json::json!({"spent_usd": 3.0, "reserved_usd": 0.0, "limit_usd": 5.0}));
    let status = sandbox.run(&["status"]).stdout;
    assert!(status.ends_with("spent: today $3.00 of $5.00, this month $3.00 (UTC)\n"), "{status}");
    let log = sandbox.run(&["log"]).stdout;
    assert!(log.ends_with(", $3.00\n"), "{log}");
    let log: serde_json::Value = serde_json::from_str(&sandbox.run(&["log", "--json"]).stdout).expect("JSON");
    assert_eq!((&log["totals"]["steps"], &log["totals"]["cost_usd"]), (&4.into(), &3.0.into()));
    // A person's word goes before the day's budget.
    assert_eq!(sandbox.run(&["resume", "--budget", "5", "--quiet"]).code, 0);
    assert_eq!(sandbox.run(&["start", "--budget", "0"]).code, 129);
    assert_eq!(sandbox.run(&["start", "--budget", "much"]).code, 129);
}

#[test]
fn what_no_step_came_of_counts_too() {
    let limited = result("\"status\": \"limited\", \"retry_after_s\": 3600, \"cost_usd\": 0.75");
    let sandbox = day("[budget]\nday_usd = 4.0\n[quota]\npolicy = \"stop\"\n", &limited);
    add(&sandbox, &["a"]);
    let stopped = sandbox.run(&["start"]);
    assert_eq!(stopped.code, 5, "{}", stopped.stderr);
    assert!(
        stopped.stderr.contains("agent 'writer' is parked until 2026-01-02 04:04:05, the run stops:"),
        "{}",
        stopped.stderr
    );
    assert!(stopped.stdout.contains("because agent 'writer' is parked"), "{}", stopped.stdout);
    assert!(stopped.stdout.ends_with("next: git orchestrate resume\n"), "{}", stopped.stdout);
    let status = sandbox.run(&["status"]).stdout;
    assert!(status.contains("agent 'writer' is parked for 1h 00m, the run stops:"), "{status}");
    assert!(status.ends_with("spent: today $0.75 of $4.00, this month $0.75 (UTC)\n"), "{status}");
    // Its provider said when it is back: nothing is asked before, and nothing is spent.
    assert_eq!(sandbox.run(&["resume", "--quiet"]).code, 5);
    // An attempt that a crash cut off counts with what it was given; a step that was made is counted once.
    let open = "{\"task\":\"a\",\"phase\":\"implement\",\"attempt\":1,\"agent\":\"writer\",\
                \"started\":\"2026-01-02T03:04:05.000Z\",\"cost_usd\":2.5}";
    sandbox.write(".git/orchestrate/spending/worker-0.json", open);
    assert_eq!(sandbox.run(&["resume", "--quiet"]).code, 5);
    let status = sandbox.run(&["status"]).stdout;
    assert!(status.ends_with("spent: today $0.75 of $4.00, this month $0.75 (UTC)\n"), "the same attempt: {status}");
    sandbox.write(".git/orchestrate/spending/worker-0.json", &open.replace("\"attempt\":1", "\"attempt\":2"));
    assert_eq!(sandbox.run(&["resume", "--quiet"]).code, 5);
    let status = sandbox.run(&["status"]).stdout;
    assert!(status.ends_with("spent: today $3.25 of $4.00, this month $3.25 (UTC)\n"), "{status}");
}

#[test]
fn a_task_beyond_its_budget_or_far_above_the_usual_waits_for_a_word() {
    let sandbox = day("[budget]\ntask_usd = 2.0\n", &writes("1.5"));
    add(&sandbox, &["a"]);
    let held = sandbox.run(&["start"]);
    assert_eq!(held.code, 3, "{}", held.stderr);
    sandbox.run(&["review"]).is(
        3,
        str![[r#"
a  implement  Write a
  the next step may cost $3.15, but $0.00 of the task's budget of $2.00 is spent
    git orchestrate review a implement --approve  let the task cost up to $3.15 in all

"#]],
        "",
    );
    assert_eq!(sandbox.run(&["review", "a", "--approve"]).code, 0);
    sandbox.run(&["review"]).is(0, "nothing waits for a person\n", "");
    assert_eq!(sandbox.run(&["resume", "--quiet"]).code, 0);
    assert!(sandbox.run(&["log", "a"]).stdout.contains("allow"));

    let dear = "[agents.dear]\nadapter = \"command\"\nprogram = \"writer\"\nfamily = \"anthropic\"\n\
                model = \"claude-opus-4-5\"\n[[route]]\narea = \"core\"\nuse = \"dear\"\n";
    let sandbox = day(dear, &writes("0.1"));
    // What the first ones cost is not held against what the next are reckoned at by the table.
    for tasks in [&["a", "b", "c"][..], &["d"], &["e"]] {
        add(&sandbox, tasks);
        assert_eq!(sandbox.run(&["start", "--quiet"]).code, 0);
    }
    assert_eq!(sandbox.run(&["task", "add", "Write it all", "--id", "all", "--area", "core"]).code, 0);
    let held = sandbox.run(&["start"]);
    assert_eq!(held.code, 3, "{}", held.stdout);
    let why = "it is likely to cost about $1.75, where a task usually costs $0.10";
    assert!(sandbox.run(&["status"]).stdout.contains(why), "{}", sandbox.run(&["status"]).stdout);
    assert!(sandbox.run(&["review"]).stdout.contains("git orchestrate review all implement --approve"));
    assert_eq!(sandbox.run(&["review", "all", "--approve"]).code, 0);
    assert_eq!(sandbox.run(&["resume", "--quiet"]).code, 0);
    assert_eq!(sandbox.run(&["task", "add", "Write it twice", "--id", "twice", "--area", "core"]).code, 0);
    assert_eq!(sandbox.run(&["start", "--yes", "--quiet"]).code, 0, "--yes is the word");
}

#[test]
fn quiet_hours_are_waited_for_and_a_stop_is_heard_at_once() {
    // The clock stands at 03:04 UTC.
    let sandbox = day("[quota]\nquiet_hours = \"22:00-07:00\"\n", &writes("0.1"));
    add(&sandbox, &["a"]);
    let run = Background::start(sandbox.orchestrate(&["start"]), sandbox.path("start"));
    let status = wait_until("it waits", || {
        let status = sandbox.run(&["status"]).stdout;
        // Before the run is there, status says the same of the run to come.
        (status.contains("running: pid") && status.contains("waits for the end of the quiet hours")).then_some(status)
    });
    let waits = "quiet hours for 3h 55m: no agent's step begins, gates and landings go on";
    assert!(status.contains(waits), "{status}");
    assert_eq!(sandbox.run(&["stop"]).code, 0);
    let said = run.end().expect(0).stderr.clone();
    assert!(said.contains("warning: quiet hours until 2026-01-02 07:00:00: no agent's step begins\n"), "{said}");
}
