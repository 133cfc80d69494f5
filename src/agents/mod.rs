//! Agents: a request in, events and an outcome out; one adapter a file. Knows nothing of tasks, workflows or commits.

pub mod request;
