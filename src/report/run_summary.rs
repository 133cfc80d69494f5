//! The end of a run: its tasks, its sums, the next command.
//! Knows nothing of the run.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::{
    event::{RunEnd, RunSummary},
    look::{Ink, Look},
    task::write_tasks,
};
use crate::text;

/// Writes it for people.
///
/// # Errors
/// When `out` does not take it.
pub fn write(summary: &RunSummary, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if !summary.tasks.is_empty() {
        writeln!(out)?;
        write_tasks(&summary.tasks, look, out)?;
        writeln!(out)?;
    }
    let elapsed = text::duration(Duration::from_millis(summary.elapsed_ms));
    writeln!(out, "{}", summary.totals.line())?;
    for line in [summary.money.line(), summary.context.line()].into_iter().flatten() {
        writeln!(out, "{line}")?;
    }
    let (ink, end) = match summary.end {
        RunEnd::Done => (Ink::Good, "done"),
        RunEnd::Failed => (Ink::Bad, "not all tasks made it"),
        RunEnd::Held => (Ink::Warn, "a person must decide"),
        RunEnd::NothingMatched => (Ink::Warn, "nothing matched"),
        RunEnd::Spent => (Ink::Warn, "the budget or a quota is spent; nothing is lost"),
        RunEnd::Stopped => (Ink::Plain, "stopped; nothing is lost"),
        RunEnd::Interrupted { .. } => (Ink::Warn, "interrupted; nothing is lost"),
    };
    writeln!(out, "{}: {} in {elapsed}", look.paint(ink, end), text::count(summary.steps, "step"))?;
    if let Some(why) = &summary.why {
        writeln!(out, "because {}", text::clean_line(why))?;
    }
    for (at, command) in summary.next.iter().enumerate() {
        writeln!(out, "{} {command}", if at == 0 { "next:" } else { "     " })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{money::Money, task::Task},
        report::{
            cached::CachedView,
            money::{MoneyView, StandView},
            task::{TaskView, Totals},
        },
    };

    #[test]
    fn it_ends_with_the_next_command() {
        let stand =
            StandView { spent: Money::micros(4_000_000), limit: Some(Money::micros(5_000_000)), ..Default::default() };
        let tasks = vec![TaskView::new(&Task::new("api".parse().expect("an id"), "Add an API"), None, None)];
        let summary = RunSummary {
            end: RunEnd::Spent,
            why: Some("the next step may cost $2.00, but $4.00 of the run's budget of $5.00 is spent".to_owned()),
            money: MoneyView { zone: "UTC".to_owned(), run: Some(stand), day: stand, month: stand },
            context: CachedView { asked: 4, found: 3 },
            totals: Totals::of(&tasks),
            tasks,
            steps: 3,
            elapsed_ms: 61_000,
            next: vec!["git orchestrate resume --budget 5".to_owned()],
        };
        let mut out = Vec::new();
        write(&summary, Look::default(), &mut out).expect("a Vec takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "\nTASK  STATE  TITLE\napi   new    Add an API\n\n1 task: 1 new\n\
             spent: this run $4.00 of $5.00, today $4.00 of $5.00, this month $4.00 of $5.00 (UTC)\n\
             context: 3 of 4 parts were known (75 %)\n\
             the budget or a quota is spent; nothing is lost: 3 steps in 1m 01s\n\
             because the next step may cost $2.00, but $4.00 of the run's budget of $5.00 is spent\n\
             next: git orchestrate resume --budget 5\n"
        );
    }
}
