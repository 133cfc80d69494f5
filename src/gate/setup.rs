//! Makes a worktree ready for work: files copied and directories linked from the user's checkout, setup commands run once.
//! Knows nothing of tasks.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Definition, GateError, made::Made};
use crate::{
    config::{settings::WorktreeSettings, setup_command::SetupCommand},
    git::Slot,
    model::object::{CommitId, Digest},
    sys::{
        clone, environment, file,
        process::{Cancel, How, Label, ProcessLimits, Program, Supervisor},
    },
};

/// How long one setup command may take.
const SETUP_TIMEOUT: Duration = Duration::from_secs(1800);
/// Bytes of a setup command's output that are kept.
const OUTPUT_BYTES_MAX: usize = 64 << 10;
/// The convention of several tools: globs of ignored files that worktrees need, such as `.env`.
const INCLUDE_FILE: &str = ".worktreeinclude";
/// Bytes of that file that are read.
const INCLUDE_BYTES_MAX: usize = 64 << 10;

/// Files that say which versions of what a project needs are installed: where one differs, the setup commands run again, as where a
/// submodule is to be at another commit.
const LOCK_FILES: [&str; 19] = [
    "Cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "deno.lock",
    "go.sum",
    "requirements.txt",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "pdm.lock",
    "Gemfile.lock",
    "composer.lock",
    "mix.lock",
    "gradle.lockfile",
    "packages.lock.json",
];
/// Bytes of such a file that count.
const LOCK_FILE_BYTES_MAX: usize = 64 << 20;

/// What worktrees share with the user's checkout: paths below its root.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    links: Vec<PathBuf>,
    copies: Vec<PathBuf>,
    clones: Vec<PathBuf>,
}

/// Whether a worktree may begin with what was built elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmth {
    /// Build directories are cloned into it.
    Warm,
    /// It has what is in its commit, and what it cannot do without.
    Pristine,
}

impl Warmth {
    /// That which a gate wants.
    pub fn of(definition: &Definition) -> Self {
        if definition.is_pristine() { Self::Pristine } else { Self::Warm }
    }
}

impl Shared {
    /// Every path.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.links.iter().chain(&self.copies).chain(&self.clones).cloned().collect()
    }
}

/// What the configuration, and `.worktreeinclude`, name and the checkout has.
///
/// # Errors
/// A glob that is none.
pub fn shared(root: Option<&Path>, settings: &WorktreeSettings) -> Result<Shared, GateError> {
    let Some(root) = root else { return Ok(Shared::default()) };
    let mut copies = settings.copy.clone();
    if let Ok(bytes) = file::read_limited(&root.join(INCLUDE_FILE), INCLUDE_BYTES_MAX) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let globs = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        copies.extend(globs.map(str::to_owned));
    }
    let is_there = |name: &&String| inside(name) && root.join(name).exists();
    let is_directory = |name: &&String| inside(name) && root.join(name).is_dir();
    let path = |name: &String| Path::new(name).components().collect();
    Ok(Shared {
        links: settings.link.iter().filter(is_there).map(path).collect(),
        clones: settings.clone.iter().filter(is_directory).map(path).collect(),
        copies: matching(root, &copies)?,
    })
}

/// Whether the setup commands of a worktree have run, as they and its lock files are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They have.
    Ready,
    /// They have not, and no agent has worked here: what they make may be given to others.
    Untouched,
    /// They have not, and an agent has worked here: what they make is for this worktree alone.
    Used,
}

/// What makes worktrees ready.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The user's checkout; none in a bare repository.
    pub root: Option<&'a Path>,
    /// What is configured.
    pub settings: &'a WorktreeSettings,
    /// What each worktree shares with the user's checkout.
    pub shared: &'a Shared,
    /// Where it is noted which worktrees were set up, and where what was made for all is kept.
    pub cache: &'a Path,
    /// Runs the setup commands.
    pub supervisor: &'a Supervisor,
    /// Ends them.
    pub cancel: &'a Cancel,
}

