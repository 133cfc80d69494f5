//! Slots: made, switched, taken from, saved, reset, as a worker does it all day.

use std::fs;

use git_orchestrate::{
    config::settings::Durability,
    git::{ChangeKind, GitError, Refusal, SlotError},
};

use crate::kit::{
    Dice, POLICY, Sandbox, commit_of, git_in, identity, link, make_executable, status, step, tree_by_git, write,
};

#[test]
fn a_new_slot_is_what_git_would_have_made() {
    let sandbox = Sandbox::new();
    link(&sandbox.path().join("to"), "src/lib.rs");
    sandbox.write("run.sh", "#!/bin/sh\n");
    make_executable(&sandbox.path().join("run.sh"));
    sandbox.write(".gitattributes", "*.crlf text eol=crlf\n");
    sandbox.write("dos.crlf", "a\nb\n");
    let head = sandbox.commit("more");
    let mut slot = sandbox.slot("w1");
    assert_eq!(slot.head(), head);
    assert_eq!(status(&slot), "");
    assert_eq!(git_in(slot.path(), &["rev-parse", "HEAD"]), head.to_string());
    assert_eq!(git_in(slot.path(), &["write-tree"]), slot.tree().to_string());
    assert_eq!(fs::read(slot.path().join("dos.crlf")).unwrap(), b"a\r\nb\r\n");
    assert!(slot.changes().unwrap().is_empty());
    assert_eq!(sandbox.slots().list().unwrap(), ["w1"]);
    assert!(sandbox.git(&["worktree", "list"]).contains("slots/w1"));
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "", "the user's worktree is as it was");
    let other = sandbox.outside("by-git");
    sandbox.git(&["worktree", "add", "-q", "--detach", other.to_str().unwrap(), "HEAD"]);
    let mut compare = std::process::Command::new("diff");
    compare.args(["-r", "--no-dereference", "-x", ".git"]).arg(&other).arg(slot.path());
    assert!(compare.status().unwrap().success());
}

#[test]
fn steps_follow_each_other_in_one_slot() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    let branch = "refs/heads/orchestrate/task/api";
    write(&slot.path().join("src/new.rs"), "new\n");
    fs::remove_file(slot.path().join("README")).unwrap();
    make_executable(&slot.path().join("src/lib.rs"));
    let kinds: Vec<_> = slot.changes().unwrap().files.into_iter().map(|file| (file.path, file.kind)).collect();
    let expected = [
        ("README".to_owned(), ChangeKind::Removed),
        ("src/lib.rs".to_owned(), ChangeKind::Modified),
        ("src/new.rs".to_owned(), ChangeKind::Added),
    ];
    assert_eq!(kinds, expected);
    let wanted = tree_by_git(&slot);
    let first = step(&repository, &mut slot, branch, None);
    assert_eq!(repository.root_tree(first).unwrap().to_string(), wanted);
    assert!(slot.changes().unwrap().is_empty());
    slot.flush().unwrap();
    assert_eq!(status(&slot), "");
    assert_eq!(git_in(slot.path(), &["write-tree"]), wanted);
    write(&slot.path().join("src/new.rs"), "newer\n");
    let second = step(&repository, &mut slot, branch, Some(first));
    assert_eq!(repository.first_parents(second, Some(first)).unwrap(), [second]);
    assert_eq!(repository.read(second, "src/new.rs").unwrap().unwrap(), b"newer\n");
    slot.switch(first).unwrap();
    assert_eq!(status(&slot), "");
    assert_eq!(fs::read(slot.path().join("src/new.rs")).unwrap(), b"new\n");
    sandbox.check();
}

