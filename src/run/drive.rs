//! The loop: one thread owns all state and reads one channel; workers of a pool make one step each and send what happened.
//! Knows nothing of how a step is made, nor of what is shown to whom.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvError, RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant},
};

use super::{
    Project, RunError, agent_step, control,
    crew::Crew,
    decide,
    early::{self, After, Clash, Clashes, Written},
    foreman::{Dropped, Foreman, Happened, Job, Landing, LandingEnded, Order, Preparation, Redone, Spent},
    gate_step, land_step,
    live::{ParkedAgent, Run},
    parking::Change,
    preflight::{self, Prepared},
    pressure::{Pressure, Reading, Verdict},
    purse::{Consent, Notice},
    setup, view,
    workshop::Workshop,
};
use crate::{
    config::parse::JOBS_MAX,
    model::{checkpoint::TaskState, money::Money, next::What, task::TaskId, workflow::PhaseId},
    report::{
        event::{RunEnd, RunEvent, RunSummary},
        step::{SignatureView, StepView},
        task::{TaskView, Totals},
    },
    sys::{
        clock,
        lock::{self, Lease},
        signal::{StopLevel, StopSignals},
    },
};

/// How often the loop looks for signals and requests while nothing happens.
const TICK: Duration = Duration::from_millis(100);
/// How long nothing has to happen before what workers do is written down at once.
const QUIET: Duration = Duration::from_millis(5);
/// How often what workers do is written down for `status`, and requests are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often load, memory and disk are looked at.
const PRESSURE_EVERY: Duration = Duration::from_secs(5);
/// How long a run waits for room on the disk while it does nothing else, before it ends.
const DISK_WAIT_MAX: Duration = Duration::from_secs(1800);
/// Tasks whose waits are written down for `status`, the first in line; of the others it can tell by itself.
const WAITING_TOLD_MAX: usize = 200;

/// What `start` and `resume` are asked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The tasks; all if none is named.
    pub tasks: Vec<String>,
    /// Workers; else as configured.
    pub jobs: Option<usize>,
    /// The workflow of tasks that have not begun; else as they say.
    pub workflow: Option<String>,
    /// Nothing is started for this phase or after it.
    pub until: Option<PhaseId>,
    /// Take up task files that were edited since their tasks began.
    pub reload: bool,
    /// What this run may cost, whatever the configuration says of runs, days and months.
    pub budget: Option<Money>,
    /// Tasks that may begin however much they are likely to cost.
    pub consent: Consent,
    /// The words of the command, for who finds the lock taken.
    pub command: String,
}

/// What reaches the loop.
enum Event {
    /// A worker, or the landing, has something to say that changes the state.
    Happened(Happened),
    /// Something to show.
    Told(RunEvent),
    /// What tasks have written so far was merged; none: it could not be.
    Looked(Option<(After, Vec<Clash>)>),
    /// So many gates have a worktree, or could not get one.
    Furnished(usize),
}

/// Works on the queue until nothing more can be done.
///
/// # Errors
/// [`RunError`] when it cannot start; what happens to single tasks later is in the summary.
pub fn start(
    project: &Project,
    options: &Options,
    signals: &StopSignals,
    show: &mut dyn FnMut(&RunEvent),
) -> Result<RunSummary, RunError> {
    let begun = Instant::now();
    std::fs::create_dir_all(project.local.root()).map_err(|source| RunError::File {
        path: project.local.root().to_owned(),
        what: "cannot be made",
        source,
    })?;
    let lease = lock::acquire(&project.local.lock(), &options.command)?;
    crate::sys::crash_point::reach("start.locked");
    let (sender, receiver) = channel();
    let tell = {
        let sender = sender.clone();
        Arc::new(move |event| {
            // The loop outlives the workers; a send can only fail when all is over.
            let _ = sender.send(Event::Told(event));
        })
    };
    let Prepared { shop, foreman, warnings } = preflight::prepare(project, options, &lease, tell)?;
    let no_crew = |error| RunError::Preflight { what: format!("no pool of workers: {error}"), hint: None };
    let mut driver = Driver {
        crew: Crew::new(foreman.jobs()).map_err(no_crew)?,
        lease,
        is_gone: false,
        shop: Arc::new(shop),
        foreman,
        sender,
        stop: Stopping::default(),
        pressure: Pressure::default(),
        clashes: Clashes::default(),
        looks: VecDeque::new(),
        furnishing: Furnishing::default(),
        no_disk_since: None,
        steps: 0,
        begun,
        since: clock::now_rfc3339(),
    };
    let summary = driver.run(receiver, signals, show, warnings)?;
    driver.shop.live.end();
    driver.shop.supervisor.tidy();
    if let Err(error) = driver.shop.contexts.count_up() {
        tracing::debug!(%error, "how often context was known is not counted");
    }
    crate::sys::crash_point::reach("start.ended");
    if let Err(error) = project.repository.maintain() {
        tracing::warn!(%error, "the repository was not tidied up");
    }
    drop(driver);
    show(&RunEvent::RunFinished { summary: Box::new(summary.clone()) });
    Ok(summary)
}

