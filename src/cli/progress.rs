//! Shows a run while it goes on: live lines on a terminal, plain lines or JSON elsewhere.
//! Knows nothing of the run but the events it tells; a reader who left does not disturb it.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::{Terminal, Verbosity};
use crate::{
    model::{checkpoint::TaskState, money::Tokens, record::Outcome, task::TaskId, workflow::PhaseId},
    report::{
        event::{RunEvent, write_json},
        look::{Ink, Look},
        run_summary,
        status::meanwhile,
        step::{StepColumns, step_line},
        task::TaskView,
    },
    sys, text,
};

/// How often live lines are drawn anew though nothing happened, so that clocks in them go on.
const TICK: Duration = Duration::from_millis(250);
/// Columns of the bar for the whole.
const BAR_COLUMNS: usize = 24;
/// Phases that must be over before the time left is reckoned from them.
const PACE_PHASES_MIN: usize = 2;

/// In which form a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Finished steps as lines, and live lines below them.
    Live,
    /// Finished steps as lines.
    Plain,
    /// Nothing but warnings.
    Quiet,
    /// Every event as a line of JSON.
    Json,
}

/// One worker's live line.
struct Worker {
    bar: ProgressBar,
    step: Option<WorkerStep>,
}

/// What a worker does.
struct WorkerStep {
    task: TaskId,
    phase: PhaseId,
    agent: String,
    tokens: Tokens,
    last: String,
}

/// A task as far as the whole depends on it.
struct Share {
    state: TaskState,
    done: usize,
    total: usize,
}

/// Shows a run.
pub struct Progress<'a> {
    form: Form,
    terminal: &'a Terminal,
    look: Look,
    out: Box<dyn Write + 'a>,
    is_read: bool,
    lines: MultiProgress,
    whole: ProgressBar,
    workers: Vec<Worker>,
    columns: StepColumns,
    tasks: BTreeMap<TaskId, Share>,
    /// Agents that are parked, and all of them in quiet hours, each in words.
    rests: BTreeMap<Option<String>, String>,
    began: Instant,
    done_before: usize,
}

impl<'a> Progress<'a> {
    /// For a run whose steps are told on `out`. Live lines go to standard error.
    pub fn new(terminal: &'a Terminal, is_json: bool, out: Box<dyn Write + 'a>) -> Self {
        let form = if is_json {
            Form::Json
        } else if terminal.verbosity == Verbosity::Quiet {
            Form::Quiet
        } else if terminal.can_draw() {
            Form::Live
        } else {
            Form::Plain
        };
        let target = match form {
            Form::Live => ProgressDrawTarget::stderr(),
            Form::Plain | Form::Quiet | Form::Json => ProgressDrawTarget::hidden(),
        };
        let lines = MultiProgress::with_draw_target(target);
        let whole = lines.add(ProgressBar::new(0));
        whole.set_style(style(&format!("{{bar:{BAR_COLUMNS}}} {{pos}}/{{len}} phases  {{elapsed}}  {{wide_msg}}")));
        Self {
            form,
            terminal,
            look: terminal.out_look(),
            out,
            is_read: true,
            lines,
            whole,
            workers: Vec::new(),
            columns: StepColumns::default(),
            tasks: BTreeMap::new(),
            rests: BTreeMap::new(),
            began: Instant::now(),
            done_before: 0,
        }
    }

