//! What may be pushed and what not, ref by ref: the real git tells our hook.
//! Knows nothing of where the hook is.

use std::fmt::Write as _;

use crate::{kit::program::Ended, scene::Scene};

const INTEGRATION: &str = "refs/heads/orchestrate/integration";

fn scene() -> Scene {
    let scene = Scene::landed(&["a", "b"]);
    scene.other_side("other");
    scene.hooks(&["install"]);
    scene
}

/// A step of a task, made by somebody who has no key.
fn forged(scene: &Scene, task: &str) -> String {
    let sandbox = &scene.sandbox;
    let step = sandbox.git(&["rev-parse", &format!("refs/heads/orchestrate/task/{task}~1")]);
    let [tree, parent] = ["^{tree}", "^"].map(|what| sandbox.git(&["rev-parse", &format!("{step}{what}")]));
    let message = sandbox.git(&["log", "-1", "--format=%B", &step]);
    sandbox.git(&["commit-tree", &tree, "-p", &parent, "-m", &message])
}

#[track_caller]
fn refused(ended: &Ended, wanted: &[&str]) {
    assert_ne!(ended.code(), Some(0), "it went through: {}", ended.stderr);
    for said in wanted {
        assert!(ended.stderr.contains(said), "'{said}' is not in: {}", ended.stderr);
    }
    assert!(ended.stderr.contains("fatal: nothing was pushed"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
}

fn there(scene: &Scene) -> String {
    scene.git(&["ls-remote", "other"]).stdout
}

#[test]
fn what_is_right_goes() {
    let scene = scene();
    // The gate has judged what landed; main has the same code as before, which nobody judged, so that is done now.
    let ended = scene.git(&["push", "other", "main"]);
    ended.expect(0);
    assert!(ended.stderr.contains("gate 'full' runs"), "{}", ended.stderr);
    let ended =
        scene.git(&["push", "other", INTEGRATION, "refs/heads/orchestrate/task/a", "refs/heads/orchestrate/task/b"]);
    ended.expect(0);
    assert!(!ended.stderr.contains("gate 'full' runs"), "{}", ended.stderr);
    assert_eq!(there(&scene).lines().count(), 5, "HEAD, main and the three");
    // Nothing to push: git starts the hook with nothing to read.
    scene.git(&["push", "other", "main"]).expect(0);
    scene.git(&["push", "--all", "other"]).expect(0);
    scene.git(&["push", "other", "--delete", "orchestrate/task/b"]).expect(0);
    scene.git(&["orchestrate", "land"]).expect(0);
    let ended = scene.git(&["push", "other", "main"]);
    ended.expect(0);
    assert!(!ended.stderr.contains("runs"), "it was judged when it landed: {}", ended.stderr);
}

#[test]
fn a_forged_step_goes_by_no_way() {
    let scene = scene();
    let bad = forged(&scene, "a");
    let short = &bad[..7];
    let sandbox = &scene.sandbox;
    sandbox.git(&["branch", "bad", &bad]);
    sandbox.git(&["tag", "light", &bad]);
    sandbox.git(&["tag", "-a", "heavy", "-m", "x", &bad]);
    let why = ["may not be pushed: it is not signed", short, "(a, step "];
    for words in [
        &["push", "other", "bad"][..],
        &["push", "other", "bad:refs/heads/orchestrate/task/a"],
        &["push", "other", "bad:refs/heads/other-name"],
        &["push", "other", "refs/tags/light"],
        &["push", "other", "heavy"],
        &["push", "--tags", "other"],
        &["push", "--all", "other"],
        &["push", "--atomic", "other", "main", "bad"],
        &["push", "--mirror", "other"],
        &["push", "--force", "other", "bad:main"],
        &["push", "../other.git", "bad"],
    ] {
        refused(&scene.git(words), &why);
    }
    scene.git(&["checkout", "-q", "--detach", &bad]).expect(0);
    refused(&scene.git_in(&sandbox.path().join("src"), &["push", "other", "HEAD:refs/heads/x"], &[]), &why);
    // A commit on top of it hides nothing.
    scene.git(&["commit", "-q", "--allow-empty", "-m", "on top"]).expect(0);
    refused(&scene.git(&["push", "other", "HEAD:refs/heads/x"]), &why);
    assert_eq!(there(&scene), "");
}

#[test]
fn each_of_a_hundred_refs_counts() {
    let scene = scene();
    let bad = forged(&scene, "b");
    let sandbox = &scene.sandbox;
    let mut commands = String::new();
    for at in 0..100 {
        writeln!(commands, "create refs/heads/many/{at:03} HEAD").expect("text");
    }
    std::fs::write(sandbox.outside("refs"), &commands).expect("written");
    let update = format!("git update-ref --stdin <'{}'", sandbox.outside("refs").display());
    sandbox.git(&["-c", &format!("alias.many=!{update}"), "many"]);
    for at in [0, 1, 50, 99] {
        let name = format!("refs/heads/many/{at:03}");
        sandbox.git(&["update-ref", &name, &bad]);
        refused(&scene.git(&["push", "other", "refs/heads/many/*"]), &["it is not signed", &bad[..7]]);
        sandbox.git(&["update-ref", &name, "HEAD"]);
    }
    assert_eq!(there(&scene), "");
    scene.git(&["push", "other", "refs/heads/many/*"]).expect(0);
    assert_eq!(there(&scene).lines().count(), 100);
}

#[test]
fn a_protected_branch_only_grows_and_stays() {
    let scene = scene();
    scene.git(&["push", "-q", "other", "main", INTEGRATION]).expect(0);
    let ended = scene.git(&["push", "other", "--delete", "main"]);
    refused(&ended, &["'main' is protected and shall be deleted", "GIT_ORCHESTRATE_SKIP=audit"]);
    scene.git(&["commit", "-q", "--allow-empty", "--amend", "-m", "another first"]).expect(0);
    let ended = scene.git(&["push", "--force", "other", "main"]);
    refused(&ended, &["'main' is protected, and ", " does not grow from "]);
    let ended = scene.git(&["push", "--force", "other", "main~1:orchestrate/integration"]);
    refused(&ended, &["'orchestrate/integration' is protected, and "]);
    // Others may be rewritten and deleted.
    scene.git(&["push", "-q", "other", "main:topic"]).expect(0);
    scene.git(&["push", "-q", "--force", "other", "main~1:topic"]).expect(0);
    scene.git(&["push", "-q", "other", ":topic"]).expect(0);
}

#[test]
fn a_branch_of_ours_is_not_taken_back() {
    let scene = scene();
    scene.git(&["push", "-q", "other", "refs/heads/orchestrate/task/a"]).expect(0);
    let ended = scene.git(&["push", "--force", "other", "orchestrate/task/a~1:orchestrate/task/a"]);
    refused(&ended, &["did not grow from there: steps were taken back"]);
}

#[test]
fn what_the_other_side_has_and_we_do_not_is_fetched_first() {
    let scene = scene();
    scene.git(&["push", "-q", "other", "main"]).expect(0);
    let elsewhere = scene.sandbox.clone_elsewhere(&scene.sandbox.outside("other.git"));
    elsewhere.git(&["commit", "-q", "--allow-empty", "-m", "from elsewhere"]);
    elsewhere.git(&["push", "-q", "origin", "main"]);
    scene.git(&["commit", "-q", "--allow-empty", "-m", "from here"]).expect(0);
    let ended = scene.git(&["push", "--force", "other", "main"]);
    refused(&ended, &["'main' is protected and stands at ", "which is not here", "hint: git fetch"]);
}

#[test]
fn what_the_gate_refuses_does_not_get_onto_a_protected_branch() {
    let scene = scene();
    let sandbox = &scene.sandbox;
    scene.git(&["push", "-q", "other", "main"]).expect(0);
    sandbox.write("src/lib.rs", "BROKEN\n");
    sandbox.commit("break it");
    let why = ["gate 'full' refuses ", "for 'main'", "GIT_ORCHESTRATE_SKIP=gate"];
    refused(&scene.git(&["push", "other", "main"]), &why);
    let again = scene.git(&["push", "other", "main"]);
    refused(&again, &why);
    assert!(!again.stderr.contains("gate 'full' runs"), "the verdict is kept: {}", again.stderr);
    // Elsewhere it may go.
    scene.git(&["push", "-q", "other", "main:topic"]).expect(0);
    // A gate that its own commit takes away judges it all the same.
    let config = sandbox.read(".handoff/config.toml").replace("! grep -rq BROKEN --exclude-dir=.git .", "true");
    sandbox.write(".handoff/config.toml", config);
    sandbox.commit("an easier gate");
    refused(&scene.git(&["push", "other", "main"]), &["gate 'full' refuses ", "for 'main'"]);
    sandbox.write("src/lib.rs", "fn one() {}\n");
    sandbox.commit("mend it");
    scene.git(&["push", "-q", "other", "main"]).expect(0);
}

#[test]
fn the_gate_for_the_size_of_the_change_is_taken() {
    let scene = scene();
    let sandbox = &scene.sandbox;
    let more = "\n[[gate.docs.check]]\nname = \"none\"\nrun = \"true\"\n\n[gate.full.rules]\nfailed_before = \"block\"\n\n[gate_auto]\ntrivial = \"docs\"\nsmall = \"full\"\nmedium = \"full\"\nlarge = \"full\"\n\n[landing]\ngate = \"auto\"\n";
    sandbox.write(".handoff/config.toml", sandbox.read(".handoff/config.toml") + more);
    sandbox.commit("gates by size");
    scene.git(&["push", "-q", "other", "main"]).expect(0);
    sandbox.write("README.md", "BROKEN is a word\n");
    sandbox.commit("only words");
    let ended = scene.git(&["push", "other", "main"]);
    ended.expect(0);
    assert!(ended.stderr.contains("gate 'docs' runs"), "{}", ended.stderr);
    sandbox.write("src/lib.rs", "fn two() { BROKEN }\n");
    sandbox.commit("code");
    refused(&scene.git(&["push", "other", "main"]), &["gate 'full' refuses "]);
}

#[test]
fn a_repository_without_tasks_pushes_as_ever() {
    let scene = Scene::plain();
    scene.other_side("other");
    scene.hooks(&["install"]);
    let blob = scene.sandbox.git(&["rev-parse", "HEAD:README"]);
    scene.git(&["tag", "file", &blob]).expect(0);
    scene.git(&["push", "-q", "--all", "other"]).expect(0);
    scene.git(&["push", "-q", "--tags", "other"]).expect(0);
    scene.git(&["push", "-q", "other", "HEAD:refs/notes/x"]).expect(0);
    scene.git(&["push", "-q", "other", ":refs/notes/x"]).expect(0);
    assert_eq!(there(&scene).lines().count(), 3, "HEAD, main and the tag");
}

#[test]
fn sha256_names_are_understood() {
    let scene = Scene::plain();
    let dir = scene.sandbox.outside("long names");
    let other = scene.sandbox.outside("long.git");
    scene.git(&["init", "-q", "--object-format=sha256", &dir.to_string_lossy()]).expect(0);
    scene.git(&["init", "-q", "--bare", "--object-format=sha256", &other.to_string_lossy()]).expect(0);
    let git =
        |words: &[&str]| scene.git_in(&dir, &[&["-c", "user.name=a", "-c", "user.email=a@b"], words].concat(), &[]);
    git(&["commit", "-q", "--allow-empty", "-m", "x"]).expect(0);
    let installed = git(&["orchestrate", "hooks", "install"]);
    // This version may not work with such a repository at all; then it says so and changes nothing.
    if installed.code() == Some(0) {
        let other = other.to_string_lossy();
        git(&["push", "-q", &other, "HEAD:refs/heads/topic"]).expect(0);
        refused(&git(&["push", "-q", &other, "HEAD:refs/heads/orchestrate/task/x"]), &["no step of it"]);
        git(&["push", "-q", &other, ":refs/heads/topic"]).expect(0);
    } else {
        assert!(installed.stderr.contains("sha256"), "{}", installed.stderr);
    }
}
