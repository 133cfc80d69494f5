//! `review`: what waits for a person, and the person's decision.
//! Knows nothing of how a decision is carried out.

use std::io::{Read, Write};

use super::{
    exit::Exit,
    failure::{Complaint, Failure, Level},
    place::project,
    terminal::Terminal,
};
use crate::{
    model::{checkpoint::TaskState, record::Decision, task::TaskId, workflow::PhaseId},
    report::{
        json,
        review::{Decided, DecidedView, Left, ReviewItem, ReviewView},
    },
    run::{Project, RunError, commit::Committed, decide, queue, view},
    text,
};

/// Bytes of advice that are read from standard input.
const FEEDBACK_BYTES_MAX: u64 = 64 << 10;

/// What `review` takes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(group(clap::ArgGroup::new("decision").requires("whom")))]
#[command(group(clap::ArgGroup::new("whom")))]
pub struct ReviewArguments {
    /// The task; none: show all that waits
    #[arg(value_name = "TASK", group = "whom")]
    pub task: Option<TaskId>,
    /// The phase, where more than one of the task waits
    #[arg(value_name = "PHASE")]
    pub phase: Option<PhaseId>,
    /// Overrule the review: the phase counts as passed
    #[arg(long, group = "decision")]
    pub approve: bool,
    /// Try again with this advice; - reads it from standard input
    #[arg(long, value_name = "TEXT", group = "decision")]
    pub feedback: Option<String>,
    /// Try again as it is
    #[arg(long, group = "decision")]
    pub retry: bool,
    /// Pass over the phase
    #[arg(long, group = "decision")]
    pub skip: bool,
    /// Give up the task
    #[arg(long, group = "decision")]
    pub abort: bool,
    /// Decide for all that waits
    #[arg(long, group = "whom")]
    pub all: bool,
    /// Of all, only what waits for a reason with this text in it
    #[arg(long, value_name = "TEXT", requires = "all", conflicts_with = "task")]
    pub why: Option<String>,
    /// Only say what would be decided
    #[arg(long, requires = "all", requires = "decision", conflicts_with = "task")]
    pub dry_run: bool,
    /// Approve, skip or abort all without a question
    #[arg(long, requires = "all", requires = "decision", conflicts_with = "task")]
    pub yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate review                        What waits for you, why, and what to type
  git orchestrate review api --approve          Overrule the review
  git orchestrate review api --feedback \"Keep the old flag as an alias\"
  git orchestrate review api gate --retry       Try the gate again
  git orchestrate review api --abort            Give up the task
  git orchestrate review --all --retry          Try all again that waits
  git orchestrate review --all --why \"no program\" --retry
                                                Try again what waits for that reason";

impl ReviewArguments {
    /// Whether something that waits is among those that were meant.
    fn is_meant(&self, item: &ReviewItem) -> bool {
        let wanted = self.why.as_deref().unwrap_or_default().to_lowercase();
        item.why.to_lowercase().contains(&wanted)
    }

