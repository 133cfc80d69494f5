//! The configuration: TOML in, typed settings out. Touches no files; whoever reads them hands the text in.

pub mod audit;
pub mod branch;
pub mod document;
mod explain;
pub mod hooks;
mod hybrid;
pub mod limits;
pub mod money;
mod over_http;
pub mod parse;
pub mod problem;
pub mod quiet_hours;
pub mod routing;
pub mod settings;
pub mod setup_command;
pub mod template;