/// Who asked the run to stop.
#[derive(Debug, Default)]
struct Stopping {
    level: Option<StopLevel>,
    signal: Option<i32>,
    /// What `stop` asked for.
    asked: Option<StopLevel>,
}

/// How far the worktrees of gates are, which are made while agents think.
#[derive(Debug, Default)]
struct Furnishing {
    /// Whether some are being made.
    is_going_on: bool,
    /// For how many gates they were made.
    done: usize,
}

struct Driver {
    /// Whether the lock is no longer there, nor probably the repository.
    is_gone: bool,
    shop: Arc<Workshop>,
    crew: Crew,
    foreman: Foreman,
    sender: Sender<Event>,
    stop: Stopping,
    pressure: Pressure,
    clashes: Clashes,
    /// What is to be merged to see it, one after another; the first is at it.
    looks: VecDeque<After>,
    furnishing: Furnishing,
    /// Since when there is no room on the disk.
    no_disk_since: Option<Instant>,
    steps: usize,
    begun: Instant,
    since: String,
    lease: Lease,
}

impl Driver {
    fn run(
        &mut self,
        receiver: Receiver<Event>,
        signals: &StopSignals,
        show: &mut dyn FnMut(&RunEvent),
        warnings: Vec<RunEvent>,
    ) -> Result<RunSummary, RunError> {
        show(&RunEvent::RunStarted {
            pid: std::process::id(),
            jobs: self.foreman.jobs() as u32,
            target: self.shop.project.settings.landing.branch.clone(),
            tasks: self.views(),
        });
        warnings.iter().for_each(&mut *show);
        // What an earlier run was told holds on.
        self.write_parked();
        self.look_around(show);
        self.feel_pressure(show);
        let (mut looked, mut felt) = (Instant::now(), Instant::now());
        loop {
            if looked.elapsed() >= LOOK_EVERY {
                self.look_around(show);
                looked = Instant::now();
            }
            if felt.elapsed() >= PRESSURE_EVERY {
                self.feel_pressure(show);
                felt = Instant::now();
            }
            self.heed(signals, show);
            for order in self.foreman.orders(clock::now()) {
                self.carry_out(order, show);
            }
            self.furnish();
            self.tell_news(show);
            let waits = self.foreman.wakes_at().is_some() || self.waits_for_disk();
            if !self.foreman.is_busy() && (self.stop.level.is_some() || self.is_gone || !waits) {
                break;
            }
            let wait = if self.shop.live.is_behind() { QUIET } else { TICK };
            match receiver.recv_timeout(wait) {
                Ok(event) => self.take_in(event, show),
                Err(RecvTimeoutError::Timeout) => {
                    self.look_around(show);
                    looked = Instant::now();
                }
                Err(RecvTimeoutError::Disconnected) => unreachable!("BUG: the driver holds a sender itself"),
            }
            while let Ok(event) = receiver.try_recv() {
                self.take_in(event, show);
            }
        }
        if self.furnishing.is_going_on {
            self.shop.cancel.cancel();
            while self.furnishing.is_going_on {
                match receiver.recv() {
                    Ok(event) => self.take_in(event, show),
                    Err(RecvError) => unreachable!("BUG: the driver holds a sender itself"),
                }
            }
        }
        if self.is_gone {
            return Err(RunError::LockGone { path: self.shop.project.local.lock() });
        }
        self.look_around(show);
        Ok(self.summary())
    }

