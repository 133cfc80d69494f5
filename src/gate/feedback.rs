//! What a refusal tells whoever must put it right.
//! Does not know who that is, nor how often it was told before.

use super::Definition;
use crate::{
    model::record::{Check, CheckResult, Finding, GateRule, GateVerdict, Weight},
    text::{count, tail},
};

/// Bytes of output in a feedback, all checks together.
const OUTPUT_BYTES_MAX: usize = 10 << 10;
/// Checks whose output is told; the others are named.
const CHECKS_MAX: usize = 8;

/// Findings of a check that are told; its reason says how many there are.
const FINDINGS_MAX: usize = 20;

/// A finding in one line: `tests/login.rs:88 rejects_expired_token (tests)`.
pub fn line(finding: &Finding) -> String {
    let place = match (&finding.file, finding.line) {
        (Some(file), Some(line)) => format!("{file}:{line} "),
        (Some(file), None) => format!("{file} "),
        (None, _) => String::new(),
    };
    let code = finding.code.as_ref().map(|code| format!(" [{code}]")).unwrap_or_default();
    format!("{place}{}{code} ({})", finding.what, finding.rule)
}

/// What goes back to the author of work that a gate refused: each check that failed with its command, the reason and the end
/// of its output. Checks that could not run are named, as they say nothing of the work.
pub fn feedback(verdict: &GateVerdict, definition: &Definition) -> String {
    let of = |result| verdict.checks.iter().filter(move |check| check.result == result);
    let failed: Vec<&Check> = of(CheckResult::Fail).collect();
    let all = verdict.checks.len();
    let mut text =
        format!("gate '{}' refused the work: {} of {} failed\n", verdict.profile, failed.len(), count(all, "check"));
    let bytes_max = OUTPUT_BYTES_MAX / failed.len().clamp(1, CHECKS_MAX);
    for (at, check) in failed.iter().enumerate() {
        text.push_str(&format!("\ncheck '{}' failed: {}\n", check.name, check.reason));
        if let Some(settings) = definition.checks.iter().find(|settings| settings.name == check.name) {
            text.push_str(&format!("command: {}\n", settings.run));
        }
        let blocks = check.findings.iter().filter(|finding| finding.weight == Weight::Block);
        for finding in blocks.filter(|finding| finding.rule != GateRule::Exit).take(FINDINGS_MAX) {
            text.push_str(&format!("  - {}\n", line(finding)));
        }
        if at < CHECKS_MAX && !check.output.is_empty() {
            text.push_str("the end of its output:\n");
            for line in tail(&check.output, usize::MAX, bytes_max).lines() {
                text.push_str(format!("    {line}").trim_end());
                text.push('\n');
            }
        }
    }
    for check in of(CheckResult::Infra) {
        text.push_str(&format!(
            "\ncheck '{}' could not run: {} (not the fault of the work)\n",
            check.name, check.reason
        ));
    }
    text
}
