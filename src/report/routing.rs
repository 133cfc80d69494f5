//! Who is asked for the phases of a task, and why.
//! Knows nothing of how that is decided.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use super::{
    look::{Ink, Look},
    table::{self, Cell, numbers, words},
};
use crate::{
    model::{money::Money, task::TaskId, workflow::PhaseId},
    text,
};

/// The rule that named an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleView {
    /// `route 1`, `role 'planner'`, `usual route 3`.
    pub name: String,
    /// Its file and line.
    pub place: String,
    /// Whether it is of the table that is compiled in.
    #[serde(rename = "built_in")]
    pub is_built_in: bool,
}

/// What earlier steps say of an agent's chance of success, for such work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChanceView {
    /// Steps that it stands on, each counted by its age.
    pub weight: f64,
    /// The expected chance, 0 to 1.
    pub mean: f64,
    /// The true one is above this with four of five.
    pub lower: f64,
    /// What a success costs, the steps that fail and the reviews among it; none: not known.
    pub cost_per_success_usd: Option<Money>,
    /// All of it for people.
    pub text: String,
}

/// What history says of an agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryView {
    /// Steps in this role that were judged.
    pub steps: u32,
    /// None: too few.
    pub chance: Option<ChanceView>,
}

/// One agent that a rule names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateView {
    /// Its name.
    pub agent: String,
    /// The model it is asked for; none: the program's own choice.
    pub model: Option<String>,
    /// The family of its model; none: it cannot be used here.
    pub family: Option<String>,
    /// Who named it.
    pub rule: RuleView,
    /// Whether it comes into play only where nobody of the lists before ever may.
    #[serde(rename = "fallback")]
    pub is_fallback: bool,
    /// Whether it is the one.
    #[serde(rename = "taken")]
    pub is_taken: bool,
    /// What a step of this role is likely to cost with it.
    pub estimate_usd: Money,
    /// Why it cannot do it now; none: it could.
    pub against: Option<String>,
    /// What earlier steps say.
    pub history: HistoryView,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseRoute {
    /// The phase.
    pub phase: PhaseId,
    /// The role that an agent plays in it.
    pub role: String,
    /// The attempt that would be next, from 1.
    pub attempt: u32,
    /// The agent; none: nobody can now.
    pub agent: Option<String>,
    /// Why this one, or why nobody.
    pub why: String,
    /// Why it would not begin now: quiet hours, or a budget that does not suffice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// The first rule that matches.
    pub rule: RuleView,
    /// Why history put them in this order, where it was asked.
    pub learned: Option<String>,
    /// Families that may not, as they wrote what is reviewed.
    pub authors: Vec<String>,
    /// Whether that is only what is expected: it is not yet written.
    pub authors_are_expected: bool,
    /// All that could be asked, in order.
    pub candidates: Vec<CandidateView>,
}

/// A task's phases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouteView {
    /// The task.
    pub task: TaskId,
    /// One line for people.
    pub title: String,
    /// Who decides the order: `rules` or `learned`.
    pub mode: &'static str,
    /// The phases that an agent plays and that are not over, in order.
    pub phases: Vec<PhaseRoute>,
    /// The agents of each tier, where the table that is compiled in counted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tiers: BTreeMap<String, Vec<String>>,
}

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// A line a phase.
    #[default]
    Lines,
    /// Every candidate, with what speaks against it and what history says.
    Full,
}

