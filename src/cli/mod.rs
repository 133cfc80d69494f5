//! The command line: words in, exit code out; one file a command. Decides nothing that a room below could decide.

pub mod agents;
pub mod arguments;
pub mod clean;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod entry;
pub mod exit;
pub mod failure;
pub mod init;
pub mod land;
pub mod log;
pub mod logging;
pub mod manual;
pub mod place;
pub mod progress;
pub mod review;
pub mod show;
pub mod start;
pub mod status;
pub mod stop;
pub mod task;
pub mod terminal;
pub mod toolchain;
pub mod user_programs;
mod verify;
