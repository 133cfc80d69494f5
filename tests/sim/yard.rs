//! A queue worked off in simulated time by the foreman of the program, and by two simpler ways of doing it.
//! Decides nothing about the order itself: steps take as long as was thrown before, and end as was thrown before.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use git_orchestrate::{
    config::settings::Settings,
    model::{
        apply::apply,
        checkpoint::{Bounds, Checkpoint, TaskState},
        next::{World, next},
        object::CommitId,
        plan::{Plan, PlanStep},
        record::{Actor, Document, Families, Family, Outcome, Record},
        task::{Complexity, Task, TaskId},
        verdict::{Status, Verdict},
        workflow::{PhaseId, PhaseSpec, Role, Workflow},
    },
    plan::{Foresight, Pace, estimate},
    run::foreman::{Entry, Foreman, Happened, LandingEnded, Order, Rules},
};
use jiff::tz::TimeZone;

use super::{dice::Dice, shapes::Needs};

const SETTINGS: &str = r#"
[agents.anna]
adapter = "command"
program = "anna"
family = "one"
[agents.bert]
adapter = "command"
program = "bert"
family = "two"
[roles]
default = ["anna", "bert"]
plan-reviewer = ["bert"]
code-reviewer = ["bert"]
"#;
const STANDARD: &str = include_str!("../../src/handoff/workflows/standard.toml");
const SINGLE: &str = include_str!("../../src/handoff/workflows/single.toml");

/// Times before which nothing of a part of a queue can begin, that are tried for the tight bound.
const HEADS_MAX: usize = 200;

/// How a yard is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Making {
    /// Of a hundred steps that write or gate, so many fail; each once at most.
    pub failures_percent: u64,
    /// A task that says it changes every file; the others one each.
    pub wide: Option<usize>,
    /// Each task needs one of something of which there are so many.
    pub some_of: Option<u32>,
}

/// One task, with all that will happen to it.
struct Lot {
    task: Arc<Task>,
    workflow: Arc<Workflow>,
    needs: Vec<usize>,
    /// What each step takes, and how it ends.
    steps: Vec<(Duration, Record)>,
}

impl Lot {
    fn time(&self) -> Duration {
        self.steps.iter().map(|(time, _)| *time).sum()
    }
}

/// A queue of tasks.
pub struct Yard {
    lots: Vec<Lot>,
    places: BTreeMap<TaskId, usize>,
    settings: Arc<Settings>,
    families: Arc<BTreeMap<String, Families>>,
}

/// How well the foreman knows how long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Exactly.
    Perfect,
    /// Each task wrong by its own factor, mostly between a half and twice.
    Noisy,
    /// As the program does: what is usual for such a step, corrected by what was seen.
    Usual,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Run {
    /// From the first step's beginning to the last one's end.
    pub makespan: Duration,
    /// The time-weighted mean of tasks that were begun and not landed.
    pub open: f64,
    /// Steps that were made.
    pub steps: usize,
    /// The places of the tasks in the order in which they began.
    pub began: Vec<usize>,
}

/// What could be worked on, as all that it needs is there.
struct Ready {
    now: BTreeSet<usize>,
    /// By place: how many tasks it waits for.
    open: Vec<usize>,
    dependents: Vec<Vec<usize>>,
}

impl Ready {
    fn new(lots: &[Lot]) -> Self {
        let open: Vec<usize> = lots.iter().map(|lot| lot.needs.len()).collect();
        let mut dependents = vec![Vec::new(); lots.len()];
        for (at, lot) in lots.iter().enumerate() {
            lot.needs.iter().for_each(|need| dependents[*need].push(at));
        }
        Self { now: (0..lots.len()).filter(|at| open[*at] == 0).collect(), open, dependents }
    }

    fn has_landed(&mut self, at: usize) {
        self.now.remove(&at);
        for next in &self.dependents[at] {
            self.open[*next] -= 1;
            if self.open[*next] == 0 {
                self.now.insert(*next);
            }
        }
    }
}

fn commit(n: u64) -> CommitId {
    format!("{n:040x}").parse().expect("hex")
}

/// About 1, with the median there: mostly between `1 / (1 + spread)` and `1 + spread`.
fn about_one(dice: &mut Dice, spread: f64) -> f64 {
    // The sum of four throws is near enough to a bell.
    let bell: f64 = (0..4).map(|_| dice.below(1000) as f64 / 1000.0 - 0.5).sum();
    ((1.0 + spread).ln() * bell * 2.0).exp()
}