    /// Shows an event.
    pub fn show(&mut self, event: &RunEvent) {
        if self.form == Form::Json {
            let now = jiff::Timestamp::try_from(sys::clock::now()).unwrap_or_default();
            self.write(|out| write_json(event, now, out));
            return;
        }
        match event {
            RunEvent::RunStarted { jobs, tasks, .. } => self.begin(*jobs, tasks),
            RunEvent::TaskChanged { task } => self.change(task),
            RunEvent::StepStarted { slot, task, phase, attempt, agent, model } => {
                let (task, phase) = (task.clone(), phase.clone());
                if self.terminal.verbosity >= Verbosity::Verbose {
                    let by = model.as_ref().map_or_else(|| agent.clone(), |model| format!("{agent} ({model})"));
                    let line = format!("{task}  {phase}  attempt {attempt} by {}", text::clean_line(&by));
                    self.line(&self.look.paint(Ink::Faint, &line));
                }
                let agent = text::clean_line(agent);
                let step = WorkerStep { task, phase, agent, tokens: Tokens::default(), last: String::new() };
                let worker = self.worker(*slot);
                worker.step = Some(step);
                worker.bar.reset_elapsed();
                self.draw(*slot);
            }
            RunEvent::AgentSaid { slot, text } => self.said(*slot, text::clean_line(text), Verbosity::Debug),
            RunEvent::ToolUsed { slot, tool, detail } => {
                self.said(*slot, text::clean_line(&format!("{tool}: {detail}")), Verbosity::Verbose);
            }
            RunEvent::AgentWaiting { slot, reason } => {
                self.said(*slot, text::clean_line(&format!("waits: {reason}")), Verbosity::Verbose);
            }
            RunEvent::TokensUsed { slot, tokens } => {
                if let Some(step) = &mut self.worker(*slot).step {
                    step.tokens = *tokens;
                }
                self.draw(*slot);
            }
            RunEvent::StepFinished { slot, step } => {
                slot.iter().for_each(|slot| self.free(*slot));
                // Told by `Landed`, which knows the branch.
                if step.phase != PhaseId::land() || step.outcome != Outcome::Done {
                    let line = step_line(step, self.look, &mut self.columns);
                    self.line(&line);
                }
            }
            RunEvent::StepDropped { slot, task, phase, reason } => {
                self.free(*slot);
                let line = format!("{task}  {phase}  not made: {}", text::clean_line(reason));
                self.line(&self.look.paint(Ink::Faint, &line));
            }
            RunEvent::Landed { task, branch, commit } => {
                let landed = self.look.paint(Ink::Good, "landed");
                let task = self.look.paint(Ink::Strong, task.as_str());
                self.line(&format!("{task}  {landed} on {}  {}", text::clean_line(branch), commit.short()));
            }
            RunEvent::Parked { agent, until, reason, policy } => {
                let until = until.map(|until| format!(" until {}", sys::clock::format_local(until.into())));
                let until = until.unwrap_or_default();
                let (agent, reason) = (text::clean_line(agent), text::clean_line(reason));
                let meanwhile = meanwhile(*policy);
                self.rests.insert(Some(agent.clone()), format!("{agent} is parked{until}"));
                self.warn(&format!("agent '{agent}' is parked{until}, {meanwhile}: {reason}"), None);
                self.draw_whole();
            }
            RunEvent::Unparked { agent } => {
                let agent = text::clean_line(agent);
                self.rests.remove(&Some(agent.clone()));
                self.line(&format!("agent '{agent}' is asked again"));
                self.draw_whole();
            }
            RunEvent::Workers { jobs, now, why: Some(why) } => {
                self.warn(
                    &format!("{now} of {} may work now: {}", text::count(*jobs, "worker"), text::clean_line(why)),
                    None,
                );
            }
            RunEvent::Workers { jobs, now: _, why: None } => {
                self.line(&format!("{} may work now", text::count(*jobs, "worker")));
            }
            RunEvent::Quiet { until: Some(until) } => {
                let until = sys::clock::format_local((*until).into());
                self.rests.insert(None, format!("quiet until {until}"));
                self.warn(&format!("quiet hours until {until}: no agent's step begins"), None);
                self.draw_whole();
            }
            RunEvent::Quiet { until: None } => {
                self.rests.remove(&None);
                self.line("the quiet hours are over");
                self.draw_whole();
            }
            RunEvent::Warning { message, hint } => self.warn(message, hint.as_deref()),
            RunEvent::Stopping { reason, now } => {
                let how =
                    if *now { "ending the running steps" } else { "waiting for the running steps; again to end them" };
                self.warn(&format!("stopping, {}: {how}", text::clean_line(reason)), None);
            }
            RunEvent::RunFinished { summary } => {
                self.close();
                if self.form != Form::Quiet {
                    let look = self.look;
                    self.write(|out| run_summary::write(summary, look, out));
                }
            }
        }
    }

    /// Takes the live lines away.
    pub fn close(&mut self) {
        self.workers.drain(..).for_each(|worker| worker.bar.finish_and_clear());
        self.whole.finish_and_clear();
    }

    fn begin(&mut self, jobs: u32, tasks: &[TaskView]) {
        tasks.iter().for_each(|task| self.share(task));
        self.done_before = self.tasks.values().map(|share| share.done).sum();
        self.began = Instant::now();
        if jobs > 0 {
            self.worker(jobs - 1);
        }
        if self.form == Form::Live {
            self.whole.enable_steady_tick(TICK);
        }
        self.draw_whole();
    }

    fn change(&mut self, task: &TaskView) {
        let before = self.tasks.get(&task.id).map(|share| share.state);
        self.share(task);
        if task.state == TaskState::Held && before != Some(TaskState::Held) {
            let why = task.why.as_deref().map(text::clean_line).unwrap_or_default();
            let phase = task.phase.as_ref().map_or("", PhaseId::as_str);
            let held = self.look.paint(Ink::Warn, "waits for you");
            let id = self.look.paint(Ink::Strong, task.id.as_str());
            self.line(&format!("{id}  {phase}  {held}: {why}"));
        }
        self.draw_whole();
    }

