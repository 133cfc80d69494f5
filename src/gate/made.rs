//! What a setup command made, kept whole for other worktrees with the same lock files: it runs once, by one of those who need it.
//! Knows nothing of what was made, but neither keeps what belongs to one place nor what is only a part of what the command did.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::setup;
use crate::{
    config::setup_command::SetupCommand,
    model::object::Digest,
    sys::{
        clone, file,
        lock::{self, Lease, LockError},
        process::Cancel,
    },
};

/// Commands and lock files whose outcome is kept; the one that was not used for the longest time goes first.
const KEPT_MAX: usize = 4;
/// Letters of a digest in a name.
const NAME_LENGTH: usize = 32;
/// The pause of who waits for another's command.
const WAIT_PAUSE: Duration = Duration::from_millis(50);
/// A file that only a Python environment has, which knows where it is.
const BOUND_TO_PLACE: &str = "pyvenv.cfg";

/// What one command made with certain lock files.
#[derive(Debug)]
pub(super) struct Made<'a> {
    command: &'a SetupCommand,
    /// Where all that is kept is.
    dir: PathBuf,
    name: String,
}

/// What is there besides what a command says that it makes.
pub(super) type Rest = BTreeMap<PathBuf, (i64, i64, u64, u64)>;

impl<'a> Made<'a> {
    /// Below `cache`.
    pub(super) fn new(cache: &Path, command: &'a SetupCommand, locks: &Digest) -> Self {
        let digest = Digest::of([command.to_string(), locks.to_string()].join("\0"));
        let name = digest.0.trim_start_matches("sha256:")[..NAME_LENGTH].to_owned();
        Self { command, dir: cache.join("made"), name }
    }

    /// The right to look for it and to make it; waits for who has it. None if that was cancelled.
    pub(super) fn lease(&self, cancel: &Cancel) -> io::Result<Option<Lease>> {
        fs::create_dir_all(&self.dir)?;
        loop {
            match lock::acquire(&self.dir.join(format!("{}.lock", self.name)), "setup") {
                Ok(lease) => return Ok(Some(lease)),
                Err(LockError::Io { source, .. }) => return Err(source),
                Err(LockError::Held { .. }) if cancel.is_cancelled() => return Ok(None),
                Err(LockError::Held { .. }) => std::thread::sleep(WAIT_PAUSE),
            }
        }
    }

    /// Puts what is kept into a worktree in place of what is there; `half` is a place beside it. Whether something is kept.
    pub(super) fn lend(&self, worktree: &Path, half: &Path) -> io::Result<bool> {
        let kept = self.dir.join(&self.name);
        if !kept.is_dir() {
            return Ok(false);
        }
        for (at, path) in self.command.makes.iter().enumerate() {
            setup::clone(&kept.join(at.to_string()), &worktree.join(path), half)?;
        }
        // Only for who looks which was not used for the longest time.
        let _ = fs::File::open(&kept).and_then(|kept| kept.set_modified(SystemTime::now()));
        Ok(true)
    }

    /// Removes what an earlier run of the command left, and says what else is there.
    pub(super) fn begin(&self, worktree: &Path) -> io::Result<Rest> {
        for path in &self.command.makes {
            file::remove_tree(&worktree.join(path))?;
        }
        self.rest(worktree)
    }

    /// Keeps what the command made, unless it made more than it says, less, or what belongs to this worktree: then why not.
    pub(super) fn keep(&self, worktree: &Path, before: &Rest) -> io::Result<Result<(), String>> {
        let after = self.rest(worktree)?;
        let differs = |(path, look): &(&PathBuf, _)| before.get(*path) != Some(look);
        let changed = after.iter().map(|(path, look)| (path, *look)).find(differs).map(|(path, _)| path);
        if let Some(path) = changed.or_else(|| before.keys().find(|path| !after.contains_key(*path))) {
            return Ok(Err(format!("it also changes '{}'", path.display())));
        }
        for path in &self.command.makes {
            let made = worktree.join(path);
            if !made.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                return Ok(Err(format!("it makes no directory '{path}'")));
            }
            if let Some(bound) = bound_to_place(&made, worktree)? {
                return Ok(Err(format!("'{}' belongs to the worktree it is in", bound.display())));
            }
        }
        let half = self.dir.join(format!("{}.half", self.name));
        file::remove_tree(&half)?;
        let kept = self.copy(worktree, &half).and_then(|()| fs::rename(&half, self.dir.join(&self.name)));
        if kept.is_err() {
            // The disk may be full: what is half there must not stay.
            file::remove_tree(&half)?;
        }
        kept?;
        self.tidy()?;
        Ok(Ok(()))
    }

    fn copy(&self, worktree: &Path, to: &Path) -> io::Result<()> {
        fs::create_dir_all(to)?;
        for (at, path) in self.command.makes.iter().enumerate() {
            clone::directory(&worktree.join(path), &to.join(at.to_string()))?;
        }
        Ok(())
    }

    fn tidy(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.len() == NAME_LENGTH && name != self.name && entry.file_type()?.is_dir() {
                kept.push((entry.metadata()?.modified()?, name));
            }
        }
        kept.sort();
        for (_, name) in kept.iter().take((kept.len() + 1).saturating_sub(KEPT_MAX)) {
            // Who is using it keeps it.
            if let Ok(_lease) = lock::acquire(&self.dir.join(format!("{name}.lock")), "setup") {
                file::remove_tree(&self.dir.join(name))?;
            }
        }
        Ok(())
    }

    /// How all looks that the command does not say it makes.
    fn rest(&self, worktree: &Path) -> io::Result<Rest> {
        fn walk(made: &Made<'_>, root: &Path, below: &Path, rest: &mut Rest) -> io::Result<()> {
            for entry in fs::read_dir(root.join(below))? {
                let entry = entry?;
                let path = below.join(entry.file_name());
                if path == Path::new(".git") || made.command.makes.iter().any(|made| same(Path::new(made), &path)) {
                    continue;
                }
                let found = entry.metadata()?;
                if found.is_dir() {
                    walk(made, root, &path, rest)?;
                } else {
                    rest.insert(path, (found.mtime(), found.mtime_nsec(), found.ino(), found.size()));
                }
            }
            Ok(())
        }
        let mut rest = Rest::new();
        walk(self, worktree, Path::new(""), &mut rest)?;
        Ok(rest)
    }
}

