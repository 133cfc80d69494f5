//! A repository, a home and a PATH of a test's own: nothing of the machine's settings, keys or agents gets in.
//! Knows nothing of what is tested.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Programs of the machine that tests may use.
const PROGRAMS: [&str; 11] =
    ["git", "sh", "bash", "cat", "mkdir", "rmdir", "sed", "sleep", "tail", "true", "ssh-keygen"];

/// Where a test lives.
pub struct Sandbox {
    home: tempfile::TempDir,
}

impl Sandbox {
    /// An empty repository on branch `main`, a person git knows, and no agents.
    pub fn new() -> Self {
        let sandbox = Self::without_repository();
        fs::create_dir(sandbox.repository()).expect("made");
        sandbox.git(&["init", "--quiet", "--initial-branch=main"]);
        sandbox
    }

    /// The same without the repository.
    pub fn without_repository() -> Self {
        let sandbox = Self { home: tempfile::tempdir().expect("a directory") };
        for directory in ["home", "bin"] {
            fs::create_dir(sandbox.path(directory)).expect("made");
        }
        for program in PROGRAMS {
            if let Some(real) = on_real_path(program) {
                symlink(real, sandbox.path("bin").join(program)).expect("linked");
            }
        }
        // git finds subcommands on PATH by themselves; linked, because git looks for the program's name.
        symlink(env!("CARGO_BIN_EXE_git-orchestrate"), sandbox.path("bin/git-orchestrate")).expect("linked");
        let settings = "[user]\n\tname = Ann\n\temail = ann@example.com\n[init]\n\tdefaultBranch = main\n";
        fs::write(sandbox.path("home/.gitconfig"), settings).expect("written");
        sandbox
    }

    /// A path in the sandbox.
    pub fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    /// The repository's working tree.
    pub fn repository(&self) -> PathBuf {
        self.path("repo")
    }

    /// Writes a file of the repository.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.repository().join(path);
        fs::create_dir_all(path.parent().expect("a file has a parent")).expect("made");
        fs::write(path, content).expect("written");
    }

    /// Reads a file of the repository.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repository().join(path)).expect(path)
    }

    /// Puts a program on PATH.
    pub fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }

    /// A program in the closed environment, in the repository, or in the sandbox where there is none.
    pub fn command(&self, program: &str) -> Command {
        let repository = self.repository();
        let mut command = Command::new(program);
        command.env_clear().current_dir(if repository.exists() { repository } else { self.path("") });
        command
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CEILING_DIRECTORIES", self.home.path())
            .env("TERM", "dumb")
            .env("COLUMNS", "100")
            .env("LC_ALL", "C")
            .env("GIT_ORCHESTRATE_NOW", "2026-01-02T03:04:05Z");
        command
    }

    /// Our program, with these words.
    pub fn orchestrate(&self, words: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_git-orchestrate"));
        command.args(words);
        command
    }

    /// Runs our program.
    pub fn run(&self, words: &[&str]) -> Ran {
        self.end(self.orchestrate(words))
    }

    /// Runs our program with something on its standard input.
    pub fn run_with_input(&self, words: &[&str], input: &str) -> Ran {
        let mut command = self.orchestrate(words);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("taken");
        self.ran(child.wait_with_output().expect("it ends"))
    }

    /// Runs any command to its end.
    pub fn end(&self, mut command: Command) -> Ran {
        self.ran(command.stdin(Stdio::null()).output().expect("it starts"))
    }

    /// Runs git, which must succeed.
    pub fn git(&self, words: &[&str]) {
        let mut command = self.command("git");
        command.args(words);
        let ran = self.end(command);
        assert_eq!(ran.code, 0, "git {words:?}: {}", ran.stderr);
    }

    /// The files of the repository that git does not know, or that differ from what it knows.
    pub fn status(&self) -> String {
        let mut command = self.command("git");
        command.args(["status", "--short", "--untracked-files=all"]);
        self.end(command).stdout
    }

    fn ran(&self, output: Output) -> Ran {
        let home = self.home.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&home, "[SANDBOX]");
        Ran { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

fn on_real_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| Path::is_file(file))
}

/// What a program did. The sandbox's own path is `[SANDBOX]` in it.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Compares all of it: `code`, then standard output, then standard error, as snapshots (`[..]` stands for anything).
    #[track_caller]
    pub fn is(&self, code: i32, stdout: impl snapbox::IntoData, stderr: impl snapbox::IntoData) {
        snapbox::Assert::new().action_env("SNAPSHOTS").eq(self.stderr.as_str(), stderr);
        snapbox::Assert::new().action_env("SNAPSHOTS").eq(self.stdout.as_str(), stdout);
        assert_eq!(self.code, code, "{}", self.stderr);
    }
}
