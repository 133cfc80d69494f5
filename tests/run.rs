//! Ordinary runs from end to end: what they leave on the branches, how they end, and that no task is lost or doubled.
//! Knows nothing of crashes.

#[expect(dead_code, reason = "each test binary uses a part of the kit")]
mod kit;

use kit::{
    agents::config,
    program::{Background, wait_until},
    sandbox::Sandbox,
    state::{Branches, git_problems},
    workflows::SMALL,
};

fn sandbox(workflow: &str, jobs: u32) -> Sandbox {
    Sandbox::new().with_agents(&config(workflow).replace("jobs = 2", &format!("jobs = {jobs}")))
}

#[test]
fn sixteen_tasks_with_eight_workers_land_once_each() {
    for round in 0..3 {
        let config = config("single").replace("jobs = 2", "jobs = 8");
        let sandbox = Sandbox::new().with_agents(&config);
        let mut tasks: Vec<String> = (10..26).map(|number| format!("t{number}")).collect();
        for (at, task) in tasks.iter().enumerate() {
            let before = at.checked_sub(5).filter(|_| at % 3 == 0);
            sandbox.task(task, &before.map_or_else(String::new, |at| format!("depends_on = [\"{}\"]\n", tasks[at])));
        }
        // Every fourth changes a line that others change too.
        let script = "note; echo $task > $task.txt; case $task in *0|*4|*8) share $task;; esac";
        sandbox.script("implement", script);
        let users = sandbox.users();
        sandbox.run(&["start"]).expect(0);
        let branches = Branches::of(&sandbox);
        branches.check();
        let mut landed = branches.landed.clone();
        landed.sort();
        tasks.sort();
        assert_eq!(landed, tasks, "round {round}");
        for task in &tasks {
            let text = sandbox.git(&["show", &format!("orchestrate/integration:{task}.txt")]);
            assert_eq!(text, *task, "round {round}");
        }
        let shared = sandbox.git(&["show", "orchestrate/integration:shared.txt"]);
        assert_eq!(shared, "t10\nt14\nt18\nt20\nt24\nzero", "round {round}");
        for (step, count) in branches.runs(&sandbox.agent_runs("start")) {
            assert!(count <= 1, "round {round}: {step:?} was run {count} times");
        }
        assert!(users == sandbox.users(), "round {round}: something of the user's changed");
        assert_eq!((sandbox.processes(), sandbox.lock_files()), (vec![], vec![]), "round {round}");
        assert_eq!(git_problems(&sandbox), "", "round {round}");
    }
}

#[test]
fn who_conflicts_with_what_is_done_again_is_itself_done_again_once() {
    let config = config("single").replace("jobs = 2", "jobs = 6");
    let sandbox = Sandbox::new().with_agents(&config);
    let tasks = ["a", "b", "c", "d", "e", "f"];
    tasks.iter().for_each(|task| sandbox.task(task, ""));
    // All begin on the same tip and change the same line.
    sandbox.script("implement", "say ready; [ $attempt = 1 ] && await all; share $task");
    let run = Background::start(sandbox.command(&["start"]), sandbox.outside("start"));
    let log = sandbox.outside("log");
    wait_until("all are at work", || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        (said.lines().filter(|line| *line == "ready").count() == tasks.len()).then_some(())
    });
    kit::sandbox::write(&sandbox.outside("all"), "");
    run.end().expect(0);
    let branches = Branches::of(&sandbox);
    branches.check();
    assert_eq!(sandbox.git(&["show", "orchestrate/integration:shared.txt"]), "a\nb\nc\nd\ne\nf\nzero");
    let refused = |task: &str| branches.steps[task].iter().filter(|(.., phase)| phase == "land").count();
    let refused: Vec<usize> = tasks.iter().map(|task| refused(task)).collect();
    assert_eq!(refused.iter().sum::<usize>(), tasks.len() - 1, "{refused:?}");
    assert!(refused.iter().all(|count| *count <= 1), "{refused:?}");
}

