//! What a crash, a user or a full disk can leave of our files: the next run puts right what is ours and goes on.
//! Knows nothing of agents that are still alive.

use std::{
    cell::Cell,
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    kit::{agents::config, sandbox::Sandbox, state::Branches},
    scenario::Scenario,
};

fn scenario(name: &str) -> Scenario {
    Scenario::all().into_iter().find(|scenario| scenario.name == name).expect("a scenario")
}

/// A copy of a scenario whose first command was killed there.
fn killed(scenario: &Scenario, at: &str) -> Sandbox {
    let sandbox = scenario.template.copy();
    let mut command = sandbox.command(scenario.acts[0].words);
    command.env("GIT_ORCHESTRATE_CRASH_AT", at);
    assert!(sandbox.run_command(command).was_killed(), "it does not pass {at}");
    sandbox
}

/// Kills both scenarios where agents' work is not yet in a commit, ruins something, and goes on to the usual end.
#[track_caller]
fn check(ruin: impl Fn(&Sandbox)) {
    for name in ["single", "standard"] {
        let scenario = scenario(name);
        let sandbox = killed(&scenario, "step.taken:2");
        let before = Branches::of(&sandbox);
        ruin(&sandbox);
        let users = sandbox.users();
        let ended = sandbox.run(&["resume"]);
        assert_eq!(ended.code(), Some(0), "{name}: {}{}", ended.stdout, ended.stderr);
        Branches::of(&sandbox).check_keeps(&before);
        assert!(users == sandbox.users(), "{name}: something of the user's changed");
        scenario.check_end(&sandbox, None);
    }
}

fn age(path: &Path, seconds: u64) {
    let then = SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(path).and_then(|file| file.set_modified(then)).expect("an age");
}

/// The work that was in it is gone with it, by the user's own hand.
fn forget_tokens(sandbox: &Sandbox) {
    let log = sandbox.outside("log");
    let text = fs::read_to_string(&log).expect("a log");
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("wrote")).collect();
    fs::write(&log, kept.join("\n") + "\n").expect("written");
}

fn admins(sandbox: &Sandbox) -> Vec<PathBuf> {
    fs::read_dir(sandbox.git_dir().join("worktrees")).expect("worktrees").flatten().map(|entry| entry.path()).collect()
}

#[test]
fn nothing_is_ruined() {
    check(|_| {});
}

#[test]
fn our_local_directory_is_gone() {
    check(|sandbox| fs::remove_dir_all(sandbox.local()).expect("removed"));
}

#[test]
fn all_worktrees_are_gone() {
    check(|sandbox| {
        fs::remove_dir_all(sandbox.worktrees()).expect("removed");
        forget_tokens(sandbox);
    });
}

#[test]
fn all_worktrees_are_gone_and_pruned() {
    check(|sandbox| {
        fs::remove_dir_all(sandbox.worktrees()).expect("removed");
        sandbox.git(&["worktree", "prune"]);
        forget_tokens(sandbox);
    });
}

#[test]
fn what_git_knows_of_the_worktrees_is_gone() {
    // Their files are not: they are set aside, where the user finds them.
    let tokens = Cell::new(0);
    check(|sandbox| {
        tokens.set(tokens.get() + sandbox.tokens().len());
        fs::remove_dir_all(sandbox.git_dir().join("worktrees")).expect("removed");
        forget_tokens(sandbox);
    });
    assert!(tokens.get() > 0, "no agent had written anything");
}

#[test]
fn what_is_set_aside_is_left_to_its_user() {
    let sandbox = killed(&scenario("single"), "step.taken:2");
    fs::remove_dir_all(sandbox.git_dir().join("worktrees")).expect("removed");
    assert_eq!(sandbox.run(&["resume"]).code(), Some(0));
    let cleaned = sandbox.run(&["clean", "--all"]);
    let aside = sandbox.worktrees().join(".set-aside");
    assert_eq!(cleaned.code(), Some(0), "{}", cleaned.stderr);
    let hint = format!("hint: look at it, then: rm -r '{}'", aside.display());
    assert!(cleaned.stderr.contains(&hint), "{}", cleaned.stderr);
    assert!(aside.read_dir().expect("there").next().is_some());
}

#[test]
fn what_we_know_of_the_worktrees_cannot_be_read() {
    for text in [
        "",
        "at 0505",
        // Power was lost before the objects of what was checked out were on the disk.
        "at 1111111111111111111111111111111111111111 2222222222222222222222222222222222222222",
    ] {
        check(|sandbox| {
            for admin in admins(sandbox) {
                fs::write(admin.join("orchestrate"), text).expect("written");
            }
            forget_tokens(sandbox);
        });
    }
}

#[test]
fn worktrees_are_half_made() {
    check(|sandbox| {
        for admin in admins(sandbox) {
            fs::write(admin.join("locked"), "initializing\n").expect("written");
            // Killed while it was being made, a worktree may not have come that far.
            let noted = admin.join("orchestrate");
            assert!(!noted.exists() || fs::remove_file(noted).is_ok());
        }
        for worktree in fs::read_dir(sandbox.worktrees()).expect("worktrees").flatten() {
            fs::write(worktree.path().join(".git"), "").expect("written");
        }
    });
}

