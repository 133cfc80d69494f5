//! Where hooks go: into every kind of repository, and out of it without a trace.
//! Knows nothing of what they judge.

use std::{fs, path::Path};

use crate::scene::{Scene, everything, same};

/// A push of a commit as a step that it is not; our hook refuses it.
const BAD_PUSH: [&str; 3] = ["push", "-q", "other"];

#[track_caller]
fn bad_push_is_refused(scene: &Scene, dir: &Path) {
    let ended = scene.git_in(dir, &[&BAD_PUSH[..], &["HEAD:refs/heads/orchestrate/task/x"]].concat(), &[]);
    assert_ne!(ended.code(), Some(0), "it went through");
    assert!(ended.stderr.contains("the branch of 'x' ends in a commit that is no step of it"), "{}", ended.stderr);
    scene.git_in(dir, &["push", "-q", "other", "HEAD:refs/heads/topic", "--force"], &[]).expect(0);
}

#[track_caller]
fn proven(scene: &Scene, dir: &Path) {
    let ended = scene.orchestrate_in(dir, &["hooks", "status"]);
    assert!(ended.stdout.contains("a bad push refused, as it must be"), "{}{}", ended.stdout, ended.stderr);
    ended.expect(0);
}

/// Installs, proves, uninstalls; the git directory is as it was.
#[track_caller]
fn comes_and_goes(scene: &Scene, dir: &Path, git_dir: &Path, words: &[&str]) {
    let hooks = |words: &[&str]| scene.orchestrate_in(dir, &[&["hooks"], words].concat());
    let before = everything(git_dir);
    assert_eq!(hooks(&["status"]).code(), Some(1), "nothing is there yet");
    same(&before, &everything(git_dir), "status");
    hooks(&[&["install", "--pre-commit"], words].concat()).expect(0);
    let installed = everything(git_dir);
    assert!(before != installed);
    proven(scene, dir);
    same(&installed, &everything(git_dir), "status of what is there");
    let again = hooks(&[&["install", "--pre-commit"], words].concat());
    again.expect(0);
    assert!(!again.stdout.contains("is now in"), "{}", again.stdout);
    same(&installed, &everything(git_dir), "a second install");
    hooks(&["uninstall"]).expect(0);
    same(&before, &everything(git_dir), "uninstall");
    let nothing = hooks(&["uninstall"]);
    nothing.expect(0);
    assert!(nothing.stderr.contains("there are no hooks of ours here"), "{}", nothing.stderr);
    same(&before, &everything(git_dir), "a second uninstall");
}

#[test]
fn a_fresh_repository_is_as_before() {
    let scene = Scene::plain();
    scene.other_side("other");
    let (path, git_dir) = (scene.sandbox.path(), scene.sandbox.git_dir());
    for words in [&[][..], &["--method", "chain"]] {
        comes_and_goes(&scene, &path, &git_dir, words);
    }
    fs::remove_dir_all(git_dir.join("hooks")).expect("removed");
    comes_and_goes(&scene, &path, &git_dir, &[]);
    fs::create_dir(git_dir.join("hooks")).expect("made");
    comes_and_goes(&scene, &path, &git_dir, &[]);
    scene.hooks(&["install"]);
    bad_push_is_refused(&scene, &path);
}

#[test]
fn settings_without_an_end_of_line_are_as_before() {
    let scene = Scene::plain();
    let config = scene.sandbox.git_dir().join("config");
    let text = fs::read_to_string(&config).expect("settings");
    fs::write(&config, text.trim_end()).expect("written");
    comes_and_goes(&scene, &scene.sandbox.path(), &scene.sandbox.git_dir(), &["--method", "chain"]);
}

#[test]
fn hooks_that_are_there_stay_and_run() {
    let scene = Scene::plain();
    scene.other_side("other");
    let (path, git_dir) = (scene.sandbox.path(), scene.sandbox.git_dir());
    let hooks = git_dir.join("hooks");
    let told = scene.sandbox.outside("told");
    for (name, text) in [
        ("pre-push", format!("#!/bin/sh\necho \"push $1\" >>'{0}'\ncat >>'{0}'", told.display())),
        ("commit-msg", format!("#!/usr/bin/env bash\nset -eu\nhead -n1 \"$1\" >>'{}'\n", told.display())),
        ("pre-commit", format!("echo staged >>'{}'\n", told.display())),
        ("post-commit", format!("#!/bin/sh\necho after >>'{}'\n", told.display())),
    ] {
        scene.hook(&hooks, name, &text);
    }
    for words in [&[][..], &["--method", "chain"]] {
        comes_and_goes(&scene, &path, &git_dir, words);
        scene.hooks(&[&["install", "--pre-commit"], words].concat());
        let _ = fs::remove_file(&told);
        scene.git(&["commit", "-q", "--allow-empty", "-m", "one more"]).expect(0);
        assert_eq!(fs::read_to_string(&told).expect("told"), "staged\none more\nafter\n");
        let _ = fs::remove_file(&told);
        bad_push_is_refused(&scene, &path);
        // The bad one stops at ours; the good one goes on to theirs, with the same input.
        let head = scene.sandbox.git(&["rev-parse", "HEAD"]);
        let said = fs::read_to_string(&told).expect("told");
        assert!(said.starts_with(&format!("push other\nHEAD {head} refs/heads/topic ")), "{said}");
        assert_eq!(said.lines().count(), 2, "{said}");
        scene.hooks(&["uninstall"]);
    }
}

