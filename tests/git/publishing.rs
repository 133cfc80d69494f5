//! Publishing: objects before refs, each ref by compare-and-swap, many at once.

use std::{
    sync::{Barrier, Mutex},
    thread,
};

use git_orchestrate::{
    config::settings::Durability,
    git::{Edit, PublishError, RefMove, Repository, What},
};

use crate::kit::{Dice, Sandbox, commit_of};

const THREADS: usize = 8;
const EACH: usize = 20;

fn to(
    name: &str,
    from: Option<git_orchestrate::model::object::CommitId>,
    to: git_orchestrate::model::object::CommitId,
) -> RefMove {
    RefMove { name: name.into(), from, to, reason: "test".into() }
}

#[test]
fn a_ref_moves_only_from_where_it_was_expected() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let head = repository.resolve("HEAD").unwrap();
    let tree = repository.root_tree(head).unwrap();
    let mut draft = repository.draft();
    let one = commit_of(&mut draft, tree, vec![head], "one");
    let two = commit_of(&mut draft, tree, vec![one], "two");
    let name = "refs/heads/orchestrate/task/api";
    repository.publish(draft.objects(), vec![to(name, None, one)], Durability::Full).unwrap();
    let publish = |moves| repository.publish(Default::default(), moves, Durability::Full);
    let again = publish(vec![to(name, None, two)]).unwrap_err();
    assert!(matches!(again, PublishError::Moved { expected: None, found: Some(found), .. } if found == one), "{again}");
    let other = "refs/orchestrate/salvage/api/1";
    let both = publish(vec![to(other, None, two), to(name, Some(two), head)]).unwrap_err();
    assert!(matches!(both, PublishError::Moved { .. }), "{both}");
    assert_eq!(repository.reference(other).unwrap(), None, "all or nothing");
    publish(vec![to(other, None, two), to(name, Some(one), two)]).unwrap();
    assert_eq!(repository.reference(name).unwrap(), Some(two));
    sandbox.git(&["pack-refs", "--all"]);
    publish(vec![to(name, Some(two), one)]).unwrap();
    assert_eq!(sandbox.git(&["rev-parse", name]), one.to_string());
    let all: Vec<_> = repository.references("refs/orchestrate/").unwrap();
    assert_eq!(all, [(other.to_owned(), two)]);
    let taken = publish(vec![to("refs/heads/orchestrate/task/api/sub", None, one)]).unwrap_err();
    assert!(matches!(taken, PublishError::Taken { .. }), "{taken}");
    let taken = publish(vec![to("refs/heads/orchestrate/task", None, one)]).unwrap_err();
    assert!(matches!(taken, PublishError::Taken { .. }), "{taken}");
    for bad in ["refs/heads/a..b", "HEAD", "heads/x", "refs/heads/x.lock", "refs/heads/../../x"] {
        assert!(publish(vec![to(bad, None, one)]).is_err(), "{bad}");
    }
    repository.delete_reference(other, one).unwrap_err();
    repository.delete_reference(other, two).unwrap();
    assert_eq!(repository.reference(other).unwrap(), None);
    let log = sandbox.git(&["reflog", "show", "--format=%gs", name]);
    assert_eq!(log.lines().collect::<Vec<_>>(), ["test", "test", "test"]);
    sandbox.check();
}

