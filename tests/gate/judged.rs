//! The judge with real programs on two sides: what got worse refuses, what was so before does not, and each rule can be
//! turned down. A side is a directory with what its tool would have printed. Knows nothing of how output is read.

use std::fs;

use git_orchestrate::{
    config::settings::{CheckFormat, GateRules, OneOrMany, RuleLevel},
    gate::{Freshness, Side, change::Change, feedback},
    model::record::{CheckResult, GateVerdict, Weight},
};

use super::Gate;

/// Prints what stands in a file and ends as another one says.
const TOOL: &str = "cat out; exit \"$(cat code)\"";

/// A gate of one check that prints this, ends so, on a base and on what is judged.
fn sides(before: Option<(&str, u8)>, now: (&str, u8)) -> Gate {
    let gate = Gate::new(&[TOOL]);
    let base = gate.dir.path().join("base");
    let write = |directory: &std::path::Path, (out, code): (&str, u8)| {
        fs::write(directory.join("out"), out).expect("written");
        fs::write(directory.join("code"), code.to_string()).expect("written");
    };
    if let Some(before) = before {
        fs::create_dir(&base).expect("made");
        write(&base, before);
    }
    write(&gate.checkout(), now);
    gate
}

fn verdict(gate: &Gate, freshness: Freshness) -> (GateVerdict, Vec<Side>) {
    let mut ran = Vec::new();
    let verdict = gate.ask(&gate.checkout(), freshness, &mut |side, _| ran.push(side)).expect("nobody stops it");
    (verdict, ran)
}

/// The verdict in one line, then each finding, `-` if it refuses, `~` if it is told.
fn told(verdict: &GateVerdict) -> String {
    let mut text = String::new();
    for check in &verdict.checks {
        text += &format!("{}: {}\n", check.result.word(), check.reason);
        for finding in &check.findings {
            let mark = if finding.weight == Weight::Block { '-' } else { '~' };
            text += &format!("{mark} {}{}\n", finding.file.as_ref().map(|_| "@").unwrap_or_default(), finding.what);
        }
    }
    text
}

#[track_caller]
fn check(before: Option<(&str, u8)>, now: (&str, u8), expected: &str) {
    let gate = sides(before, now);
    assert_eq!(told(&verdict(&gate, Freshness::Fresh).0), expected, "{before:?} -> {now:?}");
}

/// Tests as TAP: `+a` passes, `-b` fails, `/c` is skipped.
fn tap(tests: &str) -> String {
    let mut text = String::from("TAP version 13\n");
    for (at, test) in tests.split_whitespace().enumerate() {
        let (mark, name) = test.split_at(1);
        text += &match mark {
            "+" => format!("ok {} - {name}\n", at + 1),
            "-" => format!("not ok {} - {name}\n", at + 1),
            "/" => format!("ok {} - {name} # SKIP later\n", at + 1),
            other => panic!("'{other}'"),
        };
    }
    text + &format!("1..{}\n", tests.split_whitespace().count())
}

#[track_caller]
fn check_tests(before: &str, now: &str, expected: &str) {
    let code = |tests: &str| u8::from(tests.contains('-'));
    check(Some((&tap(before), code(before))), (&tap(now), code(now)), expected);
}

#[test]
fn tests_are_compared_with_those_of_the_base() {
    check_tests("+a +b", "+a +b +c", "pass: \n");
    check_tests("+a +b", "+a -b", "fail: test 'b' fails\n- b\n");
    check_tests("+a -b", "+a -b", "pass: 1 test fails on the base too\n");
    check_tests("+a -b", "-a -b", "fail: test 'a' fails; 1 test fails on the base too\n- a\n");
    check_tests("+a -b", "+a +b", "pass: \n");
    // A new test that fails fails newly.
    check_tests("+a", "+a -b", "fail: test 'b' fails\n- b\n");
    check_tests("+a +b", "+a", "fail: fewer tests than on the base: b\n- b\n");
    check_tests("+a +b", "+a /b", "fail: newly skipped: b\n- b\n");
    check_tests("+a /b", "+a /b", "pass: \n");
    check_tests("+a +b", "+a +c", "pass: \n");
}

#[test]
fn what_is_red_is_new_where_there_is_no_base() {
    check(None, (&tap("+a -b"), 1), "fail: test 'b' fails\n- b\n");
    check(None, (&tap("+a /b"), 0), "pass: \n");
}

