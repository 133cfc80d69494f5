//! The prompt templates: one a role, compiled in, each replaceable by a file of the project.
//! Does not know what fills them; a name that no prompt has is found when they are loaded, before anything is spent.

use std::{collections::BTreeSet, fs, io, path::Path};

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Value};

use super::ContextError;
use crate::{model::workflow::Role, text::did_you_mean};

/// How the file of a template ends.
const SUFFIX: &str = ".md.j2";
/// The template of roles that have none of their own.
const GENERAL: &str = "general.md.j2";
/// Bytes a template file may have.
const TEMPLATE_BYTES_MAX: u64 = 64 << 10;
/// Files that are read from a directory of templates.
const TEMPLATES_MAX: usize = 200;
/// Instructions a template may take, so that one with endless loops ends.
const FUEL: u64 = 300_000;

/// Parts that begin with `_` are included by the others.
const BUILTIN: [(&str, &str); 14] = [
    ("_answer.md.j2", include_str!("prompts/_answer.md.j2")),
    ("_change.md.j2", include_str!("prompts/_change.md.j2")),
    ("_end.md.j2", include_str!("prompts/_end.md.j2")),
    ("_feedback.md.j2", include_str!("prompts/_feedback.md.j2")),
    ("_material.md.j2", include_str!("prompts/_material.md.j2")),
    ("_plan.md.j2", include_str!("prompts/_plan.md.j2")),
    ("_start.md.j2", include_str!("prompts/_start.md.j2")),
    ("_task.md.j2", include_str!("prompts/_task.md.j2")),
    ("_writing.md.j2", include_str!("prompts/_writing.md.j2")),
    ("code-reviewer.md.j2", include_str!("prompts/code-reviewer.md.j2")),
    (GENERAL, include_str!("prompts/general.md.j2")),
    ("implementer.md.j2", include_str!("prompts/implementer.md.j2")),
    ("plan-reviewer.md.j2", include_str!("prompts/plan-reviewer.md.j2")),
    ("planner.md.j2", include_str!("prompts/planner.md.j2")),
];

/// The variables that `prompt` gives, those of `task` with their owner.
const VARIABLES: [&str; 34] = [
    "answer",
    "attempt",
    "base",
    "cut",
    "dependencies",
    "diff",
    "feedback",
    "files",
    "mark",
    "paths",
    "phase",
    "plan",
    "plan_position",
    "plan_step",
    "plan_step_id",
    "plan_steps_max",
    "role",
    "rules",
    "summaries",
    "task",
    "task.acceptance",
    "task.area",
    "task.complexity",
    "task.constraints",
    "task.files",
    "task.goal",
    "task.id",
    "task.kind",
    "task.risk",
    "task.title",
    "writes",
    "loop",
    "self",
    "super",
];

/// The templates of all roles.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    names: BTreeSet<String>,
}

impl Templates {
    /// Those that are compiled in.
    pub fn builtin() -> Self {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
        environment.set_syntax(syntax.expect("only white space is set, delimiters are the usual ones"));
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        for (name, source) in BUILTIN {
            environment.add_template(name, source).expect("built-in templates are tested to compile");
        }
        let names = BUILTIN.iter().map(|(name, _)| (*name).to_owned()).collect();
        Self { environment, names }
    }

    /// Those that are compiled in, each replaced by the file of its name in `dir` if there is one; other roles' beside
    /// them. A directory that is not there holds none.
    ///
    /// # Errors
    /// The first file that cannot be read or used, with its line.
    pub fn with_overrides(dir: &Path) -> Result<Self, ContextError> {
        let mut templates = Self::builtin();
        for (name, source) in read(dir)? {
            let file = dir.join(&name).display().to_string();
            templates.environment.add_template_owned(name.clone(), source).map_err(|error| wrong(&error, &file))?;
            templates.check_variables(&name, &file)?;
            templates.names.insert(name);
        }
        Ok(templates)
    }

    /// The template for a role: its own, else the general one.
    pub(super) fn for_role(&self, role: &Role) -> &str {
        self.names.get(&format!("{}{SUFFIX}", role.0)).map_or(GENERAL, String::as_str)
    }

    /// The text that a template makes of these values.
    pub(super) fn fill(&self, name: &str, values: Value) -> Result<String, ContextError> {
        let wrong = |error| wrong(&error, name);
        self.environment.get_template(name).map_err(wrong)?.render(values).map_err(wrong)
    }

    fn check_variables(&self, name: &str, file: &str) -> Result<(), ContextError> {
        let template = self.environment.get_template(name).map_err(|error| wrong(&error, file))?;
        let globals: BTreeSet<_> = self.environment.globals().map(|(name, _)| name.to_owned()).collect();
        // Of what a variable holds, only `task` has names that are fixed.
        let is_known = |name: &str| match name.split_once('.') {
            Some(("task", _)) | None => VARIABLES.contains(&name) || globals.contains(name),
            Some((owner, _)) => VARIABLES.contains(&owner) || globals.contains(owner),
        };
        let mut unknown: Vec<_> = template.undeclared_variables(true).into_iter().filter(|n| !is_known(n)).collect();
        unknown.sort();
        let Some(variable) = unknown.into_iter().next() else { return Ok(()) };
        let line = template.source().lines().position(|line| line.contains(&variable)).map(|at| at + 1);
        let near = did_you_mean(&variable, VARIABLES);
        Err(ContextError::UnknownVariable { file: file.to_owned(), line, name: variable, near })
    }
}

/// The template files of a directory, by name.
fn read(dir: &Path) -> Result<Vec<(String, String)>, ContextError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| ContextError::Unreadable { path, source }
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(dir)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable(dir))?.file_name();
        names.extend(name.into_string().ok().filter(|name| name.ends_with(SUFFIX)));
    }
    names.sort();
    names.truncate(TEMPLATES_MAX);
    let file = |name: String| {
        let path = dir.join(&name);
        let length = fs::metadata(&path).map_err(unreadable(&path))?.len();
        if length > TEMPLATE_BYTES_MAX {
            return Err(ContextError::TemplateTooLong { path, length, length_max: TEMPLATE_BYTES_MAX });
        }
        Ok((name, fs::read_to_string(&path).map_err(unreadable(&path))?))
    };
    names.into_iter().map(file).collect()
}

/// What is wrong with a template, at the innermost place that is known.
fn wrong(error: &minijinja::Error, file: &str) -> ContextError {
    let mut innermost = error;
    while let Some(inner) = std::error::Error::source(innermost).and_then(|e| e.downcast_ref::<minijinja::Error>()) {
        innermost = inner;
    }
    // A part that is included is another file beside the one that was asked for.
    let file = match innermost.name() {
        Some(name) => Path::new(file).with_file_name(name).display().to_string(),
        None => file.to_owned(),
    };
    let why = innermost.detail().map_or_else(|| innermost.kind().to_string(), str::to_owned);
    ContextError::Template { file, line: innermost.line(), why }
}
