//! A command that makes a new worktree ready: a line for the shell, alone or with what it makes.
//! Knows nothing of when it is run.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
    ser::SerializeStruct,
};

use super::parse::is_outside;

/// A command of `[worktrees] setup`: `"npm ci"`, or `{ run = "npm ci", makes = ["node_modules"] }`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetupCommand {
    /// For `sh -c`.
    pub run: String,
    /// The directories below the root that it makes, and nothing else, from the lock files alone: they are made once for the same
    /// lock files and copied into the other worktrees. None: it is run in each.
    pub makes: Vec<String>,
}

impl SetupCommand {
    /// One that is run in each worktree.
    pub fn alone(run: impl Into<String>) -> Self {
        Self { run: run.into(), makes: Vec::new() }
    }

    /// One that makes this directory.
    pub fn making(run: impl Into<String>, directory: &str) -> Self {
        Self { run: run.into(), makes: vec![directory.to_owned()] }
    }

    /// What cannot be meant, if anything.
    pub(super) fn wrong(&self) -> Option<String> {
        if self.run.trim().is_empty() {
            return Some("a command of 'setup' is empty".to_owned());
        }
        let names_root = |path: &str| path.split('/').all(|part| part.is_empty() || part == ".");
        let of_git = |path: &str| path.split('/').any(|part| part.eq_ignore_ascii_case(".git"));
        let wrong = |path: &&String| is_outside(path) || names_root(path) || of_git(path);
        let wrong = self.makes.iter().find(wrong)?;
        Some(format!("'{}' of 'makes' is no directory below the root", wrong.escape_debug()))
    }
}

impl fmt::Display for SetupCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        if self.makes.is_empty() {
            return f.write_str(&text(&self.run));
        }
        let makes: Vec<_> = self.makes.iter().map(|path| text(path)).collect();
        write!(f, "{{ run = {}, makes = [{}] }}", text(&self.run), makes.join(", "))
    }
}

impl Serialize for SetupCommand {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.makes.is_empty() {
            return to.serialize_str(&self.run);
        }
        let mut table = to.serialize_struct("SetupCommand", 2)?;
        table.serialize_field("run", &self.run)?;
        table.serialize_field("makes", &self.makes)?;
        table.end()
    }
}

impl<'de> Deserialize<'de> for SetupCommand {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            run: String,
            #[serde(default)]
            makes: Vec<String>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = SetupCommand;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command in quotes or a table of 'run' and 'makes'")
            }

            fn visit_str<E: serde::de::Error>(self, run: &str) -> Result<SetupCommand, E> {
                Ok(SetupCommand::alone(run))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<SetupCommand, A::Error> {
                let Table { run, makes } = Table::deserialize(MapAccessDeserializer::new(table))?;
                Ok(SetupCommand { run, makes })
            }
        }
        from.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn check(setup: &str, wanted: Result<&[SetupCommand], &str>) {
        match (parse(&format!("version = 1\n[worktrees]\nsetup = {setup}\n"), "c"), wanted) {
            (Ok(settings), Ok(wanted)) => {
                assert_eq!(settings.worktrees.setup, wanted);
                let written: Vec<_> = wanted.iter().map(ToString::to_string).collect();
                let again = parse(&format!("version = 1\n[worktrees]\nsetup = [{}]\n", written.join(", ")), "c");
                assert_eq!(again.expect("it was written by us").worktrees.setup, wanted);
            }
            (Err(problems), Err(wanted)) => assert!(problems[0].what.contains(wanted), "{setup}: {problems:?}"),
            (found, wanted) => panic!("{setup}: {found:?}, not {wanted:?}"),
        }
    }

    #[test]
    fn a_command_is_a_text_or_a_table() {
        check("[]", Ok(&[]));
        check(
            "['make \"x\"', { run = 'npm ci', makes = ['node_modules'] }, { run = 'x' }]",
            Ok(&[
                SetupCommand::alone("make \"x\""),
                SetupCommand::making("npm ci", "node_modules"),
                SetupCommand::alone("x"),
            ]),
        );
        check("['']", Err("a command of 'setup' is empty"));
        check("[{ run = ' ' }]", Err("a command of 'setup' is empty"));
        check("[{ makes = ['x'] }]", Err("'run' is missing"));
        check("[{ run = 'x', make = ['y'] }]", Err("unknown key 'make'"));
        check("[1]", Err("a command in quotes or a table"));
        for path in ["../x", "/etc", ".", "./", "", "a/.git", ".GIT"] {
            let setup = format!("[{{ run = 'x', makes = ['{path}'] }}]");
            check(&setup, Err("of 'makes' is no directory below the root"));
        }
    }
}
