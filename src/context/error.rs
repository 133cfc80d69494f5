//! The ways in which a prompt cannot be made.
//! Does not know who asked for it or what happens to the step.

use std::path::PathBuf;

use crate::{model::task::TaskId, text::bytes};

/// Why a prompt cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// A template breaks the rules of its language, or fails while it is filled in.
    #[error("prompt template '{place}' cannot be used: {why}", place = place(.file, *.line))]
    Template {
        /// The file, or the name of a built-in template.
        file: String,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong there.
        why: String,
    },
    /// A template names a variable that no prompt has.
    #[error("prompt template '{place}' names '{name}', which no prompt has", place = place(.file, *.line))]
    UnknownVariable {
        /// The file.
        file: String,
        /// The first line that names it.
        line: Option<usize>,
        /// The variable.
        name: String,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// A template file cannot be read.
    #[error("prompt template '{}' cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file or its directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A template file is longer than any prompt.
    #[error("prompt template '{}' has {}, more than {}", .path.display(), bytes(*.length), bytes(*.length_max))]
    TemplateTooLong {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        length: u64,
        /// Bytes it may have.
        length_max: u64,
    },
    /// The task's own words do not fit; they are never cut, as that would change what is asked.
    #[error("task '{task}' is too long for a prompt: goal, constraints and acceptance criteria have {}, {} is the limit", bytes(*.length), bytes(*.length_max))]
    TaskTooLong {
        /// The task.
        task: TaskId,
        /// Bytes of its words.
        length: u64,
        /// Bytes they may have.
        length_max: u64,
    },
    /// What a template made of the parts is too long.
    #[error("the prompt of template '{template}' has {}, more than {}", bytes(*.length), bytes(*.length_max))]
    TooLong {
        /// The template.
        template: String,
        /// Bytes of the prompt.
        length: u64,
        /// Bytes it may have.
        length_max: u64,
    },
    /// A glob of the task cannot be read.
    #[error("task '{task}' names '{}' in 'context', which is not a glob: {why}", .glob.escape_debug())]
    Glob {
        /// The task.
        task: TaskId,
        /// The glob.
        glob: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ContextError {
    /// What to type next, where one thing helps.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownVariable { near, .. } => near.map(|near| format!("did you mean '{near}'?")),
            Self::TaskTooLong { task, .. } => {
                Some(format!("move the long part into a file and name it: context = [\"docs/{task}.md\"]"))
            }
            Self::TooLong { template, .. } => Some(format!("shorten '{template}': it repeats a part of the prompt")),
            Self::Template { .. } | Self::Unreadable { .. } | Self::TemplateTooLong { .. } | Self::Glob { .. } => None,
        }
    }
}

/// `file:line`, or the file alone.
fn place(file: &str, line: Option<usize>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}