/// Writes it for people. `usual` is the table that is compiled in, shown in full where it counted.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &RouteView, detail: Detail, usual: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if view.phases.is_empty() {
        return writeln!(out, "no phase of '{}' is left for an agent", view.task);
    }
    match detail {
        Detail::Lines => {
            let columns = [words("PHASE"), words("ROLE"), words("AGENT"), words("WHY")];
            let rows: Vec<Vec<Cell>> = view.phases.iter().map(row).collect();
            table::write(out, look, &columns, &rows)
        }
        Detail::Full => {
            let title = text::clean_line(&view.title);
            writeln!(out, "{}  {title}  (routing: {})", look.paint(Ink::Strong, view.task.as_str()), view.mode)?;
            view.phases.iter().try_for_each(|phase| write_phase(phase, look, out))?;
            if !view.tiers.is_empty() {
                let tier = |(name, agents): (&String, &Vec<String>)| format!("{name}: {}", agents.join(", "));
                let tiers: Vec<String> = view.tiers.iter().map(tier).collect();
                writeln!(out, "\nthe configuration names nobody for such a role, so a table that is built in counts")?;
                writeln!(out, "its tiers here  {}", tiers.join("; "))?;
                writeln!(out, "{}", look.paint(Ink::Faint, usual.trim_end()))?;
            }
            Ok(())
        }
    }
}

fn row(phase: &PhaseRoute) -> Vec<Cell> {
    let agent = match &phase.agent {
        Some(agent) => Cell::new(Ink::Strong, agent),
        None => Cell::new(Ink::Warn, "nobody"),
    };
    vec![phase.phase.as_str().into(), phase.role.as_str().into(), agent, phase.why.as_str().into()]
}

fn write_phase(phase: &PhaseRoute, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let agent = phase.agent.as_deref().unwrap_or("nobody");
    let ink = if phase.agent.is_some() { Ink::Good } else { Ink::Warn };
    let attempt = if phase.attempt > 1 { format!(", attempt {}", phase.attempt) } else { String::new() };
    writeln!(
        out,
        "\n{}  {}{attempt}: {}",
        look.paint(Ink::Strong, phase.phase.as_str()),
        text::clean_line(&phase.role),
        look.paint(ink, &text::clean_line(agent))
    )?;
    let mut told =
        |name: &str, what: &str| writeln!(out, "  {} {}", look.paint(Ink::Faint, name), text::clean_line(what));
    told("rule   ", &format!("{} at {}", phase.rule.name, phase.rule.place))?;
    told("why    ", &phase.why)?;
    if let Some(waits) = &phase.waits {
        told("but    ", waits)?;
    }
    if let Some(learned) = &phase.learned {
        told("learned", learned)?;
    }
    if !phase.authors.is_empty() {
        let expected = if phase.authors_are_expected { ", as is expected" } else { "" };
        told("authors", &format!("{}{expected}", phase.authors.join(", ")))?;
    }
    let columns = [
        words(""),
        words("AGENT"),
        words("MODEL"),
        words("FAMILY"),
        words("NAMED BY"),
        numbers("ABOUT"),
        words("NOW"),
        words("HISTORY"),
    ];
    let rows: Vec<Vec<Cell>> = phase.candidates.iter().map(candidate_row).collect();
    let (headings, lines) = table::lines(look, &columns, &rows);
    std::iter::once(headings).chain(lines).try_for_each(|line| writeln!(out, "  {line}"))
}

fn candidate_row(candidate: &CandidateView) -> Vec<Cell> {
    let now = match (&candidate.against, candidate.is_taken) {
        (Some(why), _) => Cell::new(Ink::Warn, why),
        (None, true) => Cell::new(Ink::Good, "taken"),
        (None, false) if candidate.is_fallback => "only if none before it ever may".into(),
        (None, false) => "could".into(),
    };
    let history = match &candidate.history {
        HistoryView { chance: Some(chance), .. } => chance.text.clone(),
        HistoryView { steps: 0, .. } => "none".to_owned(),
        HistoryView { steps, .. } => format!("too little: {}", text::count(*steps, "step")),
    };
    vec![
        if candidate.is_taken { "*" } else { " " }.into(),
        Cell::new(if candidate.is_taken { Ink::Strong } else { Ink::Plain }, &candidate.agent),
        candidate.model.as_deref().unwrap_or_default().into(),
        candidate.family.as_deref().unwrap_or_default().into(),
        candidate.rule.name.as_str().into(),
        candidate.estimate_usd.to_string().into(),
        now,
        history.into(),
    ]
}
