//! The gate: commands that must be content with a tree before it may land, and what they said of it. Starts no agent.

pub mod alone;
pub mod change;
pub mod compare;
mod definition;
mod error;
mod feedback;
mod judge;
mod made;
pub mod measured;
mod narrow;
mod output;
pub mod parse;
pub mod program;
mod question;
mod remembered;
mod run;
pub mod setup;
mod user_hooks;

pub use self::{
    definition::{API_CHECK, Definition},
    error::{Cancelled, GateError},
    feedback::feedback,
    output::{LOGS_MAX, OUTPUT_BYTES_MAX, OUTPUT_LINES_MAX, log_path},
    question::{Answer, Base, Freshness, Question, Told, ask},
    remembered::{MEASURED_MAX, REMEMBERED_MAX, Remembered},
    run::{Bench, Run, Side, run},
    user_hooks::{INSIDE, USER_HOOKS_CHECK, UserHooks},
};