/// Whether two paths below one root are the same: `./a/` is `a`.
fn same(one: &Path, other: &Path) -> bool {
    let parts =
        |path: &Path| path.components().filter(|part| *part != std::path::Component::CurDir).collect::<PathBuf>();
    parts(one) == parts(other)
}

/// Something below a directory that would not be right in another worktree.
fn bound_to_place(dir: &Path, worktree: &Path) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let is_bound = if kind.is_symlink() {
            fs::read_link(&path)?.starts_with(worktree)
        } else {
            entry.file_name() == BOUND_TO_PLACE
        };
        if is_bound {
            return Ok(Some(path.strip_prefix(worktree).unwrap_or(&path).to_owned()));
        }
        if kind.is_dir()
            && let Some(bound) = bound_to_place(&path, worktree)?
        {
            return Ok(Some(bound));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Has a command done in one worktree, and says what another gets of it, or why nothing was kept.
    fn check(makes: &[&str], work: impl Fn(&Path), wanted: Result<&[&str], &str>) {
        let home = tempfile::tempdir().expect("a directory");
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        for root in [&one, &two] {
            fs::create_dir_all(root.join("node_modules/old")).expect("made");
            fs::write(root.join("lock"), "1").expect("written");
        }
        let makes = makes.iter().map(|path| (*path).to_owned()).collect();
        let command = SetupCommand { run: "npm ci".to_owned(), makes };
        let made = Made::new(home.path(), &command, &Digest::of("locks"));
        let half = home.path().join("half");
        assert!(!made.lend(&two, &half).expect("nothing is there"));
        let before = made.begin(&one).expect("it can be read");
        work(&one);
        let kept = made.keep(&one, &before).expect("it can be kept");
        match wanted {
            Ok(files) => {
                assert_eq!(kept, Ok(()));
                assert!(made.lend(&two, &half).expect("it is there"));
                for file in files {
                    assert!(two.join(file).symlink_metadata().is_ok(), "{file}");
                }
                assert!(!two.join("node_modules/old").exists());
                let other = Made::new(home.path(), &command, &Digest::of("other"));
                assert!(!other.lend(&two, &half).expect("nothing is there"));
            }
            Err(why) => {
                assert_eq!(kept, Err(why.to_owned()));
                assert!(!made.lend(&two, &half).expect("nothing is there"));
            }
        }
    }

    #[test]
    fn all_of_what_is_made_is_kept_or_nothing() {
        let write = |root: &Path, path: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("made");
            fs::write(path, "x").expect("written");
        };
        let both = |root: &Path| {
            write(root, "node_modules/a/index.js");
            write(root, "packages/b/node_modules/c.js");
            symlink("a/index.js", root.join("node_modules/main")).expect("a link");
        };
        check(&["node_modules"], |root| write(root, "node_modules/a.js"), Ok(&["node_modules/a.js"]));
        check(
            &["./node_modules/", "packages/b/node_modules"],
            both,
            Ok(&["node_modules/a/index.js", "packages/b/node_modules/c.js", "node_modules/main"]),
        );
        check(&["node_modules"], both, Err("it also changes 'packages/b/node_modules/c.js'"));
        check(&["node_modules"], |_| (), Err("it makes no directory 'node_modules'"));
        let removes = |root: &Path| {
            write(root, "node_modules/a.js");
            fs::remove_file(root.join("lock")).expect("it was there");
        };
        check(&["node_modules"], removes, Err("it also changes 'lock'"));
        let venv = |root: &Path| write(root, "node_modules/py/pyvenv.cfg");
        check(&["node_modules"], venv, Err("'node_modules/py/pyvenv.cfg' belongs to the worktree it is in"));
        let linked = |root: &Path| {
            write(root, "node_modules/a.js");
            symlink(root.join("lock"), root.join("node_modules/lock")).expect("a link");
        };
        check(&["node_modules"], linked, Err("'node_modules/lock' belongs to the worktree it is in"));
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes() {
        let home = tempfile::tempdir().expect("a directory");
        let root = home.path().join("one");
        fs::create_dir(&root).expect("made");
        let command = SetupCommand::making("make", "out");
        for number in 0..KEPT_MAX + 3 {
            let made = Made::new(home.path(), &command, &Digest::of(number.to_string()));
            let before = made.begin(&root).expect("it can be read");
            fs::create_dir(root.join("out")).expect("made");
            made.keep(&root, &before).expect("it can be kept").expect("it is whole");
            let kept = made.dir.join(&made.name);
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(number as u64 + 1);
            fs::File::open(kept).and_then(|kept| kept.set_modified(then)).expect("its time is set");
        }
        let is_kept = |number: usize| {
            let made = Made::new(home.path(), &command, &Digest::of(number.to_string()));
            made.dir.join(&made.name).is_dir()
        };
        let kept: Vec<_> = (0..KEPT_MAX + 3).filter(|number| is_kept(*number)).collect();
        assert_eq!(kept, (3..KEPT_MAX + 3).collect::<Vec<_>>());
    }
}