impl Yard {
    /// A queue of tasks that need each other so.
    pub fn new(needs: Needs, making: Making, dice: &mut Dice) -> Self {
        let mut settings: Settings = toml::from_str(SETTINGS).expect("settings");
        settings.resources = making.some_of.iter().map(|count| ("thing".to_owned(), *count)).collect();
        let families = settings.agents.iter();
        let families =
            families.filter_map(|(name, agent)| Some((name.clone(), [agent.family.clone()?].into()))).collect();
        let workflows = [STANDARD, SINGLE].map(|text| Arc::new(toml::from_str::<Workflow>(text).expect("a workflow")));
        let lots = needs.into_iter().enumerate().map(|(at, needs)| {
            let mut task = Task::new(format!("t{at:05}").parse().expect("an id"), format!("Task {at}"));
            task.complexity =
                [Complexity::Small, Complexity::Medium, Complexity::Medium, Complexity::Large][dice.below(4) as usize];
            task.depends_on = needs.iter().map(|on| format!("t{on:05}").parse().expect("an id")).collect();
            task.resources = making.some_of.iter().map(|_| ("thing".to_owned(), 1)).collect();
            task.files = match making.wide {
                Some(wide) if wide == at => vec!["src".to_owned()],
                Some(_) => vec![format!("src/{at}.rs")],
                None => Vec::new(),
            };
            let workflow = workflows[dice.below(2) as usize].clone();
            let steps = script(&task, &workflow, making, dice);
            Lot { task: Arc::new(task), workflow, needs, steps }
        });
        let lots: Vec<Lot> = lots.collect();
        let places = lots.iter().enumerate().map(|(at, lot)| (lot.task.id.clone(), at)).collect();
        Self { lots, places, settings: Arc::new(settings), families: Arc::new(families) }
    }

    /// No order of work could be faster: the longest chain, or the work of all, shared evenly.
    pub fn bound(&self, workers: usize) -> Duration {
        let mut ends: Vec<Duration> = Vec::new();
        for lot in &self.lots {
            let begin = lot.needs.iter().map(|need| ends[*need]).max().unwrap_or_default();
            ends.push(begin + lot.time());
        }
        let work: Duration = self.lots.iter().map(Lot::time).sum();
        ends.into_iter().max().unwrap_or_default().max(work / workers as u32)
    }

    /// No order of work could be faster either, and this comes nearer to what one could do: where everything waits for one task,
    /// what is before and after it adds up; and workers have nothing of what has a way before it or after it meanwhile.
    pub fn tight_bound(&self, workers: usize) -> Duration {
        let mut bound = Duration::ZERO;
        let mut between = Vec::new();
        let necks = self.necks();
        for (at, lot) in self.lots.iter().enumerate() {
            if necks.contains(&at) {
                bound += self.bound_of(&between, workers) + lot.time();
                between.clear();
            } else {
                between.push(at);
            }
        }
        bound + self.bound_of(&between, workers)
    }

    /// The tasks that every other waits for or is waited for by. All that is before such a one stands before it in the queue.
    fn necks(&self) -> BTreeSet<usize> {
        let (count, Ready { dependents, .. }) = (self.lots.len(), Ready::new(&self.lots));
        let needs: Vec<Vec<usize>> = self.lots.iter().map(|lot| lot.needs.clone()).collect();
        // Where one alone is ready, all that is left waits for it.
        let waiting = |order: &mut dyn Iterator<Item = usize>, needs: &[Vec<usize>], dependents: &[Vec<usize>]| {
            let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
            let (mut ready, mut over) = (open.iter().filter(|open| **open == 0).count(), 0);
            let mut waiting = vec![None; count];
            for at in order {
                over += 1;
                waiting[at] = (ready == 1).then_some(count - over);
                ready -= 1;
                for next in &dependents[at] {
                    open[*next] -= 1;
                    ready += usize::from(open[*next] == 0);
                }
            }
            waiting
        };
        let after = waiting(&mut (0..count), &needs, &dependents);
        let before = waiting(&mut (0..count).rev(), &dependents, &needs);
        let is_neck = |at: &usize| matches!((after[*at], before[*at]), (Some(a), Some(b)) if a + b + 1 == count);
        (0..count).filter(is_neck).collect()
    }

