//! How text may look: in colour or not, how wide.
//! Knows nothing of terminals; whoever owns one says what it takes.

use crate::model::{checkpoint::TaskState, machine::State, record::Outcome};

/// What the reader's end takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are allowed.
    pub colour: bool,
    /// Columns that a line may have; none: as many as it needs.
    pub columns: Option<usize>,
}

/// What a piece of text means, which its colour shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ink {
    /// Nothing special.
    #[default]
    Plain,
    /// A heading, a name.
    Strong,
    /// Of less weight.
    Faint,
    /// It is well.
    Good,
    /// It goes on.
    Busy,
    /// Somebody should look.
    Warn,
    /// It is not well.
    Bad,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Busy => "36",
            Self::Warn => "33",
            Self::Bad => "31",
        }
    }

    /// For a task's state.
    pub fn of_task(state: TaskState) -> Self {
        match state {
            TaskState::New => Self::Plain,
            TaskState::Waiting | TaskState::Aborted => Self::Faint,
            TaskState::Running => Self::Busy,
            TaskState::Held => Self::Warn,
            TaskState::Finished | TaskState::Landed => Self::Good,
        }
    }

    /// For a phase's state.
    pub fn of_phase(state: State) -> Self {
        match state {
            State::Waiting | State::Skipped => Self::Faint,
            State::Ready => Self::Plain,
            State::Running => Self::Busy,
            State::Passed => Self::Good,
            State::Failed => Self::Bad,
            State::Held => Self::Warn,
        }
    }

    /// For the end of a step.
    pub fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Good,
            Outcome::Changes | Outcome::Infra => Self::Warn,
            Outcome::Rejected | Outcome::Failed => Self::Bad,
        }
    }
}

impl Look {
    /// The text in that ink, where colours are allowed.
    pub fn paint(self, ink: Ink, text: &str) -> String {
        let code = ink.code();
        if self.colour && !code.is_empty() && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
