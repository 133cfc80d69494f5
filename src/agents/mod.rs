//! Agents: a request in, events and an outcome out; one adapter a file. Knows nothing of tasks, workflows or commits.

mod acp;
pub mod adapter;
pub mod adapters;
pub mod agent;
mod claude;
mod codex;
mod command;
pub mod error;
pub mod family;
mod fault;
mod gemini;
pub mod health;
pub mod http;
pub mod hybrid;
mod opencode;
pub mod passed_on;
pub mod player;
mod reading;
mod replay;
pub mod request;
mod reset;
pub mod schema;
mod structured;
pub mod tools;
