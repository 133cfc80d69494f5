//! Decides what is done next: holds every task's state, hands out orders, takes in what happened.
//! Knows nothing of threads, repositories or clocks: time is told, orders are carried out by others. The simulation
//! of the tests runs this same code.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::SystemTime,
};

mod ahead;
mod choice;
mod claims;
mod conflicts;
mod entry;
mod files;
mod means;
mod order;
mod waiting;
#[cfg(test)]
mod world;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use self::{ahead::Ahead, claims::Claims, conflicts::Conflicts, means::Means, order::Line};
pub use self::{
    ahead::Preparation,
    conflicts::{LandingEnded, Redone},
    entry::{AtWork, Entry},
    waiting::Spent,
};
use super::{
    learning::Learning,
    parking::{Change, Parking},
    purse::{Asked, Funds, Grant, Notice, Purse},
};
use crate::{
    config::settings::Settings,
    model::{
        checkpoint::{Bounds, Checkpoint},
        money::Money,
        next::{What, Work, World, next},
        object::CommitId,
        record::{Families, Outcome, Record},
        task::{Task, TaskId},
        workflow::{Access, PhaseId},
    },
    plan::{CodeMap, Graph},
    route::{self, NoChoice, Parked, budget::Stand},
};

/// How a run is to go.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Workers.
    pub jobs: usize,
    /// Gates that run at once.
    pub gates_max: usize,
    /// Tasks that are landed as one batch.
    pub batch_max: usize,
    /// Nothing is started for this phase or after it.
    pub until: Option<PhaseId>,
    /// The time zone of days and of hours of the day.
    pub zone: TimeZone,
    /// What decides where chance does.
    pub seed: u64,
}

/// One step to be made.
#[derive(Debug, Clone)]
pub struct Job {
    /// The worker that makes it.
    pub slot: usize,
    /// The task.
    pub task: Arc<Task>,
    /// Its state.
    pub checkpoint: Checkpoint,
    /// The commit of its last step; none before the first.
    pub tip: Option<CommitId>,
    /// What is to be done.
    pub work: Work,
    /// The agent that does it; none for a gate.
    pub agent: Option<String>,
    /// Why that agent; empty for a gate.
    pub chosen: String,
    /// What it may cost; none for a gate.
    pub grant: Option<Grant>,
    /// What the task's changes are made on from this step on; none: what they were made on.
    pub onto: Option<CommitId>,
}

impl Job {
    /// The commit that the task's changes are made on.
    pub fn base(&self) -> CommitId {
        self.onto.unwrap_or(self.checkpoint.base)
    }
}

/// What is to be carried out.
#[derive(Debug, Clone)]
pub enum Order {
    /// A worker makes a step.
    Step(Box<Job>),
    /// Finished tasks are landed.
    Land {
        /// They, in this order.
        batch: Vec<Landing>,
        /// Tasks that are done again after a conflict: who conflicts in the same files is tried after them.
        redone: Redone,
    },
    /// What would land after those that are being landed is judged meanwhile.
    Prepare(Preparation),
}

/// A finished task that is to be landed.
#[derive(Debug, Clone)]
pub struct Landing {
    /// The task.
    pub task: Arc<Task>,
    /// Its state.
    pub checkpoint: Checkpoint,
    /// The commit of its last step.
    pub tip: CommitId,
}

/// Why a worker ended a step without making one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dropped {
    /// The run stops.
    Cancelled,
    /// An agent's quota or rate is used up.
    Parked {
        /// Whose: the agent that was asked, or the one of a hybrid's that was.
        agent: String,
        /// Until when it is not asked, if its provider says so.
        until: Option<SystemTime>,
        /// Why.
        reason: String,
    },
    /// It could not even be recorded. Where it cost nothing it is tried again, else the task is left alone for this run.
    Broken(String),
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Happened {
    /// A step was made and is on the disk.
    Committed {
        /// The worker; none for a step of the landing.
        slot: Option<usize>,
        /// The state after it.
        checkpoint: Box<Checkpoint>,
        /// Its commit.
        tip: CommitId,
        /// Its record.
        record: Box<Record>,
    },
    /// A worker ended a step without making one.
    Dropped {
        /// The worker.
        slot: usize,
        /// The task.
        task: TaskId,
        /// The phase.
        phase: PhaseId,
        /// The agent, if one was asked.
        agent: Option<String>,
        /// Why.
        why: Dropped,
        /// What it cost; none: nobody knows.
        cost: Option<Money>,
    },
    /// Tasks are on the integration branch.
    Landed {
        /// The tasks.
        tasks: Vec<TaskId>,
        /// The branch's new tip.
        tip: CommitId,
    },
    /// What was to be prepared was judged, or could not be.
    Prepared,
    /// The lander is free again.
    LandingEnded(LandingEnded),
}

