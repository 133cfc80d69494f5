//! The configuration that `init` writes: what was found, and every default as a comment with its meaning.
//! Knows nothing of how agents and checks are found, or of disks.

use super::{
    settings::{AdapterKind, Settings},
    setup_command::SetupCommand,
};

/// Characters that a line of the page may have.
const LINE_CHARS_MAX: usize = 100;

/// What `init` found or was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitChoices {
    /// The agents, the first choice for writing first.
    pub agents: Vec<InitAgent>,
    /// Agents that cannot be used before somebody names their model: written as comments, to be filled in.
    pub without_model: Vec<AdapterKind>,
    /// The checks of the gate `full`: name and command.
    pub gate_checks: Vec<(String, String)>,
    /// Files copied into each worktree, such as `.env`.
    pub copy: Vec<String>,
    /// Directories each worktree links to, such as `node_modules`.
    pub link: Vec<String>,
    /// Commands run once in a new worktree.
    pub setup: Vec<SetupCommand>,
    /// The workflow of tasks that name none; none: the default.
    pub workflow: Option<String>,
}

/// An agent that `init` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitAgent {
    /// Its name in the file.
    pub name: String,
    /// How it is driven.
    pub adapter: AdapterKind,
    /// Its model; none: the program's own choice.
    pub model: Option<String>,
    /// The family of that model, if it can be told.
    pub family: Option<String>,
    /// The variable that holds its server's address, if it is not the provider's own.
    pub server: Option<&'static str>,
}

impl InitAgent {
    /// A program that chooses its model by itself.
    pub fn program(adapter: AdapterKind) -> Self {
        let family = usual_family(adapter).map(str::to_owned);
        Self { name: adapter_word(adapter).to_owned(), adapter, model: None, family, server: None }
    }
}

/// The family of the models that a program runs when it is not told another.
pub fn usual_family(adapter: AdapterKind) -> Option<&'static str> {
    match adapter {
        AdapterKind::Claude => Some("anthropic"),
        AdapterKind::Codex => Some("openai"),
        AdapterKind::Gemini => Some("google"),
        AdapterKind::Anthropic | AdapterKind::OpenAi | AdapterKind::Google => None,
        AdapterKind::OpenCode | AdapterKind::Acp | AdapterKind::Command | AdapterKind::Hybrid | AdapterKind::Replay => {
            None
        }
    }
}

/// The word for an adapter in the file.
pub fn adapter_word(adapter: AdapterKind) -> &'static str {
    match adapter {
        AdapterKind::Claude => "claude",
        AdapterKind::Codex => "codex",
        AdapterKind::Gemini => "gemini",
        AdapterKind::OpenCode => "opencode",
        AdapterKind::Anthropic => "anthropic",
        AdapterKind::OpenAi => "openai",
        AdapterKind::Google => "google",
        AdapterKind::Acp => "acp",
        AdapterKind::Command => "command",
        AdapterKind::Hybrid => "hybrid",
        AdapterKind::Replay => "replay",
    }
}

/// The text of a new `.handoff/config.toml`.
pub fn initial_config(choices: &InitChoices) -> String {
    let defaults = Settings::default();
    let mut page = Page::default();
    page.prose(
        "Configuration of git-orchestrate. Lines that begin with '#' and a key show a default: take the '#' away to",
    );
    page.prose("change it. Each key is explained above it.");
    page.line("version = 1");
    page.gap();
    page.prose(
        "The workflow of tasks that name none: standard (plan, plan-review, implement, code-review, gate), single",
    );
    page.prose("(implement, gate), or a file of your own in .handoff/workflows/.");
    match &choices.workflow {
        Some(workflow) => page.line(format!("workflow = {}", quoted(workflow))),
        None => page.unset("workflow", quoted(&defaults.workflow)),
    }
    page.gap();
    page.prose("Rules added to each prompt, a sentence each: [\"Do not change the public API.\"]");
    page.unset("rules", "[]");
    agents(&mut page, choices);
    roles(&mut page, choices);
    routing(&mut page, &defaults);
    gate(&mut page, choices);
    gate_auto(&mut page, &defaults);
    limits(&mut page, &defaults);
    rest(&mut page, choices, &defaults);
    page.text
}

