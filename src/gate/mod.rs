//! The gate: commands that must be content with a tree before it may land, and what they said of it. Starts no agent.

mod definition;
mod error;
mod feedback;
mod judge;
pub mod measured;
mod output;
pub mod parse;
mod remembered;
mod run;
mod shelf;

pub use self::{
    definition::Definition,
    error::{Cancelled, GateError},
    feedback::feedback,
    output::{LOGS_MAX, OUTPUT_BYTES_MAX, OUTPUT_LINES_MAX, log_path},
    remembered::{REMEMBERED_MAX, Remembered},
    run::{Run, run},
};
