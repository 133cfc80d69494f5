//! How a program that speaks the Agent Client Protocol is started (version 1; <https://agentclientprotocol.com>).
//! Does not know what is said afterwards; that is the dialogue's.

use super::{super::adapter::common_env, dialogue::Talk, session};
use crate::{
    agents::{
        adapter::{Adapter, Dialogue, Invocation, Parser, Surroundings},
        request::Request,
    },
    config::settings::{AdapterKind, AgentSettings},
};

/// The adapter.
#[derive(Debug)]
pub struct Acp;

impl Adapter for Acp {
    fn kind(&self) -> AdapterKind {
        AdapterKind::Acp
    }

    fn program(&self) -> Option<&'static str> {
        None
    }

    /// Who does not know the word would wait for somebody to talk with.
    fn version_args(&self) -> Option<&'static [&'static str]> {
        None
    }

    fn passes(&self, _variable: &str) -> bool {
        false
    }

    fn invocation(&self, request: &Request, settings: &AgentSettings, _surroundings: Surroundings) -> Invocation {
        Invocation {
            args: settings.args.clone(),
            env: common_env(request),
            stdin: session::initialize(),
            files: Vec::new(),
            result_file: None,
        }
    }

    fn parser(&self, request: &Request) -> Box<dyn Parser> {
        Box::new(Talk::new(request, None))
    }

    fn dialogue(&self, request: &Request, settings: &AgentSettings) -> Option<Box<dyn Dialogue>> {
        Some(Box::new(Talk::new(request, settings.model.clone())))
    }
}