    /// The decision that was given; `read_feedback` is asked for the advice where it is `-`.
    ///
    /// # Errors
    /// When the advice cannot be read.
    pub fn decision(
        &self,
        read_feedback: impl FnOnce() -> std::io::Result<String>,
    ) -> std::io::Result<Option<Decision>> {
        Ok(match &self.feedback {
            Some(dash) if dash == "-" => Some(Decision::Retry { feedback: read_feedback()? }),
            Some(feedback) => Some(Decision::Retry { feedback: feedback.clone() }),
            None if self.approve => Some(Decision::Approve),
            None if self.retry => Some(Decision::Retry { feedback: String::new() }),
            None if self.skip => Some(Decision::Skip),
            None if self.abort => Some(Decision::Abort { reason: String::new() }),
            None => None,
        })
    }
}

/// Writes the view in the form that was asked for.
///
/// # Errors
/// When `out` does not take it.
pub fn show(
    arguments: &ReviewArguments,
    view: &ReviewView,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if arguments.json {
        json::write(view, out)?;
    } else {
        crate::report::review::write(view, terminal.out_look(), out)?;
    }
    Ok(())
}

/// Runs `review`.
///
/// # Errors
/// When nothing waits there, or the decision does not fit.
pub fn run(arguments: &ReviewArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let project = project()?;
    let decision = arguments.decision(|| {
        let mut text = String::new();
        std::io::stdin().take(FEEDBACK_BYTES_MAX).read_to_string(&mut text).map(|_| text)
    })?;
    let names: Vec<String> = arguments.task.iter().map(ToString::to_string).collect();
    let Some(decision) = decision else {
        let mut view = view::review(&project, &names)?;
        let were = view.items.len();
        view.items.retain(|item| arguments.is_meant(item));
        if view.items.is_empty() && were > 0 {
            return Err(nothing_waits_so());
        }
        show(arguments, &view, terminal, out)?;
        return Ok(if view.items.is_empty() { Exit::Done } else { Exit::Person });
    };
    let Some(task) = &arguments.task else {
        return decide_all(&project, arguments, &decision, terminal, out);
    };
    let queue = queue::load(&project)?;
    let queued = queue::find(&queue, task.as_str())?;
    let money = match decision {
        Decision::Approve => view::money_needed(&project, &queue, queued),
        Decision::Retry { .. } | Decision::Skip | Decision::Allow { .. } | Decision::Abort { .. } => None,
    };
    let why = queued.checkpoint.as_ref().and_then(|checkpoint| {
        let phase = decide::phase(queued, arguments.phase.as_ref(), &decision).ok()?;
        Some(checkpoint.phase(&phase)?.held.clone())
    });
    let committed = match money {
        Some(usd) => decide::allow(&project, &queue, queued, usd)?,
        None => decide::decide(&project, queued, arguments.phase.as_ref(), decision)?,
    };
    let noted = noted(&committed, why.unwrap_or_default(), terminal);
    if noted.state.is_some_and(goes_on) {
        terminal.hint("git orchestrate resume");
    }
    if arguments.json {
        json::write(&DecidedView { decided: vec![noted], ..DecidedView::default() }, out)?;
    }
    Ok(Exit::Done)
}

/// Decides for everything that waits and was meant.
fn decide_all(
    project: &Project,
    arguments: &ReviewArguments,
    decision: &Decision,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut view = DecidedView { dry_run: arguments.dry_run, ..DecidedView::default() };
    let all = view::review(project, &[])?.items;
    let were = all.len();
    let meant: Vec<ReviewItem> = all.into_iter().filter(|item| arguments.is_meant(item)).collect();
    if meant.is_empty() && were > 0 {
        return Err(nothing_waits_so());
    }
    if meant.is_empty() {
        terminal.say("nothing waits for a person");
    }
    let (option, does) = words(decision);
    let (fit, unfit): (Vec<_>, Vec<_>) = meant.into_iter().partition(|item| item.offers(option));
    for item in unfit {
        let because = format!("'{option}' is not for this phase: it waits because {}", first_line(&item.why));
        view.left.push(Left { task: item.task, phase: item.phase, because });
    }
    if !fit.is_empty() {
        terminal.say(&format!("{} to {does}:", text::count(fit.len() as u64, "phase")));
        for item in &fit {
            terminal.say(&format!("  {} {}: {}", item.task, item.phase, first_line(&item.why)));
        }
    }
    if arguments.dry_run {
        view.decided = fit.into_iter().map(|item| planned(&item)).collect();
        return finish(arguments, &view, false, terminal, out);
    }
    let is_final = !matches!(decision, Decision::Retry { .. });
    if is_final && !fit.is_empty() && !arguments.yes && !terminal.ask("Decide so for all of them?", false) {
        terminal.warn("nothing was decided", Some("look at the list above, then: the same with --yes"));
        return Ok(Exit::Person);
    }
    let mut queue = queue::load(project)?;
    let mut has_failed = false;
    for item in fit {
        let at = queue.iter().position(|queued| queued.task.id == item.task);
        let Some(at) = at else { continue };
        let done = match item.money {
            Some(usd) => decide::allow(project, &queue, &queue[at], usd),
            None => decide::decide(project, &queue[at], Some(&item.phase), decision.clone()),
        };
        match done {
            Ok(committed) => {
                view.decided.push(noted(&committed, item.why, terminal));
                // The next phase of the same task is decided on top.
                (queue[at].tip, queue[at].checkpoint) = (Some(committed.tip), Some(committed.checkpoint));
            }
            Err(error @ RunError::HeldBy(_)) => return Err(error.into()),
            Err(error) => {
                has_failed = true;
                terminal.complain(&Complaint {
                    level: Level::Error,
                    message: format!("{} {}: {error}", item.task, item.phase),
                    hint: error.hint(),
                });
                view.left.push(Left { task: item.task, phase: item.phase, because: error.to_string() });
            }
        }
    }
    finish(arguments, &view, has_failed, terminal, out)
}

/// Says what is left, and how it ends.
fn finish(
    arguments: &ReviewArguments,
    view: &DecidedView,
    has_failed: bool,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    if !view.left.is_empty() {
        terminal.say(&format!("{} still to decide:", text::count(view.left.len() as u64, "phase")));
        for left in &view.left {
            terminal.say(&format!("  {} {}: {}", left.task, left.phase, left.because));
        }
    }
    if view.decided.iter().any(|decided| decided.state.is_some_and(goes_on)) {
        terminal.hint("git orchestrate resume");
    }
    if arguments.json {
        json::write(view, out)?;
    }
    Ok(match (has_failed, view.left.is_empty()) {
        (true, _) => Exit::No,
        (false, false) => Exit::Person,
        (false, true) => Exit::Done,
    })
}

/// The option of a decision, and what it does to a phase.
fn words(decision: &Decision) -> (&'static str, &'static str) {
    match decision {
        Decision::Approve => ("--approve", "approve"),
        Decision::Retry { feedback } if feedback.is_empty() => ("--retry", "try again"),
        Decision::Retry { .. } => ("--feedback", "try again with your advice"),
        Decision::Skip => ("--skip", "pass over"),
        Decision::Abort { .. } => ("--abort", "give up, and their tasks with them"),
        Decision::Allow { .. } => ("--approve", "let cost more"),
    }
}

fn planned(item: &ReviewItem) -> Decided {
    Decided { task: item.task.clone(), phase: item.phase.clone(), why: item.why.clone(), commit: None, state: None }
}

/// Says what was written down.
fn noted(committed: &Committed, why: String, terminal: &Terminal) -> Decided {
    let state = committed.checkpoint.state();
    let (task, phase) = (committed.record.task.clone(), committed.record.phase.clone());
    terminal.say(&format!("{task}: noted at {phase} in commit {}; it is now {state}", committed.tip.short()));
    Decided { task, phase, why, commit: Some(committed.tip), state: Some(state) }
}

fn goes_on(state: TaskState) -> bool {
    matches!(state, TaskState::New | TaskState::Running | TaskState::Finished)
}

fn first_line(why: &str) -> String {
    text::clean_line(why.lines().next().unwrap_or_default())
}

fn nothing_waits_so() -> Failure {
    let hint = "git orchestrate review".to_owned();
    Failure::fatal("nothing waits for a reason with that text in it", hint).exiting(Exit::NoMatch)
}
