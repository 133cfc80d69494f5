//! The files of the demo's repository, which are real files beside this one: a program, three tasks, two recordings.
//! Knows nothing of what becomes of them.

/// Where a file of the scenario goes, and its text.
pub type File = (&'static str, &'static str);

macro_rules! files {
    ($($path:literal from $source:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("scenario/", $source)))),*]
    };
}

/// The program before any task: its first commit.
pub const PROGRAM: &[File] = files![
    ".gitignore" from "program/gitignore.txt",
    "Cargo.lock" from "program/Cargo.lock.txt",
    "Cargo.toml" from "program/Cargo.toml.txt",
    "README.md" from "program/README.md.txt",
    "src/lib.rs" from "program/src/lib.rs.txt",
    "src/main.rs" from "program/src/main.rs.txt",
    "src/report.rs" from "program/src/report.rs.txt",
    "src/time.rs" from "program/src/time.rs.txt",
    "tests/report.rs" from "program/tests/report.rs.txt",
    "tests/time.rs" from "program/tests/time.rs.txt",
];

/// The configuration, the queue and the recordings: its second commit.
pub const HANDOFF: &[File] = files![
    ".handoff/config.toml" from "handoff/config.toml",
    ".handoff/recordings/claude.toml" from "handoff/recordings/claude.toml",
    ".handoff/recordings/gemini.toml" from "handoff/recordings/gemini.toml",
    ".handoff/tasks/hours.md" from "handoff/tasks/hours.md",
    ".handoff/tasks/share.toml" from "handoff/tasks/share.toml",
    ".handoff/tasks/total.toml" from "handoff/tasks/total.toml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_a_good_one() {
        let (_, text) = HANDOFF[0];
        let settings = crate::config::parse::parse(text, "config.toml").expect("it is well");
        let agents = settings.agents.values();
        let recordings: Vec<_> = agents.filter_map(|agent| agent.recording.as_ref()?.to_str()).collect();
        let is_there = |path: &&str| HANDOFF.iter().any(|(name, _)| name == path);
        assert_eq!(recordings.len(), 2);
        assert!(recordings.iter().all(is_there), "{recordings:?}");
    }
}