impl Ground<'_> {
    /// Brings the files that each worktree shares with the user's checkout, and sets up one that is not ready.
    ///
    /// # Errors
    /// When a file cannot be brought or a setup command fails: an agent in a half-ready worktree would waste money.
    pub fn prepare(&self, slot: &mut Slot, standing: Standing, warmth: Warmth) -> Result<(), GateError> {
        let Some(root) = self.root else { return Ok(()) };
        let worktree = slot.path().to_owned();
        slot.set_brought(&self.shared.paths());
        for path in &self.shared.links {
            let (from, to) = (root.join(path), worktree.join(path));
            if to.symlink_metadata().is_err() {
                bring(&to, |to| symlink(&from, to))?;
            }
        }
        for path in &self.shared.copies {
            let (from, to) = (root.join(path), worktree.join(path));
            if is_stale(&from, &to) {
                bring(&to, |to| fs::copy(&from, to).map(|_| ()))?;
            }
        }
        for path in self.shared.clones.iter().filter(|_| warmth == Warmth::Warm) {
            let (from, to) = (root.join(path), worktree.join(path));
            if to.symlink_metadata().is_err() {
                bring(&to, |to| clone(&from, to, &beside(&worktree)))?;
            }
        }
        if standing != Standing::Ready && !self.settings.setup.is_empty() {
            // As the lock files are now: a command may write them anew, and then they are put back.
            let locks = locks(slot.path(), &slot.submodules());
            let (path, line) = note(self.settings, self.cache, slot, &locks);
            for command in &self.settings.setup {
                self.set_up(slot, command, &locks, standing)?;
            }
            note_done(&path, &line)?;
        }
        Ok(())
    }

    /// Runs a command, unless what it makes was made for another worktree with the same lock files.
    fn set_up(&self, slot: &Slot, command: &SetupCommand, locks: &Digest, standing: Standing) -> Result<(), GateError> {
        let worktree = slot.path();
        // What lies elsewhere is not ours to replace, and what is tracked is in the commit.
        let is_ours = |path: &String| {
            let path_in = worktree.join(path);
            !slot.tracks(path) && file::is_inside(worktree, path_in.parent().unwrap_or(worktree))
        };
        if command.makes.is_empty() || !command.makes.iter().all(is_ours) {
            return self.run(worktree, &command.run);
        }
        let made = Made::new(self.cache, command, locks);
        let failed = |source| GateError::File { path: worktree.to_owned(), what: "cannot be set up", source };
        let Some(lease) = made.lease(self.cancel).map_err(failed)? else {
            return Err(self.failed(worktree, &command.run, "it was stopped".to_owned()));
        };
        if made.lend(worktree, &beside(worktree)).map_err(failed)? {
            return Ok(());
        }
        if standing == Standing::Used {
            drop(lease);
            return self.run(worktree, &command.run);
        }
        let before = made.begin(worktree).map_err(failed)?;
        self.run(worktree, &command.run)?;
        match made.keep(worktree, &before) {
            Ok(Ok(())) => {}
            Ok(Err(why)) => tracing::warn!(command = command.run, why, "setup is run in each worktree"),
            // This worktree is ready all the same.
            Err(error) => tracing::warn!(command = command.run, %error, "what setup made cannot be kept"),
        }
        Ok(())
    }

    fn failed(&self, worktree: &Path, command: &str, why: String) -> GateError {
        GateError::Setup { command: command.to_owned(), directory: worktree.to_owned(), why }
    }

    fn run(&self, worktree: &Path, command: &str) -> Result<(), GateError> {
        let failed = |why: String| self.failed(worktree, command, why);
        let program = Program {
            argv: ["sh", "-c", command].iter().map(Into::into).collect(),
            cwd: worktree.to_owned(),
            env: environment::allowed(&[]),
            stdin: Vec::new(),
            limits: ProcessLimits {
                wall: SETUP_TIMEOUT,
                idle: None,
                stdout_bytes_max: OUTPUT_BYTES_MAX,
                stderr_bytes_max: OUTPUT_BYTES_MAX,
            },
            label: Label { slot: worktree.display().to_string(), task: String::new(), phase: "setup".to_owned() },
        };
        let ended =
            self.supervisor.run(&program, self.cancel, &mut |_, _| {}).map_err(|error| failed(error.to_string()))?;
        match ended.how {
            How::Exited(0) => Ok(()),
            How::Exited(code) => {
                let said = crate::text::clean_bytes(&ended.stderr.bytes);
                Err(failed(format!("exit code {code}\n{}", crate::text::tail(&said, 20, 4096))))
            }
            How::Signaled(signal) => Err(failed(format!("signal {signal}"))),
            How::WallLimit | How::IdleLimit => {
                Err(failed(format!("it took longer than {}", crate::text::duration(SETUP_TIMEOUT))))
            }
            How::Cancelled => Err(failed("it was stopped".to_owned())),
        }
    }
}

/// Whether the setup commands, as they are now, have run in this worktree to their end, with the lock files and
/// the submodules that it has now. `cache` is where it is noted.
pub fn is_done(settings: &WorktreeSettings, cache: &Path, slot: &Slot) -> bool {
    if settings.setup.is_empty() {
        return true;
    }
    let (path, line) = note(settings, cache, slot, &locks(slot.path(), &slot.submodules()));
    file::read_limited(&path, line.len()).is_ok_and(|found| found == line)
}

fn note_done(path: &Path, line: &[u8]) -> Result<(), GateError> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory)
        .and_then(|()| file::write_atomic(path, line, file::Sync::No))
        .map_err(|source| GateError::File { path: path.to_owned(), what: "cannot be written", source })
}

