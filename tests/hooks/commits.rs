//! What may be committed: messages, secrets, the gate on what is staged; no file, index or stash is touched.
//! Knows nothing of pushes.

use crate::scene::Scene;

/// A key that was never given out; it is put together here so that no file of ours holds one.
fn secret() -> String {
    ["AKIA", "Z7QGD4PKWX2MVN5T"].concat()
}

#[track_caller]
fn refused(ended: &crate::kit::program::Ended, wanted: &[&str]) {
    assert_ne!(ended.code(), Some(0), "it went through: {}", ended.stderr);
    for said in wanted.iter().chain(&["fatal: nothing was committed", "hint: "]) {
        assert!(ended.stderr.contains(said), "'{said}' is not in: {}", ended.stderr);
    }
}

#[test]
fn forged_trailers_and_agents_sign_offs_are_refused() {
    let scene = Scene::with_agents();
    scene.sandbox.commit("configuration");
    scene.hooks(&["install"]);
    let commit = |message: &str| scene.git(&["commit", "-q", "--allow-empty", "-m", message]);
    for (message, line) in [
        (
            "Fix it\n\nOrchestrate-Task: a\nOrchestrate-Step: 1 implement",
            "line 3 of the message: only git-orchestrate writes this",
        ),
        ("Fix it\n\nSigned-off-by: Claude <noreply@anthropic.com>", "line 3 of the message: an agent cannot sign off"),
        ("Fix it\n\nSigned-off-by: ann <ann@example.com>", "line 3 of the message: an agent cannot sign off"),
    ] {
        refused(&commit(message), &[line, "COMMIT_EDITMSG"]);
    }
    commit("Fix it\n\nSigned-off-by: Tess Ter <tess@example.com>\nCo-authored-by: Claude <noreply@anthropic.com>")
        .expect(0);
    scene.git(&["commit", "-q", "--allow-empty", "-s", "-m", "Signed by git"]).expect(0);
    // Also where git writes the message: a merge, a revert, a cherry-pick are a person's.
    scene.sandbox.write("shared.txt", "one\n");
    scene.git(&["commit", "-q", "-a", "-m", "one"]).expect(0);
    scene.git(&["revert", "--no-edit", "HEAD"]).expect(0);
    let ended = scene.git_in(
        &scene.sandbox.path(),
        &["commit", "-q", "--allow-empty", "-s", "-m", "By an agent"],
        &[("GIT_ORCHESTRATE_MARKER", "1")],
    );
    refused(&ended, &["an agent cannot sign off"]);
}

#[test]
fn a_new_secret_is_not_committed() {
    let scene = Scene::plain();
    let sandbox = &scene.sandbox;
    scene.hooks(&["install", "--pre-commit"]);
    sandbox.write("settings.py", format!("key = \"{}\"\n", secret()));
    sandbox.git(&["add", "settings.py"]);
    let ended = scene.git(&["commit", "-m", "x"]);
    refused(
        &ended,
        &["'settings.py' holds what looks like a secret", "at settings.py:1:", "GIT_ORCHESTRATE_SKIP=secrets"],
    );
    assert!(!ended.stderr.contains(&secret()), "the value is not shown: {}", ended.stderr);
    // What is staged counts, not what the file has since.
    sandbox.write("settings.py", "key = None\n");
    refused(&scene.git(&["commit", "-m", "x"]), &["at settings.py:1:"]);
    sandbox.git(&["add", "settings.py"]);
    sandbox.write("settings.py", format!("key = \"{}\"\n", secret()));
    scene.git(&["commit", "-q", "-m", "x"]).expect(0);
    // `commit <path>` and `commit -a` have an index of their own.
    refused(&scene.git(&["commit", "-a", "-m", "x"]), &["at settings.py:1:"]);
    refused(&scene.git(&["commit", "settings.py", "-m", "x"]), &["at settings.py:1:"]);
    // One that is committed already is not told again.
    scene.git(&["commit", "-q", "--no-verify", "-a", "-m", "x"]).expect(0);
    sandbox.write("settings.py", format!("# more\nkey = \"{}\"\n", secret()));
    scene.git(&["commit", "-q", "-a", "-m", "x"]).expect(0);
}

#[test]
fn the_fast_gate_judges_what_is_staged_and_nothing_is_touched() {
    let scene = Scene::with_agents();
    let sandbox = &scene.sandbox;
    let more =
        "\n[[gate.fast.check]]\nname = \"words\"\nrun = \"! grep -rq BROKEN src\"\n\n[hooks]\npre_commit = \"fast\"\n";
    sandbox.write(".handoff/config.toml", sandbox.read(".handoff/config.toml") + more);
    sandbox.commit("configuration");
    scene.hooks(&["install", "--pre-commit"]);
    sandbox.write("src/lib.rs", "BROKEN\n");
    sandbox.git(&["add", "src"]);
    // The file is right again, and there are files that git does not know.
    sandbox.write("src/lib.rs", "fn two() {}\n");
    sandbox.write("src/new.rs", "fn new() {}\n");
    let (files, index) = (sandbox.users(), sandbox.git(&["ls-files", "-s"]));
    let ended = scene.git(&["commit", "-m", "x"]);
    refused(&ended, &["gate 'fast' refuses what is staged", "words", "GIT_ORCHESTRATE_SKIP=gate"]);
    let after = sandbox.users();
    let changed: Vec<_> = files.keys().filter(|name| files.get(*name) != after.get(*name)).collect();
    // git itself writes the index anew, and keeps the message.
    assert!(changed.iter().all(|name| name.ends_with("index") || name.ends_with("COMMIT_EDITMSG")), "{changed:?}");
    assert_eq!(index, sandbox.git(&["ls-files", "-s"]));
    assert_eq!(sandbox.git(&["stash", "list"]), "");
    sandbox.git(&["add", "src/lib.rs"]);
    sandbox.write("src/lib.rs", "BROKEN\n");
    scene.git(&["commit", "-q", "-m", "right"]).expect(0);
    assert_eq!(sandbox.git(&["show", "HEAD:src/lib.rs"]), "fn two() {}");
    assert_eq!(sandbox.read("src/lib.rs"), "BROKEN\n");
    // From a linked worktree, where git tells its hooks other variables.
    let linked = sandbox.outside("linked");
    scene.git(&["worktree", "add", "-q", &linked.to_string_lossy()]).expect(0);
    std::fs::write(linked.join("src/lib.rs"), "BROKEN again\n").expect("written");
    refused(&scene.git_in(&linked, &["commit", "-a", "-m", "x"], &[]), &["gate 'fast' refuses what is staged"]);
}

#[test]
fn a_first_commit_and_a_merge_are_judged_too() {
    let scene = Scene::plain();
    let dir = scene.sandbox.outside("new");
    scene.git(&["init", "-q", "-b", "main", &dir.to_string_lossy()]).expect(0);
    let git =
        |words: &[&str]| scene.git_in(&dir, &[&["-c", "user.name=a", "-c", "user.email=a@b"], words].concat(), &[]);
    git(&["orchestrate", "hooks", "install", "--pre-commit"]).expect(0);
    std::fs::write(dir.join("key"), format!("{}\n", secret())).expect("written");
    git(&["add", "key"]).expect(0);
    refused(&git(&["commit", "-m", "first"]), &["'key' holds what looks like a secret"]);
    std::fs::write(dir.join("key"), "none\n").expect("written");
    git(&["commit", "-q", "-a", "-m", "first"]).expect(0);
    let status = scene.orchestrate_in(&dir, &["hooks", "status"]);
    status.expect(0);
}
