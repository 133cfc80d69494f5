//! git itself as a child, in the scratch repository: what a user would type there.
//! Knows nothing of the user's git settings, which neither reach it nor are changed by it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use super::DemoError;
use crate::{
    sys::{
        environment,
        process::{Cancel, Ended, How, Label, ProcessLimits, Program, Supervisor, find_program},
    },
    text,
};

/// How long one git command may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Bytes of its output that are kept.
const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// Lines of its complaint that are shown.
const SAID_LINES_MAX: usize = 20;
/// Bytes of them.
const SAID_BYTES_MAX: usize = 4 << 10;

/// git, at home in one directory.
pub struct Git {
    dir: PathBuf,
    supervisor: Supervisor,
}

impl Git {
    /// git in that directory. The records of its children are kept in `.git/orchestrate`, as those of a run.
    ///
    /// # Errors
    /// The directory of records cannot be made.
    pub fn at(dir: &Path) -> Result<Self, DemoError> {
        let records = dir.join(".git/orchestrate/children");
        let supervisor = Supervisor::new(records.clone(), "demo".to_owned());
        let supervisor = supervisor.map_err(|source| DemoError::File { path: records, source })?;
        Ok(Self { dir: dir.to_owned(), supervisor })
    }

    /// Runs it. Returns its stdout.
    ///
    /// # Errors
    /// It cannot be started, or its exit code is not 0.
    pub fn run(&self, words: &[&str]) -> Result<String, DemoError> {
        let ended = self.ask(words)?;
        if ended.how == How::Exited(0) {
            return Ok(String::from_utf8_lossy(&ended.stdout.bytes).into_owned());
        }
        let said =
            text::clean_bytes(if ended.stderr.bytes.is_empty() { &ended.stdout.bytes } else { &ended.stderr.bytes });
        let said = text::tail(said.trim_end(), SAID_LINES_MAX, SAID_BYTES_MAX).replace('\n', "\n  ");
        Err(DemoError::GitRefused { command: words.iter().take(2).copied().collect::<Vec<_>>().join(" "), said })
    }

    /// Runs it, whatever it says.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn ask(&self, words: &[&str]) -> Result<Ended, DemoError> {
        let mut env = environment::allowed(&[]);
        env.insert("GIT_CONFIG_GLOBAL".into(), "/dev/null".into());
        env.insert("GIT_CONFIG_NOSYSTEM".into(), "1".into());
        env.insert("GIT_TERMINAL_PROMPT".into(), "0".into());
        env.insert("LC_ALL".into(), "C".into());
        let program = Program {
            argv: ["git"].iter().chain(words).map(OsString::from).collect(),
            cwd: self.dir.clone(),
            env,
            stdin: Vec::new(),
            limits: ProcessLimits {
                wall: LIMIT,
                idle: None,
                stdout_bytes_max: OUTPUT_BYTES_MAX,
                stderr_bytes_max: OUTPUT_BYTES_MAX,
            },
            label: Label::default(),
        };
        Ok(self.supervisor.run(&program, &Cancel::new(), &mut |_, _| {})?)
    }
}

/// Whether there is such a program.
pub fn is_there(program: &str) -> bool {
    find_program(program, &std::env::var_os("PATH").unwrap_or_default()).is_some()
}
