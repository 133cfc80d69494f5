//! Models over HTTP as agents: one provider a file, one conversation and one loop of tools for all of them. Knows nothing
//! of what the tools do.

mod anthropic;
mod conversation;
pub mod endpoint;
mod google;
mod openai;
mod patience;
mod provider;
mod providers;
mod refusal;
mod spend;
mod sse;
mod transcript;
mod turns;

pub use self::{endpoint::Endpoint, provider::Provider, providers::provider_of, turns::run};
