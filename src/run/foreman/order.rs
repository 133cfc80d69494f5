//! In which order the foreman looks at tasks: who may be worked on, how long each way is, who has waited long enough.
//! Starts nothing: that is for `orders`.

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use super::{super::early::Written, Entry, Foreman, Landing, Order, choice::Kind};
use crate::{
    model::{
        checkpoint::{Checkpoint, TaskState},
        record::Record,
        task::TaskId,
        workflow::PhaseId,
    },
    plan::{Foresight, Pace, Precedence, Prospect},
};

/// Tasks that may begin before one that they collide with, although it comes before them: then they wait for it.
const OVERTAKEN_MAX: u32 = 3;

/// How long nobody looks for work again while nothing happens: what only passing time changes is seen that much later.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Tasks that are looked at before all are.
const LOOKED_AT_FIRST: usize = 64;

/// Who may be worked on, and in which order.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub foresight: Box<dyn Foresight>,
    pub precedence: Precedence,
    /// By place: how long the longest chain takes that waits for a task.
    after: Vec<Duration>,
    /// Places of tasks that have begun and are not at their end: what they change is in nobody else's way.
    begun: BTreeSet<usize>,
    /// Finished tasks: by priority, then since when.
    finished: BTreeSet<(Reverse<i32>, u64, usize)>,
    /// By place: as what a task is among the finished.
    finished_as: Vec<Option<(Reverse<i32>, u64, usize)>>,
    finished_turn: u64,
    /// By place: how many began before it since it could begin but for those.
    overtaken: Vec<u32>,
    /// The tasks that are in the way of what comes after them in this round, though they cannot begin themselves.
    blocked: Vec<usize>,
    /// Kinds of tasks whose first steps find nobody free in this round.
    pub crowded_out: BTreeSet<Kind>,
    /// Why the first so many are not at work, as long as nothing happens.
    waiting: OnceLock<(usize, Vec<(TaskId, String)>)>,
    /// Whether something happened since work was last looked for.
    is_news: bool,
    /// When that was.
    looked: SystemTime,
}

impl Line {
    pub fn new(tasks: usize, workers: usize) -> Self {
        Self {
            foresight: Box::new(Pace::default()),
            precedence: Precedence::new(tasks, workers),
            after: vec![Duration::ZERO; tasks],
            begun: BTreeSet::new(),
            finished: BTreeSet::new(),
            finished_as: vec![None; tasks],
            finished_turn: 0,
            overtaken: vec![0; tasks],
            blocked: Vec::new(),
            crowded_out: BTreeSet::new(),
            waiting: OnceLock::new(),
            is_news: true,
            looked: SystemTime::UNIX_EPOCH,
        }
    }

    /// Something happened after which there may be work.
    pub fn has_news(&mut self) {
        self.is_news = true;
        self.waiting.take();
    }

    /// Whether there may be work that there was not when this was last asked.
    pub fn takes_a_look(&mut self, now: SystemTime) -> bool {
        let is_long_ago = now.duration_since(self.looked).is_ok_and(|since| since >= LOOK_AGAIN);
        let looks = std::mem::take(&mut self.is_news) || is_long_ago || now < self.looked;
        if looks {
            self.looked = now;
            self.waiting.take();
        }
        looks
    }
}

impl Foreman {
    /// Lets another say how long things take.
    pub fn foresee(&mut self, foresight: Box<dyn Foresight>) {
        self.line.foresight = foresight;
        self.line_up();
    }

    /// What all that is left takes at least, as far as that can be foreseen.
    pub fn foreseen(&self) -> Duration {
        self.line.precedence.bound()
    }

    fn at(&self, place: usize) -> &Entry {
        self.entries.get(self.graph.at(place)).expect("BUG: the graph is made of the entries")
    }

    /// Measures all ways anew.
    pub(super) fn line_up(&mut self) {
        let left: Vec<Duration> = (0..self.graph.len()).map(|place| self.left(self.at(place))).collect();
        self.line.after = self.graph.after(&left);
        for place in 0..self.graph.len() {
            self.stand(place);
        }
    }