#[test]
fn what_an_agent_staged_or_committed_itself_is_taken() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    sandbox.git(&["config", "user.name", "Agent"]);
    let dir = slot.path().to_owned();
    git_in(&dir, &["rm", "-q", "--cached", "README"]);
    fs::remove_file(dir.join("README")).unwrap();
    git_in(&dir, &["mv", "src/lib.rs", "src/moved.rs"]);
    write(&dir.join("committed.txt"), "c\n");
    git_in(&dir, &["add", "-A"]);
    git_in(&dir, &["commit", "-qm", "by the agent"]);
    git_in(&dir, &["checkout", "-q", "-b", "agents-own"]);
    write(&dir.join("after.txt"), "a\n");
    write(&dir.join(".gitignore"), "*.log\n");
    write(&dir.join("forced.log"), "f\n");
    write(&dir.join("other.log"), "o\n");
    git_in(&dir, &["add", "-f", "forced.log"]);
    let wanted = tree_by_git(&slot);
    let commit = step(&repository, &mut slot, "refs/heads/orchestrate/task/api", None);
    assert_eq!(repository.root_tree(commit).unwrap().to_string(), wanted);
    let head = slot.head();
    slot.switch(head).unwrap();
    assert_eq!(fs::read_to_string(slot.admin_dir().join("HEAD")).unwrap(), format!("{head}\n"));
    assert_eq!(status(&slot), "");
    assert!(slot.changes().unwrap().is_empty());
}

#[test]
fn what_is_not_safe_is_refused_and_kept_in_salvage() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "target/\n");
    sandbox.commit("ignore");
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    let dir = slot.path().to_owned();
    write(&dir.join("fine.txt"), "fine\n");
    write(&dir.join("big.bin"), vec![7; 5000]);
    write(&dir.join(".handoff/checkpoints/x.toml"), "forged\n");
    write(&dir.join("d/.GIT/config"), "evil\n");
    write(&dir.join("target/out"), "ignored\n");
    link(&dir.join("passwd"), "/etc/passwd");
    link(&dir.join("inside"), "src/lib.rs");
    fs::create_dir(dir.join("nested")).unwrap();
    git_in(&dir.join("nested"), &["init", "-q"]);
    write(&dir.join("nested/file"), "n\n");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        dir.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let inspect =
        |path: &str, bytes: &[u8]| (path == "token" && bytes.starts_with(b"sk-")).then(|| "a secret".to_owned());
    write(&dir.join("token"), "sk-123\n");
    let policy = git_orchestrate::git::TakePolicy { file_bytes_max: 4096, inspect: Some(&inspect) };
    let mut draft = repository.draft();
    let taken = slot.take(&mut draft, &policy).unwrap();
    let changed: Vec<_> = taken.changed.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(changed, ["fine.txt", "inside"]);
    let refused: Vec<_> = taken.refused.iter().map(|file| (file.path.as_str(), &file.why)).collect();
    let outside = Refusal::LeadsOutside("/etc/passwd".into());
    let large = Refusal::TooLarge { bytes: 5000, bytes_max: 4096 };
    let secret = Refusal::Inspected("a secret".into());
    let expected = [
        (".handoff/checkpoints/x.toml", &Refusal::Handoff),
        ("big.bin", &large),
        ("d/.GIT/config", &Refusal::BadName),
        ("nested", &Refusal::NestedRepository),
        ("passwd", &outside),
        ("pipe", &Refusal::Special),
        ("token", &secret),
    ];
    assert_eq!(refused, expected);
    assert!(matches!(slot.reset(), Err(GitError::Slot(SlotError::Unsaved { .. }))), "refused files are not saved yet");
    assert!(dir.join("big.bin").exists() && dir.join("fine.txt").exists());

    let head = slot.head();
    let name = slot.prepare(head, "refs/orchestrate/salvage/api", &identity(), Durability::Full).unwrap().unwrap();
    assert_eq!(name, "refs/orchestrate/salvage/api/1");
    assert_eq!(status(&slot), "");
    assert!(dir.join("target/out").exists(), "ignored files stay");
    let kept = sandbox.git(&["ls-tree", "-r", "--name-only", &format!("{name}^{{tree}}")]);
    for path in ["big.bin", "fine.txt", "d/_.GIT/config", "passwd", "token", ".handoff/checkpoints/x.toml"] {
        assert!(kept.lines().any(|line| line == path), "{path} is not in {kept}");
    }
    let aside: Vec<_> = walk(&sandbox.outside("slots/.set-aside"));
    assert!(aside.iter().any(|path| path.ends_with("nested/file")), "{aside:?}");
    assert_eq!(slot.prepare(head, "refs/orchestrate/salvage/api", &identity(), Durability::Os).unwrap(), None);
    slot.reset_to_pristine().unwrap();
    assert!(!dir.join("target").exists());
    sandbox.check();
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_switch_refuses_what_it_would_overwrite_and_sets_ignored_files_aside() {
    let sandbox = Sandbox::new();
    let first = sandbox.repository().resolve("HEAD").unwrap();
    sandbox.write("README", "changed\n");
    sandbox.write("out", "a file now\n");
    let second = sandbox.commit("second");
    let mut slot = sandbox.slots().get("w1", first).unwrap();
    write(&slot.path().join("README"), "precious\n");
    assert!(matches!(slot.switch(second), Err(GitError::Slot(SlotError::Unsaved { path, .. })) if path == "README"));
    assert_eq!(fs::read(slot.path().join("README")).unwrap(), b"precious\n");
    write(&slot.path().join("README"), "hello\n");
    write(&slot.path().join("out/build.o"), "built\n");
    let done = slot.switch(second).unwrap();
    assert_eq!(done.set_aside.len(), 1);
    assert_eq!(fs::read(done.set_aside[0].join("build.o")).unwrap(), b"built\n");
    assert_eq!(status(&slot), "");
}

