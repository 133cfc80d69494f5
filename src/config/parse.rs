//! From the text of `.handoff/config.toml` to settings, or to everything that is wrong with it.
//! Knows nothing of the machine: whether a program is there, or a file, is not asked here.

use std::collections::{BTreeMap, BTreeSet};

use globset::Glob;

use super::{
    audit,
    branch::wrong_with_landing_branch,
    document::{Part, Reading, Shape, place, read},
    hooks, hybrid, limits, money,
    over_http::{forbidden_key, wrong_with},
    problem::Problem,
    settings::{AdapterKind, CheckSettings, OneOrMany, Settings},
};
use crate::{
    secrets::{Allow, BadAllow, rule_ids},
    text::did_you_mean,
};

/// The version of the format that this program reads and writes.
pub const CONFIG_VERSION: u32 = 1;
/// Ports that a worktree may have.
pub const PORTS_MAX: u16 = 1_000;
/// Workers, or gates, that may be asked for.
pub const JOBS_MAX: u32 = 512;
/// The least of an agent's or a check's output that must be kept to be of use, bytes.
pub const OUTPUT_BYTES_MIN: u64 = 4096;
/// The least of memory that a check can be given, bytes.
pub const MEMORY_BYTES_MIN: u64 = 16 << 20;
/// The name of the gate that goes by the size of a change.
const AUTO: &str = "auto";

const SHAPES: &[(&[&str], Shape)] = &[
    (&["agents"], Shape::Table),
    (&["agents", "*"], Shape::Table),
    (&["agents", "*", "env"], Shape::Table),
    (&["roles"], Shape::Table),
    (&["route"], Shape::Tables),
    (&["prices"], Shape::Table),
    (&["prices", "*"], Shape::Table),
    (&["gate"], Shape::Table),
    (&["gate", "*"], Shape::Table),
    (&["gate", "*", "rules"], Shape::Table),
    (&["gate", "*", "check"], Shape::Tables),
    (&["gate", "*", "check", "env"], Shape::Table),
    (&["gate_auto"], Shape::Table),
    (&["gate", "*", "check", "resources"], Shape::Table),
    (&["limits"], Shape::Table),
    (&["limits", "models_parallel"], Shape::Table),
    (&["resources"], Shape::Table),
    (&["budget"], Shape::Table),
    (&["quota"], Shape::Table),
    (&["worktrees"], Shape::Table),
    (&["landing"], Shape::Table),
    (&["commits"], Shape::Table),
    (&["secrets"], Shape::Table),
    (&["audit"], Shape::Table),
    (&["hooks"], Shape::Table),
];

/// Reads the text of a configuration; an empty text is the default one.
///
/// # Errors
/// Everything that is wrong, in the order of lines.
pub fn parse(text: &str, file: &str) -> Result<Settings, Vec<Problem>> {
    let reading = Reading { shapes: SHAPES, ..Reading::of(file) };
    if let Some(newer) = newer_version(text, &reading) {
        return Err(vec![newer]);
    }
    let mut settings: Settings =
        read(text, &reading).map_err(|problems| problems.into_iter().map(without_key).collect::<Vec<_>>())?;
    let mut check = Check { text, reading, problems: Vec::new() };
    let old = money::old_spelling(&mut settings);
    for wrong in old.into_iter().chain(money::problems(&settings.budget)).chain(limits::problems(&settings)) {
        check.wrong_with_hint(&wrong.place, wrong.what, wrong.hint);
    }
    check.all(&settings);
    if check.problems.is_empty() {
        return Ok(settings);
    }
    check.problems.sort_by_key(|problem| problem.line);
    Err(check.problems)
}

/// Says of a key that is not known, but looks as if it held the key of a provider, that it does not belong here.
fn without_key(problem: Problem) -> Problem {
    let unknown = problem.what.strip_prefix("unknown key '").filter(|rest| rest.contains(" in [agents."));
    match unknown.and_then(|rest| rest.split_once('\'')).and_then(|(key, _)| forbidden_key(key)) {
        Some((what, hint)) => Problem { what, hint: Some(hint), ..problem },
        None => problem,
    }
}

