//! git-orchestrate takes a queue of tasks, has coding agents work on them in parallel worktrees, lets nothing pass
//! that was not reviewed by another model and proven by the gate, and lands the result.
//! The rooms and their floors are described in ARCHITECTURE.md.

pub mod agents;
pub mod audit;
pub mod cli;
pub mod config;
pub mod context;
pub mod demo;
pub mod gate;
pub mod git;
pub mod handoff;
pub mod hooks;
pub mod land;
pub mod model;
pub mod plan;
pub mod report;
pub mod route;
pub mod run;
pub mod secrets;
pub mod syntax;
pub mod sys;
pub mod text;
