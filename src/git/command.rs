//! The one way to run git as a child: nothing from the environment, the repository or an agent makes it run other programs.
//! Knows nothing of what is asked of git; gix does all that it does well.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use super::{
    error::{During, GitError},
    repository::Repository,
};

/// How long a git command may take unless told otherwise.
const LIMIT: Duration = Duration::from_secs(300);
/// Bytes of output kept.
const OUTPUT_BYTES_MAX: u64 = 256 << 20;
/// Lines of a failed command's output that are shown.
const LINES_SHOWN: usize = 20;
/// Variables of our environment that git needs or the user chose.
const PASSED: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "GNUPGHOME",
    "GPG_TTY",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_EXEC_PATH",
];
/// Settings that hold for each command. They beat those of the repository.
const SETTINGS: [(&str, &str); 22] = [
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.sshCommand", ""),
    ("core.pager", "cat"),
    ("core.editor", "false"),
    ("core.fsync", "all"),
    ("core.untrackedCache", "false"),
    ("diff.external", ""),
    ("protocol.allow", "never"),
    ("protocol.ext.allow", "never"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("safe.bareRepository", "explicit"),
    ("credential.helper", ""),
    ("commit.gpgSign", "false"),
    ("log.showSignature", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("advice.addEmbeddedRepo", "false"),
    ("uploadpack.packObjectsHook", ""),
];

/// A git command in the making.
#[derive(Debug, Clone)]
pub struct Git {
    git_dir: PathBuf,
    work_tree: Option<PathBuf>,
    index: Option<PathBuf>,
    settings: Vec<(String, String)>,
    /// Settings of every command that this one does not have.
    without: &'static [&'static str],
    variables: Vec<(String, OsString)>,
    args: Vec<OsString>,
    limit: Duration,
}

/// What a git command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitOutput {
    /// Its exit code; none if it was ended by a signal.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
}

impl Git {
    /// Git with this repository and, where it has one, its main worktree.
    pub fn of(repository: &Repository) -> Self {
        let mut git = Self::at(repository.git_dir(), repository.work_dir());
        git.settings.extend(without_hooks(repository));
        git
    }

    /// The same with the user's hooks, for pushing and for running them: they run what the repository's settings say.
    pub fn with_hooks(repository: &Repository) -> Self {
        let mut git = Self::at(repository.git_dir(), repository.work_dir());
        git.without = &["core.hooksPath"];
        git
    }

    /// Only reads settings, and sees all of them but for those that every command of ours has.
    pub(super) fn plain(repository: &Repository) -> Self {
        Self::at(repository.git_dir(), repository.work_dir())
    }

    pub(super) fn at(git_dir: &Path, work_tree: Option<&Path>) -> Self {
        Self {
            git_dir: git_dir.to_owned(),
            work_tree: work_tree.map(Path::to_owned),
            index: None,
            settings: Vec::new(),
            without: &[],
            variables: Vec::new(),
            args: Vec::new(),
            limit: LIMIT,
        }
    }

    /// With these words.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// With a private index.
    #[must_use]
    pub fn index(mut self, index: &Path) -> Self {
        self.index = Some(index.to_owned());
        self
    }

    /// With one more setting, which beats all others.
    #[must_use]
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With one more variable, for hooks.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// With files elsewhere than in the main worktree.
    #[must_use]
    pub fn work_tree(mut self, work_tree: &Path) -> Self {
        self.work_tree = Some(work_tree.to_owned());
        self
    }

    /// With a time limit.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it, with `input` on stdin.
    ///
    /// # Errors
    /// If it cannot be started or takes too long; not if it fails.
    pub fn run(&self, input: &[u8]) -> Result<GitOutput, GitError> {
        let mut command = Command::new("git");
        command.args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"]).args(&self.args);
        clear(&mut command);
        command
            .env("GIT_DIR", &self.git_dir)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "false")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .current_dir(self.work_tree.as_deref().unwrap_or(&self.git_dir));
        if let Some(work_tree) = &self.work_tree {
            command.env("GIT_WORK_TREE", work_tree);
        }
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let fixed = SETTINGS
            .iter()
            .filter(|(key, _)| !self.without.contains(key))
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = fixed.chain(self.settings.iter().cloned()).collect();
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (at, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        run(command, input, self.limit).during(|| format!("run git {}", self.words()))
    }

    /// Runs it and gives its stdout.
    ///
    /// # Errors
    /// Also if it fails.
    pub fn output(&self, input: &[u8]) -> Result<Vec<u8>, GitError> {
        let output = self.run(input)?;
        if output.code == Some(0) {
            return Ok(output.stdout);
        }
        Err(GitError::Command { command: self.words(), output: last_lines(&output.stderr) })
    }

    fn words(&self) -> String {
        self.args.iter().take(2).map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }
}

/// Hooks that git's settings define run beside those of the hooks directory: each is switched off by its name.
pub(super) fn without_hooks(repository: &Repository) -> Vec<(String, String)> {
    let local = repository.local();
    let config = local.config_snapshot();
    let Some(hooks) = config.plumbing().sections_by_name("hook") else {
        return Vec::new();
    };
    hooks
        .filter_map(|hook| hook.header().subsection_name().map(ToString::to_string))
        .map(|name| (format!("hook.{name}.enabled"), "false".to_owned()))
        .collect()
}

/// Empties the environment of a child but for what it needs.
pub(super) fn clear(command: &mut Command) {
    command.env_clear().env("LC_ALL", "C");
    for name in PASSED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

/// The last lines of some output.
pub(super) fn last_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}

/// Runs a child in a group of its own, which is ended when the time is over.
pub(super) fn run(mut command: Command, input: &[u8], limit: Duration) -> io::Result<GitOutput> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let started = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (done, ended) = mpsc::channel();
    let stdout = drain(child.stdout.take(), done.clone());
    let stderr = drain(child.stderr.take(), done);
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A child that does not want its input is not an error; what it writes tells.
        let _ = thread::Builder::new().spawn(move || stdin.write_all(&input))?;
    }
    for _ in 0..2 {
        if ended.recv_timeout(limit.saturating_sub(started.elapsed())).is_err() {
            end(&mut child)?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("it took more than {limit:?}")));
        }
    }
    let status = child.wait()?;
    let kept = |thread: thread::JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
    Ok(GitOutput { code: status.code(), stdout: kept(stdout), stderr: kept(stderr) })
}

fn drain(pipe: Option<impl Read + Send + 'static>, done: mpsc::Sender<()>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            // Output that breaks off is judged by the exit code.
            let _ = pipe.by_ref().take(OUTPUT_BYTES_MAX).read_to_end(&mut kept);
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        let _ = done.send(());
        kept
    })
}

fn end(child: &mut Child) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(group) = rustix::process::Pid::from_raw(child.id() as i32) {
        // It may be gone already.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    child.kill()?;
    child.wait().map(|_| ())
}