    fn bound_of(&self, places: &[usize], workers: usize) -> Duration {
        let mut head: BTreeMap<usize, Duration> = BTreeMap::new();
        let mut tail: BTreeMap<usize, Duration> = places.iter().map(|at| (*at, Duration::ZERO)).collect();
        for at in places {
            let needs = self.lots[*at].needs.iter().filter_map(|need| Some(*head.get(need)? + self.lots[*need].time()));
            let longest = needs.max().unwrap_or_default();
            head.insert(*at, longest);
        }
        for at in places.iter().rev() {
            let own = tail[at] + self.lots[*at].time();
            for need in &self.lots[*at].needs {
                tail.entry(*need).and_modify(|tail| *tail = own.max(*tail));
            }
        }
        let way = |at: &usize| head[at] + self.lots[*at].time() + tail[at];
        let mut bound = places.iter().map(way).max().unwrap_or_default();
        let mut heads: Vec<Duration> = head.values().copied().collect();
        heads.sort_unstable();
        heads.dedup();
        let mut by_tail: Vec<(Duration, Duration, Duration)> =
            places.iter().map(|at| (tail[at], head[at], self.lots[*at].time())).collect();
        by_tail.sort_unstable_by_key(|(tail, ..)| Reverse(*tail));
        for begin in heads.iter().step_by(heads.len().div_ceil(HEADS_MAX).max(1)) {
            let mut work = Duration::ZERO;
            for (tail, _, time) in by_tail.iter().filter(|(_, head, _)| head >= begin) {
                work += *time;
                bound = bound.max(*begin + work / workers as u32 + *tail);
            }
        }
        bound
    }

    /// By the foreman of the program.
    pub fn by_foreman(&self, workers: usize, sight: Sight, dice: &mut Dice) -> Run {
        let entries = self.lots.iter().map(|lot| Entry::new(lot.task.clone(), Some(lot.workflow.clone())));
        let rules =
            Rules { jobs: workers, gates_max: workers, batch_max: 16, until: None, zone: TimeZone::UTC, seed: 1 };
        let mut foreman =
            Foreman::new(rules, self.settings.clone(), self.families.clone(), entries.collect(), commit(1));
        let left = |factor: &mut dyn FnMut() -> f64| Box::new(Told::new(&self.lots, factor));
        match sight {
            Sight::Perfect => foreman.foresee(left(&mut || 1.0)),
            Sight::Noisy => foreman.foresee(left(&mut || about_one(dice, 1.0))),
            Sight::Usual => foreman.foresee(Box::new(Pace::default())),
        }
        self.work_off(foreman)
    }

    fn work_off(&self, mut foreman: Foreman) -> Run {
        let mut now = Duration::ZERO;
        let (mut steps, mut began) = (0, Vec::new());
        let mut ends: BinaryHeap<Reverse<(Duration, usize, usize)>> = BinaryHeap::new();
        let mut jobs: BTreeMap<usize, Box<git_orchestrate::run::foreman::Job>> = BTreeMap::new();
        let (mut open, mut area) = (BTreeSet::new(), 0.0);
        let mut ready = Ready::new(&self.lots);
        loop {
            let mut orders = foreman.orders(SystemTime::UNIX_EPOCH + now);
            while let Some(order) = orders.pop() {
                match order {
                    Order::Step(job) => {
                        let place = self.places[&job.task.id];
                        let (time, _) = self.lots[place].steps[job.checkpoint.seq as usize];
                        if open.insert(place) {
                            began.push(place);
                        }
                        ends.push(Reverse((now + time, job.slot, place)));
                        jobs.insert(job.slot, job);
                    }
                    // As a landing it takes no time here.
                    Order::Prepare(_) => {
                        foreman.absorb(&Happened::Prepared);
                        orders.extend(foreman.orders(SystemTime::UNIX_EPOCH + now));
                    }
                    Order::Land { batch, .. } => {
                        let tasks: Vec<TaskId> = batch.into_iter().map(|landing| landing.task.id.clone()).collect();
                        for task in &tasks {
                            assert!(open.remove(&self.places[task]), "{task} landed twice");
                            ready.has_landed(self.places[task]);
                        }
                        foreman.absorb(&Happened::Landed { tasks, tip: commit(2) });
                        foreman.absorb(&Happened::LandingEnded(LandingEnded::default()));
                        orders.extend(foreman.orders(SystemTime::UNIX_EPOCH + now));
                    }
                }
            }
            let most = self.settings.resources.get("thing").map_or(usize::MAX, |count| *count as usize);
            assert!(jobs.len() <= most, "{} steps use {most} things", jobs.len());
            if jobs.len() < foreman.jobs() {
                self.check_idle(&foreman, &ready);
            }
            let Some(Reverse((end, slot, place))) = ends.pop() else { break };
            area += open.len() as f64 * (end - now).as_secs_f64();
            now = end;
            let job = jobs.remove(&slot).expect("a step that was begun");
            let (_, record) = &self.lots[place].steps[job.checkpoint.seq as usize];
            let after = apply(&job.checkpoint, record).unwrap_or_else(|why| panic!("{}: {why}", record.phase));
            steps += 1;
            foreman.absorb(&Happened::Committed {
                slot: Some(slot),
                checkpoint: Box::new(after),
                tip: commit(3),
                record: Box::new(record.clone()),
            });
        }
        let undone = foreman.entries().find(|entry| entry.state() != TaskState::Landed);
        assert!(undone.is_none(), "{} is {} at the end", undone.expect("one").task.id, undone.expect("one").state());
        Run { makespan: now, open: area / now.as_secs_f64().max(1e-9), steps, began }
    }