#[test]
fn an_end_that_no_test_explains_refuses() {
    let broken = "fail: exit code 3\n- exit code 3\n";
    check(Some((&tap("+a"), 0)), (&tap("+a"), 3), broken);
    check(Some(("", 0)), ("no format at all", 3), broken);
    check(Some(("", 2)), ("", 3), broken);
    // Red before and red now: so far as an exit code can tell nothing got worse, and that is said.
    let as_before = "pass: exit code 3, as on the base\n~ exit code 3, as on the base\n";
    check(Some(("", 3)), ("no format at all", 3), as_before);
    check(Some((&tap("+a"), 3)), ("no format at all", 3), broken);
    check(
        Some((&tap("+a +b"), 0)),
        ("", 0),
        "fail: fewer tests than on the base: no tests, 2 on the base\n- no tests, 2 on the base\n",
    );
}

/// Warnings as ruff's short form.
fn ruff(warnings: &[(&str, u32, &str)]) -> String {
    let lines = warnings.iter().map(|(file, line, rule)| format!("{file}:{line}:1: {rule} says so\n"));
    lines.collect::<String>() + &format!("Found {} errors.\n", warnings.len())
}

#[test]
fn warnings_are_known_again_by_file_rule_and_text() {
    let before = ruff(&[("a.py", 1, "F401")]);
    let check = |now: &[(&str, u32, &str)], expected: &str| check(Some((&before, 1)), (&ruff(now), 1), expected);
    check(&[("a.py", 1, "F401")], "pass: 1 warning on the base too\n");
    check(&[("a.py", 77, "F401")], "pass: 1 warning on the base too\n");
    let new = "fail: new warning: says so\n- @says so\n";
    check(&[("a.py", 1, "F401"), ("a.py", 2, "F401")], new);
    check(&[("b.py", 1, "F401")], new);
    check(&[("a.py", 1, "F841")], new);
    check(
        &[("a.py", 1, "F401"), ("b.py", 1, "E501"), ("c.py", 1, "E501")],
        "fail: 2 new warnings\n- @says so\n- @says so\n",
    );
}

#[test]
fn each_rule_blocks_warns_or_is_off() {
    type Set = fn(&mut GateRules) -> &mut RuleLevel;
    let rules: [(Set, String, u8, String, u8); 5] = [
        (|rules| &mut rules.tests, tap("+a"), 0, tap("-a"), 1),
        (|rules| &mut rules.tests_gone, tap("+a +b"), 0, tap("+a"), 0),
        (|rules| &mut rules.tests_skipped, tap("+a +b"), 0, tap("+a /b"), 0),
        (|rules| &mut rules.failed_before, "odd".to_owned(), 1, "odd".to_owned(), 1),
        (|rules| &mut rules.warnings, ruff(&[]), 0, ruff(&[("a.py", 1, "F401")]), 1),
    ];
    for (at, (rule, before, code_before, now, code)) in rules.iter().enumerate() {
        let result = |level: RuleLevel| {
            let mut gate = sides(Some((before, *code_before)), (now, *code));
            *rule(&mut gate.rules) = level;
            let verdict = verdict(&gate, Freshness::Fresh).0;
            (verdict.result, verdict.checks[0].findings.first().map(|finding| finding.weight))
        };
        assert_eq!(result(RuleLevel::Block), (CheckResult::Fail, Some(Weight::Block)), "{at}");
        assert_eq!(result(RuleLevel::Warn), (CheckResult::Pass, Some(Weight::Warn)), "{at}");
        let off = result(RuleLevel::Off);
        // What is not looked at does not explain a red end either.
        let expected =
            if code == code_before { (CheckResult::Pass, None) } else { (CheckResult::Fail, Some(Weight::Block)) };
        assert_eq!(off, expected, "{at}");
    }
}

#[test]
fn chance_is_found_by_running_once_more() {
    let flaky = "if test -e seen; then echo 'ok 1 - a'; code=0; else echo 'not ok 1 - a'; code=1; fi; echo 1..1; touch seen; exit $code";
    let mut gate = sides(Some((&tap("+a"), 0)), ("", 0));
    gate.checks[0].run = format!("test -e base || {{ {flaky}; }}; cat out");
    fs::write(gate.dir.path().join("base/base"), "").expect("written");
    let (verdict, ran) = verdict(&gate, Freshness::Fresh);
    assert_eq!(told(&verdict), "pass: flaky: a\n~ a\n");
    assert_eq!(ran, [Side::Candidate, Side::Base, Side::Again]);
    // What fails on the base too is not run again, nor what fails without a name.
    let gate = sides(Some((&tap("-a"), 1)), (&tap("-a"), 1));
    assert_eq!(super::judged::verdict(&gate, Freshness::Fresh).1, [Side::Candidate, Side::Base]);
    let gate = sides(Some(("", 0)), ("", 1));
    assert_eq!(super::judged::verdict(&gate, Freshness::Fresh).1, [Side::Candidate, Side::Base]);
}