    /// Writes down what is done, and reads what `stop`, `pause` and `jobs` may have left in files.
    fn look_around(&mut self, show: &mut dyn FnMut(&RunEvent)) {
        self.write_run();
        self.shop.live.flush();
        let local = &self.shop.project.local;
        if !self.is_gone && !self.lease.is_at(&local.lock()) {
            // What is being made could not be kept, and another run could begin beside this one.
            self.is_gone = true;
            self.foreman.stop();
            self.shop.cancel.cancel();
        }
        self.stop.asked = decide::stop_request(local);
        self.foreman.pause(control::paused(local));
        self.heed_jobs(show);
    }

    /// Has more or fewer workers, if somebody asked for it.
    fn heed_jobs(&mut self, show: &mut dyn FnMut(&RunEvent)) {
        let asked = control::jobs_request(&self.shop.project.local).map(|jobs| jobs.clamp(1, JOBS_MAX as usize));
        if let Some(jobs) = asked.filter(|jobs| *jobs != self.foreman.jobs()) {
            if let Err(error) = self.crew.grow(jobs) {
                // Who has nobody to make it waits for a worker; nothing is lost.
                tracing::warn!(%error, "there are no more workers");
            }
            self.foreman.set_jobs(jobs);
            show(&RunEvent::Workers { jobs: jobs as u32, now: self.foreman.jobs_now().0 as u32, why: None });
        }
    }

    /// Lets fewer work while the machine is pressed, and gives idle worktrees back where the disk is full.
    fn feel_pressure(&mut self, show: &mut dyn FnMut(&RunEvent)) {
        let (jobs, busy) = (self.foreman.jobs(), self.foreman.busy());
        let (project, before) = (&self.shop.project, self.foreman.jobs_now().0);
        let limits = &project.settings.limits;
        let mut verdict = self.pressure.look(Reading::take(&project.worktrees_dir()), limits, jobs, busy);
        if let Verdict::NoDisk(_) = verdict {
            for message in self.shop.give_back(limits.disk_free_bytes) {
                show(&RunEvent::Warning { message, hint: None });
            }
            verdict = self.pressure.look(Reading::take(&project.worktrees_dir()), limits, jobs, busy);
        }
        self.no_disk_since = match verdict {
            Verdict::NoDisk(_) => self.no_disk_since.or_else(|| Some(Instant::now())),
            Verdict::Easy | Verdict::Fewer(..) => None,
        };
        self.foreman.set_fewer(match verdict {
            Verdict::Easy => None,
            Verdict::Fewer(most, why) => Some((most, why)),
            Verdict::NoDisk(why) => Some((0, why)),
        });
        let (now, why) = self.foreman.jobs_now();
        if now != before {
            let why = why.map(str::to_owned);
            show(&RunEvent::Workers { jobs: jobs as u32, now: now as u32, why });
        }
    }

    /// Whether the run is still to wait for room on the disk.
    fn waits_for_disk(&self) -> bool {
        self.no_disk_since.is_some_and(|since| since.elapsed() < DISK_WAIT_MAX)
    }

    /// Signals, and requests of `stop`.
    fn heed(&mut self, signals: &StopSignals, show: &mut dyn FnMut(&RunEvent)) {
        let asked = self.stop.asked.unwrap_or(StopLevel::None);
        let level = signals.level().max(asked);
        if level <= self.stop.level.unwrap_or(StopLevel::None) {
            return;
        }
        let reason = if signals.level() == level { "interrupted" } else { "git orchestrate stop" };
        self.stop.level = Some(level);
        self.stop.signal = signals.last_signal();
        self.foreman.stop();
        if level == StopLevel::Now {
            self.shop.cancel.cancel();
        }
        show(&RunEvent::Stopping { reason: reason.to_owned(), now: level == StopLevel::Now });
    }

