//! Whether an agent's program is there and answers: what `agents` and `doctor` show.
//! Asks no provider and needs no account: whether somebody is logged in shows at the first step.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    sys::{
        file::{Sync, read_limited, write_atomic},
        process::{Cancel, How, Label, ProcessLimits, Program, Source, StartError, Supervisor},
    },
    text::{clean_line, cut, duration},
};

/// Columns of a version that are shown.
const VERSION_COLUMNS_MAX: usize = 60;
/// Bytes of a probe's output that are kept.
const PROBE_BYTES_MAX: usize = 64 << 10;
/// Bytes that a file of remembered versions may have.
const CACHE_BYTES_MAX: usize = 1 << 20;

/// What is known of an agent's program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// The program's file.
    pub found: Option<PathBuf>,
    /// The version it answered with.
    pub version: Option<String>,
    /// What is wrong, one line; none: nothing is known to be.
    pub problem: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Health {
    /// Whether it can be given work, as far as one can tell without an account.
    pub fn is_well(&self) -> bool {
        self.problem.is_none()
    }
}

/// A question to a program for its version.
#[derive(Debug)]
pub(super) struct Probe<'a> {
    /// The program's file.
    pub file: &'a Path,
    /// The words that make it answer.
    pub args: &'a [&'a str],
    /// All its variables.
    pub env: BTreeMap<OsString, OsString>,
    /// How long it may take.
    pub limit: Duration,
}

impl Probe<'_> {
    /// Asks.
    pub fn ask(self, supervisor: &Supervisor) -> Health {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut argv = vec![self.file.as_os_str().to_owned()];
        argv.extend(self.args.iter().map(OsString::from));
        let program = Program {
            argv,
            cwd: std::env::temp_dir(),
            env: self.env,
            stdin: Vec::new(),
            limits: ProcessLimits {
                wall: self.limit,
                idle: None,
                stdout_bytes_max: PROBE_BYTES_MAX,
                stderr_bytes_max: PROBE_BYTES_MAX,
            },
            label: Label::default(),
        };
        let (mut said, mut complained) = (None, None);
        let ended = supervisor.run(&program, &Cancel::new(), &mut |source, line| {
            let line = cut(&clean_line(&String::from_utf8_lossy(line)), VERSION_COLUMNS_MAX);
            let kept = match source {
                Source::Stdout => &mut said,
                Source::Stderr => &mut complained,
            };
            if kept.is_none() && !line.is_empty() {
                *kept = Some(line);
            }
        });
        let mut health = Health { found: Some(self.file.to_owned()), ..Health::default() };
        let problem = match ended.map(|ended| ended.how) {
            Ok(How::Exited(0)) if said.is_some() => {
                health.version = said;
                return health;
            }
            Ok(How::Exited(0)) => "does not tell its version".to_owned(),
            Ok(How::Exited(code)) => match complained {
                Some(line) => format!("does not start (exit code {code}): {line}"),
                None => format!("does not start (exit code {code})"),
            },
            Ok(How::Signaled(signal)) => format!("is killed by signal {signal} when it starts"),
            Ok(How::WallLimit | How::IdleLimit | How::Cancelled) => {
                format!("does not answer within {}", duration(self.limit))
            }
            Err(error) => {
                health.hint = error.hint();
                format!("does not start: {error}")
            }
        };
        health.problem = Some(format!("{name} {problem}"));
        health.hint = health.hint.or_else(|| {
            let words: Vec<String> = std::iter::once(self.file.display().to_string())
                .chain(self.args.iter().map(|a| (*a).to_owned()))
                .collect();
            Some(format!("look at what it says: {}", words.join(" ")))
        });
        health
    }
}

/// The health of a program that is not there.
pub(super) fn missing(program: &str) -> Health {
    let error = StartError::NotFound { program: program.to_owned() };
    Health { problem: Some(error.to_string()), hint: error.hint(), ..Health::default() }
}

/// Versions by the program's file, its size and its time of change: some programs take seconds to tell theirs.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Versions {
    known: BTreeMap<String, Known>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    bytes: u64,
    changed_ms: u64,
    version: String,
}

impl Versions {
    /// What is remembered; a file that is missing or broken remembers nothing.
    pub fn load(path: &Path) -> Self {
        let bytes = read_limited(path, CACHE_BYTES_MAX).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// The version of this file, if it has not changed since.
    pub fn of(&self, file: &Path) -> Option<&str> {
        let known = self.known.get(&file.to_string_lossy().into_owned())?;
        let (bytes, changed_ms) = state_of(file)?;
        (known.bytes == bytes && known.changed_ms == changed_ms).then_some(known.version.as_str())
    }

    /// Remembers one more. That it cannot be written is no trouble: then it is asked for again.
    pub fn remember(&mut self, file: &Path, version: &str, path: &Path) {
        let Some((bytes, changed_ms)) = state_of(file) else { return };
        let known = Known { bytes, changed_ms, version: version.to_owned() };
        self.known.insert(file.to_string_lossy().into_owned(), known);
        if let Ok(text) = serde_json::to_vec_pretty(self)
            && let Err(error) = write_atomic(path, &text, Sync::No)
        {
            tracing::debug!(path = %path.display(), %error, "cannot remember the version of a program");
        }
    }
}

/// Size and time of change of the file behind all links: an update changes what the link leads to.
fn state_of(file: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    let changed = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some((metadata.len(), u64::try_from(changed.as_millis()).ok()?))
}