fn agents(page: &mut Page, choices: &InitChoices) {
    page.heading("The agents, by the names that the rest of this file uses.");
    if choices.agents.is_empty() {
        page.prose(
            "None was found on PATH. Install one (claude, codex, gemini, opencode) and take the '#' away, or give any",
        );
        page.prose(
            "program that reads a prompt from its standard input: adapter = \"command\", program = \"…\". Models over",
        );
        page.prose(
            "HTTP need no program, only a key: adapter = \"anthropic\", \"openai\" or \"google\", and model = \"…\".",
        );
        for line in ["[agents.claude]", "adapter = \"claude\"", "", "[agents.gemini]", "adapter = \"gemini\""] {
            page.line(if line.is_empty() { String::new() } else { format!("# {line}") });
        }
    }
    for (at, InitAgent { name, adapter, model, family: _, server }) in choices.agents.iter().enumerate() {
        if at > 0 {
            page.gap();
        }
        page.line(format!("[agents.{}]", key(name)));
        page.line(format!("adapter = {}", quoted(adapter_word(*adapter))));
        if let Some(model) = model {
            page.line(format!("model = {}", quoted(model)));
        }
        if let Some(variable) = server {
            page.prose(&format!("Its server is the one of {variable}; to have it here: base_url = \"https://…\""));
        }
        if at == 0 {
            page.prose("What else an agent can have:");
            page.prose("  model = \"…\"              as the program names it; left out: the program's own choice");
            page.prose(
                "  family = \"…\"             of the model (anthropic, openai, google …), if its name does not tell",
            );
            page.prose("  program = \"…\"            a name on PATH or a path, if not the usual one");
            page.prose("  args = []                words added to its command line");
            page.prose("  env_pass = []            variables of your environment that it may see");
            page.prose("  env = { NAME = \"…\" }     variables set for it");
            page.prose("  parallel_max = 2         how many steps it may do at once");
            page.prose("  quota = \"wait\"           when its quota is used up: wait, switch or stop");
            page.prose("A model over HTTP (adapter anthropic, openai for all that speaks its form, or google) has no program. It");
            page.prose("needs a model, and can have besides:");
            page.prose(
                "  base_url = \"https://…\"   the server, if not the provider's: Ollama, vLLM, OpenRouter, a gateway",
            );
            page.prose(
                "  key_env = \"MY_KEY\"       the variable that holds the key (ANTHROPIC_API_KEY, OPENAI_API_KEY …)",
            );
            page.prose("  key_command = \"…\"        or a command that prints it; a key itself must never stand here");
            page.prose("  ca_file = \"ca.pem\"       certificates to trust instead of the system's");
            page.prose("  turns_max = 100          turns of one step");
            page.prose("  tokens_max = 5000000     tokens of one step, those from the provider's cache included");
            page.prose(
                "  context_tokens = 160000  tokens that the model takes; beyond, the oldest tool results are dropped",
            );
            page.prose("  answer_tokens = 32000    tokens of one answer");
            page.prose("  run = false              run no commands; readers never do");
            page.prose("Two agents can work as one: a cheap one reads and writes a brief, the other works by it. Every file that it");
            page.prose("changed must parse; if one does not, the work goes back to it once. Both count as authors.");
            page.prose("  [agents.hybrid]          no adapter, but");
            page.prose("  brief = \"haiku\"          the name of an agent");
            page.prose("  work = \"glm-4.7\"         the name of another");
            page.prose("  check = \"syntax\"         or \"none\"");
        }
    }
    for adapter in &choices.without_model {
        let word = adapter_word(*adapter);
        page.gap();
        page.prose(&format!(
            "'{word}' was found too. Which model it runs is its user's to say: name it, take the '#' away, and"
        ));
        page.prose("add it to [roles].");
        page.line(format!("# [agents.{word}]"));
        page.line(format!("# adapter = {}", quoted(word)));
        page.line("# model = \"anthropic/claude-sonnet-4-5\"");
    }
}

