//! What the tasks of a run are going to touch, as far as that is known by now, and whom it keeps from whom.
//! Knows nothing of agents or money; in which order tasks are looked at is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Entry, Foreman, Order};
use crate::{
    model::{
        checkpoint::{Checkpoint, TaskState},
        task::{Task, TaskId},
    },
    plan::{
        Claim, CodeMap, Relation,
        claim::{self, RISK_YIELDS_PERCENT_MIN},
        pairs::{self, CLAIMS_OF_FILE_MAX},
    },
};

/// Tasks that may begin before one that lets others go first: then it goes all the same, so that it does not starve.
const OVERTAKEN_MAX: u32 = 3;

/// The claims of a run's tasks.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims {
    map: CodeMap,
    of: BTreeMap<TaskId, Claim>,
    /// The tasks, and the number of each among them.
    ids: Vec<TaskId>,
    numbers: BTreeMap<TaskId, u32>,
    /// The numbers of tasks that have not landed, by the files of the map that they may touch.
    of_file: HashMap<u32, Vec<u32>>,
    /// How likely two get in each other's way, in percent, and why; both ways.
    risks: BTreeMap<TaskId, BTreeMap<TaskId, (u8, String)>>,
    /// Tasks that let others go first in this round.
    yielding: Vec<TaskId>,
    /// How many began before a task that let them.
    overtaken: BTreeMap<TaskId, u32>,
}

impl Claims {
    /// Those of these tasks, with the plans that they follow by now.
    pub fn new<'a>(entries: impl Iterator<Item = &'a Entry>, map: CodeMap) -> Self {
        let mut claims = Self { map, ..Self::default() };
        let (mut ids, mut open) = (Vec::new(), Vec::new());
        for entry in entries {
            let claim = claims.claim(&entry.task, entry.checkpoint.as_ref());
            if !is_over(entry) {
                ids.push(entry.task.id.clone());
                claims.touches(&entry.task.id, &claim);
                open.push(claim.clone());
            }
            claims.of.insert(entry.task.id.clone(), claim);
        }
        for (one, other, relation) in pairs::risks(&open, &claims.map) {
            claims.relate(&ids[one], &ids[other], relation);
        }
        claims
    }

    fn claim(&self, task: &Task, checkpoint: Option<&Checkpoint>) -> Claim {
        Claim::new(task, checkpoint.and_then(|checkpoint| checkpoint.plan.as_ref()), &self.map)
    }

    fn relate(&mut self, one: &TaskId, other: &TaskId, relation: Relation) {
        for (one, other) in [(one, other), (other, one)] {
            let risks = self.risks.entry(one.clone()).or_default();
            match &relation {
                Relation::Risk { percent, why } => {
                    risks.insert(other.clone(), (*percent, why.clone()));
                }
                Relation::Apart | Relation::Overlap { .. } => {
                    risks.remove(other);
                }
            }
        }
    }

    fn touches(&mut self, id: &TaskId, claim: &Claim) {
        let number = *self.numbers.entry(id.clone()).or_insert_with(|| {
            self.ids.push(id.clone());
            self.ids.len() as u32 - 1
        });
        for file in files(claim) {
            self.of_file.entry(file).or_default().push(number);
        }
    }

    /// A task or its plan is another now: its claim is made anew, and held against those that may touch the same files and are
    /// open.
    pub fn renew(&mut self, task: &Task, checkpoint: Option<&Checkpoint>, is_open: impl Fn(&TaskId) -> bool) {
        self.forget(&task.id);
        let grown = self.claim(task, checkpoint);
        let mut others: BTreeSet<u32> = BTreeSet::new();
        for file in files(&grown) {
            let of_file = self.of_file.get(&file).map_or(&[][..], Vec::as_slice);
            // What so many may touch tells none of them from the others.
            if of_file.len() < CLAIMS_OF_FILE_MAX {
                others.extend(of_file);
            }
        }
        for other in others {
            let other = self.ids[other as usize].clone();
            if let Some(theirs) = self.of.get(&other).filter(|_| is_open(&other)) {
                let relation = claim::relation(&grown, theirs, &self.map);
                self.relate(&task.id, &other, relation);
            }
        }
        self.touches(&task.id, &grown);
        self.of.insert(task.id.clone(), grown);
    }

    /// A task gets in nobody's way any more.
    pub fn forget(&mut self, id: &TaskId) {
        for other in self.risks.remove(id).unwrap_or_default().into_keys() {
            if let Some(risks) = self.risks.get_mut(&other) {
                risks.remove(id);
            }
        }
        let Some(number) = self.numbers.get(id).copied() else { return };
        for file in self.of.get(id).map(files).unwrap_or_default() {
            if let Some(tasks) = self.of_file.get_mut(&file) {
                tasks.retain(|other| *other != number);
            }
        }
    }
}