#[test]
fn a_hook_of_others_that_refuses_still_refuses() {
    let scene = Scene::plain();
    scene.other_side("other");
    let hooks = scene.sandbox.git_dir().join("hooks");
    for name in ["pre-push", "commit-msg", "pre-commit"] {
        scene.hook(&hooks, name, "#!/bin/sh\necho 'not on my watch' >&2\nexit 3\n");
    }
    for words in [&[][..], &["--method", "chain"]] {
        scene.hooks(&[&["install", "--pre-commit"], words].concat());
        for args in [&["push", "other", "main"][..], &["commit", "--allow-empty", "-m", "x"]] {
            let ended = scene.git(args);
            assert_ne!(ended.code(), Some(0), "{args:?}");
            assert!(ended.stderr.contains("not on my watch"), "{args:?}: {}", ended.stderr);
        }
        scene.hooks(&["uninstall"]);
    }
}

#[test]
fn what_is_no_script_for_a_shell_is_left_alone() {
    let scene = Scene::plain();
    let hook = scene.sandbox.git_dir().join("hooks/pre-push");
    scene.hook(hook.parent().expect("a directory"), "pre-push", "#!/usr/bin/env python3\nimport sys\n");
    let before = everything(&scene.sandbox.git_dir());
    let ended = scene.orchestrate_in(&scene.sandbox.path(), &["hooks", "install"]);
    ended.expect(128);
    assert!(ended.stderr.contains("is no script for a shell, so nothing can be put into it"), "{}", ended.stderr);
    assert!(ended.stderr.contains("--method chain"), "{}", ended.stderr);
    same(&before, &everything(&scene.sandbox.git_dir()), "refused");
    comes_and_goes(&scene, &scene.sandbox.path(), &scene.sandbox.git_dir(), &["--method", "chain"]);
}

#[test]
fn linked_worktrees_have_them_too() {
    let scene = Scene::plain();
    scene.other_side("other");
    let linked = scene.sandbox.outside("linked 'tree'");
    scene.git(&["worktree", "add", "-q", linked.to_str().expect("a plain path"), "-b", "side"]).expect(0);
    for words in [&[][..], &["--method", "chain"]] {
        comes_and_goes(&scene, &linked, &scene.sandbox.git_dir(), words);
        scene.orchestrate_in(&linked, &[&["hooks", "install"], words].concat()).expect(0);
        for dir in [&linked, &scene.sandbox.path()] {
            proven(&scene, dir);
            bad_push_is_refused(&scene, dir);
        }
        scene.orchestrate_in(&scene.sandbox.path(), &["hooks", "uninstall"]).expect(0);
    }
}

#[test]
fn submodules_and_separate_git_directories() {
    let scene = Scene::plain();
    let outside = |name: &str| scene.sandbox.outside(name);
    let git_dir = outside("kept apart.git");
    let checkout = outside("with a space, and a \"quote\"");
    let words = ["init", "-q", "-b", "main", "--separate-git-dir"];
    let names = [git_dir.to_str().expect("plain"), checkout.to_str().expect("plain")];
    scene.git(&[&words[..], &names].concat()).expect(0);
    scene
        .git_in(
            &checkout,
            &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
            &[],
        )
        .expect(0);
    scene
        .git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", &git_dir.to_string_lossy(), "sub"])
        .expect(0);
    let (sub, modules) = (scene.sandbox.path().join("sub"), scene.sandbox.git_dir().join("modules/sub"));
    for words in [&[][..], &["--method", "chain"]] {
        comes_and_goes(&scene, &checkout, &git_dir, words);
        comes_and_goes(&scene, &sub, &modules, words);
    }
}