/// The state of a run.
#[derive(Debug, Clone)]
pub struct Foreman {
    rules: Rules,
    settings: Arc<Settings>,
    families: Arc<BTreeMap<String, Families>>,
    entries: BTreeMap<TaskId, Entry>,
    graph: Graph,
    claims: Claims,
    conflicts: Conflicts,
    line: Line,
    integration: CommitId,
    /// Workers that make a step.
    busy: BTreeSet<usize>,
    means: Means,
    gates_running: usize,
    agents_running: BTreeMap<String, u32>,
    learning: Option<Learning>,
    parking: Parking,
    purse: Purse,
    /// What changed as time went on and was not told yet.
    changes: Vec<Change>,
    /// Why nothing new is started, once an agent's policy was to stop.
    quota_spent: Option<String>,
    /// The time that was last told.
    now: SystemTime,
    /// What is being landed.
    at_landing: Vec<Landing>,
    ahead: Option<Ahead>,
    landing_problems: u32,
    stopping: bool,
    bounds: Bounds,
}

/// Times in a row that a landing may fail for reasons of its own before the run gives up landing.
const LANDING_PROBLEMS_MAX: u32 = 3;
/// Times in a row that a step of a task may not even be recorded before the run leaves it alone.
const BREAKS_MAX: u32 = 3;

impl Foreman {
    /// A run over these tasks, in the order of the queue, with the integration branch at `integration`.
    pub fn new(
        rules: Rules,
        settings: Arc<Settings>,
        families: Arc<BTreeMap<String, Families>>,
        entries: Vec<Entry>,
        integration: CommitId,
    ) -> Self {
        let bounds = bounds(&settings);
        let graph = Graph::new(entries.iter().map(|entry| entry.task.as_ref()));
        let mut foreman = Self {
            line: Line::new(graph.len(), rules.jobs),
            busy: BTreeSet::new(),
            means: Means::default(),
            families,
            graph,
            claims: Claims::new(entries.iter(), CodeMap::default()),
            conflicts: Conflicts::default(),
            entries: entries.into_iter().map(|entry| (entry.task.id.clone(), entry)).collect(),
            integration,
            gates_running: 0,
            agents_running: BTreeMap::new(),
            learning: None,
            parking: Parking::new(rules.seed, rules.zone.clone(), &settings),
            purse: Purse::new(Funds::default(), &settings, []),
            changes: Vec::new(),
            quota_spent: None,
            now: SystemTime::UNIX_EPOCH,
            rules,
            settings,
            at_landing: Vec::new(),
            ahead: None,
            landing_problems: 0,
            stopping: false,
            bounds,
        };
        foreman.line_up();
        foreman
    }