fn roles(page: &mut Page, choices: &InitChoices) {
    page.heading("Who plays each role, the first choice first. 'default' is for roles that are not named here.");
    page.prose("No model family reviews its own work, whatever is said here.");
    let names = |ordered: &[&InitAgent]| {
        let names: Vec<_> = ordered.iter().map(|agent| quoted(&agent.name)).collect();
        format!("[{}]", names.join(", "))
    };
    let Some(first) = choices.agents.first() else {
        page.line("# [roles]");
        page.line("# default = [\"claude\", \"gemini\"]");
        page.line("# plan-reviewer = [\"gemini\", \"claude\"]");
        page.line("# code-reviewer = [\"gemini\", \"claude\"]");
        return routes(page);
    };
    let is_own = |agent: &&InitAgent| first.family.is_some() && agent.family == first.family;
    let (mut reviewers, same): (Vec<_>, Vec<_>) = choices.agents.iter().skip(1).partition(|agent| !is_own(agent));
    let others = reviewers.len();
    reviewers.push(first);
    reviewers.extend(same);
    page.line("[roles]");
    page.line(format!("default = {}", names(&choices.agents.iter().collect::<Vec<_>>())));
    page.line(format!("plan-reviewer = {}", names(&reviewers)));
    page.line(format!("code-reviewer = {}", names(&reviewers)));
    if others == 0 {
        page.prose(
            "Only one family of models was found, so each review will wait for a person. Add an agent of another",
        );
        page.prose("family above, or set workflow = \"single\" to go without reviews.");
    }
    routes(page);
}

fn routes(page: &mut Page) {
    page.gap();
    page.prose(
        "Exceptions by role, risk, area, complexity, kind and label; the first that matches wins over [roles]. What [roles]",
    );
    page.prose(
        "says comes into play where nobody in 'use' may do it at all. 'agents route TASK --explain' tells all of it.",
    );
    page.prose("  [[route]]");
    page.prose("  role = \"implementer\"");
    page.prose("  risk = \"high\"");
    page.prose("  use = [\"claude\"]");
    page.gap();
    page.prose("Prices in dollars per million tokens, where the built-in list is wrong or does not know a model:");
    page.prose("  [prices.\"some-model\"]");
    page.prose("  input = 1.25");
    page.prose("  output = 10.0");
    page.prose("  cache_read = 0.125");
}

fn routing(page: &mut Page, defaults: &Settings) {
    let routing = &defaults.routing;
    page.heading("In which order the agents that a rule names are taken.");
    page.line("[routing]");
    page.prose("rules: in that of the rule. learned: the cheapest that is good enough first, as earlier steps tell.");
    page.unset("mode", quoted("rules"));
    page.prose(
        "The chance of success from which the price decides, the share of steps given to agents of which little is",
    );
    page.prose(
        "known, the age at which a step counts half, and the steps below which an agent's history says nothing.",
    );
    page.unset("good_enough", routing.good_enough);
    page.unset("explore", routing.explore);
    page.unset("half_life", quoted(&routing.half_life.to_string()));
    page.unset("trials_min", routing.trials_min);
}

