//! Slots where the user's checkout is sparse: they have the same files, git agrees, and nothing that is left out is lost.

use std::{fs, path::Path};

use git_orchestrate::{
    config::settings::{Durability, WorktreeFiles},
    git::{ChangeKind, Refusal, Slot, Slots},
};

use crate::kit::{Dice, POLICY, Sandbox, git_in, identity, status, step, tree_by_git, write};

/// How the user made the checkout sparse.
const WAYS: [&[&str]; 3] = [
    &["sparse-checkout", "set", "--cone", "in/deep"],
    &["sparse-checkout", "set", "--cone", "--sparse-index", "in/deep"],
    &["sparse-checkout", "set", "--no-cone", "/*.txt", "in/deep/", "!*.bin"],
];
const BRANCH: &str = "refs/heads/orchestrate/task/api";

fn sandbox(way: &[&str]) -> Sandbox {
    let sandbox = Sandbox::empty();
    for path in ["top.txt", "in/deep/a.txt", "in/deep/b.txt", "in/deep/c.bin", "in/other/c.txt", "out/d.txt"] {
        sandbox.write(path, format!("{path}\n"));
    }
    for number in 0..50 {
        sandbox.write(&format!("out/many/{number}.txt"), format!("{number}\n"));
    }
    sandbox.commit("first");
    sandbox.git(way);
    sandbox
}

