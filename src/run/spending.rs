//! What attempts cost that left no step: parked, cancelled, killed. Each is written down before its agent is asked, so
//! that a crash does not forget it. Knows nothing of budgets. Deleting the directory loses no finished step: what those
//! cost is in their commits.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    io::Write as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::RunError;
use crate::{
    model::{money::Money, task::TaskId, workflow::PhaseId},
    sys::{
        clock,
        file::{self, Sync},
    },
};

/// The file of attempts that are over, a line of JSON each.
const DROPPED_FILE: &str = "dropped.jsonl";
/// Bytes of that file that are read: some 20,000 attempts.
const DROPPED_BYTES_MAX: usize = 4 << 20;
/// Bytes beyond which old lines are forgotten when a run starts.
const DROPPED_BYTES_KEPT: usize = DROPPED_BYTES_MAX / 2;
/// Bytes of the file of one attempt that are read.
const ATTEMPT_BYTES_MAX: usize = 64 << 10;

/// An attempt of an agent at a phase.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attempt {
    /// The task.
    pub task: TaskId,
    /// The phase.
    pub phase: PhaseId,
    /// The attempt at it, from 1.
    pub attempt: u32,
    /// The agent.
    pub agent: String,
    /// When it began, RFC 3339, as the record of its step will say.
    pub started: String,
    /// What it cost, or may cost while it runs.
    pub cost_usd: Money,
}

impl Attempt {
    fn name(&self) -> (&TaskId, &PhaseId, u32, &str) {
        (&self.task, &self.phase, self.attempt, &self.started)
    }

    /// When it began.
    pub fn began(&self) -> Option<SystemTime> {
        clock::parse_rfc3339(&self.started)
    }
}

/// The directory.
#[derive(Debug)]
pub struct Spending {
    dir: PathBuf,
    sync: Sync,
    /// What the last attempt of each worker cost that left no step.
    ended: Mutex<BTreeMap<usize, Money>>,
}

impl Spending {
    /// The directory, which need not be there. With [`Sync::Full`] what is written survives a loss of power too.
    pub fn new(dir: PathBuf, sync: Sync) -> Self {
        Self { dir, sync, ended: Mutex::default() }
    }

    /// Writes down that a worker is about to ask an agent. Until [`Open::made`] is said, it counts with what it may cost.
    ///
    /// # Errors
    /// When it cannot be written: nothing may be spent that is not written down.
    pub fn begin(&self, slot: usize, attempt: Attempt) -> Result<Open<'_>, RunError> {
        let path = self.dir.join(format!("worker-{slot}.json"));
        let bytes = serde_json::to_vec(&attempt).expect("BUG: an attempt is JSON");
        fs::create_dir_all(&self.dir)
            .and_then(|()| file::write_atomic(&path, &bytes, self.sync))
            .map_err(|source| RunError::File { path: path.clone(), what: "cannot be written", source })?;
        Ok(Open { spending: self, slot, path, attempt, is_made: false })
    }

    /// What the last attempt of a worker cost if it left no step; told once.
    pub fn take_ended(&self, slot: usize) -> Option<Money> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).remove(&slot)
    }

    /// The attempts that left no step, the oldest first. Lines that cannot be read are passed over.
    pub fn dropped(&self) -> Vec<Attempt> {
        let bytes = file::read_limited(&self.dir.join(DROPPED_FILE), DROPPED_BYTES_MAX).unwrap_or_default();
        let lines = String::from_utf8_lossy(&bytes).into_owned();
        let mut seen = BTreeSet::new();
        let attempts = lines.lines().filter_map(|line| serde_json::from_str::<Attempt>(line).ok());
        let attempts: Vec<Attempt> = attempts.collect();
        let is_new = |attempt: &Attempt| {
            let (task, phase, number, started) = attempt.name();
            seen.insert((task.clone(), phase.clone(), number, started.to_owned()))
        };
        let mut is_new = is_new;
        attempts.into_iter().filter(|attempt| is_new(attempt)).collect()
    }

    /// Closes what a run left open that did not end well. `is_made` says whether an attempt's step is in the commits.
    /// No run may be at work.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close_left(&self, mut is_made: impl FnMut(&Attempt) -> bool) -> Result<(), RunError> {
        let cannot = |source| RunError::File { path: self.dir.clone(), what: "cannot be put right", source };
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(cannot)?,
        };
        for entry in entries {
            let path = entry.map_err(cannot)?.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let bytes = file::read_limited(&path, ATTEMPT_BYTES_MAX).map_err(cannot)?;
            // One that a loss of power left empty says nothing.
            if let Ok(attempt) = serde_json::from_slice::<Attempt>(&bytes)
                && !is_made(&attempt)
            {
                self.append(&attempt).map_err(cannot)?;
            }
            fs::remove_file(&path).map_err(cannot)?;
        }
        self.shorten().map_err(cannot)
    }

    fn append(&self, attempt: &Attempt) -> io::Result<()> {
        let mut line = serde_json::to_vec(attempt)?;
        // It begins a line of its own even if a crash cut off the last one.
        line.insert(0, b'\n');
        line.push(b'\n');
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.dir.join(DROPPED_FILE))?;
        file.write_all(&line)?;
        match self.sync {
            Sync::Full => file::sync_file(&file).and_then(|()| file::sync_dir(&self.dir)),
            Sync::No => Ok(()),
        }
    }

    /// Forgets the oldest attempts once they are very many.
    fn shorten(&self) -> io::Result<()> {
        let path = self.dir.join(DROPPED_FILE);
        let length = fs::metadata(&path).map_or(0, |found| found.len());
        if length <= DROPPED_BYTES_KEPT as u64 {
            return Ok(());
        }
        let attempts = self.dropped();
        let kept: Vec<Vec<u8>> =
            attempts[attempts.len() / 2..].iter().filter_map(|a| serde_json::to_vec(a).ok()).collect();
        file::write_atomic(&path, &[kept.join(&b'\n'), vec![b'\n']].concat(), self.sync)
    }
}

