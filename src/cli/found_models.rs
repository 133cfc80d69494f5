//! Models over HTTP that the environment has keys or addresses for, so that `init` can propose them.
//! Spends no money: a server that is not a provider's own is asked for its list of models, nothing else.

use std::path::Path;

use crate::{
    agents::{
        family::family_of,
        http::{Endpoint, Provider, provider_of},
    },
    config::{
        settings::{AdapterKind, AgentSettings},
        template::{InitAgent, adapter_word},
    },
    sys::process::Supervisor,
};

/// Those that are known, the first choice for writing first.
pub const OVER_HTTP: [AdapterKind; 3] = [AdapterKind::Anthropic, AdapterKind::OpenAi, AdapterKind::Google];
/// Agents that are proposed of one server with models of many families.
const OF_ONE_SERVER_MAX: usize = 3;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The agents.
    pub agents: Vec<InitAgent>,
    /// Servers whose models cannot be told, and the variable that would name one.
    pub unknown: Vec<(AdapterKind, &'static str)>,
}

/// The variable that holds the key of an adapter over HTTP.
pub fn key_variable(adapter: AdapterKind) -> Option<&'static str> {
    provider_of(adapter).map(Provider::key_variable)
}

/// Those that the environment speaks of, or those of `named`. A family is proposed once.
pub fn find(
    named: &[AdapterKind],
    supervisor: Option<&Supervisor>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Found {
    let mut found = Found::default();
    for adapter in OVER_HTTP {
        let Some(provider) = provider_of(adapter) else { continue };
        let value = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let is_spoken_of = value(provider.key_variable()).or_else(|| value(provider.base_variable())).is_some();
        let is_wanted = if named.is_empty() { is_spoken_of } else { named.contains(&adapter) };
        if !is_wanted {
            continue;
        }
        let models = match (value(provider.model_variable()), value(provider.base_variable())) {
            (Some(model), _) => vec![model],
            (None, None) => vec![provider.usual_model().to_owned()],
            (None, Some(_)) => of_server(adapter, provider, supervisor),
        };
        if models.is_empty() {
            found.unknown.push((adapter, provider.model_variable()));
        }
        for model in models {
            let family = family_of(Some(&model), adapter).map(|family| family.0);
            let is_known = |other: &InitAgent| family.is_some() && other.family == family;
            if found.agents.iter().any(is_known) {
                continue;
            }
            let mut name = agent_name(&model);
            if found.agents.iter().any(|other| other.name == name) {
                name = format!("{name}-{}", adapter_word(adapter));
            }
            let server = value(provider.base_variable()).map(|_| provider.base_variable());
            found.agents.push(InitAgent { name, adapter, model: Some(model), family, server });
        }
    }
    found
}

/// Models of a server that are worth proposing: the usual ones of the providers if it has them, else the first of each
/// family, so that one can review the other.
fn of_server(adapter: AdapterKind, provider: &dyn Provider, supervisor: Option<&Supervisor>) -> Vec<String> {
    let mut settings = AgentSettings::of(adapter);
    settings.model = Some(provider.usual_model().to_owned());
    let listed = supervisor.and_then(|supervisor| {
        let endpoint = Endpoint::new("init", &settings, Path::new(".")).ok()??;
        Some(endpoint.models(supervisor))
    });
    choose(adapter, &listed.unwrap_or_default())
}

fn choose(adapter: AdapterKind, listed: &[String]) -> Vec<String> {
    let own = provider_of(adapter).map(Provider::usual_model);
    let usual = own.into_iter().chain(OVER_HTTP.into_iter().filter_map(provider_of).map(Provider::usual_model));
    let usual: Vec<&str> = usual.collect();
    let is_usual = |model: &&String| usual.iter().any(|usual| model.rsplit('/').next() == Some(*usual));
    let mut families = Vec::new();
    let mut chosen = Vec::new();
    for model in listed.iter().filter(is_usual).chain(listed) {
        let Some(family) = family_of(Some(model), adapter) else { continue };
        if chosen.len() < OF_ONE_SERVER_MAX && !families.contains(&family) {
            families.push(family);
            chosen.push(model.clone());
        }
    }
    chosen
}

/// A short name for an agent: the first word of its model's.
fn agent_name(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model);
    let word: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
    if word.is_empty() { "model".to_owned() } else { word.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(named: &[AdapterKind], variables: &[(&str, &str)], wanted: &[&str]) {
        let of = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let found = find(named, None, &of);
        let told = found.agents.iter().map(|agent| {
            format!("{} {} {}", agent.name, adapter_word(agent.adapter), agent.model.as_deref().unwrap_or_default())
        });
        let unknown = found.unknown.iter().map(|(adapter, variable)| format!("{} {variable}", adapter_word(*adapter)));
        assert_eq!(told.chain(unknown).collect::<Vec<_>>(), wanted, "{variables:?}");
    }

    #[test]
    fn keys_and_addresses_propose_agents() {
        check(&[], &[], &[]);
        check(&[], &[("ANTHROPIC_API_KEY", "k")], &["claude anthropic claude-sonnet-4-5"]);
        check(&[], &[("OPENAI_API_KEY", " ")], &[]);
        check(
            &[],
            &[("GEMINI_API_KEY", "k"), ("OPENAI_API_KEY", "k"), ("OPENAI_MODEL", "glm-4.7")],
            &["glm openai glm-4.7", "gemini google gemini-2.5-pro"],
        );
        check(&[AdapterKind::Google], &[("OPENAI_API_KEY", "k")], &["gemini google gemini-2.5-pro"]);
        check(&[], &[("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")], &["openai OPENAI_MODEL"]);
    }

    #[test]
    fn of_a_gateway_one_model_of_each_family_is_taken() {
        let listed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let models = ["house", "openai/gpt-4", "openai/gpt-5.5", "z/glm-4.7", "anthropic/claude-sonnet-4-5", "qwen3"];
        assert_eq!(
            choose(AdapterKind::OpenAi, &listed(&models)),
            ["openai/gpt-5.5", "anthropic/claude-sonnet-4-5", "z/glm-4.7"]
        );
        assert_eq!(choose(AdapterKind::OpenAi, &listed(&["house"])), [""; 0]);
    }
}