    fn carry_out(&self, order: Order, show: &mut dyn FnMut(&RunEvent)) {
        let (shop, sender) = (self.shop.clone(), self.sender.clone());
        match order {
            Order::Step(job) => {
                let (agent, model) = match (&job.agent, &job.work.what) {
                    (Some(agent), _) => {
                        (agent.clone(), shop.agents.get(agent).and_then(|agent| agent.model().map(str::to_owned)))
                    }
                    (None, What::Gate { profile }) => (profile.clone(), None),
                    (None, What::Agent { .. } | What::Land) => unreachable!("BUG: such a job names its agent"),
                };
                show(&RunEvent::StepStarted {
                    slot: job.slot as u32,
                    task: job.task.id.clone(),
                    phase: job.work.phase.clone(),
                    attempt: job.work.attempt,
                    agent,
                    model,
                });
                self.crew.spawn(move || {
                    let happened = step(&shop, &job);
                    shop.live.idle(job.slot);
                    let _ = sender.send(Event::Happened(happened));
                });
            }
            Order::Prepare(preparation) => self.crew.spawn(move || prepare(&shop, &preparation, &sender)),
            Order::Land { batch, redone } => self.crew.spawn(move || land(&shop, batch, redone, &sender)),
        }
    }

    fn take_in(&mut self, event: Event, show: &mut dyn FnMut(&RunEvent)) {
        let happened = match event {
            Event::Told(told) => return show(&told),
            Event::Looked(found) => {
                let new = found.map(|(after, found)| self.clashes.take_in(&after, found));
                for clash in new.into_iter().flatten() {
                    tracing::info!("{}", clash.told());
                }
                self.looks.pop_front();
                return self.look_on();
            }
            Event::Furnished(gates) => {
                self.furnishing = Furnishing { is_going_on: false, done: gates };
                return;
            }
            Event::Happened(happened) => happened,
        };
        self.foreman.absorb(&happened);
        match happened {
            Happened::Committed { slot, tip, record, .. } => {
                self.steps += 1;
                let step = StepView::new(&record, Some(tip), SignatureView::Unchecked);
                show(&RunEvent::StepFinished { slot: slot.map(|slot| slot as u32), step: Box::new(step) });
                self.show_task(&record.task, show);
                self.look_for_clashes(After::Step(record.task.clone()));
            }
            Happened::Dropped { slot, task, phase, why, agent: _, cost: _ } => {
                let reason = match &why {
                    Dropped::Cancelled => "stopped".to_owned(),
                    Dropped::Parked { reason, .. } | Dropped::Broken(reason) => reason.clone(),
                };
                show(&RunEvent::StepDropped { slot: slot as u32, task: task.clone(), phase, reason: reason.clone() });
                if let Dropped::Parked { agent, .. } = why {
                    let parked = self.foreman.parking().parked().get(&agent);
                    let until = parked.and_then(|parked| jiff::Timestamp::try_from(parked.until?).ok());
                    let policy = self.shop.project.settings.quota_policy(&agent);
                    show(&RunEvent::Parked { agent, until, reason, policy });
                    self.write_parked();
                }
                self.show_task(&task, show);
            }
            Happened::Landed { tasks, tip } => {
                for task in tasks {
                    let branch = self.shop.project.settings.landing.branch.clone();
                    show(&RunEvent::Landed { task: task.clone(), branch, commit: tip });
                    self.show_task(&task, show);
                    self.clashes.forget(&task);
                }
                self.look_for_clashes(After::Landing);
            }
            Happened::LandingEnded(ended) => {
                if let Some(message) = ended.problem {
                    show(&RunEvent::Warning { message, hint: Some("git orchestrate doctor".to_owned()) });
                }
            }
            Happened::Prepared => {}
        }
    }

