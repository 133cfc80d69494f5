//! The pushed branches are all that another machine needs to go on.
//! Knows nothing of how a run came to be where it is.

use crate::{
    kit::{sandbox::Sandbox, state::Branches},
    scenario::Scenario,
};

/// Pushes all branches to a new bare repository and clones it on another machine.
fn elsewhere(sandbox: &Sandbox) -> Sandbox {
    let bare = sandbox.outside("bare.git");
    let url = bare.to_str().expect("a path in UTF-8");
    sandbox.git(&["init", "-q", "--bare", "-b", "main", url]);
    sandbox.git(&["push", "-q", url, "main", "refs/heads/orchestrate/*"]);
    sandbox.clone_elsewhere(&bare)
}

/// Kills a scenario's first command at a point; a clone of what it left goes on to the same end.
fn check(name: &str, kill: &str, code: i32) {
    let all = Scenario::all();
    let scenario = all.iter().find(|scenario| scenario.name == name).expect("a scenario");
    let sandbox = scenario.template.copy();
    let mut command = sandbox.command(scenario.acts[0].words);
    command.env("GIT_ORCHESTRATE_CRASH_AT", kill);
    assert!(sandbox.run_command(command).was_killed(), "{name} does not pass {kill}");
    let before = Branches::of(&sandbox);

    let clone = elsewhere(&sandbox);
    clone.run(&["resume"]).expect(code);
    let after = Branches::of(&clone);
    after.check();
    after.check_keeps(&before);
    for task in before.steps.keys() {
        assert!(after.landed.contains(task), "{task} has not landed: {:?}", after.landed);
    }
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
    assert_eq!(crate::kit::state::git_problems(&clone), "");
    clone.run(&["log", "--json"]).expect(0);
}

#[test]
fn a_clone_without_our_files_in_its_checkout_goes_on() {
    check("single", "step.committed:2", 0);
}

#[test]
fn a_clone_goes_on_after_something_has_landed() {
    check("single", "land.published:1", 0);
}

#[test]
fn a_clone_of_a_committed_queue_goes_on_in_the_middle_of_a_plan() {
    check("standard", "step.committed:4", 0);
}
