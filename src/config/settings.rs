//! What `.handoff/config.toml` says, typed, with every default in one place.
//! Knows nothing of TOML text or of files; `parse` fills it and says where something is wrong.

use std::{collections::BTreeMap, path::PathBuf};

use super::limits::Resources;
pub use super::{
    audit::AuditSettings,
    hooks::HookSettings,
    hybrid::OutputCheck,
    limits::LimitSettings,
    routing::{RoutingMode, RoutingSettings},
    setup_command::SetupCommand,
};
use serde::{Deserialize, Serialize};

pub use super::money::{BudgetSettings, QuotaPolicy, QuotaSettings};
use crate::model::{
    money::Money,
    record::Family,
    task::{Complexity, Risk, Span},
    workflow::Role,
};

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Version of the format; 1.
    pub version: u32,
    /// The workflow of tasks that name none.
    pub workflow: String,
    /// The agents, by their names here.
    pub agents: BTreeMap<String, AgentSettings>,
    /// Who plays each role, the first choice first. The role `default` is for roles that are not named.
    pub roles: BTreeMap<Role, OneOrMany>,
    /// Exceptions by role, risk, area, complexity, kind and label; the first that matches wins over `roles`.
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
    /// Who decides in which order the agents of a rule are taken: `"learned"` or `[routing]`.
    #[serde(deserialize_with = "super::routing::deserialize")]
    pub routing: RoutingSettings,
    /// Prices of models, dollars per million tokens.
    pub prices: BTreeMap<String, Price>,
    /// The gate profiles.
    pub gate: BTreeMap<String, GateProfile>,
    /// Which profile a change gets where a phase says `gate = "auto"`.
    pub gate_auto: AutoSettings,
    /// Limits of a run, a task and a step.
    pub limits: LimitSettings,
    /// What there is only some of: how many steps may use each at once.
    pub resources: Resources,
    /// What may be spent.
    pub budget: BudgetSettings,
    /// What is done when an agent's quota is used up, and when agents rest.
    pub quota: QuotaSettings,
    /// The worktrees agents work in.
    pub worktrees: WorktreeSettings,
    /// Where finished tasks land.
    pub landing: LandingSettings,
    /// How commits are made.
    pub commits: CommitSettings,
    /// What is done about secrets.
    pub secrets: SecretSettings,
    /// What `verify` looks at.
    pub audit: AuditSettings,
    /// What our git hooks do.
    pub hooks: HookSettings,
    /// Rules added to each prompt, a sentence each.
    pub rules: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: 1,
            workflow: "standard".to_owned(),
            agents: BTreeMap::new(),
            roles: BTreeMap::new(),
            routes: Vec::new(),
            routing: RoutingSettings::default(),
            prices: BTreeMap::new(),
            gate: BTreeMap::new(),
            gate_auto: AutoSettings::default(),
            limits: LimitSettings::default(),
            resources: Resources::new(),
            budget: BudgetSettings::default(),
            quota: QuotaSettings::default(),
            worktrees: WorktreeSettings::default(),
            landing: LandingSettings::default(),
            commits: CommitSettings::default(),
            secrets: SecretSettings::default(),
            audit: AuditSettings::default(),
            hooks: HookSettings::default(),
            rules: Vec::new(),
        }
    }
}

/// One name or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// `"claude"`
    One(String),
    /// `["claude", "gemini"]`
    Many(Vec<String>),
}

impl OneOrMany {
    /// The names in order.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// What can be driven: programs, and models over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdapterKind {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// OpenCode.
    OpenCode,
    /// A model over HTTP in the form of Anthropic's Messages; no program.
    Anthropic,
    /// A model over HTTP in the form of OpenAI's chat completions, as most servers speak it; no program.
    OpenAi,
    /// A model over HTTP in the form of Google's Gemini; no program.
    Google,
    /// Any program that speaks the Agent Client Protocol.
    Acp,
    /// Any program: prompt on stdin, optional JSON result.
    Command,
    /// Two other agents: one writes a brief, the other works by it.
    Hybrid,
    /// Recorded outcomes.
    Replay,
}

