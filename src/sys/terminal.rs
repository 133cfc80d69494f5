//! What the output goes to: a terminal or not, how wide, with colours or without.
//! Writes nothing.

use std::io::{self, IsTerminal};

/// One of the two ways out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Data.
    Stdout,
    /// Talk.
    Stderr,
}

/// What the user said about colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// As the environment and the terminal have it.
    #[default]
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

/// Whether people read stdout.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether people read stderr.
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Columns of the terminal: `COLUMNS` if set, else as stdout's or stderr's terminal says, else `default`.
pub fn width(default: usize) -> usize {
    let named = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    let asked = || {
        let sizes = [rustix::termios::tcgetwinsize(io::stdout()), rustix::termios::tcgetwinsize(io::stderr())];
        sizes.into_iter().flatten().map(|size| usize::from(size.ws_col)).find(|columns| *columns > 0)
    };
    named.filter(|columns| *columns > 0).or_else(asked).unwrap_or(default)
}

/// Whether to write colours to that stream.
///
/// The user's choice wins, then `NO_COLOR` (no-color.org: set and not empty), then `CLICOLOR_FORCE` (set, neither empty
/// nor `0`), then `TERM=dumb`, then whether it is a terminal.
pub fn use_color(choice: ColorChoice, stream: Stream) -> bool {
    let is_terminal = match stream {
        Stream::Stdout => stdout_is_terminal(),
        Stream::Stderr => stderr_is_terminal(),
    };
    decide(choice, |name| std::env::var(name).ok(), is_terminal)
}

fn decide(choice: ColorChoice, variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if is_set("NO_COLOR") => false,
        ColorChoice::Auto if is_set("CLICOLOR_FORCE") && variable("CLICOLOR_FORCE").as_deref() != Some("0") => true,
        ColorChoice::Auto => is_terminal && variable("TERM").is_some_and(|term| term != "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_choice_then_the_environment_then_the_terminal() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, variables, is_terminal, colored) in [
            (Auto, &[("TERM", "xterm")][..], true, true),
            (Auto, &[("TERM", "xterm")], false, false),
            (Auto, &[("TERM", "dumb")], true, false),
            (Auto, &[], true, false),
            (Auto, &[("TERM", "xterm"), ("NO_COLOR", "1")], true, false),
            (Auto, &[("TERM", "xterm"), ("NO_COLOR", "")], true, true),
            (Auto, &[("CLICOLOR_FORCE", "1")], false, true),
            (Auto, &[("CLICOLOR_FORCE", "0")], false, false),
            (Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, false),
            (Always, &[("NO_COLOR", "1")], false, true),
            (Never, &[("CLICOLOR_FORCE", "1"), ("TERM", "xterm")], true, false),
        ] {
            let variable =
                |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(decide(choice, variable, is_terminal), colored, "{choice:?} {variables:?} {is_terminal}");
        }
    }
}
