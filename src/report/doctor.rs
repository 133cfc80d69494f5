//! What was examined before a run, how it is, and what to type where it is not well.
//! Examines nothing.

use std::io::{self, Write};

use serde::Serialize;

use super::look::{Ink, Look};
use crate::text;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Well,
    /// Worth knowing; nothing is stopped by it.
    Note,
    /// A person must act before a run can do its work.
    Problem,
}

/// One thing that was examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was examined, a short word: `git`, `key`, `agent claude`.
    pub what: String,
    /// How it is.
    pub health: Health,
    /// One line about it, or several where a file and line are named.
    pub told: String,
    /// What to type.
    pub hint: Option<String>,
}

/// All of them, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DoctorView {
    /// One after another.
    pub findings: Vec<Finding>,
}

impl DoctorView {
    /// Notes that a thing is as it should be.
    pub fn well(&mut self, what: impl Into<String>, told: impl Into<String>) {
        self.push(what, Health::Well, told, None);
    }

    /// Notes something worth knowing.
    pub fn note(&mut self, what: impl Into<String>, told: impl Into<String>, hint: impl Into<Option<String>>) {
        self.push(what, Health::Note, told, hint);
    }

    /// Notes something that a person must see to.
    pub fn problem(&mut self, what: impl Into<String>, told: impl Into<String>, hint: impl Into<Option<String>>) {
        self.push(what, Health::Problem, told, hint);
    }

    fn push(
        &mut self,
        what: impl Into<String>,
        health: Health,
        told: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.findings.push(Finding { what: what.into(), health, told: told.into(), hint: hint.into() });
    }

    /// How many need a person.
    pub fn problems(&self) -> usize {
        self.findings.iter().filter(|finding| finding.health == Health::Problem).count()
    }
}

/// Writes it for people.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &DoctorView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let widest = view.findings.iter().map(|finding| text::width(&finding.what)).max().unwrap_or(0);
    for Finding { what, health, told, hint } in &view.findings {
        let (ink, mark) = match health {
            Health::Well => (Ink::Good, "ok     "),
            Health::Note => (Ink::Warn, "note   "),
            Health::Problem => (Ink::Bad, "problem"),
        };
        let pad = " ".repeat(widest - text::width(what));
        let told = text::clean(told);
        let mut lines = told.lines();
        writeln!(out, "{}  {what}{pad}  {}", look.paint(ink, mark), lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(out, "         {line}"))?;
        for line in hint.iter().flat_map(|hint| hint.lines()) {
            writeln!(out, "         {} {}", look.paint(Ink::Warn, "hint:"), text::clean_line(line))?;
        }
    }
    match view.problems() {
        0 => writeln!(out, "\nall is well"),
        problems => writeln!(out, "\n{} to see to", text::count(problems, "problem")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_says_what_to_type() {
        let mut view = DoctorView::default();
        view.well("git", "2.47.3");
        view.note("lock", "a run holds it", None);
        view.problem("agent codex", "no program 'codex' in PATH", "install it".to_owned());
        let mut out = Vec::new();
        write(&view, Look::default(), &mut out).expect("a Vec takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "ok       git          2.47.3
note     lock         a run holds it
problem  agent codex  no program 'codex' in PATH
         hint: install it

1 problem to see to
"
        );
    }
}