impl AdapterKind {
    /// Whether a step of such an agent ends by itself when it has cost what it was told it may; of a hybrid it is for its
    /// parts to say.
    pub fn heeds_spend_max(self) -> bool {
        match self {
            Self::Claude | Self::Anthropic | Self::OpenAi | Self::Google => true,
            Self::Codex | Self::Gemini | Self::OpenCode | Self::Acp | Self::Command | Self::Hybrid | Self::Replay => {
                false
            }
        }
    }
}

/// `[agents.<name>]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// How it is driven. Left out: a hybrid, which `brief` and `work` make it.
    #[serde(default = "super::hybrid::adapter")]
    pub adapter: AdapterKind,
    /// The program, a name on PATH or a path; default: the adapter's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The model, as the program names it; none: the program's own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The model's family; default: derived from the model's name, else from the adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Words added to its command line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Variables of our environment that it may see besides the usual ones (`PATH`, `HOME`, `LANG`, the adapter's keys).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_pass: Vec<String>,
    /// Variables set for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// How many steps it may do at once; none: as many as there are workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_max: Option<u32>,
    /// What is done when its quota is used up; none: what `[quota]` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaPolicy>,
    /// For `replay`: the file with the recorded outcomes, relative to the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<PathBuf>,
    /// Over HTTP: the address of the server, default: that of the variable `<PROVIDER>_BASE_URL`, else the provider's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Over HTTP: the variable that holds the key; default: the provider's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Over HTTP: a command for `sh -c` that prints the key, asked once a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_command: Option<String>,
    /// Over HTTP: a file of certificates (PEM) to trust instead of the system's, relative to the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Over HTTP: turns of the model in one step; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns_max: Option<u32>,
    /// Over HTTP: tokens of one step, those from the cache included; default 5 million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_max: Option<u64>,
    /// Over HTTP: tokens that the model takes at once; beyond them the oldest results of tools are dropped. Default 160,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// Over HTTP: tokens of one answer; default 32,000 for `anthropic`, else the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_tokens: Option<u64>,
    /// Over HTTP: whether it may run commands where it may write; default: it may. Who only reads never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<bool>,
    /// Of a hybrid: the agent that turns the task into a brief, a cheap one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<String>,
    /// Of a hybrid: the agent that works by the brief.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<String>,
    /// Of a hybrid: what the changed files are checked for before the work counts as finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<OutputCheck>,
}

impl AgentSettings {
    /// An agent of which only the adapter is said.
    pub fn of(adapter: AdapterKind) -> Self {
        Self {
            adapter,
            program: None,
            model: None,
            family: None,
            args: Vec::new(),
            env_pass: Vec::new(),
            env: BTreeMap::new(),
            parallel_max: None,
            quota: None,
            recording: None,
            base_url: None,
            key_env: None,
            key_command: None,
            ca_file: None,
            turns_max: None,
            tokens_max: None,
            context_tokens: None,
            answer_tokens: None,
            run: None,
            brief: None,
            work: None,
            check: None,
        }
    }
}

/// `[[route]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Of this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Of this risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// Of this area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// Of this complexity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Complexity>,
    /// Of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// With this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The agents to take, first choice first.
    #[serde(rename = "use")]
    pub agents: OneOrMany,
}

/// `[prices."<model>"]`, dollars per million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input that is not cached.
    pub input: Money,
    /// Output.
    pub output: Money,
    /// Input from the cache; default: a tenth of `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Money>,
    /// Input written to the cache; default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<Money>,
}

/// `[gate.<profile>]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateProfile {
    /// A command, given to `sh -c`, that fails if the public interface breaks: `cargo semver-checks --baseline-rev
    /// "$GIT_ORCHESTRATE_BASE"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// What comes of each thing that got worse than on the base.
    pub rules: GateRules,
    /// The checks; all must pass.
    #[serde(rename = "check")]
    pub checks: Vec<CheckSettings>,
}

/// What comes of something that got worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleLevel {
    /// The gate refuses.
    Block,
    /// It is told.
    Warn,
    /// It is not looked at.
    Off,
}

