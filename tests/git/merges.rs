//! Merges in memory against `git merge-tree`: the same verdict, and the same tree where it is clean.
//! `GIT_SEEDS=<count>` tries so many generated merges; a failing one is repeated with `GIT_SEED=<seed>`.

use std::collections::BTreeMap;

use git_orchestrate::{
    config::settings::Durability,
    git::{Draft, Edit, EntryKind, Merged, OnConflict, What},
    model::object::{CommitId, TreeId},
};

use crate::kit::{Dice, Sandbox, commit_of, git_fed};

/// Merges where nothing says how many: half of them tame, half of them wild.
const SEEDS_DEFAULT: usize = 300;
/// Merges that share a repository and a run of `git merge-tree`.
const SEEDS_A_SANDBOX: usize = 500;
/// Conflicts that one more merge than this must have shown, and clean ones.
const BOTH_FROM: usize = 50;

/// A file: what it holds, and whether it is a link, can be run, or neither.
type Files = BTreeMap<String, (char, Vec<u8>)>;

fn text(dice: &mut Dice, lines: usize) -> Vec<u8> {
    (0..lines).map(|at| format!("line {at} {}\n", dice.below(100_000))).collect::<String>().into_bytes()
}

fn base(dice: &mut Dice) -> Files {
    let mut files: Files = (0..40)
        .map(|at| {
            let lines = dice.below(50) + 5;
            (format!("d{}/s{}/f{at:02}.txt", at % 5, at % 2), ('f', text(dice, lines)))
        })
        .collect();
    files.insert("run.sh".into(), ('x', b"#!/bin/sh\necho\n".to_vec()));
    files.insert("ln".into(), ('l', b"d0/s0/f00.txt".to_vec()));
    files.insert("bin".into(), ('f', (0..=255).cycle().take(1024).collect()));
    files
}

fn change_lines(dice: &mut Dice, bytes: &[u8], times: usize) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..times {
        let at = dice.below(lines.len().saturating_sub(1));
        lines[at] = format!("edit {}", dice.below(1_000_000)).into_bytes();
        if dice.below(3) == 0 {
            let at = dice.below(lines.len());
            lines.insert(at, format!("more {}", dice.below(1_000_000)).into_bytes());
        }
    }
    lines.join(&b'\n')
}

fn mutate(files: &Files, dice: &mut Dice, hot: &[String], wild: bool) -> Files {
    let mut files = files.clone();
    for _ in 0..dice.below(6) + 1 {
        let plain: Vec<String> = files.iter().filter(|(_, file)| file.0 != 'l').map(|(path, _)| path.clone()).collect();
        let path = if dice.below(9) < 4 { dice.pick(hot).clone() } else { dice.pick(&plain).clone() };
        let Some((kind, bytes)) = files.get(&path).cloned() else { continue };
        let kinds = if wild { 16 } else { 11 };
        match dice.below(kinds) {
            0..=3 => {
                let times = dice.below(4) + 1;
                files.insert(path, (kind, change_lines(dice, &bytes, times)));
            }
            4 => {
                drop(files.insert(format!("d{}/new{}.txt", dice.below(5), dice.below(100_000)), ('f', text(dice, 10))))
            }
            5 => {
                let same = dice.below(3) as u64;
                let path = format!("d{}/same{}.txt", dice.below(2), dice.below(2));
                files.insert(path, ('f', text(&mut Dice::new(same), 10)));
            }
            6 => drop(files.remove(&path)),
            7 => {
                let names = if wild { 4 } else { 100_000 };
                files.remove(&path);
                files.insert(format!("d{}/ren{}.txt", dice.below(5), dice.below(names)), (kind, bytes));
            }
            8 => {
                files.remove(&path);
                let bytes = change_lines(dice, &bytes, 1);
                files.insert(format!("r/{}.txt", dice.below(100_000)), (kind, bytes));
            }
            9 => drop(files.insert(path, (if kind == 'f' { 'x' } else { 'f' }, bytes))),
            10 => drop(files.insert(format!("cp/{}.txt", dice.below(100_000)), (kind, bytes))),
            11 => {
                let (from, to) = (format!("d{}/", dice.below(5)), format!("moved{}/", dice.below(3)));
                let moved: Vec<String> = files.keys().filter(|path| path.starts_with(&from)).cloned().collect();
                for path in moved {
                    let file = files.remove(&path).unwrap();
                    files.insert(format!("{to}{}", &path[from.len()..]), file);
                }
            }
            12 => {
                files.remove(&path);
                files.insert(format!("{path}/inner"), (kind, bytes));
            }
            13 => drop(files.insert("ln".into(), ('l', format!("t{}", dice.below(3)).into_bytes()))),
            14 => drop(files.insert(path, ('l', b"some/target".to_vec()))),
            _ => drop(files.insert("bin".into(), ('f', (0..300).map(|_| dice.below(256) as u8).collect()))),
        }
    }
    let paths: Vec<String> = files.keys().cloned().collect();
    for path in paths {
        let is_dir_elsewhere = path.match_indices('/').any(|(at, _)| files.contains_key(&path[..at]));
        if is_dir_elsewhere {
            files.remove(&path);
        }
    }
    files
}

