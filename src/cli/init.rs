//! `init`: finds out all it can, makes the key, writes the configuration. Commits nothing, and twice is harmless.
//! Knows nothing of tasks or runs.

use std::{ffi::OsString, fs, io::Write, path::Path};

use super::{
    exit::Exit,
    failure::Failure,
    found_models::{self, OVER_HTTP, key_variable},
    place::{Place, own_key_path},
    terminal::Terminal,
    toolchain::{self, FoundCheck, Toolchain},
};
use crate::{
    agents::family::another_than,
    config::{
        settings::{AdapterKind, Settings, SigningKey},
        template::{InitAgent, InitChoices, adapter_word, usual_family},
    },
    gate::program::missing_program,
    git::Signer,
    handoff::{
        self,
        init::{How, Made},
        layout::CONFIG,
    },
    run::Project,
    sys::process::{Supervisor, find_program},
    text,
};

/// What `init` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct InitArguments {
    /// Ask nothing: take what is found
    #[arg(short, long)]
    pub yes: bool,
    /// Use this agent (claude, codex, gemini, opencode; over HTTP: anthropic, openai, google); the first one writes
    #[arg(long = "agent", value_name = "NAME")]
    pub agents: Vec<String>,
    /// Test with this command and not with what the project's files tell
    #[arg(long = "gate", value_name = "COMMAND")]
    pub gates: Vec<String>,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate init                        Find the agents on PATH and the command that tests this project
  git orchestrate init --agent claude --agent gemini --gate 'make check'
  git orchestrate init --yes                  The same without a question";

/// The agents that are looked for, the first choice for writing first.
const KNOWN: [AdapterKind; 4] = [AdapterKind::Claude, AdapterKind::Codex, AdapterKind::Gemini, AdapterKind::OpenCode];

/// Carries it out.
///
/// # Errors
/// There is no repository with a working tree, git knows no e-mail address, what is there is wrong, or something cannot
/// be written.
pub fn run(arguments: &InitArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let place = Place::find()?;
    let identity = place.repository.identity()?;
    let mut report = Report::new(terminal, out);
    let before = place.settings_if_any()?;
    let choices = match &before {
        None => choose(arguments, &place, terminal, &mut report)?,
        Some(_) => {
            if !arguments.agents.is_empty() || !arguments.gates.is_empty() {
                let message = format!("'{CONFIG}' is there already and is not changed by --agent and --gate");
                terminal.warn(&message, Some(&format!("edit {CONFIG}, or remove it first")));
            }
            InitChoices::default()
        }
    };
    let signer = match before.as_ref().map(|settings| settings.commits.key).unwrap_or_default() {
        SigningKey::Own => own_key(&identity.email, &mut report)?,
        SigningKey::Git => {
            let signer = Signer::from_git(&place.repository)?;
            report.line("key", &format!("{} (by git's settings)", signer.fingerprint()))?;
            signer
        }
    };
    // A key that only a program knows has no line: what it signed is checked by that program.
    let line = signer.public_key_line().map(|key| signers_line(&identity.email, &key));
    for Made { path, how } in handoff::init::init(&place.root, &choices, line.as_deref())? {
        let word = match how {
            How::Created => "made",
            How::Kept => "kept",
            How::Extended => "added",
        };
        let about = if how == How::Extended { format!("to {path}: the key of {}", identity.email) } else { path };
        report.line(word, &about)?;
    }
    report.next(&Project::open(&place.root)?.settings)?;
    if place.repository.leaves_out(CONFIG)? {
        let message =
            "your sparse checkout leaves out '.handoff': git would not add it, and take it away when it is committed";
        terminal.warn(message, Some("git sparse-checkout add .handoff"));
    }
    Ok(Exit::Done)
}

/// In ssh's allowed-signers format: whose key, for what, the key without its comment.
fn signers_line(email: &str, key: &str) -> String {
    let key: Vec<_> = key.split_whitespace().take(2).collect();
    format!("{email} namespaces=\"git\" {}", key.join(" "))
}

