//! The run's workers: the threads of a rayon pool, each of which does one thing at a time, to its end.
//! Knows nothing of tasks, nor of who is to do what; that is handed out by the loop.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Who works beside the workers: the landing, what judges the next batch ahead, what looks for early conflicts, and what makes
/// the gates' worktrees.
const BESIDE: usize = 4;

/// As many threads as there may be steps at once, and some for what goes on beside them.
pub struct Crew {
    pool: ThreadPool,
    jobs: usize,
}

impl Crew {
    /// Workers for so many steps at once.
    ///
    /// # Errors
    /// When the machine has no threads left.
    pub fn new(jobs: usize) -> Result<Self, ThreadPoolBuildError> {
        // A worker waits for its agent nearly all the time: there may be more of them than cores.
        let pool =
            ThreadPoolBuilder::new().num_threads(jobs + BESIDE).thread_name(|i| format!("worker-{i}")).build()?;
        Ok(Self { pool, jobs })
    }

    /// Has workers for so many steps at once from now on. A pool cannot grow: a larger one takes its place, and who
    /// works in the old one ends what was begun.
    ///
    /// # Errors
    /// When the machine has no threads left; the workers are as many as before.
    pub fn grow(&mut self, jobs: usize) -> Result<(), ThreadPoolBuildError> {
        if jobs > self.jobs {
            *self = Self::new(jobs)?;
        }
        Ok(())
    }

    /// Has a worker do something. It must not share work out by rayon itself: whoever waits for a part of it would take up what
    /// waits here meanwhile, and an agent's step may take an hour.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        self.pool.spawn(work);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn who_works_while_the_crew_grows_ends_what_was_begun() {
        let mut crew = Crew::new(1).expect("threads");
        let (go, may_go) = channel::<()>();
        let (done, is_done) = channel();
        let old = done.clone();
        crew.spawn(move || {
            may_go.recv().expect("it is told");
            old.send("old").expect("it is awaited");
        });
        crew.grow(2).expect("threads");
        // What waits for the old one can only be told by one of the new.
        crew.spawn(move || go.send(()).expect("it waits"));
        assert_eq!(is_done.recv(), Ok("old"));
        for _ in 0..2 + BESIDE {
            let done = done.clone();
            crew.spawn(move || done.send("new").expect("it is awaited"));
        }
        assert_eq!(is_done.iter().take(2 + BESIDE).filter(|who| *who == "new").count(), 2 + BESIDE);
    }
}
