//! A sandbox whose git finds the real binary, with other sides to push to and finished work.
//! Knows nothing of what is tested in it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::kit::{
    agents::config,
    program::Ended,
    sandbox::{Sandbox, write},
};

/// A sandbox.
pub struct Scene {
    pub sandbox: Sandbox,
}

impl Scene {
    /// A repository without anything of ours.
    pub fn plain() -> Self {
        Self::around(Sandbox::new())
    }

    /// A repository with agents, a gate and a task; the gate refuses the word BROKEN.
    pub fn with_agents() -> Self {
        let scene = Self::around(Sandbox::new().with_agents(&config("single")));
        scene.sandbox.script("implement", "echo $task > $task.txt");
        scene
    }

    pub fn around(sandbox: Sandbox) -> Self {
        symlink(env!("CARGO_BIN_EXE_git-orchestrate"), sandbox.outside("bin/git-orchestrate")).expect("a link");
        Self { sandbox }
    }

    /// With tasks that were done and landed on the integration branch.
    pub fn landed(tasks: &[&str]) -> Self {
        let scene = Self::with_agents();
        for task in tasks {
            scene.sandbox.task(task, "");
        }
        scene.sandbox.commit("tasks");
        scene.sandbox.run(&["start"]).expect(0);
        scene
    }

    /// Where git and our binary are found; one that is installed on this machine is not.
    pub fn path_variable(&self) -> OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let others = std::env::split_paths(&path).filter(|dir| !dir.join("git-orchestrate").exists());
        std::env::join_paths(std::iter::once(self.sandbox.outside("bin")).chain(others)).expect("plain paths")
    }

    /// git in a directory, with variables.
    pub fn git_in(&self, dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Ended {
        let mut command = Command::new("git");
        self.sandbox.close(&mut command);
        command.env("PATH", self.path_variable()).envs(variables.iter().copied());
        command.current_dir(dir).args(args);
        self.sandbox.run_command(command)
    }

    /// git in the repository.
    pub fn git(&self, args: &[&str]) -> Ended {
        self.git_in(&self.sandbox.path(), args, &[])
    }

    /// Our program in a directory, by way of git.
    pub fn orchestrate_in(&self, dir: &Path, args: &[&str]) -> Ended {
        self.git_in(dir, &[&["orchestrate"], args].concat(), &[])
    }

    /// `hooks` with these words, in the repository.
    #[track_caller]
    pub fn hooks(&self, words: &[&str]) -> Ended {
        let ended = self.orchestrate_in(&self.sandbox.path(), &[&["hooks"], words].concat());
        ended.expect(0);
        ended
    }

    /// An empty repository to push to, known as `name`.
    pub fn other_side(&self, name: &str) -> PathBuf {
        let path = self.sandbox.outside(&format!("{name}.git"));
        let path_text = path.to_str().expect("a plain path");
        self.sandbox.git(&["init", "-q", "--bare", "-b", "main", path_text]);
        self.sandbox.git(&["remote", "add", name, path_text]);
        path
    }

    /// A hook of somebody.
    pub fn hook(&self, dir: &Path, name: &str, text: &str) {
        program(&dir.join(name), text);
    }
}

/// An executable file.
pub fn program(path: &Path, text: &str) {
    write(path, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
}

/// Everything below a directory: files with content and mode, links, directories.
pub fn everything(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("a directory").flatten() {
            let (path, kind) = (entry.path(), entry.file_type().expect("a kind"));
            let name = path.strip_prefix(dir).expect("below").to_owned();
            let mut content = match () {
                () if kind.is_dir() => b"directory".to_vec(),
                () if kind.is_symlink() => fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes(),
                () => fs::read(&path).expect("a file"),
            };
            let mode = fs::symlink_metadata(&path).expect("there").permissions().mode();
            content.extend_from_slice(format!(" mode {mode:o}").as_bytes());
            if kind.is_dir() {
                open.push(path);
            }
            found.insert(name, content);
        }
    }
    found
}

/// Panics with the names of what differs.
#[track_caller]
pub fn same(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    let names = before.keys().chain(after.keys());
    let other: Vec<_> = names.filter(|name| before.get(*name) != after.get(*name)).collect();
    assert!(other.is_empty(), "{what}: not as before: {other:?}");
}