/// The files in a directory, `.git` not counted.
fn files(dir: &Path) -> Vec<String> {
    fn walk(root: &Path, dir: &Path, all: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && path.file_name().unwrap() != ".git" {
                walk(root, &path, all);
            } else if path.file_name().unwrap() != ".git" {
                all.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut all = Vec::new();
    walk(dir, dir, &mut all);
    all.sort();
    all
}

/// What git says of a slot is what it says of the user's checkout, and its index is of the whole tree.
fn agrees(sandbox: &Sandbox, slot: &mut Slot) {
    assert_eq!(status(slot), "");
    assert_eq!(files(slot.path()), files(&sandbox.path()));
    let list = ["sparse-checkout", "list"];
    assert_eq!(git_in(slot.path(), &list), sandbox.git(&list));
    assert_eq!(git_in(slot.path(), &["ls-files", "-t"]), sandbox.git(&["ls-files", "-t"]));
    assert_eq!(git_in(slot.path(), &["write-tree"]), slot.tree().to_string());
    assert_eq!(git_in(slot.path(), &["diff", "--stat", "HEAD"]), "");
    assert!(slot.changes().unwrap().is_empty());
    assert!(slot.full_check().unwrap());
}

#[test]
fn a_slot_has_the_files_of_the_users_checkout_and_git_agrees() {
    for way in WAYS {
        let sandbox = sandbox(way);
        let mut slot = sandbox.slot("w1");
        assert!(slot.is_sparse(), "{way:?}");
        assert!(files(slot.path()).len() < 8, "{way:?}");
        agrees(&sandbox, &mut slot);
        drop(slot);
        agrees(&sandbox, &mut sandbox.slot("w1"));
        sandbox.check();
    }
}

#[test]
fn a_step_takes_what_was_touched_and_loses_nothing_of_what_is_left_out() {
    for way in WAYS {
        let sandbox = sandbox(way);
        let repository = sandbox.repository();
        let mut slot = sandbox.slot("w1");
        let before = sandbox.git(&["ls-tree", "-r", "HEAD"]);
        write(&slot.path().join("in/deep/a.txt"), "changed\n");
        write(&slot.path().join("in/deep/new.txt"), "new\n");
        fs::remove_file(slot.path().join("in/deep/b.txt")).unwrap();
        let wanted = tree_by_git(&slot);
        let commit = step(&repository, &mut slot, BRANCH, None);
        assert_eq!(repository.root_tree(commit).unwrap().to_string(), wanted, "{way:?}");
        let after = sandbox.git(&["ls-tree", "-r", &commit.to_string()]);
        let kept = |line: &&str| !line.contains("in/deep/");
        let (before, after): (Vec<_>, Vec<_>) =
            (before.lines().filter(kept).collect(), after.lines().filter(kept).collect());
        assert_eq!(before, after, "{way:?}");
        let head = slot.head();
        slot.switch(head).unwrap();
        assert_eq!(status(&slot), "");
        sandbox.check();
    }
}

#[test]
fn what_an_agent_writes_outside_is_committed_and_does_not_stay() {
    for way in WAYS {
        let sandbox = sandbox(way);
        let repository = sandbox.repository();
        let mut slot = sandbox.slot("w1");
        write(&slot.path().join("out/new.txt"), "new\n");
        write(&slot.path().join("out/d.txt"), "changed\n");
        write(&slot.path().join("far/away/e.txt"), "away\n");
        let found: Vec<_> = slot.changes().unwrap().files.into_iter().map(|file| (file.path, file.kind)).collect();
        let expected = [
            ("far/away/e.txt".to_owned(), ChangeKind::Added),
            ("out/d.txt".to_owned(), ChangeKind::Modified),
            ("out/new.txt".to_owned(), ChangeKind::Added),
        ];
        assert_eq!(found, expected, "{way:?}");
        let commit = step(&repository, &mut slot, BRANCH, None);
        for (path, text) in [("out/new.txt", "new\n"), ("out/d.txt", "changed\n"), ("far/away/e.txt", "away\n")] {
            assert_eq!(repository.read(commit, path).unwrap().unwrap(), text.as_bytes(), "{way:?}");
        }
        assert_eq!(repository.read(commit, "out/many/7.txt").unwrap().unwrap(), b"7\n");
        // It is still there for the step that goes on; removed there, it is removed.
        assert!(slot.changes().unwrap().is_empty());
        fs::remove_file(slot.path().join("out/new.txt")).unwrap();
        let second = step(&repository, &mut slot, BRANCH, Some(commit));
        assert_eq!(repository.read(second, "out/new.txt").unwrap(), None);
        assert_eq!(repository.read(second, "out/d.txt").unwrap().unwrap(), b"changed\n");
        let head = slot.head();
        slot.switch(head).unwrap();
        assert!(!slot.path().join("out").exists() && !slot.path().join("far").exists(), "{way:?}");
        assert_eq!(status(&slot), "");
        assert!(slot.changes().unwrap().is_empty());
        sandbox.check();
    }
}

#[test]
fn what_an_agent_does_outside_by_git_is_taken() {
    for way in WAYS {
        let sandbox = sandbox(way);
        let repository = sandbox.repository();
        let mut slot = sandbox.slot("w1");
        let dir = slot.path().to_owned();
        git_in(&dir, &["rm", "-q", "--sparse", "out/many/3.txt"]);
        // Where the patterns are no cone, git itself needs the directory.
        fs::create_dir_all(dir.join("out")).unwrap();
        git_in(&dir, &["mv", "--sparse", "in/deep/a.txt", "out/moved.txt"]);
        git_in(&dir, &["sparse-checkout", "add", "in/other"]);
        write(&dir.join("in/other/f.txt"), "f\n");
        fs::remove_file(dir.join("in/other/c.txt")).unwrap();
        let wanted = tree_by_git(&slot);
        let commit = step(&repository, &mut slot, BRANCH, None);
        let by_git = |tree: &str| sandbox.git(&["ls-tree", "-r", "--name-only", tree]);
        assert_eq!(by_git(&commit.to_string()), by_git(&wanted), "{way:?}");
        assert_eq!(repository.root_tree(commit).unwrap().to_string(), wanted, "{way:?}");
        assert_eq!(repository.read(commit, "in/other/c.txt").unwrap(), None);
        assert_eq!(repository.read(commit, "out/moved.txt").unwrap().unwrap(), b"in/deep/a.txt\n");
        let head = slot.head();
        slot.switch(head).unwrap();
        assert_eq!(status(&slot), "");
        assert_eq!(git_in(slot.path(), &["sparse-checkout", "list"]), sandbox.git(&["sparse-checkout", "list"]));
        assert!(!slot.path().join("in/other").exists());
        sandbox.check();
    }
}

#[test]
fn an_index_made_anew_removes_nothing() {
    let sandbox = sandbox(WAYS[0]);
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    fs::remove_file(slot.admin_dir().join("index")).unwrap();
    write(&slot.path().join("in/deep/a.txt"), "changed\n");
    git_in(slot.path(), &["add", "-A"]);
    let commit = step(&repository, &mut slot, BRANCH, None);
    let changed = sandbox.git(&["diff", "--name-only", "HEAD", &commit.to_string()]);
    assert_eq!(changed, "in/deep/a.txt");
}

#[test]
fn what_would_displace_what_nobody_saw_is_refused() {
    let sandbox = sandbox(WAYS[0]);
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    write(&slot.path().join("out"), "a file where the commit has a directory\n");
    write(&slot.path().join("in/other/c.txt/deeper"), "a directory where the commit has a file\n");
    let mut draft = repository.draft();
    let taken = slot.take(&mut draft, &POLICY).unwrap();
    assert_eq!(taken.changed, []);
    assert_eq!(taken.tree, slot.tree());
    let refused: Vec<_> = taken.refused.into_iter().map(|file| (file.path, file.why)).collect();
    let expected = [
        ("in/other/c.txt/deeper".to_owned(), Refusal::InPlaceOfLeftOut),
        ("out".to_owned(), Refusal::InPlaceOfLeftOut),
    ];
    assert_eq!(refused, expected);
    let kept = slot.rescue("refs/orchestrate/salvage/api", &identity(), Durability::Os).unwrap().unwrap();
    assert_eq!(sandbox.git(&["show", &format!("{kept}:out")]), "a file where the commit has a directory");
    slot.reset().unwrap();
    agrees(&sandbox, &mut slot);
}

#[test]
fn switching_touches_only_what_is_not_left_out() {
    for way in WAYS {
        let sandbox = sandbox(way);
        let mut slot = sandbox.slot("w1");
        sandbox.git(&["sparse-checkout", "disable"]);
        let first = slot.head();
        sandbox.write("out/d.txt", "second\n");
        sandbox.write("in/deep/a.txt", "second\n");
        sandbox.write("out/new.txt", "second\n");
        fs::remove_file(sandbox.path().join("out/many/1.txt")).unwrap();
        let second = sandbox.commit("second");
        let switched = slot.switch(second).unwrap();
        assert_eq!((switched.written, switched.removed), (1, 0), "{way:?}");
        assert_eq!(status(&slot), "");
        assert!(slot.changes().unwrap().is_empty());
        assert_eq!(git_in(slot.path(), &["write-tree"]), slot.tree().to_string());
        slot.switch(first).unwrap();
        assert_eq!(status(&slot), "");
        sandbox.git(way);
        sandbox.git(&["checkout", "-q", "--detach", &first.to_string()]);
        agrees(&sandbox, &mut slot);
    }
}

#[test]
fn slots_follow_when_the_patterns_change() {
    let sandbox = sandbox(WAYS[0]);
    let head = sandbox.repository().resolve("main").unwrap();
    let open = |sandbox: &Sandbox| {
        let mut slot = sandbox.slot("w1");
        let saved = slot.prepare(head, "refs/orchestrate/salvage/api", &identity(), Durability::Os).unwrap();
        assert_eq!(saved, None, "nobody worked there");
        slot
    };
    agrees(&sandbox, &mut open(&sandbox));
    for way in [
        &["sparse-checkout", "set", "--cone", "out"][..],
        &["sparse-checkout", "disable"],
        &["sparse-checkout", "set", "--no-cone", "*.bin", "out/many/1?.txt"],
        &["sparse-checkout", "set", "--cone", "in"],
    ] {
        sandbox.git(way);
        let mut slot = open(&sandbox);
        if way[1] == "disable" {
            assert!(!slot.is_sparse());
            assert_eq!(files(slot.path()), files(&sandbox.path()));
            assert_eq!(status(&slot), "");
            assert_eq!(git_in(slot.path(), &["ls-files", "-t"]), sandbox.git(&["ls-files", "-t"]));
        } else {
            agrees(&sandbox, &mut slot);
        }
    }
    let slots = sandbox.slots().with(WorktreeFiles::Full);
    let mut slot = slots.get("w1", head).unwrap();
    slot.switch(head).unwrap();
    assert_eq!(files(slot.path()).len(), 56);
    assert_eq!(status(&slot), "");
    sandbox.check();
}

#[test]
fn settings_of_all_worktrees_count_as_well() {
    let sandbox = Sandbox::empty();
    sandbox.write("in/a", "a\n");
    sandbox.write("out/b", "b\n");
    sandbox.commit("first");
    // As git did it before worktrees had settings of their own.
    sandbox.git(&["config", "core.sparseCheckout", "true"]);
    sandbox.git(&["config", "core.sparseCheckoutCone", "false"]);
    sandbox.write(".git/info/sparse-checkout", "/in/\n");
    sandbox.git(&["read-tree", "-mu", "HEAD"]);
    let mut slot = sandbox.slot("w1");
    agrees(&sandbox, &mut slot);
    assert!(!slot.admin_dir().join("config.worktree").exists());
}

#[test]
fn what_was_left_when_a_worker_died_is_saved() {
    for way in WAYS {
        let sandbox = sandbox(way);
        let slot = sandbox.slot("w1");
        let head = slot.head();
        write(&slot.path().join("out/d.txt"), "unsaved\n");
        git_in(slot.path(), &["mv", "--sparse", "in/deep/a.txt", "out/moved.txt"]);
        drop(slot);
        let mut slot = sandbox.slot("w1");
        let saved = slot.prepare(head, "refs/orchestrate/salvage/api", &identity(), Durability::Os).unwrap().unwrap();
        let changed = sandbox.git(&["diff", "--name-status", "--no-renames", "HEAD", &saved]);
        assert_eq!(changed, "D\tin/deep/a.txt\nM\tout/d.txt\nA\tout/moved.txt", "{way:?}");
        agrees(&sandbox, &mut slot);
        let slots = Slots::open(&sandbox.repository(), &sandbox.outside("slots")).unwrap();
        slots.remove(slot).unwrap();
    }
}

#[test]
fn ignore_rules_of_directories_that_are_left_out_hold() {
    let sandbox = Sandbox::empty();
    sandbox.write("in/a", "a\n");
    sandbox.write("out/.gitignore", "*.log\n");
    sandbox.commit("first");
    sandbox.git(&["sparse-checkout", "set", "--cone", "in"]);
    let mut slot = sandbox.slot("w1");
    write(&slot.path().join("out/x.log"), "x\n");
    write(&slot.path().join("out/x.txt"), "x\n");
    let found: Vec<_> = slot.changes().unwrap().files.into_iter().map(|file| file.path).collect();
    assert_eq!(found, ["out/x.txt"]);
}

#[test]
fn random_work_in_a_sparse_slot_is_what_git_makes_of_it() {
    for seed in 0..12 {
        let mut dice = Dice::new(seed);
        let sandbox = sandbox(WAYS[seed as usize % WAYS.len()]);
        let repository = sandbox.repository();
        let mut slot = sandbox.slot("w1");
        let first = slot.head();
        for round in 0..6 {
            let dir = slot.path().to_owned();
            for _ in 0..=dice.below(4) {
                let path = *dice.pick(&["top.txt", "in/deep/a.txt", "in/deep/b.txt", "in/deep/x/new.txt", "more.txt"]);
                match dice.below(3) {
                    0 => drop(fs::remove_file(dir.join(path))),
                    _ => write(&dir.join(path), format!("{seed} {round} {}\n", dice.below(1000))),
                }
            }
            let wanted = tree_by_git(&slot);
            let commit = step(&repository, &mut slot, &format!("{BRANCH}-{round}"), None);
            assert_eq!(repository.root_tree(commit).unwrap().to_string(), wanted, "seed {seed}, round {round}");
            let to = if dice.below(3) == 0 { first } else { slot.head() };
            slot.switch(to).unwrap();
            assert_eq!(status(&slot), "", "seed {seed}, round {round}");
            assert_eq!(git_in(slot.path(), &["write-tree"]), slot.tree().to_string());
        }
        sandbox.check();
    }
}

#[test]
fn the_files_as_they_are_have_what_is_left_out_and_what_is_there_all_the_same() {
    for way in WAYS {
        let sandbox = sandbox(way);
        let repository = sandbox.repository();
        let index = repository.index_file();
        let tree = |sandbox: &Sandbox| sandbox.repository().files_tree(&index).unwrap().to_string();
        assert_eq!(tree(&sandbox), sandbox.git(&["rev-parse", "HEAD^{tree}"]), "{way:?}");
        sandbox.write("in/deep/a.txt", "changed\n");
        sandbox.write("out/new.txt", "new\n");
        let changed = sandbox.git(&["diff", "--name-status", "HEAD", &tree(&sandbox)]);
        assert_eq!(changed, "M\tin/deep/a.txt\nA\tout/new.txt", "{way:?}");
    }
}