fn gate(page: &mut Page, choices: &InitChoices) {
    page.heading("The gate: a tree lands only if all checks of 'full' pass on exactly that tree.");
    page.prose(
        "Each check is a command for 'sh -c'. It can also have: timeout = \"30m\", pristine = true (start without",
    );
    page.prose(
        "ignored files), env = { NAME = \"…\" }, env_pass = [], memory_bytes = 4294967296 (each process's own).",
    );
    page.prose(
        "What it prints is compared with what it prints on the commit that the work began from: tests, warnings,",
    );
    page.prose(
        "coverage. Known are cargo test, nextest, pytest, go test, jest, vitest, TAP, clippy, ruff, mypy, eslint, and",
    );
    page.prose(
        "reports in JUnit, SARIF, lcov, Cobertura and llvm-cov form, which it names: report = \"target/**/*.xml\".",
    );
    page.prose("format = \"none\" has the exit code decide alone; so it does where nothing is recognised.");
    page.prose("What comes of that is for [gate.full.rules] to say, each block, warn or off:");
    page.prose("  tests (block), tests_gone (block), tests_skipped (block), warnings (block), coverage (block),");
    page.prose("  changed_coverage (warn), api (block), failed_before (warn: what nothing in its output explains and");
    page.prose("  the base ends with too)");
    page.prose(
        "A library's interface: [gate.full] api = 'cargo semver-checks --baseline-rev \"$GIT_ORCHESTRATE_BASE\"'",
    );
    if choices.gate_checks.is_empty() {
        page.prose("No test command was found. Give one; without a gate nothing can land.");
        for line in ["[[gate.full.check]]", "name = \"test\"", "run = \"make test\""] {
            page.line(format!("# {line}"));
        }
    }
    for (at, (name, command)) in choices.gate_checks.iter().enumerate() {
        if at > 0 {
            page.gap();
        }
        page.line("[[gate.full.check]]");
        page.line(format!("name = {}", quoted(name)));
        page.line(format!("run = {}", quoted(command)));
    }
}

fn gate_auto(page: &mut Page, defaults: &Settings) {
    let auto = &defaults.gate_auto;
    page.heading("Which gate a change gets where a workflow or [landing] says gate = \"auto\", by its size.");
    page.line("[gate_auto]");
    page.prose("Documentation and comments only; few lines; more; many. Default: the gate of that name, else full.");
    for size in ["trivial", "small", "medium", "large"] {
        page.unset(size, quoted("full"));
    }
    page.prose("Lines, added and removed, that a small and a medium change have at most.");
    page.unset("small_lines", auto.small_lines);
    page.unset("medium_lines", auto.medium_lines);
    page.prose("Which files are documentation.");
    page.unset("docs", format!("[{}]", auto.docs.iter().map(|glob| quoted(glob)).collect::<Vec<_>>().join(", ")));
}

fn limits(page: &mut Page, defaults: &Settings) {
    let limits = &defaults.limits;
    page.heading("Limits of a run, a task and a step.");
    page.line("[limits]");
    page.prose("Workers, where --jobs does not say.");
    page.unset("jobs", limits.jobs);
    page.prose("Gates that run at once; default: half of the processor's cores, at least 2.");
    page.unset("gates", limits.gates);
    page.prose("Failed attempts of a phase before a person decides.");
    page.unset("attempts", limits.attempts);
    page.prose("Times in a row that a step could not be done at all before a person decides.");
    page.unset("infra", limits.infra);
    page.prose("Landings of a task that may go wrong before a person decides.");
    page.unset("land_rounds", limits.land_rounds);
    page.prose("How long one agent's step may take, how long it may be silent, how long a check may take.");
    page.unset("step_timeout", quoted(&limits.step_timeout.to_string()));
    page.unset("idle_timeout", quoted(&limits.idle_timeout.to_string()));
    page.prose("How long what was gathered for a prompt is used again for the same code.");
    page.unset("context_age", quoted(&limits.context_age.to_string()));
    page.unset("check_timeout", quoted(&limits.check_timeout.to_string()));
    page.prose("Bytes: of output that is kept, of a file that may be committed, that must be free on the disk.");
    page.unset("output_bytes", limits.output_bytes);
    page.unset("file_bytes", limits.file_bytes);
    page.unset("disk_free_bytes", limits.disk_free_bytes);
    page.prose("Under pressure fewer workers work: less memory available, more processes ready to run for each core.");
    page.unset("memory_free_bytes", limits.memory_free_bytes);
    page.unset("load_per_core_max", limits.load_per_core_max);
    page.prose("By model, how many steps it may do at once: { \"claude-opus-4-5\" = 2 }; default: no limit.");
    page.unset("models_parallel", "{}");
    page.prose("How long a task may take, where it does not say; default: no limit.");
    page.unset("task_timeout", quoted("4h"));
    page.heading(
        "What there is only some of: gpu = 1, db = 2. Tasks and checks say what they need of it while they are at",
    );
    page.prose("work, resources = { gpu = 1 }, and wait for it.");
    page.line("[resources]");
    money(page, defaults);
}

