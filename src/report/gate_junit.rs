//! A gate's verdict as JUnit's XML, for build servers: a test case a check.
//! The source is Jenkins' `junit-10.xsd`. Knows nothing of how the verdict came about.

use std::io::{self, Write};

use crate::{
    model::record::{Check, CheckResult, Finding, GateVerdict},
    text,
};

/// Text of an attribute or an element, without what XML 1.0 does not allow at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text::clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn seconds(duration_ms: u64) -> String {
    format!("{}.{:03}", duration_ms / 1000, duration_ms % 1000)
}

/// Writes it.
///
/// # Errors
/// When `out` does not take it.
pub fn write(gate: &GateVerdict, out: &mut dyn Write) -> io::Result<()> {
    let of = |result| gate.checks.iter().filter(|check| check.result == result).count();
    let (all, failed, infra) = (gate.checks.len(), of(CheckResult::Fail), of(CheckResult::Infra));
    let time = seconds(gate.checks.iter().map(|check| check.duration_ms).sum());
    let name = escaped(&format!("gate {}", gate.profile));
    let counts = format!("tests=\"{all}\" failures=\"{failed}\" errors=\"{infra}\"");
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"git-orchestrate\" {counts} time=\"{time}\">")?;
    writeln!(out, "  <testsuite name=\"{name}\" {counts} skipped=\"0\" time=\"{time}\">")?;
    writeln!(out, "    <properties>\n      <property name=\"tree\" value=\"{}\"/>\n    </properties>", gate.tree)?;
    gate.checks.iter().try_for_each(|check| write_check(gate, check, out))?;
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn write_check(gate: &GateVerdict, check: &Check, out: &mut dyn Write) -> io::Result<()> {
    let (name, class) = (escaped(&check.name), escaped(&format!("gate.{}", gate.profile)));
    write!(out, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{}\"", seconds(check.duration_ms))?;
    let element = match check.result {
        CheckResult::Pass if check.findings.is_empty() => return writeln!(out, "/>"),
        CheckResult::Pass => {
            let told: Vec<String> = check.findings.iter().map(line).collect();
            return writeln!(out, ">\n      <system-out>{}</system-out>\n    </testcase>", escaped(&told.join("\n")));
        }
        CheckResult::Fail => "failure",
        CheckResult::Infra => "error",
    };
    let mut told: Vec<String> = check.findings.iter().map(line).collect();
    told.push(check.output.clone());
    let (message, told) = (escaped(&text::clean_line(&check.reason)), escaped(told.join("\n").trim()));
    let kind = check.result.word();
    writeln!(out, ">\n      <{element} message=\"{message}\" type=\"{kind}\">{told}</{element}>\n    </testcase>")
}

fn line(finding: &Finding) -> String {
    let place = match (&finding.file, finding.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: "),
        (Some(file), None) => format!("{file}: "),
        (None, _) => String::new(),
    };
    let code = finding.code.as_ref().map(|code| format!(" [{code}]")).unwrap_or_default();
    format!("{place}{} ({}, {}){code}", finding.what, finding.rule, finding.weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        object::{Digest, TreeId},
        record::{GateRule, Weight},
    };

    #[test]
    fn a_check_is_a_test_case() {
        let tree: TreeId = "0123456789abcdef0123456789abcdef01234567".parse().expect("a tree");
        let check = |name: &str, result, findings| Check {
            name: name.to_owned(),
            result,
            duration_ms: 1250,
            reason: "a < \"b\"".to_owned(),
            output: "x & \u{1b}[31my\u{0}".to_owned(),
            findings,
            ..Check::default()
        };
        let finding = Finding {
            rule: GateRule::Flaky,
            weight: Weight::Warn,
            what: "t".to_owned(),
            code: None,
            file: Some("a.rs".to_owned()),
            line: Some(2),
        };
        let gate = GateVerdict {
            profile: "full".to_owned(),
            definition: Digest::of(""),
            tree,
            result: CheckResult::Fail,
            remembered: false,
            against: None,
            why: String::new(),
            checks: vec![
                check("one", CheckResult::Pass, Vec::new()),
                check("two", CheckResult::Pass, vec![finding.clone()]),
                check("three", CheckResult::Fail, vec![finding]),
                check("four", CheckResult::Infra, Vec::new()),
            ],
        };
        let mut out = Vec::new();
        write(&gate, &mut out).expect("a Vec takes all");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains(
            "<testsuite name=\"gate full\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"0\" time=\"5.000\">"
        ));
        assert!(text.contains("    <testcase name=\"one\" classname=\"gate.full\" time=\"1.250\"/>\n"), "{text}");
        assert!(text.contains("<system-out>a.rs:2: t (flaky, warn)</system-out>"), "{text}");
        assert!(
            text.contains("<failure message=\"a &lt; &quot;b&quot;\" type=\"fail\">a.rs:2: t (flaky, warn)\nx &amp; y"),
            "{text}"
        );
        assert!(!text.contains(['\u{1b}', '\u{0}']), "{text}");
    }
}
