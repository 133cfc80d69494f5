//! A foreman and what it has begun, told in words: for the tests of this room.
//! Knows nothing of what should come of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::SystemTime,
};

use jiff::tz::TimeZone;

use super::{Dropped, Entry, Foreman, Happened, Job, Landing, LandingEnded, Order, Rules};
use crate::{
    config::parse::parse,
    model::{
        apply::apply,
        next::What,
        object::{CommitId, TreeId},
        plan::{Plan, PlanStep},
        record::{Actor, Document, Family, Record},
        task::{Task, TaskId},
        workflow::Workflow,
    },
};

/// An agent that plays every role.
pub const SETTINGS: &str = "[agents.a]\nadapter = 'claude'\n[roles]\ndefault = 'a'\n";

fn commit(n: u8) -> CommitId {
    format!("{n:040x}").parse().expect("hex")
}

/// A foreman and what it has begun.
pub struct World {
    /// The foreman.
    pub foreman: Foreman,
    running: BTreeMap<String, Box<Job>>,
}

impl World {
    /// Tasks by name, each with its workflow; `!` gives one priority.
    pub fn new<'a>(rules: Rules, settings: &str, tasks: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut workflows: BTreeMap<&str, Arc<Workflow>> = BTreeMap::new();
        let mut shared = |text: &'a str| {
            let workflow = || Arc::new(toml::from_str(text).expect("a workflow"));
            workflows.entry(text).or_insert_with(workflow).clone()
        };
        let entries = tasks.into_iter().map(|(name, workflow)| {
            let mut task = Task::new(name.trim_end_matches('!').parse().expect("an id"), name);
            task.priority = name.matches('!').count() as i32;
            Entry::new(Arc::new(task), Some(shared(workflow)))
        });
        let settings = Arc::new(parse(settings, "c").expect("it is right"));
        let agents = settings.agents.keys().cloned();
        let families: BTreeMap<_, _> = agents.map(|name| (name, BTreeSet::from([Family("one".to_owned())]))).collect();
        let foreman = Foreman::new(rules, settings, Arc::new(families), entries.collect(), commit(1));
        Self { foreman, running: BTreeMap::new() }
    }

    /// How a run goes with so many workers and gates, that lands so many tasks together.
    pub fn rules(jobs: usize, gates_max: usize, batch_max: usize) -> Rules {
        Rules { jobs, gates_max, batch_max, until: None, zone: TimeZone::UTC, seed: 0 }
    }

    /// What is begun now: `a/plan b/write`, `land c+d`, `prepare e on c+d`.
    pub fn begin(&mut self) -> String {
        let names =
            |batch: &[Landing]| batch.iter().map(|landing| landing.task.id.as_str()).collect::<Vec<_>>().join("+");
        let mut begun = Vec::new();
        for order in self.foreman.orders(SystemTime::UNIX_EPOCH) {
            match order {
                Order::Step(job) => {
                    let name = format!("{}/{}", job.task.id, job.work.phase);
                    begun.push(name.clone());
                    self.running.insert(name, job);
                }
                Order::Land { batch, .. } => begun.push(format!("land {}", names(&batch))),
                Order::Prepare(made) => begun.push(format!("prepare {} on {}", names(&made.next), names(&made.on))),
            }
        }
        begun.sort();
        begun.join(" ")
    }

    /// Why a task does nothing.
    pub fn why_waiting(&self, task: &str) -> String {
        let entry = self.foreman.entry(&task.parse().expect("an id")).expect("it is there");
        self.foreman.why_waiting(entry).unwrap_or_default()
    }

    /// `a/plan done f.rs`, `a/write failed`, `a/write broken 0.10` for one that could not be recorded and what it cost;
    /// `landed a b`, `ended`, `ended b` if that one did not land, `prepared`; `pause a`.
    pub fn happens(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ids = || words[1..].iter().map(|word| word.parse::<TaskId>().expect("an id"));
        match words[0] {
            "pause" => self.foreman.pause(ids().collect()),
            "landed" => self.foreman.absorb(&Happened::Landed { tasks: ids().collect(), tip: commit(2) }),
            "ended" => {
                let ended = LandingEnded { left: ids().collect(), ..LandingEnded::default() };
                self.foreman.absorb(&Happened::LandingEnded(ended));
            }
            "prepared" => self.foreman.absorb(&Happened::Prepared),
            step if words[1] == "broken" => self.breaks(step, words[2]),
            step => self.ends(step, words[1], &words[2..]),
        }
    }

    fn breaks(&mut self, step: &str, cost: &str) {
        let job = self.running.remove(step).unwrap_or_else(|| panic!("{step} does not run"));
        self.foreman.absorb(&Happened::Dropped {
            slot: job.slot,
            task: job.task.id.clone(),
            phase: job.work.phase.clone(),
            agent: job.agent.clone(),
            why: Dropped::Broken("it broke".to_owned()),
            cost: Some(cost.parse().expect("an amount")),
        });
    }

    fn ends(&mut self, step: &str, outcome: &str, files: &[&str]) {
        let job = self.running.remove(step).unwrap_or_else(|| panic!("{step} does not run"));
        let id = job.task.id.clone();
        let actor = match &job.work.what {
            What::Agent { .. } => Actor::Agent {
                name: "a".to_owned(),
                adapter: "claude".to_owned(),
                version: None,
                model: None,
                family: Family("one".to_owned()),
            },
            What::Gate { profile } => Actor::Gate { profile: profile.clone() },
            What::Land => panic!("a landing is no step of a worker"),
        };
        let tree: TreeId = "3".repeat(40).parse().expect("hex");
        let mut record = Record::begin(id.clone(), job.work.phase.clone(), actor, commit(1), tree, String::new());
        let now = self.foreman.entry(&id).and_then(|entry| entry.checkpoint.clone()).unwrap_or(job.checkpoint);
        record.seq = now.seq + 1;
        record.outcome = outcome.parse().expect("an outcome");
        record.new_base = job.onto;
        if job.work.phase.as_str() == "plan" {
            let step = PlanStep {
                id: "S1".to_owned(),
                title: "x".to_owned(),
                detail: String::new(),
                files: files.iter().map(|file| (*file).to_owned()).collect(),
                acceptance: Vec::new(),
            };
            record.document = Some(Document::Plan(Plan { summary: String::new(), steps: vec![step] }));
        }
        let checkpoint = Box::new(apply(&now, &record).expect("it follows"));
        let (slot, tip, record) = (Some(job.slot), commit(9), Box::new(record));
        self.foreman.absorb(&Happened::Committed { slot, checkpoint, tip, record });
    }

    /// `> begun`, `? task: why it waits`, else what happens.
    #[track_caller]
    pub fn play(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(wanted) = line.strip_prefix('>') {
                assert_eq!(self.begin(), wanted.trim(), "{script}");
            } else if let Some((task, wanted)) = line.strip_prefix("? ").and_then(|line| line.split_once(": ")) {
                assert_eq!(self.why_waiting(task), wanted, "{script}");
            } else {
                self.happens(line);
            }
        }
    }
}
