//! `demo`: the main job on a small repository of its own, with recorded agents.
//! Knows nothing of what is in that repository.

use std::{io::Write, path::PathBuf};

use super::{exit::Exit, failure::Failure, listening::listen, progress::Progress, terminal::Terminal};
use crate::{
    demo::{DemoError, play, proof, proof::Proof, scratch::Scratch, tell},
    report::{
        log::{Detail, Form},
        status,
    },
};

/// What `demo` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DemoArguments {
    /// Where the repository is made; it must hold nothing yet [default: a new directory below your cache]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate demo                    Three tasks, two reviewers, no account needed
  git orchestrate demo --dir /tmp/tryout  Leave the repository there to look at";

/// Gives the demo.
///
/// # Errors
/// When it cannot be given.
pub fn run(arguments: &DemoArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let look = terminal.out_look();
    let scratch = Scratch::make(arguments.dir.as_deref())?;
    tell::opening(&scratch, look, out)?;
    tell::command("git orchestrate status", look, out)?;
    let now = jiff::Timestamp::try_from(crate::sys::clock::now()).unwrap_or_default();
    status::write(&play::status(&scratch)?, look, now, out)?;

    tell::command(&tell::start_words(), look, out)?;
    out.flush()?;
    let signals = listen()?;
    let mut progress = Progress::new(terminal, false, Box::new(&mut *out));
    let summary = play::play(&scratch, &signals, &mut |event| progress.show(event));
    progress.close();
    drop(progress);
    let end = summary?.end;

    let steps = play::log(&scratch)?;
    tell::command("git orchestrate log", look, out)?;
    steps.write(Form::Text(look, Detail::Lines), out)?;
    let proof = proof::signatures(&scratch)?;
    tell::proof(&proof, look, out)?;
    tell::closing(&scratch, &steps, &proof, look, out)?;
    Ok(match (Exit::from(end), proof) {
        (Exit::Done, Proof::Bad { .. }) => Exit::No,
        (exit, _) => exit,
    })
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::Run(error) => error.into(),
            DemoError::Output(error) => error.into(),
            error => {
                let hint = error.hint();
                Self::fatal(error.to_string(), hint)
            }
        }
    }
}