    fn share(&mut self, task: &TaskView) {
        let share = Share { state: task.state, done: task.done, total: task.total };
        self.tasks.insert(task.id.clone(), share);
    }

    fn said(&mut self, slot: u32, words: String, from: Verbosity) {
        if words.is_empty() {
            return;
        }
        let step = &mut self.worker(slot).step;
        let told = step.as_ref().map(|step| format!("{}  {}  {words}", step.task, step.phase));
        if let Some(step) = step {
            step.last = words;
        }
        if let Some(told) = told.filter(|_| self.terminal.verbosity >= from) {
            self.line(&self.look.paint(Ink::Faint, &told));
        }
        self.draw(slot);
    }

    fn worker(&mut self, slot: u32) -> &mut Worker {
        let slot = slot as usize;
        while self.workers.len() <= slot {
            let bar = self.lines.insert_before(&self.whole, ProgressBar::new_spinner());
            bar.set_style(style("{prefix}{wide_msg}"));
            if self.form == Form::Live {
                bar.enable_steady_tick(TICK);
            }
            self.workers.push(Worker { bar, step: None });
        }
        &mut self.workers[slot]
    }

    fn free(&mut self, slot: u32) {
        self.worker(slot).step = None;
        self.draw(slot);
    }

    fn draw(&mut self, slot: u32) {
        if self.form != Form::Live {
            return;
        }
        let look = self.terminal.err_look();
        let Worker { bar, step } = self.worker(slot);
        let Some(WorkerStep { task, phase, agent, tokens, last }) = step else {
            bar.set_style(style("{wide_msg}"));
            bar.set_message(look.paint(Ink::Faint, "- idle"));
            return;
        };
        let used = if tokens.total() > 0 { format!("  {} tok", text::tokens(tokens.total())) } else { String::new() };
        bar.set_style(style("{spinner} {prefix}  {elapsed:>4}{wide_msg}"));
        bar.set_prefix(format!("{}  {phase}  {agent}", look.paint(Ink::Strong, task.as_str())));
        bar.set_message(format!("{used}  {}", look.paint(Ink::Faint, last)));
    }

    fn draw_whole(&mut self) {
        let begun: Vec<_> = self.tasks.values().filter(|share| share.total > 0).map(|share| share.total).collect();
        // Tasks that have not begun are taken for as long as those that have.
        let usual = if begun.is_empty() { 1 } else { begun.iter().sum::<usize>().div_ceil(begun.len()) };
        let is_over = |share: &Share| match share.state {
            TaskState::Landed | TaskState::Aborted | TaskState::Held => true,
            TaskState::New | TaskState::Waiting | TaskState::Running | TaskState::Finished => false,
        };
        let total_of = |share: &Share| if share.total > 0 { share.total } else { usual };
        let done: usize = self.tasks.values().map(|share| share.done).sum();
        let total: usize = self.tasks.values().map(total_of).sum();
        let left: usize = self.tasks.values().filter(|s| !is_over(s)).map(|s| total_of(s).saturating_sub(s.done)).sum();
        self.whole.set_length(total as u64);
        self.whole.set_position(done as u64);
        let landed = self.tasks.values().filter(|share| share.state == TaskState::Landed).count();
        let mut message = format!("{landed}/{} landed", text::count(self.tasks.len(), "task"));
        if let Some(left) = time_left(self.began.elapsed(), done.saturating_sub(self.done_before), left) {
            message.push_str(&format!("  about {} left", text::duration(left)));
        }
        for rest in self.rests.values() {
            message.push_str(&format!("  {rest}"));
        }
        self.whole.set_message(message);
    }

    fn warn(&mut self, message: &str, hint: Option<&str>) {
        let terminal = self.terminal;
        self.lines.suspend(|| terminal.warn(message, hint));
    }

