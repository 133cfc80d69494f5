//! `doctor`: what is missing before a run, and what to type.
//! Changes nothing; knows nothing of how a run goes.

use std::{io::Write, path::Path};

use super::{
    agents::{examine, unused},
    exit::Exit,
    failure::Failure,
    place::{Place, own_key_path, project},
    terminal::Terminal,
};
use crate::{
    agents::family::another_than,
    config::{
        parse::parse,
        settings::{Settings, SigningKey},
    },
    gate::program::missing_program,
    git::{AllowedSigners, Git, Signer},
    handoff::{
        disk,
        layout::{ALLOWED_SIGNERS, CONFIG},
        tasks,
    },
    report::{
        doctor::{DoctorView, write},
        json,
    },
    run::preflight::SIGNATURE_LIMIT,
    sys::{lock, machine::free_disk_bytes, process::find_program},
    text,
};

/// The oldest git that our commands to it are made for.
const GIT_MIN: (u32, u32) = (2, 38);

/// What `doctor` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DoctorArguments {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate doctor         Examine git, the key, the agents, the gate, the disk
  git orchestrate doctor --json  For programs";

/// Carries it out.
///
/// # Errors
/// There is no repository with a working tree.
pub fn run(arguments: &DoctorArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let place = Place::find()?;
    let mut view = DoctorView::default();
    git(&place, &mut view);
    identity(&place, &mut view);
    let settings = settings(&place, &mut view)?;
    key(&place, settings.as_ref(), &mut view);
    if let Some(settings) = &settings {
        agents(settings, &mut view)?;
        gates(&place, settings, &mut view);
        queue(&place, &mut view);
        disk(&place, settings, &mut view);
    }
    the_lock(&place, &mut view);
    worktrees(&place, &mut view);
    if arguments.json {
        json::write(&view, out)?;
    } else {
        write(&view, terminal.out_look(), out)?;
    }
    Ok(if view.problems() == 0 { Exit::Done } else { Exit::Person })
}

fn git(place: &Place, view: &mut DoctorView) {
    let install = "install git from https://git-scm.com/downloads".to_owned();
    match Git::of(&place.repository).args(["version"]).output(&[]) {
        Ok(output) => {
            let told = text::clean_line(&String::from_utf8_lossy(&output));
            let version = told.trim_start_matches("git version ").to_owned();
            match git_version(&version) {
                Some(found) if found < GIT_MIN => {
                    let (major, minor) = GIT_MIN;
                    view.problem("git", format!("{version} is older than {major}.{minor}"), install);
                }
                Some(_) | None => view.well("git", version),
            }
        }
        Err(error) => view.problem("git", error.to_string(), install),
    }
}

fn git_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(['.', ' ']).map_while(|part| part.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

fn identity(place: &Place, view: &mut DoctorView) {
    match place.repository.identity() {
        Ok(identity) => view.well("identity", format!("{} <{}>", identity.name, identity.email)),
        Err(error) => view.problem("identity", error.to_string(), error.hint()),
    }
}

fn settings(place: &Place, view: &mut DoctorView) -> Result<Option<Settings>, Failure> {
    let Some(body) = disk::read_text(&place.root, CONFIG)? else {
        view.problem("config", format!("there is no '{CONFIG}' here"), "git orchestrate init".to_owned());
        return Ok(None);
    };
    Ok(match parse(&body, CONFIG) {
        Ok(settings) => {
            view.well("config", CONFIG);
            Some(settings)
        }
        Err(problems) => {
            problems.iter().for_each(|problem| view.problem("config", problem.to_string(), problem.hint.clone()));
            None
        }
    })
}

fn key(place: &Place, settings: Option<&Settings>, view: &mut DoctorView) {
    let signer = match settings.map(|settings| settings.commits.key).unwrap_or_default() {
        SigningKey::Git => Signer::from_git(&place.repository),
        SigningKey::Own => match own_key_path() {
            Ok(path) if !path.exists() => {
                let init = "git orchestrate init".to_owned();
                return view.problem("key", format!("there is no key '{}'", path.display()), init);
            }
            Ok(path) => Signer::own(&path),
            Err(_) => return view.problem("key", "neither HOME nor XDG_DATA_HOME is set", "export HOME=…".to_owned()),
        },
    };
    let signer = match signer.and_then(|signer| signer.test(SIGNATURE_LIMIT).map(|()| signer)) {
        Ok(signer) => signer,
        Err(error) => return view.problem("key", error.to_string(), error.hint()),
    };
    view.well("key", format!("{} signs", signer.fingerprint()));
    let Some(line) = signer.public_key_line() else { return };
    let body = disk::read_text(&place.root, ALLOWED_SIGNERS).ok().flatten().unwrap_or_default();
    match AllowedSigners::parse(&body) {
        Ok(signers) if signers.knows(&line) => view.well("signers", ALLOWED_SIGNERS),
        Ok(_) => {
            let init = "git orchestrate init".to_owned();
            view.problem("signers", format!("'{ALLOWED_SIGNERS}' does not name this key"), init);
        }
        Err(error) => view.problem("signers", format!("{error}\n  at {ALLOWED_SIGNERS}"), error.hint()),
    }
}

fn agents(settings: &Settings, view: &mut DoctorView) -> Result<(), Failure> {
    let agents = examine(&project()?)?;
    if agents.is_empty() {
        let unused = unused(settings);
        let hint = match unused.first() {
            Some(found) => format!("add to {CONFIG}: [agents.{found}] and below it adapter = \"{found}\""),
            None => format!(
                "install one of claude, codex, gemini, opencode, or take a model over HTTP: export ANTHROPIC_API_KEY=…, and \
                 add to {CONFIG}: [agents.claude] adapter = \"anthropic\", model = \"claude-sonnet-4-5\""
            ),
        };
        view.problem("agents", "no agents are configured", hint);
    }
    for agent in &agents {
        let what = format!("agent {}", agent.name);
        match &agent.problem {
            Some(problem) => view.problem(what, problem, agent.hint.clone()),
            None => {
                let family = agent.family.as_deref().unwrap_or_default();
                view.well(what, format!("{} ({family})", agent.version.as_deref().unwrap_or(agent.adapter)));
            }
        }
    }
    let mut families: Vec<_> = agents.iter().filter_map(|agent| agent.family.as_ref()).collect();
    families.sort();
    families.dedup();
    if let [family] = families.as_slice()
        && settings.workflow != "single"
    {
        let told = format!("all agents are of the family '{family}', so each review will wait for a person");
        view.note(
            "reviewers",
            told,
            format!("add to {CONFIG}: {}\nor go without reviews: workflow = \"single\"", another_than(family)),
        );
    }
    Ok(())
}

fn gates(place: &Place, settings: &Settings, view: &mut DoctorView) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_on_path = |program: &str| find_program(program, &path).is_some();
    if settings.gate.values().all(|profile| profile.checks.is_empty()) {
        let hint = format!("add to {CONFIG}: [[gate.full.check]] and below it name = \"tests\", run = \"<command>\"");
        view.problem("gate", "no checks are configured, so nothing can land", hint);
    }
    for (name, profile) in &settings.gate {
        for check in &profile.checks {
            let what = format!("gate {name}");
            match missing_program(&check.run, &|path| place.root.join(path).exists(), &is_on_path) {
                Some(program) => {
                    let told = format!("check '{}' needs '{program}', which is not in PATH", check.name);
                    view.problem(what, told, format!("install '{program}', or change the check in {CONFIG}"));
                }
                None => view.well(what, format!("{}: {}", check.name, check.run)),
            }
        }
    }
}

