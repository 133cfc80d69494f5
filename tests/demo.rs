//! The demo as a user gives it: the built program, a machine with git and Rust, no account, no terminal, no settings.
//! Proves that the main job runs on real input: real gates, real commits, signatures that git itself finds good.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A machine whose user has no settings, in a directory of its own.
struct Machine {
    dir: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("home")).expect("made");
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().expect("it is there").join(name)
    }

    fn run(&self, program: impl AsRef<std::ffi::OsStr>, cwd: &Path, words: &[&str]) -> Output {
        let own = |name: &str, below: &str| {
            let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
            std::env::var_os(name).map_or_else(|| home.join(below), PathBuf::from)
        };
        let mut command = Command::new(program);
        command.current_dir(cwd).args(words).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.path("home"));
        // Where Rust is; everything else of the user's stays out.
        command.env("CARGO_HOME", own("CARGO_HOME", ".cargo")).env("RUSTUP_HOME", own("RUSTUP_HOME", ".rustup"));
        for name in ["RUSTUP_TOOLCHAIN", "TMPDIR"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
        command.output().expect("it starts")
    }

    fn orchestrate(&self, cwd: &Path, words: &[&str]) -> Output {
        self.run(env!("CARGO_BIN_EXE_git-orchestrate"), cwd, words)
    }

    #[track_caller]
    fn git(&self, cwd: &Path, words: &[&str]) -> String {
        let output = self.run("git", cwd, words);
        assert!(output.status.success(), "git {words:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every file below a directory but for git's own, with its content.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).expect("it can be read") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() && !path.ends_with(".git") {
                open.push(path);
            } else if path.is_file() {
                found.insert(path.clone(), fs::read(&path).expect("it can be read"));
            }
        }
    }
    found
}

/// The steps of a task as `<phase> <attempt> <outcome> <family of the model>`.
fn steps(log: &Value, task: &str) -> Vec<String> {
    let tasks = log["tasks"].as_array().expect("tasks");
    let task = tasks.iter().find(|log| log["task"] == task).expect("the task");
    let shown = |step: &Value| {
        let word = |key: &str| step[key].as_str().unwrap_or_default().split('-').next().unwrap_or_default().to_owned();
        let phase = step["phase"].as_str().expect("a phase");
        format!("{phase} {} {} {}", step["attempt"], word("outcome"), word("model")).trim_end().to_owned()
    };
    task["steps"].as_array().expect("steps").iter().map(shown).collect()
}

/// The user's branch and files are as they were before the run: the tests that the tasks are about still fail there.
fn checkout_is_untouched(machine: &Machine, root: &Path) {
    assert_eq!(machine.git(root, &["status", "--porcelain"]), "");
    assert_eq!(machine.git(root, &["rev-list", "--count", "HEAD"]), "2\n");
    assert_eq!(machine.git(root, &["symbolic-ref", "HEAD"]), "refs/heads/main\n");
    let before = files(root);
    machine.orchestrate(root, &["start"]);
    assert_eq!(files(root), before, "a second run finds nothing to do");
    let tests = machine.run("cargo", root, &["test", "--offline", "--locked", "--no-fail-fast"]);
    let out = text(&tests.stdout);
    assert_eq!(out.matches(" ... FAILED").count(), 3, "three tests fail before the tasks are done:\n{out}");
}

#[test]
fn the_main_job_runs_on_a_fresh_machine() {
    let machine = Machine::new();
    let root = machine.path("tryout");
    let shown = machine.orchestrate(&machine.path(""), &["demo", "--dir", "tryout"]);
    let (out, err) = (text(&shown.stdout), text(&shown.stderr));
    assert!(shown.status.success(), "{:?}\n{out}\n{err}", shown.status);

    checkout_is_untouched(&machine, &root);
    let log = machine.orchestrate(&root, &["log", "--json"]);
    let log: Value = serde_json::from_slice(&log.stdout).expect("one JSON object");
    for task in log["tasks"].as_array().expect("tasks") {
        assert_eq!(task["state"], "landed", "{task}");
        for step in task["steps"].as_array().expect("steps") {
            assert_eq!(step["signature"]["state"], "good", "{step}");
        }
    }
    assert_eq!(
        steps(&log, "hours"),
        [
            "plan 1 done claude",
            "plan-review 1 done gemini",
            "implement/S1 1 done claude",
            "code-review/S1 1 done gemini",
            "gate/S1 1 failed",
            "implement/S1 2 done claude",
            "code-review/S1 2 done gemini",
            "gate/S1 2 done",
        ],
        "the real gate refuses the first attempt"
    );
    let share = steps(&log, "share");
    let before = [
        "plan 1 done claude",
        "plan-review 1 done gemini",
        "implement/S1 1 done gemini",
        "code-review/S1 1 changes claude",
        "implement/S1 2 done gemini",
        "code-review/S1 2 done claude",
        "gate/S1 1 done",
        "implement/S2 1 done gemini",
        "code-review/S2 1 done claude",
        "gate/S2 1 done",
    ];
    assert_eq!(share[..before.len()], before, "a review asks for a change");
    let total = steps(&log, "total");
    // Which of the two lands first is a matter of speed; the other one is done again on top of it.
    let (later, phase) = if share.len() > before.len() { (&share, "S2") } else { (&total, "S1") };
    let conflict = later.iter().position(|step| step == "land 1 failed").expect("the two conflict");
    assert!(later[conflict + 1].starts_with(&format!("implement/{phase} 2 done")), "{later:?}");
    assert_eq!(later.last().map(String::as_str), Some(format!("gate/{phase} 2 done").as_str()));

    let commits = machine.git(&root, &["rev-list", "main..orchestrate/integration"]);
    let commits: Vec<&str> = commits.lines().collect();
    assert!(commits.len() >= 30, "{} commits", commits.len());
    let mut words = vec!["-c", "gpg.ssh.allowedSignersFile=.handoff/allowed_signers", "verify-commit"];
    words.extend(&commits);
    machine.git(&root, &words);
    assert!(out.contains(&format!("{} commits, each with this good signature", commits.len())), "{out}");
    for told in ["gate refused the work", "asked for a change", "conflicts with what has landed", "rm -rf "] {
        assert!(out.contains(told), "'{told}' is not told:\n{out}");
    }

    // What landed is whole: both changes are there, and all tests pass.
    let landed = machine.path("landed");
    machine
        .git(&root, &["worktree", "add", "--quiet", "--detach", &landed.to_string_lossy(), "orchestrate/integration"]);
    let tests = machine.run("cargo", &landed, &["test", "--offline", "--locked"]);
    assert!(tests.status.success(), "{}", text(&tests.stdout));
    let report = fs::read_to_string(landed.join("src/report.rs")).expect("it is there");
    assert!(report.contains("percent(") && report.contains("\"total\""), "{report}");
    let home: Vec<_> = files(&machine.path("home")).into_keys().collect();
    assert_eq!(home, Vec::<PathBuf>::new(), "nothing of the user's is written");
}

#[test]
fn a_directory_that_holds_something_is_refused() {
    let machine = Machine::new();
    let full = machine.path("full");
    fs::create_dir(&full).expect("made");
    fs::write(full.join("mine"), "mine").expect("written");
    let refused = machine.orchestrate(&machine.path(""), &["demo", "--dir", "full"]);
    assert_eq!(refused.status.code(), Some(128));
    let said = format!("fatal: '{}' is not empty\nhint: git orchestrate demo --dir <new directory>\n", full.display());
    assert_eq!(text(&refused.stderr), said);
    assert_eq!(files(&full).len(), 1);
}
