//! The demo: a scratch repository with a small program, and the main job done on it with recorded agents.
//! Knows nothing of the command line; what it tells goes to given writers.

pub mod error;
pub mod git;
pub mod place;
pub mod play;
pub mod proof;
pub mod scenario;
pub mod scratch;
pub mod tell;

pub use error::DemoError;