fn queue(place: &Place, view: &mut DoctorView) {
    match tasks::load(&place.root) {
        Ok(queue) => view.well("tasks", text::count(queue.tasks.len(), "task")),
        Err(problems) => {
            problems.iter().for_each(|problem| view.problem("tasks", problem.to_string(), problem.hint.clone()));
        }
    }
}

fn disk(place: &Place, settings: &Settings, view: &mut DoctorView) {
    let wanted = settings.limits.disk_free_bytes;
    let mut places = vec![("disk", place.repository.common_dir().to_owned())];
    // Where the worktrees will be, or the nearest directory that is there already.
    let worktrees = settings.worktrees.dir.as_ref().map(|dir| place.root.join(dir));
    let worktrees = worktrees.or_else(|| place.root.parent().map(Path::to_owned));
    let there = worktrees.as_deref().and_then(|dir| dir.ancestors().find(|dir| dir.exists()));
    places.extend(there.map(|dir| ("disk for worktrees", dir.to_owned())));
    for (what, dir) in places {
        match free_disk_bytes(&dir) {
            Ok(free) if free < wanted => {
                let told = format!("{} free, {} are wanted", text::bytes(free), text::bytes(wanted));
                view.problem(what, told, format!("make room on the disk of '{}'", dir.display()));
            }
            Ok(free) => view.well(what, format!("{} free", text::bytes(free))),
            Err(error) => view.note(what, format!("cannot tell how much is free: {error}"), None),
        }
    }
}

fn the_lock(place: &Place, view: &mut DoctorView) {
    let path = place.local().lock();
    match lock::holder(&path) {
        Ok(None) => view.well("lock", "free"),
        Ok(Some(holder)) => {
            let told = format!("a run holds this repository: pid {} on {}", holder.pid, holder.host);
            view.note("lock", told, "git orchestrate status".to_owned());
        }
        Err(error) => view.note("lock", format!("cannot tell who holds it: {error}"), None),
    }
}

fn worktrees(place: &Place, view: &mut DoctorView) {
    let Ok(output) = Git::of(&place.repository).args(["worktree", "list", "--porcelain"]).output(&[]) else { return };
    let listed = String::from_utf8_lossy(&output);
    let stale: Vec<&str> = listed
        .split("\n\n")
        .filter(|entry| entry.lines().any(|line| line.starts_with("prunable")))
        .filter_map(|entry| entry.lines().next()?.strip_prefix("worktree "))
        .collect();
    match stale.as_slice() {
        [] => view.well("worktrees", "none is stale"),
        stale => {
            let told = format!("registered, but gone: {}", stale.join(", "));
            view.note("worktrees", told, "git worktree prune".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_git_are_read() {
        for (text, version) in [
            ("2.47.3", Some((2, 47))),
            ("2.39.5 (Apple Git-154)", Some((2, 39))),
            ("2.50.0.windows.1", Some((2, 50))),
            ("unknown", None),
        ] {
            assert_eq!(git_version(text), version, "{text}");
        }
    }
}
