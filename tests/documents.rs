//! Holds the README and the project's own queue to the program: its commands, its files, its exit codes.
//! Knows nothing of what the commands do; that the first two of the README work is for other tests to prove.

use std::{collections::BTreeSet, fs, path::Path};

use git_orchestrate::{
    cli::{arguments, exit::MEANINGS},
    config::parse::parse,
    handoff::tasks::{Format, parse as parse_task, parse_toml},
};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name)
}

/// The blocks of the README in that language.
fn blocks(language: &str) -> Vec<String> {
    let page = read("README.md");
    let parts = page.split("```").collect::<Vec<_>>();
    let inside = parts.iter().skip(1).step_by(2);
    inside.filter_map(|block| block.strip_prefix(&format!("{language}\n"))).map(str::to_owned).collect()
}

/// Every command of ours in the README: in blocks a line each, in prose between backquotes.
fn commands() -> Vec<String> {
    let page = read("README.md");
    let mut found = Vec::new();
    for line in page.lines() {
        if line.starts_with("    git orchestrate") {
            found.push(line.split("  #").next().unwrap_or(line).trim().to_owned());
        } else if !line.starts_with(' ') {
            let quoted = line.split('`').skip(1).step_by(2);
            found.extend(quoted.filter(|code| code.starts_with("git orchestrate ")).map(str::to_owned));
        }
    }
    found
}

/// The words of a command as a shell takes them, with examples in the place of what the reader is to fill in.
fn words(command: &str) -> Vec<String> {
    let filled = command.replace("<task>", "T-1").replace('…', "x");
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in filled.chars().chain([' ']) {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (' ', None) if word.is_empty() => {}
            (' ', None) => words.push(std::mem::take(&mut word)),
            (c, _) => word.push(c),
        }
    }
    words
}

#[test]
fn every_command_of_the_readme_is_understood() {
    let commands = commands();
    assert!(commands.len() > 25, "{commands:#?}");
    for command in commands {
        let words = words(&command);
        assert_eq!(words[..2], ["git", "orchestrate"], "{command}");
        if let Err(error) = arguments::command().try_get_matches_from(&words[1..]) {
            assert!(error.exit_code() == 0, "{command}: {error}");
        }
    }
}

#[test]
fn the_day_is_in_the_readme() {
    let page = read("README.md");
    for verb in ["init", "task add", "task import", "start", "status", "review", "log", "land"] {
        assert!(page.contains(&format!("\n    git orchestrate {verb}")), "{verb}");
    }
    assert_eq!(blocks("sh")[..2], ["\ncargo run --release -- demo\n", "\ncargo test\n"].map(str::trim_start));
}

#[test]
fn the_files_of_the_readme_are_read() {
    let id = "T-1".parse().expect("an id");
    let (tasks, configs): (Vec<_>, Vec<_>) = blocks("toml").into_iter().partition(|block| block.contains("title = "));
    for config in &configs {
        parse(config, "README.md").unwrap_or_else(|problems| panic!("{config}\n{problems:#?}"));
    }
    for task in &tasks {
        parse_toml(task, "README.md", &id).unwrap_or_else(|problems| panic!("{task}\n{problems:#?}"));
    }
    assert!(!configs.is_empty() && !tasks.is_empty());
}

#[test]
fn what_the_documents_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = read(page);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let names = text.split(['`', '\n', ' ']).filter(|word| word.starts_with("scripts/") && word.ends_with(".sh"));
        for name in links.filter(|link| !link.starts_with("http")).chain(names) {
            assert!(root.join(name).exists(), "{page}: '{name}' is not there");
        }
    }
}

#[test]
fn the_exit_codes_are_the_real_ones() {
    let page = read("README.md");
    let section = page.split("## Exit codes").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a section");
    let told: BTreeSet<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .filter(|code| code.starts_with(char::is_numeric))
        .collect();
    assert_eq!(told, MEANINGS.iter().map(|(code, _)| *code).collect());
}

#[test]
fn the_projects_own_queue_is_read() {
    let settings = parse(&read(".handoff/config.toml"), ".handoff/config.toml");
    assert!(settings.is_ok(), "{settings:#?}");
    let tasks = Path::new(env!("CARGO_MANIFEST_DIR")).join(".handoff/tasks");
    for entry in fs::read_dir(tasks).expect("there are tasks") {
        let path = entry.expect("it can be read").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let format = if path.extension().is_some_and(|ending| ending == "md") { Format::Md } else { Format::Toml };
        let text = fs::read_to_string(&path).expect("text");
        let task = parse_task(&text, stem, format, &stem.parse().expect("an id"));
        assert!(task.is_ok(), "{task:#?}");
    }
}