/// A later version may have other keys, so nothing else is said of its file.
fn newer_version(text: &str, reading: &Reading<'_>) -> Option<Problem> {
    let version = toml::from_str::<toml::Table>(text).ok()?.get("version")?.as_integer()?;
    (version > i64::from(CONFIG_VERSION)).then(|| {
        let what = format!("written by a newer git-orchestrate: version {version}, this one reads {CONFIG_VERSION}");
        reading.problem(text, &place!["version"], what).hint("update git-orchestrate".to_owned())
    })
}

struct Check<'a> {
    text: &'a str,
    reading: Reading<'a>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn wrong(&mut self, place: &[Part], what: impl Into<String>) {
        self.wrong_with_hint(place, what, None);
    }

    fn wrong_with_hint(&mut self, place: &[Part], what: impl Into<String>, hint: Option<String>) {
        self.problems.push(self.reading.problem(self.text, place, what).hint(hint));
    }

    fn all(&mut self, settings: &Settings) {
        if settings.version != CONFIG_VERSION {
            self.wrong(&place!["version"], format!("'version' must be {CONFIG_VERSION}"));
        }
        if !is_name(&settings.workflow) {
            let what = format!("'{}' cannot name a workflow", settings.workflow.escape_debug());
            self.wrong(&place!["workflow"], what);
        }
        for (at, rule) in settings.rules.iter().enumerate() {
            if rule.trim().is_empty() {
                self.wrong(&place!["rules", at], "a rule is empty");
            }
        }
        self.agents(settings);
        for (role, names) in &settings.roles {
            self.agent_names(settings, names, &place!["roles", role.0.as_str()], &format!("role '{role}'"));
        }
        for (at, route) in settings.routes.iter().enumerate() {
            self.agent_names(settings, &route.agents, &place!["route", at, "use"], "a route");
        }
        for (key, what) in settings.routing.wrong() {
            self.wrong(&place!["routing", key], what);
        }
        self.gates(settings);
        self.gate_auto(settings);
        self.worktrees(settings);
        self.landing(settings);
        self.secrets(settings);
        for (place, what) in audit::wrong(&settings.audit) {
            self.wrong(&place, what);
        }
        for (place, what, hint) in hooks::wrong(settings) {
            self.wrong_with_hint(&place, what, hint);
        }
    }

    fn agents(&mut self, settings: &Settings) {
        for (name, agent) in &settings.agents {
            let key = |key: &str| place!["agents", name.as_str(), key];
            if !is_name(name) {
                let what = format!("'{}' cannot name an agent: letters, digits, '.', '_' and '-'", name.escape_debug());
                self.wrong(&place!["agents", name.as_str()], what);
            }
            match agent.adapter {
                AdapterKind::Replay if agent.recording.is_none() => {
                    let hint = "recording = \"<file>\", relative to the repository".to_owned();
                    let what = format!("agent '{name}' replays, but has no 'recording'");
                    self.wrong_with_hint(&key("adapter"), what, Some(hint));
                }
                AdapterKind::Command if agent.program.is_none() => {
                    let what = format!("agent '{name}' is a command, but has no 'program'");
                    self.wrong_with_hint(&key("adapter"), what, Some("program = \"<name or path>\"".to_owned()));
                }
                AdapterKind::Acp if agent.program.is_none() => {
                    let what = format!("agent '{name}' speaks the Agent Client Protocol, but has no 'program'");
                    let hint = "program = \"gemini\" and args = [\"--acp\"], or another that speaks it".to_owned();
                    self.wrong_with_hint(&key("adapter"), what, Some(hint));
                }
                AdapterKind::Claude
                | AdapterKind::Codex
                | AdapterKind::Gemini
                | AdapterKind::OpenCode
                | AdapterKind::Anthropic
                | AdapterKind::OpenAi
                | AdapterKind::Google
                | AdapterKind::Acp
                | AdapterKind::Command
                | AdapterKind::Hybrid
                | AdapterKind::Replay => {}
            }
            let takes_recording = agent.adapter == AdapterKind::Replay || agent.adapter.is_over_http();
            if agent.recording.is_some() && !takes_recording {
                let what = format!("agent '{name}' has a 'recording', which belongs to adapter 'replay'");
                self.wrong(&key("recording"), what);
            }
            let given = [("program", agent.program.as_deref()), ("model", agent.model.as_deref())];
            let family = agent.family.as_ref().map(|family| family.0.as_str());
            for (what, value) in given.into_iter().chain([("family", family)]) {
                if value.is_some_and(|value| value.trim().is_empty()) {
                    self.wrong(&key(what), format!("'{what}' of agent '{name}' is empty"));
                }
            }
            let of_hybrids = hybrid::wrong_with(name, agent, &settings.agents, self.text);
            for wrong in wrong_with(name, agent).into_iter().chain(of_hybrids) {
                self.wrong_with_hint(&key(wrong.key), wrong.what, wrong.hint);
            }
            if agent.parallel_max == Some(0) {
                self.wrong(&key("parallel_max"), format!("'parallel_max' of agent '{name}' must be 1 or more"));
            }
            self.variables(&agent.env, &agent.env_pass, &place!["agents", name.as_str()]);
        }
    }

    fn variables(&mut self, env: &BTreeMap<String, String>, pass: &[String], parent: &[Part]) {
        let wrong = |name: &str| name.is_empty() || name.contains('=');
        for name in env.keys().filter(|name| wrong(name)) {
            let what = format!("'{}' cannot name an environment variable", name.escape_debug());
            self.wrong(&[parent, &place!["env", name.as_str()][..]].concat(), what);
        }
        for (at, name) in pass.iter().enumerate().filter(|(_, name)| wrong(name)) {
            let what = format!("'{}' cannot name an environment variable", name.escape_debug());
            self.wrong(&[parent, &place!["env_pass", at][..]].concat(), what);
        }
    }

    fn agent_names(&mut self, settings: &Settings, names: &OneOrMany, place: &[Part], who: &str) {
        if names.names().is_empty() {
            self.wrong(place, format!("{who} names no agent"));
        }
        let mut seen = BTreeSet::new();
        for (at, name) in names.names().iter().enumerate() {
            let item = match names {
                OneOrMany::One(_) => place.to_vec(),
                OneOrMany::Many(_) => [place, &place![at][..]].concat(),
            };
            if !settings.agents.contains_key(name) {
                let known = settings.agents.keys().map(String::as_str);
                let hint = match did_you_mean(name, known) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None if settings.agents.is_empty() => format!("add it: [agents.{name}]"),
                    None => format!("known agents: {}", settings.agents.keys().cloned().collect::<Vec<_>>().join(", ")),
                };
                let what = format!("{who} names agent '{}', which is not in [agents]", name.escape_debug());
                self.wrong_with_hint(&item, what, Some(hint));
            } else if !seen.insert(name) {
                self.wrong(&item, format!("{who} names agent '{name}' twice"));
            }
        }
    }

    fn gates(&mut self, settings: &Settings) {
        for (profile, gate) in &settings.gate {
            let here = place!["gate", profile.as_str()];
            if !is_name(profile) {
                let what = format!("'{}' cannot name a gate: letters, digits, '.', '_', '-'", profile.escape_debug());
                self.wrong(&here, what);
            }
            if profile == AUTO {
                let what = "'auto' cannot name a gate: it stands for the one of the change's size";
                self.wrong_with_hint(&here, what, Some("name it by a size: [gate.small]".to_owned()));
            }
            if gate.api.as_ref().is_some_and(|command| command.trim().is_empty()) {
                self.wrong(
                    &[&here[..], &place!["api"][..]].concat(),
                    format!("'api' of gate '{profile}' runs nothing"),
                );
            }
            if gate.checks.is_empty() {
                let hint = format!("add one: [[gate.{profile}.check]] with name and run");
                self.wrong_with_hint(&here, format!("gate '{profile}' has no check"), Some(hint));
            }
            let mut seen = BTreeSet::new();
            for (at, check) in gate.checks.iter().enumerate() {
                let here = place!["gate", profile.as_str(), "check", at];
                self.gate_check(profile, check, &here);
                if !seen.insert(check.name.to_lowercase()) {
                    let what = format!("gate '{profile}' has two checks named '{}'", check.name);
                    self.wrong(&[&here[..], &place!["name"][..]].concat(), what);
                }
            }
        }
    }

    fn gate_check(&mut self, profile: &str, check: &CheckSettings, here: &[Part]) {
        let key = |key: &str| [here, &place![key][..]].concat();
        if check.name.trim().is_empty() || check.name.chars().any(char::is_control) {
            self.wrong(&key("name"), format!("a check of gate '{profile}' has no name of one line"));
        }
        if check.run.trim().is_empty() {
            self.wrong(&key("run"), format!("check '{}' of gate '{profile}' runs nothing", check.name));
        }
        if check.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            self.wrong(&key("timeout"), format!("'timeout' of check '{}' must be more than nothing", check.name));
        }
        if check.memory_bytes.is_some_and(|bytes| bytes < MEMORY_BYTES_MIN) {
            let what = format!("'memory_bytes' of check '{}' must be {MEMORY_BYTES_MIN} or more", check.name);
            self.wrong(&key("memory_bytes"), what);
        }
        for glob in check.report.as_ref().map_or(&[][..], OneOrMany::names) {
            if is_outside(glob) {
                let what = format!("report '{}' of check '{}' leaves the repository", glob.escape_debug(), check.name);
                self.wrong(&key("report"), what);
            } else if let Err(error) = Glob::new(glob) {
                let what =
                    format!("report '{}' of check '{}' is no glob: {}", glob.escape_debug(), check.name, error.kind());
                self.wrong(&key("report"), what);
            }
        }
        self.variables(&check.env, &check.env_pass, here);
    }

    fn gate_auto(&mut self, settings: &Settings) {
        let auto = &settings.gate_auto;
        for (size, named) in
            [("trivial", &auto.trivial), ("small", &auto.small), ("medium", &auto.medium), ("large", &auto.large)]
        {
            if let Some(gate) = named
                && !settings.gate.contains_key(gate)
            {
                let near = did_you_mean(gate, settings.gate.keys().map(String::as_str));
                let hint =
                    near.map_or_else(|| format!("add it: [gate.{gate}]"), |near| format!("did you mean '{near}'?"));
                let what = format!("{size} changes are for gate '{}', which is not in [gate]", gate.escape_debug());
                self.wrong_with_hint(&place!["gate_auto", size], what, Some(hint));
            }
        }
        if auto.small_lines > auto.medium_lines {
            self.wrong(&place!["gate_auto", "small_lines"], "'small_lines' must not be more than 'medium_lines'");
        }
        for (at, glob) in auto.docs.iter().enumerate() {
            if let Err(error) = Glob::new(glob) {
                let what = format!("'{}' of 'docs' is no glob: {}", glob.escape_debug(), error.kind());
                self.wrong(&place!["gate_auto", "docs", at], what);
            }
        }
    }

    fn worktrees(&mut self, settings: &Settings) {
        let trees = &settings.worktrees;
        if trees.dir.as_ref().is_some_and(|dir| dir.as_os_str().is_empty()) {
            self.wrong(&place!["worktrees", "dir"], "'dir' is empty");
        }
        for (at, command) in trees.setup.iter().enumerate() {
            if let Some(what) = command.wrong() {
                self.wrong(&place!["worktrees", "setup", at], what);
            }
        }
        if trees.ports > PORTS_MAX {
            self.wrong(&place!["worktrees", "ports"], format!("'ports' must not be more than {PORTS_MAX}"));
        }
        for (key, paths) in [("copy", &trees.copy), ("link", &trees.link), ("clone", &trees.clone)] {
            for (at, path) in paths.iter().enumerate() {
                let place = place!["worktrees", key, at];
                if is_outside(path) {
                    let what = format!("'{}' of '{key}' leaves the repository", path.escape_debug());
                    self.wrong(&place, what);
                } else if let Err(error) = Glob::new(path) {
                    let what = format!("'{}' of '{key}' is no glob: {}", path.escape_debug(), error.kind());
                    self.wrong(&place, what);
                }
            }
        }
    }

    fn landing(&mut self, settings: &Settings) {
        let landing = &settings.landing;
        if let Some(why) = wrong_with_landing_branch(&landing.branch) {
            let what = format!("tasks cannot land on branch '{}': {why}", landing.branch.escape_debug());
            self.wrong(&place!["landing", "branch"], what);
        }
        if let Some(gate) = &landing.gate
            && gate != AUTO
            && !settings.gate.contains_key(gate)
        {
            let near = did_you_mean(gate, settings.gate.keys().map(String::as_str));
            let hint = near.map_or_else(|| format!("add it: [gate.{gate}]"), |near| format!("did you mean '{near}'?"));
            let what = format!("tasks land through gate '{}', which is not in [gate]", gate.escape_debug());
            self.wrong_with_hint(&place!["landing", "gate"], what, Some(hint));
        }
        if landing.batch == 0 {
            self.wrong(&place!["landing", "batch"], "'batch' must be 1 or more");
        }
    }

    fn secrets(&mut self, settings: &Settings) {
        let Err((at, bad)) = Allow::parse(&settings.secrets.allow) else { return };
        let hint = match &bad {
            BadAllow::Rule(entry) => did_you_mean(entry.trim_start_matches("rule:"), rule_ids())
                .map(|near| format!("did you mean 'rule:{near}'?")),
            BadAllow::Kind(_) | BadAllow::Glob(..) | BadAllow::Digest(_) => bad.hint(),
        };
        self.wrong_with_hint(&place!["secrets", "allow", at], bad.to_string(), hint);
    }
}

