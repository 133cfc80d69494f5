//! What the user does in the repository while a run is at work.
//! Knows nothing of crashes: the run lives through all of it.

use crate::kit::{
    agents::config,
    program::wait_until,
    sandbox::Sandbox,
    state::{Branches, git_problems},
};

/// A task whose gate refuses the first attempt and whose second waits for a file, and one after it with the same worker.
fn waiting() -> Sandbox {
    let sandbox = Sandbox::new().with_agents(&config("single").replace("jobs = 2", "jobs = 1"));
    sandbox.task("a", "priority = 5\n");
    sandbox.task("b", "");
    let script = "note; echo BROKEN > a.txt; if [ $attempt = 2 ]; then echo fixed > a.txt; await go; fi";
    sandbox.script("a/implement", script);
    sandbox.script("b/implement", "note; ls > b.txt");
    sandbox
}

fn in_the_second_attempt(sandbox: &Sandbox) {
    wait_until("the second attempt", || (sandbox.tokens().len() == 2).then_some(()));
}

fn go(sandbox: &Sandbox) {
    std::fs::write(sandbox.outside("go"), "").expect("written");
}

#[test]
fn a_task_branch_that_is_deleted_breaks_its_task_only() {
    let sandbox = waiting();
    let run = sandbox.begin(&["start"]);
    in_the_second_attempt(&sandbox);
    let first = sandbox.git(&["rev-parse", "orchestrate/task/a"]);
    sandbox.git(&["branch", "-q", "-D", "orchestrate/task/a"]);
    go(&sandbox);
    let ended = run.end();
    ended.expect(1);
    assert!(ended.stdout.contains("deleted") || ended.stderr.contains("deleted"), "{ended:?}");
    // The next task had the same worktree: nothing of the other's work is in it.
    let others = sandbox.git(&["show", "orchestrate/task/b:b.txt"]);
    assert!(!others.contains("a.txt"), "{others}");
    let notes = sandbox.git(&["ls-tree", "--name-only", "orchestrate/task/b", "notes/"]);
    assert_eq!(notes, "notes/b.txt");
    sandbox.git(&["branch", "rescued", &first]);
    assert_eq!(sandbox.lost_tokens(), Vec::<String>::new());
    // It begins anew.
    sandbox.run(&["resume"]).expect(0);
    assert_eq!(sandbox.git(&["show", "orchestrate/integration:a.txt"]), "fixed");
    Branches::of(&sandbox).check();
    assert_eq!(git_problems(&sandbox), "");
}

#[test]
fn a_task_branch_that_somebody_wrote_to_is_not_overwritten() {
    let sandbox = waiting();
    let run = sandbox.begin(&["start"]);
    in_the_second_attempt(&sandbox);
    let tree = sandbox.git(&["rev-parse", "main^{tree}"]);
    let theirs = sandbox.git(&["commit-tree", &tree, "-p", "orchestrate/task/a", "-m", "mine"]);
    sandbox.git(&["update-ref", "refs/heads/orchestrate/task/a", &theirs]);
    go(&sandbox);
    run.end().expect(1);
    assert_eq!(sandbox.git(&["rev-parse", "orchestrate/task/a"]), theirs);
    assert_eq!(sandbox.lost_tokens(), Vec::<String>::new());
    assert_eq!(Branches::of(&sandbox).landed, ["b"]);
}

#[test]
fn the_users_branch_moves_on_and_landing_brings_both_together() {
    let sandbox = waiting();
    let run = sandbox.begin(&["start"]);
    in_the_second_attempt(&sandbox);
    sandbox.git(&["checkout", "-q", "-b", "topic"]);
    sandbox.write("mine.txt", "mine\n");
    sandbox.git(&["add", "mine.txt"]);
    sandbox.git(&["commit", "-q", "-m", "mine"]);
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "theirs", "topic"]);
    let users = sandbox.users();
    go(&sandbox);
    run.end().expect(0);
    assert!(users == sandbox.users(), "something of the user's changed");
    sandbox.run(&["land"]).expect(0);
    assert_eq!((sandbox.read("mine.txt"), sandbox.read("a.txt")), ("mine\n".to_owned(), "fixed\n".to_owned()));
    let status = sandbox.git(&["status", "--porcelain"]);
    assert!(status.lines().all(|line| line.starts_with("?? .handoff/")), "{status}");
}

#[test]
fn git_tidies_up_all_the_time_meanwhile() {
    let sandbox = Sandbox::new().with_agents(&config("single").replace("jobs = 2", "jobs = 4"));
    let tasks: Vec<String> = (10..22).map(|number| format!("t{number}")).collect();
    for task in &tasks {
        sandbox.task(task, "");
    }
    sandbox.script("implement", "note; echo $task > $task.txt");
    let mut run = sandbox.begin(&["start"]);
    while !run.has_ended() {
        for words in [
            &["pack-refs", "--all", "--prune"][..],
            // Not `-a`: that throws away what no ref names yet, also what is being made, git's own included.
            &["repack", "-A", "-d", "-q"],
            &["gc", "-q"],
            &["worktree", "prune"],
        ] {
            // Both lock packed-refs now and then; git gives up then, and so may we here.
            let _ = sandbox.try_git(words);
        }
    }
    run.end().expect(0);
    let branches = Branches::of(&sandbox);
    branches.check();
    assert_eq!(branches.landed.len(), tasks.len());
    assert_eq!(git_problems(&sandbox), "");
}
