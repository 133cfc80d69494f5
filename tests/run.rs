//! Ordinary runs from end to end: what they leave on the branches, how they end, and that no task is lost or doubled.
//! Knows nothing of crashes.

#[expect(dead_code, reason = "each test binary uses a part of the kit")]
mod kit;

use kit::{
    agents::config,
    sandbox::Sandbox,
    state::{Branches, git_problems},
};

fn sandbox(workflow: &str, jobs: u32) -> Sandbox {
    Sandbox::new().with_agents(&config(workflow).replace("jobs = 2", &format!("jobs = {jobs}")))
}

#[test]
fn sixteen_tasks_with_eight_workers_land_once_each() {
    for round in 0..3 {
        let config = config("single").replace("jobs = 2", "jobs = 8\nland_rounds = 20");
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
    kit::program::wait_until("it lands", || {
        let text = sandbox.try_git(&["show", "orchestrate/integration:a.txt"]);
        (text.as_deref() == Ok("a")).then_some(())
    });
}
