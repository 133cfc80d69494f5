//! In which order tasks are taken up: by priority, then what presses, what was begun, the longest way to the end, age.
//! Knows nothing of who works or what is being waited for: whoever may begin is told, tasks are places in a list.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A task presses when its way to the end takes more than this part of what all that is left must take: then it goes before
/// what was begun, longest way first. Before that, finishing is worth more than starting: a hundred tasks that are alike are
/// done a few at a time, not all a little.
const PRESSING: (u128, u128) = (1, 2);

/// What is known of a task that is still to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prospect {
    /// Higher goes first.
    pub priority: i32,
    /// What is left of the task itself.
    pub left: Duration,
    /// The longest chain of tasks that wait for it.
    pub after: Duration,
    /// Whether a step of it was made or is being made.
    pub is_begun: bool,
}

impl Prospect {
    /// From now to the end of the longest chain that begins with it.
    fn way(&self) -> Duration {
        self.left + self.after
    }
}

/// By priority, then the longest way, then who could begin first.
type Key = (Reverse<i32>, Reverse<Duration>, u64, usize);

#[derive(Debug, Clone, Default)]
struct Seat {
    prospect: Option<Prospect>,
    /// Since which turn it may be worked on.
    since: Option<u64>,
}

/// The open tasks of a run, and those of them that may be worked on now in the order in which they should be.
#[derive(Debug, Clone, Default)]
pub struct Precedence {
    workers: u32,
    seats: Vec<Seat>,
    begun: BTreeSet<Key>,
    fresh: BTreeSet<Key>,
    /// How many open tasks have each length of way.
    ways: BTreeMap<Duration, usize>,
    work: Duration,
    turn: u64,
}

impl Precedence {
    /// For this many tasks, none of which is open yet.
    pub fn new(tasks: usize, workers: usize) -> Self {
        let workers = u32::try_from(workers.max(1)).unwrap_or(u32::MAX);
        Self { workers, seats: vec![Seat::default(); tasks], ..Self::default() }
    }

    /// So many workers share the work from now on.
    pub fn set_workers(&mut self, workers: usize) {
        self.workers = u32::try_from(workers.max(1)).unwrap_or(u32::MAX);
    }

    /// The task is to be done, and this is known of it now.
    pub fn expect(&mut self, at: usize, prospect: Prospect) {
        if self.seats[at].prospect == Some(prospect) {
            return;
        }
        let since = self.seats[at].since;
        self.forget(at);
        *self.ways.entry(prospect.way()).or_default() += 1;
        self.work += prospect.left;
        self.seats[at] = Seat { prospect: Some(prospect), since };
        self.set_in_line(at);
    }

    /// Nothing is left of the task, or nothing that this run does.
    pub fn forget(&mut self, at: usize) {
        self.take_out_of_line(at);
        let Some(prospect) = self.seats[at].prospect.take() else { return };
        self.seats[at].since = None;
        self.work = self.work.saturating_sub(prospect.left);
        if let Some(count) = self.ways.get_mut(&prospect.way()) {
            *count -= 1;
            if *count == 0 {
                self.ways.remove(&prospect.way());
            }
        }
    }

    /// What is known of an open task.
    pub fn prospect(&self, at: usize) -> Option<Prospect> {
        self.seats[at].prospect
    }

    /// The task may be worked on. Who could be before keeps its age.
    pub fn wake(&mut self, at: usize) {
        if self.seats[at].prospect.is_some() && self.seats[at].since.is_none() {
            self.turn += 1;
            self.seats[at].since = Some(self.turn);
            self.set_in_line(at);
        }
    }

    /// There is nothing that could be started for it before something happens to it.
    pub fn sleep(&mut self, at: usize) {
        self.take_out_of_line(at);
        self.seats[at].since = None;
    }

    fn key(&self, at: usize) -> Option<(bool, Key)> {
        let Seat { prospect: Some(prospect), since: Some(since) } = &self.seats[at] else { return None };
        Some((prospect.is_begun, (Reverse(prospect.priority), Reverse(prospect.way()), *since, at)))
    }

    fn set_in_line(&mut self, at: usize) {
        if let Some((is_begun, key)) = self.key(at) {
            let line = if is_begun { &mut self.begun } else { &mut self.fresh };
            line.insert(key);
        }
    }

    fn take_out_of_line(&mut self, at: usize) {
        if let Some((is_begun, key)) = self.key(at) {
            let line = if is_begun { &mut self.begun } else { &mut self.fresh };
            line.remove(&key);
        }
    }

