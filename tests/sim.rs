//! The real model and the real foreman in a simulated world: a seed makes tasks, agents, faults, crashes and time.
//! Knows nothing of repositories or processes: the branch of a task is a list of records, and what is in the list is
//! all that survives a crash.
//!
//! A failing seed is printed with the command that repeats it: `SIM_SEED=<n> cargo test --test sim`.
//! `SIM_SEEDS=<count>` tries more of them.

#![expect(clippy::print_stderr, reason = "a failing seed is told with the command that repeats it")]

#[path = "sim/bank.rs"]
mod bank;
#[path = "sim/dice.rs"]
mod dice;
#[path = "sim/idle.rs"]
mod idle;
#[path = "sim/schedule.rs"]
mod schedule;
#[path = "sim/shapes.rs"]
mod shapes;
#[path = "sim/yard.rs"]
mod yard;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bank::{Bank, InCheckpoint, Running};
use dice::Dice;
use git_orchestrate::{
    config::settings::{QuotaPolicy, RoutingMode, Settings},
    model::{
        apply::apply,
        checkpoint::{Bounds, Checkpoint, TaskState},
        money::Money,
        next::What,
        object::{CommitId, TreeId},
        plan::{Plan, PlanStep},
        record::{Actor, Document, Families, Family, Outcome, Record},
        task::{Task, TaskId},
        verdict::{RequiredChange, Status, Verdict},
        workflow::{Access, PhaseId, PhaseSpec, Workflow},
    },
    route::history::History,
    run::foreman::{Dropped, Entry, Foreman, Happened, Job, Landing, LandingEnded, Order, Redone, Rules, Spent},
    run::learning::Learning,
};
use jiff::tz::TimeZone;

/// Steps after which a world that is still busy is taken to run for ever.
const STEPS_MAX: u32 = 20_000;
/// Landings in a row that fail for reasons of their own before a run lands no more.
const LANDING_PROBLEMS_MAX: u32 = 3;
/// Seeds that the usual test run tries.
const SEEDS_DEFAULT: u64 = 300;

const SETTINGS: &str = r#"
[agents.anna]
adapter = "claude"
family = "one"
model = "claude-haiku-4-5"
[agents.bert]
adapter = "claude"
family = "two"
[agents.dora]
adapter = "command"
program = "dora"
family = "three"
[agents.hera]
adapter = "openai"
model = "over-http"
family = "four"
[agents.cleo]
adapter = "command"
program = "cleo"
family = "two"
parallel_max = 1
[roles]
default = ["anna", "bert", "cleo"]
implementer = ["bert", "hera", "dora", "anna"]
code-reviewer = ["cleo", "hera", "bert", "anna", "dora"]
plan-reviewer = ["bert", "anna"]
[prices.over-http]
input = 2.0
output = 12.0
cache_read = 0.2
cache_write = 2.5
"#;

/// Hours in which no agent's step begins, in a quarter of the worlds.
const QUIET_HOURS: &str = "22:00-07:00";
/// The seconds of the day that are not among them.
const QUIET_SECONDS: std::ops::Range<u64> = 7 * 3600..22 * 3600;

const STANDARD: &str = include_str!("../src/handoff/workflows/standard.toml");
const SINGLE: &str = include_str!("../src/handoff/workflows/single.toml");
const TRACKS: &str = r#"
name = "tracks"
[[phase]]
id = "backend"
role = "implementer"
[[phase]]
id = "frontend"
role = "implementer"
[[phase]]
id = "code-review"
role = "code-reviewer"
needs = ["backend", "frontend"]
reviews = "frontend"
[[phase]]
id = "gate"
gate = "full"
needs = ["code-review"]
on_fail = "backend"
max_rounds = 1
"#;

/// What a crash leaves: the branches and the integration branch.
struct Disk {
    branches: BTreeMap<TaskId, Vec<Checkpoint>>,
    landed: BTreeMap<TaskId, u32>,
    integration: CommitId,
    commits: u64,
}

