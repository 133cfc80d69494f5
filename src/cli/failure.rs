//! What went wrong, ready to be printed: the one form for the errors of every room.
//! Invents nothing: messages and hints are the rooms' own.

use std::io;

use super::exit::Exit;
use crate::{
    audit::TrustError, config::problem::Problem, gate::GateError, git::GitError, handoff::error::HandoffError,
    hooks::HooksError, land::LandError, run::RunError,
};

/// How much it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing was done, or nothing more can be done.
    Fatal,
    /// One thing of several could not be done.
    Error,
}

impl Level {
    /// What its line begins with.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
        }
    }
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// How much it stops.
    pub level: Level,
    /// What failed, on which thing; lines below the first say where and because of what.
    pub message: String,
    /// One command or line to type.
    pub hint: Option<String>,
}

/// Why a command could not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It is told to the user.
    Told {
        /// How the program ends.
        exit: Exit,
        /// What went wrong, in order.
        complaints: Vec<Complaint>,
    },
    /// Our own output was not taken.
    Output(io::Error),
}

impl Failure {
    /// Something that stops the command.
    pub fn fatal(message: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Self::Told {
            exit: Exit::Fatal,
            complaints: vec![Complaint { level: Level::Fatal, message: message.into(), hint: hint.into() }],
        }
    }

    /// Wrong usage that the parser of arguments cannot know.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::fatal(message, None).exiting(Exit::Usage)
    }

    /// What is told.
    pub fn complaints(&self) -> &[Complaint] {
        match self {
            Self::Told { complaints, .. } => complaints,
            Self::Output(_) => &[],
        }
    }

    /// Both, ending as the first.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Told { exit, mut complaints }, Self::Told { complaints: more, .. }) => {
                complaints.extend(more);
                Self::Told { exit, complaints }
            }
            (Self::Told { exit, complaints }, Self::Output(_)) => Self::Told { exit, complaints },
            (first @ Self::Output(_), _) => first,
        }
    }

    /// The same, ending otherwise.
    pub fn exiting(self, as_: Exit) -> Self {
        match self {
            Self::Told { complaints, .. } => Self::Told { exit: as_, complaints },
            Self::Output(error) => Self::Output(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        vec![problem].into()
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        let complaint = |problem: Problem| Complaint {
            level: Level::Fatal,
            message: problem.to_string(),
            hint: problem.hint.clone(),
        };
        Self::Told { exit: Exit::Fatal, complaints: problems.into_iter().map(complaint).collect() }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match &error {
            RunError::HeldBy(_) => Exit::Busy,
            RunError::NoTask { .. } | RunError::NoRun => Exit::NoMatch,
            RunError::NotHeld(_) | RunError::WhichPhase { .. } => Exit::Person,
            RunError::Land(
                LandError::Conflict { .. } | LandError::Refused { .. } | LandError::NotFastForward { .. },
            ) => Exit::Person,
            RunError::Land(LandError::Red { .. }) => Exit::No,
            _ => Exit::Fatal,
        };
        match error {
            RunError::Problems(problems) => problems.into(),
            error => {
                let hint = error.hint();
                Self::fatal(error.to_string(), hint).exiting(exit)
            }
        }
    }
}
/// A room's error, told as it tells itself.
macro_rules! tell {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let hint = error.hint();
                Self::fatal(error.to_string(), hint)
            }
        })*
    };
}

tell!(GateError, GitError, HandoffError, HooksError, TrustError);
