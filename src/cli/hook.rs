//! `hook`: what git runs when it commits or pushes. Reads what git tells, and refuses or says nothing.
//! Knows nothing of how it is judged.

use std::{
    io::{self, Read as _},
    path::PathBuf,
    sync::Arc,
};

use super::{
    exit::Exit,
    failure::{Complaint, Failure, Level},
    listening::{listen, stoppable},
    place,
    terminal::Terminal,
};
use crate::{
    config::settings::Settings,
    gate::INSIDE,
    git::Repository,
    hooks::{
        self, Ground, HookName, HooksError, Override, PROBE, Refusal, message, pre_commit, pre_push,
        push::{self, Update},
        skip::{Part, SKIP, SKIP_REASON, Skip},
    },
    run::{Project, RunError, preflight, project::worktrees_dir, secrets},
    secrets::Scanner,
    sys::{
        file,
        process::{Cancel, MARKER},
    },
};

/// Set by pre-commit and prek where they run a hook for a push.
const PRE_COMMIT: &str = "PRE_COMMIT_TO_REF";

/// What `hook` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct HookArguments {
    /// The hook
    #[arg(value_name = "NAME")]
    pub name: HookName,
    /// What git tells it
    #[arg(value_name = "WORD", trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate hook pre-push \"$@\" || exit $?      In a hook of your own, before anything that reads its input
  git orchestrate hook commit-msg \"$1\" || exit $?";

/// Runs `hook`.
///
/// # Errors
/// When it refuses, or cannot judge.
pub fn run(arguments: &HookArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    // git was started by us, to ask the hooks of others.
    if std::env::var_os(INSIDE).is_some() {
        return Ok(Exit::Done);
    }
    let skip = skip()?;
    match arguments.name {
        HookName::PreCommit => before_commit(&skip, terminal),
        HookName::CommitMsg => on_message(arguments.words.first(), &skip, terminal),
        HookName::PrePush => before_push(&arguments.words, &skip, terminal),
    }
}

fn skip() -> Result<Skip, Failure> {
    let words = std::env::var(SKIP).unwrap_or_default();
    let reason = std::env::var(SKIP_REASON).ok();
    let skip =
        Skip::parse(&words, reason).map_err(|bad| Failure::fatal(bad.to_string(), bad.hint()).exiting(Exit::No))?;
    if skip != Skip::default() && std::env::var_os(MARKER).is_some() {
        let message = format!("{SKIP} is set in the environment of an agent: only a person can pass over a judgement");
        return Err(Failure::fatal(message, format!("unset {SKIP}")).exiting(Exit::No));
    }
    Ok(skip)
}

/// Says what is passed over.
fn say_skipped(skip: &Skip, of: &[Part], terminal: &Terminal) -> Vec<&'static str> {
    let words = skip.words(of);
    if !words.is_empty() {
        terminal.warn(&format!("not judged, as {SKIP} says: {}", words.join(", ")), None);
    }
    words
}

/// A repository, with a configuration or without.
struct Here {
    repository: Repository,
    settings: Arc<Settings>,
    secrets: Arc<Scanner>,
    worktrees: PathBuf,
    project: Option<Project>,
}

