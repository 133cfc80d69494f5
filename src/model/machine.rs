//! The state machine of one phase: one function, one table.
//! Knows nothing of other phases; what an outcome does to those is `apply`'s.

use serde::{Deserialize, Serialize};

use super::task::word_enum;

/// How far a phase has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Something it needs is not over.
    Waiting,
    /// It may start.
    Ready,
    /// A step is being made for it. Never written down: what runs is not yet done.
    Running,
    /// It is over, with what it owed.
    Passed,
    /// It is over, passed over.
    Skipped,
    /// Its last attempt failed; it is tried again.
    Failed,
    /// A person must decide.
    Held,
}

word_enum!(State {
    Waiting = "waiting",
    Ready = "ready",
    Running = "running",
    Passed = "passed",
    Skipped = "skipped",
    Failed = "failed",
    Held = "held"
});

impl State {
    /// Whether nothing more is owed.
    pub fn is_over(self) -> bool {
        match self {
            Self::Passed | Self::Skipped => true,
            Self::Waiting | Self::Ready | Self::Running | Self::Failed | Self::Held => false,
        }
    }

    /// Whether a step may be started for it.
    pub fn may_start(self) -> bool {
        match self {
            Self::Ready | Self::Failed => true,
            Self::Waiting | Self::Running | Self::Passed | Self::Skipped | Self::Held => false,
        }
    }
}

/// What happens to a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// All it needs is over.
    NeedsMet,
    /// A step for it began.
    Started,
    /// The step did what was owed.
    Done,
    /// The step, a review, sent the work back to its author.
    SentBack,
    /// The attempt failed, another is allowed.
    Failed,
    /// Nothing could be said of the work, another try is allowed.
    Infra,
    /// Something only a person can decide: a limit is reached, a verdict rejects.
    Stuck,
    /// Its result is not good enough; it is done again.
    Reopened,
    /// What it was built on is done again.
    Reset,
    /// A person lets it pass.
    Approved,
    /// A person has it tried again.
    Retried,
    /// A person, or a rule, passes it over.
    SkippedOver,
}

word_enum!(Event {
    NeedsMet = "needs met",
    Started = "started",
    Done = "done",
    SentBack = "sent back",
    Failed = "failed",
    Infra = "infra",
    Stuck = "stuck",
    Reopened = "reopened",
    Reset = "reset",
    Approved = "approved",
    Retried = "retried",
    SkippedOver = "skipped over"
});

/// An event that a state does not know: a bug, or a record that somebody tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a phase that is {state} cannot be {event}")]
pub struct Refused {
    /// The state.
    pub state: State,
    /// The event.
    pub event: Event,
}

/// The state after an event.
///
/// # Errors
/// [`Refused`] where the table has no answer.
pub fn transition(state: State, event: Event) -> Result<State, Refused> {
    use Event as E;
    use State as S;
    let next = match (state, event) {
        (S::Waiting, E::NeedsMet) => S::Ready,
        (S::Waiting | S::Ready, E::Reset) => S::Waiting,
        (S::Waiting | S::Ready, E::SkippedOver) => S::Skipped,
        (S::Waiting | S::Ready | S::Failed, E::Stuck) => S::Held,
        (S::Waiting, E::Reopened) => S::Waiting,
        (S::Ready, E::NeedsMet | E::Reopened) => S::Ready,
        (S::Ready | S::Failed, E::Started) => S::Running,

        (S::Running, E::Done) => S::Passed,
        (S::Running, E::SentBack) => S::Waiting,
        (S::Running, E::Failed) => S::Failed,
        (S::Running, E::Infra) => S::Ready,
        (S::Running, E::Stuck) => S::Held,

        (S::Passed | S::Skipped, E::Reopened) => S::Ready,
        (S::Passed, E::Reset) => S::Waiting,
        (S::Skipped, E::Reset) => S::Skipped,

        (S::Failed, E::Reopened | E::Retried) => S::Ready,
        (S::Failed, E::Reset) => S::Waiting,
        (S::Failed, E::SkippedOver) => S::Skipped,

        (S::Held, E::Approved) => S::Passed,
        (S::Held, E::Retried | E::Reopened) => S::Ready,
        (S::Held, E::Reset) => S::Waiting,
        (S::Held, E::SkippedOver) => S::Skipped,

        (S::Waiting, E::Started | E::Done | E::SentBack | E::Failed | E::Infra | E::Approved | E::Retried)
        | (S::Ready, E::Done | E::SentBack | E::Failed | E::Infra | E::Approved | E::Retried)
        | (S::Running, E::NeedsMet | E::Started | E::Reopened | E::Reset | E::Approved | E::Retried | E::SkippedOver)
        | (
            S::Passed,
            E::NeedsMet
            | E::Started
            | E::Done
            | E::SentBack
            | E::Failed
            | E::Infra
            | E::Stuck
            | E::Approved
            | E::Retried
            | E::SkippedOver,
        )
        | (
            S::Skipped,
            E::NeedsMet
            | E::Started
            | E::Done
            | E::SentBack
            | E::Failed
            | E::Infra
            | E::Stuck
            | E::Approved
            | E::Retried
            | E::SkippedOver,
        )
        | (S::Failed, E::NeedsMet | E::Done | E::SentBack | E::Failed | E::Infra | E::Approved)
        | (S::Held, E::NeedsMet | E::Started | E::Done | E::SentBack | E::Failed | E::Infra | E::Stuck) => {
            return Err(Refused { state, event });
        }
    };
    Ok(next)
}

/// The whole table as text: a row an event, a column a state, `-` where there is no answer.
pub fn table() -> String {
    let mut text = format!("{:<13}", "");
    for state in State::ALL {
        text.push_str(&format!("{state:<9}"));
    }
    for event in Event::ALL {
        text.truncate(text.trim_end().len());
        text.push_str(&format!("\n{event:<13}"));
        for state in State::ALL {
            let cell = transition(*state, *event).map_or("-", State::word);
            text.push_str(&format!("{cell:<9}"));
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as ARCHITECTURE.md shows it. A change here is a change of what the product does.
    const TABLE: &str = "             waiting  ready    running  passed   skipped  failed   held
needs met    ready    ready    -        -        -        -        -
started      -        running  -        -        -        running  -
done         -        -        passed   -        -        -        -
sent back    -        -        waiting  -        -        -        -
failed       -        -        failed   -        -        -        -
infra        -        -        ready    -        -        -        -
stuck        held     held     held     -        -        held     -
reopened     waiting  ready    -        ready    ready    ready    ready
reset        waiting  waiting  -        waiting  skipped  waiting  waiting
approved     -        -        -        -        -        -        passed
retried      -        -        -        -        -        ready    ready
skipped over skipped  skipped  -        -        -        skipped  skipped
";

    #[test]
    fn the_table_is_the_documented_one() {
        println!("{}", table());
        assert_eq!(table(), TABLE);
        let page = include_str!("../../ARCHITECTURE.md");
        assert!(page.contains(TABLE), "ARCHITECTURE.md shows another table");
    }
}
