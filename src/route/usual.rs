//! The routes that count where the configuration names nobody: compiled in, written as a user would write them.
//! Knows nothing of programs; an agent whose model nobody named is of the usual tier.

use std::sync::OnceLock;

use serde::Deserialize;

use super::model_name::plain;
use crate::config::settings::{AgentSettings, Route, Settings};

/// The table, as it stands in the program.
pub const USUAL: &str = include_str!("usual.toml");

/// The tier of models that no tier names.
const TIER_OF_OTHERS: &str = "usual";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "tier")]
    tiers: Vec<Tier>,
    #[serde(rename = "route")]
    routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tier {
    name: String,
    models: Vec<String>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| toml::from_str(USUAL).expect("the table is compiled in, and a test reads it"))
}

/// The routes, which name tiers.
pub fn routes() -> &'static [Route] {
    &table().routes
}

/// The line in which one of its routes begins; the first is 0.
pub fn line_of_route(at: usize) -> Option<usize> {
    USUAL.lines().enumerate().filter(|(_, line)| *line == "[[route]]").nth(at).map(|(line, _)| line + 1)
}

/// The tier of an agent.
pub fn tier(agent: &AgentSettings) -> &'static str {
    let model = agent.model.as_deref().map(plain).unwrap_or_default();
    let fits = |tier: &'static Tier| {
        let longest = tier.models.iter().filter(|start| begins(&model, start)).map(String::len).max()?;
        Some((longest, tier.name.as_str()))
    };
    table().tiers.iter().filter_map(fits).max_by_key(|(length, _)| *length).map_or(TIER_OF_OTHERS, |(_, name)| name)
}

/// The agents of these tiers, in their order; within a tier by name.
pub fn agents(settings: &Settings, tiers: &[String]) -> Vec<String> {
    let mut agents = Vec::new();
    for wanted in tiers {
        let of_tier = settings.agents.iter().filter(|(_, agent)| tier(agent) == wanted);
        agents.extend(of_tier.map(|(name, _)| name.clone()));
    }
    agents
}

/// Whether the beginning ends where a word or a number of the name does: `gpt-5` begins `gpt-5-codex`, not `gpt-5.5`.
fn begins(model: &str, start: &str) -> bool {
    model.strip_prefix(start).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.'))
        || model.strip_prefix(start).is_some_and(|rest| {
            // Names that grow at once into their number: `qwen3-coder`, `llama3.3`.
            start.ends_with(|c: char| c.is_ascii_alphabetic()) && rest.starts_with(|c: char| c.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{parse::parse, settings::AdapterKind};

    fn check(model: &str, wanted: &str) {
        let settings = parse(&format!("[agents.a]\nadapter = 'opencode'\nmodel = '{model}'"), "c").expect(model);
        assert_eq!(settings.agents["a"].adapter, AdapterKind::OpenCode);
        assert_eq!(tier(&settings.agents["a"]), wanted, "{model}");
    }

    #[test]
    fn a_model_has_one_tier() {
        check("claude-opus-4-5-20251101", "strong");
        check("anthropic/claude-sonnet-4-5[1m]", "usual");
        check("haiku", "light");
        check("gpt-5", "usual");
        check("gpt-5.5", "strong");
        check("gpt-5-mini", "light");
        check("gpt-5-codex", "usual");
        check("openrouter/qwen/qwen3-coder", "usual");
        check("gemini-2.5-flash-lite", "light");
        check("ollama/llama3.3:70b", "light");
        check("house-model", "usual");
        let none = parse("[agents.a]\nadapter = 'claude'", "c").expect("right");
        assert_eq!(tier(&none.agents["a"]), "usual");
    }

    #[test]
    fn the_table_is_whole() {
        let names: Vec<&str> = table().tiers.iter().map(|tier| tier.name.as_str()).collect();
        assert!(names.contains(&TIER_OF_OTHERS));
        for route in routes() {
            let mut used: Vec<&str> = route.agents.names().iter().map(String::as_str).collect();
            used.sort_unstable();
            let mut all = names.clone();
            all.sort_unstable();
            assert_eq!(used, all, "every agent may play every role: {route:?}");
        }
        let last = routes().last().expect("there are routes");
        assert!(last.role.is_none() && last.risk.is_none() && last.complexity.is_none(), "the last one takes all");
        assert_eq!(line_of_route(routes().len()), None);
        assert!(line_of_route(routes().len() - 1).is_some());
    }
}