fn choose(
    arguments: &InitArguments,
    place: &Place,
    terminal: &Terminal,
    report: &mut Report<'_>,
) -> Result<InitChoices, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_on_path = |program: &str| find_program(program, &path).is_some();
    let found = agents(&arguments.agents, &path, terminal)?;
    let knows_model = |kind: &AdapterKind| kind.is_over_http() || usual_family(*kind).is_some();
    let (agents, without_model): (Vec<_>, Vec<_>) = found.into_iter().partition(knows_model);
    let Toolchain { checks, setup, link } = if arguments.gates.is_empty() {
        toolchain::detect(&place.root, &is_on_path)
    } else {
        told_checks(&arguments.gates)
    };
    let named = !arguments.agents.is_empty();
    let (over_http, programs): (Vec<_>, Vec<_>) = agents.into_iter().partition(|kind| kind.is_over_http());
    let mut agents: Vec<InitAgent> = programs.into_iter().map(InitAgent::program).collect();
    if !over_http.is_empty() || (!named && agents.is_empty() && without_model.is_empty()) {
        let supervisor = Supervisor::new(place.local().children(), "init".to_owned()).ok();
        let found = found_models::find(&over_http, supervisor.as_ref(), &|name| std::env::var(name).ok());
        agents.extend(found.agents);
        for (adapter, variable) in found.unknown {
            let word = adapter_word(adapter);
            let message = format!("a server that speaks '{word}' was found, but not which model to ask it for");
            terminal.warn(&message, Some(&format!("export {variable}=<model>, and once more: git orchestrate init")));
        }
    }
    report.agents(&agents)?;
    for word in without_model.iter().map(|kind| adapter_word(*kind)) {
        let message = format!("'{word}' was found too, but not which model it runs");
        terminal.warn(&message, Some(&format!("name the model under [agents.{word}] in {CONFIG} to use it")));
    }
    for FoundCheck { name, run, because } in &checks {
        let because = because.as_ref().map(|because| format!("  (by {because})")).unwrap_or_default();
        report.line("gate", &format!("{name}: {run}{because}"))?;
        if let Some(program) = missing_program(run, &|path| place.root.join(path).exists(), &is_on_path) {
            terminal.warn(&format!("no program '{program}' in PATH, which check '{name}' needs"), None);
        }
    }
    if checks.is_empty() {
        let message = "no command that tests this project was found, and without a gate nothing can land";
        let hint = format!("name one in {CONFIG}, or: rm {CONFIG} && git orchestrate init --gate '<command>'");
        terminal.warn(message, Some(&hint));
    }
    let mut choices = InitChoices {
        agents,
        without_model,
        gate_checks: checks.into_iter().map(|check| (check.name, check.run)).collect(),
        copy: Vec::new(),
        link,
        setup,
        workflow: None,
    };
    if let Some(family) = only_family(&choices) {
        let question = "Only one family of models was found, and no model reviews its own family.\n\
                        Work without reviews (workflow = \"single\")?";
        if !arguments.yes && terminal.ask(question, false) {
            choices.workflow = Some("single".to_owned());
        } else {
            let message = "only one family of models was found: each review will wait for you";
            let another = another_than(&family);
            let hint = format!("add to {CONFIG}: {another}\nor go without reviews: workflow = \"single\"");
            terminal.warn(message, Some(&hint));
        }
    }
    Ok(choices)
}

/// The family of all agents, if they have but one.
fn only_family(choices: &InitChoices) -> Option<String> {
    let first = choices.agents.first()?.family.clone()?;
    choices.agents.iter().all(|agent| agent.family.as_ref() == Some(&first)).then_some(first)
}