#[test]
fn publishers_at_once_share_a_trip_and_lose_nothing() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let head = repository.resolve("HEAD").unwrap();
    let tree = repository.root_tree(head).unwrap();
    let shared = "refs/heads/orchestrate/shared";
    repository.publish(Default::default(), vec![to(shared, None, head)], Durability::Os).unwrap();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for worker in 0..THREADS {
            let (repository, start) = (repository.clone(), &start);
            scope.spawn(move || {
                let own = format!("refs/heads/orchestrate/task/w{worker}");
                let mut at = None;
                start.wait();
                for step in 0..EACH {
                    let mut draft = repository.draft();
                    let next = commit_of(&mut draft, tree, vec![at.unwrap_or(head)], &format!("{worker} {step}"));
                    repository.publish(draft.objects(), vec![to(&own, at, next)], Durability::Full).unwrap();
                    at = Some(next);
                    loop {
                        let tip = repository.reference(shared).unwrap().unwrap();
                        let mut draft = repository.draft();
                        let next = commit_of(&mut draft, tree, vec![tip], &format!("shared {worker} {step}"));
                        match repository.publish(draft.objects(), vec![to(shared, Some(tip), next)], Durability::Full) {
                            Ok(()) => break,
                            Err(PublishError::Moved { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
    });
    let count = |name: &str| sandbox.git(&["rev-list", "--count", name]).parse::<usize>().unwrap();
    assert_eq!(count(shared), THREADS * EACH + 1);
    for worker in 0..THREADS {
        assert_eq!(count(&format!("refs/heads/orchestrate/task/w{worker}")), EACH + 1);
    }
    sandbox.check();
}

#[test]
fn a_lock_of_git_is_waited_for_and_named() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let head = repository.resolve("HEAD").unwrap();
    let lock = sandbox.path().join(".git/refs/heads/mine.lock");
    std::fs::write(&lock, "").unwrap();
    let error = repository.publish(Default::default(), vec![to("refs/heads/mine", None, head)], Durability::Os);
    let error = error.unwrap_err();
    assert!(matches!(error, PublishError::Locked { .. }), "{error}");
    assert!(error.hint().unwrap().contains("mine.lock"));
    assert!(lock.exists(), "a lock that is not ours stays");
}

/// Set in the process that is to be killed: the repository it publishes to.
const CHILD: &str = "PUBLISHES_UNTIL_KILLED";

/// Publishes until it is killed, if it is the child that is to be; else it is nothing.
#[test]
fn publishes_until_killed() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let repository = Repository::discover(std::path::Path::new(&dir)).unwrap();
    let name = "refs/heads/orchestrate/task/killed";
    let mut tip = repository.reference(name).unwrap();
    let root = repository.resolve("main").unwrap();
    let tree = repository.root_tree(root).unwrap();
    loop {
        let mut draft = repository.draft();
        let blob = draft.blob(format!("{tip:?}").as_bytes()).unwrap();
        let what = What::Put { blob, executable: false };
        let tree = draft.tree(Some(tree), &[Edit { path: "state".into(), what }]).unwrap();
        let next = commit_of(&mut draft, tree, vec![tip.unwrap_or(root)], "next");
        repository.publish(draft.objects(), vec![to(name, tip, next)], Durability::Full).unwrap();
        tip = Some(next);
    }
}

#[test]
fn a_publisher_that_is_killed_leaves_a_whole_repository() {
    let sandbox = Sandbox::new();
    let mut dice = Dice::new(3);
    let mut steps = 0;
    for _ in 0..12 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "publishing::publishes_until_killed", "--nocapture"])
            .env(CHILD, sandbox.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let reflog = sandbox.path().join(".git/logs/refs/heads/orchestrate/task/killed");
        let lines = || std::fs::read_to_string(&reflog).map_or(0, |text| text.lines().count());
        let until = lines() + 1 + dice.below(5);
        while lines() < until {
            assert!(child.try_wait().unwrap().is_none(), "it stopped by itself");
        }
        for _ in 0..dice.below(200_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let count = sandbox.git(&["rev-list", "--count", "orchestrate/task/killed"]).parse::<usize>().unwrap();
        assert!(count > steps, "{count} commits after {steps}");
        steps = count;
        sandbox.check();
    }
}

#[test]
fn tidying_up_loses_nothing() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let head = repository.resolve("HEAD").unwrap();
    let tree = repository.root_tree(head).unwrap();
    // Another process's publisher knows nothing of these packs, so they are not joined.
    let mut commits = Vec::new();
    for at in 0..250 {
        let mut draft = repository.draft();
        commits.push(commit_of(&mut draft, tree, vec![head], &at.to_string()));
        let publisher = if at < 50 { sandbox.repository() } else { repository.clone() };
        let name = format!("refs/heads/orchestrate/task/t{at:03}");
        publisher.publish(draft.objects(), vec![to(&name, None, commits[at])], Durability::Os).unwrap();
    }
    repository.maintain().unwrap();
    let git_dir = sandbox.path().join(".git");
    let packs = std::fs::read_dir(git_dir.join("objects/pack")).unwrap();
    let packs =
        packs.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "pack")).count();
    assert!(packs < 40, "{packs} packs");
    assert!(!git_dir.join("refs/heads/orchestrate/task/t000").exists(), "refs are still loose");
    let found = repository.references("refs/heads/orchestrate/task/").unwrap();
    assert_eq!(found.iter().map(|(_, id)| *id).collect::<Vec<_>>(), commits);
    for commit in &commits {
        assert_eq!(repository.parents(*commit).unwrap(), [head]);
    }
    let next = to("refs/heads/orchestrate/task/t000", Some(commits[0]), commits[1]);
    repository.publish(Default::default(), vec![next], Durability::Full).unwrap();
    sandbox.check();
}

/// However many look for it in the same moment, and more packs than one store of gix can see.
#[test]
fn what_was_published_is_found_at_once_by_all_threads() {
    const PUBLISHED: usize = 4500;
    const READERS: usize = 6;
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let head = repository.resolve("HEAD").unwrap();
    let tree = repository.root_tree(head).unwrap();
    let (newest, missed) = (Mutex::new(head), Mutex::new(Vec::new()));
    let (ready, done) = (Barrier::new(READERS + 1), Barrier::new(READERS + 1));
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                for round in 0..PUBLISHED {
                    ready.wait();
                    let id = *newest.lock().unwrap();
                    if let Err(error) = repository.parents(id) {
                        missed.lock().unwrap().push(format!("{round}: {error}"));
                    }
                    done.wait();
                }
            });
        }
        for round in 0..PUBLISHED {
            let mut draft = repository.draft();
            let next = commit_of(&mut draft, tree, vec![head], &round.to_string());
            repository.publish(draft.objects(), Vec::new(), Durability::Os).unwrap();
            *newest.lock().unwrap() = next;
            ready.wait();
            done.wait();
        }
    });
    assert_eq!(missed.into_inner().unwrap(), Vec::<String>::new());
}
