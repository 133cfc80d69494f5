//! What each worker is doing, in files that `status` of another terminal reads. Hints only: deleting them loses nothing.
//! Knows nothing of the loop; whether a run is alive is told by who holds the lock, not by these files.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use serde::{Deserialize, Serialize};

use super::early::Clash;
use crate::{
    config::settings::QuotaPolicy,
    model::{
        money::{Money, Tokens},
        task::TaskId,
        workflow::PhaseId,
    },
    sys::{
        file::{self, Sync},
        lock::Holder,
    },
    text,
};

/// Characters of an agent's words that are shown.
const LAST_WIDTH_MAX: usize = 160;
/// Bytes of such a file that are read.
const FILE_BYTES_MAX: usize = 64 << 10;

/// What a worker is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// The worker.
    pub slot: usize,
    /// The task.
    pub task: TaskId,
    /// The phase.
    pub phase: PhaseId,
    /// The attempt.
    pub attempt: u32,
    /// The agent's name, the gate's profile, or `land`.
    pub agent: String,
    /// The model.
    pub model: Option<String>,
    /// When it began, RFC 3339.
    pub since: String,
    /// What it last said or did, one line.
    pub last: String,
    /// Tokens so far.
    pub tokens: Tokens,
}

/// An agent that is not asked for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedAgent {
    /// Its name.
    pub agent: String,
    /// Until when, RFC 3339.
    pub until: String,
    /// Why.
    pub reason: String,
    /// What is done meanwhile.
    #[serde(default)]
    pub policy: QuotaPolicy,
    /// How often in a row it was parked.
    #[serde(default)]
    pub streak: u32,
}

/// What a run is doing as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its process.
    pub pid: u32,
    /// When it began, RFC 3339.
    pub since: String,
    /// Workers.
    pub jobs: usize,
    /// Those of them that may work now.
    #[serde(default)]
    pub jobs_now: usize,
    /// Why that is fewer.
    #[serde(default)]
    pub why_fewer: Option<String>,
    /// What was written so far and does not merge.
    #[serde(default)]
    pub clashes: Vec<Clash>,
    /// Why tasks wait, by name.
    #[serde(default)]
    pub waiting: Vec<(TaskId, String)>,
    /// What it spent so far.
    #[serde(default)]
    pub spent_usd: Money,
    /// What its running steps may still spend.
    #[serde(default)]
    pub reserved_usd: Money,
    /// What it may spend.
    #[serde(default)]
    pub budget_usd: Option<Money>,
}

/// The files of a run. What is told is kept in memory until the loop has it written: most steps say far more than anybody
/// can read, and many are over before anybody could look.
#[derive(Debug)]
pub struct Live {
    dir: PathBuf,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    run: Desk<Run>,
    workers: Vec<Desk<Worker>>,
}

/// What is known of the run or of one worker, and what its file says.
#[derive(Debug)]
struct Desk<T> {
    now: Option<T>,
    written: Option<T>,
}

impl<T> Default for Desk<T> {
    fn default() -> Self {
        Self { now: None, written: None }
    }
}

impl<T: Serialize + Clone + PartialEq> Desk<T> {
    fn is_behind(&self) -> bool {
        self.now != self.written
    }

    /// Has the file say what is known.
    fn flush(&mut self, live: &Live, name: &str) {
        if !self.is_behind() {
            return;
        }
        match &self.now {
            Some(now) => live.write(name, now),
            None => {
                let _ = std::fs::remove_file(live.path(name));
            }
        }
        self.written.clone_from(&self.now);
    }
}

