//! The program `git-orchestrate`, which git runs as `git orchestrate`.
//! Knows nothing; the command line is `cli`'s.

use std::process::ExitCode;

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    git_orchestrate::cli::entry::main(std::env::args_os())
}
