//! What is wanted of a task, as it is written down.
//! Knows nothing of how far it has come.

use std::io::{self, Write};

use super::look::{Ink, Look};
use crate::{model::task::Task, text};

/// Columns of the names of facts.
const NAME_COLUMNS: usize = 10;

/// Writes it for people.
///
/// # Errors
/// When `out` does not take it.
pub fn write(task: &Task, look: Look, out: &mut dyn Write) -> io::Result<()> {
    write_title(task, look, out)?;
    if let Some(workflow) = &task.workflow {
        write_fact("workflow", workflow, look, out)?;
    }
    write_facts(task, look, out)?;
    write_texts(task, look, out)
}

/// Its name and its title.
pub(super) fn write_title(task: &Task, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}  {}", look.paint(Ink::Strong, task.id.as_str()), text::clean_line(&task.title))
}

/// One fact; its value is our own or cleaned.
pub(super) fn write_fact(name: &str, value: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {} {value}", look.paint(Ink::Faint, &format!("{name:<NAME_COLUMNS$}")))
}

/// What is said of it in a word each, but for its workflow.
pub(super) fn write_facts(task: &Task, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let depends_on: Vec<_> = task.depends_on.iter().map(ToString::to_string).collect();
    let resources: Vec<_> = task.resources.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let priority = if task.priority == 0 { String::new() } else { task.priority.to_string() };
    for (name, value) in [
        ("kind", task.kind.clone().unwrap_or_default()),
        ("area", task.area.clone().unwrap_or_default()),
        ("risk", task.risk.to_string()),
        ("complexity", task.complexity.to_string()),
        ("priority", priority),
        ("depends on", depends_on.join(", ")),
        ("files", task.files.join(", ")),
        ("context", task.context.join(", ")),
        ("labels", task.labels.join(", ")),
        ("budget", task.budget_usd.map_or_else(String::new, |budget| budget.to_string())),
        ("resources", resources.join(", ")),
        ("timeout", task.timeout.map_or_else(String::new, |timeout| timeout.to_string())),
    ] {
        if !value.is_empty() {
            write_fact(name, &text::clean_line(&value), look, out)?;
        }
    }
    Ok(())
}

/// What is said of it in sentences.
pub(super) fn write_texts(task: &Task, look: Look, out: &mut dyn Write) -> io::Result<()> {
    write_text("goal", &task.goal, look, out)?;
    write_list("constraints", &task.constraints, look, out)?;
    write_list("acceptance", &task.acceptance, look, out)
}

/// The heading of a part.
pub(super) fn heading(name: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", look.paint(Ink::Strong, name))
}

/// A part of running text; nothing of it is nothing.
pub(super) fn write_text(name: &str, body: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if body.trim().is_empty() {
        return Ok(());
    }
    heading(name, look, out)?;
    text::clean(body).trim().lines().try_for_each(|line| writeln!(out, "  {line}"))
}

fn write_list(name: &str, entries: &[String], look: Look, out: &mut dyn Write) -> io::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    heading(name, look, out)?;
    entries.iter().try_for_each(|entry| writeln!(out, "  - {}", text::clean_line(entry)))
}