#[test]
fn a_step_can_be_verified_by_git_alone() {
    let sandbox = sandbox("single", 1);
    sandbox.task("a", "");
    sandbox.script("implement", "echo $task > $task.txt");
    sandbox.run(&["start"]).expect(0);
    let key = std::fs::read_to_string(sandbox.outside("home/.local/share/git-orchestrate/id_ed25519.pub"));
    let signers = sandbox.outside("signers");
    std::fs::write(&signers, format!("tess@example.com {}", key.expect("a public key"))).expect("written");
    let setting = format!("gpg.ssh.allowedSignersFile={}", signers.display());
    let commits = sandbox.git(&["rev-list", "main..orchestrate/integration"]);
    assert_eq!(commits.lines().count(), 3);
    for commit in commits.lines() {
        sandbox.git(&["-c", &setting, "verify-commit", commit]);
    }
}

#[test]
fn a_failure_stays_with_its_task_and_those_that_wait_for_it() {
    let sandbox = sandbox("single", 2);
    sandbox.task("a", "");
    sandbox.task("b", "depends_on = [\"a\"]\n");
    sandbox.task("c", "");
    sandbox.script("implement", "echo $task > $task.txt");
    sandbox.script("a/implement", "exit 7");
    sandbox.run(&["start"]).expect(3);
    let branches = Branches::of(&sandbox);
    branches.check();
    assert_eq!(branches.landed, ["c"]);
    assert_eq!(branches.steps["a"].len(), 3, "three attempts");
    let status = sandbox.run(&["status"]);
    assert!(status.stdout.contains("waits for a"), "{}", status.stdout);
    // The person puts the agent right and has it tried again.
    sandbox.script("a/implement", "echo $task > $task.txt");
    sandbox.run(&["review", "a", "--retry"]).expect(0);
    sandbox.run(&["resume"]).expect(0);
    assert_eq!(Branches::of(&sandbox).landed, ["c", "a", "b"]);
    // Nothing is left to do, and doing nothing changes nothing.
    let before = sandbox.git(&["for-each-ref"]);
    sandbox.run(&["start"]).expect(0);
    assert_eq!(sandbox.git(&["for-each-ref"]), before);
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let sandbox = sandbox("single", 1);
    sandbox.task("a", "");
    sandbox.script("implement", "echo $task > $task.txt");
    let command = sandbox.command(&["start"]);
    let program = command.get_program().to_owned();
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(sandbox.path()).env_clear().args(["-c", "\"$0\" start | :"]).arg(program);
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    sandbox.run_command(shell);
    wait_until("it lands", || {
        let text = sandbox.try_git(&["show", "orchestrate/integration:a.txt"]);
        (text.as_deref() == Ok("a")).then_some(())
    });
}

/// Every form in which the queue is shown, none of which may depend on what is remembered of it.
fn shown(sandbox: &Sandbox) -> Vec<String> {
    let words: [&[&str]; 4] = [&["status", "--json"], &["status"], &["log", "--json"], &["log", "-v"]];
    words.iter().map(|words| sandbox.run(words).expect(0).stdout.clone()).collect()
}

