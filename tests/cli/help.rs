//! What `-h` says of each command.

use git_orchestrate::cli::arguments::command;
use snapbox::{Data, data::DataFormat};

use crate::sandbox::Sandbox;

fn check(sandbox: &Sandbox, command: &clap::Command, words: &[&str]) {
    let ran = sandbox.run(&[words, &["-h"]].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{words:?}");
    assert!(ran.stdout.contains("\nExamples:\n  git "), "{words:?} has no examples:\n{}", ran.stdout);
    let name = [&["git-orchestrate"], words].concat().join("-");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/snapshots/{name}.txt"));
    let expected = Data::read_from(&path, Some(DataFormat::Text));
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(ran.stdout, expected);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        check(sandbox, sub, &[words, &[sub.get_name()]].concat());
    }
}

#[test]
fn each_command_has_help_with_examples() {
    check(&Sandbox::without_repository(), &command(), &[]);
}

#[test]
fn the_long_help_goes_to_standard_output_too() {
    let ran = Sandbox::without_repository().run(&["init", "--help"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("Find agents and tests"), "{}", ran.stdout);
}
