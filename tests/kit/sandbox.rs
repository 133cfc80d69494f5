//! A repository in a directory of its own, closed off from the user's settings, with a home of its own beside it.
//! Knows nothing of tasks.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::process::{Pid, Signal, kill_process};

use super::program::{Background, Ended};

/// `repo`, with one commit on `main`; `home`; `bin` and `scripts` for agents; `log`, where they tell what they do.
pub struct Sandbox {
    dir: tempfile::TempDir,
    runs: AtomicU32,
}

impl Sandbox {
    pub fn new() -> Self {
        Self::of_kind("sha1")
    }

    /// The same where objects are named by this hash.
    pub fn of_kind(hash: &str) -> Self {
        let sandbox = Self::bare_place();
        fs::create_dir(sandbox.path()).expect("a directory");
        sandbox.git(&["init", "-q", "-b", "main", &format!("--object-format={hash}")]);
        for (key, value) in [
            ("user.name", "Tess Ter"),
            ("user.email", "tess@example.com"),
            ("core.excludesFile", "/dev/null"),
            ("core.attributesFile", "/dev/null"),
        ] {
            sandbox.git(&["config", key, value]);
        }
        sandbox.write("README", "hello\n");
        sandbox.write("shared.txt", "zero\n");
        sandbox.write(".gitignore", "ignored/\n");
        sandbox.write("src/lib.rs", "fn one() {}\n");
        sandbox.commit("first");
        sandbox
    }

    fn bare_place() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["home", "bin", "scripts"] {
            fs::create_dir(dir.path().join(name)).expect("a directory");
        }
        Self { dir, runs: AtomicU32::new(0) }
    }

    /// A copy of everything, elsewhere.
    pub fn copy(&self) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        copy_tree(self.dir.path(), dir.path()).expect("a copy");
        Self { dir, runs: AtomicU32::new(1000) }
    }

    /// A clone of a repository on another machine: another home, nothing of ours but the same agents.
    pub fn clone_elsewhere(&self, url: &Path) -> Self {
        let sandbox = Self::bare_place();
        for name in ["bin", "scripts"] {
            copy_tree(&self.outside(name), &sandbox.outside(name)).expect("a copy");
        }
        let mut command = Command::new("git");
        sandbox.close(&mut command);
        let status = command.args(["clone", "-q"]).arg(url).arg(sandbox.path()).status().expect("git starts");
        assert!(status.success(), "git clone: {status}");
        sandbox.git(&["config", "user.name", "Otto Her"]);
        sandbox.git(&["config", "user.email", "otto@example.com"]);
        sandbox
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub fn git_dir(&self) -> PathBuf {
        self.path().join(".git")
    }

    pub fn local(&self) -> PathBuf {
        self.git_dir().join("orchestrate")
    }

    pub fn worktrees(&self) -> PathBuf {
        self.outside("repo.orchestrate")
    }

    pub fn outside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        write(&self.path().join(path), text);
    }

    /// A program in `bin`.
    pub fn program(&self, name: &str, text: &str) {
        let path = self.outside("bin").join(name);
        write(&path, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Commits all there is, ours too.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The environment of every program: nothing of the user's.
    pub fn close(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.outside("home")).env("LC_ALL", "C");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("TZ", "UTC");
    }

    /// Runs git in the repository and gives what it says.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        self.try_git(args).unwrap_or_else(|said| panic!("git {args:?}: {said}"))
    }

    /// The same; an error is what it complains of.
    pub fn try_git(&self, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new("git");
        self.close(&mut command);
        let output = command.current_dir(self.path()).args(args).output().expect("git starts");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
    }

    /// The real program with these words, to be run in the repository.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_git-orchestrate"));
        self.close(&mut command);
        command.current_dir(self.path()).args(words);
        command
    }

    /// Runs the real program to its end.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Ended {
        self.run_command(self.command(words))
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run_command(&self, command: Command) -> Ended {
        self.begin_command(command).end()
    }

    /// Starts the real program.
    pub fn begin(&self, words: &[&str]) -> Background {
        self.begin_command(self.command(words))
    }

    pub fn begin_command(&self, command: Command) -> Background {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        Background::start(command, self.outside(&format!("run-{number}")))
    }

    /// Everything that is the user's: their files, and of the git directory all that is not objects or ours.
    pub fn users(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let ours = [
            ".git/objects",
            ".git/worktrees",
            ".git/orchestrate",
            ".git/refs/orchestrate",
            ".git/refs/heads/orchestrate",
            ".git/logs/refs/heads/orchestrate",
        ];
        gather(&self.path(), Path::new(""), &ours.map(PathBuf::from), &mut found);
        found
    }

    /// Processes that have our home in their environment: whatever runs because of this sandbox.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let mark = [b"HOME=", self.outside("home").as_os_str().as_encoded_bytes()].concat();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| {
                let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environment.split(|byte| *byte == 0).any(|variable| variable == mark)
            })
            .map(|pid| {
                let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                (pid, String::from_utf8_lossy(&words).replace('\0', " "))
            })
            .collect()
    }

    /// Lock files in the git directory; our own lock, which stays, has another name.
    pub fn lock_files(&self) -> Vec<PathBuf> {
        let mut found = BTreeMap::new();
        gather(&self.git_dir(), Path::new(""), &[PathBuf::from("objects")], &mut found);
        found.into_keys().filter(|path| path.extension().is_some_and(|extension| extension == "lock")).collect()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for (pid, _) in self.processes() {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                // It may have ended since.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        // To look at what a failing test leaves.
        if std::thread::panicking() && std::env::var_os("ORCHESTRATE_TEST_KEEP").is_some() {
            self.dir.disable_cleanup(true);
            let _ = io::stderr().write_all(format!("kept: {}\n", self.dir.path().display()).as_bytes());
        }
    }
}

pub fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
    fs::write(path, text).expect("written");
}

/// Files with their content, links with where they lead; modes count.
fn gather(root: &Path, below: &Path, without: &[PathBuf], found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(root.join(below)) else { return };
    for entry in entries.flatten() {
        let path = below.join(entry.file_name());
        let Ok(kind) = entry.file_type() else { continue };
        if without.contains(&path) {
            continue;
        }
        if kind.is_dir() {
            gather(root, &path, without, found);
        } else if kind.is_symlink() {
            let to = fs::read_link(entry.path()).unwrap_or_default();
            found.insert(path, to.into_os_string().into_encoded_bytes());
        } else {
            let mut bytes = fs::read(entry.path()).unwrap_or_default();
            let mode = entry.metadata().map_or(0, |metadata| metadata.permissions().mode());
            bytes.extend_from_slice(format!(" mode {mode:o}").as_bytes());
            found.insert(path, bytes);
        }
    }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_tree(&entry.path(), &to)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
