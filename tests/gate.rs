//! The gate with real programs: how checks end, what they see, what is kept of what they say, what is remembered.
//! Knows nothing of repositories: a checkout is a directory here.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use git_orchestrate::{
    config::settings::{CheckSettings, GateProfile, GateRules, Settings},
    gate::{
        Answer, Base, Bench, Cancelled, Definition, Freshness, OUTPUT_BYTES_MAX, OUTPUT_LINES_MAX, Question,
        Remembered, Side, Told, ask, change::Change, feedback, log_path,
    },
    model::{
        object::{Digest, TreeId},
        record::{Check, CheckResult, GateVerdict},
        task::Span,
    },
    sys::process::{Cancel, Label, Supervisor},
};
use tempfile::TempDir;

#[path = "gate/judged.rs"]
mod judged;
#[path = "gate/recordings.rs"]
mod recordings;

/// So long that only a gate that hangs reaches it.
const NEVER: Duration = Duration::from_secs(60);

struct Gate {
    dir: TempDir,
    supervisor: Supervisor,
    cancel: Cancel,
    checks: Vec<CheckSettings>,
    checks_parallel: usize,
    rules: GateRules,
    api: Option<String>,
    change: Change,
}

impl Gate {
    fn new(commands: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let supervisor = Supervisor::new(dir.path().join("children"), "gate-test".to_owned()).expect("a supervisor");
        fs::create_dir(dir.path().join("checkout")).expect("a directory");
        let checks = commands.iter().enumerate().map(|(i, command)| check(&format!("c{}", i + 1), command)).collect();
        Self {
            dir,
            supervisor,
            cancel: Cancel::new(),
            checks,
            checks_parallel: 1,
            rules: GateRules::default(),
            api: None,
            change: Change::default(),
        }
    }

    fn checkout(&self) -> PathBuf {
        self.dir.path().join("checkout").canonicalize().expect("it is there")
    }

