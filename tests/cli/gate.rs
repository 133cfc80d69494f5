//! `gate`: a commit, the index or the files are judged, in repositories of every kind, with and without a configuration.

use std::{fs, path::Path};

use serde_json::Value;
use snapbox::str;

use crate::sandbox::{Ran, Sandbox};

/// A check that prints what stands in a file and ends as another one says.
const CONFIG: &str = "version = 1\n[[gate.full.check]]\nname = \"test\"\nrun = 'cat out; exit \"$(cat code)\"'\n";

/// A repository whose one commit passes.
fn green() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".handoff/config.toml", CONFIG);
    tests(&sandbox, "ok 1 - a\nok 2 - b\n1..2\n", 0);
    commit(&sandbox, "one");
    sandbox
}

/// What its tests say from here on, as TAP.
fn tests(sandbox: &Sandbox, out: &str, code: u8) {
    sandbox.write("out", out);
    sandbox.write("code", &code.to_string());
}

fn red(sandbox: &Sandbox) {
    tests(sandbox, "ok 1 - a\nnot ok 2 - b\n1..2\n", 1);
}

fn commit(sandbox: &Sandbox, message: &str) {
    sandbox.git(&["add", "--all"]);
    sandbox.git(&["commit", "--quiet", "-m", message]);
}

fn at(sandbox: &Sandbox, directory: &Path, words: &[&str]) -> Ran {
    let mut command = sandbox.orchestrate(&[&["gate"], words].concat());
    command.current_dir(directory);
    sandbox.end(command)
}

fn git_at(sandbox: &Sandbox, directory: &Path, words: &[&str]) {
    let mut command = sandbox.command("git");
    command.current_dir(directory).args(["-c", "protocol.file.allow=always"]).args(words);
    let ran = sandbox.end(command);
    assert_eq!(ran.code, 0, "git {words:?}: {}", ran.stderr);
}

