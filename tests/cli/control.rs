//! `pause`, `jobs`, `stop --after-step`, named resources and a machine under pressure, as a user meets them.

use snapbox::str;

use crate::{
    program::{Background, wait_until},
    sandbox::Sandbox,
};

/// A repository with tasks and one agent whose program does what `script` says.
fn day(config: &str, script: &str, tasks: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    sandbox.write("README", "hello\n");
    let agents = "workflow = \"single\"\n[agents.writer]\nadapter = \"command\"\nprogram = \"writer\"\n\
                  family = \"anthropic\"\n[roles]\ndefault = \"writer\"\n\
                  [[gate.full.check]]\nname = \"tests\"\nrun = \"true\"\n";
    sandbox.write(".handoff/config.toml", &format!("{agents}{config}"));
    sandbox.git(&["add", "README"]);
    sandbox.git(&["commit", "--quiet", "--message=begin"]);
    sandbox.run(&["init", "--quiet"]).is(0, "", "");
    for task in tasks {
        assert_eq!(sandbox.run(&["task", "add", &format!("Write {task}"), "--id", task]).code, 0);
    }
    sandbox
}

const WRITES: &str = "echo \"$GIT_ORCHESTRATE_TASK\" > \"$GIT_ORCHESTRATE_TASK.txt\"; echo 'I wrote it down'";

/// Says that it is at work, then waits until it is told to write.
fn waits_for(sandbox: &Sandbox, sign: &str) -> String {
    let sign = sandbox.path(sign);
    format!("echo at work\nwhile [ ! -e '{}' ]; do sleep 0.02; done\n{WRITES}", sign.display())
}

/// A run that tells its events, up to the first with these words.
struct Running {
    run: Background,
    /// Bytes of it that were read.
    read: usize,
}

impl Running {
    fn start(sandbox: &Sandbox, words: &[&str]) -> Self {
        let start = sandbox.orchestrate(&[&["start", "--json"], words].concat());
        Self { run: Background::start(start, sandbox.path("run")), read: 0 }
    }

    fn up_to(&mut self, words: &str) -> String {
        wait_until(words, || {
            let has_ended = self.run.has_ended();
            let told = self.run.stdout();
            let mut new = told[self.read..].split_inclusive('\n').take_while(|line| line.ends_with('\n'));
            let found = new.find(|line| {
                self.read += line.len();
                line.contains(words)
            });
            assert!(
                found.is_some() || !has_ended,
                "the run ended before '{words}': {}{}",
                self.run.stdout(),
                self.run.stderr()
            );
            found.map(str::to_owned)
        })
    }

    /// Its exit code.
    fn end(self) -> Option<i32> {
        self.run.end().code()
    }
}

