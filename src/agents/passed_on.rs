//! The secrets that a program is given with its environment, so that they can be kept out of what is written down.
//! Does not know where they are looked for.

use std::collections::BTreeMap;

use super::adapters::adapter_of;
use crate::{
    config::settings::AgentSettings,
    secrets::{PassedOn, is_secret_name},
    sys::environment,
};

/// The secrets that an agent with these settings may see.
pub fn passed_on(settings: &AgentSettings) -> Vec<PassedOn> {
    let adapter = adapter_of(settings.adapter);
    let own = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let own = own.filter(|name| adapter.is_some_and(|adapter| adapter.passes(name)));
    variables_passed_on(&own.chain(settings.env_pass.iter().cloned()).collect::<Vec<_>>(), &settings.env)
}

/// The secrets among variables of ours that are passed on by these names, and among those that are set.
pub fn variables_passed_on(pass: &[String], set: &BTreeMap<String, String>) -> Vec<PassedOn> {
    let ours = environment::allowed(pass).into_iter();
    let ours = ours.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let set = set.iter().map(|(name, value)| (name.clone(), value.clone()));
    let all = ours.chain(set).filter(|(name, _)| is_secret_name(name));
    all.map(|(name, value)| PassedOn { name, value }).collect()
}