#[test]
fn what_got_worse_is_named_and_the_second_question_is_remembered() {
    let sandbox = green();
    sandbox.run(&["gate"]).is(
        0,
        str![[r#"
gate 'full' on tree [..]: pass
pass  test  [..]  (2 tests)

"#]],
        "",
    );
    red(&sandbox);
    commit(&sandbox, "two");
    let refused = |remembered: &str| {
        format!(
            "gate 'full' on tree [..], beside [..]: fail{remembered}\nfail  test  [..]  test 'b' fails  (2 tests, 1 failed)\n    \
             - b  (tests)\n    all of its output: [SANDBOX]/repo/.git/orchestrate/log/gate/[..]-test.log\n"
        )
    };
    sandbox.run(&["gate"]).is(1, refused(""), "");
    sandbox.run(&["gate"]).is(1, refused(", remembered"), "");
    sandbox.run(&["gate", "--fresh"]).is(1, refused(""), "");
    sandbox.run(&["gate", "HEAD~1"]).is(0, "[..]: pass[..]\npass  test  [..]  (2 tests)\n", "");
    // Red before and red now.
    commit_of(&sandbox, "readme", "words\n");
    sandbox.run(&["gate"]).is(
        0,
        str![[r#"
gate 'full' on tree [..], beside [..]: pass
pass  test  [..]  1 test fails on the base too  (2 tests, 1 failed)

"#]],
        "",
    );
    assert_eq!(sandbox.run(&["gate", "--against", "HEAD~2"]).code, 1);
}

fn commit_of(sandbox: &Sandbox, file: &str, content: &str) {
    sandbox.write(file, content);
    commit(sandbox, file);
}

#[test]
fn the_index_and_the_files_are_judged_and_not_touched() {
    let sandbox = green();
    red(&sandbox);
    sandbox.git(&["add", "--all"]);
    tests(&sandbox, "ok 1 - a\nok 2 - b\nok 3 - c\n1..3\n", 0);
    sandbox.write("new", "not known to git");
    let status = sandbox.status();
    let index = || fs::read(sandbox.repository().join(".git/index")).expect("the index");
    let before = index();
    let staged = sandbox.run(&["gate", "--staged"]);
    assert_eq!(staged.code, 1, "{}{}", staged.stdout, staged.stderr);
    assert!(staged.stdout.contains("test 'b' fails"), "{}", staged.stdout);
    let files = sandbox.run(&["gate", "--worktree"]);
    assert_eq!((files.code, files.stderr.as_str()), (0, ""));
    assert!(files.stdout.contains("(3 tests)"), "{}", files.stdout);
    let head = sandbox.run(&["gate"]);
    assert_eq!(head.code, 0);
    assert_eq!(head.stderr, "3 files with uncommitted changes: judged is the commit; --worktree judges the files\n");
    assert_eq!((index(), sandbox.status()), (before, status));
    assert_eq!(sandbox.run(&["gate", "--staged", "--worktree"]).code, 129);
}

#[test]
fn it_is_of_use_without_any_configuration() {
    let sandbox = Sandbox::new();
    sandbox.program("npm", "cat out; exit \"$(cat code)\"");
    sandbox.write("package.json", r#"{"scripts": {"test": "node --test"}}"#);
    tests(&sandbox, "ok 1 - a\n1..1\n", 0);
    commit(&sandbox, "one");
    sandbox.run(&["gate"]).is(
        0,
        "gate 'full' on tree [..]: pass\npass  tests  [..]  (1 test)\n",
        "no '.handoff/config.toml' here; the gate is npm test (by package.json)\n",
    );
    assert!(!sandbox.repository().join(".handoff").exists(), "nothing is made");
    assert_eq!(sandbox.status(), "");
    // Nobody finds out by which command to test.
    let sandbox = Sandbox::new();
    commit_of(&sandbox, "a", "a");
    sandbox.run(&["gate"]).is(
        128,
        "",
        str![[r#"
fatal: there is no '.handoff/config.toml', and no command that tests this project was found
hint: git orchestrate init --gate '<command>'

"#]],
    );
}

#[test]
fn before_the_first_commit_the_index_and_the_files_can_be_judged() {
    let sandbox = Sandbox::new();
    sandbox.write(".handoff/config.toml", CONFIG);
    red(&sandbox);
    sandbox.run(&["gate"]).is(128, "", "fatal: there is no commit yet\nhint: git orchestrate gate --worktree\n");
    let files = sandbox.run(&["gate", "--worktree"]);
    assert_eq!(files.code, 1, "{}{}", files.stdout, files.stderr);
    tests(&sandbox, "ok 1 - a\n1..1\n", 0);
    sandbox.git(&["add", "--all"]);
    assert_eq!(sandbox.run(&["gate", "--staged"]).code, 0);
}

#[test]
fn a_detached_head_a_bare_repository_a_linked_worktree_and_a_shallow_clone_are_judged() {
    let sandbox = green();
    red(&sandbox);
    commit(&sandbox, "two");
    let clone = |words: &[&str], name: &str| {
        let (from, to) = (format!("file://{}", sandbox.repository().display()), sandbox.path(name));
        let words = [&["clone", "--quiet"], words, &[from.as_str(), to.to_str().expect("text")]].concat();
        git_at(&sandbox, &sandbox.path(""), &words);
        to
    };
    let detached = clone(&[], "detached");
    git_at(&sandbox, &detached, &["checkout", "--quiet", "--detach"]);
    assert_eq!(at(&sandbox, &detached, &[]).code, 1);
    git_at(&sandbox, &detached, &["worktree", "add", "--quiet", "../linked", "HEAD~1"]);
    let linked = at(&sandbox, &sandbox.path("linked"), &[]);
    assert_eq!(linked.code, 0, "{}{}", linked.stdout, linked.stderr);

    let bare = clone(&["--bare"], "bare");
    assert_eq!(at(&sandbox, &bare, &[]).code, 1);
    at(&sandbox, &bare, &["--staged"]).is(
        128,
        "",
        str![[r#"
fatal: this repository has no working tree, and so nothing that is not committed
hint: git orchestrate gate <commit>

"#]],
    );

    // As build servers clone: what is red cannot be known to be old.
    let shallow = clone(&["--depth", "1"], "shallow");
    let ran = at(&sandbox, &shallow, &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.starts_with("warning: this clone is shallow and has no commit to compare with"),
        "{}",
        ran.stderr
    );
    git_at(&sandbox, &shallow, &["fetch", "--quiet", "--deepen=1"]);
    let deeper = at(&sandbox, &shallow, &[]);
    assert!(deeper.stdout.contains(", beside "), "{}", deeper.stdout);
}

#[test]
fn submodules_are_there_when_the_setup_brings_them() {
    let sandbox = green();
    fs::create_dir(sandbox.path("lib")).expect("made");
    git_at(&sandbox, &sandbox.path("lib"), &["init", "--quiet"]);
    fs::write(sandbox.path("lib/code"), "0").expect("written");
    git_at(&sandbox, &sandbox.path("lib"), &["add", "code"]);
    git_at(&sandbox, &sandbox.path("lib"), &["commit", "--quiet", "-m", "lib"]);
    git_at(&sandbox, &sandbox.repository(), &["submodule", "--quiet", "add", "../lib", "lib"]);
    let setup = "[worktrees]\nsetup = ['git -c protocol.file.allow=always submodule --quiet update --init']\n";
    sandbox.write(".handoff/config.toml", &(CONFIG.replace("cat code", "cat lib/code") + setup));
    commit(&sandbox, "two");
    commit_of(&sandbox, "readme", "words\n");
    let ran = sandbox.run(&["gate"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.status(), "");
}

#[test]
fn what_could_not_run_is_neither_pass_nor_fail() {
    let sandbox = green();
    sandbox.write(".handoff/config.toml", &CONFIG.replace("cat out; ", "no-such-program || exit 127; "));
    commit(&sandbox, "two");
    commit_of(&sandbox, "readme", "more words\n");
    sandbox.run(&["gate"]).is(
        3,
        str![[r#"
gate 'full' on tree [..]: infra
infra  test  [..]  no program 'no-such-program'
    [..]no-such-program: [..]not found
    all of its output: [..]

"#]],
        str![[r#"
warning: a check could not run
hint: mend what stands in the way of the check, then try again; nothing is said of the code

"#]],
    );
    assert!(!sandbox.run(&["gate"]).stdout.contains("remembered"), "what was not judged is asked again");
}

#[test]
fn build_servers_are_told_in_their_own_forms() {
    let sandbox = green();
    red(&sandbox);
    commit(&sandbox, "two");
    let json: Value = serde_json::from_str(&sandbox.run(&["gate", "--json"]).stdout).expect("JSON");
    assert_eq!((&json["schema"], &json["result"]), (&1.into(), &"fail".into()));
    assert_eq!(json["checks"][0]["findings"][0]["what"], "b");
    let ran = sandbox.run(&["gate", "--sarif"]);
    let sarif: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((ran.code, &sarif["version"]), (1, &"2.1.0".into()));
    assert_eq!(sarif["runs"][0]["results"][0]["message"]["text"], "test: b (tests)");
    let junit = sandbox.run(&["gate", "--junit"]);
    assert_eq!(junit.code, 1);
    assert!(junit.stdout.contains("tests=\"1\" failures=\"1\" errors=\"0\""), "{}", junit.stdout);
    assert_eq!(sandbox.run(&["gate", "--junit", "--sarif"]).code, 129);
}

#[test]
fn the_size_of_the_change_chooses_and_wrong_names_are_told() {
    let sandbox = green();
    let more = "[[gate.docs.check]]\nname = \"spelling\"\nrun = \"true\"\n[gate_auto]\ntrivial = \"docs\"\n";
    sandbox.write(".handoff/config.toml", &(CONFIG.to_owned() + more));
    commit(&sandbox, "two");
    commit_of(&sandbox, "README.md", "words\n");
    let ran = sandbox.run(&["gate", "--profile", "auto", "--against", "HEAD~1"]);
    assert!(ran.stdout.starts_with("gate 'docs' on tree "), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("\nchosen for a trivial change: only documentation and comments: 1 line in 1 file\n"));
    assert!(ran.stdout.contains("(by its exit code alone)"), "{}", ran.stdout);
    commit_of(&sandbox, "code.py", "a = 1\n");
    let ran = sandbox.run(&["gate", "--profile", "auto"]);
    assert!(ran.stdout.contains("\nchosen for a small change: 1 line in 1 file\n"), "{}", ran.stdout);
    sandbox.run(&["gate", "--profile", "doc"]).is(
        128,
        "",
        "fatal: no gate profile 'doc'; there are 'docs' and 'full'\nhint: did you mean 'docs'?\n",
    );
    sandbox.run(&["gate", "nope"]).is(
        128,
        "",
        "fatal: 'nope' is no commit of this repository\nhint: git log --oneline --all\n",
    );
}

/// More output than the gate may have memory for.
#[test]
fn output_without_end_does_not_fill_the_memory() {
    let sandbox = Sandbox::new();
    let noise = "while cat block; do :; done 2>/dev/null | sed 300q; echo 1..1; echo ok 1 - last";
    sandbox.write(".handoff/config.toml", &CONFIG.replace("cat out; exit \"$(cat code)\"", noise));
    sandbox.write("block", &("x".repeat(1 << 20) + "\n"));
    commit(&sandbox, "one");
    let mut command = sandbox.command("bash");
    command.args(["-c", "ulimit -d 200000 && exec git orchestrate gate"]);
    let ran = sandbox.end(command);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("(1 test)"), "{}", ran.stdout);
}

/// What a check writes costs no memory beyond its limits: it asks itself how much whoever reads it ever had.
#[test]
#[cfg(target_os = "linux")]
fn a_check_that_writes_without_end_takes_no_memory() {
    const CHECK: &str = r#"
peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$PPID/status"; }
tests() { seq "$@" | sed 's/.*/ok & - the test of number &/'; }
lines() { head -c "$1" /dev/zero | tr '\0' x | fold -w 4000; echo; }
lines 24000000
tests 1 60000
before=$(peak)
lines 64000000
head -c 32000000 /dev/zero | tr '\0' y
echo
tests 60001 120000
echo "peak $before $(peak)"
"#;
    let sandbox = Sandbox::new();
    let path = std::env::var("PATH").expect("a path");
    let more = format!("run = '''{CHECK}'''\nenv = {{ PATH = {path:?} }}\n");
    let config = format!("version = 1\n[[gate.full.check]]\nname = \"test\"\n{more}");
    sandbox.write(".handoff/config.toml", &config);
    commit(&sandbox, "noise");
    let ran = sandbox.run(&["gate", "--json"]);
    let view: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let output = view["checks"][0]["output"].as_str().unwrap_or_else(|| panic!("{view:#}"));
    let peaks = output.lines().find_map(|line| line.strip_prefix("peak ")).unwrap_or_else(|| panic!("{output}"));
    let peaks: Vec<u64> = peaks.split(' ').map(|kib| kib.parse().expect("a number")).collect();
    assert!(peaks[1] < peaks[0] + (24 << 10), "{} KiB before 100 MB more, {} after", peaks[0], peaks[1]);
}
