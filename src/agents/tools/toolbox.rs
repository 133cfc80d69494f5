//! The tools for one step: which there are, and a call of one.
//! Knows nothing of the model that calls; what it may do was decided by who made the box.

use std::{collections::BTreeMap, ffi::OsString, io, path::PathBuf};

use serde_json::Value;

use super::{
    edit,
    ground::Ground,
    list, read,
    refusal::Refusal,
    run, search,
    tool::{RunPolicy, Shell, ToolSpec},
    write,
};
use crate::{
    agents::reading::detail_of,
    model::workflow::Access,
    sys::process::{Cancel, Label, Supervisor},
    text,
};

/// Columns of the line for people.
const DETAIL_COLUMNS_MAX: usize = 160;

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// For the model.
    pub text: String,
    /// It did not do what it was asked, or a command failed.
    pub is_error: bool,
    /// One line for people, cleaned: what it was used for and what came of it.
    pub detail: String,
}

/// What a box is made of.
#[derive(Debug, Clone)]
pub struct Bench<'a> {
    /// Where the tools work, and nowhere else.
    pub worktree: PathBuf,
    /// Readers get `read`, `list` and `search`; writers all.
    pub access: Access,
    /// Of `run`.
    pub run: RunPolicy,
    /// All variables of a command: [`super::toolbox::environment`].
    pub env: BTreeMap<OsString, OsString>,
    /// What a command is run for.
    pub label: Label,
    /// Starts the commands.
    pub supervisor: &'a Supervisor,
    /// Ends them.
    pub cancel: &'a Cancel,
}

/// The tools of one step.
#[derive(Debug)]
pub struct Toolbox<'a> {
    ground: Ground,
    access: Access,
    shell: Shell<'a>,
}

pub use super::run::environment;

/// The tools. All of them are for writers, the first three for readers too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Read,
    List,
    Search,
    Write,
    Edit,
    Run,
}

impl Tool {
    const ALL: [Self; 6] = [Self::Read, Self::List, Self::Search, Self::Write, Self::Edit, Self::Run];

    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Search => "search",
            Self::Write => "write",
            Self::Edit => "edit",
            Self::Run => "run",
        }
    }
}

impl<'a> Toolbox<'a> {
    /// A box of tools for a worktree.
    ///
    /// # Errors
    /// There is no such worktree.
    pub fn new(bench: Bench<'a>) -> io::Result<Self> {
        let ground = Ground::open(&bench.worktree)?;
        let shell = Shell {
            cwd: ground.path().to_owned(),
            policy: bench.run,
            env: bench.env,
            label: bench.label,
            supervisor: bench.supervisor,
            cancel: bench.cancel,
        };
        Ok(Self { ground, access: bench.access, shell })
    }

    /// The tools that there are for this step.
    pub fn specs(&self) -> Vec<ToolSpec> {
        let spec = |tool| match tool {
            Tool::Read => read::spec(),
            Tool::List => list::spec(),
            Tool::Search => search::spec(),
            Tool::Write => write::spec(),
            Tool::Edit => edit::spec(),
            Tool::Run => run::spec(self.shell.policy.wall),
        };
        self.tools().map(spec).collect()
    }

    /// What a call is about to do, one line for people, before it is done.
    pub fn announce(&self, arguments: &Value) -> String {
        line(detail_of(arguments))
    }

    /// Calls a tool. Whatever is wrong is said to the model; nothing of it is an error of ours.
    pub fn call(&self, name: &str, arguments: &Value) -> ToolResult {
        let Some(tool) = self.tools().find(|tool| tool.name() == name) else {
            let there: Vec<&str> = self.tools().map(Tool::name).collect();
            let name = text::cut(&text::clean_line(name), DETAIL_COLUMNS_MAX);
            let said = format!("there is no tool '{name}' here; there are {}", there.join(", "));
            return ToolResult { detail: line(&said), text: said, is_error: true };
        };
        let said = match tool {
            Tool::Read => read::call(&self.ground, arguments),
            Tool::List => list::call(&self.ground, arguments),
            Tool::Search => search::call(&self.ground, self.shell.cancel, arguments),
            Tool::Write => write::call(&self.ground, arguments),
            Tool::Edit => edit::call(&self.ground, arguments),
            Tool::Run => run::call(&self.shell, arguments),
        };
        match said {
            Ok(said) => ToolResult { text: said.text, is_error: said.is_error, detail: line(&said.detail) },
            Err(refusal) => refused(&refusal),
        }
    }

    fn tools(&self) -> impl Iterator<Item = Tool> {
        let (access, run) = (self.access, self.shell.policy.allowed);
        Tool::ALL.into_iter().filter(move |tool| match tool {
            Tool::Read | Tool::List | Tool::Search => true,
            Tool::Write | Tool::Edit => access == Access::Write,
            Tool::Run => access == Access::Write && run,
        })
    }
}

fn refused(refusal: &Refusal) -> ToolResult {
    let said = format!("error: {refusal}");
    ToolResult { detail: line(&said), text: said, is_error: true }
}

fn line(text: &str) -> String {
    text::cut(&text::clean_line(text), DETAIL_COLUMNS_MAX)
}
