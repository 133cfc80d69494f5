//! The run: one loop that owns all state, workers that make one step each, recovery of what a crash left behind.
//! Knows nothing of arguments or terminals.

pub mod agent_step;
pub mod brief;
pub mod clean;
pub mod commit;
pub mod control;
pub mod costs;
mod crew;
pub mod decide;
pub mod drive;
pub mod early;
pub mod error;
pub mod forecast;
pub mod foreman;
pub mod gate_step;
pub mod history;
mod history_file;
mod hybrid_step;
pub mod land_step;
pub mod learning;
pub mod live;
pub mod onto_branch;
pub mod parking;
mod parses;
mod past;
pub mod preflight;
pub mod pressure;
mod programs;
pub mod project;
pub mod purse;
pub mod queue;
pub mod recovery;
pub mod roll_call;
pub mod routing;
pub mod salvage;
pub mod secrets;
pub mod setup;
pub mod spending;
mod tips;
pub mod view;
pub mod workshop;

pub use error::RunError;
pub use project::Project;
