//! `start` and `resume`: the run.
//! Knows nothing of the loop; it says what is selected and shows what is told.

use std::io::Write;

use super::{
    exit::Exit, failure::Failure, listening::listen, logging, place::project, progress::Progress, terminal::Terminal,
};
use crate::{
    config::parse::JOBS_MAX,
    model::{
        money::{Money, NotMoney},
        task::TaskId,
        workflow::PhaseId,
    },
    report::{event::RunEvent, json, look::Ink},
    run::{
        Project, control,
        drive::{self, Options},
        preflight,
        purse::Consent,
    },
    text,
};

/// What `start` and `resume` take.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StartArguments {
    /// Tasks to work on, and what they depend on; none: all
    #[arg(value_name = "TASK")]
    pub tasks: Vec<TaskId>,
    /// Workers; each does one step at a time [default: limits.jobs of the configuration]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(JOBS_MAX)))]
    pub jobs: Option<u32>,
    /// The workflow of tasks that have not begun and name none
    #[arg(short, long, value_name = "NAME")]
    pub workflow: Option<String>,
    /// Stop each task before this phase
    #[arg(long, value_name = "PHASE")]
    pub until: Option<PhaseId>,
    /// Check everything, say what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Print events as JSON, one object a line
    #[arg(long)]
    pub json: bool,
    /// Take up definitions of begun tasks that were edited since
    #[arg(long)]
    pub reload: bool,
    /// What this run may cost, in dollars; goes before the budgets of run, day and month of the configuration
    #[arg(long, value_name = "USD", value_parser = budget)]
    pub budget: Option<Money>,
    /// Ask nothing; begin tasks too that are likely to cost far more than usual
    #[arg(short, long)]
    pub yes: bool,
}

/// Examples under the help of `start`.
pub const START_EXAMPLES: &str = "\
Examples:
  git orchestrate start                    Work on every task, with the configured number of workers
  git orchestrate start --jobs 8 api docs  Work on two tasks and what they depend on
  git orchestrate start --dry-run          Check everything and say what would be done
  git orchestrate start --until gate       Stop each task before its gate
  git orchestrate start --budget 5         Spend at most five dollars in this run
  git orchestrate start --json > events    One JSON object for each thing that happens";

/// Examples under the help of `resume`.
pub const RESUME_EXAMPLES: &str = "\
Examples:
  git orchestrate resume            Go on after a stop, a crash or in a fresh clone
  git orchestrate resume --jobs 2   The same with two workers
  git orchestrate resume api        Go on with what was paused, also in the run that is at work
  git orchestrate resume --budget 5 Go on after the budget was spent, with five dollars more";

/// An amount that can be spent.
fn budget(text: &str) -> Result<Money, String> {
    let money: Money = text.parse().map_err(|error: NotMoney| error.to_string())?;
    if money == Money::ZERO { Err("with nothing to spend, nothing can be done".to_owned()) } else { Ok(money) }
}

/// Runs `start` or `resume`; `command` is which.
///
/// # Errors
/// When the run cannot start.
pub fn run(
    arguments: &StartArguments,
    command: &str,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let project = project()?;
    let options = Options {
        tasks: arguments.tasks.iter().map(ToString::to_string).collect(),
        jobs: arguments.jobs.map(|jobs| jobs as usize),
        workflow: arguments.workflow.clone(),
        until: arguments.until.clone(),
        reload: arguments.reload,
        budget: arguments.budget,
        consent: if arguments.yes { Consent::All } else { Consent::default() },
        command: command.to_owned(),
    };
    if command == "resume" && !arguments.dry_run && go_on(&project, &arguments.tasks, terminal)? {
        return Ok(Exit::Done);
    }
    if arguments.dry_run {
        return rehearse(&project, &options, arguments.json, terminal, out);
    }
    let options = ask_first(&project, options, arguments, terminal)?;
    logging::begin(terminal, Some((&project.local.log(), project.secrets.clone())));
    let signals = listen()?;
    let mut progress = Progress::new(terminal, arguments.json, Box::new(&mut *out));
    let summary = drive::start(&project, &options, &signals, &mut |event| progress.show(event));
    progress.close();
    drop(progress);
    let summary = summary?;
    Ok(summary.end.into())
}

/// Asks of each task that is likely to cost far more than usual whether it may begin. Nobody there: it waits for a word.
fn ask_first(
    project: &Project,
    mut options: Options,
    arguments: &StartArguments,
    terminal: &Terminal,
) -> Result<Options, Failure> {
    if arguments.yes || arguments.json || !terminal.can_ask() {
        return Ok(options);
    }
    let expensive = preflight::expensive(project, &options)?;
    let may = expensive.into_iter().filter(|(id, title, why)| {
        let question = format!("{id}  {}: {why}. Begin it?", text::clean_line(title));
        terminal.ask(&question, false)
    });
    options.consent = Consent::These(may.map(|(id, _, _)| id).collect());
    Ok(options)
}

/// Lets the named tasks go on that were paused. Whether that is all there is to do, for a run is at work.
fn go_on(project: &Project, tasks: &[TaskId], terminal: &Terminal) -> Result<bool, Failure> {
    let paused = control::paused(&project.local);
    let resumed: Vec<TaskId> = tasks.iter().filter(|id| paused.contains(id)).cloned().collect();
    for id in &resumed {
        control::unpause(project, id)?;
    }
    let Some(holder) = control::holder(project)?.filter(|_| !resumed.is_empty()) else { return Ok(false) };
    let names: Vec<String> = resumed.iter().map(ToString::to_string).collect();
    terminal.say(&format!("told pid {} to go on with {}", holder.pid, text::list(&names)));
    Ok(true)
}

fn rehearse(
    project: &Project,
    options: &Options,
    is_json: bool,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let preflight::Rehearsal { tasks, warnings } = preflight::rehearse(project, options)?;
    for warning in &warnings {
        if let RunEvent::Warning { message, hint } = warning {
            terminal.warn(message, hint.as_deref());
        }
    }
    if is_json {
        #[derive(serde::Serialize)]
        struct View {
            tasks: Vec<preflight::Rehearsed>,
        }
        let none = tasks.is_empty();
        json::write(&View { tasks }, out)?;
        return Ok(if none { Exit::NoMatch } else { Exit::Done });
    }
    for task in &tasks {
        let after = if task.after.is_empty() { String::new() } else { format!(", after {}", task.after.join(", ")) };
        let (id, title) = (terminal.out_look().paint(Ink::Strong, task.id.as_str()), text::clean_line(&task.title));
        writeln!(out, "{id}  {title}  ({}, workflow {}{after})", task.state, task.workflow)?;
        for (phase, who) in &task.phases {
            writeln!(out, "    {phase:<16} {}", text::clean_line(who))?;
        }
    }
    if tasks.is_empty() {
        terminal.say("nothing to do: no task is open");
        return Ok(Exit::NoMatch);
    }
    writeln!(out, "\n{}; nothing was started", text::count(tasks.len() as u64, "task"))?;
    Ok(Exit::Done)
}