/// `[gate.<profile>.rules]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateRules {
    /// Tests that fail and did not fail on the base.
    pub tests: RuleLevel,
    /// Fewer tests than on the base.
    pub tests_gone: RuleLevel,
    /// Tests that are skipped and were not on the base.
    pub tests_skipped: RuleLevel,
    /// Warnings that the base does not have.
    pub warnings: RuleLevel,
    /// Less coverage than on the base.
    pub coverage: RuleLevel,
    /// Less coverage of the changed lines than of the base as a whole.
    pub changed_coverage: RuleLevel,
    /// A public interface that breaks.
    pub api: RuleLevel,
    /// A check that ends badly in a way that its output does not explain, and ended the same on the base.
    pub failed_before: RuleLevel,
}

impl Default for GateRules {
    fn default() -> Self {
        Self {
            tests: RuleLevel::Block,
            tests_gone: RuleLevel::Block,
            tests_skipped: RuleLevel::Block,
            warnings: RuleLevel::Block,
            coverage: RuleLevel::Block,
            changed_coverage: RuleLevel::Warn,
            api: RuleLevel::Block,
            failed_before: RuleLevel::Warn,
        }
    }
}

/// What a check's output, or the files that it writes, are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckFormat {
    /// `cargo test`, as libtest prints it.
    CargoTest,
    /// `cargo nextest run`.
    Nextest,
    /// pytest.
    Pytest,
    /// `go test`, also with `-v` or `-json`.
    GoTest,
    /// jest, also with `--json`.
    Jest,
    /// vitest, also with `--reporter=json`.
    Vitest,
    /// JUnit's XML, which most test runners can write.
    Junit,
    /// The Test Anything Protocol.
    Tap,
    /// Cargo's and clippy's diagnostics, as text or `--message-format=json`.
    Clippy,
    /// ruff, also with `--output-format=json`.
    Ruff,
    /// mypy, also with `--output=json`.
    Mypy,
    /// eslint, also with `--format=json`.
    Eslint,
    /// SARIF, which many analysers can write.
    Sarif,
    /// lcov's tracefiles.
    Lcov,
    /// Cobertura's XML.
    Cobertura,
    /// `llvm-cov export`, as cargo-llvm-cov `--json` writes it.
    LlvmCov,
    /// cargo-semver-checks.
    SemverChecks,
    /// Nothing is read: the exit code decides.
    None,
}

impl CheckFormat {
    /// The word for it in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::CargoTest => "cargo-test",
            Self::Nextest => "nextest",
            Self::Pytest => "pytest",
            Self::GoTest => "go-test",
            Self::Jest => "jest",
            Self::Vitest => "vitest",
            Self::Junit => "junit",
            Self::Tap => "tap",
            Self::Clippy => "clippy",
            Self::Ruff => "ruff",
            Self::Mypy => "mypy",
            Self::Eslint => "eslint",
            Self::Sarif => "sarif",
            Self::Lcov => "lcov",
            Self::Cobertura => "cobertura",
            Self::LlvmCov => "llvm-cov",
            Self::SemverChecks => "semver-checks",
            Self::None => "none",
        }
    }
}

/// `[[gate.<profile>.check]]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckSettings {
    /// Its name.
    pub name: String,
    /// The command, given to `sh -c`.
    pub run: String,
    /// What its output is; default: found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<CheckFormat>,
    /// The files that it writes its results to, a glob or several, relative to the root; default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<OneOrMany>,
    /// How long it may take; default 30m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Bytes of memory that each of its processes may have (`ulimit -d`); default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Start from a checkout without ignored files (build directories are then cold).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pristine: bool,
    /// Variables set for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Variables of our environment that it may see besides the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_pass: Vec<String>,
    /// What it needs of `[resources]` while it runs.
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
}

