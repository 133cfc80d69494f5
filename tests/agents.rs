//! Agents: recordings of the real programs parsed, command lines looked at, and what needs no account run for real.

mod agents {
    mod acp;
    mod command_lines;
    mod hostile;
    mod kit;
    #[path = "../kit/model_server.rs"]
    mod model_server;
    mod over_http;
    mod recordings;
    mod runs;
    mod tools;
}