#[test]
fn what_is_remembered_of_landed_tasks_shows_as_if_read() {
    let sandbox = sandbox("single", 2);
    for task in ["a", "b", "c"] {
        sandbox.task(task, "priority = 2\n");
    }
    sandbox.task("d", "depends_on = [\"a\"]\nbudget_usd = 30.0\n");
    sandbox.script("implement", "echo $task > $task.txt");
    sandbox.run(&["start"]).expect(0);
    let past = sandbox.local().join("cache/past");
    let read = shown(&sandbox);
    // Only files that are no longer young are known by their looks.
    wait_until("the task files are old enough to be remembered", || {
        sandbox.run(&["status"]).expect(0);
        let text = std::fs::read_to_string(&past).ok()?;
        (text.lines().count() == 5).then_some(())
    });
    assert_eq!(shown(&sandbox), read, "all of them remembered");
    sandbox.task("b", "priority = 2\ntitle2 = 1\n");
    sandbox.run(&["status"]).expect(128);
    sandbox.write(".handoff/tasks/b.toml", "title = \"Another title\"\npriority = 2\n");
    let edited = shown(&sandbox);
    assert!(edited[1].contains("Another title") && edited[2].contains("Another title"), "{edited:?}");
    sandbox.task("b", "priority = 2\n");
    assert_eq!(shown(&sandbox), read, "it is as it was");
    // Without its branch, a landed task's steps are found by the merge that landed it.
    sandbox.git(&["branch", "-q", "-D", "orchestrate/task/c"]);
    let without: Vec<String> = shown(&sandbox);
    assert_eq!(without[2..], read[2..], "the log of a task whose branch is gone");
    std::fs::remove_file(&past).expect("it was there");
    assert_eq!(shown(&sandbox), without, "read again");
}

#[test]
fn five_readers_share_one_analysis() {
    let sandbox = sandbox("review", 5);
    sandbox.task("a", "context = [\"src/**\"]\n");
    sandbox.write("src/lib.rs", "fn one() {}\n");
    sandbox.commit("some code");
    let long = "z".repeat(6000);
    sandbox.script("analysis", &format!("echo 'the analysis begins {long} the analysis ends'"));
    for reader in ["correctness", "security", "performance", "tests", "clarity"] {
        sandbox.script(reader, &format!("grep -q 'the analysis ends' <&0 && echo 'seen by {reader}'"));
    }
    sandbox.script("synthesis", "echo 'the last word'");
    let ended = sandbox.run(&["start"]);
    ended.expect(0);
    let runs = sandbox.agent_runs("start");
    let of = |phase: &str| runs.iter().filter(|run| run.phase == phase).count();
    assert_eq!((of("analysis"), runs.len()), (1, 7), "{runs:?}");
    let log = sandbox.run(&["log", "-v"]).expect(0).stdout.clone();
    for reader in ["correctness", "security", "performance", "tests", "clarity"] {
        assert!(log.contains(&format!("seen by {reader}")), "{log}");
    }
    // Of seven surveys one is made, of five looks at the analysis one; the synthesis looks at six reports.
    assert!(ended.stdout.contains("context: 11 of 18 parts were known (61 %)"), "{}", ended.stdout);
    let stats = sandbox.run(&["stats"]).expect(0).stdout.clone();
    assert!(stats.contains("context: 11 of 18 parts were known (61 %)"), "{stats}");
}

#[test]
fn a_task_waits_for_one_whose_plan_names_its_files() {
    let sandbox = sandbox("single", 2);
    sandbox.write(".handoff/workflows/small.toml", SMALL);
    sandbox.task("a", "workflow = \"small\"\n");
    sandbox.task("b", "files = [\"b.txt\"]\ndepends_on = [\"c\"]\n");
    sandbox.task("c", "files = [\"c.txt\"]\n");
    // Nobody knows what a changes before its plan is there; only then can b begin.
    let step = r#"{"id": "S1", "title": "One", "files": ["b.txt"]}"#;
    sandbox.script("plan", &format!("answer '{{\"structured\": {{\"steps\": [{step}]}}}}'"));
    sandbox.script("plan-review", "touch $home/planned; answer '{\"structured\": {\"status\": \"approved\"}}'");
    sandbox.script("code-review", "answer '{\"structured\": {\"status\": \"approved\"}}'");
    sandbox.script("c/implement", "await planned; echo c > c.txt");
    sandbox.script("a/implement/S1", "await go; echo a > b.txt");
    sandbox.script("b/implement", "echo b >> b.txt");
    let run = sandbox.begin(&["start"]);
    wait_until("c has landed", || sandbox.try_git(&["show", "orchestrate/integration:c.txt"]).ok());
    let why = wait_until("b waits", || {
        let told = sandbox.run(&["status"]).stdout;
        told.lines().find(|line| line.contains("both change 'b.txt'")).map(str::to_owned)
    });
    assert!(why.starts_with("b ") && why.contains("waits for a"), "{why}");
    std::fs::write(sandbox.outside("go"), "").expect("written");
    run.end().expect(0);
    assert_eq!(sandbox.git(&["show", "orchestrate/integration:b.txt"]), "a\nb");
    Branches::of(&sandbox).check();
}