    fn left(&self, entry: &Entry) -> Duration {
        match (&entry.workflow, &entry.checkpoint) {
            _ if !is_open(entry) => Duration::ZERO,
            (_, Some(checkpoint)) => self.line.foresight.left(&entry.task, &checkpoint.workflow, Some(checkpoint)),
            (Some(workflow), None) => self.line.foresight.left(&entry.task, workflow, None),
            (None, None) => Duration::ZERO,
        }
    }

    /// Something happened to the task at a place: it is put where it belongs now.
    fn stand(&mut self, place: usize) {
        self.line.has_news();
        let entry = self.at(place);
        let (is_open, is_begun) = (is_open(entry), !entry.running.is_empty() || entry.checkpoint.is_some());
        let (priority, left) = (entry.task.priority, self.left(entry));
        let is_finished = is_open && entry.state() == TaskState::Finished;
        let may_begin = self.unmet(entry).is_empty();
        if is_open && is_begun {
            self.line.begun.insert(place);
        } else {
            self.line.begun.remove(&place);
        }
        match (is_finished, self.line.finished_as[place]) {
            (false, Some(known)) => {
                self.line.finished.remove(&known);
                self.line.finished_as[place] = None;
            }
            (true, None) => {
                self.line.finished_turn += 1;
                let new = (Reverse(priority), self.line.finished_turn, place);
                self.line.finished.insert(new);
                self.line.finished_as[place] = Some(new);
            }
            (true, Some(_)) | (false, None) => {}
        }
        if !is_open {
            return self.line.precedence.forget(place);
        }
        let prospect = Prospect { priority, left, after: self.line.after[place], is_begun };
        self.line.precedence.expect(place, prospect);
        if may_begin {
            self.line.precedence.wake(place);
        }
    }

    /// Something happened to a task.
    pub(super) fn happened_to(&mut self, id: &TaskId) {
        if let Some(place) = self.graph.place(id) {
            self.stand(place);
        }
    }

    /// A step was made: what is said of all may be another now.
    pub(super) fn learned(&mut self, record: &Record, checkpoint: &Checkpoint) {
        let Some(entry) = self.entries.get(&record.task) else { return };
        if self.line.foresight.learn(&entry.task, checkpoint, record) {
            self.line_up();
        }
    }

    /// A task landed: those that waited for it may begin.
    pub(super) fn has_landed(&mut self, id: &TaskId) {
        let Some(place) = self.graph.place(id) else { return };
        self.claim_ends(id);
        self.stand(place);
        for at in 0..self.graph.dependents_of(place).len() {
            self.stand(self.graph.dependents_of(place)[at]);
        }
    }

    /// There is nothing to start for a task before something happens to it.
    pub(super) fn rests(&mut self, id: &TaskId) {
        if let Some(place) = self.graph.place(id) {
            self.line.precedence.sleep(place);
        }
    }

    /// Looks at the tasks that may be worked on, the first first, as long as a worker is free.
    pub(super) fn in_order(&mut self) -> Vec<Order> {
        self.line.blocked.clear();
        self.line.crowded_out.clear();
        let (mut orders, mut seen) = (Vec::new(), BTreeSet::new());
        // Nearly always one of the first can be begun.
        for most in [LOOKED_AT_FIRST, usize::MAX] {
            if !self.has_room() {
                break;
            }
            for place in self.line.precedence.order(most) {
                if !self.has_room() {
                    break;
                }
                if seen.insert(place) {
                    let id = self.graph.at(place).clone();
                    orders.extend(self.careful_steps(&id));
                }
            }
        }
        orders.extend(self.yielding_steps());
        orders
    }

    /// What the tasks that have begun and not landed have written so far.
    pub fn written(&self) -> impl Iterator<Item = Written> {
        self.begun().filter_map(|entry| Some(Written { checkpoint: entry.checkpoint.clone()?, tip: entry.tip? }))
    }

    /// How many tasks are being worked on that a gate is to judge.
    pub fn gates_ahead(&self) -> usize {
        let has_gate = |entry: &Entry| match &entry.checkpoint {
            Some(checkpoint) => checkpoint.workflow.has_gate(),
            None => entry.workflow.as_ref().is_some_and(|workflow| workflow.has_gate()),
        };
        self.begun().filter(|entry| !entry.running.is_empty() && has_gate(entry)).count()
    }

