//! What must hold of an agent that is two others together: one writes a brief, the other works by it.
//! Knows nothing of lines or files, nor how the two are asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    document::{Reading, place},
    over_http::Wrong,
    settings::{AdapterKind, AgentSettings, Settings},
};
use crate::text::did_you_mean;

/// What the changed files are checked for before a hybrid's work counts as finished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputCheck {
    /// Each parses.
    #[default]
    Syntax,
    /// Nothing.
    None,
}

/// The adapter of an agent that names none.
pub(super) fn adapter() -> AdapterKind {
    AdapterKind::Hybrid
}

impl Settings {
    /// The two agents of a hybrid, who writes its brief first; none for an agent that works alone.
    pub fn parts_of(&self, agent: &AgentSettings) -> Option<[&AgentSettings; 2]> {
        let part = |name: &Option<String>| self.agents.get(name.as_ref()?);
        Some([part(&agent.brief)?, part(&agent.work)?])
    }
}

/// Everything that is wrong with this agent as far as hybrids are concerned. `text` is where all of them stand.
pub fn wrong_with(name: &str, agent: &AgentSettings, all: &BTreeMap<String, AgentSettings>, text: &str) -> Vec<Wrong> {
    let mut found = Vec::new();
    let mut wrong = |key, what: String, hint: Option<String>| found.push(Wrong { key, what, hint });
    let parts = [("brief", agent.brief.as_ref()), ("work", agent.work.as_ref())];
    if agent.adapter != AdapterKind::Hybrid {
        let own =
            parts.map(|(key, value)| (key, value.is_some())).into_iter().chain([("check", agent.check.is_some())]);
        for (key, _) in own.filter(|(_, is_there)| *is_there) {
            let what = format!("'{key}' of agent '{name}' is only for a hybrid of two agents");
            wrong(key, what, Some("leave 'adapter' out, and name 'brief' and 'work'".to_owned()));
        }
        return found;
    }
    let is_named = || Reading::has(text, &place!["agents", name, "adapter"]);
    if parts.iter().all(|(_, named)| named.is_none()) && !is_named() {
        wrong("adapter", format!("'adapter' is missing in [agents.{name}]"), None);
        return found;
    }
    for (key, named) in parts {
        let Some(named) = named else {
            let what = format!("agent '{name}' is a hybrid, but names no '{key}'");
            wrong("adapter", what, Some(format!("{key} = \"<another agent>\"")));
            continue;
        };
        match all.get(named) {
            Some(_) if named == name => wrong(key, format!("'{key}' of agent '{name}' is that agent itself"), None),
            Some(other) if other.adapter == AdapterKind::Hybrid => {
                let of_it = if key == "brief" { &other.brief } else { &other.work };
                let hint = of_it.as_ref().filter(|of_it| *of_it != name && *of_it != named);
                let hint = hint.map(|of_it| format!("{key} = \"{of_it}\""));
                let what = format!("'{key}' of agent '{name}' is '{named}', a hybrid itself: it must work alone");
                wrong(key, what, hint);
            }
            Some(_) => {}
            None => {
                let what = format!("'{key}' of agent '{name}' is '{}', which is not in [agents]", named.escape_debug());
                let others = all.keys().filter(|other| *other != name).map(String::as_str);
                let hint = match did_you_mean(named, others) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => format!("add it: [agents.{named}]"),
                };
                wrong(key, what, Some(hint));
            }
        }
    }
    let of_others = [
        ("program", agent.program.is_some()),
        ("model", agent.model.is_some()),
        ("family", agent.family.is_some()),
        ("args", !agent.args.is_empty()),
        ("env_pass", !agent.env_pass.is_empty()),
        ("env", !agent.env.is_empty()),
        ("recording", agent.recording.is_some()),
    ];
    for (key, _) in of_others.into_iter().filter(|(_, is_there)| *is_there) {
        let what = format!("'{key}' of agent '{name}' means nothing: a hybrid only names two others");
        wrong(key, what, Some(format!("move '{key}' to one of them")));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::config::parse::parse;

    fn check(text: &str, wanted: &[&str]) {
        let whole = format!("agents.a = {{ adapter = 'claude' }}\nagents.glm = {{ adapter = 'codex' }}\n{text}");
        let problems = parse(&whole, "c").err().unwrap_or_default();
        let said = problems.iter().map(|problem| {
            let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
            format!("{}: {}{hint}", problem.line.unwrap_or_default(), problem.what)
        });
        assert_eq!(said.collect::<Vec<_>>(), wanted, "{text}");
    }

    #[test]
    fn two_others_make_a_hybrid() {
        check("agents.h = { brief = 'a', work = 'glm' }", &[]);
        check("agents.h = { brief = 'a', work = 'a', check = 'none', parallel_max = 2 }", &[]);
        check("agents.h = { adapter = 'hybrid', brief = 'a', work = 'glm', check = 'syntax' }", &[]);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_type() {
        check(
            "agents.h = { brief = 'a', work = 'gml' }",
            &["3: 'work' of agent 'h' is 'gml', which is not in [agents] (did you mean 'glm'?)"],
        );
        check(
            "agents.h = { brief = 'a' }",
            &["3: agent 'h' is a hybrid, but names no 'work' (work = \"<another agent>\")"],
        );
        check("agents.h = { parallel_max = 1 }", &["3: 'adapter' is missing in [agents.h]"]);
        check(
            "agents.h = { adapter = 'hybrid' }",
            &[
                "3: agent 'h' is a hybrid, but names no 'brief' (brief = \"<another agent>\")",
                "3: agent 'h' is a hybrid, but names no 'work' (work = \"<another agent>\")",
            ],
        );
        check(
            "agents.h = { brief = 'a', work = 'glm', check = 'sintax', model = 'm' }",
            &["3: 'check' cannot be 'sintax' (did you mean 'syntax'?)"],
        );
        check(
            "agents.h = { brief = 'a', work = 'glm', model = 'm' }",
            &["3: 'model' of agent 'h' means nothing: a hybrid only names two others (move 'model' to one of them)"],
        );
        check(
            "agents.h = { adapter = 'claude', check = 'none' }",
            &[
                "3: 'check' of agent 'h' is only for a hybrid of two agents (leave 'adapter' out, and name 'brief' and 'work')",
            ],
        );
    }

    #[test]
    fn no_hybrid_is_made_of_hybrids() {
        check("agents.h = { brief = 'a', work = 'h' }", &["3: 'work' of agent 'h' is that agent itself"]);
        check(
            "agents.h = { brief = 'a', work = 'i' }\nagents.i = { brief = 'h', work = 'glm' }",
            &[
                "3: 'work' of agent 'h' is 'i', a hybrid itself: it must work alone (work = \"glm\")",
                "4: 'brief' of agent 'i' is 'h', a hybrid itself: it must work alone (brief = \"a\")",
            ],
        );
    }
}
