//! Which of many claims meet, without holding each against each.
//! Knows nothing of what a meeting means; `claim` says how two stand to each other.

use std::collections::{BTreeSet, HashMap};

use super::{
    claim::{Claim, Relation, relation},
    code_map::CodeMap,
    overlap::Pattern,
};

/// Claims of one file that are held against each other; a file that more may touch tells none of them from the others.
const CLAIMS_OF_FILE_MAX: usize = 150;
/// Pairs that are found.
pub const PAIRS_MAX: usize = 50_000;

/// The pairs of claims that are not apart, by their places, each once, the lower place first.
pub fn meetings(claims: &[Claim], map: &CodeMap) -> Vec<(usize, usize, Relation)> {
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    by_files(claims, &mut pairs);
    by_globs(claims, &mut pairs);
    let related = pairs.into_iter().map(|(one, other)| (one, other, relation(&claims[one], &claims[other], map)));
    related.filter(|(.., relation)| *relation != Relation::Apart).collect()
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
    // Only globs that begin in the same directory, or anywhere, can meet.
    let mut of_start: HashMap<Option<String>, Vec<&(&Pattern, Vec<usize>)>> = HashMap::new();
    for glob in globs.values() {
        for (i, one) in glob.1.iter().enumerate() {
            glob.1.iter().skip(i + 1).for_each(|other| add(pairs, *one, *other));
        }
        of_start.entry(glob.0.start()).or_default().push(glob);
    }
    let mut meet = |one: &(&Pattern, Vec<usize>), other: &(&Pattern, Vec<usize>)| {
        if one.0.meets(other.0) {
            one.1.iter().for_each(|a| other.1.iter().for_each(|b| add(pairs, *a, *b)));
        }
    };
    let anywhere = of_start.remove(&None).unwrap_or_default();
    for group in of_start.values() {
        for (i, one) in group.iter().enumerate() {
            group.iter().skip(i + 1).chain(&anywhere).for_each(|other| meet(one, other));
        }
    }
    for (i, one) in anywhere.iter().enumerate() {
        anywhere.iter().skip(i + 1).for_each(|other| meet(one, other));
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
}