    /// The tasks, by name.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// One task.
    pub fn entry(&self, id: &TaskId) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// One task, to replace what a person edited.
    pub fn reload(&mut self, task: Task) {
        let id = task.id.clone();
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.task = Arc::new(task);
            self.claim_anew(&id);
            self.happened_to(&id);
        }
    }

    /// Agents that are not asked now, and until when all rest.
    pub fn parking(&self) -> &Parking {
        &self.parking
    }

    /// Lets what came of earlier steps decide in which order agents are taken.
    pub fn learn_from(&mut self, learning: Learning) {
        self.learning = Some(learning);
    }

    /// Says what time it is and how many steps each agent does, for one who looks on while another gives the orders.
    pub fn look_on(&mut self, now: SystemTime, agents_running: BTreeMap<String, u32>) {
        self.now = now;
        self.agents_running = agents_running;
        self.parking.tick(now);
    }

    /// Leaves out agents that cannot be used here.
    pub fn leave_out(&mut self, absent: &BTreeSet<String>) {
        Arc::make_mut(&mut self.families).retain(|name, _| !absent.contains(name));
    }

    /// The families of the agents that can be used.
    pub fn families(&self) -> &BTreeMap<String, Families> {
        &self.families
    }

    /// Parks an agent, as an earlier run left it.
    pub fn park(&mut self, agent: String, until: SystemTime, reason: String, streak: u32) {
        let policy = self.settings.quota_policy(&agent);
        self.parking.restore(agent, Parked { until: Some(until), reason, policy }, streak);
    }

    /// Gives the run its money, at that time.
    pub fn fund(&mut self, funds: Funds, now: SystemTime) {
        self.now = now;
        let new = self
            .entries
            .values()
            .filter(|entry| entry.checkpoint.is_none() && entry.workflow.is_some() && entry.selected && !entry.landed);
        let new = new.map(|entry| (entry.task.as_ref(), self.checkpoint(entry)));
        self.purse = Purse::new(funds, &self.settings, new);
        self.purse.warn(None, self.today());
    }

    /// The day that it is, by the calendar of the run's time zone.
    pub fn today(&self) -> Date {
        let now = Timestamp::try_from(self.now).unwrap_or_default();
        now.to_zoned(self.rules.zone.clone()).date()
    }

    /// How the budgets of the run, of today and of this month stand.
    pub fn money(&self) -> [Stand; 3] {
        self.purse.stands(self.today())
    }

    /// What a person should hear, and what changed as time went on; told once.
    pub fn take_news(&mut self) -> (Vec<Notice>, Vec<Change>) {
        (self.purse.take_notices(), std::mem::take(&mut self.changes))
    }

    /// Workers.
    pub fn jobs(&self) -> usize {
        self.rules.jobs
    }

    /// The phase before which the run stops.
    pub fn until(&self) -> Option<&PhaseId> {
        self.rules.until.as_ref()
    }

    /// The tip of the integration branch.
    pub fn integration(&self) -> CommitId {
        self.integration
    }

    /// Nothing new is started from now on.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Whether something is being done.
    pub fn is_busy(&self) -> bool {
        !self.at_landing.is_empty() || self.is_preparing() || !self.busy.is_empty()
    }

    /// What is to be carried out now. Every order is taken to be carried out: call it once, act, and report back.
    pub fn orders(&mut self, now: SystemTime) -> Vec<Order> {
        self.now = now;
        let changes = self.parking.tick(now);
        if !changes.is_empty() {
            self.line.has_news();
        }
        let is_looked = self.line.takes_a_look(now);
        self.changes.extend(changes);
        let mut orders = Vec::new();
        if self.stopping || self.quota_spent.is_some() || !is_looked {
            return orders;
        }
        orders.extend(self.landing());
        orders.extend(self.in_order());
        orders.extend(self.prepare());
        orders
    }

    fn landing(&mut self) -> Option<Order> {
        let is_last = self.rules.until.as_ref().is_some_and(|until| *until == PhaseId::land());
        if !self.at_landing.is_empty() || is_last || self.landing_problems >= LANDING_PROBLEMS_MAX {
            return None;
        }
        let batch = match self.take_prepared() {
            Some(prepared) => prepared,
            None => self.next_batch(self.rules.batch_max.max(1)),
        };
        if !self.take_for_landing(&batch) {
            self.put_back(&batch);
            return None;
        }
        self.at_landing.clone_from(&batch);
        (!batch.is_empty()).then(|| Order::Land { batch, redone: self.redone() })
    }

    fn steps(&mut self, id: &TaskId) -> Vec<Order> {
        let Some(entry) = self.entries.get(id) else { return Vec::new() };
        if self.why_paused(entry).is_some() {
            return Vec::new();
        }
        // Before its first step a task has nothing to put two steps on.
        let first = entry.checkpoint.is_none();
        let rests =
            first && (!entry.running.is_empty() || !self.unmet(entry).is_empty() || self.unusual(entry).is_some());
        if !rests && self.is_crowded_out(entry) {
            return Vec::new();
        }
        if !rests && self.overlap(entry).is_some() {
            self.is_blocked(id);
            return Vec::new();
        }
        if !rests && self.yields(entry).is_some() {
            return Vec::new();
        }
        let works = if rests { Vec::new() } else { self.next(entry).work };
        if works.iter().all(|work| work.what == What::Land) {
            self.rests(id);
            return Vec::new();
        }
        let (works, _) = self.in_turn(entry, works);
        let checkpoint = self.checkpoint(entry);
        let (task, tip) = (entry.task.clone(), entry.tip);
        let mut orders = Vec::new();
        // Whether all that is in the way is that others are at it.
        let mut is_crowded = first;
        for work in works {
            let Some(entry) = self.entries.get(id) else { break };
            let takes = self.takes(&task, &work.what);
            if !self.has_room() || self.lacks(&takes).is_some() {
                is_crowded &= self.has_room();
                break;
            }
            let (agent, chosen, grant) = match &work.what {
                What::Land => continue,
                What::Gate { .. } if self.gates_running >= self.rules.gates_max => continue,
                What::Gate { .. } => (None, String::new(), None),
                What::Agent { role, except, .. } => match self.choose(entry, &work, role, except) {
                    Ok(_) if self.parking.quiet_until().is_some() => {
                        is_crowded = false;
                        continue;
                    }
                    Ok(choice) => {
                        let (settings, today) = (self.settings.clone(), self.today());
                        let asked = Asked { task: &task, checkpoint: &checkpoint, role, agent: &choice.agent };
                        let Ok(grant) = self.purse.reserve(&settings, &asked, &work.phase, today) else {
                            is_crowded = false;
                            continue;
                        };
                        (Some(choice.agent), choice.why, Some(grant))
                    }
                    Err(NoChoice::Stopped { agent, reason, .. }) => {
                        self.quota_spent = Some(format!("agent '{agent}' is parked, and then the run stops: {reason}"));
                        return orders;
                    }
                    Err(NoChoice::ForGood { .. } | NoChoice::ForNow { .. }) => {
                        is_crowded &= self.are_all_taken(entry, role);
                        continue;
                    }
                },
            };
            let slot = self.take_worker();
            self.take(&takes);
            match &agent {
                Some(agent) => *self.agents_running.entry(agent.clone()).or_default() += 1,
                None => self.gates_running += 1,
            }
            if let Some(entry) = self.entries.get_mut(id) {
                entry.running.insert(work.phase.clone(), AtWork { slot, agent: agent.clone(), takes });
            }
            let (task, checkpoint) = (task.clone(), checkpoint.clone());
            let onto = self.onto(&checkpoint, &work.phase);
            let job = Job { slot, task, checkpoint, tip, work, agent, chosen, grant, onto };
            orders.push(Order::Step(Box::new(job)));
            if first {
                self.begins(id);
                self.happened_to(id);
                break;
            }
        }
        if is_crowded && orders.is_empty() {
            self.crowds_out(id);
        }
        orders
    }

    /// A task's state: that of its last step, or that in which it would begin.
    pub fn checkpoint(&self, entry: &Entry) -> Checkpoint {
        entry.checkpoint.clone().unwrap_or_else(|| {
            let workflow = entry.workflow.as_ref().expect("BUG: a task that may begin has its workflow");
            Checkpoint::begin(&entry.task, workflow.as_ref().clone(), self.integration, self.bounds.clone())
        })
    }

    /// What `next` says of a task in this run.
    pub fn next(&self, entry: &Entry) -> crate::model::next::Next {
        match &entry.checkpoint {
            Some(checkpoint) => self.next_of(entry, checkpoint),
            None => self.next_of(entry, &self.checkpoint(entry)),
        }
    }

    fn next_of(&self, entry: &Entry, checkpoint: &Checkpoint) -> crate::model::next::Next {
        let roles = checkpoint.workflow.phases.iter().filter_map(|spec| spec.role.clone());
        let families = roles.map(|role| {
            let candidates = route::candidates(&self.settings, &role, &entry.task);
            let families = candidates.iter().filter_map(|agent| self.families.get(agent).cloned()).collect();
            (role, families)
        });
        let world = World {
            running: entry.running.keys().cloned().collect(),
            families: families.collect(),
            until: self.rules.until.clone(),
        };
        next(checkpoint, &world)
    }

    /// Dependencies whose result is not yet on the integration branch.
    fn unmet<'a>(&self, entry: &'a Entry) -> Vec<&'a TaskId> {
        let met = |id: &TaskId| self.entries.get(id).is_some_and(|entry| entry.landed);
        if entry.checkpoint.is_some() {
            // It began when they had landed.
            return Vec::new();
        }
        entry.task.depends_on.iter().filter(|id| !met(id)).collect()
    }

    /// Takes in what happened.
    pub fn absorb(&mut self, happened: &Happened) {
        self.line.has_news();
        match happened {
            Happened::Committed { slot, checkpoint, tip, record } => {
                self.release(*slot, &record.task, &record.phase);
                if let (Some(learning), Some(entry)) = (&mut self.learning, self.entries.get(&record.task)) {
                    learning.take_in(&entry.task, checkpoint, record);
                }
                if record.outcome != Outcome::Infra {
                    self.parking.did_a_step(record.actor.name());
                }
                self.purse.made(record, checkpoint, self.today());
                if let Some(entry) = self.entries.get_mut(&record.task) {
                    entry.breaks = 0;
                    // Two steps of one task may be told in the wrong order; the repository has the right one.
                    if record.phase == PhaseId::land() {
                        entry.landing = false;
                    }
                    if entry.checkpoint.as_ref().is_none_or(|known| known.seq < checkpoint.seq) {
                        let before = entry.checkpoint.replace(checkpoint.as_ref().clone());
                        entry.tip = Some(*tip);
                        self.claim_grows(&record.task, before.as_ref());
                    }
                }
                self.learned(record, checkpoint);
                self.happened_to(&record.task);
            }
            Happened::Dropped { slot, task, phase, agent, why, cost } => {
                self.release(Some(*slot), task, phase);
                if agent.is_some() {
                    self.purse.dropped(task, phase, *cost, self.today());
                }
                match why {
                    Dropped::Cancelled => {}
                    Dropped::Parked { agent, until, reason } => {
                        self.parking.park(&self.settings, agent, *until, reason, self.now);
                    }
                    Dropped::Broken(why) => {
                        if let Some(entry) = self.entries.get_mut(task) {
                            entry.breaks += 1;
                            if *cost != Some(Money::ZERO) || entry.breaks >= BREAKS_MAX {
                                entry.broken = Some(why.clone());
                            }
                        }
                    }
                }
                self.happened_to(task);
            }
            Happened::Landed { tasks, tip } => {
                self.integration = *tip;
                self.landing_problems = 0;
                self.ahead_of_landed(tasks);
                for id in tasks {
                    if let Some(entry) = self.entries.get_mut(id) {
                        entry.landed = true;
                        entry.landing = false;
                    }
                    self.conflicts.has_landed(id);
                    self.has_landed(id);
                }
            }
            Happened::Prepared => self.was_prepared(),
            Happened::LandingEnded(ended) => {
                self.at_landing.clear();
                self.ahead_of_ended();
                self.give_back_from_landing();
                self.conflicts.take_in(ended);
                for id in &ended.left {
                    if let Some(entry) = self.entries.get_mut(id) {
                        entry.landing = false;
                    }
                }
                if ended.problem.is_some() {
                    self.landing_problems += 1;
                }
            }
        }
    }

    fn release(&mut self, slot: Option<usize>, task: &TaskId, phase: &PhaseId) {
        let Some(slot) = slot else { return };
        let at_work = self.entries.get_mut(task).and_then(|entry| entry.running.remove(phase));
        if let Some(AtWork { agent, takes, .. }) = at_work {
            self.give_back(&takes);
            match agent {
                Some(agent) => {
                    let running = self.agents_running.entry(agent).or_default();
                    *running = running.saturating_sub(1);
                }
                None => self.gates_running = self.gates_running.saturating_sub(1),
            }
        }
        self.busy.remove(&slot);
    }
}

/// What bounds a task that begins, as configured.
pub fn bounds(settings: &Settings) -> Bounds {
    let limits = &settings.limits;
    Bounds {
        attempts_max: limits.attempts,
        infra_max: limits.infra,
        land_rounds_max: limits.land_rounds,
        budget_usd: settings.budget.task_usd,
        timeout: limits.task_timeout,
    }
}

/// What a worker may do to the files for a piece of work.
pub fn access(work: &Work) -> Access {
    match &work.what {
        What::Agent { access, .. } => *access,
        What::Gate { .. } | What::Land => Access::Read,
    }
}