/// The agents that were named, else those whose programs are there.
fn agents(named: &[String], path: &OsString, terminal: &Terminal) -> Result<Vec<AdapterKind>, Failure> {
    let is_there = |kind: &AdapterKind| find_program(adapter_word(*kind), path).is_some();
    if named.is_empty() {
        return Ok(KNOWN.into_iter().filter(is_there).collect());
    }
    let mut agents = Vec::new();
    for name in named {
        let Some(kind) = KNOWN.into_iter().chain(OVER_HTTP).find(|kind| adapter_word(*kind) == name) else {
            let known: Vec<_> = KNOWN.into_iter().chain(OVER_HTTP).map(adapter_word).collect();
            let near = text::did_you_mean(name, known.iter().copied()).map(|near| format!("did you mean '{near}'?"));
            let hint =
                near.unwrap_or_else(|| format!("any other program is an agent with adapter = \"command\" in {CONFIG}"));
            let message = format!("'{}' is none of the known agents: {}", name.escape_debug(), text::list(&known));
            return Err(Failure::fatal(message, hint).exiting(Exit::Usage));
        };
        if kind.is_over_http() {
            if let Some(variable) = key_variable(kind).filter(|variable| std::env::var_os(variable).is_none()) {
                terminal.warn(&format!("the variable '{variable}' is not set"), Some("git orchestrate doctor"));
            }
        } else if !is_there(&kind) {
            terminal.warn(&format!("no program '{name}' in PATH"), Some("git orchestrate doctor"));
        }
        if !agents.contains(&kind) {
            agents.push(kind);
        }
    }
    Ok(agents)
}

fn told_checks(commands: &[String]) -> Toolchain {
    let name = |at: usize| if at == 0 { "tests".to_owned() } else { format!("tests-{}", at + 1) };
    let check = |(at, run): (usize, &String)| FoundCheck { name: name(at), run: run.clone(), because: None };
    Toolchain { checks: commands.iter().enumerate().map(check).collect(), ..Toolchain::default() }
}

fn own_key(email: &str, report: &mut Report<'_>) -> Result<Signer, Failure> {
    let path = own_key_path()?;
    if path.exists() {
        let signer = Signer::own(&path)?;
        report.line("kept", &format!("{}  ({})", path.display(), signer.fingerprint()))?;
        return Ok(signer);
    }
    if let Some(directory) = path.parent() {
        make_private_directory(directory)?;
    }
    let signer = Signer::create_own(&path, &format!("git-orchestrate {email}"))?;
    report.line("made", &format!("{}  ({})", path.display(), signer.fingerprint()))?;
    Ok(signer)
}

fn make_private_directory(directory: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| Failure::fatal(format!("cannot make '{}': {error}", directory.display()), None))
}

/// What is said on the way.
struct Report<'a> {
    out: &'a mut dyn Write,
    is_quiet: bool,
}

impl<'a> Report<'a> {
    fn new(terminal: &Terminal, out: &'a mut dyn Write) -> Self {
        Self { out, is_quiet: terminal.is_quiet() }
    }

    fn line(&mut self, what: &str, about: &str) -> Result<(), Failure> {
        if !self.is_quiet {
            writeln!(self.out, "{what:<7}{about}")?;
            // Warnings go another way and must not come before what they are about.
            self.out.flush()?;
        }
        Ok(())
    }

    fn agents(&mut self, agents: &[InitAgent]) -> Result<(), Failure> {
        let name = |agent: &InitAgent| match &agent.model {
            Some(model) => format!("{} ({model} over HTTP)", agent.name),
            None => agent.name.clone(),
        };
        let names: Vec<_> = agents.iter().map(name).collect();
        if names.is_empty() {
            self.line("agents", "none found in PATH, and no key of a model in the environment")
        } else {
            self.line("agents", &names.join(", "))
        }
    }

    fn next(&mut self, settings: &Settings) -> Result<(), Failure> {
        if self.is_quiet {
            return Ok(());
        }
        writeln!(self.out)?;
        if settings.agents.is_empty() || !settings.gate.values().any(|profile| !profile.checks.is_empty()) {
            return Ok(writeln!(
                self.out,
                "next:  git orchestrate doctor            what is missing, and what to type"
            )?);
        }
        writeln!(
            self.out,
            "next:  git orchestrate task add \"…\"      a task; or git orchestrate task import <directory>"
        )?;
        Ok(writeln!(self.out, "       git orchestrate start             let the agents work")?)
    }
}