struct World {
    dice: Dice,
    bank: Bank,
    /// Agents whose providers named the moment they are back, as a run wrote it down.
    parked: BTreeMap<String, (SystemTime, u32)>,
    /// Who wrote what stands there, by the records alone.
    wrote: BTreeMap<(TaskId, PhaseId), Family>,
    /// The moments that providers named.
    walls: BTreeMap<String, SystemTime>,
    tasks: Vec<(Arc<Task>, Arc<Workflow>)>,
    disk: Disk,
    settings: Arc<Settings>,
    families: Arc<BTreeMap<String, Families>>,
    now: SystemTime,
    trace: Vec<String>,
    /// Landings in a row of this run that failed for reasons of their own: after some it lands no more.
    landing_problems: u32,
    /// Gates that run at once.
    gates_max: usize,
    /// Whether tasks are paused now and then, and nothing but what `idle` knows keeps workers from work.
    pauses: bool,
}

fn commit(n: u64) -> CommitId {
    format!("{n:040x}").parse().expect("hex")
}

fn tree(n: u64) -> TreeId {
    format!("{n:040x}").parse().expect("hex")
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut settings: Settings = toml::from_str(SETTINGS).expect("settings");
        bank::budgets(&mut settings, &mut dice);
        settings.quota.policy = [QuotaPolicy::Switch, QuotaPolicy::Wait, QuotaPolicy::Stop][dice.below(3) as usize];
        if dice.one_in(4) {
            settings.quota.quiet_hours = QUIET_HOURS.parse().ok();
        }
        if dice.one_in(3) {
            settings.routing.mode = RoutingMode::Learned;
        }
        let families = settings.agents.iter();
        let families =
            families.filter_map(|(name, agent)| Some((name.clone(), [agent.family.clone()?].into()))).collect();
        let workflows = [STANDARD, SINGLE, SINGLE, TRACKS]
            .map(|text| Arc::new(toml::from_str::<Workflow>(text).expect("a workflow")));
        let count = 1 + dice.below(9);
        let tasks = (0..count).map(|i| {
            let mut task = Task::new(format!("t{i}").parse().expect("an id"), format!("Task {i}"));
            task.priority = dice.below(3) as i32;
            // Only on earlier ones, so that there is no circle.
            task.depends_on =
                (0..i).filter(|_| dice.one_in(4)).map(|on| format!("t{on}").parse().expect("an id")).collect();
            if dice.one_in(4) {
                task.files = vec![format!("src/{}.rs", dice.below(2))];
            }
            (Arc::new(task), workflows[dice.below(4) as usize].clone())
        });
        let tasks = tasks.collect();
        Self {
            tasks,
            dice,
            bank: Bank::default(),
            parked: BTreeMap::new(),
            wrote: BTreeMap::new(),
            walls: BTreeMap::new(),
            disk: Disk { branches: BTreeMap::new(), landed: BTreeMap::new(), integration: commit(1), commits: 1 },
            settings: Arc::new(settings),
            families: Arc::new(families),
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000),
            trace: Vec::new(),
            landing_problems: 0,
            gates_max: 1,
            pauses: false,
        }
    }

    /// A run that begins on what is on the disk.
    fn foreman(&mut self, given: Option<Money>) -> Foreman {
        self.landing_problems = 0;
        let entries = self.tasks.iter().map(|(task, workflow)| {
            let checkpoint = self.disk.branches.get(&task.id).and_then(|steps| steps.last()).cloned();
            Entry {
                tip: checkpoint.as_ref().map(|checkpoint| commit(1000 + u64::from(checkpoint.seq))),
                checkpoint,
                landed: self.disk.landed.contains_key(&task.id),
                ..Entry::new(task.clone(), Some(workflow.clone()))
            }
        });
        self.gates_max = 1 + self.dice.below(2) as usize;
        let rules = Rules {
            jobs: if self.dice.one_in(2) { 8 } else { 1 + self.dice.below(7) as usize },
            gates_max: self.gates_max,
            batch_max: 1 + self.dice.below(4) as usize,
            until: None,
            zone: TimeZone::UTC,
            seed: self.dice.below(u64::MAX),
        };
        let entries = entries.collect();
        let mut foreman =
            Foreman::new(rules, self.settings.clone(), self.families.clone(), entries, self.disk.integration);
        for (agent, (until, streak)) in self.parked.iter().filter(|(_, (until, _))| *until > self.now) {
            foreman.park(agent.clone(), *until, "an earlier run".to_owned(), *streak);
        }
        foreman.fund(self.bank.begin(&self.settings, given), self.now);
        if self.settings.routing.mode == RoutingMode::Learned {
            foreman.learn_from(Learning::new(&self.settings, &History::new([])));
        }
        foreman
    }

    fn record(&mut self, job: &Job) -> Record {
        let mut record = self.blank(job);
        let spec = job.checkpoint.spec(&job.work.phase).expect("a phase of the workflow");
        let verdict = |status, what: &str| {
            let change = RequiredChange { what: what.to_owned(), place: "src/a.rs:1".to_owned(), why: "A1".to_owned() };
            Document::Verdict(Verdict {
                status,
                scores: BTreeMap::new(),
                required_changes: if status == Status::NeedsChanges { vec![change] } else { Vec::new() },
                suggestions: Vec::new(),
                criteria: Vec::new(),
                summary: "no".to_owned(),
            })
        };
        let roll = self.dice.below(20);
        record.outcome = match (&job.work.what, roll) {
            (_, 0) => Outcome::Infra,
            (What::Agent { .. }, _) if spec.reviews.is_some() => match roll {
                1..=4 => {
                    let what = format!("finding {}", self.dice.below(3));
                    record.document = Some(verdict(Status::NeedsChanges, &what));
                    Outcome::Changes
                }
                5 => {
                    record.document = Some(verdict(Status::Rejected, ""));
                    Outcome::Rejected
                }
                _ => {
                    record.document = Some(verdict(Status::Approved, ""));
                    Outcome::Done
                }
            },
            (_, 1..=5) => Outcome::Failed,
            (What::Agent { .. }, _) if spec.produces.is_some() => {
                let count = 1 + self.dice.below(3);
                let mut step = |i| PlanStep {
                    id: format!("S{i}"),
                    title: format!("Step {i}"),
                    detail: String::new(),
                    files: (0..self.dice.below(2)).map(|_| format!("src/{}.rs", self.dice.below(4))).collect(),
                    acceptance: Vec::new(),
                };
                let steps = (1..=count).map(&mut step).collect();
                record.document = Some(Document::Plan(Plan { summary: format!("{roll}"), steps }));
                Outcome::Done
            }
            (What::Agent { .. } | What::Gate { .. } | What::Land, _) => Outcome::Done,
        };
        record.reason = format!("roll {roll}");
        record.feedback = record.reason.clone();
        record
    }

    fn blank(&mut self, job: &Job) -> Record {
        let cost = job.agent.as_ref().map(|_| bank::cost(&self.settings, job, &mut self.dice));
        // Who counts on no budget need not know what everything costs.
        let cost = cost.filter(|_| Bank::is_limited(&self.settings) || !self.dice.one_in(6));
        let actor = match (&job.agent, &job.work.what) {
            (Some(agent), _) => Actor::Agent {
                name: agent.clone(),
                adapter: "command".to_owned(),
                version: None,
                model: None,
                family: self.families[agent].first().expect("a family").clone(),
            },
            (None, What::Gate { profile }) => Actor::Gate { profile: profile.clone() },
            (None, What::Agent { .. } | What::Land) => Actor::Land,
        };
        let (task, phase) = (job.task.id.clone(), job.work.phase.clone());
        let code = tree(self.dice.below(1000));
        let mut record = Record::begin(task, phase, actor, job.checkpoint.base, code, String::new());
        record.attempt = job.work.attempt;
        record.role = match &job.work.what {
            What::Agent { role, .. } => Some(role.0.clone()),
            What::Gate { .. } | What::Land => None,
        };
        record.chosen.clone_from(&job.chosen);
        record.duration_ms = 1;
        record.cost_usd = cost;
        record
    }

    /// What a worker's commit does: applies the record to the branch as it is now.
    fn commit(&mut self, slot: Option<usize>, begun: &Checkpoint, mut record: Record) -> Happened {
        let steps = self.disk.branches.entry(record.task.clone()).or_default();
        let before = steps.last().unwrap_or(begun).clone();
        record.seq = before.seq + 1;
        let after = apply(&before, &record).unwrap_or_else(|why| panic!("{}: {why}", record.phase));
        assert_eq!(after.seq as usize, steps.len() + 1, "a step was lost or done twice");
        steps.push(after.clone());
        self.disk.commits += 1;
        self.trace.push(format!("{} {} {} {}", record.task, record.seq, record.phase, record.outcome));
        if let (Actor::Agent { family, .. }, Outcome::Done) = (&record.actor, record.outcome) {
            self.wrote.insert((record.task.clone(), record.phase.clone()), family.clone());
        }
        Happened::Committed {
            slot,
            tip: commit(1000 + u64::from(after.seq)),
            checkpoint: Box::new(after),
            record: Box::new(record),
        }
    }

    fn end_step(&mut self, job: &Job, began: SystemTime) -> Happened {
        let (task, agent) = (job.task.id.clone(), job.agent.clone());
        if let Some(name) = job.agent.as_ref().filter(|_| self.dice.one_in(12)) {
            let until = self.dice.one_in(2).then(|| self.now + Duration::from_secs(self.dice.below(9000)));
            if let Some(until) = until {
                let wall = self.walls.entry(name.clone()).or_insert(until);
                *wall = until.max(*wall);
            }
            let cost = bank::cost(&self.settings, job, &mut self.dice);
            self.bank.spend(began, &task, cost, InCheckpoint::No);
            self.trace.push(format!("{name} is parked until {until:?} after {cost}"));
            let (slot, phase) = (job.slot, job.work.phase.clone());
            let why = Dropped::Parked { agent: name.clone(), until, reason: "quota".to_owned() };
            return Happened::Dropped { slot, task, phase, agent, why, cost: Some(cost) };
        }
        let record = self.record(job);
        self.bank.note(&record);
        if let Some(cost) = record.cost_usd {
            self.bank.spend(began, &task, cost, InCheckpoint::Yes);
        }
        self.commit(Some(job.slot), &job.checkpoint, record)
    }

    fn end_landing(&mut self, batch: &[Landing], redone: &Redone) -> Vec<Happened> {
        let mut happened = Vec::new();
        let mut ended = LandingEnded::default();
        for landing in batch {
            let id = landing.task.id.clone();
            match self.dice.below(10) {
                // Most conflicts are in the same file.
                0 if self.dice.below(4) > 0
                    && let Some(first) = redone.keys().chain(ended.sent_back.keys()).find(|first| **first != id) =>
                {
                    self.trace.push(format!("{id} lands after {first}"));
                    ended.behind.insert(id.clone(), first.clone());
                    ended.left.push(id);
                }
                0 => {
                    ended.sent_back.insert(id.clone(), vec!["shared".to_owned()]);
                    let work = git_orchestrate::model::next::Work {
                        phase: PhaseId::land(),
                        what: What::Land,
                        from: landing.checkpoint.good,
                        attempt: 1,
                    };
                    let job = Job {
                        slot: 0,
                        task: landing.task.clone(),
                        checkpoint: landing.checkpoint.clone(),
                        tip: Some(landing.tip),
                        work,
                        agent: None,
                        chosen: String::new(),
                        grant: None,
                        onto: None,
                    };
                    let mut record = self.blank(&job);
                    record.outcome = Outcome::Failed;
                    record.reason = "conflict".to_owned();
                    record.new_base = Some(self.disk.integration);
                    happened.push(self.commit(None, &landing.checkpoint, record));
                }
                1 => {
                    ended.problem = Some("gate is down".to_owned());
                    ended.left.push(id);
                }
                _ => {
                    self.disk.commits += 1;
                    self.disk.integration = commit(self.disk.commits);
                    let steps = &self.disk.branches[&id];
                    let now = steps.last().expect("a finished task has steps");
                    assert_eq!(now.seq, landing.checkpoint.seq, "{id} went on while it was landed");
                    assert_eq!(now.state(), TaskState::Finished, "{id} landed unfinished");
                    for on in &landing.task.depends_on {
                        assert!(self.disk.landed.contains_key(on), "{id} landed before {on}");
                    }
                    let twice = self.disk.landed.insert(id.clone(), now.seq);
                    assert_eq!(twice, None, "{id} landed twice");
                    happened.push(Happened::Landed { tasks: vec![id], tip: self.disk.integration });
                }
            }
        }
        if happened.iter().any(|happened| matches!(happened, Happened::Landed { .. })) {
            self.landing_problems = 0;
        }
        self.landing_problems += u32::from(ended.problem.is_some());
        happened.push(Happened::LandingEnded(ended));
        happened
    }

    /// Works until nothing more can be done, dying now and then.
    fn run(&mut self) {
        let mut crashes = self.dice.below(4);
        let mut foreman = self.foreman(None);
        let mut running: Vec<(Order, SystemTime)> = Vec::new();
        let (mut idle_wakes, mut resumes) = (0, 3);
        for _ in 0..STEPS_MAX {
            if self.pauses && self.dice.one_in(8) {
                foreman.pause(idle::pauses(self));
            }
            let orders = foreman.orders(self.now);
            self.check_orders(&orders);
            self.check_files(&foreman, &orders);
            running.extend(orders.into_iter().map(|order| (order, self.now)));
            self.check(&foreman, &running);
            if self.pauses {
                idle::check(self, &foreman, &running.iter().map(|(order, _)| order).collect::<Vec<_>>());
            }
            self.note_parked(&foreman);
            if running.is_empty() {
                if let Some(spent) = foreman.spent() {
                    self.bank.check_refusal(&spent, self.now);
                    self.trace.push(format!("spent: {spent}"));
                    if resumes == 0 {
                        break;
                    }
                    resumes -= 1;
                    foreman = self.resume(&foreman, &spent);
                    continue;
                }
                let Some(at) = foreman.wakes_at() else { break };
                self.now = self.now.max(at) + Duration::from_secs(1);
                idle_wakes += 1;
                assert!(idle_wakes < 2000, "woken again and again for nothing");
                continue;
            }
            if crashes > 0 && self.dice.one_in(12) {
                // Steps that were not committed are gone; what was is on the disk.
                crashes -= 1;
                self.trace.push("crash".to_owned());
                for (order, began) in running.drain(..) {
                    // What they spent was not told: what they were given counts, as it was written down before.
                    if let Order::Step(job) = order
                        && let Some(grant) = job.grant
                    {
                        self.bank.spend(began, &job.task.id, grant.amount, InCheckpoint::No);
                    }
                }
                foreman = self.foreman(None);
                continue;
            }
            let at = self.dice.below(running.len() as u64) as usize;
            let happened = match running.remove(at) {
                (Order::Step(job), began) => vec![self.end_step(&job, began)],
                (Order::Land { batch, redone }, _) => self.end_landing(&batch, &redone),
                (Order::Prepare(_), _) => vec![Happened::Prepared],
            };
            happened.iter().for_each(|happened| foreman.absorb(happened));
            self.now += bank::pause(&mut self.dice);
        }
        assert!(running.is_empty(), "the world did not come to rest in {STEPS_MAX} steps");
        self.check_end(&foreman);
    }

    /// Goes on as the end of a run says: with the money that is named there, or when the agent is back.
    fn resume(&mut self, foreman: &Foreman, spent: &Spent) -> Foreman {
        if let Some(back) = self.parked.values().map(|(until, _)| *until).max().filter(|_| spent.would_do().is_none()) {
            self.now = self.now.max(back);
        }
        let mut next = self.foreman(spent.would_do());
        let mut tried = next.clone();
        let goes_on = !tried.orders(self.now).is_empty() || tried.wakes_at().is_some();
        // An agent that is back may need more than the one that would have stood in for it.
        let needs_more = tried.spent().is_some_and(|then| then.would_do() > spent.would_do());
        let is_held = tried.entries().any(|entry| tried.held_for_money(entry).is_some());
        assert!(goes_on || needs_more || is_held, "nothing goes on after: {spent}; then: {:?}", tried.spent());
        // What is in the run's memory only is not needed to go on.
        assert_eq!(foreman.entries().count(), next.entries().count());
        next.take_news();
        next
    }

    /// What must be true of everything that begins.
    fn check_orders(&self, orders: &[Order]) {
        for order in orders {
            let Order::Step(job) = order else { continue };
            let Some(agent) = &job.agent else { continue };
            let wall = self.walls.get(agent);
            assert!(wall.is_none_or(|wall| *wall <= self.now), "{agent} is asked before {wall:?}");
            let seconds = self.now.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs() % 86_400;
            let is_quiet = self.settings.quota.quiet_hours.is_some() && !QUIET_SECONDS.contains(&seconds);
            assert!(!is_quiet, "{agent} begins at {seconds}s of the day");
            assert!(job.grant.is_some(), "{agent} is given nothing");
            let spec = job.checkpoint.spec(&job.work.phase).expect("a phase of the workflow");
            for ((_, subject), author) in self.wrote.iter().filter(|((task, _), _)| *task == job.task.id) {
                let is_same = spec.reviews.as_ref().is_some_and(|reviews| reviews.as_str() == subject.spec());
                let (here, there) = (job.work.phase.plan_step(), subject.plan_step());
                if is_same && (here.is_none() || there.is_none() || here == there) {
                    let is_another = !self.families[agent].contains(author);
                    assert!(is_another, "{} {}: {agent} reviews itself", job.task.id, job.work.phase);
                }
            }
        }
    }

    /// Whoever begins to write shares no file, as its task and its plan name them, with one that wrote and has not landed.
    fn check_files(&self, foreman: &Foreman, orders: &[Order]) {
        for order in orders {
            let Order::Step(job) = order else { continue };
            let writes = matches!(job.work.what, What::Agent { access: Access::Write, .. });
            if !writes || job.checkpoint.good > 0 {
                continue;
            }
            let own = files(&job.task, Some(&job.checkpoint));
            for other in foreman.entries().filter(|other| other.task.id != job.task.id) {
                let is_over = matches!(other.state(), TaskState::Landed | TaskState::Held | TaskState::Aborted);
                let is_writing = self.is_writing(other);
                let wrote = other.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.good > 0);
                if is_writing || (wrote && !is_over) {
                    let both = files(&other.task, other.checkpoint.as_ref());
                    assert!(own.is_disjoint(&both), "{} begins to write beside {}", job.task.id, other.task.id);
                }
            }
        }
    }

    fn is_writing(&self, entry: &Entry) -> bool {
        let workflow = &self.tasks.iter().find(|(task, _)| task.id == entry.task.id).expect("a task of the queue").1;
        entry.running.keys().any(|phase| workflow.phase(phase.spec()).is_some_and(PhaseSpec::writes))
    }

    /// What a run writes down of parked agents.
    fn note_parked(&mut self, foreman: &Foreman) {
        let parking = foreman.parking();
        let parked = parking.parked().iter();
        self.parked = parked
            .filter_map(|(agent, parked)| Some((agent.clone(), (parked.until?, parking.streak(agent)))))
            .collect();
    }

    /// What must be true at every moment.
    fn check(&self, foreman: &Foreman, running: &[(Order, SystemTime)]) {
        let steps = running.iter().filter_map(|(order, began)| match order {
            Order::Step(job) => Some(Running { job, began: *began }),
            Order::Land { .. } | Order::Prepare(_) => None,
        });
        self.bank.check(&self.settings, &steps.collect::<Vec<_>>());
        let mut slots = BTreeSet::new();
        let mut phases = BTreeSet::new();
        let mut per_agent: BTreeMap<&str, u32> = BTreeMap::new();
        for (order, _) in running {
            let Order::Step(job) = order else { continue };
            assert!(slots.insert(job.slot), "two steps in slot {}", job.slot);
            assert!(job.slot < foreman.jobs(), "a worker too many");
            assert!(phases.insert((&job.task.id, &job.work.phase)), "{} {} twice", job.task.id, job.work.phase);
            if let Some(agent) = &job.agent {
                *per_agent.entry(agent).or_default() += 1;
                if let What::Agent { except, .. } = &job.work.what {
                    assert!(except.is_disjoint(&self.families[agent]), "{agent} reviews its own family");
                }
            }
            for on in &job.task.depends_on {
                assert!(self.disk.landed.contains_key(on), "{} runs before {on} landed", job.task.id);
            }
        }
        assert!(per_agent.get("cleo").is_none_or(|running| *running <= 1), "cleo does two things at once");
    }

    /// What must be true at the end: every task is over, or waits for a person, or says what it waits for.
    fn check_end(&self, foreman: &Foreman) {
        for entry in foreman.entries() {
            let id = &entry.task.id;
            let steps = self.disk.branches.get(id).map_or(&[][..], Vec::as_slice);
            if let (Some(known), Some(last)) = (&entry.checkpoint, steps.last()) {
                assert_eq!(known, last, "{id}: the foreman knows another state than the branch has");
            }
            match entry.state() {
                TaskState::Landed | TaskState::Held | TaskState::Aborted => {}
                TaskState::New | TaskState::Waiting | TaskState::Running | TaskState::Finished => {
                    if foreman.spent().is_some() || foreman.held_for_money(entry).is_some() {
                        continue;
                    }
                    let blocked = entry.task.depends_on.iter().any(|on| !self.disk.landed.contains_key(on));
                    let landing_down = entry.state() == TaskState::Finished;
                    let why = foreman.why_waiting(entry);
                    let first = why.as_ref().and_then(|why| why.strip_prefix("lands after ")?.split_once(','));
                    let first = first.map(|(first, _)| foreman.entry(&first.parse().expect("an id")).expect("a task"));
                    let would_land =
                        |state| state == TaskState::Finished && self.landing_problems < LANDING_PROBLEMS_MAX;
                    assert!(first.is_none_or(|first| !would_land(first.state())), "{id}: {why:?}");
                    let overlap = why.is_some();
                    assert!(blocked || landing_down || overlap, "{id} is {} and nobody says why", entry.state());
                }
            }
            for checkpoint in steps {
                for phase in &checkpoint.phases {
                    let Bounds { attempts_max, infra_max, .. } = checkpoint.bounds;
                    assert!(phase.failures <= attempts_max && phase.infra <= infra_max, "{id} {} goes on", phase.id);
                }
            }
        }
    }
}

