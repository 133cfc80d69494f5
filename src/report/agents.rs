//! The agents of the configuration, and whether they can be given work.
//! Knows nothing of how that is found out.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    look::{Ink, Look},
    table::{self, Cell, words},
};
use crate::text;

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentView {
    /// Its name in the configuration.
    pub name: String,
    /// How it is driven.
    pub adapter: &'static str,
    /// The model it is asked for; none: the program's own choice.
    pub model: Option<String>,
    /// The family of its model, if it can be told.
    pub family: Option<String>,
    /// The roles it may play, as configured.
    pub roles: Vec<String>,
    /// The program's file.
    pub program: Option<String>,
    /// The version it answered with.
    pub version: Option<String>,
    /// What is wrong; none: nothing is known to be.
    pub problem: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AgentsView {
    /// Those of the configuration.
    pub agents: Vec<AgentView>,
    /// Known programs that are on PATH, but are no agent of the configuration.
    pub unused: Vec<String>,
}

/// Writes it for people.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &AgentsView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if view.agents.is_empty() {
        writeln!(out, "no agents are configured")?;
    }
    let columns = [
        words("AGENT"),
        words("ADAPTER"),
        words("MODEL"),
        words("FAMILY"),
        words("ROLES"),
        words("VERSION"),
        words("HEALTH"),
    ];
    let rows: Vec<Vec<Cell>> = view.agents.iter().map(row).collect();
    let (headings, lines) = table::lines(look, &columns, &rows);
    if !lines.is_empty() {
        writeln!(out, "{headings}")?;
    }
    for (agent, line) in view.agents.iter().zip(lines) {
        writeln!(out, "{line}")?;
        if let Some(hint) = &agent.hint {
            writeln!(out, "  {} {}", look.paint(Ink::Warn, "hint:"), text::clean_line(hint))?;
        }
    }
    if !view.unused.is_empty() {
        let unused: Vec<_> = view.unused.iter().map(|name| format!("'{name}'")).collect();
        writeln!(out, "also on PATH, but not configured: {}", text::list(&unused))?;
    }
    Ok(())
}

fn row(agent: &AgentView) -> Vec<Cell> {
    vec![
        Cell::new(Ink::Strong, &agent.name),
        agent.adapter.into(),
        agent.model.as_deref().unwrap_or_default().into(),
        agent.family.as_deref().unwrap_or_default().into(),
        agent.roles.join(", ").into(),
        agent.version.as_deref().unwrap_or_default().into(),
        match &agent.problem {
            Some(problem) => Cell::new(Ink::Bad, problem),
            None => Cell::new(Ink::Good, "ok"),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sick_agent_is_followed_by_what_to_do() {
        let well = AgentView {
            name: "claude".to_owned(),
            adapter: "claude",
            model: None,
            family: Some("anthropic".to_owned()),
            roles: vec!["default".to_owned()],
            program: Some("/usr/bin/claude".to_owned()),
            version: Some("2.0.1".to_owned()),
            problem: None,
            hint: None,
        };
        let sick = AgentView {
            name: "codex".to_owned(),
            adapter: "codex",
            version: None,
            problem: Some("no program 'codex' in PATH".to_owned()),
            hint: Some("install it".to_owned()),
            ..well.clone()
        };
        let view = AgentsView { agents: vec![well, sick], unused: vec!["gemini".to_owned()] };
        let mut out = Vec::new();
        write(&view, Look::default(), &mut out).expect("a Vec takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "AGENT   ADAPTER  FAMILY     ROLES    VERSION  HEALTH
claude  claude   anthropic  default  2.0.1    ok
codex   codex    anthropic  default           no program 'codex' in PATH
  hint: install it
also on PATH, but not configured: 'gemini'
"
        );
    }
}
