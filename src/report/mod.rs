//! Views in; text and JSON out, to given writers. Knows nothing of repositories, processes or terminals.

pub mod agents;
pub mod audit;
pub mod cached;
pub mod claim;
pub mod definition;
pub mod doctor;
pub mod event;
pub mod gate;
pub mod gate_junit;
pub mod gate_sarif;
pub mod json;
pub mod log;
pub mod look;
pub mod money;
pub mod plan;
pub mod queue;
pub mod review;
pub mod routing;
pub mod run_summary;
pub mod show;
pub mod stats;
pub mod status;
pub mod step;
pub mod table;
pub mod task;