fn write_tree(draft: &mut Draft, files: &Files) -> TreeId {
    let edits: Vec<Edit> = files
        .iter()
        .filter(|(_, file)| file.0 != 'l')
        .map(|(path, (kind, bytes))| {
            let blob = draft.blob(bytes).unwrap();
            Edit { path: path.clone(), what: What::Put { blob, executable: *kind == 'x' } }
        })
        .collect();
    let tree = draft.tree(None, &edits).unwrap();
    let links: Vec<Edit> = files
        .iter()
        .filter(|(_, file)| file.0 == 'l')
        .map(|(path, (_, target))| Edit { path: path.clone(), what: What::PutLink(draft.blob(target).unwrap()) })
        .collect();
    draft.tree(Some(tree), &links).unwrap()
}

struct Case {
    seed: usize,
    ours: TreeId,
    merged: Merged,
    commits: [CommitId; 2],
    result: CommitId,
}

/// Merges every seed that is asked for, some in each sandbox.
fn check_all(wild: bool) {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<usize>().ok());
    let seeds = match (number("GIT_SEED"), number("GIT_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(SEEDS_DEFAULT).div_ceil(2),
    };
    let (mut tried, mut conflicts) = (0, 0);
    for from in seeds.clone().step_by(SEEDS_A_SANDBOX) {
        let some = from..seeds.end.min(from + SEEDS_A_SANDBOX);
        tried += some.len();
        conflicts += check(some, wild);
    }
    let few = tried < BOTH_FROM;
    assert!(few || (conflicts > tried / 10 && conflicts < tried * 9 / 10), "{conflicts} of {tried} are conflicts");
}

