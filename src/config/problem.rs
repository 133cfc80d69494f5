//! Something wrong in a file that a person wrote: what, where, and what to type instead.
//! Knows nothing of the file's format or of how it is shown; `cli` prints it.

use std::fmt;

/// One thing wrong in one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, relative to the repository's root, with `/`.
    pub file: String,
    /// The line, from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong, in git's form: lower case, no full stop, the thing in `'…'`.
    pub what: String,
    /// One thing to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of a whole file.
    pub fn new(file: impl Into<String>, what: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, what: what.into(), hint: None }
    }

    /// The same, in that line.
    pub fn at(mut self, line: impl Into<Option<usize>>) -> Self {
        self.line = line.into();
        self
    }

    /// The same, with what to do about it.
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Problem {
    /// What and, on a line of its own, where; the hint is for the caller to show below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  at {}", self.what, self.file)?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_the_style_says() {
        let problem = Problem::new(".handoff/config.toml", "unknown key 'max_agent' in [limits]").at(14);
        assert_eq!(problem.to_string(), "unknown key 'max_agent' in [limits]\n  at .handoff/config.toml:14");
        let whole = Problem::new("x.toml", "it is empty");
        assert_eq!(whole.to_string(), "it is empty\n  at x.toml");
    }
}
