//! `task add`: a new task file.
//! Knows nothing of runs; one that goes on takes the task up by itself.

use std::io::Write;

use super::{
    arguments::AddArguments,
    queue::{check_dependencies, check_workflow, goal_of, placeless},
};
use crate::{
    cli::{exit::Exit, failure::Failure, place::Place},
    handoff::tasks::{self, Format, next_task_id, parse_toml, set_fields, to_toml, write_new},
    model::task::Task,
};

/// Carries it out.
///
/// # Errors
/// The queue is wrong, a field is, or a task of that name is there.
pub(super) fn run(arguments: &AddArguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let place = Place::find()?;
    let queue = tasks::load(&place.root)?;
    let id = arguments.id.clone().unwrap_or_else(|| next_task_id(&queue.ids(), None));
    let goal = goal_of(arguments.fields.goal_file.as_deref())?;
    // Written and read once before there is a file, so that the rules for what people write hold for this too.
    let text = to_toml(&Task::new(id.clone(), arguments.title.trim()));
    let text = set_fields(&text, "", Format::Toml, &arguments.fields.given(goal)).map_err(|p| placeless(vec![p]))?;
    let task = parse_toml(&text, "", &id).map_err(placeless)?;
    check_dependencies(&queue, &task)?;
    check_workflow(&place.root, &task)?;
    let file = write_new(&place.root, &task, Format::Toml)?;
    writeln!(out, "{id}  {}", file.display())?;
    Ok(Exit::Done)
}
