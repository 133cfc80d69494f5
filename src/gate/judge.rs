//! What the end of a check says of the work: pass, fail, or nothing.
//! Knows exit codes and signals only; what a tool prints is not understood here.

use crate::{
    model::{record::CheckResult, task::Span},
    sys::process::How,
    text::{clean_line, cut},
};

/// Columns of a program's name in a reason.
const NAME_COLUMNS_MAX: usize = 80;

/// What is said of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub result: CheckResult,
    pub exit_code: Option<i32>,
    pub reason: String,
}

/// Judges the end of a check; none: it was stopped on our word, and says nothing.
///
/// - Exit 0 passes; any other exit code fails but for those by which shells and tools that start others say that the
///   command did not run: 125 (`timeout`, `env`, `docker`), 126 (not executable), 127 (not found). Those are `infra`.
/// - Cargo and Python say in words of their own that the tool they should start is missing: `infra` too.
/// - Too long a time fails: an endless loop in the work is far more likely than a machine that hangs, and an agent that is
///   told so can look for it.
/// - A signal that programs earn themselves (a crash) fails. One that only others send (HUP, INT, QUIT, KILL, TERM), as when
///   memory runs out, is `infra`; also as an exit code of 128 and its number, as a shell passes it on.
pub(super) fn judge(how: How, timeout: Span, last_lines: &str) -> Option<Judgement> {
    let judgement = |result, exit_code, reason| Some(Judgement { result, exit_code, reason });
    match how {
        How::Cancelled => None,
        How::WallLimit => judgement(CheckResult::Fail, None, format!("took longer than {timeout}")),
        How::IdleLimit => judgement(CheckResult::Fail, None, "wrote nothing for too long".to_owned()),
        How::Exited(0) => judgement(CheckResult::Pass, Some(0), String::new()),
        How::Exited(code @ 125) => {
            judgement(CheckResult::Infra, Some(code), "could not be started (exit code 125)".to_owned())
        }
        How::Exited(code @ (126 | 127)) => judgement(CheckResult::Infra, Some(code), not_run(code, last_lines)),
        How::Exited(code) => match Signal::of(code - 128) {
            Some(signal) if signal.sender == Sender::Others => {
                judgement(CheckResult::Infra, Some(code), format!("{signal}, says its exit code {code}"))
            }
            Some(_) | None => match not_found(code, last_lines) {
                Some(missing) => judgement(CheckResult::Infra, Some(code), missing),
                None => judgement(CheckResult::Fail, Some(code), format!("exit code {code}")),
            },
        },
        How::Signaled(number) => match Signal::of(number) {
            Some(signal) => {
                let result = match signal.sender {
                    Sender::Others => CheckResult::Infra,
                    Sender::Itself => CheckResult::Fail,
                };
                judgement(result, None, signal.to_string())
            }
            None => judgement(CheckResult::Fail, None, format!("ended by signal {number}")),
        },
    }
}

/// Who a signal comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// A person, another program, or the system in need.
    Others,
    /// The program: it crashed, or gave up.
    Itself,
}

/// A signal whose number is the same on all systems (POSIX, `kill -l`).
#[derive(Debug, Clone, Copy)]
struct Signal {
    number: i32,
    name: &'static str,
    sender: Sender,
}

impl Signal {
    fn of(number: i32) -> Option<Self> {
        use Sender::{Itself, Others};
        let (name, sender) = match number {
            1 => ("HUP", Others),
            2 => ("INT", Others),
            3 => ("QUIT", Others),
            4 => ("ILL", Itself),
            5 => ("TRAP", Itself),
            6 => ("ABRT", Itself),
            8 => ("FPE", Itself),
            9 => ("KILL", Others),
            11 => ("SEGV", Itself),
            13 => ("PIPE", Itself),
            14 => ("ALRM", Itself),
            15 => ("TERM", Others),
            _ => return None,
        };
        Some(Self { number, name, sender })
    }
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, name, sender } = self;
        match sender {
            Sender::Others if *number == 9 => write!(f, "killed by someone else ({name}), perhaps for want of memory"),
            Sender::Others => write!(f, "ended by someone else (signal {name})"),
            Sender::Itself => write!(f, "crashed (signal {name})"),
        }
    }
}