    /// A worker is idle: then there is nothing that it could do.
    fn check_idle(&self, foreman: &Foreman, ready: &Ready) {
        for at in &ready.now {
            let entry = foreman.entry(&self.lots[*at].task.id).expect("a task of the queue");
            let why = entry.running.is_empty().then(|| foreman.why_waiting(entry));
            assert!(!matches!(why, Some(None)), "{at} could be worked on and a worker is idle");
        }
    }

    /// Whoever is free takes the first task of the queue that may begin, and does it to its end.
    pub fn first_come(&self, workers: usize) -> Duration {
        self.simply(workers, &vec![0; self.lots.len()])
    }

    /// Level by level: all that needs nothing, then all that needs only those, each level when the one before is done.
    pub fn by_levels(&self, workers: usize) -> Duration {
        let mut levels: Vec<usize> = Vec::new();
        for lot in &self.lots {
            levels.push(lot.needs.iter().map(|need| levels[*need] + 1).max().unwrap_or_default());
        }
        self.simply(workers, &levels)
    }

    fn simply(&self, workers: usize, levels: &[usize]) -> Duration {
        let mut now = Duration::ZERO;
        let Ready { mut open, dependents, .. } = Ready::new(&self.lots);
        let mut left_of_level = vec![0; levels.iter().max().map_or(1, |most| most + 1)];
        levels.iter().for_each(|level| left_of_level[*level] += 1);
        let mut level = 0;
        let mut ready: BTreeSet<(usize, usize)> =
            (0..open.len()).filter(|at| open[*at] == 0).map(|at| (levels[at], at)).collect();
        let mut running: BinaryHeap<Reverse<(Duration, usize)>> = BinaryHeap::new();
        loop {
            while running.len() < workers
                && let Some((_, at)) = ready.first().copied().filter(|(of, _)| *of <= level)
            {
                ready.pop_first();
                running.push(Reverse((now + self.lots[at].time(), at)));
            }
            let Some(Reverse((end, at))) = running.pop() else { break };
            now = end;
            left_of_level[levels[at]] -= 1;
            while level + 1 < left_of_level.len() && left_of_level[level] == 0 {
                level += 1;
            }
            for next in &dependents[at] {
                open[*next] -= 1;
                if open[*next] == 0 {
                    ready.insert((levels[*next], *next));
                }
            }
        }
        now
    }
}