#[test]
fn a_paused_task_waits_until_it_is_resumed() {
    let sandbox = day("", WRITES, &["one", "two"]);
    sandbox.run(&["pause", "one"]).is(0, "", "paused one (git orchestrate resume one)\n");
    let ran = sandbox.run(&["start"]);
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    sandbox.run(&["status"]).is(
        0,
        str![[r#"
not running

TASK  STATE    DONE  TITLE
one   waiting        Write one (paused (git orchestrate resume one))
two   landed    2/2  Write two

2 tasks: 1 landed, 1 waiting

"#]],
        "",
    );
    assert_eq!(sandbox.run(&["pause", "three"]).code, 4);
    assert_eq!(sandbox.run(&["resume", "one"]).code, 0);
    assert!(sandbox.run(&["status", "one"]).stdout.contains("one   landed"));
}

#[test]
fn a_task_is_paused_and_resumed_in_a_run_that_is_at_work() {
    let sandbox = day("", "", &["one"]);
    let script = waits_for(&sandbox, "go");
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    let mut run = Running::start(&sandbox, &[]);
    run.up_to("\"agent_said\"");
    let pid = run.run.pid();
    // It is resumed before it could have ended: the run goes on with it as if nothing had been.
    assert_eq!(sandbox.run(&["pause", "one"]).code, 0);
    sandbox.run(&["resume", "one"]).is(0, "", format!("told pid {pid} to go on with one\n"));
    std::fs::write(sandbox.path("go"), "").expect("written");
    assert_eq!(run.end(), Some(0));
}

#[test]
fn the_worktree_of_the_gate_is_made_while_the_agent_is_at_work() {
    let sandbox = day("", "", &["one"]);
    let script = waits_for(&sandbox, "go");
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    let log = sandbox.path("setup");
    let config = format!("[worktrees]\nsetup = [\"echo ${{PWD##*/}} >> {}\"]\n", log.display());
    sandbox.write(".handoff/config.toml", &format!("{}{config}", sandbox.read(".handoff/config.toml")));
    let mut run = Running::start(&sandbox, &[]);
    run.up_to("\"agent_said\"");
    let places = || std::fs::read_to_string(&log).unwrap_or_default();
    wait_until("the gate's worktree is set up", || places().contains("gate-0").then_some(()));
    std::fs::write(sandbox.path("go"), "").expect("written");
    assert_eq!(run.end(), Some(0));
    let places = places();
    let mut places: Vec<&str> = places.lines().collect();
    places.sort_unstable();
    assert_eq!(places, ["gate-0", "worker-0"], "each is set up once");
}

#[test]
fn what_is_made_for_the_gate_does_not_outlive_a_run_that_is_stopped() {
    let sandbox = day("", WRITES, &["one"]);
    // An agent's worktree is there at once; the gate's would never be.
    let setup = "[worktrees]\nsetup = [\"case $PWD in *gate*) echo $$ > setting-up; exec sleep 1000;; esac\"]\n";
    let setup = setup.replace("setting-up", &sandbox.path("setting-up").display().to_string());
    sandbox.write(".handoff/config.toml", &format!("{}{setup}", sandbox.read(".handoff/config.toml")));
    let run = Running::start(&sandbox, &[]);
    let pid = wait_until("it is being set up", || {
        let text = std::fs::read_to_string(sandbox.path("setting-up")).ok()?;
        text.trim().parse::<i32>().ok()
    });
    assert_eq!(sandbox.run(&["stop", "--now"]).code, 0);
    run.end();
    let pid = rustix::process::Pid::from_raw(pid).expect("not null");
    assert!(rustix::process::test_kill_process(pid).is_err(), "it still runs");
}

#[test]
fn a_run_is_given_more_workers() {
    let sandbox = day("", "", &["one", "two"]);
    // Each waits for the other: with one worker that would be for ever.
    let here = sandbox.path("here-");
    let here = here.display();
    let script = format!(
        "echo at work\n: > '{here}'$GIT_ORCHESTRATE_TASK\n\
         while [ ! -e '{here}one' ] || [ ! -e '{here}two' ]; do sleep 0.02; done\n{WRITES}"
    );
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    sandbox.run(&["jobs", "2"]).is(4, "", "fatal: no run is at work in this repository\nhint: git orchestrate start\n");
    let mut run = Running::start(&sandbox, &["--jobs", "1"]);
    run.up_to("\"agent_said\"");
    let pid = run.run.pid();
    sandbox.run(&["jobs", "2"]).is(0, "", format!("asked pid {pid} to go on with 2 workers\n"));
    let told = run.up_to("\"workers\"");
    assert!(told.contains("\"jobs\":2"), "{told}");
    assert_eq!(run.end(), Some(0));
}

#[test]
fn a_run_stops_after_the_steps_that_are_being_made() {
    let sandbox = day("", "", &["one"]);
    let script = waits_for(&sandbox, "go");
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    let mut run = Running::start(&sandbox, &[]);
    run.up_to("\"agent_said\"");
    let pid = run.run.pid();
    let stop = sandbox.run(&["stop", "--after-step"]);
    stop.is(0, "", format!("asked pid {pid} to stop after the steps that are being made\n"));
    run.up_to("\"stopping\"");
    std::fs::write(sandbox.path("go"), "").expect("written");
    assert_eq!(run.end(), Some(0));
    let status = sandbox.run(&["status"]).stdout;
    assert!(status.contains("one   waiting gate   1/2"), "{status}");
}

#[test]
fn what_there_is_only_some_of_is_used_by_so_many_at_once() {
    let config = "[resources]\ndb = 1\n";
    let sandbox = day(config, "", &["one", "two", "three"]);
    // Whoever finds the database in use says so and fails.
    let db = sandbox.path("db");
    let db = db.display();
    let script = format!("mkdir '{db}' || exit 1\nsleep 0.1\nrmdir '{db}'\n{WRITES}");
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    for task in ["one", "two", "three"] {
        let path = format!(".handoff/tasks/{task}.toml");
        let text = sandbox.read(&path);
        sandbox.write(&path, &format!("{text}\n[resources]\ndb = 1\n"));
    }
    let ran = sandbox.run(&["start", "--jobs", "3"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("failed"), "{}", ran.stdout);
    let path = ".handoff/tasks/four.toml";
    sandbox.write(path, "title = 'Four'\nresources = { bd = 1 }\n");
    sandbox.run(&["start"]).is(
        128,
        "",
        "fatal: task 'four' needs resource 'bd', which is not in [resources], in .handoff/tasks/four.toml\n\
         hint: did you mean 'db'?\n",
    );
}

#[test]
fn a_machine_under_pressure_has_one_worker() {
    let sandbox = day("[limits]\nmemory_free_bytes = 9000000000000000\n", "", &["one", "two"]);
    let script = waits_for(&sandbox, "go");
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    let mut run = Running::start(&sandbox, &["--jobs", "4"]);
    let told = run.up_to("\"workers\"");
    assert!(told.contains("\"now\":1"), "{told}");
    run.up_to("\"agent_said\"");
    // What workers do is written down a moment later.
    let status = loop {
        let status = sandbox.run(&["status"]).stdout;
        if status.contains("may work now") {
            break status;
        }
    };
    assert!(status.contains("1 of them may work now: ") && status.contains("limits.memory_free_bytes"), "{status}");
    std::fs::write(sandbox.path("go"), "").expect("written");
    assert_eq!(run.end(), Some(0));
}

#[test]
fn a_model_does_no_more_steps_at_once_than_it_may() {
    let agents = "[agents.twin]\nadapter = \"command\"\nprogram = \"writer\"\nfamily = \"anthropic\"\nmodel = \"m\"\n\
                  [limits]\nmodels_parallel = { m = 1 }\n";
    let sandbox = day(agents, "", &["one", "two", "three"]);
    let config = sandbox.read(".handoff/config.toml");
    let both = config
        .replace("[agents.writer]\n", "[agents.writer]\nmodel = \"m\"\n")
        .replace("default = \"writer\"", "default = [\"writer\", \"twin\"]");
    sandbox.write(".handoff/config.toml", &both);
    let asked = sandbox.path("asked");
    let asked = asked.display();
    // Whoever is asked while the model does another step says so and fails.
    let script = format!("mkdir '{asked}' || exit 1\nsleep 0.1\nrmdir '{asked}'\n{WRITES}");
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    let ran = sandbox.run(&["start", "--jobs", "3"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("failed"), "{}", ran.stdout);
}

#[test]
fn changes_that_will_conflict_are_told_of_long_before_one_lands() {
    let sandbox = day("", "echo \"$GIT_ORCHESTRATE_TASK\" > shared.txt; echo 'I wrote it down'", &["one", "two"]);
    let go = sandbox.path("go");
    let gate = format!("while [ ! -e '{}' ]; do sleep 0.02; done", go.display());
    let config = sandbox.read(".handoff/config.toml").replace("run = \"true\"", &format!("run = \"{gate}\""));
    sandbox.write(".handoff/config.toml", &config);
    let run = Running::start(&sandbox, &["--jobs", "2"]);
    let status = loop {
        let status = sandbox.run(&["status"]).stdout;
        if status.contains("conflicts in") {
            break status;
        }
    };
    assert!(status.contains("have written so far conflicts in shared.txt"), "{status}");
    let json = sandbox.run(&["status", "--json"]).stdout;
    assert!(json.contains("\"clashes\": [\n    \"what "), "{json}");
    std::fs::write(go, "").expect("written");
    // The second is sent back, writes it again, and lands.
    assert_eq!(run.end(), Some(0));
    let status = sandbox.run(&["status"]).stdout;
    assert!(!status.contains("conflicts in"), "{status}");
}

#[test]
fn a_worktree_is_set_up_once_and_again_where_a_lock_file_differs() {
    let sandbox = day("", WRITES, &["one", "two"]);
    let noted = sandbox.path("noted");
    let config = sandbox.read(".handoff/config.toml");
    let setup = format!("[worktrees]\nsetup = [\"echo set up >> '{}'\"]\n", noted.display());
    sandbox.write(".handoff/config.toml", &format!("{config}{setup}"));
    let times = || std::fs::read_to_string(&noted).expect("it was set up").lines().count();
    assert_eq!(sandbox.run(&["start", "--jobs", "1"]).code, 0);
    assert_eq!(times(), 2, "the worker's worktree and the gate's, not each task");
    sandbox.program("writer", "cat > /dev/null\necho 'version = 4' > Cargo.lock; echo 'I wrote it down'");
    assert_eq!(sandbox.run(&["task", "add", "Lock", "--id", "lock"]).code, 0);
    let ran = sandbox.run(&["start", "--jobs", "1"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(times(), 3, "the gate's has another lock file");
    sandbox.program("writer", &format!("cat > /dev/null\n{WRITES}"));
    assert_eq!(sandbox.run(&["task", "add", "Three", "--id", "three"]).code, 0);
    let ran = sandbox.run(&["start", "--jobs", "1"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(times(), 4, "and the worker's too, now that it has landed");
    assert_eq!(sandbox.run(&["land"]).code, 0);
    let at = format!("160000,{},vendor", "1".repeat(40));
    sandbox.git(&["update-index", "--add", "--cacheinfo", &at]);
    sandbox.git(&["commit", "--quiet", "--message=submodule"]);
    assert_eq!(sandbox.run(&["task", "add", "Four", "--id", "four"]).code, 0);
    assert_eq!(sandbox.run(&["start", "--jobs", "1"]).code, 0);
    assert_eq!(times(), 6, "both are to have another submodule");
}

#[test]
fn a_run_whose_repository_is_gone_ends_and_says_so() {
    let quiet = "[quota]\nquiet_hours = \"00:00-23:59\"\n";
    let sandbox = day(quiet, WRITES, &["one"]);
    // It would wait until one minute to midnight.
    let mut run = Running::start(&sandbox, &[]);
    run.up_to("\"quiet\"");
    std::fs::remove_dir_all(sandbox.repository()).expect("removed");
    let ended = run.run.end();
    let said = &ended.expect(128).stderr;
    assert!(said.contains("is gone, and the repository with it"), "{said}");
}

#[test]
fn two_worktrees_at_work_have_no_port_in_common() {
    let sandbox = day("[worktrees]\nports = 5\n", "", &["one", "two"]);
    let here = sandbox.path("here-");
    let here = here.display();
    let script = format!(
        "echo \"$GIT_ORCHESTRATE_PORT $GIT_ORCHESTRATE_PORTS\" > '{here}'$GIT_ORCHESTRATE_TASK\n\
         while [ ! -e '{here}one' ] || [ ! -e '{here}two' ]; do sleep 0.02; done\n{WRITES}"
    );
    sandbox.program("writer", &format!("cat > /dev/null\n{script}"));
    let seen = sandbox.path("check");
    let check = format!("run = \"echo $GIT_ORCHESTRATE_PORT > {}\"", seen.display());
    let config = sandbox.read(".handoff/config.toml").replace("run = \"true\"", &check);
    sandbox.write(".handoff/config.toml", &config);
    assert_eq!(sandbox.run(&["start", "--jobs", "2"]).code, 0);
    let words = |path| std::fs::read_to_string(sandbox.path(path)).expect("it was written");
    let mut firsts = Vec::new();
    for task in ["here-one", "here-two"] {
        let said = words(task);
        let (first, count) = said.trim().split_once(' ').expect("two words");
        assert_eq!(count, "5");
        firsts.push(first.parse::<u16>().expect("a port"));
    }
    firsts.push(words("check").trim().parse().expect("a check has ports too"));
    firsts.sort_unstable();
    assert!(firsts.windows(2).all(|pair| pair[0] + 5 <= pair[1]), "{firsts:?}");
}

#[test]
fn a_worktree_begins_with_a_copy_of_what_was_built() {
    let sandbox = day("[worktrees]\nclone = [\"target\", \"none\"]\n", "", &["one"]);
    sandbox.write(".gitignore", "target/\n");
    sandbox.git(&["add", ".gitignore"]);
    sandbox.git(&["commit", "--quiet", "--message=ignore"]);
    sandbox.write("target/debug/built", "built\n");
    sandbox.program(
        "writer",
        &format!("cat > /dev/null\ncat target/debug/built && echo mine > target/debug/built\n{WRITES}"),
    );
    let config = sandbox.read(".handoff/config.toml").replace("run = \"true\"", "run = \"cat target/debug/built\"");
    sandbox.write(".handoff/config.toml", &config);
    let ran = sandbox.run(&["start"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.read("target/debug/built"), "built\n", "what an agent builds is its own");
    let tree = ["ls-tree", "-r", "--name-only", "orchestrate/integration"];
    let landed = sandbox.command("git").args(tree).output().expect("git runs").stdout;
    let landed = String::from_utf8_lossy(&landed).into_owned();
    assert!(landed.contains("one.txt") && !landed.contains("target/"), "{landed}");
}

/// The same, with a gate for what is merged that has this check.
fn day_with_gate(check: &str, script: &str, tasks: &[&str]) -> Sandbox {
    let gate = "[landing]\ngate = \"merged\"\n[[gate.merged.check]]\nname = \"together\"\n";
    day(&format!("{gate}run = '{check}'\n"), script, tasks)
}

#[test]
fn the_next_batch_is_judged_while_one_is_and_lands_as_it_was_judged() {
    let home = tempfile::tempdir().expect("a directory");
    let (seen, go) = (home.path().join("seen"), home.path().join("go"));
    let (seen_, go_) = (seen.display(), go.display());
    let check = format!("echo *.txt >> {seen_}; test -e two.txt || while [ ! -e {go_} ]; do sleep 0.02; done");
    let waits = format!("test $GIT_ORCHESTRATE_TASK = one || while [ ! -e {seen_} ]; do sleep 0.02; done");
    let sandbox = day_with_gate(&check, &format!("{waits}\n{WRITES}"), &["one", "two"]);
    let mut run = Running::start(&sandbox, &["--jobs", "2"]);
    let judged = || std::fs::read_to_string(&seen).unwrap_or_default();
    while judged() != "one.txt\none.txt two.txt\n" {
        assert!(!run.run.has_ended(), "it ended: {}", judged());
        std::thread::yield_now();
    }
    assert!(!sandbox.run(&["status", "one"]).stdout.contains("one   landed"));
    std::fs::write(go, "").expect("written");
    assert_eq!(run.end(), Some(0));
    // Their bases may have been judged beside them.
    assert_eq!(judged().matches("two.txt").count(), 1, "what was judged is not judged again: {}", judged());
}

#[test]
fn a_batch_is_bisected_until_the_task_that_breaks_it_stands_alone() {
    let script = "case $GIT_ORCHESTRATE_TASK in\n\
                  bad) if [ -e bad.txt ]; then : > bad.txt; else echo bad > bad.txt; fi;;\n\
                  *) echo fine > $GIT_ORCHESTRATE_TASK.txt;;\nesac; echo done";
    let tasks = ["bad", "fine-1", "fine-2", "fine-3", "fine-4"];
    let sandbox = day_with_gate("! test -s bad.txt", script, &tasks);
    let ran = sandbox.run(&["start", "--jobs", "4"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout.matches("red when merged: together").count(), 1, "one breaks it: {}", ran.stdout);
    assert!(ran.stdout.contains("5 tasks: 5 landed"), "{}", ran.stdout);
}