/// Where it is noted that a worktree was set up, and in which words: another directory of the same name is another one.
fn note(settings: &WorktreeSettings, cache: &Path, slot: &Slot, locks: &Digest) -> (PathBuf, Vec<u8>) {
    let commands: Vec<_> = settings.setup.iter().map(|command| command.run.as_str()).collect();
    let inode = slot.path().metadata().map_or(0, |metadata| metadata.ino());
    let commands = Digest::of(commands.join("\0"));
    (cache.join("setup").join(slot.name()), format!("{inode} {commands} {locks}\n").into_bytes())
}

/// What the lock files at the root of a worktree say, and which commits its submodules are to be at.
fn locks(root: &Path, submodules: &[(String, CommitId)]) -> Digest {
    let mut all: Vec<String> = submodules.iter().map(|(path, commit)| format!("{path} {commit}")).collect();
    for name in LOCK_FILES {
        if let Ok(bytes) = file::read_limited(&root.join(name), LOCK_FILE_BYTES_MAX) {
            all.push(format!("{name} {}", Digest::of(bytes)));
        }
    }
    Digest::of(all.join("\n"))
}

/// Whether a path of the configuration stays below the root.
fn inside(name: &str) -> bool {
    let path = Path::new(name);
    path.components().all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir))
}

/// Whether the copy is missing or the original is newer.
fn is_stale(from: &Path, to: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    match (modified(from), modified(to)) {
        (Some(from), Some(to)) => from > to,
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

fn bring(to: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), GateError> {
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent).and_then(|()| make(to)).map_err(|source| GateError::File {
        path: to.to_owned(),
        what: "cannot be brought into the worktree",
        source,
    })
}

/// Where a directory is cloned to before it is whole: beside the worktree, on the same file system.
fn beside(worktree: &Path) -> PathBuf {
    let name = worktree.file_name().unwrap_or_default().to_string_lossy();
    worktree.with_file_name(format!(".cloning-{name}"))
}

/// A directory that is there is there as a whole. What was there before goes.
pub(super) fn clone(from: &Path, to: &Path, half: &Path) -> io::Result<()> {
    file::remove_tree(half)?;
    let cloned = clone::directory(from, half)?;
    tracing::info!(from = %from.display(), shared = cloned.shared, copied = cloned.copied, "a directory was cloned");
    file::remove_tree(to)?;
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::rename(half, to)
}

/// Files of the checkout that the globs name. A glob without `*` is looked up, not searched for.
fn matching(root: &Path, globs: &[String]) -> Result<Vec<PathBuf>, GateError> {
    let mut found = Vec::new();
    for glob in globs.iter().filter(|glob| inside(glob)) {
        let glob = glob.trim_start_matches("./").trim_end_matches('/');
        if !glob.contains(['*', '?', '[', '{']) {
            collect(root, Path::new(glob), &|_| true, &mut found);
            continue;
        }
        let matcher = globset::GlobBuilder::new(glob)
            .literal_separator(true)
            .build()
            .map_err(|error| GateError::Glob { glob: glob.to_owned(), why: error.kind().to_string() })?
            .compile_matcher();
        // Only below the part without wildcards.
        let fixed: PathBuf = Path::new(glob)
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
            .collect();
        collect(root, &fixed, &|path| matcher.is_match(path), &mut found);
    }
    Ok(found)
}

fn collect(root: &Path, path: &Path, wanted: &dyn Fn(&Path) -> bool, found: &mut Vec<PathBuf>) {
    let full = root.join(path);
    let Ok(metadata) = full.symlink_metadata() else { return };
    if metadata.is_dir() {
        if path.ends_with(".git") {
            return;
        }
        for entry in fs::read_dir(&full).into_iter().flatten().filter_map(Result::ok) {
            collect(root, &path.join(entry.file_name()), wanted, found);
        }
    } else if metadata.is_file() && wanted(path) {
        found.push(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lock_files_say_is_told_apart_and_nothing_else() {
        let home = tempfile::tempdir().expect("a directory");
        let locks = |root: &Path| super::locks(root, &[]);
        let write = |name: &str, text: &str| fs::write(home.path().join(name), text).expect("written");
        let none = locks(home.path());
        write("main.rs", "fn main() {}");
        assert_eq!(locks(home.path()), none);
        let submodule = |digit: &str| [("vendor".to_owned(), digit.repeat(40).parse().expect("hex"))];
        assert_ne!(super::locks(home.path(), &submodule("1")), none);
        assert_ne!(super::locks(home.path(), &submodule("1")), super::locks(home.path(), &submodule("2")));
        write("Cargo.lock", "version = 4");
        let one = locks(home.path());
        assert_ne!(one, none);
        write("go.sum", "version = 4");
        let two = locks(home.path());
        assert_ne!(two, one);
        write("Cargo.lock", "version = 5");
        assert_ne!(locks(home.path()), two);
        write("Cargo.lock", "version = 4");
        assert_eq!(locks(home.path()), two);
    }
}
