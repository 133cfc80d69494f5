//! `start`, `resume`, `status`, `stop`, `review`, `show`, `log`, `land`, `clean`: a user's day with a scripted agent.

use rustix::process::Signal;
use snapbox::str;

use crate::{
    program::{Background, wait_until},
    sandbox::Sandbox,
};

/// A repository with a commit, one agent whose program does what `script` says, and a gate that is content.
fn day(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    sandbox.write("README", "hello\n");
    sandbox.write(
        ".handoff/config.toml",
        "workflow = \"single\"\n[agents.writer]\nadapter = \"command\"\nprogram = \"writer\"\nfamily = \"anthropic\"\n\
         [roles]\ndefault = \"writer\"\n[[gate.full.check]]\nname = \"tests\"\nrun = \"true\"\n",
    );
    sandbox.git(&["add", "README"]);
    sandbox.git(&["commit", "--quiet", "--message=begin"]);
    sandbox.run(&["init", "--quiet"]).is(0, "", "");
    sandbox
}

const WRITES: &str = "echo \"$GIT_ORCHESTRATE_TASK\" > \"$GIT_ORCHESTRATE_TASK.txt\"; echo 'I wrote it down'";

#[test]
fn tasks_are_worked_on_looked_at_and_landed() {
    let sandbox = day(WRITES);
    sandbox.run(&["task", "add", "Write one", "--id", "one"]);
    sandbox.run(&["task", "add", "Write two", "--id", "two", "--depends-on", "one"]);
    sandbox.run(&["start", "--dry-run"]).is(
        0,
        str![[r#"
one  Write one  (new, workflow single)
    implement        writer
    gate             gate full
    land             orchestrate/integration
two  Write two  (new, workflow single, after one)
    implement        writer
    gate             gate full
    land             orchestrate/integration

2 tasks; nothing was started

"#]],
        "",
    );
    sandbox.run(&["start", "--jobs", "2"]).is(
        0,
        str![[r#"
one  implement  done  writer  1 file  [..]s
one  gate       done  full    [..]s
one  landed on orchestrate/integration  [..]
two  implement  done  writer  1 file  [..]s
two  gate       done  full    [..]s
two  landed on orchestrate/integration  [..]

TASK  STATE   DONE  TITLE
one   landed   2/2  Write one
two   landed   2/2  Write two

2 tasks: 2 landed
done: 4 steps in [..]s
next: git diff main...orchestrate/integration
      git orchestrate land

"#]],
        "",
    );
    sandbox.run(&["status", "two"]).is(
        0,
        str![[r#"
not running

TASK  STATE   DONE  TITLE
two   landed   2/2  Write two

1 task: 1 landed

"#]],
        "",
    );
    sandbox.run(&["log", "one", "-n", "1", "-v"]).is(
        0,
        str![[r#"
one  landed  Write one
STEP  PHASE  OUTCOME  AGENT  TIME  COMMIT      SIGNATURE
   2  gate   done     full   [..]s  [..]  good
      started 2026-01-02T03:04:05.000Z, attempt 1
      signed by ann@example.com

1 step in [..]s

"#]],
        "",
    );
    let shown = sandbox.run(&["show", "one"]);
    assert!(shown.stdout.contains("implement  passed  implementer      1  I wrote it down\n"), "{}", shown.stdout);
    assert!(sandbox.run(&["show", "one", "--gate"]).stdout.contains("pass  tests  "));
    assert!(sandbox.run(&["show", "one", "--prompt", "implement"]).stdout.contains("Write one"));
    sandbox.run(&["review"]).is(0, "nothing waits for a person\n", "");

    assert_eq!(sandbox.status().lines().filter(|line| !line.contains(".handoff/")).count(), 0, "a run changes nothing");
    let dry = sandbox.run(&["land", "--dry-run"]);
    dry.is(0, "would move 'main' forward to 'orchestrate/integration'\n", "");
    assert!(!sandbox.repository().join("two.txt").exists());
    assert_eq!(sandbox.run(&["land"]).code, 0);
    assert_eq!(sandbox.read("two.txt"), "two\n");
    sandbox.run(&["land"]).is(0, "", "'main' has all of 'orchestrate/integration' already\n");
    assert_eq!(sandbox.run(&["resume"]).code, 0, "nothing to do is no failure");
    assert_eq!(sandbox.run(&["clean"]).code, 0);
    sandbox.run(&["stop"]).is(4, "", "fatal: no run is at work in this repository\nhint: git orchestrate start\n");
}

#[test]
fn what_programs_read_keeps_its_form() {
    let sandbox = day(WRITES);
    sandbox.run(&["task", "add", "Write one", "--id", "one"]);
    sandbox.run(&["status", "--porcelain"]).is(0, "task new one - 0/0 1 - 0 Write one\n", "");
    let events = sandbox.run(&["start", "--json"]);
    assert_eq!((events.code, events.stderr.as_str()), (0, ""));
    let lines: Vec<serde_json::Value> =
        events.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert!(lines.iter().all(|line| line["schema"] == 1), "{}", events.stdout);
    let count = |name: &str| lines.iter().filter(|line| line["event"] == name).count();
    assert_eq!((count("run_started"), count("step_finished"), count("landed"), count("run_finished")), (1, 2, 1, 1));
    let last = lines.last().expect("there are events");
    assert_eq!(last["summary"]["end"], "done");

    for words in [&["status", "--porcelain=v1", "-z"][..], &["status", "--porcelain", "-z", "one"]] {
        sandbox.run(words).is(0, "task landed one - 2/2 1 [..] 0 Write one\0", "");
    }
    assert_eq!(sandbox.run(&["status", "--porcelain=v2"]).code, 129);
    assert_eq!(sandbox.run(&["status", "-z"]).code, 129);
    for (words, key) in [
        (&["status", "--json"][..], "tasks"),
        (&["log", "--json"], "tasks"),
        (&["show", "one", "--json"], "phases"),
        (&["show", "one", "--gate", "--json"], "checks"),
        (&["review", "--json"], "items"),
        (&["start", "--dry-run", "--json"], "tasks"),
    ] {
        let ran = sandbox.run(words);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
        assert!(json["schema"] == 1 && json[key].is_array(), "{words:?}: {}", ran.stdout);
    }
}

#[test]
fn a_person_decides_what_is_held() {
    let sandbox = day("echo 'I could not' >&2; exit 3");
    sandbox.run(&["task", "add", "Write one", "--id", "one"]);
    let held = sandbox.run(&["start", "--quiet"]);
    assert_eq!((held.code, held.stdout.as_str(), held.stderr.as_str()), (3, "", ""));
    sandbox.run(&["review"]).is(
        3,
        str![[r#"
one  implement  Write one
  failed 3 times: the program ended with exit code 3: I could not
  to look at it: git show [..]
    git orchestrate review one implement --feedback "…"  try again with your advice
    git orchestrate review one implement --retry         try again as it is
    git orchestrate review one implement --skip          pass over this phase
    git orchestrate review one implement --abort         give up the task

"#]],
        "",
    );
    assert_eq!(sandbox.run(&["review", "--approve"]).code, 129, "a decision is about a task");
    assert_eq!(sandbox.run(&["review", "one", "--retry", "--skip"]).code, 129, "one decision at a time");
    assert_eq!(sandbox.run(&["review", "one", "--all", "--retry"]).code, 129, "one or all");
    assert_eq!(sandbox.run(&["review", "one", "--why", "x"]).code, 129, "a reason is of all");
    assert_eq!(sandbox.run(&["review", "--all", "--yes"]).code, 129, "of what?");
    assert_eq!(sandbox.run(&["review", "two", "--retry"]).code, 4);
    assert_eq!(sandbox.run_with_input(&["review", "one", "--feedback", "-"], "Use a pencil\n").code, 0);
    assert!(sandbox.run(&["show", "one", "--prompt", "implement"]).stdout.contains("Use a pencil"));
    let log = sandbox.run(&["log", "one"]).stdout;
    let last = log.lines().find(|line| line.contains("person")).expect("a step");
    assert!(last.contains("retry") && last.contains("person") && last.ends_with("Use a pencil"), "{log}");
    assert_eq!(sandbox.run(&["start", "--quiet"]).code, 3);
    assert_eq!(sandbox.run(&["review", "one", "implement", "--abort"]).code, 0);
    let aborted = sandbox.run(&["start"]);
    assert_eq!(aborted.code, 1);
    assert!(aborted.stdout.contains("one   aborted"), "{}", aborted.stdout);
}

#[test]
fn a_person_decides_for_all_that_is_held() {
    let sandbox = day("case $GIT_ORCHESTRATE_TASK in d) echo 'no idea';; *) echo 'no disk';; esac >&2; exit 3");
    sandbox.run(&["review", "--all", "--retry"]).is(0, "", "nothing waits for a person\n");
    for task in ["a", "b", "c", "d"] {
        sandbox.run(&["task", "add", &format!("Write {task}"), "--id", task]);
    }
    assert_eq!(sandbox.run(&["start", "--quiet"]).code, 3);
    let shown = sandbox.run(&["review"]).stdout;
    let together = "\n3 wait for the same reason; to try them all again, once it is put right:\n    git orchestrate review --all --why 'failed 3 times: the program ended with exit code 3: no disk' --retry\n";
    assert!(shown.ends_with(together), "{shown}");
    assert_eq!(sandbox.run(&["review", "--all", "--why", "IDEA"]).stdout.matches("no idea").count(), 1);
    let json = |words: &[&str], code| {
        let ran = sandbox.run(words);
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
        serde_json::from_str::<serde_json::Value>(&ran.stdout).expect("it is JSON")
    };
    let planned = json(&["review", "--all", "--retry", "--dry-run", "--json"], 0);
    assert_eq!(planned["decided"].as_array().map(Vec::len), Some(4));
    assert!(planned["dry_run"] == true && planned["decided"][0]["commit"].is_null());
    let before = sandbox.run(&["log", "--json"]).stdout;
    sandbox.run(&["review", "--all", "--why", "disc", "--retry"]).is(
        4,
        "",
        "fatal: nothing waits for a reason with that text in it\nhint: git orchestrate review\n",
    );
    let all = sandbox.run(&["review", "--all", "--abort"]);
    assert_eq!(all.code, 3, "nobody is there to be asked");
    assert!(all.stderr.contains("warning: nothing was decided\nhint: look at the list above"), "{}", all.stderr);
    assert_eq!(sandbox.run(&["review", "--all", "--approve", "--yes"]).code, 3, "they are no reviews");
    assert_eq!(sandbox.run(&["log", "--json"]).stdout, before);
    sandbox.run(&["review", "--all", "--why", "no disk", "--feedback", "use the other"]).is(
        0,
        "",
        str![[r#"
3 phases to try again with your advice:
  a implement: failed 3 times: the program ended with exit code 3: no disk
  b implement: failed 3 times: the program ended with exit code 3: no disk
  c implement: failed 3 times: the program ended with exit code 3: no disk
a: noted at implement in commit [..]; it is now running
b: noted at implement in commit [..]; it is now running
c: noted at implement in commit [..]; it is now running
hint: git orchestrate resume

"#]],
    );
    assert_eq!(sandbox.run(&["review"]).stdout.matches("no idea").count(), 1, "the other still waits");
    let done = json(&["review", "--all", "--abort", "--yes", "--json"], 0);
    assert!(done["schema"] == 1 && done["left"] == serde_json::json!([]), "{done}");
    assert!(done["decided"][0]["task"] == "d" && done["decided"][0]["state"] == "aborted", "{done}");
    assert_eq!(sandbox.run(&["verify"]).code, 0);
}

#[test]
fn a_selection_that_matches_nothing_is_4() {
    let sandbox = day(WRITES);
    assert_eq!(sandbox.run(&["start"]).code, 4, "an empty queue");
    sandbox.run(&["task", "add", "Write one", "--id", "one"]);
    for words in [&["start", "onee"][..], &["status", "onee"], &["log", "onee"], &["show", "onee"]] {
        let ran = sandbox.run(words);
        assert_eq!(ran.code, 4, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("fatal: there is no task 'onee'\nhint: "), "{words:?}: {}", ran.stderr);
    }
}

/// A run whose agent does not end by itself, once the agent is at work.
fn running(sandbox: &Sandbox) -> Background {
    sandbox.run(&["task", "add", "Write one", "--id", "one"]);
    let run = Background::start(sandbox.orchestrate(&["start", "--json"]), sandbox.path("start"));
    wait_until("the agent is at work", || run.stdout().contains("\"agent_said\"").then_some(()));
    run
}

const BLOCKS: &str = "echo at work; exec tail -f /dev/null";

#[test]
fn one_run_at_a_time_and_it_can_be_stopped() {
    let sandbox = day(BLOCKS);
    let run = running(&sandbox);
    let pid = run.pid().as_raw_nonzero();
    let second = sandbox.run(&["start"]);
    assert_eq!(second.code, 6, "{}", second.stderr);
    assert!(second.stderr.contains(&format!("pid {pid}")), "{}", second.stderr);
    let status = sandbox.run(&["status"]).stdout;
    assert!(status.starts_with(&format!("running: pid {pid} on this machine, ")), "{status}");
    assert!(status.contains("one   running implement"), "{status}");
    let doctor = sandbox.run(&["doctor"]).stdout;
    assert!(doctor.contains(&format!("a run holds this repository: pid {pid}")), "{doctor}");
    sandbox.run(&["stop", "--now"]).is(0, "", format!("asked pid {pid} to stop now\n"));
    run.end().expect(0);
    assert!(sandbox.run(&["status"]).stdout.starts_with("not running\n"));
}

#[test]
fn what_a_dead_run_left_does_not_look_alive() {
    let sandbox = day(BLOCKS);
    sandbox.write(".handoff/workflows/two.toml", TWO_WRITERS);
    let config = sandbox.read(".handoff/config.toml");
    sandbox.write(".handoff/config.toml", &config.replace("workflow = \"single\"", "workflow = \"two\""));
    let first = "[ $GIT_ORCHESTRATE_PHASE = second ] || { echo > first.txt; exit; }";
    sandbox.program("writer", &format!("cat > /dev/null\n{first}\n{BLOCKS}"));
    running(&sandbox).kill();
    sandbox.run(&["status"]).is(
        0,
        str![[r#"
not running

TASK  STATE           DONE  TITLE
one   waiting second   1/2  Write one (no run is at work: git orchestrate resume)

1 task: 1 waiting

"#]],
        "",
    );
    sandbox.program("writer", &format!("cat > /dev/null\n{WRITES} again >> more.txt"));
    assert_eq!(sandbox.run(&["resume"]).code, 0);
}

const TWO_WRITERS: &str = "name = \"two\"\n[[phase]]\nid = \"first\"\nrole = \"implementer\"\n\
                           [[phase]]\nid = \"second\"\nrole = \"implementer\"\nneeds = [\"first\"]\n";

#[test]
fn a_signal_ends_it_with_128_and_its_number() {
    let sandbox = day(BLOCKS);
    let run = running(&sandbox);
    // The first asks it to finish what runs, which never does; the second ends that too.
    run.signal(Signal::TERM);
    run.signal(Signal::INT);
    let code = run.end().code();
    assert!(matches!(code, Some(130 | 143)), "{code:?}");
    assert_eq!(sandbox.run(&["start", "--dry-run"]).code, 0, "the repository is free again");
}

#[test]
fn an_agent_that_cannot_do_its_part_is_followed_by_the_next() {
    let sandbox = day(WRITES);
    let mut config = sandbox.read(".handoff/config.toml");
    for agent in ["missing", "locked"] {
        let table = format!("[agents.{agent}]\nadapter = \"command\"\nprogram = \"{agent}\"\nfamily = \"openai\"\n");
        config = config.replace("[roles]\n", &format!("{table}[roles]\n"));
    }
    let roles = "default = [\"missing\", \"locked\", \"writer\"]";
    sandbox.write(".handoff/config.toml", &config.replace("default = \"writer\"", roles));
    sandbox.program("locked", "echo '{\"status\": \"infra\", \"text\": \"no login\"}' > $GIT_ORCHESTRATE_RESULT_FILE");
    sandbox.run(&["task", "add", "Write one", "--id", "one"]);
    sandbox.run(&["start"]).is(
        0,
        str![[r#"
one  implement  infra  locked  [..]s  no login
one  implement  done   writer  1 file  [..]s
one  gate       done   full    [..]s
one  landed on orchestrate/integration  [..]

TASK  STATE   DONE  TITLE
one   landed   2/2  Write one

1 task: 1 landed
context: 1 of 2 parts were known (50 %)
done: 3 steps in [..]s
next: git diff main...orchestrate/integration
      git orchestrate land

"#]],
        str![[r#"
warning: agent 'missing' cannot work, others take its place: no program 'missing' in PATH
hint: install 'missing', or give its whole path

"#]],
    );
}

#[test]
fn a_check_whose_program_is_missing_is_told_before_anything_is_spent() {
    let sandbox = day(WRITES);
    sandbox.run(&["task", "add", "Write one", "--id", "one"]);
    let config = sandbox.read(".handoff/config.toml");
    let with = |run: &str, more: &str| {
        let config = config.replace("run = \"true\"", &format!("run = \"{run}\""));
        sandbox.write(".handoff/config.toml", &format!("{config}{more}"));
    };
    with("CI=1 nowhere-to-be-found --all", "");
    let refused = "fatal: check 'tests' of gate 'full' needs 'nowhere-to-be-found', which is not in PATH: nothing could \
                   land\nhint: install 'nowhere-to-be-found', or change the check in .handoff/config.toml\n";
    for words in [&["start"][..], &["start", "--dry-run"]] {
        sandbox.run(words).is(128, "", refused);
    }
    assert!(sandbox.run(&["log"]).stdout.is_empty(), "nothing was begun");
    // A setup command may bring it, and a run may end before the gate.
    let warned = "warning: check 'tests' of gate 'full' needs 'nowhere-to-be-found', which is not in PATH\n";
    with("nowhere-to-be-found", "[worktrees]\nsetup = [\"true\"]\n");
    let ran = sandbox.run(&["start", "--dry-run"]);
    assert!(ran.code == 0 && ran.stderr.contains(warned), "{}", ran.stderr);
    with("nowhere-to-be-found", "");
    let ran = sandbox.run(&["start", "--dry-run", "--until", "implement"]);
    assert!(ran.code == 0 && ran.stderr.contains(warned), "{}", ran.stderr);
    // A task may write the script, so that is no reason not to begin.
    with("./ci.sh", "");
    let ran = sandbox.run(&["start", "--dry-run"]);
    let warned = "warning: check 'tests' of gate 'full' runs './ci.sh', which is not in 'HEAD'\n";
    assert!(ran.code == 0 && ran.stderr.contains(warned), "{}", ran.stderr);
    sandbox.write("ci.sh", "#!/bin/sh\n");
    sandbox.git(&["add", "ci.sh"]);
    sandbox.git(&["commit", "--quiet", "--message=script"]);
    let ran = sandbox.run(&["start", "--dry-run"]);
    let hint = "which cannot be executed in 'HEAD'\nhint: git update-index --chmod=+x ci.sh\n";
    assert!(ran.code == 0 && ran.stderr.contains(hint), "{}", ran.stderr);
    sandbox.git(&["update-index", "--chmod=+x", "ci.sh"]);
    sandbox.git(&["commit", "--quiet", "--message=executable"]);
    let ran = sandbox.run(&["start", "--dry-run"]);
    assert!(ran.code == 0 && !ran.stderr.contains("ci.sh"), "{}", ran.stderr);
    for plain in ["! grep -q x README", "cd . && nowhere-to-be-found", "$NOWHERE x", "PATH=x:$PATH nowhere"] {
        with(plain, "");
        let ran = sandbox.run(&["start", "--dry-run"]);
        assert!(ran.code == 0 && !ran.stderr.contains("check 'tests'"), "{plain}: {}", ran.stderr);
    }
}
