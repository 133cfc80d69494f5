//! What `task` takes, and who carries it out.
//! Knows nothing of task files.

use std::{io::Write, path::PathBuf};

use clap::{Args, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};

use super::{add, edit, import, list, show};
use crate::{
    cli::{exit::Exit, failure::Failure, terminal::Terminal},
    handoff::tasks::FieldValue,
    model::{
        money::Money,
        task::{Complexity, Risk, Span, TaskId},
    },
};

/// What `task` takes.
#[derive(Debug, Clone, Args)]
pub struct TaskArguments {
    /// What to do with the queue
    #[command(subcommand)]
    pub command: TaskCommand,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate task add \"Add a --json flag\" --risk low --accept \"list --json prints an array\"
  git orchestrate task import prompts/
  git orchestrate task list
  git orchestrate task edit T-001 --priority 5";

const ADD_EXAMPLES: &str = "\
Examples:
  git orchestrate task add \"Add a --json flag\" --risk low --accept \"list --json prints an array\"
  git orchestrate task add \"Write the manual\" --id docs --depends-on api --file 'docs/**'
  git orchestrate task add \"Port the parser\" --goal-file - < notes.txt";

const LIST_EXAMPLES: &str = "\
Examples:
  git orchestrate task list
  git orchestrate task list --json | jq -r '.tasks[].id'";

const SHOW_EXAMPLES: &str = "\
Examples:
  git orchestrate task show T-001   What is wanted; `git orchestrate show T-001` says how far it has come";

const EDIT_EXAMPLES: &str = "\
Examples:
  git orchestrate task edit T-001                          Open it in your editor
  git orchestrate task edit T-001 --priority 5 --area cli  Change two fields, keep everything else as it is written
  git orchestrate task edit T-001 --area ''                Take a field away";

const IMPORT_EXAMPLES: &str = "\
Examples:
  git orchestrate task import prompts/          Each .md or .toml file of the directory becomes a task
  git orchestrate task import fix-login.md";

/// What to do with the queue.
#[derive(Debug, Clone, Subcommand)]
pub enum TaskCommand {
    /// Add a task
    #[command(after_help = ADD_EXAMPLES)]
    Add(Box<AddArguments>),
    /// List the tasks of the queue
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArguments),
    /// Show what is wanted of a task
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArguments),
    /// Change a task, in your editor or by options
    #[command(after_help = EDIT_EXAMPLES)]
    Edit(Box<EditArguments>),
    /// Take files of prompts into the queue, a task each
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArguments),
}

/// What `task add` takes.
#[derive(Debug, Clone, Args)]
pub struct AddArguments {
    /// One line that says what is to be done
    pub title: String,
    /// Its name [default: the next in the queue's manner of counting]
    #[arg(long)]
    pub id: Option<TaskId>,
    /// The rest.
    #[command(flatten)]
    pub fields: Fields,
}

