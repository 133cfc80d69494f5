//! One task with all that is known of it.
//! Knows nothing of where it is read.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    definition::{self, heading, write_text},
    gate::check_line,
    look::{Ink, Look},
    table::{self, Cell, numbers, words},
    task::{TaskView, word},
};
use crate::{
    model::{
        checkpoint::{Checkpoint, Spent, TaskState},
        machine::State,
        money::Money,
        object::CommitId,
        plan::Plan,
        record::GateVerdict,
        task::Task,
        workflow::PhaseId,
    },
    text,
};

/// One phase of a task.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseView {
    /// Its name.
    pub id: PhaseId,
    /// How far it has come.
    #[serde(serialize_with = "word")]
    pub state: State,
    /// The role or the gate that it is for; none for `land`.
    pub by: Option<String>,
    /// Steps made for it.
    pub attempts: u32,
    /// What they cost, as far as it is known.
    pub cost_usd: Money,
    /// Times that it sent the work back.
    pub rounds: u32,
    /// The last step made for it.
    pub step: Option<u32>,
    /// Why it waits for a person.
    pub held: Option<String>,
    /// What its next attempt must heed, oldest first.
    pub feedback: Vec<String>,
    /// What its last step said of itself.
    pub summary: String,
}

/// One task with all that is known of it.
#[derive(Debug, Clone, Serialize)]
pub struct ShowView {
    /// How it stands.
    #[serde(flatten)]
    pub view: TaskView,
    /// What is wanted.
    pub task: Task,
    /// The workflow that drives it.
    pub workflow: String,
    /// The commit its changes are made on; none before the first step.
    pub base: Option<CommitId>,
    /// Its branch, once there is one.
    pub branch: Option<String>,
    /// What it used up.
    pub spent: Spent,
    /// Its phases; none before the first step.
    pub phases: Vec<PhaseView>,
    /// The plan that is followed.
    pub plan: Option<Plan>,
    /// The newest verdict of a gate.
    pub gate: Option<GateVerdict>,
}

impl ShowView {
    /// What a task's definition and its checkpoint say. `workflow` is for a task that has not begun.
    pub fn new(task: Task, view: TaskView, checkpoint: Option<&Checkpoint>, workflow: &str) -> Self {
        let phases = checkpoint.map(|checkpoint| {
            let phase = |phase: &crate::model::checkpoint::Phase| {
                let spec = checkpoint.spec(&phase.id);
                let role = spec.and_then(|spec| spec.role.as_ref()).map(ToString::to_string);
                // The landing is in the integration branch's history, not in the task's own.
                let is_landed = view.state == TaskState::Landed && phase.id == PhaseId::land();
                PhaseView {
                    id: phase.id.clone(),
                    state: if is_landed { State::Passed } else { phase.state },
                    by: role.or_else(|| spec.and_then(|spec| spec.gate.clone())),
                    attempts: phase.attempts,
                    cost_usd: Money::ZERO,
                    rounds: phase.rounds,
                    step: phase.step,
                    held: Some(phase.held.clone()).filter(|why| !why.is_empty()),
                    feedback: phase.feedback.clone(),
                    summary: phase.summary.clone(),
                }
            };
            checkpoint.phases.iter().map(phase).collect()
        });
        Self {
            view,
            task,
            workflow: checkpoint.map_or_else(|| workflow.to_owned(), |checkpoint| checkpoint.workflow.name.clone()),
            base: checkpoint.map(|checkpoint| checkpoint.base),
            branch: None,
            spent: checkpoint.map(|checkpoint| checkpoint.spent.clone()).unwrap_or_default(),
            phases: phases.unwrap_or_default(),
            plan: checkpoint.and_then(|checkpoint| checkpoint.plan.clone()),
            gate: None,
        }
    }
}

/// Writes it for people.
///
/// # Errors
/// When `out` does not take it.
pub fn write(show: &ShowView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (task, view) = (&show.task, &show.view);
    definition::write_title(task, look, out)?;
    let state = look.paint(Ink::of_task(view.state), view.state.word());
    let why = view.why.as_ref().map(|why| format!(": {}", text::clean_line(why))).unwrap_or_default();
    definition::write_fact("state", &format!("{state}{why}"), look, out)?;
    definition::write_fact("workflow", &show.workflow, look, out)?;
    definition::write_facts(task, look, out)?;
    let tokens = text::tokens(show.spent.tokens.total());
    let spent = format!("{}, {tokens} tokens, {}", text::duration(show.spent.duration()), show.spent.cost_usd);
    for (name, value) in [
        ("branch", show.branch.clone()),
        ("base", show.base.map(|base| base.to_string())),
        ("commit", view.commit.map(|commit| commit.to_string())),
        ("spent", view.commit.is_some().then_some(spent)),
    ] {
        if let Some(value) = value {
            definition::write_fact(name, &value, look, out)?;
        }
    }
    definition::write_texts(task, look, out)?;
    if !show.phases.is_empty() {
        heading("phases", look, out)?;
        let columns = [
            words(""),
            words("PHASE"),
            words("STATE"),
            words("BY"),
            numbers("STEPS"),
            numbers("COST"),
            numbers("ROUNDS"),
            words("WHAT"),
        ];
        let rows: Vec<Vec<Cell>> = show.phases.iter().map(phase_row).collect();
        let (headings, lines) = table::lines(look, &columns, &rows);
        std::iter::once(headings).chain(lines).try_for_each(|line| writeln!(out, "  {line}"))?;
    }
    if let Some(plan) = &show.plan {
        write_text("plan", &plan.summary, look, out)?;
        for step in &plan.steps {
            writeln!(out, "  {}  {}", look.paint(Ink::Strong, &step.id), text::clean_line(&step.title))?;
        }
    }
    for phase in show.phases.iter().filter(|phase| !phase.feedback.is_empty()) {
        heading(&format!("feedback for {}", phase.id), look, out)?;
        for feedback in &phase.feedback {
            text::clean(feedback).lines().try_for_each(|line| writeln!(out, "  {line}"))?;
        }
    }
    if let Some(gate) = &show.gate {
        heading(&format!("gate {}", gate.profile), look, out)?;
        gate.checks.iter().try_for_each(|check| writeln!(out, "  {}", check_line(check, look)))?;
    }
    Ok(())
}

fn phase_row(phase: &PhaseView) -> Vec<Cell> {
    let number = |number: u32| if number > 0 { number.to_string() } else { String::new() };
    vec![
        "".into(),
        phase.id.as_str().into(),
        Cell::new(Ink::of_phase(phase.state), phase.state.word()),
        phase.by.as_deref().unwrap_or_default().into(),
        number(phase.attempts).into(),
        if phase.cost_usd > Money::ZERO { phase.cost_usd.to_string() } else { String::new() }.into(),
        number(phase.rounds).into(),
        phase.held.as_deref().unwrap_or(&phase.summary).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_task_is_shown_by_its_definition() {
        let mut task = Task::new("api".parse().expect("an id"), "Add an API");
        task.acceptance = vec!["it answers".to_owned()];
        let view = TaskView::new(&task, None, None);
        let show = ShowView::new(task, view, None, "standard");
        let mut out = Vec::new();
        write(&show, Look::default(), &mut out).expect("a Vec takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "api  Add an API\n  state      new\n  workflow   standard\n  risk       medium\n  complexity medium\n\
             \nacceptance\n  - it answers\n"
        );
    }
}