#[test]
fn a_hooks_path_of_the_repository_is_heeded() {
    let scene = Scene::plain();
    scene.other_side("other");
    let (path, git_dir) = (scene.sandbox.path(), scene.sandbox.git_dir());
    // As husky does it: relative, ignored, in the worktree.
    scene.sandbox.git(&["config", "core.hooksPath", ".own/_"]);
    scene.hook(&path.join(".own/_"), "pre-push", "#!/bin/sh\nexit 0\n");
    fs::write(path.join(".own/_/.gitignore"), "*").expect("written");
    let before = everything(&path.join(".own"));
    comes_and_goes(&scene, &path, &git_dir, &["--method", "chain"]);
    scene.hooks(&["install", "--pre-commit"]);
    proven(&scene, &path);
    bad_push_is_refused(&scene, &path);
    scene.hooks(&["uninstall"]);
    same(&before, &everything(&path.join(".own")), "uninstall");
    assert_eq!(scene.sandbox.git(&["config", "core.hooksPath"]), ".own/_");
}

#[test]
fn a_hooks_path_outside_is_never_written_to() {
    let scene = Scene::plain();
    scene.other_side("other");
    let (path, git_dir) = (scene.sandbox.path(), scene.sandbox.git_dir());
    let shared = scene.sandbox.outside("shared hooks");
    let told = scene.sandbox.outside("told");
    scene.hook(&shared, "pre-push", &format!("#!/bin/sh\ncat >>'{}'\n", told.display()));
    scene.sandbox.git(&["config", "core.hooksPath", shared.to_str().expect("plain")]);
    let (before, of_git) = (everything(&shared), everything(&git_dir));
    let ended = scene.orchestrate_in(&path, &["hooks", "install"]);
    ended.expect(128);
    for said in ["outside of it, as core.hooksPath says (local, ", "--method chain", "--manual"] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    same(&of_git, &everything(&git_dir), "refused");
    comes_and_goes(&scene, &path, &git_dir, &["--method", "chain"]);
    scene.hooks(&["install", "--method", "chain"]);
    bad_push_is_refused(&scene, &path);
    let said = fs::read_to_string(&told).expect("theirs ran");
    assert_eq!(said.lines().count(), 1, "{said}");
    same(&before, &everything(&shared), "all the while");
}

#[test]
fn status_tells_what_switches_them_off() {
    let scene = Scene::plain();
    scene.hooks(&["install"]);
    let hook = scene.sandbox.git_dir().join("hooks/pre-push");
    let status = || {
        let ended = scene.orchestrate_in(&scene.sandbox.path(), &["hooks", "status"]);
        ended.expect(1);
        ended.stdout
    };
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("permissions");
    let said = status();
    assert!(said.contains("but git does not run it: it is not executable"), "{said}");
    assert!(said.contains("it would have gone through"), "{said}");
    scene.hooks(&["install"]);
    proven(&scene, &scene.sandbox.path());
    scene.sandbox.git(&["config", "core.hooksPath", "/nowhere"]);
    let said = status();
    assert!(said.contains("core.hooksPath names '/nowhere' (local)"), "{said}");
    scene.hooks(&["uninstall"]);
    assert!(!hook.exists());
}

#[test]
fn what_somebody_wrote_between_our_marks_is_kept() {
    let scene = Scene::plain();
    scene.hooks(&["install"]);
    let hook = scene.sandbox.git_dir().join("hooks/pre-push");
    let text = fs::read_to_string(&hook).expect("a hook");
    fs::write(&hook, text.replace("exec ", "echo mine\nexec ")).expect("written");
    scene.hooks(&["install"]);
    assert_eq!(fs::read_to_string(&hook).expect("a hook"), text);
    let kept = fs::read_to_string(scene.sandbox.local().join("hooks/pre-push")).expect("kept");
    assert!(kept.contains("echo mine"), "{kept}");
}

#[test]
fn without_the_program_nothing_goes() {
    let scene = Scene::plain();
    scene.other_side("other");
    scene.hooks(&["install", "--pre-commit"]);
    fs::remove_file(scene.sandbox.outside("bin/git-orchestrate")).expect("removed");
    for args in [&["push", "other", "main"][..], &["commit", "--allow-empty", "-m", "x"]] {
        let ended = scene.git(args);
        assert_ne!(ended.code(), Some(0), "{args:?}");
        for said in ["fatal: no program 'git-orchestrate' in PATH", "hint: cargo install", "--no-verify"] {
            assert!(ended.stderr.contains(said), "{args:?}: {}", ended.stderr);
        }
    }
    assert_eq!(scene.git(&["ls-remote", "other"]).stdout, "");
}
