//! Stopped in good order: by signals, by `stop`, by another run that finds the repository taken.
//! Knows nothing of crashes.

use rustix::process::Signal;

use crate::kit::{
    agents::config,
    program::{Background, wait_until},
    sandbox::Sandbox,
};

/// Two tasks and one worker. The agent of the first waits for a file before it ends.
fn waiting() -> Sandbox {
    let sandbox = Sandbox::new().with_agents(&config("single").replace("jobs = 2", "jobs = 1"));
    sandbox.task("a", "");
    sandbox.task("b", "");
    sandbox.script("implement", "note; echo $task > $task.txt; [ $task = b ] || await go");
    sandbox
}

fn begun(sandbox: &Sandbox) -> Background {
    let run = sandbox.begin(&["start"]);
    wait_until("the agent writes", || (!sandbox.tokens().is_empty()).then_some(()));
    run
}

fn go(sandbox: &Sandbox) {
    std::fs::write(sandbox.outside("go"), "").expect("written");
}

fn is_stopping(run: &Background) {
    wait_until("it says that it stops", || run.stderr().contains("stopping").then_some(()));
}

/// The step that was being made is there and nothing else was begun; the next run does the rest.
#[track_caller]
fn check_finished(sandbox: &Sandbox) {
    let runs = sandbox.agent_runs("start");
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(sandbox.git(&["show", "orchestrate/task/a:a.txt"]), "a");
    check_goes_on(sandbox, 2);
}

/// What was being made is kept aside; the next run makes it again.
#[track_caller]
fn check_stopped_now(sandbox: &Sandbox) {
    assert_eq!(sandbox.lost_tokens(), Vec::<String>::new());
    let kept = sandbox.git(&["for-each-ref", "--format=%(refname)", "refs/orchestrate/salvage"]);
    assert_eq!(kept, "refs/orchestrate/salvage/a/1");
    assert!(sandbox.try_git(&["rev-parse", "--verify", "-q", "orchestrate/task/a"]).is_err(), "no step was made");
    go(sandbox);
    check_goes_on(sandbox, 3);
}

#[track_caller]
fn check_goes_on(sandbox: &Sandbox, runs: usize) {
    assert_eq!(sandbox.processes(), []);
    sandbox.run(&["resume"]).expect(0);
    assert_eq!(sandbox.agent_runs("start").len(), runs);
    for task in ["a", "b"] {
        assert_eq!(sandbox.git(&["show", &format!("orchestrate/integration:{task}.txt")]), task);
    }
    assert_eq!(sandbox.lost_tokens(), Vec::<String>::new());
}

fn check_signal_once(signal: Signal) {
    let sandbox = waiting();
    let run = begun(&sandbox);
    run.signal(signal);
    is_stopping(&run);
    go(&sandbox);
    run.end().expect(128 + signal.as_raw());
    check_finished(&sandbox);
}

#[test]
fn one_ctrl_c_lets_running_steps_finish() {
    check_signal_once(Signal::INT);
}

#[test]
fn a_termination_lets_running_steps_finish_too() {
    check_signal_once(Signal::TERM);
}

#[test]
fn two_ctrl_c_stop_at_once_and_keep_the_work() {
    let sandbox = waiting();
    let run = begun(&sandbox);
    run.signal(Signal::INT);
    is_stopping(&run);
    run.signal(Signal::INT);
    run.end().expect(130);
    check_stopped_now(&sandbox);
}

#[test]
fn stop_lets_running_steps_finish() {
    let sandbox = waiting();
    let run = begun(&sandbox);
    sandbox.run(&["stop"]).expect(0);
    is_stopping(&run);
    go(&sandbox);
    run.end().expect(0);
    check_finished(&sandbox);
}

#[test]
fn stop_now_stops_at_once_and_keeps_the_work() {
    let sandbox = waiting();
    let run = begun(&sandbox);
    sandbox.run(&["stop", "--now"]).expect(0);
    run.end().expect(0);
    check_stopped_now(&sandbox);
}

#[test]
fn stop_now_is_heard_after_one_ctrl_c() {
    let sandbox = waiting();
    let run = begun(&sandbox);
    run.signal(Signal::INT);
    is_stopping(&run);
    sandbox.run(&["stop", "--now"]).expect(0);
    run.end().expect(130);
    check_stopped_now(&sandbox);
}

#[test]
fn nothing_to_stop_is_said() {
    let sandbox = waiting();
    let ended = sandbox.run(&["stop"]);
    ended.expect(4);
    assert!(ended.stderr.contains("no run is at work"), "{}", ended.stderr);
}

#[test]
fn a_second_run_is_told_who_holds_the_repository() {
    let sandbox = waiting();
    let run = begun(&sandbox);
    let pid = run.pid().as_raw_nonzero().to_string();
    for words in [vec!["start"], vec!["resume"], vec!["land"], vec!["clean"], vec!["start", "--dry-run"]] {
        let ended = sandbox.run(&words);
        ended.expect(6);
        assert!(ended.stderr.contains(&format!("pid {pid}")), "{words:?}: {}", ended.stderr);
    }
    // It is written down at intervals.
    let view = wait_until("it says who works", || {
        let view = sandbox.status();
        view["workers"][0].is_object().then_some(view)
    });
    assert_eq!(view["run"]["pid"].to_string(), pid, "{view:#}");
    assert_eq!(view["workers"].as_array().map(Vec::len), Some(1), "{view:#}");
    assert_eq!(view["workers"][0]["task"], "a");
    assert_eq!(view["workers"][0]["phase"], "implement");
    go(&sandbox);
    run.end().expect(0);
    let view = sandbox.status();
    assert!(view["run"].is_null() && view["workers"].as_array().is_some_and(Vec::is_empty), "{view:#}");
}
