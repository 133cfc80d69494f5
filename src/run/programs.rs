//! Looks whether gates can run at all before anything is spent on tasks that they would hold one by one.
//! Knows nothing of what the checks say: only of what they begin with.

use std::{collections::BTreeSet, path::Path};

use super::{Project, RunError};
use crate::{
    config::settings::{CheckSettings, WorktreeSettings},
    gate::{
        Definition,
        program::{first_program, missing_program},
    },
    git::EntryKind,
    model::object::TreeId,
    report::event::RunEvent,
    sys::process::find_program,
};

/// Whether the gates are sure to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The run goes as far as it can.
    Surely,
    /// It ends before, perhaps.
    Perhaps,
}

/// What a person should hear of the checks of these gates.
///
/// # Errors
/// [`RunError::Preflight`] where a check is sure not to find its program.
pub fn look(project: &Project, gates: &[Definition], asked: Asked) -> Result<Vec<RunEvent>, RunError> {
    let settings = &project.settings.worktrees;
    let (branch, tree) = target(project)?;
    let mut warnings = Vec::new();
    let mut told = BTreeSet::new();
    for gate in gates {
        for check in gate.checks.iter().filter(|check| !gate.is_user_hooks(&check.name)) {
            let about = format!("check '{}' of gate '{}'", check.name, gate.profile);
            let hint = |program: &str| format!("install '{program}', or change the check in .handoff/config.toml");
            if let Some(program) = missing(check) {
                // Setup commands may bring it.
                if asked == Asked::Surely && settings.setup.is_empty() {
                    let what = format!("{about} needs '{program}', which is not in PATH: nothing could land");
                    return Err(RunError::Preflight { what, hint: Some(hint(program)) });
                }
                if told.insert(program.to_owned()) {
                    let message = format!("{about} needs '{program}', which is not in PATH");
                    warnings.push(RunEvent::Warning { message, hint: Some(hint(program)) });
                }
                continue;
            }
            let Some(script) = own_script(check).filter(|_| brings_nothing(project, settings)) else { continue };
            let wrong = match project.repository.entry(tree, script.trim_start_matches("./"))?.map(|entry| entry.kind) {
                None => "is not in",
                Some(EntryKind::File) => "cannot be executed in",
                Some(EntryKind::Executable | EntryKind::Link | EntryKind::Directory | EntryKind::Submodule) => continue,
            };
            if told.insert(script.to_owned()) {
                let message = format!("{about} runs '{script}', which {wrong} '{branch}'");
                let hint = match wrong {
                    "cannot be executed in" => {
                        format!("git update-index --chmod=+x {}", script.trim_start_matches("./"))
                    }
                    _ => "add it, change the check in .handoff/config.toml, or let a task write it".to_owned(),
                };
                warnings.push(RunEvent::Warning { message, hint: Some(hint) });
            }
        }
    }
    Ok(warnings)
}

/// What tasks begin with, and its name for people: the integration branch, before that HEAD.
fn target(project: &Project) -> Result<(String, TreeId), RunError> {
    let name = project.integration_branch();
    let (name, commit) = match project.repository.reference(&name)? {
        Some(tip) => (name.trim_start_matches("refs/heads/").to_owned(), tip),
        None => ("HEAD".to_owned(), project.head_commit()?),
    };
    Ok((name, project.repository.root_tree(commit)?))
}

/// The program of a check that is on no PATH of which we know all.
fn missing(check: &CheckSettings) -> Option<&str> {
    let path = check.env.get("PATH").map(Into::into).or_else(|| std::env::var_os("PATH")).unwrap_or_default();
    if std::env::split_paths(&path).any(|directory| !directory.is_absolute()) {
        return None;
    }
    let is_there = |name: &str| !Path::new(name).is_absolute() || find_program(name, &path).is_some();
    missing_program(&check.run, &is_there, &|name| find_program(name, &path).is_some())
}

/// The file of the project that a check begins with.
fn own_script(check: &CheckSettings) -> Option<&str> {
    let script = first_program(&check.run).filter(|program| program.contains('/'))?;
    let is_own = !Path::new(script).is_absolute() && !script.split('/').any(|part| part == "..");
    is_own.then_some(script)
}

/// Whether worktrees have what is in the commit, and nothing else.
fn brings_nothing(project: &Project, settings: &WorktreeSettings) -> bool {
    let WorktreeSettings { setup, copy, link, clone, dir: _, ports: _, sparse: _ } = settings;
    let has_include = project.root.as_deref().is_some_and(|root| root.join(".worktreeinclude").exists());
    setup.is_empty() && copy.is_empty() && link.is_empty() && clone.is_empty() && !has_include
}
