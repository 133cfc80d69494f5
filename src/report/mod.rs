//! Views in; text and JSON out, to given writers. Knows nothing of repositories, processes or terminals.

pub mod event;
pub mod step;
pub mod task;