/// `[gate_auto]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoSettings {
    /// The profile of changes to documentation and comments only; default: `trivial` if there is one, else `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trivial: Option<String>,
    /// The profile of small changes; default: `small` if there is one, else `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub small: Option<String>,
    /// The profile of changes between small and large; default: `medium` if there is one, else `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// The profile of large changes; default: `large` if there is one, else `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large: Option<String>,
    /// Lines, added and removed, that a small change has at most.
    pub small_lines: u64,
    /// Lines, added and removed, that a medium change has at most.
    pub medium_lines: u64,
    /// Which files are documentation, globs.
    pub docs: Vec<String>,
}

impl Default for AutoSettings {
    fn default() -> Self {
        let docs = ["**/*.md", "**/*.rst", "**/*.adoc", "docs/**/*.txt", "LICENSE*", "CHANGELOG*", "AUTHORS*"];
        Self {
            trivial: None,
            small: None,
            medium: None,
            large: None,
            small_lines: 50,
            medium_lines: 400,
            docs: docs.map(str::to_owned).to_vec(),
        }
    }
}

impl Settings {
    /// What is done when this agent's quota is used up.
    pub fn quota_policy(&self, agent: &str) -> QuotaPolicy {
        self.agents.get(agent).and_then(|agent| agent.quota).unwrap_or(self.quota.policy)
    }
}

/// `[worktrees]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorktreeSettings {
    /// Where they are; default: `../<repository>.orchestrate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Commands, each given to `sh -c`, run once in a new worktree, and again where a lock file differs; what one says it makes is made
    /// once for the same lock files and copied.
    pub setup: Vec<SetupCommand>,
    /// Files copied from the user's checkout into each worktree, globs: `.env`.
    pub copy: Vec<String>,
    /// Files or directories of the user's checkout that each worktree links to: `node_modules`.
    pub link: Vec<String>,
    /// Directories of the user's checkout that a worktree begins with a copy of: `target`. Blocks are shared where the file system
    /// can do that.
    pub clone: Vec<String>,
    /// Ports that each worktree has to itself; 0: none.
    pub ports: u16,
    /// Which files each has where the user's checkout is sparse.
    pub sparse: WorktreeFiles,
}

/// Which files a worktree has where the user's checkout is sparse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorktreeFiles {
    /// Those that the user's checkout has.
    #[default]
    Mirror,
    /// All.
    Full,
}

impl Default for WorktreeSettings {
    fn default() -> Self {
        Self {
            dir: None,
            setup: Vec::new(),
            copy: Vec::new(),
            link: Vec::new(),
            clone: Vec::new(),
            ports: 10,
            sparse: WorktreeFiles::Mirror,
        }
    }
}

/// `[landing]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LandingSettings {
    /// The branch that finished tasks land on.
    pub branch: String,
    /// The gate profile that a merged tree must pass; default: the one of the task's last gate phase, else `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// Tasks that may be gated as one batch.
    pub batch: u32,
}

impl Default for LandingSettings {
    fn default() -> Self {
        Self { branch: "orchestrate/integration".to_owned(), gate: None, batch: 16 }
    }
}

/// Which key signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SigningKey {
    /// The machine's own key of git-orchestrate.
    #[default]
    Own,
    /// The user's, through git's settings (`user.signingKey`, `gpg.format`).
    Git,
}

/// Who is named as author of a step's commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthorName {
    /// The user.
    #[default]
    User,
    /// The agent; the user is the committer.
    Agent,
}

/// Whether commits are synced to the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// A step survives power loss once it is reported.
    #[default]
    Full,
    /// It survives a crash of programs; the system decides when it is on the disk.
    Os,
}

/// `[commits]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommitSettings {
    /// Which key signs.
    pub key: SigningKey,
    /// Who is named as author.
    pub author: AuthorName,
    /// Whether commits are synced.
    pub durability: Durability,
}

/// What is done about secrets that agents write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretScan {
    /// The file is refused and the attempt has failed.
    #[default]
    Block,
    /// The file is taken, and it is said.
    Warn,
    /// Nothing is looked for, nothing is redacted.
    Off,
}

/// `[secrets]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretSettings {
    /// What is done about secrets that agents write.
    pub scan: SecretScan,
    /// What is allowed all the same: `path:<glob>`, `rule:<id>`, `sha256:<hex digits>` of a value.
    pub allow: Vec<String>,
}
