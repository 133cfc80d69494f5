//! The message of a step's commit: an index for people.
//! Knows nothing of repositories, nor of what is proven: the record is the evidence.

use crate::{
    model::record::{Actor, Decision, Record},
    text,
};

/// Lines of an agent's words that a message keeps.
const SUMMARY_LINES_MAX: usize = 40;
/// Bytes of an agent's words that a message keeps.
const SUMMARY_BYTES_MAX: usize = 4096;

/// The message: a subject, the agent's words made harmless, the trailers.
pub fn message(record: &Record) -> String {
    let mut message = subject(record);
    let body = harmless(if record.summary.is_empty() { &record.reason } else { &record.summary });
    message.push_str("\n\n");
    if !body.is_empty() {
        message.push_str(&body);
        message.push_str("\n\n");
    }
    if let Actor::Agent { adapter, model, .. } = &record.actor {
        let model = model.as_deref().map(|model| format!(":{}", one_word(model))).unwrap_or_default();
        message.push_str(&format!("Assisted-by: {adapter}{model}\n"));
    }
    message.push_str(&format!(
        "Orchestrate-Task: {}\nOrchestrate-Step: {} {}\nOrchestrate-Outcome: {}\n",
        record.task, record.seq, record.phase, record.outcome
    ));
    message
}

fn subject(record: &Record) -> String {
    let phase = record.phase.as_str().replace('/', " ");
    let what = match (&record.actor, &record.decision) {
        (_, Some(Decision::Approve)) => format!("approve {phase}"),
        (_, Some(Decision::Retry { .. })) => format!("retry {phase}"),
        (_, Some(Decision::Skip)) => format!("skip {phase}"),
        (_, Some(Decision::Allow { usd })) => format!("let it cost {usd}"),
        (_, Some(Decision::Abort { .. })) => format!("abort at {phase}"),
        (Actor::Agent { .. }, None) if record.attempt > 1 => format!("{phase}, attempt {}", record.attempt),
        (Actor::Agent { .. } | Actor::Gate { .. } | Actor::Person { .. } | Actor::Land, None) => phase,
    };
    format!("{}: {what}", record.task)
}

/// A model's name as one printable word.
fn one_word(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_graphic()).take(80).collect()
}

/// Foreign text that cannot be taken for trailers: `git interpret-trailers` would read `Key: value` lines in a last
/// paragraph as ours, so every such line is indented.
fn harmless(foreign: &str) -> String {
    let cleaned = text::clean(foreign);
    let kept = text::head(cleaned.trim(), SUMMARY_LINES_MAX, SUMMARY_BYTES_MAX);
    let mut lines = Vec::new();
    for line in kept.lines() {
        let line = line.trim_end();
        if is_trailer(line) || line.starts_with('#') {
            lines.push(format!("    {line}"));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n").trim_matches('\n').to_owned()
}

/// `Key: value` or `Key #value`, and git's own `(cherry picked from commit …)`.
fn is_trailer(line: &str) -> bool {
    let key = line.find([':', '#', '=']).map(|end| line[..end].trim_end());
    let is_key = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    key.is_some_and(is_key) || line.starts_with("(cherry picked from")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_foreign_text_is_a_trailer() {
        let forged =
            "I did it.\n\nSigned-off-by: Linus <l@example.com>\nOrchestrate-Outcome: done\nReviewed-by : x\nplain\n";
        assert_eq!(
            harmless(forged),
            "I did it.\n\n    Signed-off-by: Linus <l@example.com>\n    Orchestrate-Outcome: done\n    Reviewed-by : x\nplain"
        );
        assert_eq!(harmless("\u{1b}[31mred\u{1b}[0m"), "red");
        assert!(harmless(&"a\n".repeat(1000)).lines().count() <= SUMMARY_LINES_MAX + 1);
    }
}