/// Whether it can be a name of one word: of an agent, a gate, a workflow's file.
pub fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Whether a path or glob of the repository is empty, absolute, or goes up.
pub fn is_outside(path: &str) -> bool {
    let windows = path.as_bytes().get(1) == Some(&b':');
    path.is_empty() || path.starts_with(['/', '\\']) || windows || path.split(['/', '\\']).any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &[&str]) {
        let said = match parse(text, "c") {
            Ok(_) => Vec::new(),
            Err(problems) => problems
                .iter()
                .map(|p| {
                    let line = p.line.map_or("-".to_owned(), |line| line.to_string());
                    let hint = p.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
                    format!("{line}: {}{hint}", p.what)
                })
                .collect::<Vec<_>>(),
        };
        assert_eq!(said, wanted, "{text}");
    }

    const AGENTS: &str = "[agents.claude]\nadapter = 'claude'\n[agents.gemini]\nadapter = 'gemini'\n";

    fn check_below_agents(text: &str, wanted: &[&str]) {
        check(&format!("{AGENTS}{text}"), wanted);
    }

    #[test]
    fn nothing_said_is_the_default() {
        assert_eq!(parse("", "c"), Ok(Settings::default()));
        assert_eq!(parse("# only a comment\nversion = 1\n", "c"), Ok(Settings::default()));
    }

    #[test]
    fn misspelt_keys_and_words() {
        check(
            "[limits]\n\nmax_agent = 3\njobz = 2",
            &[
                "3: unknown key 'max_agent' in [limits] (it is one of jobs, gates, attempts, infra, land_rounds, \
             step_timeout, idle_timeout, context_age, check_timeout, output_bytes, file_bytes, disk_free_bytes, \
             memory_free_bytes, load_per_core_max, models_parallel, task_budget_usd, task_timeout)",
                "4: unknown key 'jobz' in [limits] (did you mean 'jobs'?)",
            ],
        );
        check("[limit]\njobs = 3", &["1: unknown key 'limit' (did you mean 'limits'?)"]);
        check(
            "[agents.a]\nadapter = 'cluade'\nmodle = 'x'",
            &[
                "2: 'adapter' cannot be 'cluade' (did you mean 'claude'?)",
                "3: unknown key 'modle' in [agents.a] (did you mean 'model'?)",
            ],
        );
        check("[agents.a]\nmodel = 'x'", &["1: 'adapter' is missing in [agents.a]"]);
        check("[prices.'m 1']\ninput = -1\noutput = 2", &["2: 'input': '-1' is not an amount of dollars such as 1.50"]);
    }

    #[test]
    fn models_over_http() {
        check("[agents.a]\nadapter = 'anthropic'\nmodel = 'claude-sonnet-4-5'", &[]);
        check(
            "[agents.a]\nadapter = 'openai'\nmodel = 'm'\napi_key = 'sk-1'\nkey_env = 'sk-1'",
            &[
                "4: a key must not stand in this file, which is committed (remove it and write key_env = \"<variable>\" or \
               key_command = \"<command>\")",
            ],
        );
        check(
            "[agents.a]\nadapter = 'google'\nprogram = 'gemini'",
            &[
                "2: agent 'a' is a model over HTTP, but names no 'model' (model = \"<as the server names it>\")",
                "3: 'program' of agent 'a' means nothing: a model over HTTP is no program",
            ],
        );
    }

    #[test]
    fn wrong_types_and_shapes() {
        check(
            "[limits]\nstep_timeout = 45\njobs = 'four'",
            &[
                "2: 'step_timeout' must be a text in quotes, not 45 (write it as step_timeout = \"45s\")",
                "3: 'jobs' must be a whole number, 0 or more, not the text \"four\"",
            ],
        );
        check("[[limits]]\njobs = 3", &["1: 'limits' must be a table, [limits]"]);
        check("[route]\nuse = 'x'", &["1: 'route' must be a list of tables, [[route]]"]);
        check("[gate.full.check]\nname = 'x'", &["1: 'check' must be a list of tables, [[check]]"]);
        check("agents = 'claude'", &["1: 'agents' must be a table, [agents]"]);
        check("[roles]\nplanner = 3", &["2: 'planner' must be a name or a list of names"]);
        check("[limits\njobs = 3", &["1: this is not TOML: unclosed table, expected ']'"]);
    }

    #[test]
    fn names_that_lead_nowhere() {
        check_below_agents(
            "[roles]\nplanner = ['claude', 'gemni', 'claude']\ntester = []",
            &[
                "6: role 'planner' names agent 'gemni', which is not in [agents] (did you mean 'gemini'?)",
                "6: role 'planner' names agent 'claude' twice",
                "7: role 'tester' names no agent",
            ],
        );
        check_below_agents(
            "[[route]]\nrisk = 'high'\nuse = 'opus'",
            &["7: a route names agent 'opus', which is not in [agents] (known agents: claude, gemini)"],
        );
        check(
            "[roles]\ndefault = 'x'",
            &["2: role 'default' names agent 'x', which is not in [agents] (add it: [agents.x])"],
        );
        check_below_agents(
            "[landing]\ngate = 'fll'\n[[gate.full.check]]\nname = 'a'\nrun = 'true'",
            &["6: tasks land through gate 'fll', which is not in [gate] (did you mean 'full'?)"],
        );
    }

    #[test]
    fn gates_that_cannot_be_meant() {
        const CHECK: &str = "[[gate.full.check]]\nname = 'a'\nrun = 'true'\n";
        check(
            &format!("{CHECK}format = 'pytst'\nreport = '/tmp/*.xml'\nmemory_bytes = 5"),
            &["4: 'format' cannot be 'pytst' (did you mean 'pytest'?)"],
        );
        check(
            &format!("{CHECK}report = ['a.xml', '../b.xml']\nmemory_bytes = 5\n[gate.full.rules]\ntests = 'warn'"),
            &[
                "4: report '../b.xml' of check 'a' leaves the repository",
                "5: 'memory_bytes' of check 'a' must be 16777216 or more",
            ],
        );
        check(
            &format!("[gate.full]\napi = ' '\n[gate.full.rules]\nwarning = 'off'\n{CHECK}"),
            &["4: unknown key 'warning' in [gate.full.rules] (did you mean 'warnings'?)"],
        );
        check(
            &format!("{CHECK}[gate_auto]\nsmall = 'fll'\nsmall_lines = 9\nmedium_lines = 3"),
            &[
                "5: small changes are for gate 'fll', which is not in [gate] (did you mean 'full'?)",
                "6: 'small_lines' must not be more than 'medium_lines'",
            ],
        );
        check(
            "[[gate.auto.check]]\nname = 'a'\nrun = 'true'",
            &[
                "1: 'auto' cannot name a gate: it stands for the one of the change's size (name it by a size: [gate.small])",
            ],
        );
    }

    #[test]
    fn settings_that_cannot_be_meant() {
        check(
            "[landing]\nbranch = 'a..b'\nbatch = 0",
            &[
                "2: tasks cannot land on branch 'a..b': git does not allow '..' and '@{' in it",
                "3: 'batch' must be 1 or more",
            ],
        );
        check(
            "[agents.r]\nadapter = 'replay'\n[agents.c]\nadapter = 'command'\nparallel_max = 0",
            &[
                "2: agent 'r' replays, but has no 'recording' (recording = \"<file>\", relative to the repository)",
                "4: agent 'c' is a command, but has no 'program' (program = \"<name or path>\")",
                "5: 'parallel_max' of agent 'c' must be 1 or more",
            ],
        );
        check(
            "[[gate.full.check]]\nname = 'test'\nrun = ' '\n[[gate.full.check]]\nname = 'Test'\nrun = 'x'\n\
             [gate.none]\n[gate.'a b']\ncheck = []",
            &[
                "3: check 'test' of gate 'full' runs nothing",
                "5: gate 'full' has two checks named 'Test'",
                "7: gate 'none' has no check (add one: [[gate.none.check]] with name and run)",
                "8: 'a b' cannot name a gate: letters, digits, '.', '_', '-'",
                "8: gate 'a b' has no check (add one: [[gate.a b.check]] with name and run)",
            ],
        );
        check(
            "[limits]\njobs = 0\nattempts = 0\nidle_timeout = '0s'\noutput_bytes = 1",
            &[
                "2: 'jobs' must be between 1 and 512",
                "3: 'attempts' must be 1 or more",
                "4: 'idle_timeout' must be more than nothing",
                "5: 'output_bytes' must be 4096 or more",
            ],
        );
        check(
            "[worktrees]\ncopy = ['.env', '../x', '/etc/passwd', 'a[']\nlink = ['node_modules', '']",
            &[
                "2: '../x' of 'copy' leaves the repository",
                "2: '/etc/passwd' of 'copy' leaves the repository",
                "2: 'a[' of 'copy' is no glob: unclosed character class; missing ']'",
                "3: '' of 'link' leaves the repository",
            ],
        );
        check(
            "rules = ['be kind', ' ']\nworkflow = '../x'",
            &["1: a rule is empty", "2: '../x' cannot name a workflow"],
        );
        check(
            "[agents.a]\nadapter = 'claude'\nenv = { 'A=B' = 'x' }\nenv_pass = ['']",
            &["3: 'A=B' cannot name an environment variable", "4: '' cannot name an environment variable"],
        );
    }

    #[test]
    fn secrets_that_are_allowed() {
        check("[secrets]\nscan = 'warn'\nallow = ['path:tests/**', 'rule:jwt', 'sha256:0123456789ab']", &[]);
        check("[secrets]\nscan = 'blok'", &["2: 'scan' cannot be 'blok' (did you mean 'block'?)"]);
        check(
            "[secrets]\nallow = ['rule:githubtoken']",
            &["2: 'rule:githubtoken' of 'allow' names no rule (did you mean 'rule:github-token'?)"],
        );
    }

    #[test]
    fn a_newer_version_says_only_that() {
        check(
            "version = 2\nfuture = true\n",
            &["1: written by a newer git-orchestrate: version 2, this one reads 1 (update git-orchestrate)"],
        );
        check("version = 0", &["1: 'version' must be 1"]);
    }

    #[test]
    fn prices_and_names_with_dots_are_found() {
        let text = "[prices.\"gpt-5.1\"]\ninput = 1.25\noutput = 10\n";
        let settings = parse(text, "c").expect(text);
        assert_eq!(settings.prices["gpt-5.1"].output.micros, 10_000_000);
    }

    /// A fixed course of small damages; each text is either read or refused with problems.
    #[test]
    fn no_damage_makes_it_panic() {
        let whole = include_str!("../../tests/old/v1/.handoff/config.toml");
        let mut random: u64 = 0x5eed;
        let mut next = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(random >> 33).unwrap_or_default() % below
        };
        let pieces =
            ["[", "]", "\"", "'", "=", "\n", "\u{0}", "é", "[[", "{", "}", ".", ",", "0x", "1e999", "[agents]\n"];
        for _ in 0..400 {
            let mut text = whole.to_owned();
            for _ in 0..=next(3) {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                let at = places[next(places.len())];
                let end = places[next(places.len())].clamp(at, (at + 12).min(text.len()));
                let end = if text.is_char_boundary(end) { end } else { at };
                text.replace_range(at..end, pieces[next(pieces.len())]);
            }
            if let Err(problems) = parse(&text, "c") {
                assert!(!problems.is_empty(), "{text}");
            }
        }
    }

    #[test]
    fn deep_keys_are_refused() {
        let deep = format!("{}b = 1", "a.".repeat(100_000));
        assert!(parse(&deep, "c").is_err());
        let header = format!("[{}b]", "a.".repeat(100_000));
        assert!(parse(&header, "c").is_err());
    }
}
