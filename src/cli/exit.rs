//! The exit codes. They are a promise: scripts go by them.
//! Knows nothing of what was done.

use crate::report::event::RunEnd;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All that was asked is done, also when there was nothing to do.
    Done,
    /// It worked and the answer is no: a task failed, the gate refused, a check found something.
    No,
    /// A person must decide or act.
    Person,
    /// Nothing matched the selection.
    NoMatch,
    /// The budget or the time of the run is spent; `resume` goes on.
    Spent,
    /// Another run holds the repository.
    Busy,
    /// It could not start or go on.
    Fatal,
    /// Wrong usage.
    Usage,
    /// Stopped by a signal; the state is saved.
    Signal(i32),
}

/// Every code with its meaning, for the man pages.
pub const MEANINGS: [(&str, &str); 9] = [
    ("0", "All that was asked is done, also when there was nothing to do."),
    ("1", "It worked and the answer is no: a task failed, the gate refused, a check found something."),
    ("3", "A person must decide or act."),
    ("4", "Nothing matched the selection."),
    ("5", "The budget or the time of the run is spent; resume goes on."),
    ("6", "Another run holds the repository."),
    ("128", "It could not start or go on."),
    ("129", "Wrong usage."),
    ("130, 143", "Stopped by a signal; the state is saved."),
];

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Person => 3,
            Self::NoMatch => 4,
            Self::Spent => 5,
            Self::Busy => 6,
            Self::Fatal => 128,
            Self::Usage => 129,
            Self::Signal(number) => 128u8.saturating_add(number.clamp(0, 127) as u8),
        }
    }
}

impl From<RunEnd> for Exit {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Done | RunEnd::Stopped => Self::Done,
            RunEnd::Failed => Self::No,
            RunEnd::Held => Self::Person,
            RunEnd::NothingMatched => Self::NoMatch,
            RunEnd::Spent => Self::Spent,
            RunEnd::Interrupted { signal } => Self::Signal(signal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_table() {
        let exits = [
            Exit::Done,
            Exit::No,
            Exit::Person,
            Exit::NoMatch,
            Exit::Spent,
            Exit::Busy,
            Exit::Fatal,
            Exit::Usage,
            Exit::Signal(2),
        ];
        for (exit, (codes, _)) in exits.iter().zip(MEANINGS) {
            assert!(codes.split(", ").any(|code| code == exit.code().to_string()), "{exit:?}: {codes}");
        }
        assert_eq!(Exit::Signal(15).code(), 143);
    }
}
