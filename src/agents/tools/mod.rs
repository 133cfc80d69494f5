//! The tools that a model without a program of its own works with: reading, searching, writing and running in one worktree.
//! Knows nothing of providers or of how they write a call; a name and JSON go in, text comes out.

mod arguments;
mod edit;
pub mod ground;
mod list;
mod pattern;
mod read;
mod refusal;
mod reserved;
mod run;
mod search;
pub mod tool;
pub mod toolbox;
mod walk;
mod write;

pub use self::refusal::Refusal;
