//! `hooks`: puts our git hooks there, takes them away, says how they stand and proves it.
//! Knows nothing of what the hooks judge.

use std::io::Write;

use super::{exit::Exit, failure::Failure, place, terminal::Terminal};
use crate::{
    git::Repository,
    hooks::{self, HookName, HookState, HookStatus, Method, Options, Proof},
    report::{json, look::Ink},
    text,
};

/// What `hooks` takes.
#[derive(Debug, Clone, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct HooksArguments {
    /// What to do
    #[command(subcommand)]
    pub command: HooksCommand,
}

/// What can be done with hooks.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum HooksCommand {
    /// Put pre-push and commit-msg hooks beside those that are there
    #[command(after_help = INSTALL_EXAMPLES)]
    Install(InstallArguments),
    /// Take them away; all else stays as it is
    #[command(after_help = UNINSTALL_EXAMPLES)]
    Uninstall,
    /// Show how they stand, and prove by a bad push that it is refused
    #[command(after_help = STATUS_EXAMPLES)]
    Status(StatusArguments),
}

/// What `hooks install` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct InstallArguments {
    /// Install a pre-commit hook too: secrets, and the fast gate of [hooks] pre_commit
    #[arg(long)]
    pub pre_commit: bool,
    /// How: config (git's settings, git 2.54), files (the hooks directory), chain (a directory of ours that runs the others)
    #[arg(long, value_name = "HOW", value_parser = parse_method)]
    pub method: Option<Method>,
    /// Print what to add to your own hooks or to your hook manager, and change nothing
    #[arg(long, conflicts_with = "method")]
    pub manual: bool,
}

/// What `hooks status` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StatusArguments {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate hooks install                 pre-push and commit-msg
  git orchestrate hooks install --pre-commit    and pre-commit
  git orchestrate hooks install --manual        What to add to lefthook, pre-commit, husky or a script
  git orchestrate hooks status                  Prove that a bad push is refused
  GIT_ORCHESTRATE_SKIP=gate git push            Pass over the gate once; it is said
  git orchestrate hooks uninstall";

const INSTALL_EXAMPLES: &str = "\
Examples:
  git orchestrate hooks install --pre-commit
  git orchestrate hooks install --method chain  Before hooks that cannot be changed
  git orchestrate hooks install --manual        What to add to lefthook, pre-commit, husky or a script";

const UNINSTALL_EXAMPLES: &str = "\
Examples:
  git orchestrate hooks uninstall               The git directory is as it was, byte for byte";

const STATUS_EXAMPLES: &str = "\
Examples:
  git orchestrate hooks status
  git orchestrate hooks status --json | jq .holds

The exit code is 0 if a bad push is refused, else 1. The push goes to a scratch repository, as a rehearsal: nothing is sent.";

fn parse_method(word: &str) -> Result<Method, String> {
    let all = [Method::Config, Method::Files, Method::Chain];
    all.into_iter().find(|method| method.word() == word).ok_or_else(|| "it is config, files or chain".to_owned())
}

/// Runs `hooks`.
///
/// # Errors
/// When the hooks cannot be read or changed.
pub fn run(arguments: &HooksArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let repository = Repository::discover(&place::here()?)?;
    match &arguments.command {
        HooksCommand::Install(arguments) => install(&repository, arguments, terminal, out),
        HooksCommand::Uninstall => {
            let gone = hooks::uninstall(&repository)?;
            for path in &gone {
                writeln!(out, "removed from '{}'", path.display())?;
            }
            if gone.is_empty() {
                terminal.say("there are no hooks of ours here");
            }
            Ok(Exit::Done)
        }
        HooksCommand::Status(arguments) => status(&repository, arguments, terminal, out),
    }
}

fn install(
    repository: &Repository,
    arguments: &InstallArguments,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut names = vec![HookName::CommitMsg, HookName::PrePush];
    if arguments.pre_commit {
        names.insert(0, HookName::PreCommit);
    }
    let managers = repository.work_dir().map(hooks::managers).unwrap_or_default();
    if arguments.manual {
        let mut kinds: Vec<_> = managers.into_iter().map(Some).collect();
        if kinds.is_empty() {
            kinds.push(None);
        }
        for kind in kinds {
            for name in &names {
                writeln!(out, "{}", hooks::snippet(kind, *name))?;
            }
        }
        return Ok(Exit::Done);
    }
    for done in hooks::install(repository, &Options { names, method: arguments.method })? {
        let word = if done.is_old { "is already in" } else { "is now in" };
        let beside = if done.is_beside { ", beside what is there" } else { "" };
        writeln!(out, "{} {word} '{}'{beside}", done.name, done.path.display())?;
        let is_file = done.method == Method::Files;
        for manager in managers.iter().filter(|manager| is_file && manager.rewrites() && done.name == HookName::PrePush)
        {
            terminal.warn(
                &format!("{} writes its hooks anew when it is installed, and ours would be gone", manager.word()),
                Some("git orchestrate hooks install --manual"),
            );
        }
    }
    terminal.say("to see that they hold: git orchestrate hooks status");
    Ok(Exit::Done)
}

fn status(
    repository: &Repository,
    arguments: &StatusArguments,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let hooks = hooks::status(repository)?;
    let is_there = |hook: &HookStatus| hook.name == HookName::PrePush && hook.state != HookState::Absent;
    let proof = if hooks.iter().any(is_there) { Some(hooks::prove(repository)?) } else { None };
    let holds = proof == Some(Proof::Refused) && !hooks.iter().any(|hook| matches!(hook.state, HookState::Off { .. }));
    let exit = if holds { Exit::Done } else { Exit::No };
    if arguments.json {
        #[derive(serde::Serialize)]
        struct View<'a> {
            holds: bool,
            hooks: &'a [HookStatus],
            push: Option<&'a Proof>,
        }
        json::write(&View { holds, hooks: &hooks, push: proof.as_ref() }, out)?;
        return Ok(exit);
    }
    let look = terminal.out_look();
    for hook in &hooks {
        let (ink, words) = match &hook.state {
            HookState::Absent => (Ink::Faint, "not installed".to_owned()),
            HookState::Installed { path, .. } => (Ink::Good, format!("in '{}'", path.display())),
            HookState::ByHand { path } => (Ink::Good, format!("by hand, in '{}'", path.display())),
            HookState::Off { path, why } => {
                (Ink::Bad, format!("in '{}', but git does not run it: {why}", path.display()))
            }
        };
        writeln!(out, "{:<11}{}", hook.name, look.paint(ink, &words))?;
    }
    let (ink, words) = match &proof {
        None => (Ink::Faint, "nothing is judged before it is pushed; git orchestrate hooks install".to_owned()),
        Some(Proof::Refused) => (Ink::Good, "refused, as it must be".to_owned()),
        Some(Proof::Passed) => (Ink::Bad, "it would have gone through: git does not run our hook".to_owned()),
        Some(Proof::NoCommit) => (Ink::Faint, "not tried: there is no commit yet".to_owned()),
        Some(Proof::Other { said }) => {
            let said = text::clean(said);
            (Ink::Bad, format!("stopped by something else, so nothing is proven:\n  {}", said.replace('\n', "\n  ")))
        }
    };
    writeln!(out, "{:<11}{}", "a bad push", look.paint(ink, &words))?;
    Ok(exit)
}