/// The files that a task and its plan name.
fn files(task: &Task, checkpoint: Option<&Checkpoint>) -> BTreeSet<String> {
    let plan = checkpoint.and_then(|checkpoint| checkpoint.plan.as_ref());
    let planned = plan.into_iter().flat_map(|plan| &plan.steps).flat_map(|step| &step.files);
    task.files.iter().chain(planned).cloned().collect()
}

/// What happened at last, and where.
fn told(world: &World, place: &str) {
    for line in world.trace.iter().rev().take(30).rev() {
        eprintln!("  {line}");
    }
    eprintln!("this happened in {place}");
}

fn try_seed(seed: u64) {
    let result = std::panic::catch_unwind(|| {
        let mut world = World::new(seed);
        let trace = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
        if let Err(panic) = trace {
            for line in world.trace.iter().rev().take(30).rev() {
                eprintln!("  {line}");
            }
            std::panic::resume_unwind(panic);
        }
    });
    if let Err(panic) = result {
        eprintln!("seed {seed} fails; repeat it: SIM_SEED={seed} cargo test --test sim");
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_world_comes_to_rest_and_loses_nothing() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("SIM_SEED") {
        return try_seed(seed);
    }
    for seed in 0..number("SIM_SEEDS").unwrap_or(SEEDS_DEFAULT) {
        try_seed(seed);
    }
}
