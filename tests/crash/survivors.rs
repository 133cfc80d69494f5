//! The orchestrator is killed and its agents live on: the next run ends them, and nothing else.
//! Knows nothing of where exactly it was killed.

use std::{fs, process::Command, time::Duration};

use rustix::process::Signal;

use crate::kit::{agents::config, program::wait_until, sandbox::Sandbox};

/// The first run of it cannot be ended by asking, and has started something that left its session; the second works.
const STUBBORN: &str = r#"
if [ -e "$home/again" ]; then echo $task > $task.txt; else
    : > "$home/again"
    trap '' TERM HUP INT
    setsid sh -c 'trap "" TERM; while :; do sleep 0.1; done' &
    note
    while :; do sleep 0.1; done
fi
"#;

fn stubborn() -> Sandbox {
    let sandbox = Sandbox::new().with_agents(&config("single"));
    sandbox.task("a", "");
    sandbox.script("implement", STUBBORN);
    sandbox
}

/// Begins a run and returns when its agent has written something.
fn begun(sandbox: &Sandbox) -> crate::kit::program::Background {
    let run = sandbox.begin(&["start"]);
    wait_until("the agent writes", || (!sandbox.tokens().is_empty()).then_some(()));
    // Whose work is in a worktree is written down at intervals.
    wait_until("it says who works", || sandbox.status()["workers"][0]["task"].is_string().then_some(()));
    run
}

#[track_caller]
fn check_goes_on(sandbox: &Sandbox) {
    let ended = sandbox.run(&["resume"]);
    ended.expect(0);
    assert!(ended.stderr.contains("outlived it"), "{}", ended.stderr);
    assert_eq!(sandbox.processes(), []);
    assert_eq!(sandbox.lost_tokens(), Vec::<String>::new());
    assert_eq!(sandbox.git(&["show", "orchestrate/integration:a.txt"]), "a");
    let kept = sandbox.git(&["for-each-ref", "--format=%(refname)", "refs/orchestrate/salvage"]);
    assert_eq!(kept, "refs/orchestrate/salvage/a/1");
}

#[test]
fn an_agent_that_outlives_its_orchestrator_is_ended_and_its_work_kept() {
    let sandbox = stubborn();
    begun(&sandbox).kill();
    assert!(sandbox.processes().len() >= 2, "they live on: {:?}", sandbox.processes());
    check_goes_on(&sandbox);
}

#[test]
fn agents_are_found_even_when_everything_local_is_gone() {
    let sandbox = stubborn();
    begun(&sandbox).kill_group();
    fs::remove_dir_all(sandbox.local()).expect("removed");
    let ended = sandbox.run(&["resume"]);
    ended.expect(0);
    assert_eq!(sandbox.processes(), []);
    assert_eq!(sandbox.lost_tokens(), Vec::<String>::new());
    assert_eq!(sandbox.git(&["show", "orchestrate/integration:a.txt"]), "a");
}

#[test]
fn after_a_restart_of_the_machine_nobody_elses_process_is_ended() {
    let sandbox = stubborn();
    begun(&sandbox).kill();
    let records = sandbox.local().join("children");
    let record = fs::read_dir(&records).expect("records").flatten().next().expect("one").path();
    let text = fs::read_to_string(&record).expect("a record");
    let mut record: serde_json::Value = serde_json::from_str(&text).expect("JSON");

    // Of a boot before this one, of a process whose number another has now, and one that a crash cut short.
    let mut innocent = Command::new("sleep").arg("60").spawn().expect("it starts");
    let write = |name: &str, text: &str| fs::write(records.join(name), text).expect("written");
    record["pid"] = innocent.id().into();
    record["pgid"] = innocent.id().into();
    record["start_time"] = git_orchestrate::sys::machine::process_start(innocent.id()).into();
    record["boot_id"] = "another".into();
    write("7001.json", &record.to_string());
    record["boot_id"] = git_orchestrate::sys::machine::boot_id().into();
    record["start_time"] = 1.into();
    write("7002.json", &record.to_string());
    write("7003.json", &text[..text.len() / 2]);

    check_goes_on(&sandbox);
    assert!(innocent.try_wait().expect("a child").is_none(), "it was ended");
    innocent.kill().expect("it runs");
    innocent.wait().expect("it ends");
    assert_eq!(fs::read_dir(&records).expect("records").count(), 0);
}

#[test]
fn a_third_signal_ends_it_at_once_and_the_next_run_clears_up() {
    let sandbox = stubborn();
    let run = begun(&sandbox);
    for words in ["finish", "now"] {
        run.signal(Signal::INT);
        wait_until(words, || (run.stderr().matches("stopping").count() > usize::from(words == "now")).then_some(()));
    }
    let began = std::time::Instant::now();
    run.signal(Signal::INT);
    run.end().expect(130);
    // The agent does not heed TERM, and would have been waited for.
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    check_goes_on(&sandbox);
}