fn money(page: &mut Page, defaults: &Settings) {
    page.heading(
        "What may be spent, in dollars; default: no limit. What a step may cost is set aside before it begins, so",
    );
    page.prose(
        "that several workers together do not pass a limit. At it no agent's step begins, running ones end, and",
    );
    page.prose("the run ends with exit code 5; 'git orchestrate resume --budget 5' goes on.");
    page.line("[budget]");
    page.prose("A task, where it does not say; then it waits for you.");
    page.unset("task_usd", "5.0");
    page.prose("One run; a day and a month of your calendar, all runs of this repository together.");
    page.unset("run_usd", "20.0");
    page.unset("day_usd", "50.0");
    page.unset("month_usd", "500.0");
    page.prose("The share of a budget at which you are warned.");
    page.unset("warn", format!("{:?}", defaults.budget.warn));

    page.heading(
        "What is done when the rate or quota of an agent is used up. An agent can have its own: quota = \"wait\"",
    );
    page.line("[quota]");
    page.prose(
        "switch: another agent of the role does the step. wait: the step waits for this agent. stop: the run ends",
    );
    page.prose("with exit code 5. Who is not told when to come back waits longer each time.");
    page.unset("policy", quoted(defaults.quota.policy.word()));
    page.prose("Hours of the day, in local time, in which no agent's step begins; gates and landings go on.");
    page.unset("quiet_hours", quoted("22:00-07:00"));
}