/// A pytest that fails two of three tests as a whole, and does this where it is asked for single ones.
fn narrowed(alone: &str) -> (String, Vec<Side>, String) {
    let mut gate = sides(Some(("", 0)), ("", 0));
    let bin = gate.dir.path().join("bin");
    fs::create_dir(&bin).expect("made");
    let line = |name: &str, end: &str| format!("test_a.py::{name} {end} [ 50%]");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>{}/asked\ncase \"$*\" in\n*-k*)\n{alone};;\nesac\n[ ! -e base ] || exit 0\n\
         printf '%s\\n' '{}' '{}' '{}'\necho '== 2 failed, 1 passed in 0.01s =='\nexit 1\n",
        bin.display(),
        line("test_x", "FAILED"),
        line("test_y[1]", "FAILED"),
        line("test_z", "PASSED"),
    );
    let program = bin.join("pytest");
    fs::write(&program, script).expect("written");
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("permissions");
    fs::write(gate.dir.path().join("base/base"), "").expect("written");
    gate.checks[0].run = "pytest tests".to_owned();
    let path = std::env::var("PATH").expect("a path");
    gate.checks[0].env.insert("PATH".to_owned(), format!("{}:{path}", bin.display()));
    let (verdict, ran) = verdict(&gate, Freshness::Fresh);
    (told(&verdict), ran, fs::read_to_string(bin.join("asked")).expect("asked"))
}

#[test]
fn only_what_failed_is_run_once_more() {
    let (whole, alone) = ("tests\n", "tests -v -k test_x or test_y\n");
    let says = |x: &str, y: &str| {
        let told = |name: &str, end: &str| format!("echo 'test_a.py::{name} {end} [ 50%]'");
        format!("{}; {}; echo '== 2 passed in 0.01s =='; exit 0", told("test_x", x), told("test_y[1]", y))
    };
    let (said, ran, asked) = narrowed(&says("PASSED", "PASSED"));
    assert_eq!(said, "pass: 2 flaky tests\n~ @test_a.py::test_x\n~ @test_a.py::test_y[1]\n");
    assert_eq!(ran, [Side::Candidate, Side::Base, Side::Again]);
    assert_eq!(asked, [whole, whole, alone].concat());
    let (said, ..) = narrowed(&says("FAILED", "PASSED"));
    assert!(said.starts_with("fail: test 'test_a.py::test_x' fails; flaky: test_a.py::test_y[1]\n"), "{said}");
    // What is not told of every test says nothing: all are run.
    let (said, ran, asked) = narrowed("echo 'test_a.py::test_x PASSED [100%]'; echo '== 1 passed in 0.01s =='; exit 0");
    assert!(said.starts_with("fail: 2 tests fail\n"), "{said}");
    assert_eq!(ran, [Side::Candidate, Side::Base, Side::Again, Side::Again]);
    assert_eq!(asked, [whole, whole, alone, whole].concat());
}

#[test]
fn a_format_that_is_named_must_be_there() {
    let judged = |before: &str, now: &str| {
        let mut gate = sides(Some((before, 0)), (now, 0));
        gate.checks[0].format = Some(CheckFormat::Tap);
        told(&verdict(&gate, Freshness::Fresh).0)
    };
    let what = "nothing in its output is 'tap'";
    assert_eq!(judged(&tap("+a"), ""), format!("fail: fewer tests than on the base: {what}\n- {what}\n"));
    assert_eq!(judged("", ""), format!("pass: fewer tests than on the base: {what}\n~ {what}\n"), "it never did");
    assert_eq!(judged("", &tap("+a")), "pass: \n");
}

#[test]
fn the_second_question_runs_nothing() {
    let gate = sides(Some((&tap("+a"), 0)), (&tap("-a"), 1));
    let (first, ran) = verdict(&gate, Freshness::Remembered);
    assert_eq!((first.remembered, ran.len()), (false, 3));
    let (second, ran) = verdict(&gate, Freshness::Remembered);
    assert_eq!((second.remembered, ran.len()), (true, 0));
    assert_eq!(GateVerdict { remembered: false, ..second }, first);
    // Asked anew the tree is checked again; its base is as it was.
    assert_eq!(verdict(&gate, Freshness::Fresh).1, [Side::Candidate, Side::Again]);
    let mut other = gate;
    other.rules.tests = RuleLevel::Warn;
    assert!(!verdict(&other, Freshness::Remembered).0.remembered, "another gate");
}