/// An attempt that is going on. Unless it is said to be made, it counts as dropped when this goes, be it by a panic.
#[derive(Debug)]
pub struct Open<'a> {
    spending: &'a Spending,
    slot: usize,
    path: PathBuf,
    attempt: Attempt,
    is_made: bool,
}

impl Open<'_> {
    /// The agent has ended, and cost that much.
    pub fn cost(&mut self, cost: Money) {
        self.attempt.cost_usd = cost;
    }

    /// Its step is in a commit, which says what it cost.
    pub fn made(mut self) {
        self.is_made = true;
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.is_made {
            let cost = self.attempt.cost_usd;
            self.spending.ended.lock().unwrap_or_else(PoisonError::into_inner).insert(self.slot, cost);
            if cost > Money::ZERO
                && let Err(error) = self.spending.append(&self.attempt)
            {
                // The file of the attempt stays, and the next run closes it.
                tracing::warn!(%error, "what a dropped attempt cost was not written down");
                return;
            }
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, path = %self.path.display(), "an attempt that is over was not closed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(number: u32, cents: u64) -> Attempt {
        Attempt {
            task: "api".parse().expect("an id"),
            phase: "implement/S1".parse().expect("a phase"),
            attempt: number,
            agent: "claude".to_owned(),
            started: "2026-01-02T03:04:05.678Z".to_owned(),
            cost_usd: Money::micros(cents * 10_000),
        }
    }

    fn costs(spending: &Spending) -> Vec<String> {
        spending.dropped().iter().map(|attempt| format!("{} {}", attempt.attempt, attempt.cost_usd)).collect()
    }

    #[test]
    fn what_left_no_step_counts_and_what_did_does_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let spending = Spending::new(dir.path().join("spending"), Sync::Full);
        assert!(spending.dropped().is_empty() && spending.close_left(|_| false).is_ok());
        spending.begin(0, attempt(1, 50)).expect("written").made();
        assert_eq!(spending.take_ended(0), None);
        let mut cancelled = spending.begin(0, attempt(2, 50)).expect("written");
        cancelled.cost(Money::micros(20_000));
        drop(cancelled);
        assert_eq!((spending.take_ended(0), spending.take_ended(0)), (Some(Money::micros(20_000)), None));
        let mut refused = spending.begin(1, attempt(3, 50)).expect("written");
        refused.cost(Money::ZERO);
        drop(refused);
        assert_eq!(costs(&spending), ["2 $0.02"]);
    }

    #[test]
    fn a_crash_forgets_nothing_and_counts_nothing_twice() {
        let dir = tempfile::tempdir().expect("a directory");
        let spending = Spending::new(dir.path().to_owned(), Sync::No);
        // Killed while two agents worked, one of them after its commit and before it was closed.
        std::mem::forget(spending.begin(0, attempt(1, 100)).expect("written"));
        std::mem::forget(spending.begin(1, attempt(2, 200)).expect("written"));
        assert!(costs(&spending).is_empty());
        spending.close_left(|attempt| attempt.attempt == 1).expect("closed");
        assert_eq!(costs(&spending), ["2 $2.00"]);
        // Killed between the line and the removal of the file; and a line that was cut off.
        std::mem::forget(spending.begin(1, attempt(2, 200)).expect("written"));
        let path = dir.path().join(DROPPED_FILE);
        let whole = fs::read(&path).expect("read");
        fs::write(&path, [whole, b"{\"task\":\"ap".to_vec()].concat()).expect("written");
        spending.close_left(|_| false).expect("closed");
        std::mem::forget(spending.begin(3, attempt(4, 1)).expect("written"));
        fs::write(dir.path().join("worker-4.json"), "").expect("a loss of power");
        spending.close_left(|_| false).expect("closed");
        assert_eq!(costs(&spending), ["2 $2.00", "4 $0.01"]);
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 1, "nothing is left open");
    }
}