    /// Why the first tasks in line are not at work.
    pub fn waiting(&self, most: usize) -> Vec<(TaskId, String)> {
        let told = || {
            let first = self.line.precedence.order(most).into_iter().map(|place| self.at(place));
            first.filter_map(|entry| Some((entry.task.id.clone(), self.why_waiting(entry)?))).collect()
        };
        let (known, waiting) = self.line.waiting.get_or_init(|| (most, told()));
        if *known == most { waiting.clone() } else { told() }
    }

    /// The finished tasks that are to be landed next, by priority, then by who was finished first.
    pub(super) fn next_batch(&mut self, most: usize) -> Vec<Landing> {
        let (land, paused) = (PhaseId::land(), self.paused().clone());
        let finished = self.line.finished.iter().map(|(_, _, place)| *place);
        let later: BTreeSet<usize> =
            finished.filter(|place| self.lands_after(self.graph.at(*place)).is_some()).collect();
        let mut batch = Vec::new();
        for (_, _, place) in &self.line.finished {
            if batch.len() >= most {
                break;
            }
            let Some(entry) = self.entries.get_mut(self.graph.at(*place)) else { continue };
            let (Some(checkpoint), Some(tip)) = (&entry.checkpoint, entry.tip) else { continue };
            let is_ready = checkpoint.phase(&land).is_some_and(|phase| phase.state.may_start());
            let is_paused = paused.contains(&entry.task.id);
            if is_ready && !is_paused && !later.contains(place) && !entry.landing && entry.running.is_empty() {
                entry.landing = true;
                batch.push(Landing { task: entry.task.clone(), checkpoint: checkpoint.clone(), tip });
            }
        }
        batch
    }

    /// These are landed later.
    pub(super) fn put_back(&mut self, batch: &[Landing]) {
        for landing in batch {
            if let Some(entry) = self.entries.get_mut(&landing.task.id) {
                entry.landing = false;
            }
        }
    }

    /// The tasks that have begun and are not at their end.
    pub(super) fn begun(&self) -> impl Iterator<Item = &Entry> {
        self.line.begun.iter().map(|place| self.at(*place))
    }

    /// Whether what a task changes may get in another's way now.
    pub(super) fn is_at_work(&self, id: &TaskId) -> bool {
        self.graph.place(id).is_some_and(|place| self.line.begun.contains(&place))
    }

    /// A task could begin but for those that have begun.
    pub(super) fn is_blocked(&mut self, id: &TaskId) {
        self.line.blocked.extend(self.graph.place(id));
    }

    /// Why a task that could begin lets another go first, which it collides with and which was overtaken often enough.
    pub(super) fn yields(&self, entry: &Entry) -> Option<String> {
        let waited = |place: &usize| self.line.overtaken[*place] >= OVERTAKEN_MAX;
        let (place, why) = self.in_the_way_of(entry, &waited).next()?;
        Some(format!("lets {} go first, which has waited long: {why}", self.at(place).task.id))
    }

    /// Those of the blocked tasks that count and collide with another, which has not begun.
    fn in_the_way_of<'a>(
        &'a self,
        entry: &'a Entry,
        counts: &'a dyn Fn(&usize) -> bool,
    ) -> impl Iterator<Item = (usize, String)> + 'a {
        let is_new = entry.checkpoint.is_none() && !entry.task.files.is_empty();
        let blocked = self.line.blocked.iter().copied().filter(move |place| is_new && counts(place));
        let blocked = blocked.filter(|place| self.graph.at(*place) != &entry.task.id);
        blocked.filter_map(|place| Some((place, self.collision(self.at(place), entry)?)))
    }

    /// A task begins: those that it overtakes remember it.
    pub(super) fn begins(&mut self, id: &TaskId) {
        let overtaken: Vec<usize> = match self.entries.get(id) {
            Some(entry) => self.in_the_way_of(entry, &|_| true).map(|(place, _)| place).collect(),
            None => Vec::new(),
        };
        for place in overtaken {
            self.line.overtaken[place] += 1;
        }
    }
}

/// Whether this run has something to do for a task, as far as that depends on the task.
fn is_open(entry: &Entry) -> bool {
    let is_over = matches!(entry.state(), TaskState::Held | TaskState::Aborted | TaskState::Landed);
    entry.may_work() && (!is_over || !entry.running.is_empty())
}
