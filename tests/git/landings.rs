//! Landing in a repository that somebody tidies up meanwhile: what no ref needs yet is swept away, and lands all the same.

use std::cell::Cell;

use git_orchestrate::{
    config::settings::Durability,
    git::{GitError, Repository, Signer},
    land::{
        LandError,
        batch::{self, Candidate, Fate, Landing},
        onto::{self, FastForward, Judged, Onto, Way},
    },
    model::{
        object::{CommitId, TreeId},
        record::{CheckResult, GateVerdict},
    },
};

use crate::kit::{Sandbox, identity};

const BRANCH: &str = "refs/heads/orchestrate/integration";

/// Three tasks of one file each, none of which has what the integration branch has.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for task in ["a", "b", "c"] {
        sandbox.git(&["checkout", "-q", "-b", task, "main"]);
        sandbox.write(&format!("of-{task}/deep/file"), task);
        sandbox.write(&format!(".handoff/checkpoints/{task}.toml"), "schema = 1\n");
        sandbox.commit(task);
    }
    sandbox.git(&["checkout", "-q", "-b", "orchestrate/integration", "main"]);
    sandbox.write("landed", "before\n");
    sandbox.commit("landed");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox
}

/// Throws away all that no ref names.
fn sweep(sandbox: &Sandbox) {
    sandbox.git(&["repack", "-a", "-d", "-q"]);
    sandbox.git(&["prune", "--expire=now"]);
}

fn verdict() -> GateVerdict {
    let text = r#"{"profile": "full", "tree": "", "definition": "sha256:0", "result": "pass", "checks": []}"#;
    let mut verdict: serde_json::Value = serde_json::from_str(text).unwrap();
    verdict["tree"] = serde_json::json!("1".repeat(40));
    serde_json::from_value(verdict).unwrap()
}

/// What a gate says that checks its tree out anew each time; before some of its answers all is swept away.
fn asked(repository: &Repository, checkout: CommitId, tree: TreeId) -> Result<GateVerdict, LandError> {
    let files = repository.files(repository.root_tree(checkout)?)?;
    assert_eq!(repository.root_tree(checkout)?, tree);
    for (_, _, blob) in files {
        repository.blob(blob)?;
    }
    Ok(verdict())
}

#[test]
fn a_batch_lands_although_it_is_swept_away_again_and_again() {
    let sandbox = sandbox();
    let key = sandbox.outside("key");
    let (signer, identity) = (Signer::create_own(&key, "test").unwrap(), identity());
    let repository = sandbox.repository();
    let resolve = |name: &str| repository.resolve(name).unwrap();
    let candidates = ["a", "b", "c"].map(|task| Candidate {
        task: task.parse().unwrap(),
        title: task.to_owned(),
        base: resolve("main"),
        good: resolve(task),
        tip: resolve(task),
    });
    let sweeps = Cell::new(0);
    let mut judge = |tree: TreeId, checkout: CommitId| {
        sweeps.set(sweeps.get() + 1);
        if sweeps.get() <= 3 {
            sweep(&sandbox);
        }
        let judged = asked(&sandbox.repository(), checkout, tree)?;
        // And once more while the gate was at work.
        sweep(&sandbox);
        Ok(judged)
    };
    let landed = Cell::new(0);
    let mut landing = Landing {
        repository: &repository,
        branch: BRANCH,
        identity: &identity,
        signer: &signer,
        durability: Durability::Os,
        judge: &mut judge,
        definition: &|_| None,
        config: "",
        landed: &mut |tasks, _| landed.set(landed.get() + tasks.len()),
    };
    let fates = batch::land(&mut landing, candidates.to_vec()).unwrap();
    assert!(fates.iter().all(|(_, fate)| matches!(fate, Fate::Landed(_))), "{fates:?}");
    assert_eq!((fates.len(), landed.get(), sweeps.get()), (3, 3, 4));
    sandbox.check();
    let files = sandbox.git(&["ls-tree", "-r", "--name-only", BRANCH]);
    assert!(["landed", "of-a/deep/file", "of-b/deep/file", "of-c/deep/file"].iter().all(|file| files.contains(file)));
}

#[test]
fn a_repository_that_is_broken_is_not_tried_for_ever() {
    let sandbox = sandbox();
    let repository = sandbox.repository();
    let mut asked = 0;
    let candidate = Candidate {
        task: "a".parse().unwrap(),
        title: "a".to_owned(),
        base: repository.resolve("main").unwrap(),
        good: repository.resolve("a").unwrap(),
        tip: repository.resolve("a").unwrap(),
    };
    let mut judge = |_: TreeId, _: CommitId| {
        asked += 1;
        Err::<GateVerdict, _>(LandError::Git(GitError::NoObject { kind: "blob", name: "1".repeat(40) }))
    };
    let failed = batch::prepare(&repository, BRANCH, vec![candidate.clone()], vec![candidate], &mut judge);
    assert!(matches!(failed, Err(LandError::Git(GitError::NoObject { .. }))), "{failed:?}");
    assert!((2..20).contains(&asked), "{asked}");
}

#[test]
fn the_users_branch_gets_all_of_a_merge_that_was_swept_away() {
    let sandbox = sandbox();
    let key = sandbox.outside("key");
    let (signer, identity) = (Signer::create_own(&key, "test").unwrap(), identity());
    sandbox.write("mine/deep/file", "mine\n");
    sandbox.commit("mine");
    let repository = sandbox.repository();
    let onto = Onto {
        repository: &repository,
        branch: BRANCH,
        onto: None,
        fast_forward: FastForward::IfPossible,
        identity: &identity,
        signer: &signer,
    };
    let route = onto::look(&onto).unwrap();
    assert!(matches!(route.way, Way::Merge(_)));
    let mut times = 0;
    let mut judge = |tree: TreeId, checkout: CommitId| {
        times += 1;
        if times == 1 {
            sweep(&sandbox);
        }
        let verdict = asked(&sandbox.repository(), checkout, tree)?;
        assert_eq!(verdict.result, CheckResult::Pass);
        sweep(&sandbox);
        Ok(Judged { verdict, definition: None, config: String::new() })
    };
    onto::land(&onto, &route, &mut judge).unwrap();
    assert_eq!(times, 2);
    assert_eq!(std::fs::read_to_string(sandbox.path().join("landed")).unwrap(), "before\n");
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    sandbox.check();
}