impl Live {
    /// The directory, emptied of what an earlier run left.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn begin(dir: &Path, jobs: usize) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                std::fs::remove_file(path)?;
            }
        }
        let workers = (0..jobs).map(|_| Desk::default()).collect();
        Ok(Self { dir: dir.to_owned(), told: Mutex::new(Told { run: Desk::default(), workers }) })
    }

    /// Tells what the run is doing.
    pub fn run(&self, run: Run) {
        self.told().run.now = Some(run);
    }

    /// Tells which agents are parked, in a file that a later run reads again.
    pub fn parked(&self, parked: &[ParkedAgent]) {
        self.write("parked", parked);
    }

    /// Tells what a worker is doing.
    pub fn worker(&self, worker: &Worker) {
        if let Some(desk) = self.told().workers.get_mut(worker.slot) {
            desk.now = Some(worker.clone());
        }
    }

    /// A worker is idle again.
    pub fn idle(&self, slot: usize) {
        if let Some(desk) = self.told().workers.get_mut(slot) {
            desk.now = None;
        }
    }

    /// Whether a worker does something else than its file says.
    pub fn is_behind(&self) -> bool {
        self.told().workers.iter().any(Desk::is_behind)
    }

    /// Writes what was told since the last time.
    pub fn flush(&self) {
        let mut told = self.told();
        told.run.flush(self, "run");
        for (slot, desk) in told.workers.iter_mut().enumerate() {
            desk.flush(self, &format!("worker-{slot}"));
        }
    }

    /// The run is over.
    pub fn end(&self) {
        self.told().run.now = None;
        self.flush();
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.json"))
    }

    /// A hint that cannot be written is not worth stopping for.
    fn write<T: Serialize + ?Sized>(&self, name: &str, value: &T) {
        let written = serde_json::to_vec(value)
            .map_err(io::Error::from)
            .and_then(|bytes| file::write_atomic(&self.path(name), &bytes, Sync::No));
        if let Err(error) = written {
            tracing::debug!(%error, name, "a live file was not written");
        }
    }
}

/// One line of what an agent said or did.
pub fn last_words(words: &str) -> String {
    let line = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    text::cut(text::clean_line(line).trim(), LAST_WIDTH_MAX)
}

/// What goes on in a repository at one moment.
#[derive(Debug, Default)]
pub struct Present {
    /// The run that is at work.
    pub run: Option<Run>,
    /// Its workers that do something.
    pub workers: Vec<Worker>,
    /// Agents that are not asked for a while, also if no run is at work.
    pub parked: Vec<ParkedAgent>,
}

impl Present {
    /// What the files of a directory say, where `holder` holds the lock: of any other process they are what it left.
    pub fn read(dir: &Path, holder: Option<&Holder>) -> Self {
        let (run, workers, parked) = read(dir);
        let run = run.filter(|run| holder.is_some_and(|holder| holder.pid == run.pid));
        let workers = if run.is_some() { workers } else { Vec::new() };
        Self { run, workers, parked }
    }
}

/// What the run in this directory is doing, or was when it ended, its workers, and which agents are parked.
pub fn read(dir: &Path) -> (Option<Run>, Vec<Worker>, Vec<ParkedAgent>) {
    let run = read_file(&dir.join("run.json"));
    let parked = read_file(&dir.join("parked.json")).unwrap_or_default();
    let mut workers: Vec<Worker> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("worker-"))
        .filter_map(|entry| read_file(&entry.path()))
        .collect();
    workers.sort_by_key(|worker| worker.slot);
    (run, workers, parked)
}

fn read_file<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    let bytes = file::read_limited(path, FILE_BYTES_MAX).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_says_counts_only_while_it_holds_the_lock() {
        let dir = tempfile::tempdir().expect("a directory");
        let live = Live::begin(dir.path(), 1).expect("a directory");
        let run = Run {
            pid: 7,
            since: "2027-01-15T08:00:00Z".to_owned(),
            jobs: 1,
            jobs_now: 1,
            why_fewer: None,
            clashes: Vec::new(),
            waiting: Vec::new(),
            spent_usd: Money::ZERO,
            reserved_usd: Money::ZERO,
            budget_usd: None,
        };
        live.run(run.clone());
        live.worker(&Worker {
            slot: 0,
            task: "api".parse().expect("an id"),
            phase: "implement".parse().expect("a phase"),
            attempt: 1,
            agent: "a".to_owned(),
            model: None,
            since: run.since.clone(),
            last: String::new(),
            tokens: Tokens::default(),
        });
        let (until, reason) = (run.since, "quota".to_owned());
        live.parked(&[ParkedAgent { agent: "a".to_owned(), until, reason, policy: QuotaPolicy::default(), streak: 1 }]);
        live.flush();
        let seen = |holder: Option<u32>| {
            let holder = holder.map(|pid| Holder {
                pid,
                host: String::new(),
                boot_id: String::new(),
                process_start: 0,
                since: String::new(),
                command: "start".to_owned(),
            });
            let Present { run, workers, parked } = Present::read(dir.path(), holder.as_ref());
            (run.is_some(), workers.len(), parked.len())
        };
        assert_eq!(seen(Some(7)), (true, 1, 1));
        assert_eq!(seen(Some(8)), (false, 0, 1));
        assert_eq!(seen(None), (false, 0, 1));
    }
}