#[test]
fn handoff_is_never_checked_out() {
    let sandbox = Sandbox::new();
    let mut slot = sandbox.slot("w1");
    sandbox.write(".handoff/config.toml", "x\n");
    let with = sandbox.commit("with");
    assert!(slot.switch(with).is_err());
    assert!(sandbox.slots().get("w2", with).is_err());
}

#[test]
fn any_switch_leaves_what_git_would_leave() {
    let sandbox = Sandbox::empty();
    let mut dice = Dice::new(7);
    let mut commits = Vec::new();
    for round in 0..12 {
        for _ in 0..dice.below(12) + 1 {
            let path = sandbox.path().join(format!("d{}/e{}/f{}", dice.below(3), dice.below(3), dice.below(4)));
            let dir = sandbox.path().join(format!("d{}/e{}", dice.below(3), dice.below(3)));
            match dice.below(7) {
                0 => drop(fs::remove_file(&path)),
                1 => drop(fs::remove_dir_all(&dir)),
                2 => {
                    let _ = fs::remove_dir_all(&dir);
                    let _ = fs::create_dir_all(dir.parent().unwrap());
                    let _ = fs::write(&dir, format!("file {round}\n"));
                }
                3 => {
                    let _ = fs::remove_file(&path);
                    if path.parent().unwrap().is_dir() {
                        link(&path, "target");
                    }
                }
                4 if path.is_file() && !path.is_symlink() => make_executable(&path),
                5 => sandbox.write(".gitattributes", dice.pick(&["* text=auto\n", "f1 eol=crlf\n", ""])),
                _ => {
                    if dir.is_file() {
                        fs::remove_file(&dir).unwrap();
                    }
                    if !path.is_symlink() && (path.parent().unwrap().is_dir() || !path.parent().unwrap().exists()) {
                        write(&path, format!("{} {round}\n", dice.below(100)));
                    }
                }
            }
        }
        commits.push(sandbox.commit(&format!("round {round}")));
    }
    let mut slot = sandbox.slots().get("w1", commits[0]).unwrap();
    for _ in 0..60 {
        let to = *dice.pick(&commits);
        slot.switch(to).unwrap();
        assert_eq!(status(&slot), "");
        assert_eq!(git_in(slot.path(), &["rev-parse", "HEAD"]), to.to_string());
        assert_eq!(git_in(slot.path(), &["write-tree"]), git_in(slot.path(), &["rev-parse", "HEAD^{tree}"]));
        assert!(slot.changes().unwrap().is_empty());
    }
}