/// The files of the map that a claim may touch.
fn files(claim: &Claim) -> Vec<u32> {
    claim.writes().iter().copied().chain(claim.guesses().map(|(file, _)| file)).collect()
}

fn is_over(entry: &Entry) -> bool {
    matches!(entry.state(), TaskState::Landed | TaskState::Aborted)
}

impl Foreman {
    /// Lets how the files of the code hang together say which tasks may get in each other's way.
    pub fn know_code(&mut self, map: CodeMap) {
        self.claims = Claims::new(self.entries.values(), map);
    }

    /// A step of a task was made; what it follows before that.
    pub(super) fn claim_grows(&mut self, id: &TaskId, before: Option<&Checkpoint>) {
        let plan = self.entry(id).and_then(|entry| entry.checkpoint.as_ref()?.plan.as_ref());
        if before.and_then(|before| before.plan.as_ref()) != plan {
            self.claim_anew(id);
        }
    }

    /// A task or its plan is another now.
    pub(super) fn claim_anew(&mut self, id: &TaskId) {
        let Some(entry) = self.entries.get(id) else { return };
        let is_open = |other: &TaskId| self.entries.get(other).is_some_and(|other| !is_over(other));
        self.claims.renew(&entry.task, entry.checkpoint.as_ref(), is_open);
    }

    /// A task landed.
    pub(super) fn claim_ends(&mut self, id: &TaskId) {
        self.claims.forget(id);
    }

    /// Why two tasks are never worked on at the same time.
    pub(super) fn collision(&self, one: &Entry, other: &Entry) -> Option<String> {
        claim::overlap(self.claims.of.get(&one.task.id)?, self.claims.of.get(&other.task.id)?)
    }

    /// The task at work whose way a new one is likeliest to get in, how likely that is in percent, and why.
    pub(super) fn risk(&self, entry: &Entry) -> Option<(&TaskId, u8, &str)> {
        if entry.checkpoint.is_some() || !entry.running.is_empty() {
            return None;
        }
        let risks = self.claims.risks.get(&entry.task.id)?.iter();
        let likely = risks.filter(|(_, (percent, _))| *percent >= RISK_YIELDS_PERCENT_MIN);
        let now = likely.filter(|(other, _)| self.is_at_work(other));
        now.max_by_key(|(_, (percent, _))| *percent).map(|(other, (percent, why))| (other, *percent, why.as_str()))
    }

    /// Why a task lets others go first, where a worker is free for only some.
    pub(super) fn why_yielding(&self, entry: &Entry) -> Option<String> {
        let (other, percent, why) = self.risk(entry)?;
        Some(format!("lets others go first while {other} is at work: {percent}% likely to get in its way, {why}"))
    }

    /// Steps of a task, unless it had better let the next of its priority go first: it may get in the way of one at work.
    pub(super) fn careful_steps(&mut self, id: &TaskId) -> Vec<Order> {
        let priority = |id: &TaskId| self.entries.get(id).map_or(0, |entry| entry.task.priority);
        let is_lower = self.claims.yielding.first().is_some_and(|first| priority(first) > priority(id));
        let mut orders = if is_lower { self.yielding_steps() } else { Vec::new() };
        let Some(entry) = self.entries.get(id) else { return orders };
        let is_new = entry.checkpoint.is_none();
        let overtaken = self.claims.overtaken.get(id).copied().unwrap_or(0);
        let is_paused = self.why_paused(entry).is_some();
        let may_begin = |entry| !is_paused && self.unmet(entry).is_empty() && self.overlap(entry).is_none();
        if overtaken < OVERTAKEN_MAX && self.risk(entry).is_some() && may_begin(entry) {
            self.claims.yielding.push(id.clone());
            return orders;
        }
        let steps = self.steps(id);
        if is_new && !steps.is_empty() {
            for first in &self.claims.yielding {
                *self.claims.overtaken.entry(first.clone()).or_default() += 1;
            }
        }
        orders.extend(steps);
        orders
    }

