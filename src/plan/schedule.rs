//! How long a set of tasks takes with some workers, and which can be done side by side.
//! Knows nothing of phases or agents: a task is one piece of work of known length.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    time::Duration,
};

/// One task, by its place among the others.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    /// Those that must be over before.
    pub needs: Vec<usize>,
    /// Those that never run at the same time.
    pub apart: Vec<usize>,
    /// How long it takes.
    pub time: Duration,
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

/// How long it all takes with that many workers: whoever is free takes what is ready, by priority, then the longest way to the
/// end, then the order here. Pieces in a circle are left out.
pub fn makespan(pieces: &[Piece], workers: usize) -> Makespan {
    let paths = paths(pieces);
    let mut dependents = vec![Vec::new(); pieces.len()];
    for (at, piece) in pieces.iter().enumerate() {
        piece.needs.iter().for_each(|need| dependents[*need].push(at));
    }
    let mut open: Vec<usize> = pieces.iter().map(|piece| piece.needs.len()).collect();
    let key = |at: usize| (Reverse(pieces[at].priority), Reverse(paths[at]), at);
    let mut ready: BTreeSet<_> = (0..pieces.len()).filter(|at| open[*at] == 0).map(key).collect();
    let mut running: BinaryHeap<Reverse<(Duration, usize)>> = BinaryHeap::new();
    let mut is_running = vec![false; pieces.len()];
    let (mut now, mut work) = (Duration::ZERO, Duration::ZERO);
    loop {
        let mut begun = Vec::new();
        for entry in &ready {
            if running.len() >= workers.max(1) {
                break;
            }
            let at = entry.2;
            if !pieces[at].apart.iter().any(|other| is_running[*other]) {
                is_running[at] = true;
                running.push(Reverse((now + pieces[at].time, at)));
                begun.push(*entry);
            }
        }
        begun.iter().for_each(|entry| {
            ready.remove(entry);
        });
        let Some(Reverse((end, at))) = running.pop() else { break };
        now = end;
        work += pieces[at].time;
        is_running[at] = false;
        for next in &dependents[at] {
            open[*next] -= 1;
            if open[*next] == 0 {
                ready.insert(key(*next));
            }
        }
    }
    let chain = paths.iter().max().copied().unwrap_or_default();
    Makespan { time: now, bound: chain.max(work / u32::try_from(workers.max(1)).unwrap_or(u32::MAX)) }
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

    /// `name length: need need | apart` lines.
    fn pieces(text: &str) -> Vec<Piece> {
        let names: Vec<&str> = text.lines().map(|line| line.split_whitespace().next().expect("a name")).collect();
        let at = |name: &str| names.iter().position(|known| *known == name).expect(name);
        let line = |line: &str| {
            let (head, rest) = line.split_once(':').unwrap_or((line, ""));
            let (needs, apart) = rest.split_once('|').unwrap_or((rest, ""));
            let seconds = head.split_whitespace().nth(1).expect("a length").parse().expect("seconds");
            Piece {
                needs: needs.split_whitespace().map(at).collect(),
                apart: apart.split_whitespace().map(at).collect(),
                time: Duration::from_secs(seconds),
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
    fn what_never_runs_together_is_in_different_waves() {
        assert_eq!(waves(&pieces("a 1\nb 1: a\nc 1\nd 1: b c")), [vec![0, 2], vec![1], vec![3]]);
        assert_eq!(waves(&pieces("a 2: | b\nb 1: | a\nc 1")), [vec![0, 2], vec![1]]);
        assert_eq!(waves(&pieces("a 1: a\nb 1")), [vec![1]]);
    }
}
