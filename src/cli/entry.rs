//! Words in, exit code out: parses, hands over to a command, prints what went wrong.
//! Knows nothing of what the commands do.

use std::{
    ffi::OsString,
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use clap::{Parser, error::ErrorKind};

use super::{
    arguments::{Arguments, Command},
    clean, completions,
    exit::Exit,
    failure::Failure,
    land, log, review, show, start, status, stop,
    terminal::{Terminal, Verbosity},
};

/// Runs the program with these words, the program's name first.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(run(words).code())
}

fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Where the words of a usage error go nowhere, the exit code still tells.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
                _ => Exit::Usage,
            };
        }
    };
    let verbosity = match (arguments.quiet, arguments.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Verbose,
        (false, _) => Verbosity::Debug,
    };
    let terminal = Terminal::new(arguments.color, verbosity, || true);
    match carry_out(&arguments, &terminal) {
        Ok(exit) => exit,
        Err(failure) => tell(&failure, &terminal),
    }
}

fn carry_out(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    for directory in &arguments.directories {
        std::env::set_current_dir(directory)
            .map_err(|error| Failure::fatal(format!("cannot change to '{}': {error}", directory.display()), None))?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = match &arguments.command {
        Command::Start(arguments) => start::run(arguments, "start", terminal, &mut out),
        Command::Resume(arguments) => start::run(arguments, "resume", terminal, &mut out),
        Command::Status(arguments) => status::run(arguments, terminal, &mut out),
        Command::Stop(arguments) => stop::run(arguments, terminal),
        Command::Review(arguments) => review::run(arguments, terminal, &mut out),
        Command::Show(arguments) => show::run(arguments, terminal, &mut out),
        Command::Log(arguments) => log::run(arguments, terminal, &mut out),
        Command::Land(arguments) => land::run(arguments, terminal, &mut out),
        Command::Clean(arguments) => clean::run(arguments, terminal, &mut out),
        Command::Completions(arguments) => completions::run(arguments, &mut out).map(|()| Exit::Done),
    };
    out.flush()?;
    exit
}

fn tell(failure: &Failure, terminal: &Terminal) -> Exit {
    match failure {
        Failure::Told { exit, complaints } => {
            complaints.iter().for_each(|complaint| terminal.complain(complaint));
            *exit
        }
        Failure::Silent(exit) => *exit,
        // Who reads our output has read enough.
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Failure::Output(error) => {
            let Failure::Told { exit, complaints } = Failure::fatal(format!("cannot write the output: {error}"), None)
            else {
                return Exit::Fatal;
            };
            complaints.iter().for_each(|complaint| terminal.complain(complaint));
            exit
        }
    }
}