#[test]
fn worktrees_have_the_files_of_a_sparse_checkout_and_what_lands_has_all() {
    for way in
        [&["--cone", "src"][..], &["--cone", "--sparse-index", "src"], &["--no-cone", "/*.txt", "/src/", "/.git*"]]
    {
        let hooks = "[hooks]\nrun_user_hooks = true\n";
        let check = "run = \"[ ! -e far/1.txt ] && [ -e src/lib.rs ]\"\n";
        let config = config("single").replace("run = \"! grep -rq BROKEN --exclude-dir=.git .\"\n", check) + hooks;
        let sandbox = Sandbox::new().with_agents(&config);
        for number in 0..100 {
            sandbox.write(&format!("far/{number}.txt"), format!("{number}\n"));
        }
        sandbox.task("api", "");
        sandbox.task("web", "");
        sandbox.commit("much, and the tasks");
        // A hook that looks for what is not staged, as pre-commit does.
        sandbox.write(".git/hooks/pre-commit", "#!/bin/sh\nexec git diff --exit-code --stat\n");
        let hook = sandbox.path().join(".git/hooks/pre-commit");
        std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a hook");
        sandbox.git(&[&["sparse-checkout", "set"], way].concat());
        assert!(!sandbox.path().join(".handoff").exists() && !sandbox.path().join("far").exists(), "{way:?}");
        let refused = sandbox.run(&["start"]);
        assert!(refused.expect(128).stderr.ends_with("hint: git sparse-checkout add .handoff\n"), "{}", refused.stderr);
        sandbox.git(&["sparse-checkout", "add", ".handoff"]);
        sandbox.script(
            "implement",
            "say \"files $(find . -type f ! -name .git | wc -l) status $(git status --porcelain | wc -l)\"
             echo $task > src/$task.txt; mkdir far; echo $task > far/$task.txt; rm -f .gitignore.not",
        );
        let users = sandbox.users();
        sandbox.run(&["start"]).expect(0);
        let mut landed = Branches::of(&sandbox).landed;
        landed.sort();
        assert_eq!(landed, ["api", "web"], "{way:?}");
        let told: Vec<_> = sandbox.log().into_iter().filter(|line| line.starts_with("files")).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        for line in told {
            let count: usize = line.split(' ').nth(1).and_then(|count| count.parse().ok()).expect("a number");
            assert!(count < 10 && line.ends_with("status 0"), "{way:?}: {line}");
        }
        let names = |words: &[&str]| {
            sandbox.git(words).lines().filter(|name| !name.contains(".handoff/")).map(str::to_owned).collect::<Vec<_>>()
        };
        let changed = names(&["diff", "--name-status", "main", "orchestrate/integration"]);
        assert_eq!(changed, ["A\tfar/api.txt", "A\tfar/web.txt", "A\tsrc/api.txt", "A\tsrc/web.txt"], "{way:?}");
        assert!(users == sandbox.users(), "{way:?}: something of the user's changed");
        sandbox.run(&["land"]).expect(0);
        assert_eq!(sandbox.read("src/api.txt"), "api\n");
        assert!(!sandbox.path().join("far").exists(), "{way:?}");
        assert_eq!(names(&["status", "--porcelain"]), [""; 0], "{way:?}");
        sandbox.run(&["verify"]).expect(0);
        sandbox.run(&["clean", "--all"]).expect(0);
        assert!(!sandbox.worktrees().exists(), "{way:?}");
    }
}