    fn logs(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn definition(&self) -> Definition {
        let mut settings = Settings::default();
        let profile = GateProfile { checks: self.checks.clone(), rules: self.rules, api: self.api.clone() };
        settings.gate.insert("full".to_owned(), profile);
        Definition::from_settings(&settings, "full").expect("a gate")
    }

    fn memory(&self) -> Remembered {
        Remembered::open(self.dir.path().join("memory"))
    }

    /// Asks about the tree in `directory`, beside the one in the directory `base` if there is one.
    fn ask(
        &self,
        directory: &Path,
        freshness: Freshness,
        on_check: &mut dyn FnMut(Side, &Check),
    ) -> Result<GateVerdict, Cancelled> {
        let (definition, logs, base) = (self.definition(), self.logs(), self.dir.path().join("base"));
        let bench = Bench {
            supervisor: &self.supervisor,
            cancel: &self.cancel,
            checks_parallel: self.checks_parallel,
            output_bytes_max: 1 << 20,
            log_dir: Some(&logs),
            label: Label::default(),
            hooks: None,
        };
        let commit = "f".repeat(40).parse().expect("a commit");
        let tree_of_base = "89abcdef0123456789abcdef0123456789abcdef".parse().expect("a tree");
        let question = Question {
            definition: &definition,
            tree: tree(),
            base: base.exists().then_some(Base { tree: tree_of_base, commit }),
            freshness,
        };
        let change = || Ok::<_, ()>(self.change.clone());
        let mut checkout = |side: Side, work: &mut dyn FnMut(&Path)| {
            work(if side == Side::Base { &base } else { directory });
            Ok(())
        };
        let answer = ask(&question, &bench, &self.memory(), &change, &mut checkout, &mut |told| {
            if let Told::Ended(side, check) = told {
                on_check(side, check);
            }
        });
        match answer.expect("a directory is always to be had") {
            Answer::Verdict(verdict) => Ok(*verdict),
            Answer::Cancelled => Err(Cancelled),
        }
    }

    fn try_run(&self, on_check: &mut dyn FnMut(&Check)) -> Result<GateVerdict, Cancelled> {
        self.ask(&self.checkout(), Freshness::Fresh, &mut |_, check| on_check(check))
    }

    fn run(&self) -> GateVerdict {
        let mut told = Vec::new();
        let verdict = self.try_run(&mut |check| told.push(check.clone())).expect("nobody stops it");
        assert_eq!(told.len(), verdict.checks.len(), "each check is told once");
        let is_told = |check: &Check| told.iter().any(|other| other.name == check.name && other.result == check.result);
        assert!(verdict.checks.iter().all(is_told));
        verdict
    }
}

fn tree() -> TreeId {
    "0123456789abcdef0123456789abcdef01234567".parse().expect("a tree")
}

fn check(name: &str, command: &str) -> CheckSettings {
    CheckSettings {
        name: name.to_owned(),
        run: command.to_owned(),
        timeout: Some(Span(NEVER)),
        ..CheckSettings::default()
    }
}

/// How a command ends: result, exit code, reason.
fn end_of(command: &str) -> (CheckResult, Option<i32>, String) {
    let check = Gate::new(&[command]).run().checks.remove(0);
    (check.result, check.exit_code, check.reason)
}

#[test]
fn a_check_ends_as_its_program_does() {
    use CheckResult::{Fail, Infra, Pass};
    for (command, result, exit_code, reason) in [
        ("true", Pass, Some(0), ""),
        ("test -d .", Pass, Some(0), ""),
        ("exit 0", Pass, Some(0), ""),
        ("false", Fail, Some(1), "exit code 1"),
        ("exit 101", Fail, Some(101), "exit code 101"),
        ("true && (exit 3)", Fail, Some(3), "exit code 3"),
        ("no-such-program --flag", Infra, Some(127), "no program 'no-such-program'"),
        ("cd . && no-such-program", Infra, Some(127), "no program 'no-such-program'"),
        ("touch script; ./script", Infra, Some(126), "'./script' cannot be executed"),
        ("kill -SEGV $$", Fail, None, "crashed (signal SEGV)"),
        ("kill -KILL $$", Infra, None, "killed by someone else (KILL), perhaps for want of memory"),
    ] {
        assert_eq!(end_of(command), (result, exit_code, reason.to_owned()), "{command}");
    }
}

#[test]
fn a_script_without_a_first_line_runs_too() {
    use std::os::unix::fs::PermissionsExt;
    let mut gate = Gate::new(&["my-check a"]);
    let tools = gate.dir.path().join("tools");
    fs::create_dir(&tools).expect("a directory");
    fs::write(tools.join("my-check"), "echo \"got $1\"\nexit 4\n").expect("a script");
    fs::set_permissions(tools.join("my-check"), fs::Permissions::from_mode(0o755)).expect("executable");
    gate.checks[0].env.insert("PATH".to_owned(), format!("{}:/usr/bin:/bin", tools.display()));
    let verdict = gate.run();
    assert_eq!(verdict.checks[0].reason, "exit code 4");
    assert_eq!(verdict.checks[0].output, "got a");
}

#[test]
fn a_check_that_takes_too_long_fails() {
    let mut gate = Gate::new(&["echo begun; while :; do sleep 60; done"]);
    gate.checks[0].timeout = Some(Span(Duration::from_millis(200)));
    let verdict = gate.run();
    assert_eq!(verdict.result, CheckResult::Fail);
    assert_eq!(verdict.checks[0].reason, "took longer than 200ms");
    assert_eq!(verdict.checks[0].output, "begun");
}

#[test]
fn a_check_has_the_memory_that_it_may_have() {
    // 64 MiB in one piece.
    let command = "x=$(printf '%067108864d' 1)";
    let mut gate = Gate::new(&[command, "true"]);
    gate.checks.iter_mut().for_each(|check| check.memory_bytes = Some(32 << 20));
    let verdict = gate.run();
    assert_eq!([verdict.checks[0].result, verdict.checks[1].result], [CheckResult::Fail, CheckResult::Pass]);
}

#[test]
fn a_check_without_its_directory_could_not_run() {
    let gate = Gate::new(&["true"]);
    fs::remove_dir(gate.checkout()).expect("removed");
    let verdict = gate.ask(&gate.dir.path().join("checkout"), Freshness::Fresh, &mut |_, _| {});
    let verdict = verdict.expect("nobody stops it");
    assert_eq!(verdict.result, CheckResult::Infra);
    assert!(verdict.checks[0].reason.contains("no directory"), "{}", verdict.checks[0].reason);
}

#[test]
fn the_worst_check_decides_and_all_are_run() {
    use CheckResult::{Fail, Infra, Pass};
    for (commands, result) in [
        (&["true", "true"] as &[&str], Pass),
        (&["true", "no-such-program"], Infra),
        (&["no-such-program", "false", "true"], Fail),
    ] {
        for checks_parallel in [1, 4] {
            let gate = Gate { checks_parallel, ..Gate::new(commands) };
            let verdict = gate.run();
            assert_eq!(verdict.result, result, "{commands:?}");
            let names: Vec<_> = verdict.checks.iter().map(|check| check.name.as_str()).collect();
            assert_eq!(names, ["c1", "c2", "c3"][..commands.len()], "in the definition's order");
            assert_eq!((verdict.tree, verdict.remembered), (tree(), false));
            assert_eq!(verdict.definition, gate.definition().digest);
        }
    }
}

#[test]
fn checks_run_side_by_side() {
    // Each waits for a word of the other: one after another they would never end.
    let gate = Gate { checks_parallel: 2, ..Gate::new(&["echo one > a; cat b", "cat a; echo two > b"]) };
    let made = std::process::Command::new("mkfifo").arg("a").arg("b").current_dir(gate.checkout()).status();
    assert!(made.is_ok_and(|status| status.success()));
    let verdict = gate.run();
    assert_eq!(verdict.result, CheckResult::Pass, "{verdict:?}");
    assert_eq!([&verdict.checks[0].output, &verdict.checks[1].output], ["two", "one"]);
}

#[test]
fn stopping_is_no_verdict() {
    for checks_parallel in [1, 2] {
        let gate = Gate { checks_parallel, ..Gate::new(&["true", "sleep 600"]) };
        let cancel = gate.cancel.clone();
        assert_eq!(gate.try_run(&mut |_| cancel.cancel()), Err(Cancelled));
    }
}

#[test]
fn a_check_sees_what_it_may() {
    let mut gate = Gate::new(&["env", "pwd; printf '%s\\n' \"$PWD\"; cat"]);
    gate.checks[0].env.insert("MINE".to_owned(), "given".to_owned());
    let verdict = gate.run();
    let log = fs::read_to_string(log_path(&gate.logs(), &tree(), "c1")).expect("the log");
    let has = |line: &str| log.lines().any(|other| other == line);
    assert!(has("MINE=given") && has("GIT_ORCHESTRATE_GATE=full"), "{log}");
    assert!(log.contains("\nPATH=") || log.starts_with("PATH="), "{log}");
    // Cargo sets this one for its tests, and nobody listed it.
    assert!(std::env::var_os("CARGO_PKG_NAME").is_some() && !log.contains("CARGO_PKG_NAME"), "{log}");
    let here = gate.checkout().display().to_string();
    assert_eq!(verdict.checks[1].output, format!("{here}\n{here}"), "and its input is empty");
}

#[test]
fn what_a_check_says_is_kept_in_bounds_and_clean() {
    let command = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; \
                   printf '\\033[31mred\\033[0m \\377\\n' >&2; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last; exit 1";
    let gate = Gate::new(&[command]);
    let check = gate.run().checks.remove(0);
    assert!(check.output.ends_with("\nlast"), "{}", check.output);
    assert!(check.output.len() <= OUTPUT_BYTES_MAX + 100 && check.output.lines().count() <= OUTPUT_LINES_MAX + 1);
    assert!(!check.output.contains('\u{1b}'));
    let log = fs::read(log_path(&gate.logs(), &tree(), "c1")).expect("the log");
    assert!(log.starts_with(b"line 0\nline 1\n") && log.ends_with(b"\nlast\n"));
    assert!(log.len() <= (1 << 20) + 100, "{}", log.len());

    let gate = Gate::new(&["echo out; printf '\\033[31mred\\033[0m \\377\\n'; exit 1"]);
    assert_eq!(gate.run().checks[0].output, "out\nred \u{fffd}");
    let gate = Gate::new(&["true"]);
    gate.run();
    assert!(!gate.logs().exists(), "nothing said, nothing written");
}

#[test]
fn feedback_names_what_failed() {
    let mut gate = Gate::new(&["printf 'a\\n\\nb\\n'; exit 2", "true", "no-such-program"]);
    gate.checks[0].name = "test".to_owned();
    let expected = "\
gate 'full' refused the work: 1 of 3 checks failed

check 'test' failed: exit code 2
command: printf 'a\\n\\nb\\n'; exit 2
the end of its output:
    a

    b

check 'c3' could not run: no program 'no-such-program' (not the fault of the work)
";
    assert_eq!(feedback(&gate.run(), &gate.definition()), expected);
}

#[test]
fn feedback_is_bounded() {
    let noisy = "i=0; while [ $i -lt 39 ]; do printf '%0100d\\n' $i; i=$((i+1)); done; exit 1";
    let gate = Gate { checks_parallel: 2, ..Gate::new(&[noisy; 20]) };
    let text = feedback(&gate.run(), &gate.definition());
    assert!(text.len() < 16 << 10, "{}", text.len());
    assert!(text.contains("check 'c20' failed: exit code 1"));
}

/// The one file of a memory.
fn file(dir: &Path) -> PathBuf {
    let mut files = fs::read_dir(dir).expect("the directory").map(|entry| entry.expect("an entry").path());
    let file = files.next().expect("a file");
    assert!(files.next().is_none());
    file
}

#[test]
fn verdicts_are_remembered_by_tree_and_definition() {
    for (command, is_kept) in [("true", true), ("false", true), ("no-such-program", false)] {
        let gate = Gate::new(&[command]);
        let dir = gate.dir.path().join("cache");
        let remembered = Remembered::open(&dir);
        let (verdict, definition) = (gate.run(), gate.definition());
        assert_eq!(remembered.get(&tree(), &definition.digest, None), None);
        remembered.put(&verdict).expect("written");
        let again = Remembered::open(&dir).get(&tree(), &definition.digest, None);
        assert_eq!(again, is_kept.then_some(GateVerdict { remembered: true, ..verdict }), "{command}");
        let other_tree = "89abcdef0123456789abcdef0123456789abcdef".parse().expect("a tree");
        assert_eq!(remembered.get(&other_tree, &definition.digest, None), None);
        assert_eq!(remembered.get(&tree(), &Digest::of("another definition"), None), None);
    }
}

#[test]
fn a_memory_that_is_not_whole_or_not_right_is_none() {
    let gate = Gate::new(&["true"]);
    let dir = gate.dir.path().join("cache");
    let remembered = Remembered::open(&dir);
    let (verdict, digest) = (gate.run(), gate.definition().digest);
    remembered.put(&verdict).expect("written");
    let file = file(&dir);
    let good = fs::read_to_string(&file).expect("the file");
    assert!(remembered.get(&tree(), &digest, None).is_some());
    let other_tree = good.replace("0123456789abcdef0123", "ffffffffffffffffffff");
    for bad in [
        "",
        "{",
        &good[..good.len() / 2],
        &good.replace("\"schema\":2", "\"schema\":1"),
        &good.replace("\"result\":\"pass\"", "\"result\":\"infra\""),
        &good.replacen("\"result\":\"pass\"", "\"result\":\"fail\"", 1),
        &other_tree,
        &good.replace(&digest.0, &Digest::of("x").0),
    ] {
        assert_ne!(bad, good);
        fs::write(&file, bad).expect("written");
        assert_eq!(remembered.get(&tree(), &digest, None), None, "{bad}");
    }
    remembered.put(&verdict).expect("written");
    assert!(remembered.get(&tree(), &digest, None).is_some(), "a bad file is replaced");
}
