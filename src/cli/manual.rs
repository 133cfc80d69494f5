//! The man pages, made of the command line itself: one for the program, one for each command.
//! Knows nothing of where they are written to.

use std::io;

use clap::Command;
use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, roman},
};

use super::{arguments, exit::MEANINGS};

/// A man page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its file: `git-orchestrate-init.1`.
    pub file: String,
    /// Its text, in roff.
    pub text: String,
}

/// The files that a person may want to know of.
const FILES: [(&str, &str); 7] = [
    (".handoff/config.toml", "Agents, models, prices, routes, gates and limits. Made by git orchestrate init."),
    (".handoff/tasks/", "The queue: a file a task, <id>.toml or <id>.md."),
    (".handoff/workflows/", "Workflows beside the built-in ones, <name>.toml."),
    (".handoff/prompts/", "Prompt templates beside the built-in ones, <role>.md.j2."),
    (".handoff/allowed_signers", "Keys that may sign steps, in the format of ssh-keygen(1)."),
    ("$GIT_DIR/orchestrate/", "The lock, what workers do now, caches and logs. Deleting it loses no finished step."),
    ("$XDG_DATA_HOME/git-orchestrate/id_ed25519", "The machine's signing key; by default under ~/.local/share."),
];

/// Every page, the program's first.
///
/// # Errors
/// None that memory does not make.
pub fn pages() -> io::Result<Vec<Page>> {
    let mut root = arguments::command().disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    collect(&root, "git-orchestrate", None, &mut pages)?;
    Ok(pages)
}

fn collect(command: &Command, name: &str, parent: Option<&str>, pages: &mut Vec<Page>) -> io::Result<()> {
    pages.push(Page { file: format!("{name}.1"), text: page(command, name, parent)? });
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        collect(sub, &format!("{name}-{}", sub.get_name()), Some(name), pages)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str, parent: Option<&str>) -> io::Result<String> {
    let version = concat!("git-orchestrate ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title(name.to_uppercase()).source(version).manual("Git Orchestrate Manual");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    named(command, name).to_writer(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    let subs: Vec<_> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
    if !subs.is_empty() {
        let about = |sub: &Command| sub.get_about().map(ToString::to_string).unwrap_or_default();
        let entries = subs.iter().map(|sub| (format!("{name}-{}(1)", sub.get_name()), about(sub)));
        list("COMMANDS", entries).to_writer(&mut out)?;
    }
    if let Some(examples) = command.get_after_help() {
        examples_section(&examples.to_string()).to_writer(&mut out)?;
    }
    list("EXIT STATUS", MEANINGS.map(|(code, meaning)| (code.to_owned(), meaning.to_owned()))).to_writer(&mut out)?;
    list("FILES", FILES.map(|(file, meaning)| (file.to_owned(), meaning.to_owned()))).to_writer(&mut out)?;
    let mut see_also = Roff::new();
    let above = parent.map_or_else(|| "git(1)".to_owned(), |parent| format!("{parent}(1)"));
    see_also.control("SH", ["SEE ALSO"]).text([roman(above)]);
    see_also.to_writer(&mut out)?;
    Ok(String::from_utf8(out).expect("BUG: our own words are UTF-8"))
}

/// As mandoc and apropos want it: the page's name, a dash, one line.
fn named(command: &Command, name: &str) -> Roff {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut roff = Roff::new();
    roff.control("SH", ["NAME"]).text([roman(format!("{name} - {about}"))]);
    roff
}

fn list(title: &str, entries: impl IntoIterator<Item = (String, String)>) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (term, meaning) in entries {
        roff.control("TP", []).text([bold(term)]).text([roman(meaning)]);
    }
    roff
}

/// Examples stand as they are typed.
fn examples_section(after_help: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in after_help.lines().skip_while(|line| *line == "Examples:") {
        roff.text([Inline::Roman(line.to_owned())]);
    }
    roff.control("fi", []);
    roff
}