#[test]
fn plans_that_name_the_same_file_are_written_one_after_another() {
    let sandbox = sandbox("small", 2);
    sandbox.write(".handoff/workflows/small.toml", SMALL);
    sandbox.task("a", "");
    sandbox.task("b", "");
    let step = r#"{"id": "S1", "title": "One", "files": ["both.txt"]}"#;
    sandbox.script("plan", &format!("answer '{{\"structured\": {{\"steps\": [{step}]}}}}'"));
    sandbox.script("plan-review", "touch $home/planned-$task; answer '{\"structured\": {\"status\": \"approved\"}}'");
    sandbox.script("code-review", "answer '{\"structured\": {\"status\": \"approved\"}}'");
    // Both have a plan before anybody writes; were they written side by side, one would conflict and be written again.
    sandbox.script("implement", "await planned-a; await planned-b; echo $task >> both.txt");
    sandbox.run(&["start"]).expect(0);
    let branches = Branches::of(&sandbox);
    branches.check();
    let both = sandbox.git(&["show", "orchestrate/integration:both.txt"]);
    assert_eq!(both, branches.landed.join("\n"));
    for (task, steps) in &branches.steps {
        let phases: Vec<&str> = steps.iter().map(|(.., phase)| phase.as_str()).collect();
        assert_eq!(phases, ["plan", "plan-review", "implement/S1", "code-review/S1", "gate/S1"], "{task}");
    }
    sandbox.run(&["verify"]).expect(0);
}

#[test]
fn what_setup_makes_is_made_once_for_the_same_lock_file_whoever_needs_it() {
    let sandbox = sandbox("single", 3);
    let noted = sandbox.outside("noted");
    let setup = format!(
        "\n[worktrees]\nsetup = [{{ run = \"mkdir ignored && pwd > ignored/where && cat Cargo.lock > ignored/lock && \
         echo made >> '{0}'; sleep 0.2\", makes = [\"ignored\"] }}, \"echo each >> '{0}'\"]\n",
        noted.display()
    );
    sandbox.write("Cargo.lock", "1\n");
    let with_check = config("single").replace("jobs = 2", "jobs = 3").replace(
        "run = \"! grep -rq BROKEN --exclude-dir=.git .\"",
        "run = \"cmp Cargo.lock ignored/lock && [ ! -e ignored/poison ]\"\npristine = true",
    );
    sandbox.write(".handoff/config.toml", with_check + &setup);
    sandbox.commit("lock");
    let tasks = ["one", "two", "three"];
    tasks.iter().for_each(|task| sandbox.task(task, ""));
    // All three are there at once; what an agent does to its copy is seen by nobody else.
    sandbox.script(
        "implement",
        "cmp Cargo.lock ignored/lock || exit 1; touch ignored/poison
         touch $home/here-$task; for other in one two three; do await here-$other; done; note",
    );
    let times = |word: &str| {
        std::fs::read_to_string(&noted).expect("it was set up").lines().filter(|line| *line == word).count()
    };
    sandbox.run(&["start"]).expect(0);
    assert_eq!(times("made"), 1, "one of the workers made it for all");
    assert!(times("each") > 3, "{}", times("each"));
    let wheres: Vec<_> = (0..3)
        .map(|at| {
            std::fs::read_to_string(sandbox.worktrees().join(format!("worker-{at}/ignored/where"))).expect("made")
        })
        .collect();
    assert!(wheres.iter().all(|place| *place == wheres[0]), "{wheres:?}");
    sandbox.task("lock", "");
    sandbox.script("lock/implement", "cmp Cargo.lock ignored/lock && echo 2 > Cargo.lock");
    sandbox.run(&["start"]).expect(0);
    assert_eq!(times("made"), 2, "the gate's, for the new lock file");
    assert_eq!(Branches::of(&sandbox).landed.len(), 4);
    sandbox.run(&["clean", "--all"]).expect(0);
}