impl Here {
    fn open() -> Result<Self, Failure> {
        let start = place::here()?;
        match Project::open(&start) {
            Ok(project) => Ok(Self {
                repository: project.repository.clone(),
                settings: project.settings.clone(),
                secrets: project.secrets.clone(),
                worktrees: project.worktrees_dir(),
                project: Some(project),
            }),
            Err(RunError::NotInitialised) => {
                let repository = Repository::discover(&start)?;
                let settings = Settings::default();
                Ok(Self {
                    secrets: Arc::new(secrets::scanner(&settings)),
                    worktrees: worktrees_dir(&repository, &settings.worktrees),
                    settings: Arc::new(settings),
                    repository,
                    project: None,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn ground<'a>(&'a self, cancel: &'a Cancel) -> Ground<'a> {
        Ground {
            repository: &self.repository,
            settings: &self.settings,
            secrets: &self.secrets,
            worktrees: &self.worktrees,
            cancel,
        }
    }
}

fn before_commit(skip: &Skip, terminal: &Terminal) -> Result<Exit, Failure> {
    // What an agent commits is not kept; what it leaves in its files is judged when its step is made.
    if std::env::var_os(MARKER).is_some() {
        return Ok(Exit::Done);
    }
    let skipped = say_skipped(skip, &[Part::Secrets, Part::Gate], terminal);
    let here = Here::open()?;
    let refusals =
        judged(|cancel| pre_commit::judge(&here.ground(cancel), skip, &mut |line| terminal.warn(line, None)))?;
    if refusals.is_empty() && !skipped.is_empty() {
        let tree = here.repository.staged_tree(&here.repository.index_file())?;
        sign_off(&here, HookName::PreCommit, &skipped, skip, vec![format!("tree {tree}")], terminal);
    }
    answer(refusals, "nothing was committed")
}

fn on_message(file: Option<&String>, skip: &Skip, terminal: &Terminal) -> Result<Exit, Failure> {
    let skipped = say_skipped(skip, &[Part::Message], terminal);
    let Some(path) = file else { return Err(Failure::usage("hook commit-msg needs the file of the message")) };
    let bytes = file::read_limited(path.as_ref(), message::MESSAGE_BYTES_MAX)
        .map_err(|error| Failure::fatal(format!("cannot read the message '{path}': {error}"), None))?;
    let text = String::from_utf8_lossy(&bytes);
    if !skipped.is_empty() {
        let subject = text.lines().next().unwrap_or_default().to_owned();
        sign_off(&Here::open()?, HookName::CommitMsg, &skipped, skip, vec![subject], terminal);
        return Ok(Exit::Done);
    }
    // Names of agents count only beside a sign-off, and most messages have none.
    let agents: Vec<String> = match text.to_ascii_lowercase().contains("signed-off-by") {
        true => Here::open().map(|here| here.settings.agents.keys().cloned().collect()).unwrap_or_default(),
        false => Vec::new(),
    };
    let refused = message::judge(&text, &agents, std::env::var_os(MARKER).is_some());
    let refusals = refused.into_iter().map(|one| Refusal {
        message: format!("line {} of the message: {}\n  '{}'", one.line, one.why, one.text),
        hint: Some("remove the line; the message is in .git/COMMIT_EDITMSG: git commit --edit --file …".to_owned()),
    });
    answer(refusals.collect(), "nothing was committed")
}

fn before_push(words: &[String], skip: &Skip, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut input = Vec::new();
    let mut stdin = io::stdin().lock().take(push::INPUT_BYTES_MAX as u64 + 1);
    stdin
        .read_to_end(&mut input)
        .map_err(|error| Failure::fatal(format!("cannot read what git tells: {error}"), None))?;
    if input.len() > push::INPUT_BYTES_MAX {
        let message = format!("git tells of more refs than can be judged, {} bytes of them", push::INPUT_BYTES_MAX);
        return Err(Failure::fatal(message, "push them in parts".to_owned()));
    }
    let updates = push::parse(&input).map_err(|error| Failure::fatal(error.to_string(), None))?;
    if updates.is_empty() {
        // Run by pre-commit or prek, which keep what git tells to themselves: nothing was judged, so nothing is right.
        if std::env::var_os(PRE_COMMIT).is_some() {
            let message = "pre-commit does not hand on what git tells of a push, so it cannot be judged";
            return Err(Failure::fatal(message, "git orchestrate hooks install".to_owned()).exiting(Exit::No));
        }
        return Ok(Exit::Done);
    }
    let skipped = say_skipped(skip, &[Part::Audit, Part::Gate], terminal);
    let here = Here::open()?;
    let remote = words.first().map(String::as_str).unwrap_or_default();
    let mut refusals =
        judged(|cancel| pre_push::judge(&here.ground(cancel), remote, &updates, skip, &mut |line| terminal.say(line)))?;
    if let (Some(first), Ok(probe)) = (refusals.first_mut(), std::env::var(PROBE)) {
        first.message.push_str(&format!("\n  {PROBE}={probe}"));
    }
    if refusals.is_empty() && !skipped.is_empty() {
        sign_off(&here, HookName::PrePush, &skipped, skip, lines(&updates), terminal);
    }
    answer(refusals, "nothing was pushed")
}

/// The refs of a push and where they go, a line each.
fn lines(updates: &[Update]) -> Vec<String> {
    let line = |update: &Update| match &update.new {
        Some(new) => format!("{} {new}", update.name),
        None => format!("{} deleted", update.name),
    };
    updates.iter().map(line).collect()
}

/// Writes down what was passed over, if the person says why.
fn sign_off(here: &Here, hook: HookName, parts: &[&str], skip: &Skip, what: Vec<String>, terminal: &Terminal) {
    let Some(reason) = skip.reason.clone() else {
        terminal.hint(&format!("to sign it off: {SKIP_REASON}='…'"));
        return;
    };
    let parts = parts.iter().map(|part| (*part).to_owned()).collect();
    let entry = Override { hook: hook.to_string(), parts, reason, what };
    let key = here.project.as_ref().map_or_else(Default::default, |project| project.settings.commits.key);
    let recorded = preflight::signer(&here.repository, key).map_err(Failure::from).and_then(|signer| {
        let identity = here.repository.identity()?;
        Ok(hooks::record(&here.repository, &identity, &signer, &entry)?)
    });
    match recorded {
        Ok(commit) => terminal.say(&format!("signed off in {}: git show {}", hooks::OVERRIDES_REF, commit.short())),
        Err(failure) => failure.complaints().iter().for_each(|complaint| {
            terminal.warn(&format!("it is not signed off: {}", complaint.message), complaint.hint.as_deref());
        }),
    }
}

/// Judges; the first signal ends that.
fn judged<T>(judge: impl FnOnce(&Cancel) -> Result<T, HooksError>) -> Result<T, Failure> {
    let (signals, cancel) = (listen()?, Cancel::new());
    let judged = stoppable(&signals, &cancel, || judge(&cancel));
    match signals.last_signal() {
        Some(signal) => Err(Failure::Told { exit: Exit::Signal(signal), complaints: Vec::new() }),
        None => Ok(judged?),
    }
}

fn answer(refusals: Vec<Refusal>, end: &str) -> Result<Exit, Failure> {
    if refusals.is_empty() {
        return Ok(Exit::Done);
    }
    let complaint = |refusal: Refusal| Complaint { level: Level::Error, message: refusal.message, hint: refusal.hint };
    let mut complaints: Vec<Complaint> = Vec::new();
    for refusal in refusals {
        let next = complaint(refusal);
        // The same advice once is enough.
        if let Some(last) = complaints.last_mut().filter(|last| last.hint == next.hint) {
            last.hint = None;
        }
        complaints.push(next);
    }
    complaints.push(Complaint { level: Level::Fatal, message: end.to_owned(), hint: None });
    Err(Failure::Told { exit: Exit::No, complaints })
}
