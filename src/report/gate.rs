//! A gate's verdict for people: each check with its numbers, what refuses and what is worth knowing, with file and line.
//! Knows nothing of how it came about.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use super::look::{Ink, Look};
use crate::{
    model::record::{Check, CheckResult, CoveredLines, Finding, GateRule, GateVerdict, Numbers, Weight},
    text,
};

/// Lines of a check's output that are shown.
const OUTPUT_LINES_MAX: usize = 60;
/// Bytes of a check's output that are shown.
const OUTPUT_BYTES_MAX: usize = 16 << 10;
/// Findings of a check that are shown; the JSON form has those that were kept.
const FINDINGS_MAX: usize = 20;

/// A check in one line: how it ended, its name, how long it took, why.
pub fn check_line(check: &Check, look: Look) -> String {
    let ink = match check.result {
        CheckResult::Pass => Ink::Good,
        CheckResult::Fail => Ink::Bad,
        CheckResult::Infra => Ink::Warn,
    };
    let time = text::duration(Duration::from_millis(check.duration_ms));
    let reason = text::clean_line(&check.reason);
    let reason = if reason.is_empty() { reason } else { format!("  {reason}") };
    format!("{}  {}  {time}{reason}", look.paint(ink, check.result.word()), text::clean_line(&check.name))
}

/// `148 tests, 2 failed, 1 skipped; 3 warnings; 87.5% covered`
fn numbers(numbers: &Numbers) -> String {
    let mut parts = Vec::new();
    if let Some(tests) = numbers.tests {
        let more = [(tests.failed, "failed"), (tests.skipped, "skipped")];
        let more =
            more.into_iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!(", {number} {word}"));
        parts.push(text::count(tests.run as usize, "test") + &more.collect::<String>());
    }
    parts.extend(numbers.warnings.map(|warnings| text::count(warnings as usize, "warning")));
    parts.extend(numbers.coverage.map(|lines| format!("{} covered", percent(lines))));
    parts.extend(numbers.changed_coverage.map(|lines| format!("{} of the changed lines", percent(lines))));
    parts.join("; ")
}

fn percent(lines: CoveredLines) -> String {
    let hundredths = (lines.covered * 10_000).checked_div(lines.total).unwrap_or(10_000);
    format!("{}.{}%", hundredths / 100, hundredths % 100 / 10)
}

/// A finding in one line: `tests/login.rs:88  rejects_expired_token`.
fn finding_line(finding: &Finding, look: Look) -> String {
    let place = match (&finding.file, finding.line) {
        (Some(file), Some(line)) => format!("{}:{line}  ", text::clean_line(file)),
        (Some(file), None) => format!("{}  ", text::clean_line(file)),
        (None, _) => String::new(),
    };
    let code = finding.code.as_ref().map(|code| format!("  [{}]", text::clean_line(code))).unwrap_or_default();
    let what = text::clean_line(&finding.what);
    let mark = match finding.weight {
        Weight::Block => look.paint(Ink::Bad, "-"),
        Weight::Warn => look.paint(Ink::Warn, "~"),
    };
    format!("{mark} {place}{what}{code}  {}", look.paint(Ink::Faint, &format!("({})", finding.rule)))
}

