//! How long a set of tasks takes with some workers, and which can be done side by side.
//! Knows nothing of phases or agents: a task is some steps, one after another, of a known length in all.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    time::Duration,
};

use super::{Precedence, Prospect};

/// Steps of all pieces that are played through; of more, several are taken as one.
const STEPS_MAX: usize = 100_000;

/// One task, by its place among the others.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    /// Those that must be over before.
    pub needs: Vec<usize>,
    /// Those that never run at the same time.
    pub apart: Vec<usize>,
    /// How long it takes.
    pub time: Duration,
    /// In how many steps that is done; between two of them its worker may do something else.
    pub steps: u32,
    /// Higher goes first.
    pub priority: i32,
}

/// How long it takes with some workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Makespan {
    /// From the beginning of the first to the end of the last.
    pub time: Duration,
    /// No order of work could be faster: the longest chain, or the work of all, shared evenly.
    pub bound: Duration,
}

/// The time from each piece's beginning to the end of the longest chain that begins with it; zero for one in a circle.
pub fn paths(pieces: &[Piece]) -> Vec<Duration> {
    let mut dependents = vec![Vec::new(); pieces.len()];
    let mut open = vec![0; pieces.len()];
    for (at, piece) in pieces.iter().enumerate() {
        for need in &piece.needs {
            dependents[*need].push(at);
            open[*need] += 1;
        }
    }
    let mut paths = vec![Duration::ZERO; pieces.len()];
    let mut ends: Vec<usize> = (0..pieces.len()).filter(|at| open[*at] == 0).collect();
    while let Some(at) = ends.pop() {
        let after = dependents[at].iter().map(|next: &usize| paths[*next]).max().unwrap_or_default();
        paths[at] = pieces[at].time + after;
        for need in &pieces[at].needs {
            open[*need] -= 1;
            if open[*need] == 0 {
                ends.push(*need);
            }
        }
    }
    paths
}

/// How long it all takes with that many workers: whoever is free makes the next step, in the order in which a run does. Pieces in
/// a circle are left out.
pub fn makespan(pieces: &[Piece], workers: usize) -> Makespan {
    let paths = paths(pieces);
    let chain = paths.iter().max().copied().unwrap_or_default();
    let mut play = Play::new(pieces, &paths, workers.max(1));
    while play.go_on() {}
    Makespan { time: play.now, bound: chain.max(play.work / u32::try_from(workers.max(1)).unwrap_or(u32::MAX)) }
}

/// What has been done of some pieces, and who is at it.
struct Play<'a> {
    pieces: &'a [Piece],
    paths: &'a [Duration],
    dependents: Vec<Vec<usize>>,
    line: Precedence,
    /// How many each still needs, and how many that it is never beside have begun and not ended.
    open: Vec<usize>,
    in_the_way: Vec<usize>,
    left: Vec<Duration>,
    steps_max: u32,
    workers: usize,
    running: BinaryHeap<Reverse<(Duration, usize)>>,
    now: Duration,
    work: Duration,
}

impl<'a> Play<'a> {
    fn new(pieces: &'a [Piece], paths: &'a [Duration], workers: usize) -> Self {
        let mut dependents = vec![Vec::new(); pieces.len()];
        for (at, piece) in pieces.iter().enumerate() {
            piece.needs.iter().for_each(|need| dependents[*need].push(at));
        }
        let mut play = Self {
            pieces,
            paths,
            dependents,
            line: Precedence::new(pieces.len(), workers),
            open: pieces.iter().map(|piece| piece.needs.len()).collect(),
            in_the_way: vec![0; pieces.len()],
            left: pieces.iter().map(|piece| piece.time).collect(),
            steps_max: u32::try_from(STEPS_MAX / pieces.len().max(1)).unwrap_or(u32::MAX).max(1),
            workers,
            running: BinaryHeap::new(),
            now: Duration::ZERO,
            work: Duration::ZERO,
        };
        (0..pieces.len()).for_each(|at| play.expect(at));
        (0..pieces.len()).for_each(|at| play.wake(at));
        play
    }

    fn is_begun(&self, at: usize) -> bool {
        self.left[at] < self.pieces[at].time
    }

    fn expect(&mut self, at: usize) {
        let piece = &self.pieces[at];
        let after = self.paths[at].saturating_sub(piece.time);
        let (left, is_begun) = (self.left[at], self.is_begun(at));
        self.line.expect(at, Prospect { priority: piece.priority, left, after, is_begun });
    }

    fn wake(&mut self, at: usize) {
        if self.open[at] == 0 && (self.in_the_way[at] == 0 || self.is_begun(at)) {
            self.line.wake(at);
        }
    }

    /// Begins what can be begun, and ends the step that ends first. Whether there was one.
    fn go_on(&mut self) -> bool {
        while self.running.len() < self.workers {
            let Some(at) = self.line.order(1).pop() else { break };
            self.line.sleep(at);
            self.begin(at);
        }
        let Some(Reverse((end, at))) = self.running.pop() else { return false };
        self.now = end;
        if self.left[at].is_zero() {
            self.end(at);
        } else {
            self.expect(at);
            self.wake(at);
        }
        true
    }

