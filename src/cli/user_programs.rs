//! The pager and the editor that git would use.
//! Knows nothing of what is paged or edited. Names programs only from the environment and the user's own settings: those
//! of the repository can be written by what runs in it.

use std::{
    ffi::OsStr,
    io::{BufWriter, Write},
    path::Path,
};

use super::{failure::Failure, terminal::Terminal};
use crate::{
    git::{Git, Repository},
    sys::process::{Attached, run_attached},
};

/// What pagers are told where the user tells them nothing, as git does.
const PAGER_VARIABLES: [(&str, &str); 2] = [("LESS", "FRX"), ("LV", "-c")];

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn setting(repository: &Repository, key: &str) -> Option<String> {
    let ask = |scope: &str| {
        let output = Git::of(repository).args(["config", scope, "--get", key]).output(&[]).ok()?;
        Some(String::from_utf8_lossy(&output).trim().to_owned()).filter(|value| !value.is_empty())
    };
    ask("--global").or_else(|| ask("--system"))
}

/// Whether git's settings (`color.orchestrate`, `color.ui`) allow colours on a terminal, where we are.
pub fn allows_colour() -> bool {
    let Ok(repository) = Repository::discover(Path::new(".")) else { return true };
    let keys = r"^color\.(ui|orchestrate)$";
    let answer = Git::of(&repository).args(["config", "--get-regexp", keys]).run(&[]);
    answer.map_or(true, |answer| are_allowed(&String::from_utf8_lossy(&answer.stdout)))
}

/// By lines of `git config --get-regexp`: `color.orchestrate` beats `color.ui`, a later line an earlier one.
fn are_allowed(settings: &str) -> bool {
    let last = |key: &str| {
        let mut values = settings.lines().rev().filter_map(|line| line.split_once(' '));
        let (_, value) = values.find(|(name, _)| *name == key)?;
        Some(!["never", "false", "no", "off", "0"].contains(&value.trim()))
    };
    last("color.orchestrate").or_else(|| last("color.ui")).unwrap_or(true)
}

/// Has `write` write to the pager where standard output is a terminal, to `out` elsewhere, and waits until the user has
/// read it.
///
/// # Errors
/// Those of `write`; a reader who leaves early is none.
pub fn paged(
    terminal: &Terminal,
    repository: &Repository,
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(mut pager) = terminal.is_out_terminal().then(|| pager(repository)).flatten() else { return write(out) };
    let written = write(&mut BufWriter::new(&mut pager));
    pager.finish();
    written
}

fn pager(repository: &Repository) -> Option<Attached> {
    let named = variable("GIT_PAGER").or_else(|| setting(repository, "core.pager")).or_else(|| variable("PAGER"));
    let named = named.unwrap_or_else(|| "less".to_owned());
    let unset: Vec<_> = PAGER_VARIABLES.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if named == "cat" { None } else { Attached::start(&named, &unset).ok() }
}

/// Opens a file in the user's editor and waits until it is closed.
///
/// # Errors
/// There is no editor for this terminal, or it ends badly.
pub fn edit(repository: &Repository, file: &OsStr) -> Result<(), Failure> {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let told = variable("GIT_EDITOR").or_else(|| setting(repository, "core.editor"));
    let told = told.or_else(|| variable("VISUAL").filter(|_| !is_dumb)).or_else(|| variable("EDITOR"));
    let Some(editor) = told.or_else(|| (!is_dumb).then(|| "vi".to_owned())) else {
        let message = "the terminal is dumb, and no editor is set";
        return Err(Failure::fatal(message, "export EDITOR=<program>".to_owned()));
    };
    let bad = |why: String| Failure::fatal(format!("there was a problem with the editor '{editor}': {why}"), None);
    match run_attached(&editor, &[file]) {
        Ok(Some(0)) => Ok(()),
        Ok(Some(code)) => Err(bad(format!("exit code {code}"))),
        Ok(None) => Err(bad("it was ended by a signal".to_owned())),
        Err(error) => Err(bad(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_setting_beats_the_one_for_all() {
        for (settings, allowed) in [
            ("", true),
            ("color.ui auto\n", true),
            ("color.ui false\n", false),
            ("color.ui never\ncolor.ui always\n", true),
            ("color.orchestrate always\ncolor.ui never\n", true),
            ("color.ui true\ncolor.orchestrate off\n", false),
        ] {
            assert_eq!(are_allowed(settings), allowed, "{settings}");
        }
    }
}
