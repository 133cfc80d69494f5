//! Words in, exit code out: parses, hands over to a command, prints what went wrong.
//! Knows nothing of what the commands do.

use std::{
    ffi::OsString,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{FromArgMatches, error::ErrorKind};

use super::{
    agents,
    arguments::{self, Arguments, Command},
    clean, completions, demo, doctor,
    exit::Exit,
    failure::Failure,
    gate, hook, hooks, init, jobs, land, log, logging, pause, plan, review, show, start, stats, status, stop, task,
    terminal::{Terminal, Verbosity},
    user_programs, verify,
};

/// Runs the program with these words, the program's name first.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(run(words).code())
}

fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    let parsed = arguments::command().try_get_matches_from(words);
    let arguments = match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
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
    // Before anything is asked of git, whose settings go by where we are.
    let gone = go_to(&arguments.directories);
    let terminal = Terminal::new(arguments.color, verbosity, user_programs::allows_colour);
    match gone.and_then(|()| carry_out(&arguments.command, &terminal)) {
        Ok(exit) => exit,
        Err(failure) => tell(&failure, &terminal),
    }
}

fn go_to(directories: &[PathBuf]) -> Result<(), Failure> {
    directories.iter().try_for_each(|directory| {
        std::env::set_current_dir(directory)
            .map_err(|error| Failure::fatal(format!("cannot change to '{}': {error}", directory.display()), None))
    })
}

fn carry_out(command: &Command, terminal: &Terminal) -> Result<Exit, Failure> {
    // A run begins a log of its own.
    if !matches!(command, Command::Start(_) | Command::Resume(_)) {
        logging::begin(terminal, None);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = match command {
        Command::Init(arguments) => init::run(arguments, terminal, &mut out),
        Command::Task(arguments) => task::run(arguments, terminal, &mut out),
        Command::Plan(arguments) => plan::run(arguments, terminal, &mut out),
        Command::Start(arguments) => start::run(arguments, "start", terminal, &mut out),
        Command::Resume(arguments) => start::run(arguments, "resume", terminal, &mut out),
        Command::Status(arguments) => status::run(arguments, terminal, &mut out),
        Command::Stop(arguments) => stop::run(arguments, terminal),
        Command::Pause(arguments) => pause::run(arguments, terminal),
        Command::Jobs(arguments) => jobs::run(arguments, terminal),
        Command::Review(arguments) => review::run(arguments, terminal, &mut out),
        Command::Show(arguments) => show::run(arguments, terminal, &mut out),
        Command::Log(arguments) => log::run(arguments, terminal, &mut out),
        Command::Verify(arguments) => verify::run(arguments, terminal, &mut out),
        Command::Gate(arguments) => gate::run(arguments, terminal, &mut out),
        Command::Land(arguments) => land::run(arguments, terminal, &mut out),
        Command::Hooks(arguments) => hooks::run(arguments, terminal, &mut out),
        Command::Hook(arguments) => hook::run(arguments, terminal),
        Command::Agents(arguments) => agents::run(arguments, terminal, &mut out),
        Command::Stats(arguments) => stats::run(arguments, terminal, &mut out),
        Command::Doctor(arguments) => doctor::run(arguments, terminal, &mut out),
        Command::Clean(arguments) => clean::run(arguments, terminal, &mut out),
        Command::Demo(arguments) => demo::run(arguments, terminal, &mut out),
        Command::Completions(arguments) => completions::run(arguments, &mut out).map(|()| Exit::Done),
    }?;
    match out.flush() {
        // Who read it has read enough; what came of the command is as it is.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit),
        flushed => Ok(flushed.map(|()| exit)?),
    }
}

fn tell(failure: &Failure, terminal: &Terminal) -> Exit {
    match failure {
        Failure::Told { exit, complaints } => {
            complaints.iter().for_each(|complaint| terminal.complain(complaint));
            *exit
        }
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
