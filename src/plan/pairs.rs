//! Which of many claims meet, without holding each against each.
//! Knows nothing of what a meeting means; `claim` says how two stand to each other.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::{
    claim::{Claim, Relation, relation},
    code_map::CodeMap,
    overlap::Pattern,
};

/// Claims of one file that are held against each other; a file that more may touch tells none of them from the others.
pub const CLAIMS_OF_FILE_MAX: usize = 150;
/// Pairs that are found.
pub const PAIRS_MAX: usize = 50_000;

/// The pairs of claims that are not apart, by their places, each once, the lower place first.
pub fn meetings(claims: &[Claim], map: &CodeMap) -> Vec<(usize, usize, Relation)> {
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    by_files(claims, &mut pairs);
    by_globs(claims, &mut pairs);
    related(claims, map, pairs)
}

/// Those of which one or both are only guessed to touch the same file.
pub fn risks(claims: &[Claim], map: &CodeMap) -> Vec<(usize, usize, Relation)> {
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    by_files(claims, &mut pairs);
    related(claims, map, pairs)
}

fn related(claims: &[Claim], map: &CodeMap, pairs: BTreeSet<(usize, usize)>) -> Vec<(usize, usize, Relation)> {
    let pairs: Vec<(usize, usize)> = pairs.into_iter().collect();
    let related = pairs.into_par_iter().map(|(one, other)| (one, other, relation(&claims[one], &claims[other], map)));
    related.filter(|(.., relation)| *relation != Relation::Apart).collect()
}

/// Leaves out the pairs of which one comes after the other anyway; `needs` are the places that each place waits for.
pub fn without_ordered(meetings: Vec<(usize, usize, Relation)>, needs: &[Vec<usize>]) -> Vec<(usize, usize, Relation)> {
    let before = all_before(needs);
    let is_before = |one: usize, other: usize| before[other][one / 64] & (1 << (one % 64)) != 0;
    meetings.into_iter().filter(|(one, other, _)| !is_before(*one, *other) && !is_before(*other, *one)).collect()
}

