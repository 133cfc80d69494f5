//! A gate's verdict as SARIF 2.1.0, for what shows findings beside code: GitHub, editors.
//! The source is <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>. Knows nothing of how the verdict came about.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::{
    model::record::{Check, CheckResult, Finding, GateVerdict, Weight},
    text,
};

/// Where the words of the format are defined.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes it.
///
/// # Errors
/// When `out` does not take it.
pub fn write(gate: &GateVerdict, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: Vec<(String, String)> = Vec::new();
    let mut results = Vec::new();
    for check in &gate.checks {
        for finding in findings(check) {
            let id = rule_id(&finding);
            let at = rules.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
                rules.push((id.clone(), finding.rule.word().to_owned()));
                rules.len() - 1
            });
            results.push(result(check, &finding, &id, at));
        }
    }
    let could_not = gate.checks.iter().filter(|check| check.result == CheckResult::Infra);
    let notifications: Vec<Value> = could_not
        .map(|check| {
            let told = format!("check '{}' could not run: {}", check.name, text::clean_line(&check.reason));
            json!({ "level": "error", "message": { "text": told } })
        })
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "git-orchestrate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|(id, kind)| json!({ "id": id, "properties": { "gateRule": kind } })).collect::<Vec<_>>(),
            } },
            "automationDetails": { "id": format!("git-orchestrate/gate/{}", gate.profile) },
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": { "tree": gate.tree.to_string(), "result": gate.result.word() },
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

/// What was found; of a check that failed without a word the failure.
fn findings(check: &Check) -> Vec<Finding> {
    if check.findings.is_empty() && check.result == CheckResult::Fail {
        return vec![Finding {
            rule: crate::model::record::GateRule::Exit,
            weight: Weight::Block,
            what: check.reason.clone(),
            code: None,
            file: None,
            line: None,
        }];
    }
    check.findings.clone()
}

fn rule_id(finding: &Finding) -> String {
    finding.code.clone().unwrap_or_else(|| format!("gate/{}", finding.rule))
}

fn result(check: &Check, finding: &Finding, id: &str, rule_index: usize) -> Value {
    let level = match finding.weight {
        Weight::Block => "error",
        Weight::Warn => "warning",
    };
    let text = format!("{}: {} ({})", check.name, text::clean_line(&finding.what), finding.rule);
    let mut result = json!({ "ruleId": id, "ruleIndex": rule_index, "level": level, "message": { "text": text } });
    if let Some(file) = finding.file.as_deref().filter(|file| !file.starts_with('/')) {
        let mut physical = json!({ "artifactLocation": { "uri": uri(file), "uriBaseId": "%SRCROOT%" } });
        if let Some(line) = finding.line.filter(|line| *line > 0) {
            physical["region"] = json!({ "startLine": line });
        }
        result["locations"] = json!([{ "physicalLocation": physical }]);
    }
    result
}

/// A path as a relative reference (RFC 3986): what is not allowed in one is written in percent.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        object::{Digest, TreeId},
        record::GateRule,
    };

    #[test]
    fn findings_stand_beside_their_lines() {
        let tree: TreeId = "0123456789abcdef0123456789abcdef01234567".parse().expect("a tree");
        let check = |name: &str, result, findings| Check {
            name: name.to_owned(),
            result,
            reason: "exit code 1".to_owned(),
            findings,
            ..Check::default()
        };
        let finding = Finding {
            rule: GateRule::Warnings,
            weight: Weight::Block,
            what: "unused".to_owned(),
            code: Some("F401".to_owned()),
            file: Some("a b.py".to_owned()),
            line: Some(3),
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
                check("lint", CheckResult::Fail, vec![finding.clone(), finding]),
                check("tests", CheckResult::Fail, Vec::new()),
                check("types", CheckResult::Infra, Vec::new()),
                check("docs", CheckResult::Pass, Vec::new()),
            ],
        };
        let mut out = Vec::new();
        write(&gate, &mut out).expect("a Vec takes all");
        let log: Value = serde_json::from_slice(&out).expect("JSON");
        let run = &log["runs"][0];
        assert_eq!(run["results"].as_array().map(Vec::len), Some(3));
        assert_eq!(
            run["results"][0]["locations"][0]["physicalLocation"],
            json!({ "artifactLocation": { "uri": "a%20b.py", "uriBaseId": "%SRCROOT%" }, "region": { "startLine": 3 } })
        );
        assert_eq!(run["results"][2]["message"]["text"], "tests: exit code 1 (exit)");
        assert_eq!(run["results"][2]["ruleIndex"], 1);
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    }
}