    fn line(&mut self, line: &str) {
        match self.form {
            Form::Live | Form::Plain => self.write(|out| writeln!(out, "{line}")),
            Form::Quiet | Form::Json => {}
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.is_read {
            let out = &mut self.out;
            let written = self.lines.suspend(|| write(out.as_mut()).and_then(|()| out.flush()));
            self.is_read = written.is_ok();
        }
    }
}

/// How long it still takes at the pace so far; none while that says too little.
fn time_left(elapsed: Duration, phases_done: usize, phases_left: usize) -> Option<Duration> {
    if phases_done < PACE_PHASES_MIN || phases_left == 0 {
        return None;
    }
    let left = elapsed.mul_f64(phases_left as f64 / phases_done as f64);
    Some(Duration::from_secs(left.as_secs().max(1)))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("BUG: the template is one of ours").progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::{
        cli::terminal::Colour,
        model::{record::Outcome, task::Task},
        report::{
            cached::CachedView,
            event::{RunEnd, RunSummary},
            money::MoneyView,
            step::{SignatureView, StepView},
            task::Totals,
        },
    };

    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn events() -> Vec<RunEvent> {
        let task = TaskView::new(&Task::new("api".parse().expect("an id"), "Add an API"), None, None);
        let (id, phase): (TaskId, PhaseId) = (task.id.clone(), "implement".parse().expect("a phase"));
        let step = StepView {
            task: id.clone(),
            seq: 1,
            phase: phase.clone(),
            attempt: 1,
            agent: "claude".to_owned(),
            model: None,
            chosen: String::new(),
            new_base: None,
            outcome: Outcome::Done,
            verdict: None,
            decision: None,
            reason: String::new(),
            summary: String::new(),
            findings: Vec::new(),
            tokens: Tokens::default(),
            cost: None,
            usage: None,
            calls: Vec::new(),
            duration_ms: 2_000,
            started: "2026-01-02T03:04:05Z".to_owned(),
            commit: None,
            signature: SignatureView::Unchecked,
            files: Vec::new(),
            refused: Vec::new(),
            remembered: false,
        };
        let landed = StepView { phase: PhaseId::land(), agent: "land".to_owned(), ..step.clone() };
        let mut held = task.clone();
        (held.state, held.why, held.phase) = (TaskState::Held, Some("rejected".to_owned()), Some(phase.clone()));
        let commit = "0123456789abcdef0123456789abcdef01234567".parse().expect("a commit");
        let summary = RunSummary {
            end: RunEnd::Done,
            why: None,
            money: MoneyView::default(),
            context: CachedView::default(),
            tasks: Vec::new(),
            totals: Totals::default(),
            steps: 2,
            elapsed_ms: 3_000,
            next: vec!["git orchestrate land".to_owned()],
        };
        vec![
            RunEvent::RunStarted { pid: 1, jobs: 1, target: "t".to_owned(), tasks: vec![task] },
            RunEvent::StepStarted {
                slot: 0,
                task: id.clone(),
                phase,
                attempt: 1,
                agent: "claude".to_owned(),
                model: None,
            },
            RunEvent::ToolUsed { slot: 0, tool: "Bash".to_owned(), detail: "ls\u{1b}[2J".to_owned() },
            RunEvent::StepFinished { slot: Some(0), step: Box::new(step) },
            RunEvent::TaskChanged { task: Box::new(held) },
            RunEvent::StepFinished { slot: None, step: Box::new(landed) },
            RunEvent::Landed { task: id, branch: "orchestrate/integration".to_owned(), commit },
            RunEvent::RunFinished { summary: Box::new(summary) },
        ]
    }

    fn shown(verbosity: Verbosity, is_json: bool) -> String {
        let out = Shared::default();
        let terminal = Terminal::new(Colour::Never, verbosity, || false);
        let mut progress = Progress::new(&terminal, is_json, Box::new(out.clone()));
        // Whatever the tests run in, the live lines are not drawn.
        progress.lines.set_draw_target(ProgressDrawTarget::hidden());
        events().iter().for_each(|event| progress.show(event));
        String::from_utf8(out.0.borrow().clone()).expect("it is text")
    }

    #[test]
    fn plain_lines_tell_what_is_over() {
        assert_eq!(
            shown(Verbosity::Normal, false),
            "api  implement  done  claude  2.0s\n\
             api  implement  waits for you: rejected\n\
             api  landed on orchestrate/integration  0123456789\n\
             0 tasks\n\
             done: 2 steps in 3.0s\n\
             next: git orchestrate land\n"
        );
        assert_eq!(shown(Verbosity::Quiet, false), "");
        let all = shown(Verbosity::Verbose, false);
        assert!(all.contains("api  implement  attempt 1 by claude\napi  implement  Bash: ls\n"), "{all}");
    }

    #[test]
    fn json_has_every_event() {
        let lines = shown(Verbosity::Normal, true);
        let names: Vec<_> = lines
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON")["event"].to_string())
            .collect();
        assert_eq!(names.len(), events().len());
        assert_eq!(names[3], "\"step_finished\"");
    }

    #[test]
    fn the_time_left_goes_by_the_pace_so_far() {
        let minute = Duration::from_secs(60);
        assert_eq!(time_left(minute, 1, 9), None, "one phase says too little");
        assert_eq!(time_left(minute, 4, 0), None);
        assert_eq!(time_left(minute, 2, 6), Some(Duration::from_secs(180)));
    }
}