    fn begin(&mut self, at: usize) {
        let pieces = self.pieces;
        let piece = &pieces[at];
        if self.left[at] == piece.time {
            for other in &piece.apart {
                self.in_the_way[*other] += 1;
                self.line.sleep(*other);
            }
        }
        let step = (piece.time / piece.steps.clamp(1, self.steps_max)).max(Duration::from_nanos(1)).min(self.left[at]);
        // The last one takes what the division left over.
        let step = if self.left[at] - step < step { self.left[at] } else { step };
        self.left[at] -= step;
        self.work += step;
        self.running.push(Reverse((self.now + step, at)));
    }

    fn end(&mut self, at: usize) {
        self.line.forget(at);
        let pieces = self.pieces;
        for other in &pieces[at].apart {
            self.in_the_way[*other] -= 1;
            if self.line.prospect(*other).is_some() && !self.is_begun(*other) {
                self.wake(*other);
            }
        }
        for next in std::mem::take(&mut self.dependents[at]) {
            self.open[next] -= 1;
            self.wake(next);
        }
    }
}

/// Groups of pieces that can be done side by side, each after those before it. Nothing waits for a group to end when it is
/// really done; it shows how wide the work is. Pieces in a circle are left out.
pub fn waves(pieces: &[Piece]) -> Vec<Vec<usize>> {
    let mut wave_of: Vec<Option<usize>> = vec![None; pieces.len()];
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let paths = paths(pieces);
    let mut left: Vec<usize> =
        (0..pieces.len()).filter(|at| paths[*at] > Duration::ZERO || pieces[*at].needs.is_empty()).collect();
    left.sort_by_key(|at| (Reverse(pieces[*at].priority), Reverse(paths[*at]), *at));
    while !left.is_empty() {
        let now = waves.len();
        let mut wave: Vec<usize> = Vec::new();
        let is_before = |at: &usize| wave_of[*at].is_some();
        let (ready, waiting): (Vec<usize>, Vec<usize>) =
            left.iter().partition(|at| pieces[**at].needs.iter().all(is_before));
        if ready.is_empty() {
            break;
        }
        left = waiting;
        let mut put_off = Vec::new();
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        for at in ready {
            if pieces[at].apart.iter().any(|other| taken.contains(other)) {
                put_off.push(at);
            } else {
                taken.insert(at);
                wave.push(at);
            }
        }
        wave.iter().for_each(|at| wave_of[*at] = Some(now));
        waves.push(wave);
        left.splice(0..0, put_off);
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name length [steps]: need need | apart` lines.
    fn pieces(text: &str) -> Vec<Piece> {
        let names: Vec<&str> = text.lines().map(|line| line.split_whitespace().next().expect("a name")).collect();
        let at = |name: &str| names.iter().position(|known| *known == name).expect(name);
        let line = |line: &str| {
            let (head, rest) = line.split_once(':').unwrap_or((line, ""));
            let (needs, apart) = rest.split_once('|').unwrap_or((rest, ""));
            let seconds = head.split_whitespace().nth(1).expect("a length").parse().expect("seconds");
            let steps = head.split_whitespace().nth(2).map_or(1, |steps| steps.parse().expect("a count"));
            Piece {
                needs: needs.split_whitespace().map(at).collect(),
                apart: apart.split_whitespace().map(at).collect(),
                time: Duration::from_secs(seconds),
                steps,
                priority: 0,
            }
        };
        text.lines().map(line).collect()
    }

    #[track_caller]
    fn check(text: &str, workers: usize, time: u64, bound: u64) {
        let found = makespan(&pieces(text), workers);
        assert_eq!((found.time.as_secs(), found.bound.as_secs()), (time, bound), "{text} with {workers}");
    }

    #[test]
    fn the_longest_way_goes_first() {
        check("", 4, 0, 0);
        check("a 1\nb 1\nc 1\nd 1", 2, 2, 2);
        check("a 1\nb 1\nc 5: b", 1, 7, 7);
        check("a 3\nb 3\nc 1\nd 5: c", 2, 6, 6);
        check("a 2: | b\nb 2: | a\nc 2", 3, 4, 2);
        check("a 1: b\nb 1: a\nc 1", 2, 1, 1);
    }

    #[test]
    fn between_two_steps_a_worker_does_something_else() {
        check("a 4\nb 4\nc 4", 2, 8, 6);
        check("a 4 4\nb 4 4\nc 4 4", 2, 6, 6);
        check("a 9 4\nb 3 2: a", 2, 12, 12);
        // Who has begun is in the other's way between its steps too.
        check("a 4 4: | b\nb 4 4: | a\nc 4 4", 2, 8, 6);
        check("a 0 3\nb 0: a\nc 2: b", 2, 2, 2);
    }

    #[test]
    fn what_never_runs_together_is_in_different_waves() {
        assert_eq!(waves(&pieces("a 1\nb 1: a\nc 1\nd 1: b c")), [vec![0, 2], vec![1], vec![3]]);
        assert_eq!(waves(&pieces("a 2: | b\nb 1: | a\nc 1")), [vec![0, 2], vec![1]]);
        assert_eq!(waves(&pieces("a 1: a\nb 1")), [vec![1]]);
    }
}