/// Coverage as lcov: which lines of `a.py` ran.
fn lcov(lines: &[(u32, u32)]) -> String {
    let told = lines.iter().map(|(line, hits)| format!("DA:{line},{hits}\n")).collect::<String>();
    format!("SF:a.py\n{told}end_of_record\n")
}

#[test]
fn coverage_is_that_of_the_whole_and_of_the_changed_lines() {
    let before = lcov(&[(1, 1), (2, 1), (3, 1), (4, 0)]);
    let diff = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -4,0 +5,2 @@\n+5\n+6\n";
    let check = |now: &[(u32, u32)], expected: &str| {
        let mut gate = sides(Some((&before, 0)), (&lcov(now), 0));
        gate.change = Change::of_diff(diff);
        let verdict = verdict(&gate, Freshness::Fresh).0;
        assert_eq!(told(&verdict), expected);
        verdict.checks[0].numbers.clone().expect("numbers").changed_coverage.expect("lines changed")
    };
    let whole = [(1, 1), (2, 1), (3, 1), (4, 0)];
    let all = check(&[&whole[..], &[(5, 1), (6, 1)]].concat(), "pass: \n");
    assert_eq!((all.covered, all.total), (2, 2));
    let half = "fail: 66.6% of the lines are covered, 75.0% on the base; 50.0% of the changed lines are covered, 75.0% of all\n\
                - 66.6% of the lines are covered, 75.0% on the base\n~ @50.0% of the changed lines are covered, 75.0% of all\n";
    let half = check(&[&whole[..], &[(5, 1), (6, 0)]].concat(), half);
    assert_eq!((half.covered, half.total), (1, 2));
    // What covers more elsewhere makes up for the whole, not for the changed lines.
    let told = "pass: 50.0% of the changed lines are covered, 75.0% of all\n~ @50.0% of the changed lines are covered, 75.0% of all\n";
    check(&[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 0)], told);
}

#[test]
fn a_report_is_read_besides_the_output() {
    let mut gate = sides(Some(("", 0)), ("", 0));
    gate.checks[0].run = "test -e base || printf 'SF:a.py\\nDA:1,0\\nend_of_record\\n' > cover/lcov.info".to_owned();
    gate.checks[0].report = Some(OneOrMany::One("cover/*.info".to_owned()));
    fs::create_dir(gate.checkout().join("cover")).expect("made");
    fs::write(gate.checkout().join("cover/old.info"), lcov(&[(1, 1)])).expect("written");
    let verdict = verdict(&gate, Freshness::Fresh).0;
    let numbers = verdict.checks[0].numbers.clone().expect("numbers");
    assert_eq!(numbers.coverage.map(|lines| (lines.covered, lines.total)), Some((0, 1)), "only what it wrote itself");
    gate.checks[0].run = "true".to_owned();
    assert_eq!(
        told(&super::judged::verdict(&gate, Freshness::Fresh).0),
        "pass: it wrote none of its reports\n~ it wrote none of its reports\n"
    );
}

#[test]
fn the_interface_is_looked_at_beside_the_base() {
    let api = |run: &str, level: RuleLevel| {
        let mut gate = sides(Some(("", 0)), ("", 0));
        gate.api = Some(run.to_owned());
        gate.rules.api = level;
        told(&verdict(&gate, Freshness::Fresh).0)
    };
    let base = format!("test \"$GIT_ORCHESTRATE_BASE\" = {} || exit 9", "f".repeat(40));
    assert_eq!(api(&base, RuleLevel::Block), "pass: \npass: \n");
    let broken = "exit code 1";
    assert_eq!(api("exit 1", RuleLevel::Block), format!("pass: \nfail: breaks the interface: {broken}\n- {broken}\n"));
    assert_eq!(api("exit 1", RuleLevel::Warn), format!("pass: \npass: breaks the interface: {broken}\n~ {broken}\n"));
    assert_eq!(api("exit 1", RuleLevel::Off), "pass: \n");
    assert_eq!(api("no-such-program", RuleLevel::Block), "pass: \ninfra: no program 'no-such-program'\n");
    let absent = "echo 'error: no such command: `semver-checks`' >&2; exit 101";
    assert_eq!(api(absent, RuleLevel::Block), "pass: \ninfra: no program 'cargo-semver-checks'\n");
}

#[test]
fn feedback_names_what_got_worse() {
    let gate = sides(Some((&tap("+a -b"), 1)), (&tap("-a -b"), 1));
    let verdict = verdict(&gate, Freshness::Fresh).0;
    let text = feedback(&verdict, &gate.definition());
    assert!(text.contains("check 'c1' failed: test 'a' fails; 1 test fails on the base too\n"), "{text}");
    assert!(text.contains("\n  - a (tests)\n") && !text.contains("  - b"), "{text}");
}