#[test]
fn indexes_and_heads_of_worktrees_are_broken() {
    check(|sandbox| {
        for admin in admins(sandbox) {
            fs::write(admin.join("index"), "DIRC and no more").expect("written");
            fs::write(admin.join("HEAD"), "").expect("written");
        }
    });
}

#[test]
fn lock_files_are_left() {
    for seconds in [0, 60] {
        check(|sandbox| {
            let git_dir = sandbox.git_dir();
            let mut locks = vec![
                git_dir.join("refs/heads/orchestrate/integration.lock"),
                git_dir.join("refs/heads/orchestrate/task/a.lock"),
                git_dir.join("refs/heads/orchestrate/task/b.lock"),
            ];
            for admin in admins(sandbox) {
                locks.extend([admin.join("index.lock"), admin.join("HEAD.lock")]);
            }
            for lock in &locks {
                fs::create_dir_all(lock.parent().expect("a directory")).expect("directories");
                fs::write(lock, "1111111111111111111111111111111111111111\n").expect("written");
                age(lock, seconds);
            }
        });
    }
}

#[test]
fn a_lock_of_an_integration_branch_with_a_name_of_its_own_is_left() {
    let sandbox = Sandbox::new().with_agents(&(config("single") + "[landing]\nbranch = \"next\"\n"));
    sandbox.task("a", "");
    sandbox.script("implement", "echo $task > $task.txt");
    fs::write(sandbox.git_dir().join("refs/heads/next.lock"), "").expect("written");
    sandbox.run(&["start"]).expect(0);
    assert_eq!(sandbox.git(&["show", "next:a.txt"]), "a");
    assert_eq!(sandbox.lock_files(), Vec::<PathBuf>::new());
}

#[test]
fn transcripts_whose_names_were_not_on_the_disk_are_forgotten() {
    check(|sandbox| {
        for task in ["a", "c"] {
            let name = sandbox.git_dir().join("refs/orchestrate/transcripts").join(task);
            fs::create_dir_all(name.parent().expect("a directory")).expect("directories");
            fs::write(name, "").expect("written");
        }
    });
}

#[test]
fn the_users_own_lock_is_left_alone_and_in_nobodys_way() {
    let scenario = scenario("single");
    let sandbox = killed(&scenario, "step.taken:2");
    let theirs = sandbox.outside("worker-x");
    sandbox.git(&["-c", "core.hooksPath=/dev/null", "worktree", "add", "-q", theirs.to_str().expect("UTF-8"), "HEAD"]);
    let locks = ["index.lock", "worktrees/worker-x/index.lock", "refs/heads/main.lock", "packed-refs.lock"];
    let locks = locks.map(|lock| sandbox.git_dir().join(lock));
    for lock in &locks {
        fs::write(lock, "").expect("written");
        age(lock, 600);
    }
    sandbox.run(&["resume"]).expect(0);
    assert_eq!(locks.iter().filter(|lock| lock.exists()).count(), locks.len());
}

#[test]
fn git_tidies_up_in_between() {
    check(|sandbox| {
        // The hooks of the sandbox's user forbid everything, git's tidying up too.
        for words in [&["gc", "-q", "--prune=now"][..], &["worktree", "prune"], &["pack-refs", "--all"]] {
            sandbox.git(&[&["-c", "core.hooksPath=/dev/null"], words].concat());
        }
    });
}

#[test]
fn caches_and_live_files_are_garbage() {
    check(|sandbox| {
        for directory in ["live", "cache", "children", "requests", "scratch/worker-0"] {
            let directory = sandbox.local().join(directory);
            fs::create_dir_all(&directory).expect("directories");
            for name in
                ["run.json", "worker-0.json", "parked.json", "agents.json", "tips", "1.json", "result.json", "stop"]
            {
                fs::write(directory.join(name), "\0\u{fffd}{").expect("written");
            }
        }
        fs::write(sandbox.local().join("lock"), "{\"pid\": 1").expect("written");
    });
}

/// No file may be larger than so many blocks of 512 bytes: writing fails, as it does on a full disk.
fn limited(sandbox: &Sandbox, words: &str, blocks: u32) -> crate::kit::program::Ended {
    let command = sandbox.command(&[]);
    let program = command.get_program().to_owned();
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {words}");
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(sandbox.path()).env_clear().args(["-c", &script]).arg(program);
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    sandbox.run_command(shell)
}

#[test]
fn a_disk_that_is_full_loses_nothing_and_the_run_goes_on_when_there_is_room() {
    let scenario = scenario("single");
    for blocks in [0, 1, 2, 4, 6, 8] {
        let sandbox = scenario.template.copy();
        let users = sandbox.users();
        let mut before = Branches::of(&sandbox);
        for words in ["start", "resume"] {
            let ended = limited(&sandbox, words, blocks);
            assert!(ended.code().is_some_and(|code| [0, 1, 3, 128].contains(&code)), "{blocks}: {ended:?}");
            let now = Branches::of(&sandbox);
            now.check();
            now.check_keeps(&before);
            before = now;
            assert_eq!(crate::kit::state::git_problems(&sandbox), "", "{blocks}");
        }
        let ended = sandbox.run(&["resume"]);
        assert_eq!(ended.code(), Some(0), "{blocks}: {}{}", ended.stdout, ended.stderr);
        Branches::of(&sandbox).check_keeps(&before);
        assert!(users == sandbox.users(), "{blocks}: something of the user's changed");
        scenario.check_end(&sandbox, None);
    }
}
