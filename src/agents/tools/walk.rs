//! A walk over the files of a worktree that passes over what `.gitignore` files leave out, and never goes over a link.
//! Does not know what is looked for.

use std::{
    ffi::{OsStr, OsString},
    io,
    ops::ControlFlow,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Path, PathBuf},
};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};
use rustix::fs::{AtFlags, Dir, FileType, statat};

use super::{
    ground::{Ground, directory_in, read_in},
    refusal::Refusal,
    reserved::{is_git, is_handoff},
};

/// Bytes of a `.gitignore` that are heeded; a larger one is not.
const RULES_BYTES_MAX: usize = 1 << 20;
/// Directories in directories that are gone into.
const DEPTH_MAX: usize = 64;
/// Entries that are looked at in one walk.
const ENTRIES_MAX: usize = 500_000;

/// An entry on the way.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    /// From the worktree's root.
    pub path: &'a Path,
    /// Its directory, open.
    pub dir: BorrowedFd<'a>,
    /// Its name there.
    pub name: &'a OsStr,
    /// What it is; a link is a link.
    pub kind: FileType,
}

/// What a walk left out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    /// Entries that rules leave out.
    pub ignored: usize,
    /// Directories that could not be read.
    pub unreadable: usize,
    /// There was more than is looked at.
    pub is_cut: bool,
}

/// Visits what is in a directory and, down to `depth_max`, in those below it, in the order of names.
pub(super) fn walk(
    ground: &Ground,
    start: &str,
    depth_max: usize,
    visit: &mut dyn FnMut(&Seen<'_>) -> ControlFlow<()>,
) -> Result<Left, Refusal> {
    let dirs = ground.directory(start)?.ok_or_else(|| Refusal::NotADirectory { path: start.to_owned() })?;
    let mut rules = Rules(Vec::new());
    rules.enter(ground.root(), Path::new(""));
    let mut path = PathBuf::new();
    for (name, dir) in &dirs {
        path.push(name);
        rules.enter(dir.as_fd(), &path);
    }
    let dir = dirs.last().map_or(ground.root(), |(_, dir)| dir.as_fd());
    let mut walker = Walker { depth_max: depth_max.min(DEPTH_MAX), rules, left: Left::default(), entries: 0, visit };
    // Stopping early is the visitor's wish and needs no words of ours.
    let _ = walker.go(dir, &path, 1);
    Ok(walker.left)
}

struct Walker<'a> {
    depth_max: usize,
    rules: Rules,
    left: Left,
    entries: usize,
    visit: &'a mut dyn FnMut(&Seen<'_>) -> ControlFlow<()>,
}

impl Walker<'_> {
    /// Visits a directory whose rules are already heeded.
    fn go(&mut self, dir: BorrowedFd<'_>, path: &Path, depth: usize) -> ControlFlow<()> {
        let room = ENTRIES_MAX - self.entries;
        let Ok((entries, is_cut)) = entries(dir, room) else {
            self.left.unreadable += 1;
            return ControlFlow::Continue(());
        };
        self.entries += entries.len();
        self.left.is_cut |= is_cut;
        for (name, kind) in entries {
            let words = name.to_string_lossy();
            if is_git(&words) || (path.as_os_str().is_empty() && is_handoff(&words)) {
                continue;
            }
            let at = path.join(&name);
            if self.rules.leave_out(&at, kind.is_dir()) {
                self.left.ignored += 1;
                continue;
            }
            (self.visit)(&Seen { path: &at, dir, name: &name, kind })?;
            if !kind.is_dir() || depth >= self.depth_max {
                self.left.is_cut |= kind.is_dir() && depth >= DEPTH_MAX;
                continue;
            }
            match directory_in(dir, &name) {
                Ok(below) => {
                    self.rules.enter(below.as_fd(), &at);
                    let went = self.go(below.as_fd(), &at, depth + 1);
                    self.rules.leave();
                    went?;
                }
                Err(_) => self.left.unreadable += 1,
            }
        }
        ControlFlow::Continue(())
    }
}

/// The rules of the directories from the root to where the walk is.
struct Rules(Vec<(PathBuf, Option<Gitignore>)>);

impl Rules {
    fn enter(&mut self, dir: BorrowedFd<'_>, path: &Path) {
        let rules = read_in(dir, OsStr::new(".gitignore"), RULES_BYTES_MAX).and_then(|bytes| {
            let mut builder = GitignoreBuilder::new(".");
            for line in String::from_utf8_lossy(&bytes).lines() {
                // A line that is no pattern leaves nothing out, as with git.
                let _ = builder.add_line(None, line);
            }
            builder.build().ok()
        });
        self.0.push((path.to_owned(), rules));
    }

    fn leave(&mut self) {
        self.0.pop();
    }

    /// The rules nearest to a path decide, as with git.
    fn leave_out(&self, path: &Path, is_dir: bool) -> bool {
        for (at, rules) in self.0.iter().rev() {
            let (Some(rules), Ok(path)) = (rules, path.strip_prefix(at)) else { continue };
            match rules.matched(path, is_dir) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }
}

/// What is in a directory, by name, and whether there is more.
fn entries(dir: BorrowedFd<'_>, entries_max: usize) -> io::Result<(Vec<(OsString, FileType)>, bool)> {
    let mut found: Vec<(OsString, FileType)> = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        if found.len() >= entries_max {
            found.sort_unstable_by(|one, two| one.0.cmp(&two.0));
            return Ok((found, true));
        }
        let kind = match entry.file_type() {
            // Some file systems do not say.
            FileType::Unknown => match statat(dir, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(_) => continue,
            },
            kind => kind,
        };
        found.push((name.to_owned(), kind));
    }
    found.sort_unstable_by(|one, two| one.0.cmp(&two.0));
    Ok((found, false))
}
