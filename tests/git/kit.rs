//! A repository in a directory of its own, closed off from the user's settings.
//! Knows nothing of what is tested with it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use git_orchestrate::{
    config::settings::Durability,
    git::{CommitDraft, Draft, Identity, RefMove, Repository, Slot, Slots, TakePolicy, When},
    model::object::{CommitId, TreeId},
};

/// What may be taken unless a test says otherwise.
pub const POLICY: TakePolicy<'static> = TakePolicy { file_bytes_max: 10 << 20, inspect: None };

/// A repository `repo` with one commit on `main`, and a directory `slots` beside it.
pub struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        let sandbox = Self::empty();
        sandbox.write("README", "hello\n");
        sandbox.write("src/lib.rs", "fn one() {}\n");
        sandbox.write("src/deep/down.txt", "down\n");
        sandbox.git(&["add", "-A"]);
        sandbox.git(&["commit", "-qm", "first"]);
        sandbox
    }

    pub fn empty() -> Self {
        Self::of_kind("sha1")
    }

    /// One without commits, whose objects have names of this kind.
    pub fn of_kind(hash: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = Self { dir };
        fs::create_dir(sandbox.path()).unwrap();
        sandbox.git(&["init", "-q", "-b", "main", &format!("--object-format={hash}")]);
        for (key, value) in [
            ("user.name", "Tess Ter"),
            ("user.email", "tess@example.com"),
            ("commit.gpgSign", "false"),
            ("gc.auto", "0"),
            ("core.autocrlf", "false"),
            ("core.excludesFile", "/dev/null"),
            ("core.attributesFile", "/dev/null"),
            ("core.hooksPath", "/dev/null"),
            ("advice.addEmbeddedRepo", "false"),
            ("protocol.file.allow", "always"),
        ] {
            sandbox.git(&["config", key, value]);
        }
        sandbox
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub fn outside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn repository(&self) -> Repository {
        Repository::discover(&self.path()).unwrap()
    }

    pub fn slots(&self) -> Slots {
        Slots::open(&self.repository(), &self.outside("slots")).unwrap()
    }

    /// A slot with the head of `main` checked out.
    pub fn slot(&self, name: &str) -> Slot {
        let head = self.repository().resolve("main").unwrap();
        self.slots().get(name, head).unwrap()
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        write(&self.path().join(path), text);
    }

    /// Runs git in the repository and gives what it says.
    pub fn git(&self, args: &[&str]) -> String {
        git_in(&self.path(), args)
    }

    pub fn commit(&self, message: &str) -> CommitId {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.repository().resolve("HEAD").unwrap()
    }

    /// git finds nothing wrong with any object.
    pub fn check(&self) {
        let said = self.git(&["fsck", "--strict", "--no-dangling", "--no-progress"]);
        assert_eq!(said, "", "fsck");
    }
}

pub fn identity() -> Identity {
    Identity { name: "Tess Ter".into(), email: "tess@example.com".into() }
}

pub fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

pub fn link(path: &Path, target: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(target, path).unwrap();
}

/// A git command with nothing of the user's settings.
pub fn command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(dir);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env("GIT_AUTHOR_DATE", "1700000000 +0000")
        .env("GIT_COMMITTER_DATE", "1700000000 +0000")
        .stdin(std::process::Stdio::null());
    command
}

pub fn git_in(dir: &Path, args: &[&str]) -> String {
    git_with(command(dir).args(args))
}

/// As [`git_in`], with `input` on stdin.
pub fn git_fed(dir: &Path, args: &[&str], input: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), input).unwrap();
    git_with(command(dir).args(args).stdin(fs::File::open(file.path()).unwrap()))
}

pub fn git_with(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
}

/// The tree that `git add -A` would make of a slot, without touching its index.
pub fn tree_by_git(slot: &Slot) -> String {
    let private = slot.admin_dir().join("oracle-index");
    let index = slot.admin_dir().join("index");
    fs::copy(&index, &private).unwrap();
    // git compares seconds, and reads files again that are as young as the index. With new attributes that would change files
    // that nobody touched; so the index is younger than all of them then.
    let age = if status(slot).contains(".gitattributes") {
        std::time::SystemTime::now() + std::time::Duration::from_secs(10)
    } else {
        fs::metadata(&index).unwrap().modified().unwrap()
    };
    fs::File::options().write(true).open(&private).unwrap().set_modified(age).unwrap();
    git_with(command(slot.path()).args(["add", "-A"]).env("GIT_INDEX_FILE", &private));
    let tree = git_with(command(slot.path()).args(["write-tree"]).env("GIT_INDEX_FILE", &private));
    fs::remove_file(private).unwrap();
    tree
}

/// What `git status` says in a slot.
pub fn status(slot: &Slot) -> String {
    git_in(slot.path(), &["--no-optional-locks", "status", "--porcelain", "--untracked-files=all"])
}

/// A commit of this tree on this parent, not signed.
pub fn commit_of(draft: &mut Draft, tree: TreeId, parents: Vec<CommitId>, message: &str) -> CommitId {
    let commit = CommitDraft {
        tree,
        parents,
        author: identity(),
        committer: identity(),
        message: message.to_owned(),
        time: When { seconds: 1_700_000_000, offset_seconds: 3600 },
    };
    draft.commit(commit, None).unwrap()
}

/// Takes the changes of a slot, commits them as a step does, and goes on from there.
pub fn step(repository: &Repository, slot: &mut Slot, branch: &str, from: Option<CommitId>) -> CommitId {
    let mut draft = repository.draft();
    let taken = slot.take(&mut draft, &POLICY).unwrap();
    let parent = from.unwrap_or(slot.head());
    let commit = commit_of(&mut draft, taken.tree, vec![parent], "a step");
    let code = draft.code_commit(taken.tree, commit).unwrap();
    let moved = RefMove { name: branch.to_owned(), from, to: commit, reason: "a step".into() };
    repository.publish(draft.objects(), vec![moved], Durability::Os).unwrap();
    slot.accept(code).unwrap();
    commit
}

/// Numbers that look random and are the same each time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