/// For each place, a bit for every place that it waits for, near or far. Of what is in a circle only the near ones.
fn all_before(needs: &[Vec<usize>]) -> Vec<Vec<u64>> {
    let mut dependents = vec![Vec::new(); needs.len()];
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut before = vec![vec![0_u64; needs.len().div_ceil(64)]; needs.len()];
    for (at, needs) in needs.iter().enumerate() {
        for need in needs {
            dependents[*need].push(at);
            before[at][need / 64] |= 1 << (need % 64);
        }
    }
    let mut ready: Vec<usize> = (0..needs.len()).filter(|at| open[*at] == 0).collect();
    while let Some(at) = ready.pop() {
        let of_this = before[at].clone();
        for next in &dependents[at] {
            before[*next].iter_mut().zip(&of_this).for_each(|(bits, more)| *bits |= more);
            open[*next] -= 1;
            if open[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    before
}

fn add(pairs: &mut BTreeSet<(usize, usize)>, one: usize, other: usize) {
    if one != other && pairs.len() < PAIRS_MAX {
        pairs.insert((one.min(other), one.max(other)));
    }
}

/// Those that may touch a file that is there.
fn by_files(claims: &[Claim], pairs: &mut BTreeSet<(usize, usize)>) {
    let mut of_file: HashMap<u32, (Vec<usize>, Vec<usize>)> = HashMap::new();
    for (at, claim) in claims.iter().enumerate() {
        claim.writes.iter().for_each(|file| of_file.entry(*file).or_default().0.push(at));
        claim.guesses.keys().for_each(|file| of_file.entry(*file).or_default().1.push(at));
    }
    for (writers, others) in of_file.values() {
        if writers.len() + others.len() > CLAIMS_OF_FILE_MAX {
            continue;
        }
        for (i, one) in writers.iter().chain(others).enumerate() {
            writers.iter().chain(others).skip(i + 1).for_each(|other| add(pairs, *one, *other));
        }
    }
}

/// Those whose globs may name one file, which need not be there.
fn by_globs(claims: &[Claim], pairs: &mut BTreeSet<(usize, usize)>) {
    let mut globs: HashMap<&str, (&Pattern, Vec<usize>)> = HashMap::new();
    for (at, claim) in claims.iter().enumerate() {
        for (pattern, _) in &claim.says {
            globs.entry(pattern.glob()).or_insert_with(|| (pattern, Vec::new())).1.push(at);
        }
    }
    let mut literals: HashMap<String, Vec<usize>> = HashMap::new();
    let (mut plain, mut wild) = (Vec::new(), Vec::new());
    for glob in globs.values() {
        all_of(pairs, &glob.1);
        match glob.0.literals() {
            Some(paths) => {
                paths.into_iter().for_each(|path| literals.entry(path).or_default().extend(&glob.1));
                plain.push(glob);
            }
            None => wild.push(glob),
        }
    }
    for (path, claims) in &literals {
        all_of(pairs, claims);
        for above in path.match_indices('/').filter_map(|(at, _)| literals.get(&path[..at])).chain(literals.get("")) {
            claims.iter().for_each(|one| above.iter().for_each(|other| add(pairs, *one, *other)));
        }
    }
    by_wild_globs(&wild, &plain, pairs);
}

type Glob<'a> = (&'a Pattern, Vec<usize>);

/// Each glob that names more than it says, beside the others and beside those that do not.
fn by_wild_globs(wild: &[&Glob], plain: &[&Glob], pairs: &mut BTreeSet<(usize, usize)>) {
    // Only globs that begin in the same directory, or anywhere, can meet.
    let starts: Vec<Option<String>> = wild.iter().map(|glob| glob.0.start()).collect();
    let mut of_start: HashMap<Option<String>, Vec<&Glob>> = HashMap::new();
    for glob in plain {
        of_start.entry(glob.0.start()).or_default().push(glob);
    }
    for (at, one) in wild.iter().enumerate() {
        let start = &starts[at];
        let later = wild[at + 1..].iter().zip(&starts[at + 1..]);
        let later = later.filter(|(_, theirs)| start.is_none() || theirs.is_none() || *theirs == start);
        let everywhere = plain.iter().filter(|_| start.is_none());
        let near = [start, &None].into_iter().filter(|_| start.is_some()).filter_map(|start| of_start.get(start));
        for other in later.map(|(other, _)| other).chain(everywhere).chain(near.flatten()) {
            if one.0.meets(other.0) {
                one.1.iter().for_each(|a| other.1.iter().for_each(|b| add(pairs, *a, *b)));
            }
        }
    }
}

fn all_of(pairs: &mut BTreeSet<(usize, usize)>, claims: &[usize]) {
    for (at, one) in claims.iter().enumerate() {
        claims[at + 1..].iter().for_each(|other| add(pairs, *one, *other));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::task::Task, plan::code_map::Ties};

    #[test]
    fn it_finds_what_holding_each_against_each_would_find() {
        let paths: Vec<String> = (0..30).map(|i| format!("{}/{i}.rs", ["src", "tests", "docs"][i % 3])).collect();
        let ties = Ties { imports: (1..30).map(|i| (i, i / 2)).collect(), ..Ties::default() };
        let map = CodeMap::new(paths, &ties);
        let globs = [
            "src/0.rs",
            "src/",
            "**/*.md",
            "tests/1.rs",
            "docs/*.rs",
            "new/a.rs",
            "new/**",
            "{src,docs}/5.rs",
            "SRC/3.rs",
        ];
        let claims: Vec<Claim> = (0..40_usize)
            .map(|i| {
                let mut task = Task::new(format!("t{i}").parse().expect("an id"), "t");
                task.files = vec![globs[i % globs.len()].to_owned(), globs[(i * 7 + 3) % globs.len()].to_owned()];
                task.files.truncate(i % 3);
                task.context = vec![format!("src/{}.rs", (i % 10) * 3)];
                Claim::new(&task, None, &map)
            })
            .collect();
        let mut wanted = Vec::new();
        for one in 0..claims.len() {
            for other in one + 1..claims.len() {
                let relation = relation(&claims[one], &claims[other], &map);
                wanted.extend((relation != Relation::Apart).then_some((one, other, relation)));
            }
        }
        assert!(wanted.len() > 50, "the test is worth something");
        assert_eq!(meetings(&claims, &map), wanted);
    }

    #[test]
    fn what_waits_for_the_other_anyway_is_no_meeting() {
        let check = |needs: &[&[usize]], wanted: &[(usize, usize)]| {
            let count = needs.len();
            let all = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other, Relation::Apart)));
            let needs: Vec<Vec<usize>> = needs.iter().map(|needs| needs.to_vec()).collect();
            let left: Vec<(usize, usize)> =
                without_ordered(all.collect(), &needs).into_iter().map(|(one, other, _)| (one, other)).collect();
            assert_eq!(left, wanted, "{needs:?}");
        };
        check(&[&[], &[0], &[1], &[]], &[(0, 3), (1, 3), (2, 3)]);
        check(&[&[], &[0], &[0]], &[(1, 2)]);
        check(&[&[1], &[0], &[]], &[(0, 2), (1, 2)]);
    }
}
