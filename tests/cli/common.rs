//! What holds for every command: exit codes, colours, `-C`, subdirectories, being run by git, closed pipes.

use std::process::Stdio;

use snapbox::str;

use crate::sandbox::Sandbox;

fn with_task() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".handoff/tasks/api.toml", "title = \"Add an API\"\n");
    sandbox
}

const LIST: &str = "TASK  RISK    TITLE\napi   medium  Add an API\n";

#[test]
fn wrong_usage_is_129_and_goes_to_standard_error() {
    let sandbox = Sandbox::new();
    sandbox.run(&["frobnicate"]).is(
        129,
        "",
        str![[r#"
error: unrecognized subcommand 'frobnicate'

Usage: git orchestrate [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]],
    );
    sandbox.run(&["task", "add"]).is(
        129,
        "",
        str![[r#"
error: the following required arguments were not provided:
  <TITLE>

Usage: git orchestrate task add <TITLE>

For more information, try '--help'.

"#]],
    );
    assert_eq!(sandbox.run(&["task", "add", "x", "--risk", "huge"]).code, 129);
    assert_eq!(sandbox.run(&["task", "add", "x", "--id", "../x"]).code, 129);
    assert_eq!(sandbox.run(&["-v", "-q", "agents"]).code, 129);
    let nothing = sandbox.run(&[]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (129, ""));
}

#[test]
fn the_version_is_data() {
    let ran = Sandbox::without_repository().run(&["--version"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout, concat!("git-orchestrate ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn there_must_be_a_repository_with_a_working_tree() {
    let sandbox = Sandbox::without_repository();
    for words in [&["init"][..], &["task", "list"], &["agents"], &["doctor"]] {
        let ran = sandbox.run(words);
        assert_eq!((ran.code, ran.stdout.as_str()), (128, ""), "{words:?}");
        assert!(ran.stderr.starts_with("fatal: not a git repository: '[SANDBOX]"), "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.ends_with("hint: git init\n"), "{words:?}: {}", ran.stderr);
    }
    sandbox.git(&["init", "--quiet", "--bare", "bare.git"]);
    sandbox.run(&["-C", "bare.git", "init"]).is(
        128,
        "",
        str![[r#"
fatal: '[SANDBOX]/bare.git' is a bare repository: tasks and configuration need a working tree
hint: git clone '[SANDBOX]/bare.git'

"#]],
    );
}

#[test]
fn mistakes_in_files_are_named_with_their_line() {
    let sandbox = Sandbox::new();
    sandbox.write(".handoff/config.toml", "version = 1\n\n[limits]\nmax_agents = 3\njob = 4\n");
    sandbox.run(&["agents"]).is(
        128,
        "",
        str![[r#"
fatal: unknown key 'max_agents' in [limits]
  at .handoff/config.toml:4
...
fatal: unknown key 'job' in [limits]
  at .handoff/config.toml:5
hint: did you mean 'jobs'?

"#]],
    );
    sandbox.write(".handoff/tasks/api.toml", "title = \"Add an API\"\nriks = \"low\"\n");
    sandbox.run(&["task", "list"]).is(
        128,
        "",
        str![[r#"
fatal: unknown key 'riks'
  at .handoff/tasks/api.toml:2
hint: did you mean 'risk'?

"#]],
    );
}

#[test]
fn it_works_from_anywhere_in_the_repository() {
    let sandbox = with_task();
    sandbox.write("deep/down/file", "");
    for words in [
        &["-C", "deep/down", "task", "list"][..],
        &["-C", "deep", "-C", "down", "task", "list"],
        &["task", "list", "-C", "deep"],
    ] {
        sandbox.run(words).is(0, LIST, "");
    }
    let mut below = sandbox.orchestrate(&["task", "list"]);
    below.current_dir(sandbox.repository().join("deep/down"));
    sandbox.end(below).is(0, LIST, "");
    let ran = sandbox.run(&["-C", "nowhere", "task", "list"]);
    assert_eq!(ran.code, 128);
    assert!(ran.stderr.starts_with("fatal: cannot change to 'nowhere': "), "{}", ran.stderr);
}

#[test]
fn git_runs_it_as_a_command_of_its_own() {
    let sandbox = with_task();
    sandbox.write("deep/file", "");
    for words in [
        &["orchestrate", "task", "list"][..],
        &["-C", "deep", "orchestrate", "task", "list"],
        &["--git-dir=.git", "--work-tree=.", "orchestrate", "task", "list"],
        &["--no-pager", "-c", "user.name=Bob", "orchestrate", "task", "list"],
    ] {
        let mut git = sandbox.command("git");
        git.args(words);
        sandbox.end(git).is(0, LIST, "");
    }
    // The exit code goes through git.
    let mut git = sandbox.command("git");
    git.args(["orchestrate", "task", "show", "nope"]);
    assert_eq!(sandbox.end(git).code, 4);
}

#[test]
fn a_linked_worktree_is_a_place_too() {
    let sandbox = with_task();
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "--quiet", "--message=begin"]);
    sandbox.git(&["worktree", "add", "--quiet", "../linked"]);
    sandbox.run(&["-C", "../linked", "task", "list"]).is(0, LIST, "");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let sandbox = with_task();
    let shown = |words: &[&str], variables: &[(&str, &str)]| {
        let mut command = sandbox.orchestrate(words);
        command.envs(variables.iter().copied());
        sandbox.end(command)
    };
    let always = shown(&["task", "list", "--color=always"], &[("NO_COLOR", "1")]);
    assert!(always.stdout.contains("\u{1b}[1mapi\u{1b}[0m"), "{:?}", always.stdout);
    for (words, variables) in [
        (&["task", "list"][..], &[("TERM", "xterm")][..]),
        (&["task", "list", "--color=never"], &[("CLICOLOR_FORCE", "1")]),
        (&["task", "list"], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]),
    ] {
        assert_eq!(shown(words, variables).stdout, LIST, "{words:?} {variables:?}");
    }
    let fatal = shown(&["--color=always", "task", "show", "nope"], &[]);
    assert!(fatal.stderr.starts_with("\u{1b}[31mfatal:\u{1b}[0m there is no task"), "{:?}", fatal.stderr);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let sandbox = with_task();
    for words in [&["completions", "bash"][..], &["task", "list"], &["--help"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = sandbox.orchestrate(words);
        let ended = command.stdin(Stdio::null()).stdout(writer).output().expect("it starts");
        assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""), "{words:?}");
    }
}

#[test]
fn foreign_words_do_not_reach_the_terminal_as_they_are() {
    let sandbox = Sandbox::new();
    sandbox.write(".handoff/tasks/api.toml", "title = \"Red \\u001b[31m alert\\u0007\"\n");
    let ran = sandbox.run(&["task", "list"]);
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{:?}{:?}", ran.stdout, ran.stderr);
}