/// Merges these seeds and says how many conflict.
fn check(seeds: std::ops::Range<usize>, wild: bool) -> usize {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let root = repository.resolve("HEAD").unwrap();
    let mut draft = repository.draft();
    let mut cases = Vec::new();
    for seed in seeds {
        let mut dice = Dice::new(seed as u64 * 7919 + 13);
        let start = base(&mut dice);
        let paths: Vec<String> = start.keys().filter(|path| path.ends_with(".txt")).cloned().collect();
        let hot: Vec<String> = (0..4).map(|_| dice.pick(&paths).clone()).collect();
        let sides = [start.clone(), mutate(&start, &mut dice, &hot, wild), mutate(&start, &mut dice, &hot, wild)];
        let [base, ours, theirs] = sides.map(|files| write_tree(&mut draft, &files));
        let base_commit = commit_of(&mut draft, base, vec![root], "base");
        let commits = [ours, theirs].map(|tree| commit_of(&mut draft, tree, vec![base_commit], "side"));
        let merged = draft.merge_trees(base, ours, theirs, OnConflict::KeepOurs).unwrap();
        let result = commit_of(&mut draft, merged.tree, commits.to_vec(), "merged");
        cases.push(Case { seed, ours, merged, commits, result });
    }
    repository.publish(draft.objects(), Vec::new(), Durability::Os).unwrap();
    sandbox.check();

    let pairs: String = cases.iter().map(|case| format!("{} {}\n", case.commits[0], case.commits[1])).collect();
    let said =
        git_fed(&sandbox.path(), &["merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages"], &pairs);
    // A case is `1\0<tree>\0` if it is clean, else `0\0<tree>\0<path>\0…`; a line end goes before all but the first.
    let mut words = said.split('\0').map(|word| word.trim_start_matches('\n')).peekable();
    let mut conflicts = 0;
    for Case { seed, ours, merged, result, .. } in &cases {
        let clean = words.next().unwrap() == "1";
        let tree = words.next().unwrap();
        let mut paths = Vec::new();
        while words.peek().is_some_and(|word| !["0", "1", ""].contains(word)) {
            paths.extend(words.next());
        }
        words.next_if(|word| word.is_empty());
        let of = |what: &str| {
            let again = "cargo test --test git merges_are_as_gits";
            format!("GIT_SEED={seed} {again}: wild {wild}: {what}\ngit: {clean} {paths:?}\nwe: {:?}", merged.conflicts)
        };
        assert_eq!(merged.conflicts.is_empty(), clean, "{}", of("another verdict"));
        if clean {
            let differ = || sandbox.git(&["diff-tree", "-r", tree, &merged.tree.to_string()]);
            assert_eq!(merged.tree.to_string(), tree, "{}\n{}", of("another tree"), differ());
            continue;
        }
        conflicts += 1;
        for conflict in &merged.conflicts {
            let ours = repository.entry(*ours, &conflict.path).unwrap();
            assert_eq!(repository.entry(merged.tree, &conflict.path).unwrap(), ours, "{}", of(&conflict.path));
        }
        for (path, kind, blob) in repository.files(repository.root_tree(*result).unwrap()).unwrap() {
            let marked =
                kind != EntryKind::Link && repository.blob(blob).unwrap().windows(8).any(|at| at == b"<<<<<<< ");
            assert!(!marked, "{}", of(&path));
        }
    }
    conflicts
}

#[test]
fn tame_merges_are_as_gits() {
    check_all(false);
}

#[test]
fn wild_merges_are_as_gits() {
    check_all(true);
}

#[test]
fn what_one_side_did_not_touch_is_the_others() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let start = base(&mut Dice::new(1));
    let mut draft = repository.draft();
    let base = write_tree(&mut draft, &start);
    let mut one = start.clone();
    one.remove("d0/s0/f00.txt");
    let mut two = start;
    two.insert("d1/new".into(), ('f', b"n\n".to_vec()));
    let [one, two] = [one, two].map(|files| write_tree(&mut draft, &files));
    let mut merge = |base, ours, theirs| draft.merge_trees(base, ours, theirs, OnConflict::KeepOurs).unwrap();
    assert_eq!(merge(base, base, one).tree, one);
    assert_eq!(merge(base, one, base).tree, one);
    assert_eq!(merge(base, two, two).tree, two);
    assert_eq!(merge(base, one, two), merge(base, two, one));
}

#[test]
fn a_mode_and_a_content_go_together() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let mut draft = repository.draft();
    let bytes = |bytes: &[u8]| -> Files { [("bin".to_owned(), ('f', bytes.to_vec()))].into() };
    let base = write_tree(&mut draft, &bytes(b"\0one"));
    let ours = write_tree(&mut draft, &[("bin".to_owned(), ('x', b"\0one".to_vec()))].into());
    let theirs = write_tree(&mut draft, &bytes(b"\0two"));
    let both = write_tree(&mut draft, &[("bin".to_owned(), ('x', b"\0two".to_vec()))].into());
    let clean = Merged { tree: both, conflicts: Vec::new() };
    assert_eq!(draft.merge_trees(base, ours, theirs, OnConflict::KeepOurs).unwrap(), clean);
    assert_eq!(draft.merge_trees(base, theirs, ours, OnConflict::KeepOurs).unwrap(), clean);
}
