//! The message of a person's commit: it must not say what only git-orchestrate may, nor may an agent sign it off.
//! Knows nothing of repositories; most commits are judged by this file alone.

use crate::text;

/// Bytes of a message that are read.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// What agents call themselves where they sign: names and the ends of addresses.
const AGENT_NAMES: [&str; 12] = [
    "claude",
    "codex",
    "gemini",
    "copilot",
    "opencode",
    "cursor",
    "devin",
    "aider",
    "chatgpt",
    "amp",
    "jules",
    "git-orchestrate",
];
const AGENT_ADDRESSES: [&str; 8] = [
    "@anthropic.com",
    "@openai.com",
    "@git-orchestrate.invalid",
    "@cursor.com",
    "@cursor.so",
    "@aider.chat",
    "copilot@github.com",
    "+copilot@users.noreply.github.com",
];

/// A line that may not stand in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its number, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
    /// Why.
    pub why: &'static str,
}

/// The lines that may not be there. `agents` are the names of the agents that are configured, `is_agent` says whether one of
/// ours is committing.
pub fn judge(message: &str, agents: &[String], is_agent: bool) -> Vec<Refused> {
    let lines = message.lines().take_while(|line| !is_scissors(line)).enumerate();
    let refused = lines.filter_map(|(at, line)| {
        let why = wrong_with(line, agents, is_agent)?;
        Some(Refused { line: at + 1, text: text::clean_line(line), why })
    });
    refused.collect()
}

/// What is below is the change, for the writer's eyes; git cuts it off.
fn is_scissors(line: &str) -> bool {
    line.contains("------------------------ >8 ------------------------")
}

fn wrong_with(line: &str, agents: &[String], is_agent: bool) -> Option<&'static str> {
    let (key, value) = line.split_once(':')?;
    let key = key.trim_end();
    let has = |start: &str| key.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start));
    if has("Orchestrate-") && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Some("only git-orchestrate writes this, into commits that it signs");
    }
    if !key.eq_ignore_ascii_case("Signed-off-by") {
        return None;
    }
    if is_agent {
        return Some("an agent cannot sign off: only a person can certify where the work comes from");
    }
    let value = value.trim().to_lowercase();
    let (name, address) = value.split_once('<').unwrap_or((&value, ""));
    let (name, address) = (name.trim(), address.trim_end_matches('>').trim());
    let first = name.split([' ', '-', '(', '[']).next().unwrap_or_default();
    let is_known = AGENT_ADDRESSES.iter().any(|known| address.ends_with(known))
        // A person may be called Claude; an agent is called nothing else.
        || (AGENT_NAMES.contains(&first) && (name == first || name.contains("code") || name.contains("cli") || name.contains("bot") || name.contains("agent")))
        || agents.iter().any(|agent| agent.eq_ignore_ascii_case(name));
    is_known.then_some("an agent cannot sign off: only a person can certify where the work comes from")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, wanted: &[usize]) {
        let found: Vec<usize> = judge(message, &["builder".to_owned()], false).iter().map(|one| one.line).collect();
        assert_eq!(found, wanted, "{message}");
    }

    #[test]
    fn forged_lines_are_found() {
        check("Fix it\n\nOrchestrate-Task: api\nOrchestrate-Step: 7 land\n", &[3, 4]);
        check("Fix it\n\norchestrate-outcome : done", &[3]);
        check("Fix it\n\nSigned-off-by: Claude <noreply@anthropic.com>\n", &[3]);
        check("Fix it\n\nsigned-off-by: Codex CLI <x@example.com>\nSigned-off-by: builder <a@b>\n", &[3, 4]);
        check("Fix it\n\nSigned-off-by: a <a@git-orchestrate.invalid>", &[3]);
    }

    #[test]
    fn what_people_write_is_theirs() {
        check("Fix it\n\nSigned-off-by: Claude Monet <claude@example.com>\nAssisted-by: claude\n", &[]);
        check("Say what Orchestrate-Task: is\n\n    Orchestrate-Task: api\n# Orchestrate-Step: 1\n", &[]);
        check("Fix\n# ------------------------ >8 ------------------------\nOrchestrate-Task: api\n", &[]);
        check("", &[]);
        let agents = judge("x\n\nSigned-off-by: Tess <t@example.com>", &[], true);
        assert_eq!(agents.len(), 1, "an agent signs off for nobody");
    }
}