fn rest(page: &mut Page, choices: &InitChoices, defaults: &Settings) {
    page.heading("The worktrees that agents work in.");
    page.line("[worktrees]");
    page.prose("Where they are, relative to the repository; default: ../<repository>.orchestrate");
    page.unset("dir", quoted("../worktrees"));
    page.prose("Commands run once in a new worktree, and again where a lock file differs, each by 'sh -c'. What one says it makes,");
    page.prose("{ run = \"npm ci\", makes = [\"node_modules\"] }, is made once for the same lock files and copied into the others.");
    let setup: Vec<_> = choices.setup.iter().map(ToString::to_string).collect();
    page.line(format!("{}setup = [{}]", if setup.is_empty() { "#" } else { "" }, setup.join(", ")));
    page.prose(
        "Files copied from your checkout into each, such as \".env\"; what each links to, such as \"node_modules\".",
    );
    page.list("copy", &choices.copy);
    page.list("link", &choices.link);
    page.prose("Directories of your checkout that each begins with a copy of, such as \"target\"; where the file system can, blocks");
    page.prose("are shared and no byte is copied.");
    page.unset("clone", "[]");
    page.prose("Ports that each has to itself, from $GIT_ORCHESTRATE_PORT on; 0: none.");
    page.unset("ports", defaults.worktrees.ports);
    page.prose(
        "Where your checkout is sparse (git sparse-checkout): \"mirror\" has the same files in each, \"full\" all.",
    );
    page.unset("sparse", quoted("mirror"));

    page.heading("Where finished tasks land.");
    page.line("[landing]");
    page.prose("The branch that collects them; 'git orchestrate land' brings it to yours.");
    page.unset("branch", quoted(&defaults.landing.branch));
    page.prose("The gate that a merged tree must pass; default: the one of the task's workflow, else full.");
    page.unset("gate", quoted("full"));
    page.prose("Tasks that may be gated together as one batch.");
    page.unset("batch", defaults.landing.batch);

    page.heading("How commits are made.");
    page.line("[commits]");
    page.prose("Which key signs: own (made by init for this machine) or git (your user.signingKey).");
    page.unset("key", quoted("own"));
    page.prose("Who is named as author: user or agent.");
    page.unset("author", quoted("user"));
    page.prose("full: a reported step survives power loss. os: the system decides when it is on the disk; faster.");
    page.unset("durability", quoted("full"));

    page.heading("Secrets in what agents write, read and say.");
    page.line("[secrets]");
    page.prose(
        "block: a file with a secret is refused and the attempt failed. warn: it is taken and said. off: nothing.",
    );
    page.prose("With block and warn, secrets are redacted in prompts, records and transcripts.");
    page.unset("scan", quoted("block"));
    page.prose(
        "What is allowed: \"path:tests/fixtures/**\", \"rule:jwt\", \"sha256:…\" (of the value, 12 digits or more).",
    );
    page.unset("allow", "[]");

    page.heading("What 'git orchestrate verify' looks at.");
    page.line("[audit]");
    page.prose("Files that no agent may change unless its task declares them in 'files': globs; one that begins with");
    page.prose("'!' takes out again. Of tests, new ones may be added, but those that were there not be changed.");
    page.unset_list("protected", &defaults.audit.protected);
    page.unset_list("protected_tests", &defaults.audit.protected_tests);
    page.heading("What the git hooks do that 'git orchestrate hooks install' puts there.");
    page.line("[hooks]");
    page.prose("Branches on which only what the gate passed may be pushed; the landing branch always is one.");
    page.unset("protected", "[\"main\", \"master\"]");
    page.prose("A gate profile, a fast one, that what is staged must pass before it is committed; default: none.");
    page.unset("pre_commit", quoted("fast"));
    page.prose("Whether each gate also asks your own pre-commit and commit-msg hooks, those of husky, pre-commit and so on too.");
    page.unset("run_user_hooks", defaults.hooks.run_user_hooks);
}

/// The text so far. A comment of prose begins with `# `, a default with `#` and its key.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn gap(&mut self) {
        self.line("");
    }

    fn prose(&mut self, line: &str) {
        self.line(format!("# {line}"));
    }

    fn heading(&mut self, line: &str) {
        self.gap();
        self.prose(line);
    }

    fn unset(&mut self, key: &str, value: impl std::fmt::Display) {
        self.line(format!("#{key} = {value}"));
    }

    /// A default of several values, on as many lines as it takes.
    fn unset_list(&mut self, key: &str, values: &[String]) {
        self.line(format!("#{key} = ["));
        let mut line = "#".to_owned();
        for value in values {
            let item = format!("{}, ", quoted(value));
            if line.chars().count() + item.chars().count() > LINE_CHARS_MAX {
                self.line(line.trim_end());
                line = "#".to_owned();
            }
            line.push_str(&item);
        }
        self.line(line.trim_end());
        self.line("#]");
    }

    fn list(&mut self, key: &str, values: &[String]) {
        let items: Vec<_> = values.iter().map(|value| quoted(value)).collect();
        let comment = if values.is_empty() { "#" } else { "" };
        self.line(format!("{comment}{key} = [{}]", items.join(", ")));
    }
}