/// Writes a gate's verdict: each check with its numbers and findings, the output of what failed for another reason, and where
/// `log` says that all of it is.
///
/// # Errors
/// When `out` does not take it.
pub fn write(
    gate: &GateVerdict,
    log: &dyn Fn(&Check) -> Option<PathBuf>,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let remembered = if gate.remembered { ", remembered" } else { "" };
    let tree = gate.tree.short();
    let beside = gate.against.map(|tree| format!(", beside {}", tree.short())).unwrap_or_default();
    let profile = text::clean_line(&gate.profile);
    writeln!(out, "gate '{profile}' on tree {tree}{beside}: {}{remembered}", gate.result)?;
    if !gate.why.is_empty() {
        writeln!(out, "chosen for a {}", text::clean_line(&gate.why))?;
    }
    for check in &gate.checks {
        let told = match &check.numbers {
            Some(known) => numbers(known),
            None if check.result == CheckResult::Infra => String::new(),
            None => "by its exit code alone".to_owned(),
        };
        let told = if told.is_empty() { told } else { format!("  {}", look.paint(Ink::Faint, &format!("({told})"))) };
        writeln!(out, "{}{told}", check_line(check, look))?;
        let known = check.findings.iter().filter(|finding| finding.rule != GateRule::Exit);
        for finding in known.clone().take(FINDINGS_MAX) {
            writeln!(out, "    {}", finding_line(finding, look))?;
        }
        let left = known.count().saturating_sub(FINDINGS_MAX);
        if left > 0 {
            writeln!(out, "    … and {left} more")?;
        }
        let is_explained = check.findings.iter().any(|finding| finding.weight == Weight::Block)
            && check.findings.iter().all(|finding| finding.rule != GateRule::Exit);
        if check.result != CheckResult::Pass {
            if !is_explained {
                let output = text::tail(&text::clean(&check.output), OUTPUT_LINES_MAX, OUTPUT_BYTES_MAX);
                output.lines().try_for_each(|line| writeln!(out, "    {line}"))?;
            }
            if let Some(path) = log(check) {
                writeln!(out, "    {}", look.paint(Ink::Faint, &format!("all of its output: {}", path.display())))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        object::{Digest, TreeId},
        record::TestCounts,
    };

    fn check(name: &str, result: CheckResult, output: &str) -> Check {
        Check {
            name: name.to_owned(),
            result,
            exit_code: Some(0),
            duration_ms: 1500,
            output: output.to_owned(),
            ..Check::default()
        }
    }

    #[test]
    fn a_gate_shows_numbers_findings_and_the_output_of_what_failed_otherwise() {
        let tree: TreeId = "0123456789abcdef0123456789abcdef01234567".parse().expect("a tree");
        let finding = |rule, weight, line| Finding {
            rule,
            weight,
            what: "unused variable".to_owned(),
            code: Some("F401".to_owned()),
            file: Some("a.py".to_owned()),
            line,
        };
        let gate = GateVerdict {
            profile: "full".to_owned(),
            definition: Digest::of(""),
            tree,
            result: CheckResult::Fail,
            remembered: false,
            against: Some(tree),
            why: "small change: 2 lines in 1 file".to_owned(),
            checks: vec![
                check("lint", CheckResult::Pass, "not shown"),
                check("tests", CheckResult::Fail, "assertion failed\u{1b}[1m\nat line 2"),
                Check {
                    reason: "new warning: unused variable".to_owned(),
                    numbers: Some(Numbers {
                        tests: Some(TestCounts { run: 9, failed: 2, skipped: 0 }),
                        warnings: Some(1),
                        coverage: Some(CoveredLines { covered: 7, total: 8 }),
                        ..Numbers::default()
                    }),
                    findings: vec![
                        finding(GateRule::Warnings, Weight::Block, Some(3)),
                        finding(GateRule::Flaky, Weight::Warn, None),
                    ],
                    ..check("ruff", CheckResult::Fail, "not shown either")
                },
            ],
        };
        let mut out = Vec::new();
        let log = |check: &Check| (check.name == "ruff").then(|| PathBuf::from("/log"));
        write(&gate, &log, Look::default(), &mut out).expect("a Vec takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "gate 'full' on tree 0123456789, beside 0123456789: fail\n\
             chosen for a small change: 2 lines in 1 file\n\
             pass  lint  1.5s  (by its exit code alone)\n\
             fail  tests  1.5s  (by its exit code alone)\n    assertion failed\n    at line 2\n\
             fail  ruff  1.5s  new warning: unused variable  (9 tests, 2 failed; 1 warning; 87.5% covered)\n    \
             - a.py:3  unused variable  [F401]  (warnings)\n    ~ a.py  unused variable  [F401]  (flaky)\n    \
             all of its output: /log\n"
        );
    }
}
