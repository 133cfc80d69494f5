//! The tool `run`: a command by the shell, in the worktree, with a limit of time and of output.
//! Does not judge commands; that it is offered at all is the caller's decision.

use std::{
    collections::{BTreeMap, VecDeque},
    ffi::OsString,
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    arguments::Arguments,
    refusal::Refusal,
    tool::{Said, Shell, ToolSpec},
};
use crate::{
    sys::{
        environment,
        process::{How, ProcessLimits, Program, Source},
    },
    text,
};

/// Bytes of a command.
const COMMAND_BYTES_MAX: usize = 64 << 10;

pub(super) fn spec(wall: Duration) -> ToolSpec {
    ToolSpec {
        name: "run",
        description: format!(
            "Runs a command with 'sh -c' in the worktree and gives what it prints and its exit code. It reads no input, may \
             take {} at most, and whatever it leaves running is ended. Do not commit and do not change git's state.",
            text::duration(wall)
        ),
        parameters: json!({
            "type": "object",
            "properties": {
                "command": {"type": "string", "description": "the command"},
                "timeout_seconds": {"type": "integer", "description": "end it earlier than it must"},
            },
            "required": ["command"],
        }),
    }
}

/// The variables of a command: those that agents get, without what is the model's own to have: its keys. `pass` and
/// `set` are the agent's settings, `keys` the names of the variables that hold keys. A variable that has the value of
/// one under another name stays out too.
pub fn environment(pass: &[String], set: &BTreeMap<String, String>, keys: &[&str]) -> BTreeMap<OsString, OsString> {
    let mut env = environment::allowed(pass);
    env.extend(set.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    let secrets: Vec<OsString> = keys
        .iter()
        .filter_map(|key| env.get(&OsString::from(key)).cloned().or_else(|| std::env::var_os(key)))
        .filter(|value| !value.is_empty())
        .collect();
    env.retain(|name, value| !keys.iter().any(|key| name == key) && !secrets.contains(value));
    env
}

pub(super) fn call(shell: &Shell<'_>, values: &Value) -> Result<Said, Refusal> {
    let arguments = Arguments::new(values, &["command", "timeout_seconds"])?;
    let command = arguments.text("command")?;
    if command.trim().is_empty() || command.len() > COMMAND_BYTES_MAX || command.contains('\0') {
        return Err(Refusal::Call(format!("'command' must be a text of 1 to {COMMAND_BYTES_MAX} bytes")));
    }
    let asked = arguments.number("timeout_seconds")?.filter(|seconds| *seconds > 0).map(Duration::from_secs);
    let wall = asked.map_or(shell.policy.wall, |asked| asked.min(shell.policy.wall));
    let program = Program {
        argv: ["sh", "-c", command].map(OsString::from).into(),
        cwd: shell.cwd.clone(),
        env: shell.env.clone(),
        stdin: Vec::new(),
        // What is kept is kept by `Output`, both outputs in the order in which they came.
        limits: ProcessLimits { wall, idle: None, stdout_bytes_max: 0, stderr_bytes_max: 0 },
        label: shell.label.clone(),
    };
    let mut output = Output::new(shell.policy.output_bytes_max);
    let ended = shell
        .supervisor
        .run(&program, shell.cancel, &mut |_: Source, line| output.take(line))
        .map_err(|error| Refusal::Call(error.to_string()))?;
    let took = text::duration(ended.duration);
    let (how, is_error) = match ended.how {
        How::Exited(code) => (format!("exit code {code}"), code != 0),
        How::Signaled(signal) => (format!("ended by signal {signal}"), true),
        How::WallLimit => (format!("ended: it took longer than {}", text::duration(wall)), true),
        How::IdleLimit => ("ended: it was silent too long".to_owned(), true),
        How::Cancelled => ("ended: the run stops".to_owned(), true),
    };
    let mut said = output.finish();
    if !said.is_empty() {
        said.push('\n');
    }
    said.push_str(&format!("[{how}, after {took}"));
    if ended.left_behind > 0 {
        let count = text::count(u64::from(ended.left_behind), "process");
        said.push_str(&format!("; {count} that it left running ended"));
    }
    said.push(']');
    let detail = format!("{}: {how}", text::cut(&text::clean_line(command), 80));
    Ok(Said { text: said, detail, is_error })
}

/// What a command printed: its beginning and its end.
struct Output {
    head_bytes_max: usize,
    tail_bytes_max: usize,
    head: String,
    tail: VecDeque<String>,
    tail_bytes: usize,
    dropped_bytes: u64,
    dropped_lines: u64,
}

impl Output {
    /// A third of what is kept is the beginning: what went wrong stands at the end.
    fn new(bytes_max: usize) -> Self {
        let head_bytes_max = bytes_max / 3;
        Self {
            head_bytes_max,
            tail_bytes_max: bytes_max - head_bytes_max,
            head: String::new(),
            tail: VecDeque::new(),
            tail_bytes: 0,
            dropped_bytes: 0,
            dropped_lines: 0,
        }
    }

    fn take(&mut self, line: &[u8]) {
        // Cut before it is cleaned: a line may be a mebibyte.
        let mut line = text::clean_bytes(&line[..line.len().min(self.tail_bytes_max)]);
        line.push('\n');
        if self.tail.is_empty() && self.dropped_lines == 0 && self.head.len() + line.len() <= self.head_bytes_max {
            self.head.push_str(&line);
            return;
        }
        self.tail_bytes += line.len();
        self.tail.push_back(line);
        while self.tail_bytes > self.tail_bytes_max && self.tail.len() > 1 {
            let line = self.tail.pop_front().expect("there is more than one");
            self.tail_bytes -= line.len();
            self.dropped_bytes += line.len() as u64;
            self.dropped_lines += 1;
        }
    }

    fn finish(self) -> String {
        let mut shown = self.head;
        if self.dropped_lines > 0 {
            let (lines, bytes) = (text::count(self.dropped_lines, "line"), text::bytes(self.dropped_bytes));
            shown.push_str(&format!("[… {lines}, {bytes}, left out …]\n"));
        }
        shown.extend(self.tail);
        shown.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_of_output_are_kept() {
        let check = |bytes_max: usize, lines: &[&str], wanted: &str| {
            let mut output = Output::new(bytes_max);
            for line in lines {
                output.take(line.as_bytes());
            }
            assert_eq!(output.finish(), wanted);
        };
        check(99, &["one", "\u{1b}[1mtwo"], "one\ntwo");
        check(15, &["one", "two", "three", "four", "five"], "one\n[… 2 lines, 10 bytes, left out …]\nfour\nfive");
        check(9, &["a long line that does not fit"], "a long");
        check(99, &[], "");
    }

    #[test]
    fn keys_do_not_reach_a_command() {
        let set = BTreeMap::from([
            ("MY_KEY".to_owned(), "secret".to_owned()),
            ("COPY".to_owned(), "secret".to_owned()),
            ("MODE".to_owned(), "fast".to_owned()),
        ]);
        let env = environment(&[], &set, &["MY_KEY", "NOT_SET"]);
        let has = |name: &str| env.contains_key(&OsString::from(name));
        assert!(!has("MY_KEY") && !has("COPY") && has("MODE") && has("PATH"), "{env:?}");
    }
}