/// A text as a TOML string of one line.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A name as a TOML key.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{parse::parse, settings::OneOrMany};
    use crate::model::workflow::Role;

    fn agent(name: &str, adapter: AdapterKind) -> InitAgent {
        InitAgent { name: name.to_owned(), ..InitAgent::program(adapter) }
    }

    fn settings(choices: &InitChoices) -> Settings {
        let text = initial_config(choices);
        parse(&text, "c").unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
    }

    fn names(settings: &Settings, role: &str) -> Vec<String> {
        settings.roles.get(&Role(role.to_owned())).map_or(Vec::new(), |names: &OneOrMany| names.names().to_vec())
    }

    #[test]
    fn it_says_what_was_found_and_reads_back() {
        let found = settings(&InitChoices {
            agents: vec![
                agent("claude", AdapterKind::Claude),
                InitAgent { model: Some("claude-opus-4-5".to_owned()), ..agent("opus.4", AdapterKind::Claude) },
                agent("gemini", AdapterKind::Gemini),
            ],
            gate_checks: vec![
                ("test".to_owned(), "cargo test --workspace".to_owned()),
                ("say".to_owned(), "echo \"it's\"\nexit 0".to_owned()),
            ],
            link: vec!["node_modules".to_owned()],
            workflow: Some("single".to_owned()),
            ..InitChoices::default()
        });
        assert_eq!(found.agents["opus.4"].model.as_deref(), Some("claude-opus-4-5"));
        assert_eq!(names(&found, "default"), ["claude", "opus.4", "gemini"]);
        assert_eq!(names(&found, "code-reviewer"), ["gemini", "claude", "opus.4"]);
        assert_eq!(found.gate["full"].checks[1].run, "echo \"it's\"\nexit 0");
        assert_eq!(found.worktrees.link, ["node_modules"]);
        assert_eq!(found.workflow, "single");
    }

    #[test]
    fn nothing_found_reads_back_as_the_default() {
        assert_eq!(settings(&InitChoices::default()), Settings::default());
    }

    #[test]
    fn one_family_is_said_to_wait_for_people() {
        let alone = InitChoices { agents: vec![agent("claude", AdapterKind::Claude)], ..InitChoices::default() };
        assert!(initial_config(&alone).contains("each review will wait for a person"));
        let two = InitChoices {
            agents: vec![agent("claude", AdapterKind::Claude), agent("codex", AdapterKind::Codex)],
            ..InitChoices::default()
        };
        assert!(!initial_config(&two).contains("each review will wait for a person"));
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let text = initial_config(&InitChoices::default());
        let begins = |c: char| c.is_lowercase() || matches!(c, '"' | ']');
        let is_default = |line: &str| line.strip_prefix('#').is_some_and(|rest| rest.starts_with(begins));
        let live: String =
            text.lines().map(|line| format!("{}\n", if is_default(line) { &line[1..] } else { line })).collect();
        // Parsed without the checks of meaning: 'gate' names the profile that only a real configuration has.
        let mut documented: Settings = toml::from_str(&live).expect(&live);
        let budget = &mut documented.budget;
        assert_eq!(budget.task_usd.take().map(|money| money.micros), Some(5_000_000));
        for amount in [&mut budget.run_usd, &mut budget.day_usd, &mut budget.month_usd] {
            assert!(amount.take().is_some());
        }
        assert!(documented.quota.quiet_hours.take().is_some());
        assert!(documented.limits.task_timeout.take().is_some());
        assert!(documented.worktrees.dir.take().is_some());
        assert!(documented.landing.gate.take().is_some());
        let auto = &mut documented.gate_auto;
        for named in [&mut auto.trivial, &mut auto.small, &mut auto.medium, &mut auto.large] {
            assert_eq!(named.take().as_deref(), Some("full"));
        }
        assert!(documented.hooks.pre_commit.take().is_some());
        assert_eq!(documented, Settings::default());

        let all = toml::Table::try_from(Settings::default()).expect("settings are TOML");
        for (section, value) in &all {
            for key in value.as_table().into_iter().flat_map(toml::Table::keys) {
                assert!(text.contains(&format!("\n#{key} = ")), "{section}.{key} is not documented");
            }
        }
    }

    #[test]
    fn its_lines_fit() {
        let text = initial_config(&InitChoices::default());
        let long: Vec<_> = text.lines().filter(|line| line.chars().count() > 120).collect();
        assert!(long.is_empty(), "{long:#?}");
    }
}
