//! An agent that wants more than its worktree: what it prepares there is neither run nor followed by us.

use std::{fs, path::Path};

use git_orchestrate::{
    config::settings::Durability,
    git::{Git, Repository},
};

use crate::kit::{POLICY, Sandbox, git_in, git_with, identity, link, make_executable, status, step, write};

/// A program that leaves a mark when it is run, and the place of the mark.
fn trap(sandbox: &Sandbox) -> (String, std::path::PathBuf) {
    let (program, mark) = (sandbox.outside("trap.sh"), sandbox.outside("sprung"));
    write(&program, format!("#!/bin/sh\ntouch '{}'\ncat\n", mark.display()));
    make_executable(&program);
    (program.display().to_string(), mark)
}

fn evil_settings(dir: &Path, program: &str) {
    for key in
        ["core.fsmonitor", "filter.x.clean", "filter.x.smudge", "core.sshCommand", "diff.external", "gpg.program"]
    {
        git_in(dir, &["config", key, program]);
    }
    git_in(dir, &["config", "filter.x.required", "true"]);
}

#[test]
fn a_swapped_git_file_runs_nothing_and_is_put_right() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let (program, mark) = trap(&sandbox);
    let mut slot = sandbox.slot("w1");
    let evil = slot.path().join("evil");
    fs::create_dir(&evil).unwrap();
    git_in(&evil, &["init", "-q", "--bare", "."]);
    git_in(&evil, &["config", "core.bare", "false"]);
    evil_settings(&evil, &program);
    write(&slot.path().join(".git"), "gitdir: evil\n");
    write(&slot.path().join(".gitattributes"), "* filter=x\n");
    write(&slot.path().join("README"), "changed\n");
    let commit = step(&repository, &mut slot, "refs/heads/orchestrate/task/api", None);
    assert_eq!(repository.read(commit, "README").unwrap().unwrap(), b"changed\n");
    slot.flush().unwrap();
    let head = slot.head();
    slot.switch(head).unwrap();
    let git = Git::of(&repository).args(["status", "--porcelain"]).run(&[]).unwrap();
    assert_eq!(git.code, Some(0));
    assert!(!mark.exists(), "the agent's program ran");
    let line = fs::read_to_string(slot.path().join(".git")).unwrap();
    assert_eq!(line, format!("gitdir: {}\n", slot.admin_dir().display()));
}

#[test]
fn a_repository_in_place_of_the_git_file_is_set_aside() {
    let sandbox = Sandbox::new();
    let (program, mark) = trap(&sandbox);
    let mut slot = sandbox.slot("w1");
    fs::remove_file(slot.path().join(".git")).unwrap();
    git_in(slot.path(), &["init", "-q"]);
    evil_settings(slot.path(), &program);
    assert!(slot.changes().unwrap().is_empty());
    let head = slot.head();
    slot.prepare(head, "refs/orchestrate/salvage/api", &identity(), Durability::Os).unwrap();
    assert_eq!(status(&slot), "");
    assert!(!mark.exists());
    let aside = fs::read_dir(sandbox.outside("slots/.set-aside")).unwrap().count();
    assert_eq!(aside, 1, "the agent's repository is not lost");
}

#[test]
fn settings_in_the_administrative_directory_are_not_read() {
    let sandbox = Sandbox::new();
    let (program, mark) = trap(&sandbox);
    sandbox.git(&["config", "extensions.worktreeConfig", "true"]);
    let mut slot = sandbox.slot("w1");
    let settings = format!("[core]\n\tfsmonitor = {program}\n[filter \"x\"]\n\tclean = {program}\n");
    write(&slot.admin_dir().join("config.worktree"), settings);
    write(&slot.path().join(".gitattributes"), "* filter=x\n");
    write(&slot.admin_dir().join("MERGE_HEAD"), "junk");
    write(&slot.admin_dir().join("rebase-merge/onto"), "junk");
    let repository = sandbox.repository();
    slot.take(&mut repository.draft(), &POLICY).unwrap();
    drop(slot);
    let slot = sandbox.slot("w1");
    assert!(!mark.exists());
    for gone in ["config.worktree", "MERGE_HEAD", "rebase-merge"] {
        assert!(!slot.admin_dir().join(gone).exists(), "{gone}");
    }
    git_with(crate::kit::command(slot.path()).args(["status"]));
    assert!(!mark.exists());
}

#[test]
fn a_directory_swapped_for_a_link_leads_us_nowhere() {
    let sandbox = Sandbox::new();
    let outside = sandbox.outside("precious");
    write(&outside.join("lib.rs"), "mine\n");
    write(&outside.join("deep/down.txt"), "mine too\n");
    let mut slot = sandbox.slot("w1");
    fs::remove_dir_all(slot.path().join("src")).unwrap();
    link(&slot.path().join("src"), outside.to_str().unwrap());
    let repository = sandbox.repository();
    let taken = slot.take(&mut repository.draft(), &POLICY).unwrap();
    assert_eq!(taken.refused.len(), 1, "the link leads outside");
    sandbox.write("src/lib.rs", "two\n");
    let second = sandbox.commit("second");
    assert!(slot.switch(second).is_err());
    slot.prepare(second, "refs/orchestrate/salvage/api", &identity(), Durability::Os).unwrap();
    assert_eq!(status(&slot), "");
    assert_eq!(fs::read(slot.path().join("src/lib.rs")).unwrap(), b"two\n");
    assert_eq!(fs::read(outside.join("lib.rs")).unwrap(), b"mine\n");
    assert_eq!(fs::read(outside.join("deep/down.txt")).unwrap(), b"mine too\n");
}

#[test]
fn a_broken_index_of_the_agent_is_replaced() {
    let sandbox = Sandbox::new();
    let repository = sandbox.repository();
    let mut slot = sandbox.slot("w1");
    write(&slot.path().join("new"), "n\n");
    write(&slot.admin_dir().join("index"), "junk");
    write(&slot.admin_dir().join("index.lock"), "");
    write(&slot.admin_dir().join("HEAD"), "ref: refs/heads/nowhere\n");
    let commit = step(&repository, &mut slot, "refs/heads/orchestrate/task/api", None);
    assert_eq!(repository.list(commit, "").unwrap().len(), 3);
    let head = slot.head();
    slot.switch(head).unwrap();
    assert_eq!(status(&slot), "");
}

#[test]
fn hooks_and_settings_of_the_repository_do_not_run_when_git_is_ours() {
    let sandbox = Sandbox::new();
    let (program, mark) = trap(&sandbox);
    for hook in ["post-index-change", "pre-commit", "post-checkout", "reference-transaction"] {
        let path = sandbox.path().join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(&program, path).unwrap();
    }
    sandbox.git(&["config", "--unset", "core.hooksPath"]);
    sandbox.git(&["config", "hook.mine.command", &program]);
    sandbox.git(&["config", "hook.mine.event", "post-index-change"]);
    sandbox.git(&["config", "core.fsmonitor", &program]);
    let repository: Repository = sandbox.repository();
    Git::of(&repository).args(["update-index", "--refresh", "-q"]).output(&[]).unwrap();
    Git::of(&repository).args(["commit", "--allow-empty", "-qm", "x"]).output(&[]).unwrap();
    assert!(!mark.exists());
}
