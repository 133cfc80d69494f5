//! What the demo says between the outputs of the commands it shows.
//! Knows nothing of terminals; it writes where it is told.

use std::{
    io::{self, Write},
    path::Path,
};

use super::{git::is_there, place, play::JOBS, proof, proof::Proof, scratch::Scratch};
use crate::{
    model::{record::Outcome, workflow::PhaseId},
    report::{
        log::LogView,
        look::{Ink, Look},
        step::StepView,
    },
    text,
};

/// What is there before the run.
///
/// # Errors
/// When `out` does not take it.
pub fn opening(scratch: &Scratch, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let root = scratch.root.display().to_string();
    writeln!(out, "A scratch repository with a small Rust program and its tests: {}", look.paint(Ink::Strong, &root))?;
    writeln!(out, "Three of its tests fail. Three tasks wait: one to mend that, and two that build on it and both")?;
    writeln!(out, "change the same lines. The agents are recorded, so that no account is needed; worktrees, gate,")?;
    writeln!(out, "commits, signatures, merges and landing are real. Your git settings and your keys are left alone.")
}

/// A command as a user would type it, before its output.
///
/// # Errors
/// When `out` does not take it.
pub fn command(words: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", look.paint(Ink::Strong, &format!("$ {words}")))
}

/// The words that start the run.
pub fn start_words() -> String {
    format!("git orchestrate start --jobs {JOBS}")
}

/// What git said of the signatures.
///
/// # Errors
/// When `out` does not take it.
pub fn proof(proof: &Proof, look: Look, out: &mut dyn Write) -> io::Result<()> {
    command(&format!("git {}", proof::words()), look, out)?;
    match proof {
        Proof::Good { commits, line } => {
            writeln!(out, "{}", text::clean_line(line))?;
            let all = format!("{}, each with this good signature", text::count(*commits, "commit"));
            writeln!(out, "{}", look.paint(Ink::Good, &all))
        }
        Proof::Bad { commits, good, said } => {
            writeln!(out, "{said}")?;
            let some = format!("{good} of {} have a good signature", text::count(*commits, "commit"));
            writeln!(out, "{}", look.paint(Ink::Bad, &some))
        }
        Proof::NoSshKeygen => {
            writeln!(out, "left out: git checks ssh signatures by 'ssh-keygen', which is not in PATH")
        }
        Proof::Nothing => writeln!(out, "left out: nothing has landed"),
    }
}

/// What happened, and how to look at it.
///
/// # Errors
/// When `out` does not take it.
pub fn closing(scratch: &Scratch, log: &LogView, proof: &Proof, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let lines = happened(log);
    if !lines.is_empty() {
        writeln!(out, "\n{}", look.paint(Ink::Strong, "What to look for in the log:"))?;
        for line in &lines {
            writeln!(out, "  {line}")?;
        }
    }
    let (root, own) = (&scratch.root, own_words());
    writeln!(out, "\n{}", look.paint(Ink::Strong, "All of it is left there. To look at it:"))?;
    writeln!(out, "  cd {}", quoted(root))?;
    writeln!(out, "  git log --graph --oneline --branches")?;
    match proof {
        // It was stopped before anything landed.
        Proof::Nothing => writeln!(out, "  {own} resume")?,
        Proof::Good { .. } | Proof::Bad { .. } | Proof::NoSshKeygen => {
            writeln!(out, "  git log --show-signature orchestrate/integration")?;
            writeln!(out, "  git diff main...orchestrate/integration")?;
            writeln!(out, "  {own} show share")?;
            writeln!(out, "  {own} land")?;
        }
    }
    let worktrees = place::worktrees(root);
    let beside = if worktrees.exists() { format!(" {}", quoted(&worktrees)) } else { String::new() };
    writeln!(out, "To remove it: rm -rf {}{beside}", quoted(root))
}

/// The first refused gate, the first review that asked for changes, the first conflict: a line each, from the records.
fn happened(log: &LogView) -> Vec<String> {
    let steps = || log.tasks.iter().flat_map(|task| &task.steps);
    let first = |wanted: fn(&StepView) -> bool| steps().find(|step| wanted(step));
    let mut lines = Vec::new();
    let mut told = |step: Option<&StepView>, what: fn(&StepView) -> String| {
        lines.extend(step.map(|step| {
            let line = format!("{} step {}: {}", step.task, step.seq, what(step));
            text::clean_line(&line)
        }));
    };
    told(first(|step| step.phase.spec() == "gate" && step.outcome == Outcome::Failed), |step| {
        format!("the gate refused the work ({}); it was rolled back and done again", step.reason)
    });
    told(first(|step| step.outcome == Outcome::Changes), |step| {
        format!("{} asked for a change: {}", step.model.as_deref().unwrap_or(&step.agent), step.reason)
    });
    told(first(|step| step.phase == PhaseId::land() && step.outcome == Outcome::Failed), |step| {
        format!("{}; the work was done again on top of it", step.reason)
    });
    lines
}

/// How this program is called here.
fn own_words() -> String {
    if is_there("git-orchestrate") {
        return "git orchestrate".to_owned();
    }
    std::env::current_exe().map_or_else(|_| "git orchestrate".to_owned(), |path| quoted(&path))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@%,:=".contains(c));
    if is_plain { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_can_be_pasted() {
        for (path, wanted) in [("/a/b-c.d", "/a/b-c.d"), ("/a b", "'/a b'"), ("/it's", "'/it'\\''s'")] {
            assert_eq!(quoted(Path::new(path)), wanted);
        }
    }
}