    /// Steps of the tasks that let others go first, once there are no others.
    pub(super) fn yielding_steps(&mut self) -> Vec<Order> {
        let mut orders = Vec::new();
        for id in std::mem::take(&mut self.claims.yielding) {
            if !self.has_room() {
                break;
            }
            orders.extend(self.steps(&id));
        }
        orders
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::Arc,
        time::SystemTime,
    };

    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        config::parse::parse,
        model::{
            plan::{Plan, PlanStep},
            record::Family,
        },
        plan::code_map::Ties,
        run::foreman::Rules,
    };

    const SETTINGS: &str = "workflow = 'single'\n[agents.a]\nadapter = 'claude'\n[roles]\ndefault = 'a'\n";
    const SINGLE: &str = include_str!("../../handoff/workflows/single.toml");

    /// A foreman over tasks `id [priority]: file …`; `a.rs` imports `b.rs`, with 13 % between their writers.
    fn foreman(tasks: &str, jobs: usize) -> Foreman {
        let entries = tasks.lines().map(|line| {
            let (head, files) = line.split_once(':').expect("a colon");
            let mut words = head.split_whitespace();
            let id = words.next().expect("a name");
            let mut task = Task::new(id.parse().expect("an id"), id);
            task.priority = words.next().map_or(0, |priority| priority.parse().expect("a number"));
            task.files = files.split_whitespace().map(str::to_owned).collect();
            Entry::new(Arc::new(task), Some(Arc::new(toml::from_str(SINGLE).expect("a workflow"))))
        });
        let rules = Rules { jobs, gates_max: 1, batch_max: 1, until: None, zone: TimeZone::UTC, seed: 0 };
        let settings = Arc::new(parse(SETTINGS, "c").expect("it is right"));
        let families = Arc::new(BTreeMap::from([("a".to_owned(), BTreeSet::from([Family("anthropic".to_owned())]))]));
        let base = "1".repeat(40).parse().expect("hex");
        let mut foreman = Foreman::new(rules, settings, families, entries.collect(), base);
        let paths = ["a.rs", "b.rs", "c.rs"].map(str::to_owned).to_vec();
        foreman.know_code(CodeMap::new(paths, &Ties { imports: vec![(0, 1)], ..Ties::default() }));
        foreman
    }

    fn begun(foreman: &mut Foreman) -> String {
        let names = |order: Order| match order {
            Order::Step(job) => job.task.id.to_string(),
            Order::Land { .. } | Order::Prepare(_) => "landing".to_owned(),
        };
        let orders = foreman.orders(SystemTime::UNIX_EPOCH);
        orders.into_iter().map(names).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check(tasks: &str, jobs: usize, wanted: &str) {
        assert_eq!(begun(&mut foreman(tasks, jobs)), wanted, "{tasks} by {jobs}");
    }

    #[test]
    fn a_risk_waits_only_while_there_is_something_else() {
        check("a: a.rs\nb: b.rs\nc: c.rs", 2, "a c");
        check("a: a.rs\nb: b.rs\nc: c.rs", 3, "a c b");
        check("a: a.rs\nb: b.rs", 2, "a b");
        check("a 9: a.rs\nb 5: b.rs\nc: c.rs", 2, "a b");
        check("a: a.rs\nb: a.rs\nc: c.rs", 3, "a c");
        let mut foreman = foreman("a: a.rs\nb: b.rs\nc: c.rs", 2);
        begun(&mut foreman);
        let why = |foreman: &Foreman, id: &str| foreman.why_waiting(foreman.entry(&id.parse().expect("an id"))?);
        assert_eq!(
            why(&foreman, "b").as_deref(),
            Some("lets others go first while a is at work: 13% likely to get in its way, 'a.rs' imports 'b.rs'")
        );
        assert_eq!(why(&foreman, "c"), None);
    }

    #[test]
    fn a_risk_does_not_starve() {
        let mut foreman = foreman("a: a.rs\nb: b.rs\nc: c.rs\nd: d\ne: e\nf: f\ng: g", 2);
        assert_eq!(begun(&mut foreman), "a c");
        let mut order = String::new();
        for _ in 0..3 {
            foreman.busy.remove(&1);
            foreman.happened_to(&"a".parse().expect("an id"));
            order += &begun(&mut foreman);
        }
        assert_eq!(order, "deb");
    }

    #[test]
    fn a_claim_is_that_of_the_task_as_it_was_edited() {
        let mut foreman = foreman("a: a.rs\nb: c.rs", 2);
        let mut task = Task::new("b".parse().expect("an id"), "b");
        task.files = vec!["a.rs".to_owned()];
        foreman.reload(task);
        assert_eq!(begun(&mut foreman), "a");
    }

    #[test]
    fn a_claim_grows_with_the_plan() {
        let mut foreman = foreman("a:\nb: b.rs", 2);
        let id: TaskId = "a".parse().expect("an id");
        let mut checkpoint = foreman.checkpoint(foreman.entry(&id).expect("it is there"));
        let step = PlanStep {
            id: "S1".to_owned(),
            title: "x".to_owned(),
            detail: String::new(),
            files: vec!["b.rs".to_owned()],
            acceptance: Vec::new(),
        };
        checkpoint.plan = Some(Plan { summary: String::new(), steps: vec![step] });
        foreman.entries.get_mut(&id).expect("it is there").checkpoint = Some(checkpoint);
        foreman.claim_grows(&id, None);
        foreman.happened_to(&id);
        assert_eq!(begun(&mut foreman), "a");
        let b = foreman.entry(&"b".parse().expect("an id")).expect("it is there");
        assert_eq!(foreman.why_waiting(b).as_deref(), Some("waits for a: both change 'b.rs'"));
    }
}