/// What `cargo <tool>` and `python -m <tool>` say where the tool is missing.
fn not_found(code: i32, last_lines: &str) -> Option<String> {
    let cargo = |line: &str| {
        let (tool, _) = line.strip_prefix("error: no such command: `")?.split_once('`')?;
        Some(format!("no program 'cargo-{tool}'"))
    };
    let python = |line: &str| {
        let (program, module) = line.split_once(": No module named ")?;
        let is_python = program.rsplit('/').next().is_some_and(|name| name.starts_with("python"));
        let is_name = !module.is_empty() && module.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
        (is_python && is_name && !program.contains(' ')).then(|| format!("no Python module '{module}'"))
    };
    let mut lines = last_lines.lines().rev().map(str::trim);
    let missing = match code {
        101 => lines.find_map(cargo),
        1 => lines.find_map(python),
        _ => None,
    };
    missing.map(|missing| cut(&clean_line(&missing), NAME_COLUMNS_MAX))
}

/// Why a command did not run, from what the shell said about it: `sh: 1: cargo: not found` in dash, `sh: line 1: cargo:
/// command not found` in bash, `command not found: cargo` in zsh.
fn not_run(code: i32, last_lines: &str) -> String {
    const ABSENT: [&str; 3] = [": command not found", ": not found", ": No such file or directory"];
    let named = |line: &str| {
        let line = line.trim();
        let before = ABSENT.iter().find_map(|end| line.strip_suffix(end));
        let before = before.and_then(|before| before.rsplit(": ").next());
        before.or_else(|| line.split_once("command not found: ").map(|(_, name)| name)).map(str::to_owned)
    };
    let refused = |line: &str| {
        let before = line.trim().strip_suffix(": Permission denied")?;
        before.rsplit(": ").next().map(str::to_owned)
    };
    let name = |name: String| cut(&clean_line(&name), NAME_COLUMNS_MAX);
    let mut lines = last_lines.lines().rev();
    if code == 127 {
        lines.find_map(named).map_or_else(
            || "a program that it needs is missing (exit code 127)".to_owned(),
            |program| format!("no program '{}'", name(program)),
        )
    } else {
        lines.find_map(refused).map_or_else(
            || "a program that it needs cannot be executed (exit code 126)".to_owned(),
            |program| format!("'{}' cannot be executed", name(program)),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_end_of_a_check_is_judged() {
        use CheckResult::{Fail, Infra, Pass};
        for (how, last_lines, result, reason) in [
            (How::Exited(0), "warning: x", Pass, ""),
            (How::Exited(1), "", Fail, "exit code 1"),
            (How::Exited(101), "sh: 1: cargo: not found", Fail, "exit code 101"),
            (
                How::Exited(101),
                "error: no such command: `semver-checks`\n\nhelp: x",
                Infra,
                "no program 'cargo-semver-checks'",
            ),
            (How::Exited(1), "/usr/bin/python3: No module named pytest", Infra, "no Python module 'pytest'"),
            (How::Exited(1), "ModuleNotFoundError: No module named 'shop'", Fail, "exit code 1"),
            (How::Exited(1), "test_python: No module named shop there", Fail, "exit code 1"),
            (How::Exited(124), "", Fail, "exit code 124"),
            (How::Exited(125), "", Infra, "could not be started (exit code 125)"),
            (How::Exited(126), "/bin/sh: 1: ./x: Permission denied", Infra, "'./x' cannot be executed"),
            (How::Exited(126), "", Infra, "a program that it needs cannot be executed (exit code 126)"),
            (How::Exited(127), "/bin/sh: 1: cargo: not found\n", Infra, "no program 'cargo'"),
            (How::Exited(127), "sh: line 1: npm: command not found", Infra, "no program 'npm'"),
            (How::Exited(127), "a\nzsh:1: command not found: go\nb", Infra, "no program 'go'"),
            (How::Exited(127), "env: pytest: No such file or directory", Infra, "no program 'pytest'"),
            (How::Exited(127), "hm", Infra, "a program that it needs is missing (exit code 127)"),
            (How::Exited(134), "", Fail, "exit code 134"),
            (
                How::Exited(137),
                "",
                Infra,
                "killed by someone else (KILL), perhaps for want of memory, says its exit code 137",
            ),
            (How::Exited(255), "", Fail, "exit code 255"),
            (How::Signaled(15), "", Infra, "ended by someone else (signal TERM)"),
            (How::Signaled(11), "", Fail, "crashed (signal SEGV)"),
            (How::Signaled(31), "", Fail, "ended by signal 31"),
            (How::WallLimit, "", Fail, "took longer than 30m"),
        ] {
            let judged = judge(how, Span(Duration::from_secs(1800)), last_lines).expect("not stopped");
            assert_eq!((judged.result, judged.reason.as_str()), (result, reason), "{how:?}");
        }
        assert_eq!(judge(How::Cancelled, Span(Duration::ZERO), ""), None);
    }
}
