//! The queue as it is written down.
//! Knows nothing of how far a task has come.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    look::{Ink, Look},
    table::{self, Cell, numbers, words},
};
use crate::model::task::Task;

/// The queue.
#[derive(Debug, Clone, Default, Serialize)]
pub struct QueueView {
    /// In the order of their files.
    pub tasks: Vec<Task>,
}

/// Writes it for people.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &QueueView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if view.tasks.is_empty() {
        return writeln!(out, "no tasks (git orchestrate task add \"…\" makes one)");
    }
    let columns =
        [words("TASK"), numbers("PRIORITY"), words("RISK"), words("AREA"), words("DEPENDS ON"), words("TITLE")];
    let rows: Vec<Vec<Cell>> = view.tasks.iter().map(row).collect();
    table::write(out, look, &columns, &rows)
}

fn row(task: &Task) -> Vec<Cell> {
    let depends_on: Vec<_> = task.depends_on.iter().map(ToString::to_string).collect();
    vec![
        Cell::new(Ink::Strong, task.id.as_str()),
        if task.priority == 0 { String::new() } else { task.priority.to_string() }.into(),
        task.risk.word().into(),
        task.area.as_deref().unwrap_or_default().into(),
        depends_on.join(", ").into(),
        task.title.as_str().into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_a_table() {
        let id = |id: &str| id.parse().expect("an id");
        let mut second = Task::new(id("docs"), "Write\u{1b}[31m it down");
        second.depends_on = vec![id("api")];
        let mut out = Vec::new();
        let view = QueueView { tasks: vec![Task::new(id("api"), "Add an API"), second] };
        write(&view, Look::default(), &mut out).expect("a Vec takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "TASK  RISK    DEPENDS ON  TITLE\napi   medium              Add an API\ndocs  medium  api         Write it down\n"
        );
    }
}