    /// Has a worktree made for the gate of each task that is worked on.
    fn furnish(&mut self) {
        let is_wanted = self.stop.level.is_none() && self.no_disk_since.is_none() && self.foreman.until().is_none();
        let gates = self.foreman.gates_ahead();
        if !is_wanted || self.furnishing.is_going_on || gates <= self.furnishing.done {
            return;
        }
        self.furnishing.is_going_on = true;
        let (shop, sender, tip) = (self.shop.clone(), self.sender.clone(), self.foreman.integration());
        self.crew.spawn(move || {
            match catch_unwind(AssertUnwindSafe(|| setup::ahead(&shop, tip, gates))) {
                Ok(Ok(())) => {}
                // The gate's step meets it again and tells it.
                Ok(Err(error)) => tracing::debug!(%error, "no worktrees for the gates yet"),
                Err(_) => tracing::warn!("BUG: making worktrees for the gates panicked"),
            }
            // The loop waits for it.
            let _ = sender.send(Event::Furnished(gates));
        });
    }

    /// Has what tasks have written so far merged, beside everything else.
    fn look_for_clashes(&mut self, after: After) {
        self.looks.push_back(after);
        if self.looks.len() == 1 {
            self.look_on();
        }
    }

    /// Merges what is first to be merged.
    fn look_on(&self) {
        let Some(after) = self.looks.front().cloned() else { return };
        let written: Vec<Written> = self.foreman.written().collect();
        let (shop, sender, tip) = (self.shop.clone(), self.sender.clone(), self.foreman.integration());
        self.crew.spawn(move || {
            let looked =
                catch_unwind(AssertUnwindSafe(|| early::look(&shop.project.repository, tip, &written, &after)));
            let found = match looked {
                Ok(Ok(found)) => Some((after, found)),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "what was written so far cannot be merged");
                    None
                }
                Err(_) => {
                    tracing::warn!("BUG: merging what was written so far panicked");
                    None
                }
            };
            // After the end of the run nobody needs to be warned.
            let _ = sender.send(Event::Looked(found));
        });
    }

    /// Shows what time and money brought.
    fn tell_news(&mut self, show: &mut dyn FnMut(&RunEvent)) {
        let (notices, changes) = self.foreman.take_news();
        for Notice { message, hint } in notices {
            show(&RunEvent::Warning { message, hint });
        }
        if changes.is_empty() {
            return;
        }
        for change in changes {
            show(&match change {
                Change::Unparked(agent) => RunEvent::Unparked { agent },
                Change::Quiet(until) => RunEvent::Quiet { until: jiff::Timestamp::try_from(until).ok() },
                Change::Loud => RunEvent::Quiet { until: None },
            });
        }
        self.write_parked();
    }

    fn show_task(&self, id: &TaskId, show: &mut dyn FnMut(&RunEvent)) {
        if let Some(entry) = self.foreman.entry(id) {
            show(&RunEvent::TaskChanged { task: Box::new(view::of_entry(&self.foreman, entry)) });
        }
    }

    fn views(&self) -> Vec<TaskView> {
        let selected = self.foreman.entries().filter(|entry| entry.selected);
        selected.map(|entry| view::of_entry(&self.foreman, entry)).collect()
    }

    fn write_run(&self) {
        let waiting = self.foreman.waiting(WAITING_TOLD_MAX);
        let [money, _, _] = self.foreman.money();
        let (jobs_now, why_fewer) = self.foreman.jobs_now();
        self.shop.live.run(Run {
            pid: std::process::id(),
            since: self.since.clone(),
            jobs: self.foreman.jobs(),
            jobs_now,
            why_fewer: why_fewer.map(str::to_owned),
            clashes: self.clashes.all().to_vec(),
            waiting,
            spent_usd: money.spent,
            reserved_usd: money.reserved,
            budget_usd: money.limit,
        });
    }

    fn write_parked(&self) {
        let parking = self.foreman.parking();
        let parked = parking.parked().iter().map(|(agent, parked)| ParkedAgent {
            agent: agent.clone(),
            until: parked.until.map(clock::to_rfc3339).unwrap_or_default(),
            reason: parked.reason.clone(),
            policy: parked.policy,
            streak: parking.streak(agent),
        });
        self.shop.live.parked(&parked.collect::<Vec<_>>());
    }

    fn summary(&self) -> RunSummary {
        let tasks = self.views();
        let spent = self.foreman.spent();
        let end = self.end(&tasks, spent.as_ref());
        let why = spent.as_ref().filter(|_| end == RunEnd::Spent).map(ToString::to_string);
        RunSummary {
            end,
            why,
            money: view::money(&self.foreman),
            context: view::cached(self.shop.contexts.counts()),
            totals: Totals::of(&tasks),
            steps: self.steps,
            elapsed_ms: self.begun.elapsed().as_millis() as u64,
            next: view::next_commands(&self.shop.project, end, &tasks, spent.as_ref()),
            tasks,
        }
    }

    fn end(&self, tasks: &[TaskView], spent: Option<&Spent>) -> RunEnd {
        let any = |state| tasks.iter().any(|task| task.state == state);
        match (self.stop.level, self.stop.signal) {
            (Some(_), Some(signal)) => return RunEnd::Interrupted { signal },
            (Some(_), None) => return RunEnd::Stopped,
            (None, _) => {}
        }
        if tasks.is_empty() {
            RunEnd::NothingMatched
        } else if spent.is_some() {
            RunEnd::Spent
        } else if self.foreman.entries().any(|entry| entry.selected && entry.broken.is_some()) {
            RunEnd::Failed
        } else if any(TaskState::Held) {
            RunEnd::Held
        } else if any(TaskState::Aborted) {
            RunEnd::Failed
        } else if self.foreman.until().is_none() && !tasks.iter().all(|task| task.state == TaskState::Landed) {
            RunEnd::Held
        } else {
            RunEnd::Done
        }
    }
}

