//! What `[limits]` and `[resources]` say that cannot be meant, and what a gate needs of what there is only some of.
//! Knows nothing of lines or files, nor of what is in use.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    document::{Part, place},
    money::Wrong,
    parse::{JOBS_MAX, OUTPUT_BYTES_MIN},
    settings::Settings,
};
use crate::{
    model::{money::Money, task::Span},
    text::did_you_mean,
};

/// How many of each named thing: what there is, or what something needs.
pub type Resources = BTreeMap<String, u32>;

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Workers, where `--jobs` does not say; default: 4.
    pub jobs: u32,
    /// Gates that run at once; default: half of the processor's cores, at least 2.
    pub gates: u32,
    /// Failed attempts of a phase before a person decides.
    pub attempts: u32,
    /// Times in a row that a step cannot be done at all before a person decides.
    pub infra: u32,
    /// Landings of a task that may go wrong before a person decides.
    pub land_rounds: u32,
    /// How long one agent's step may take.
    pub step_timeout: Span,
    /// How long an agent may be silent (agents are silent for up to seven minutes while they think).
    pub idle_timeout: Span,
    /// How long what was gathered for a prompt is used again for the same code.
    pub context_age: Span,
    /// How long a check may take.
    pub check_timeout: Span,
    /// Bytes of an agent's or a check's output that are kept.
    pub output_bytes: u64,
    /// Bytes a file may have to be committed.
    pub file_bytes: u64,
    /// Bytes that must be free on the disk: below, idle worktrees are given back and new work waits.
    pub disk_free_bytes: u64,
    /// Bytes of memory that must be available: below, fewer workers work; 0: not looked at.
    pub memory_free_bytes: u64,
    /// Processes that are ready to run, for each core, on average of a minute: above, fewer workers work.
    pub load_per_core_max: u32,
    /// By model: how many steps it may do at once, whatever agents use it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models_parallel: BTreeMap<String, u32>,
    /// How version 0.1 spelt `task_usd` of `[budget]`; `parse` moves it there.
    #[serde(skip_serializing)]
    pub task_budget_usd: Option<Money>,
    /// How long a task may take, where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_timeout: Option<Span>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, |n| n.get() as u32);
        Self {
            jobs: 4,
            gates: (cores / 2).max(2),
            attempts: 3,
            infra: 3,
            land_rounds: 3,
            step_timeout: Span(Duration::from_secs(3600)),
            idle_timeout: Span(Duration::from_secs(600)),
            context_age: Span(Duration::from_secs(7 * 86_400)),
            check_timeout: Span(Duration::from_secs(1800)),
            output_bytes: 8 << 20,
            file_bytes: 10 << 20,
            disk_free_bytes: 512 << 20,
            memory_free_bytes: 256 << 20,
            load_per_core_max: 16,
            models_parallel: BTreeMap::new(),
            task_budget_usd: None,
            task_timeout: None,
        }
    }
}

/// The most of one resource.
const RESOURCE_MAX: u32 = 10_000;

/// Everything that is wrong with the limits and the resources.
pub(super) fn problems(settings: &Settings) -> Vec<Wrong> {
    let mut found = of_limits(settings);
    for (name, count) in &settings.resources {
        let here = place!["resources", name.as_str()];
        if !is_word(name) {
            let what = format!("'{}' cannot name a resource: letters, digits, '_' and '-'", name.escape_debug());
            found.push(wrong(&here, what, "gpu = 1"));
        } else if !(1..=RESOURCE_MAX).contains(count) {
            found.push(wrong(&here, format!("resource '{name}' must be between 1 and {RESOURCE_MAX}"), ""));
        }
    }
    for (profile, gate) in &settings.gate {
        for (at, check) in gate.checks.iter().enumerate() {
            for (name, problem, hint) in lacks(&settings.resources, &check.resources) {
                let here = place!["gate", profile.as_str(), "check", at, "resources", name.as_str()];
                found.push(wrong(&here, format!("check '{}' {problem}", check.name), &hint));
            }
        }
    }
    for (model, most) in &settings.limits.models_parallel {
        if *most == 0 {
            let what = format!("'models_parallel' of model '{model}' must be 1 or more");
            found.push(wrong(&place!["limits", "models_parallel", model.as_str()], what, ""));
        }
    }
    found
}

fn of_limits(settings: &Settings) -> Vec<Wrong> {
    let limits = &settings.limits;
    let mut found = Vec::new();
    let mut about = |key: &str, what: String| found.push(wrong(&place!["limits", key], what, ""));
    for (key, value) in [("jobs", limits.jobs), ("gates", limits.gates)] {
        if !(1..=JOBS_MAX).contains(&value) {
            about(key, format!("'{key}' must be between 1 and {JOBS_MAX}"));
        }
    }
    let counts = [
        ("attempts", limits.attempts),
        ("infra", limits.infra),
        ("land_rounds", limits.land_rounds),
        ("load_per_core_max", limits.load_per_core_max),
    ];
    for (key, _) in counts.into_iter().filter(|(_, value)| *value == 0) {
        about(key, format!("'{key}' must be 1 or more"));
    }
    let spans = [
        ("step_timeout", Some(limits.step_timeout)),
        ("idle_timeout", Some(limits.idle_timeout)),
        ("check_timeout", Some(limits.check_timeout)),
        ("task_timeout", limits.task_timeout),
    ];
    for (key, span) in spans {
        if span.is_some_and(|span| span.0.is_zero()) {
            about(key, format!("'{key}' must be more than nothing"));
        }
    }
    if limits.output_bytes < OUTPUT_BYTES_MIN {
        about("output_bytes", format!("'output_bytes' must be {OUTPUT_BYTES_MIN} or more"));
    }
    if limits.file_bytes == 0 {
        about("file_bytes", "'file_bytes' must be 1 or more".to_owned());
    }
    found
}

