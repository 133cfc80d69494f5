//! What a crash, a person or an agent broke: a slot is made whole again, and nothing that was in it is lost.

use std::fs;

use git_orchestrate::{
    config::settings::Durability,
    git::{GitError, SlotError},
};

use crate::kit::{Sandbox, git_in, identity, status, write};

#[test]
fn a_slot_is_found_again_with_all_that_was_changed() {
    let sandbox = Sandbox::new();
    let slot = sandbox.slot("w1");
    let (path, head) = (slot.path().to_owned(), slot.head());
    write(&path.join("new"), "n\n");
    fs::remove_file(path.join("README")).unwrap();
    drop(slot);
    sandbox.write("README", "two\n");
    let second = sandbox.commit("second");
    let mut slot = sandbox.slots().get("w1", second).unwrap();
    assert_eq!(slot.head(), head);
    assert_eq!(slot.changes().unwrap().files.len(), 2);
    let saved = slot.prepare(second, "refs/orchestrate/salvage/api", &identity(), Durability::Full).unwrap().unwrap();
    assert_eq!(status(&slot), "");
    assert_eq!(sandbox.git(&["show", &format!("{saved}:new")]), "n");
    assert_eq!(sandbox.git(&["log", "-1", "--format=%P", &saved]), head.to_string());
}

#[test]
fn a_slot_whose_directory_is_gone_is_made_again() {
    let sandbox = Sandbox::new();
    let slot = sandbox.slot("w1");
    let path = slot.path().to_owned();
    drop(slot);
    fs::remove_dir_all(&path).unwrap();
    let mut slot = sandbox.slot("w1");
    assert_eq!(status(&slot), "");
    assert!(slot.changes().unwrap().is_empty());
}

#[test]
fn a_slot_that_git_forgot_is_set_aside_with_its_work() {
    let sandbox = Sandbox::new();
    let slot = sandbox.slot("w1");
    let (path, admin) = (slot.path().to_owned(), slot.admin_dir().to_owned());
    drop(slot);
    write(&path.join("precious"), "p\n");
    fs::remove_dir_all(admin).unwrap();
    let slot = sandbox.slot("w1");
    assert_eq!(status(&slot), "");
    assert!(!path.join("precious").exists());
    let aside = fs::read_dir(sandbox.outside("slots/.set-aside")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read(aside.join("precious")).unwrap(), b"p\n");
}

#[test]
fn what_is_not_ours_is_not_touched() {
    let sandbox = Sandbox::new();
    let theirs = sandbox.outside("slots/w1/file");
    write(&theirs, "theirs\n");
    let head = sandbox.repository().resolve("HEAD").unwrap();
    let error = sandbox.slots().get("w1", head).unwrap_err();
    assert!(matches!(&error, GitError::Slot(SlotError::Occupied(_))), "{error}");
    assert!(error.hint().is_some());
    assert_eq!(fs::read(theirs).unwrap(), b"theirs\n");
    for bad in ["", "..", "a/b", "A", "-x", ".git"] {
        assert!(sandbox.slots().get(bad, head).is_err(), "{bad}");
    }
}

#[test]
fn a_slot_that_was_half_made_is_finished() {
    let sandbox = Sandbox::new();
    let slot = sandbox.slot("w1");
    let (path, admin) = (slot.path().to_owned(), slot.admin_dir().to_owned());
    drop(slot);
    for cut in ["orchestrate", "index"] {
        write(&admin.join("locked"), "initializing\n");
        fs::remove_file(admin.join(cut)).unwrap();
        if cut == "orchestrate" {
            fs::remove_file(path.join("README")).unwrap();
        }
        let mut slot = sandbox.slot("w1");
        assert_eq!(status(&slot), "", "without {cut}");
        assert!(slot.changes().unwrap().is_empty(), "without {cut}");
        assert!(!admin.join("locked").exists(), "without {cut}");
    }
}

#[test]
fn a_switch_that_was_cut_short_loses_nothing() {
    let sandbox = Sandbox::new();
    let first = sandbox.repository().resolve("HEAD").unwrap();
    sandbox.write("README", "two\n");
    sandbox.write("src/two.rs", "two\n");
    fs::remove_file(sandbox.path().join("src/deep/down.txt")).unwrap();
    let second = sandbox.commit("second");
    let mut slot = sandbox.slots().get("w1", first).unwrap();
    slot.switch(second).unwrap();
    slot.switch(first).unwrap();
    let (path, admin) = (slot.path().to_owned(), slot.admin_dir().to_owned());
    drop(slot);
    let tree = |commit: &str| sandbox.git(&["rev-parse", &format!("{commit}^{{tree}}")]);
    let (a, b) = (first.to_string(), second.to_string());
    write(&admin.join("orchestrate"), format!("between {a} {} {b} {}\n", tree(&a), tree(&b)));
    write(&path.join("README"), "two\n");
    write(&path.join("src/mine.rs"), "an agent's\n");
    let mut slot = sandbox.slots().get("w1", first).unwrap();
    assert_eq!(slot.head(), second);
    let saved = slot.prepare(second, "refs/orchestrate/salvage/api", &identity(), Durability::Os).unwrap().unwrap();
    assert_eq!(sandbox.git(&["show", &format!("{saved}:src/mine.rs")]), "an agent's");
    assert_eq!(status(&slot), "");
    assert_eq!(git_in(&path, &["rev-parse", "HEAD"]), b);
}

#[test]
fn a_slot_elsewhere_of_the_same_name_is_left_alone() {
    let sandbox = Sandbox::new();
    let head = sandbox.repository().resolve("HEAD").unwrap();
    let one = sandbox.slot("w1");
    let elsewhere = git_orchestrate::git::Slots::open(&sandbox.repository(), &sandbox.outside("other")).unwrap();
    let two = elsewhere.get("w1", head).unwrap();
    assert_ne!(one.admin_dir(), two.admin_dir());
    assert_eq!((status(&one), status(&two)), (String::new(), String::new()));
    assert_eq!(elsewhere.list().unwrap(), ["w1"]);
}

#[test]
fn a_bare_repository_has_slots_too() {
    let sandbox = Sandbox::new();
    let bare = sandbox.outside("bare.git");
    sandbox.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let repository = git_orchestrate::git::Repository::discover(&bare).unwrap();
    let head = repository.resolve("HEAD").unwrap();
    let slots = git_orchestrate::git::Slots::open(&repository, &sandbox.outside("bare-slots")).unwrap();
    let mut slot = slots.get("w1", head).unwrap();
    write(&slot.path().join("new"), "n\n");
    assert_eq!(slot.changes().unwrap().files.len(), 1);
    assert_eq!(status(&slot), "?? new");
}