/// One step, whatever happens in it.
fn step(shop: &Workshop, job: &Job) -> Happened {
    let made = catch_unwind(AssertUnwindSafe(|| match &job.work.what {
        What::Agent { .. } => agent_step::make(shop, job),
        What::Gate { profile } => gate_step::make(shop, job, profile).map(agent_step::Made::from),
        What::Land => unreachable!("BUG: a landing is not a worker's step"),
    }));
    let made = made
        .unwrap_or_else(|_| Err(RunError::WorkerPanicked { task: job.task.id.clone(), phase: job.work.phase.clone() }));
    let why = match made {
        Ok(agent_step::Made::Committed(committed)) => {
            return Happened::Committed {
                slot: Some(job.slot),
                checkpoint: Box::new(committed.checkpoint),
                tip: committed.tip,
                record: Box::new(committed.record),
            };
        }
        Ok(agent_step::Made::Dropped(why)) => why,
        Err(error) => Dropped::Broken(error.to_string()),
    };
    let (task, phase) = (job.task.id.clone(), job.work.phase.clone());
    // What was never asked cost nothing.
    let cost = Some(shop.spending.take_ended(job.slot).unwrap_or_default());
    Happened::Dropped { slot: job.slot, task, phase, agent: job.agent.clone(), why, cost }
}

/// What goes wrong here goes wrong again, and is told, when its turn comes.
fn prepare(shop: &Workshop, preparation: &Preparation, sender: &Sender<Event>) {
    match catch_unwind(AssertUnwindSafe(|| land_step::prepare(shop, preparation))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the next batch could not be prepared"),
        Err(_) => tracing::warn!("BUG: preparing the next batch panicked"),
    }
    let _ = sender.send(Event::Happened(Happened::Prepared));
}

fn land(shop: &Workshop, batch: Vec<Landing>, redone: Redone, sender: &Sender<Event>) {
    let left: Vec<TaskId> = batch.iter().map(|landing| landing.task.id.clone()).collect();
    let mut send = |happened| {
        let _ = sender.send(Event::Happened(happened));
    };
    let ended = catch_unwind(AssertUnwindSafe(|| land_step::make(shop, batch, redone, &mut send)));
    let failed = |problem| LandingEnded { left, problem: Some(problem), ..LandingEnded::default() };
    let ended = match ended {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) => failed(format!("landing failed: {error}")),
        Err(_) => failed("BUG: the landing panicked".to_owned()),
    };
    send(Happened::LandingEnded(ended));
}