    /// What all that is left takes at least: the longest way, or the work of all, shared evenly.
    pub fn bound(&self) -> Duration {
        let longest = self.ways.last_key_value().map_or(Duration::ZERO, |(way, _)| *way);
        longest.max(self.work / self.workers)
    }

    /// Those that may be worked on, the first first; no more than so many.
    pub fn order(&self, most: usize) -> Vec<usize> {
        let bound = self.bound().as_millis();
        let presses = |key: &Key| key.1.0.as_millis() * PRESSING.1 > bound * PRESSING.0;
        let mut order = Vec::with_capacity(most.min(self.begun.len() + self.fresh.len()));
        let (mut begun, mut fresh) = (self.begun.iter().peekable(), self.fresh.iter().peekable());
        while let Some(priority) = begun.peek().into_iter().chain(fresh.peek()).map(|key| key.0).min() {
            if order.len() >= most {
                break;
            }
            let is_pressing = |key: &&Key| key.0 == priority && presses(key);
            while order.len() < most {
                // Of two equal ways the one that was begun.
                let (one, other) = (begun.peek().filter(|k| is_pressing(k)), fresh.peek().filter(|k| is_pressing(k)));
                let next = match (one, other) {
                    (Some(one), Some(other)) if one.1 <= other.1 => begun.next(),
                    (_, Some(_)) => fresh.next(),
                    (Some(_), None) => begun.next(),
                    (None, None) => break,
                };
                order.extend(next.map(|key| key.3));
            }
            while let Some(key) = begun.next_if(|key| key.0 == priority && order.len() < most) {
                order.push(key.3);
            }
            while let Some(key) = fresh.next_if(|key| key.0 == priority && order.len() < most) {
                order.push(key.3);
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name left after` lines, in the order in which they may begin; a name ends with `!` for each point of priority, `*` if it
    /// was begun, `?` if it may not begin.
    #[track_caller]
    fn check(text: &str, workers: usize, wanted: &str) -> Precedence {
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        let mut precedence = Precedence::new(lines.len(), workers);
        for (at, line) in lines.iter().enumerate() {
            let minutes = |word: &str| Duration::from_secs(60 * word.parse::<u64>().expect("minutes"));
            let prospect = Prospect {
                priority: line[0].matches('!').count() as i32,
                left: minutes(line[1]),
                after: minutes(line[2]),
                is_begun: line[0].contains('*'),
            };
            precedence.expect(at, prospect);
            if !line[0].contains('?') {
                precedence.wake(at);
            }
        }
        let order: Vec<&str> = precedence.order(usize::MAX).into_iter().map(|at| lines[at][0]).collect();
        assert_eq!(precedence.order(2), precedence.order(usize::MAX)[..2.min(order.len())]);
        assert_eq!(order.join(" "), wanted, "{text}");
        precedence
    }

    #[test]
    fn priority_then_what_presses_then_what_was_begun_then_the_longest_way_then_age() {
        check("", 4, "");
        check("a 1 0\nb! 1 0\nc!! 1 0", 4, "c!! b! a");
        check("a 1 0\nb 3 0\nc 2 9", 4, "c b a");
        // What was begun is finished first while there is enough to do for all.
        check("a 3 0\nb 3 0\nc* 1 0\nd 3 0\ne 3 0", 1, "c* a b d e");
        // Near the end, whoever has the longest way goes first.
        check("a 3 0\nb* 1 0\nc 3 0", 2, "a c b*");
        check("a 3 0\nb* 3 0\nc 3 0", 2, "b* a c");
        check("a 1 0\nb? 9 0\nc 1 0", 1, "a c");
        check("a! 1 0\nb* 1 9\nc!* 1 0", 2, "c!* a! b*");
    }

    #[test]
    fn what_sleeps_is_asked_again_only_when_it_is_woken_and_keeps_its_age_while_it_waits() {
        let mut order = check("a 1 0\nb 1 0\nc 1 0", 1, "a b c");
        order.sleep(0);
        assert_eq!(order.order(9), [1, 2]);
        order.wake(0);
        order.wake(1);
        assert_eq!(order.order(9), [1, 2, 0]);
        order.expect(2, Prospect { left: Duration::from_secs(600), ..Prospect::default() });
        assert_eq!(order.order(9), [2, 1, 0]);
        assert_eq!(order.bound(), Duration::from_secs(720));
        order.forget(2);
        order.forget(2);
        order.wake(2);
        assert_eq!(order.order(9), [1, 0]);
        assert_eq!(order.bound(), Duration::from_secs(120));
    }
}
