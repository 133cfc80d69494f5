//! What our git hooks cost: those that have nothing to say, and the push of a thousand signed steps whose verdicts are kept.
//! Each is the program itself, started as git starts it. Fails nothing: timings are for people.
//!
//! `cargo bench --bench hooks [-- STEPS]`

#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

mod steps;

use std::{
    env, fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use git_orchestrate::{
    audit::Tip,
    config::parse::parse,
    gate::{Definition, Remembered},
    handoff::layout::LocalDir,
    model::record::{Check, CheckResult, GateVerdict},
};
use steps::{CONFIG, STEPS_A_TASK, World, git};

/// Steps that are pushed where none are asked for.
const STEPS_DEFAULT: usize = 1_000;
/// Times each hook is started.
const ROUNDS: usize = 25;
/// Times the push is judged by a machine that has not seen it.
const FIRST_ROUNDS: usize = 5;
/// The most that this project allows itself.
const NOTHING_MS_MAX: f64 = 15.0;
const PUSH_MS_MAX: f64 = 500.0;

/// No commit, where git tells of one.
const NONE: &str = "0000000000000000000000000000000000000000";

fn main() {
    let steps = env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(STEPS_DEFAULT);
    let dir = tempfile::tempdir().expect("a directory");
    let world = World::make(dir.path());
    let tips: Vec<Tip> = (0..steps.div_ceil(STEPS_A_TASK as usize)).map(|number| world.task(number)).collect();
    keep_verdict(&world);
    let other = dir.path().join("other.git");
    git(&world.place, &["init", "-q", "--bare", &other.to_string_lossy()]);
    git(&world.place, &["remote", "add", "other", &other.to_string_lossy()]);
    let message = world.place.join("message");
    fs::write(&message, "Say what is new\n\nAnd why it is.\n").expect("written");
    fs::write(world.place.join("new.txt"), "one line\n").expect("written");
    git(&world.place, &["read-tree", "HEAD"]);
    git(&world.place, &["add", "new.txt"]);

    let base = world.base;
    let started = |words: &[&str], input: &str| start(dir.path(), &world.place, words, input);
    let times = |words: &[&str], input: &str| sorted((0..ROUNDS).map(|_| started(words, input)));
    let push = ["hook", "pre-push", "other", "../other.git"];
    let topic = format!("refs/heads/topic {base} refs/heads/topic {NONE}\n");
    // On a machine that has other work the best of them is nearest to what the hook needs.
    println!("{:<44}{:>12}{:>12}{:>12}", "", "best", "median", "goal");
    tell("the program says its version", times(&["--version"], ""), NOTHING_MS_MAX);
    let commit_msg = ["hook", "commit-msg", message.to_str().expect("a plain path")];
    tell("commit-msg, an ordinary message", times(&commit_msg, ""), NOTHING_MS_MAX);
    tell("pre-commit, one new file", times(&["hook", "pre-commit"], ""), NOTHING_MS_MAX);
    tell("pre-push, nothing to push", times(&push, ""), NOTHING_MS_MAX);
    tell("pre-push, a branch without steps", times(&push, &topic), NOTHING_MS_MAX);

    let mut input = format!("refs/heads/main {base} refs/heads/main {NONE}\n");
    for tip in &tips {
        let name = tip.name.as_deref().expect("a branch");
        input.push_str(&format!("{name} {} {name} {NONE}\n", tip.commit));
    }
    let first = sorted((0..FIRST_ROUNDS).map(|_| {
        forget(&world);
        started(&push, &input)
    }));
    tell(&format!("pre-push, {steps} steps, for the first time"), first, PUSH_MS_MAX);
    tell(&format!("pre-push, {steps} steps, once more"), times(&push, &input), PUSH_MS_MAX);
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times
}

/// Makes the machine forget which steps it found right; verdicts are kept.
fn forget(world: &World) {
    let cache = fs::read_dir(LocalDir::new(world.repository.common_dir()).cache()).expect("verdicts are there");
    for entry in cache.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("audit-")) {
        fs::remove_file(entry.path()).expect("removed");
    }
}

/// The gate has passed what `main` stands at.
fn keep_verdict(world: &World) {
    let settings = parse(CONFIG, "").expect("a configuration");
    let definition = Definition::from_settings(&settings, "full").expect("a gate");
    let check = Check { name: "tests".into(), result: CheckResult::Pass, ..Check::default() };
    let verdict = GateVerdict {
        profile: "full".into(),
        definition: definition.digest,
        tree: world.repository.code_tree(world.base).expect("a tree"),
        result: CheckResult::Pass,
        remembered: false,
        against: None,
        why: String::new(),
        checks: vec![check],
    };
    let cache = LocalDir::new(world.repository.common_dir()).cache();
    Remembered::open(cache.join("gate")).put(&verdict).expect("written");
}

/// Starts the program as git would, and waits; it must be content.
fn start(home: &Path, place: &Path, words: &[&str], input: &str) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_git-orchestrate"));
    command.current_dir(place).args(words).env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("XDG_DATA_HOME", home.join("data")).env("GIT_CONFIG_NOSYSTEM", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let mut child = command.spawn().expect("it starts");
    // One that does not read is content too.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let took = began.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("runs"), "{words:?}: {said}");
    took
}

fn tell(what: &str, times: Vec<Duration>, goal_ms: f64) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (best, median) = (ms(times[0]), ms(times[times.len() / 2]));
    let told = if best <= goal_ms { "" } else { "  over its goal" };
    println!("{what:<44}{best:>9.1} ms{median:>9.1} ms{goal_ms:>9.0} ms{told}");
}
