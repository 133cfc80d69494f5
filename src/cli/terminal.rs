//! The user's end: what is written where, in which colours, how wide, and whether somebody is there to ask.
//! Knows nothing of commands.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::ValueEnum;

use super::failure::Complaint;
use crate::{
    report::look::{Ink, Look},
    sys::terminal::{self, ColorChoice, Stream},
    text,
};

/// Columns of an end that does not tell how wide it is.
const COLUMNS_DEFAULT: usize = 100;
/// Questions that are asked again after an answer that is none, before the default is taken.
const ASKED_AGAIN_MAX: usize = 3;

/// `--color`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR, TERM=dumb or git's color.ui say no.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: only what went wrong, and what was asked for.
    Quiet,
    /// The usual.
    #[default]
    Normal,
    /// `-v`: with reasons.
    Verbose,
    /// `-vv`: with what the program does inside.
    Debug,
}

/// The user's end.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// How much is told.
    pub verbosity: Verbosity,
    out: Look,
    err: Look,
    is_out_terminal: bool,
    is_err_terminal: bool,
    is_in_terminal: bool,
}

impl Terminal {
    /// As the environment and the options say. `git_colour` is asked only where everything else leaves it open:
    /// whether git's settings allow colours.
    pub fn new(colour: Colour, verbosity: Verbosity, git_colour: impl Fn() -> bool) -> Self {
        let is_out_terminal = terminal::stdout_is_terminal();
        let is_err_terminal = terminal::stderr_is_terminal();
        let choice = match colour {
            Colour::Auto => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        let look = |stream, is_terminal: bool| Look {
            colour: terminal::use_color(choice, stream) && (colour == Colour::Always || git_colour()),
            columns: is_terminal.then(|| terminal::width(COLUMNS_DEFAULT)),
        };
        Self {
            verbosity,
            out: look(Stream::Stdout, is_out_terminal),
            err: look(Stream::Stderr, is_err_terminal),
            is_out_terminal,
            is_err_terminal,
            is_in_terminal: io::stdin().is_terminal(),
        }
    }

    /// How text on standard output may look.
    pub fn out_look(&self) -> Look {
        self.out
    }

    /// How text on standard error may look.
    pub fn err_look(&self) -> Look {
        self.err
    }

    /// Whether standard output is a terminal.
    pub fn is_out_terminal(&self) -> bool {
        self.is_out_terminal
    }

    /// Whether standard error is a terminal.
    pub fn is_err_terminal(&self) -> bool {
        self.is_err_terminal
    }

    /// Whether lines on standard error can be drawn anew.
    pub fn can_draw(&self) -> bool {
        self.is_err_terminal && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
    }

    /// Whether somebody is there to answer a question.
    pub fn can_ask(&self) -> bool {
        self.is_in_terminal && self.is_err_terminal
    }

    /// Whether only what went wrong is told, and what was asked for.
    pub fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Talk: a line on standard error, not with `-q`.
    pub fn say(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.talk(line);
        }
    }

    /// `warning: …` and `hint: …`
    pub fn warn(&self, message: &str, hint: Option<&str>) {
        self.talk(&format!("{} {message}", self.err.paint(Ink::Warn, "warning:")));
        if let Some(hint) = hint {
            self.hint(hint);
        }
    }

    /// `hint: …`
    pub fn hint(&self, hint: &str) {
        for line in hint.lines() {
            self.talk(&format!("{} {line}", self.err.paint(Ink::Warn, "hint:")));
        }
    }

    /// `fatal: …` or `error: …`, with its hint.
    pub fn complain(&self, complaint: &Complaint) {
        let word = self.err.paint(Ink::Bad, &format!("{}:", complaint.level.word()));
        self.talk(&format!("{word} {}", text::clean(&complaint.message)));
        if let Some(hint) = &complaint.hint {
            self.hint(&text::clean(hint));
        }
    }

    /// Asks a question that is answered by yes or no. Nobody there: the default.
    pub fn ask(&self, question: &str, default: bool) -> bool {
        if !self.can_ask() {
            return default;
        }
        for _ in 0..ASKED_AGAIN_MAX {
            let mut err = io::stderr().lock();
            let choices = if default { "[Y/n]" } else { "[y/N]" };
            let asked = write!(err, "{question} {choices} ").and_then(|()| err.flush());
            let mut answer = String::new();
            if asked.is_err() || !io::stdin().lock().read_line(&mut answer).is_ok_and(|bytes| bytes > 0) {
                return default;
            }
            match answer.trim().to_ascii_lowercase().as_str() {
                "" => return default,
                "y" | "yes" => return true,
                "n" | "no" => return false,
                _ => {}
            }
        }
        default
    }

    fn talk(&self, line: &str) {
        // Nobody listens on standard error: there is nowhere left to say so.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}