/// All that happens to a task until it is finished.
fn script(task: &Task, workflow: &Workflow, making: Making, dice: &mut Dice) -> Vec<(Duration, Record)> {
    let mut checkpoint = Checkpoint::begin(task, workflow.clone(), commit(1), Bounds::default());
    let families: Vec<Families> = ["one", "two"].iter().map(|name| [Family((*name).to_owned())].into()).collect();
    let roles = ["planner", "plan-reviewer", "implementer", "code-reviewer"].map(|name| Role(name.to_owned()));
    let world =
        World { families: roles.into_iter().map(|role| (role, families.clone())).collect(), ..World::default() };
    let mut steps = Vec::new();
    let mut have_failed: BTreeSet<PhaseId> = BTreeSet::new();
    while checkpoint.state() != TaskState::Finished {
        let work = next(&checkpoint, &world).work;
        let work = work.first().unwrap_or_else(|| panic!("{} is {}", task.id, checkpoint.state()));
        let spec = checkpoint.spec(&work.phase).expect("a phase of the workflow");
        let may_fail = spec.reviews.is_none() && spec.produces.is_none() && !have_failed.contains(&work.phase);
        let failed = may_fail && dice.below(100) < making.failures_percent;
        if failed {
            have_failed.insert(work.phase.clone());
        }
        let usual = estimate::usual(spec, task.complexity);
        let time = usual.mul_f64(about_one(dice, 0.6));
        let mut record = record(task, &work.phase, spec, work.attempt, failed, dice);
        record.duration_ms = time.as_millis() as u64;
        record.seq = checkpoint.seq + 1;
        checkpoint = apply(&checkpoint, &record).unwrap_or_else(|why| panic!("{}: {why}", work.phase));
        steps.push((time, record));
    }
    steps
}

fn record(task: &Task, phase: &PhaseId, spec: &PhaseSpec, attempt: u32, failed: bool, dice: &mut Dice) -> Record {
    let actor = match (&spec.role, &spec.gate) {
        (Some(_), _) => {
            let (name, family) = if spec.reviews.is_some() { ("bert", "two") } else { ("anna", "one") };
            Actor::Agent {
                name: name.to_owned(),
                adapter: "command".to_owned(),
                version: None,
                model: None,
                family: Family(family.to_owned()),
            }
        }
        (None, gate) => Actor::Gate { profile: gate.clone().expect("a role or a gate") },
    };
    let tree = format!("{:040x}", dice.below(1 << 30)).parse().expect("hex");
    let mut record =
        Record::begin(task.id.clone(), phase.clone(), actor, commit(1), tree, "2026-01-01T00:00:00Z".to_owned());
    record.attempt = attempt;
    record.outcome = if failed { Outcome::Failed } else { Outcome::Done };
    if failed {
        record.reason = "thrown".to_owned();
        record.feedback = "thrown".to_owned();
    }
    if spec.produces.is_some() {
        let count = match task.complexity {
            Complexity::Small => 1,
            Complexity::Medium => 2 + dice.below(2),
            Complexity::Large => 4 + dice.below(4),
        };
        let step = |i| PlanStep {
            id: format!("S{i}"),
            title: format!("Step {i}"),
            detail: String::new(),
            files: Vec::new(),
            acceptance: Vec::new(),
        };
        record.document = Some(Document::Plan(Plan { summary: String::new(), steps: (1..=count).map(step).collect() }));
    } else if spec.reviews.is_some() {
        record.document = Some(Document::Verdict(Verdict {
            status: Status::Approved,
            scores: BTreeMap::new(),
            required_changes: Vec::new(),
            suggestions: Vec::new(),
            criteria: Vec::new(),
            summary: String::new(),
        }));
    }
    record
}

/// Knows what was thrown, times a factor.
#[derive(Clone)]
struct Told {
    /// By task: what is left after so many steps.
    left: Arc<BTreeMap<TaskId, Vec<Duration>>>,
}

impl Told {
    fn new(lots: &[Lot], factor: &mut dyn FnMut() -> f64) -> Self {
        let left = lots.iter().map(|lot| {
            let factor = factor();
            let mut left: Vec<Duration> = vec![Duration::ZERO];
            for (time, _) in lot.steps.iter().rev() {
                left.push(*left.last().expect("the end") + time.mul_f64(factor));
            }
            left.reverse();
            (lot.task.id.clone(), left)
        });
        Self { left: Arc::new(left.collect()) }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Told({} tasks)", self.left.len())
    }
}

impl Foresight for Told {
    fn left(&self, task: &Task, _: &Workflow, checkpoint: Option<&Checkpoint>) -> Duration {
        self.left[&task.id][checkpoint.map_or(0, |checkpoint| checkpoint.seq as usize)]
    }

    fn learn(&mut self, _: &Task, _: &Checkpoint, _: &Record) -> bool {
        false
    }

    fn copy(&self) -> Box<dyn Foresight> {
        Box::new(self.clone())
    }
}