fn wrong(place: &[Part], what: String, hint: &str) -> Wrong {
    Wrong { place: place.to_vec(), what, hint: (!hint.is_empty()).then(|| hint.to_owned()) }
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// What of this need could never be had: the resource, what is wrong, what to do.
pub fn lacks(there: &Resources, need: &Resources) -> Vec<(String, String, String)> {
    let lacking = need.iter().filter_map(|(name, count)| {
        let (what, hint) = match there.get(name) {
            _ if *count == 0 => (format!("needs 0 of resource '{name}'"), "remove it".to_owned()),
            Some(all) if count <= all => return None,
            Some(all) => (
                format!("needs {count} of resource '{name}', of which there are {all}"),
                format!("[resources] {name} = {count}"),
            ),
            None => {
                let near = did_you_mean(name, there.keys().map(String::as_str));
                let add = || format!("add to .handoff/config.toml: [resources] {name} = {count}");
                let hint = near.map_or_else(add, |near| format!("did you mean '{near}'?"));
                (format!("needs resource '{name}', which is not in [resources]"), hint)
            }
        };
        Some((name.clone(), what, hint))
    });
    lacking.collect()
}

/// What a gate takes while its checks run: what they need together, as far as there is so much. Of `auto`, nobody knows yet
/// which gate it will be: then what any takes.
pub fn gate_takes(settings: &Settings, profile: &str) -> Resources {
    let mut takes = Resources::new();
    let is_any = !settings.gate.contains_key(profile);
    for (_, gate) in settings.gate.iter().filter(|(name, _)| is_any || *name == profile) {
        let mut together = Resources::new();
        for (name, count) in gate.checks.iter().flat_map(|check| &check.resources) {
            *together.entry(name.clone()).or_default() += count;
        }
        for (name, count) in together {
            let all = settings.resources.get(&name).copied().unwrap_or(count);
            let known = takes.entry(name).or_default();
            *known = (*known).max(count.min(all));
        }
    }
    takes
}

/// Whether the checks of a gate together need more of something than there is: then they run one after another.
pub fn is_contested(settings: &Settings, profile: &str) -> bool {
    let mut together = Resources::new();
    let gate = settings.gate.get(profile);
    for (name, count) in gate.into_iter().flat_map(|gate| &gate.checks).flat_map(|check| &check.resources) {
        *together.entry(name.clone()).or_default() += count;
    }
    together.iter().any(|(name, count)| settings.resources.get(name).is_some_and(|all| count > all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse::parse;

    const GATE: &str = "[gate.full]\n[[gate.full.check]]\nname = 'a'\nrun = 'true'\n";

    #[track_caller]
    fn check(text: &str, wanted: &[&str]) {
        let problems = parse(text, "c").err().unwrap_or_default();
        let said: Vec<String> = problems
            .iter()
            .map(|problem| {
                let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
                format!("{}: {}{hint}", problem.line.unwrap_or_default(), problem.what)
            })
            .collect();
        assert_eq!(said, wanted, "{text}");
    }

    #[test]
    fn resources_that_cannot_be_meant_are_named() {
        check("resources = { gpu = 1, db = 2 }", &[]);
        check("[resources]\ngpu = 0", &["2: resource 'gpu' must be between 1 and 10000"]);
        check(
            &format!("resources = {{ gpu = 1 }}\n{GATE}resources = {{ gpus = 1 }}"),
            &["6: check 'a' needs resource 'gpus', which is not in [resources] (did you mean 'gpu'?)"],
        );
        check(
            &format!("resources = {{ gpu = 1 }}\n{GATE}resources = {{ gpu = 2 }}"),
            &["6: check 'a' needs 2 of resource 'gpu', of which there are 1 ([resources] gpu = 2)"],
        );
        check("[limits]\nload_per_core_max = 0", &["2: 'load_per_core_max' must be 1 or more"]);
        check("[limits]\nmodels_parallel = { opus = 0 }", &["2: 'models_parallel' of model 'opus' must be 1 or more"]);
    }

    #[test]
    fn a_gate_takes_what_its_checks_need_together_and_no_more_than_there_is() {
        let text = format!(
            "resources = {{ db = 2, gpu = 1 }}\n{GATE}resources = {{ db = 1, gpu = 1 }}\n\
             [[gate.full.check]]\nname = 'b'\nrun = 'true'\nresources = {{ gpu = 1 }}\n\
             [[gate.small.check]]\nname = 'c'\nrun = 'true'\nresources = {{ db = 2 }}"
        );
        let settings = parse(&text, "c").expect("a configuration");
        let shown = |profile: &str| format!("{:?}", gate_takes(&settings, profile));
        assert_eq!(shown("full"), r#"{"db": 1, "gpu": 1}"#);
        assert_eq!(shown("auto"), r#"{"db": 2, "gpu": 1}"#);
        assert!(is_contested(&settings, "full") && !is_contested(&settings, "small"));
    }
}