/// What `task list` takes.
#[derive(Debug, Clone, Args)]
pub struct ListArguments {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What `task show` takes.
#[derive(Debug, Clone, Args)]
pub struct ShowArguments {
    /// The task
    pub task: TaskId,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What `task edit` takes.
#[derive(Debug, Clone, Args)]
pub struct EditArguments {
    /// The task
    pub task: TaskId,
    /// One line that says what is to be done
    #[arg(long)]
    pub title: Option<String>,
    /// The rest.
    #[command(flatten)]
    pub fields: Fields,
}

/// What `task import` takes.
#[derive(Debug, Clone, Args)]
pub struct ImportArguments {
    /// Files that end in .md or .toml, or directories of them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// The fields of a task. An empty value takes a field away.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// What is to be reached, in your words
    #[arg(long, value_name = "TEXT", conflicts_with = "goal_file")]
    pub goal: Option<String>,
    /// Read the goal from this file; - is standard input
    #[arg(long, value_name = "FILE")]
    pub goal_file: Option<PathBuf>,
    /// How much harm a mistake could do
    #[arg(long, value_parser = PossibleValuesParser::new(["low", "medium", "high"]).try_map(|w| w.parse::<Risk>()))]
    pub risk: Option<Risk>,
    /// The part of the product it belongs to, a free word
    #[arg(long, value_name = "WORD")]
    pub area: Option<String>,
    /// A free word: feature, fix, refactoring, docs …
    #[arg(long, value_name = "WORD")]
    pub kind: Option<String>,
    /// How much work it is
    #[arg(long, value_parser = PossibleValuesParser::new(["small", "medium", "large"]).try_map(|w| w.parse::<Complexity>()))]
    pub complexity: Option<Complexity>,
    /// Higher goes first; 0 is usual
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub priority: Option<i32>,
    /// A task whose landed result this one starts from
    #[arg(long, value_name = "TASK")]
    pub depends_on: Vec<String>,
    /// Files it will change
    #[arg(long = "file", value_name = "GLOB")]
    pub files: Vec<String>,
    /// Files it should read first
    #[arg(long = "context", value_name = "GLOB")]
    pub context: Vec<String>,
    /// What must not happen
    #[arg(long = "constraint", value_name = "SENTENCE")]
    pub constraints: Vec<String>,
    /// What must be true at the end
    #[arg(long = "accept", value_name = "CRITERION")]
    pub acceptance: Vec<String>,
    /// The workflow that drives it
    #[arg(long, value_name = "NAME")]
    pub workflow: Option<String>,
    /// A free word that a workflow can ask for
    #[arg(long = "label", value_name = "WORD")]
    pub labels: Vec<String>,
    /// What it may cost in all
    #[arg(long, value_name = "USD")]
    pub budget: Option<Money>,
    /// How long its steps may take in all: 90m, 2h
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<Span>,
}

impl Fields {
    /// The fields that were given, by their names in the file. `goal` is the text of `--goal-file`, if that was given.
    pub fn given(&self, goal: Option<String>) -> Vec<(&'static str, FieldValue)> {
        let text = |value: &str| match value.trim() {
            "" => FieldValue::Unset,
            value => FieldValue::Text(value.to_owned()),
        };
        let list = |values: &[String]| match values {
            [only] if only.trim().is_empty() => FieldValue::Unset,
            values => FieldValue::List(values.to_vec()),
        };
        let mut given = Vec::new();
        let mut add = |key, value: Option<FieldValue>| given.extend(value.map(|value| (key, value)));
        add("goal", goal.as_deref().or(self.goal.as_deref()).map(text));
        add("kind", self.kind.as_deref().map(text));
        add("risk", self.risk.map(|risk| FieldValue::Text(risk.to_string())));
        add("area", self.area.as_deref().map(text));
        add("complexity", self.complexity.map(|complexity| FieldValue::Text(complexity.to_string())));
        add("priority", self.priority.map(|priority| FieldValue::Number(priority.into())));
        for (key, values) in [
            ("depends_on", &self.depends_on),
            ("files", &self.files),
            ("context", &self.context),
            ("constraints", &self.constraints),
            ("acceptance", &self.acceptance),
        ] {
            add(key, (!values.is_empty()).then(|| list(values)));
        }
        add("workflow", self.workflow.as_deref().map(text));
        add("labels", (!self.labels.is_empty()).then(|| list(&self.labels)));
        add("budget_usd", self.budget.map(FieldValue::Dollars));
        add("timeout", self.timeout.map(|timeout| FieldValue::Text(timeout.to_string())));
        given
    }
}

/// Carries it out.
///
/// # Errors
/// Whatever stands in the way, with its file and line.
pub fn run(arguments: &TaskArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.command {
        TaskCommand::Add(arguments) => add::run(arguments, out),
        TaskCommand::List(arguments) => list::run(arguments, terminal, out),
        TaskCommand::Show(arguments) => show::run(arguments, terminal, out),
        TaskCommand::Edit(arguments) => edit::run(arguments, terminal, out),
        TaskCommand::Import(arguments) => import::run(arguments, out),
    }
}
