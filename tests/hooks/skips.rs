//! What a person passes over: by name, said aloud, and signed off with a reason.
//! Knows nothing of what would have been refused.

use crate::scene::Scene;

const REF: &str = "refs/orchestrate/overrides";

fn scene() -> Scene {
    let scene = Scene::landed(&["a"]);
    scene.other_side("other");
    scene.hooks(&["install", "--pre-commit"]);
    scene.sandbox.write("src/lib.rs", "BROKEN\n");
    scene.sandbox.commit("break it");
    scene
}

#[test]
fn a_skip_is_said_and_signed_off() {
    let scene = scene();
    let push = |variables: &[(&str, &str)]| scene.git_in(&scene.sandbox.path(), &["push", "other", "main"], variables);
    assert_ne!(push(&[]).code(), Some(0));
    // A word that means nothing passes over nothing.
    let wrong = push(&[("GIT_ORCHESTRATE_SKIP", "gaet")]);
    assert_ne!(wrong.code(), Some(0));
    assert!(wrong.stderr.contains("'gaet' in GIT_ORCHESTRATE_SKIP names nothing"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("did you mean 'gate'?"), "{}", wrong.stderr);
    // Another part than the one that refuses.
    assert_ne!(push(&[("GIT_ORCHESTRATE_SKIP", "audit")]).code(), Some(0));
    // An agent passes over nothing.
    let agent = push(&[("GIT_ORCHESTRATE_SKIP", "gate"), ("GIT_ORCHESTRATE_MARKER", "1")]);
    assert_ne!(agent.code(), Some(0));
    assert!(agent.stderr.contains("only a person"), "{}", agent.stderr);
    assert!(scene.sandbox.try_git(&["rev-parse", "-q", "--verify", REF]).is_err(), "nothing was signed off");
    let reason = "the tests are broken, not the code\nSigned-off-by: nobody";
    let ended = push(&[("GIT_ORCHESTRATE_SKIP", "gate"), ("GIT_ORCHESTRATE_SKIP_REASON", reason)]);
    ended.expect(0);
    assert!(ended.stderr.contains("warning: not judged, as GIT_ORCHESTRATE_SKIP says: gate"), "{}", ended.stderr);
    let text = scene.sandbox.git(&["log", "-1", "--format=%B", REF]);
    let head = scene.sandbox.git(&["rev-parse", "HEAD"]);
    for said in [
        "Pass over gate of pre-push",
        "    the tests are broken",
        &format!("refs/heads/main {head}"),
        "Orchestrate-Override: pre-push gate",
    ] {
        assert!(text.contains(said), "{text}");
    }
    let trailers = scene.sandbox.git(&["log", "-1", "--format=%(trailers:only)", REF]);
    assert_eq!(trailers.trim(), "Orchestrate-Override: pre-push gate");
    let signed = scene.sandbox.git(&["cat-file", "commit", REF]);
    assert!(signed.contains("gpgsig"), "{signed}");
}

#[test]
fn a_skip_without_a_reason_is_said_only() {
    let scene = scene();
    let skip = [("GIT_ORCHESTRATE_SKIP", "gate")];
    let ended = scene.git_in(&scene.sandbox.path(), &["push", "other", "main"], &skip);
    ended.expect(0);
    assert!(ended.stderr.contains("to sign it off: GIT_ORCHESTRATE_SKIP_REASON='…'"), "{}", ended.stderr);
    assert!(scene.sandbox.try_git(&["rev-parse", "-q", "--verify", REF]).is_err());
}

#[test]
fn a_commit_that_passes_over_is_signed_off_too() {
    let scene = scene();
    let words = ["commit", "-q", "--allow-empty", "-m", "Say\n\nOrchestrate-Task: a"];
    let commit = |variables: &[(&str, &str)]| scene.git_in(&scene.sandbox.path(), &words, variables);
    assert_ne!(commit(&[]).code(), Some(0));
    let ended = commit(&[("GIT_ORCHESTRATE_SKIP", "message"), ("GIT_ORCHESTRATE_SKIP_REASON", "an example")]);
    ended.expect(0);
    assert!(ended.stderr.contains("not judged, as GIT_ORCHESTRATE_SKIP says: message"), "{}", ended.stderr);
    let text = scene.sandbox.git(&["log", "-1", "--format=%B", REF]);
    assert!(text.contains("Pass over message of commit-msg") && text.contains("    an example"), "{text}");
}
