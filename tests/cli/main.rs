//! The command line as a user meets it: words in; standard output, standard error and the exit code out.
//! Knows nothing of what is behind it: everything is run as a program.

mod agents;
mod common;
mod completions;
mod control;
mod doctor;
mod gate;
mod help;
mod init;
mod manual;
#[path = "../kit/model_server.rs"]
#[expect(dead_code, reason = "its faults are for the tests of agents")]
mod model_server;
mod money;
mod over_http;
mod plan;
#[path = "../kit/program.rs"]
#[expect(dead_code, reason = "each test binary uses a part of the kit")]
mod program;
mod run;
mod sandbox;
mod task;
