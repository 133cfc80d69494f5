//! The system: children, signals, clock, files, locks, terminal and machine. Only here it is touched directly.
//! Knows nothing of tasks, repositories or agents.

pub mod clock;
pub mod clone;
pub mod crash_point;
pub mod environment;
pub mod file;
pub mod http;
pub mod lock;
pub mod machine;
pub mod ports;
pub mod process;
pub mod shelf;
pub mod signal;
pub mod terminal;