#[test]
fn a_slot_that_is_not_clean_is_not_removed() {
    let sandbox = Sandbox::new();
    let slot = sandbox.slot("w1");
    let (path, admin) = (slot.path().to_owned(), slot.admin_dir().to_owned());
    write(&path.join("new"), "n\n");
    let slots = sandbox.slots();
    assert!(slots.remove(slot).is_err());
    fs::remove_file(path.join("new")).unwrap();
    slots.remove(sandbox.slot("w1")).unwrap();
    assert!(!path.exists() && !admin.exists());
    assert_eq!(slots.list().unwrap(), [""; 0]);
    assert!(!sandbox.git(&["worktree", "list"]).contains("w1"));
}

#[test]
fn a_step_needs_the_tree_that_was_taken() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    write(&slot.path().join("new"), "n\n");
    let mut draft = repository.draft();
    slot.take(&mut draft, &POLICY).unwrap();
    let other = sandbox.git(&["commit-tree", "-m", "other", "HEAD^{tree}:src"]).parse().unwrap();
    assert!(matches!(slot.accept(other), Err(GitError::Slot(SlotError::OtherTree { .. }))));
    let parent = slot.head();
    let _ = commit_of(&mut draft, slot.tree(), vec![parent], "unused");
    assert_eq!(slot.changes().unwrap().files.len(), 1);
}

#[test]
fn a_repository_of_sha256_works_too() {
    let sandbox = Sandbox::of_kind("sha256");
    sandbox.write("README", "hello\n");
    sandbox.commit("first");
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    let branch = "refs/heads/orchestrate/task/api";
    write(&slot.path().join("new/file"), "n\n");
    let first = step(&repository, &mut slot, branch, None);
    write(&slot.path().join("new/other"), "o\n");
    let second = step(&repository, &mut slot, branch, Some(first));
    let code = slot.head();
    slot.switch(code).unwrap();
    assert_eq!(status(&slot), "");
    assert_eq!(second.to_string().len(), 64);
    assert_eq!(git_in(slot.path(), &["write-tree"]), slot.tree().to_string());
    sandbox.check();
}

#[test]
fn submodules_stay_as_they_are() {
    let sandbox = Sandbox::new();
    let head = sandbox.repository().resolve("HEAD").unwrap();
    let cached = |name: &str| format!("160000,{head},{name}");
    for name in ["sub", "src/sub"] {
        sandbox.git(&["update-index", "--add", "--cacheinfo", &cached(name)]);
    }
    sandbox.write("sub-more", "between in the index\n");
    sandbox.git(&["add", "sub-more"]);
    sandbox.git(&["commit", "-qm", "with submodules"]);
    let with = sandbox.repository().resolve("HEAD").unwrap();
    let repository = sandbox.repository();
    let mut slot = sandbox.slots().get("w1", with).unwrap();
    assert!(slot.path().join("src/sub").is_dir());
    assert_eq!(status(&slot), "");
    assert!(slot.changes().unwrap().is_empty());
    write(&slot.path().join("new"), "n\n");
    write(&slot.path().join("sub/inside"), "not ours\n");
    let commit = step(&repository, &mut slot, "refs/heads/orchestrate/task/api", None);
    let listed = sandbox.git(&["ls-tree", "-r", "--name-only", &commit.to_string()]);
    assert_eq!(listed, "README\nnew\nsrc/deep/down.txt\nsrc/lib.rs\nsrc/sub\nsub\nsub-more");
    slot.switch(head).unwrap();
    assert!(slot.path().join("sub/inside").exists(), "what somebody put into a submodule stays");
    assert!(!slot.path().join("src/sub").exists());
    fs::remove_dir_all(slot.path().join("sub")).unwrap();
    slot.switch(with).unwrap();
    assert_eq!(status(&slot), "");
}
