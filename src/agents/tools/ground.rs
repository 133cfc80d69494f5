//! The files of one worktree, reached name by name from its root, so that no path and no link leads out of it.
//! Knows nothing of models; git's own files and `.handoff` are not there for it.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, readlinkat, renameat, statat, unlinkat},
    io::Errno,
};

use super::{
    refusal::Refusal,
    reserved::{is_git, is_handoff},
};

/// Bytes of a path that is named.
const PATH_BYTES_MAX: usize = 4096;
/// Links that one path may go over, as many as Linux follows.
const LINKS_MAX: usize = 40;
/// Names that are tried for a temporary file.
const TEMPORARY_TRIES_MAX: u32 = 16;

/// Opens a directory, and nothing else.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Opens a file without following a link, waiting for a pipe or taking a terminal.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Makes the names of temporary files differ.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// A worktree.
///
/// Links in it are followed as long as they stay in it, for reading and for writing: what is written is the file that
/// the link leads to. Each step of a path is opened from the directory before it and never through a link, so that a
/// link swapped in meanwhile is seen, not followed.
#[derive(Debug)]
pub struct Ground {
    path: PathBuf,
    named: PathBuf,
    root: OwnedFd,
}

/// What a path leads to.
#[derive(Debug)]
pub(super) struct Place {
    /// The directories on the way, from the root down, each with its name. The last holds the entry.
    dirs: Vec<(OsString, OwnedFd)>,
    /// The entry's name in the last of them; none: the directory itself was named.
    name: Option<OsString>,
    /// What is there; none: nothing.
    found: Option<Stat>,
}

/// Whether a file was there before it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was not.
    Created,
    /// It was.
    Replaced,
}

/// What is done about a directory that is missing on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Refuse,
    Make,
}

impl Place {
    /// From the worktree's root, links resolved; empty for the root.
    pub fn path(&self) -> PathBuf {
        let names = self.dirs.iter().map(|(name, _)| name).chain(&self.name);
        names.collect()
    }

    fn is_dir(&self) -> bool {
        self.name.is_none() || self.found.is_some_and(|stat| kind_of(&stat).is_dir())
    }
}

impl Ground {
    /// The worktree at this path.
    ///
    /// # Errors
    /// There is no such directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        let named = path.to_owned();
        let path = path.canonicalize()?;
        let root = rustix::fs::open(&path, DIRECTORY, Mode::empty())?;
        Ok(Self { path, named, root })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content of a regular file.
    ///
    /// # Errors
    /// There is none inside the worktree, it has more than `bytes_max`, or the system refuses.
    pub fn read(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, Refusal> {
        let place = self.place(path, Missing::Refuse)?;
        self.read_at(path, &place, bytes_max).map(|(bytes, _)| bytes)
    }

    fn read_at(&self, path: &str, place: &Place, bytes_max: usize) -> Result<(Vec<u8>, Stat), Refusal> {
        let (Some(name), Some(found)) = (&place.name, &place.found) else {
            return Err(if place.name.is_none() { is_a_directory(path) } else { not_there(path) });
        };
        // Looked at before it is opened: opening a device may already do something.
        regular(path, found)?;
        let cannot = |source: io::Error| Refusal::System { path: path.to_owned(), what: "read", source };
        let file = openat(self.dir(place), name, FILE, Mode::empty()).map_err(|error| cannot(error.into()))?;
        let stat = fstat(&file).map_err(|error| cannot(error.into()))?;
        regular(path, &stat)?;
        let bytes = u64::try_from(stat.st_size).unwrap_or_default();
        let too_large = |bytes| Refusal::TooLarge { path: path.to_owned(), bytes, bytes_max: bytes_max as u64 };
        if bytes > bytes_max as u64 {
            return Err(too_large(bytes));
        }
        let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
        File::from(file).take(bytes_max as u64 + 1).read_to_end(&mut content).map_err(cannot)?;
        if content.len() > bytes_max { Err(too_large(content.len() as u64)) } else { Ok((content, stat)) }
    }

    /// Writes a regular file as a whole, and the directories above it that are missing. What reads it meanwhile sees the
    /// old bytes or the new ones. It keeps its permissions; a new one gets the usual ones.
    ///
    /// # Errors
    /// It would be outside the worktree, there is something else, or the system refuses.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<Written, Refusal> {
        let place = self.place(path, Missing::Make)?;
        self.write_at(path, &place, bytes)
    }

    fn write_at(&self, path: &str, place: &Place, bytes: &[u8]) -> Result<Written, Refusal> {
        let Some(name) = place.name.as_ref().filter(|_| !path.ends_with('/')) else { return Err(is_a_directory(path)) };
        if let Some(found) = &place.found {
            regular(path, found)?;
        }
        let cannot = |source| Refusal::System { path: path.to_owned(), what: "write", source };
        let dir = self.dir(place);
        let (temporary, mut file) = temporary_in(dir).map_err(cannot)?;
        let written = file
            .write_all(bytes)
            .and_then(|()| match &place.found {
                // Never the bits that make a program run as somebody else.
                Some(found) => {
                    rustix::fs::fchmod(&file, Mode::from_raw_mode(found.st_mode & 0o777)).map_err(io::Error::from)
                }
                None => Ok(()),
            })
            .and_then(|()| renameat(dir, &temporary, dir, name).map_err(io::Error::from));
        if let Err(error) = written {
            // It is ours alone, and what could not be written is worth nothing.
            let _ = unlinkat(dir, &temporary, AtFlags::empty());
            return Err(cannot(error));
        }
        Ok(if place.found.is_some() { Written::Replaced } else { Written::Created })
    }

    /// Changes a regular file: what `change` makes of its content is written. Over a link it is one and the same file
    /// that is read and written.
    ///
    /// # Errors
    /// As reading and writing, or what `change` refuses.
    pub fn change<T>(
        &self,
        path: &str,
        bytes_max: usize,
        change: impl FnOnce(Vec<u8>) -> Result<(Vec<u8>, T), Refusal>,
    ) -> Result<T, Refusal> {
        let place = self.place(path, Missing::Refuse)?;
        let (content, _) = self.read_at(path, &place, bytes_max)?;
        let (content, said) = change(content)?;
        self.write_at(path, &place, &content)?;
        Ok(said)
    }

    /// The directory at a path, open, with those above it; none: there is a file.
    pub(super) fn directory(&self, path: &str) -> Result<Option<Vec<(OsString, OwnedFd)>>, Refusal> {
        let mut place = self.place(path, Missing::Refuse)?;
        if place.name.is_some() && place.found.is_none() {
            return Err(not_there(path));
        }
        if !place.is_dir() {
            return Ok(None);
        }
        if let Some(name) = place.name.take() {
            let opened = openat(self.dir(&place), &name, DIRECTORY, Mode::empty());
            let dir = opened.map_err(|error| Refusal::System {
                path: path.to_owned(),
                what: "open",
                source: error.into(),
            })?;
            place.dirs.push((name, dir));
        }
        Ok(Some(place.dirs))
    }

    /// From the worktree's root, links resolved.
    pub(super) fn resolved(&self, path: &str) -> Result<PathBuf, Refusal> {
        self.place(path, Missing::Refuse).map(|place| place.path())
    }

    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    fn dir<'a>(&'a self, place: &'a Place) -> BorrowedFd<'a> {
        place.dirs.last().map_or(self.root.as_fd(), |(_, dir)| dir.as_fd())
    }

    /// Follows a path from the root.
    fn place(&self, path: &str, missing: Missing) -> Result<Place, Refusal> {
        let outside = || Refusal::Outside { path: path.to_owned() };
        let mut rest = self.parts(path)?;
        // Before anything is made on the way there.
        if let Some(part) = rest.iter().find(|part| is_git(&part.to_string_lossy())) {
            return Err(self.reserved(path, part));
        }
        let mut place = Place { dirs: Vec::new(), name: None, found: None };
        let (mut links, mut link) = (0, None);
        let mut follow = |place: &mut Place, rest: &mut VecDeque<OsString>, name: &OsStr, target: OsString| {
            links += 1;
            if links > LINKS_MAX {
                return Err(Refusal::TooManyLinks { path: path.to_owned() });
            }
            let at = place.path().join(name).to_string_lossy().into_owned();
            let target = PathBuf::from(target);
            let leads = if target.is_absolute() {
                let Some(inside) = self.below(&target) else {
                    return Err(Refusal::LinkOutside { path: path.to_owned(), link: at });
                };
                place.dirs.clear();
                inside
            } else {
                target
            };
            for part in leads.iter().rev() {
                rest.push_front(part.to_owned());
            }
            Ok(at)
        };
        while let Some(part) = rest.pop_front() {
            if part == "." || part == "/" {
                continue;
            }
            if part == ".." {
                if place.dirs.pop().is_none() {
                    return Err(link.map_or_else(outside, |link| Refusal::LinkOutside { path: path.to_owned(), link }));
                }
                continue;
            }
            let name = part.to_string_lossy();
            if is_git(&name) || (place.dirs.is_empty() && is_handoff(&name)) {
                return Err(self.reserved(path, &part));
            }
            let dir = self.dir(&place);
            let cannot = |error: Errno| Refusal::System { path: path.to_owned(), what: "open", source: error.into() };
            if rest.iter().all(|part| part == ".") {
                match statat(dir, &part, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) if kind_of(&stat).is_symlink() => {
                        let target = readlinkat(dir, &part, Vec::new()).map_err(cannot)?;
                        link = Some(follow(&mut place, &mut rest, &part, OsString::from_vec(target.into_bytes()))?);
                    }
                    Ok(stat) => {
                        place.found = Some(stat);
                        place.name = Some(part);
                        return Ok(place);
                    }
                    Err(Errno::NOENT) => {
                        place.name = Some(part);
                        return Ok(place);
                    }
                    Err(error) => return Err(cannot(error)),
                }
                continue;
            }
            match openat(dir, &part, DIRECTORY, Mode::empty()) {
                Ok(next) => place.dirs.push((part, next)),
                Err(Errno::NOENT) if missing == Missing::Make && rest.iter().all(|part| part != "..") => {
                    match mkdirat(dir, &part, Mode::from_raw_mode(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => rest.push_front(part),
                        Err(error) => return Err(cannot(error)),
                    }
                }
                Err(Errno::NOENT) => return Err(not_there(path)),
                // A link says either, from system to system.
                Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => match readlinkat(dir, &part, Vec::new()) {
                    Ok(target) => {
                        link = Some(follow(&mut place, &mut rest, &part, OsString::from_vec(target.into_bytes()))?);
                    }
                    Err(Errno::INVAL) => return Err(Refusal::NotADirectory { path: path.to_owned() }),
                    Err(error) => return Err(cannot(error)),
                },
                Err(error) => return Err(cannot(error)),
            }
        }
        Ok(place)
    }

    /// The parts of a path as named, from the worktree's root.
    fn parts(&self, path: &str) -> Result<VecDeque<OsString>, Refusal> {
        let not = |why| Err(Refusal::NotAPath { why });
        if path.is_empty() {
            return not("it is empty; '.' is the worktree");
        }
        if path.len() > PATH_BYTES_MAX {
            return not("it is too long");
        }
        if path.contains('\0') {
            return not("it has a zero byte in it");
        }
        let named = Path::new(path);
        let inside = if named.is_absolute() {
            self.below(named).ok_or_else(|| Refusal::Outside { path: path.to_owned() })?
        } else {
            named.to_owned()
        };
        Ok(inside.components().map(|part| part.as_os_str().to_owned()).collect())
    }

    /// What is left of an absolute path below the worktree, under the name it was given or its real one.
    fn below(&self, path: &Path) -> Option<PathBuf> {
        [&self.path, &self.named].into_iter().find_map(|root| path.strip_prefix(root).ok()).map(Path::to_owned)
    }

    fn reserved(&self, path: &str, part: &OsStr) -> Refusal {
        Refusal::Reserved { path: path.to_owned(), is_git: is_git(&part.to_string_lossy()) }
    }
}

/// A new file beside others, under a name of its own.
fn temporary_in(dir: BorrowedFd<'_>) -> io::Result<(String, File)> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut tries = 0;
    loop {
        let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let name = format!(".orchestrate-{}-{number}.tmp", std::process::id());
        match openat(dir, &name, flags, Mode::from_raw_mode(0o666)) {
            Ok(file) => return Ok((name, File::from(file))),
            Err(Errno::EXIST) if tries < TEMPORARY_TRIES_MAX => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// A regular file in an open directory, if it has no more than `bytes_max`.
pub(super) fn read_in(dir: BorrowedFd<'_>, name: &OsStr, bytes_max: usize) -> Option<Vec<u8>> {
    let file = openat(dir, name, FILE, Mode::empty()).ok()?;
    let stat = fstat(&file).ok()?;
    if !kind_of(&stat).is_file() || u64::try_from(stat.st_size).ok()? > bytes_max as u64 {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(stat.st_size).ok()?);
    File::from(file).take(bytes_max as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A directory in an open directory, no link.
pub(super) fn directory_in(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    Ok(openat(dir, name, DIRECTORY, Mode::empty())?)
}

/// Where a link in an open directory leads, as it says.
pub(super) fn link_in(dir: BorrowedFd<'_>, name: &OsStr) -> Option<String> {
    let target = readlinkat(dir, name, Vec::new()).ok()?;
    Some(OsStr::from_bytes(target.as_bytes()).to_string_lossy().into_owned())
}

/// How many bytes a file in an open directory has.
pub(super) fn bytes_in(dir: BorrowedFd<'_>, name: &OsStr) -> Option<u64> {
    let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    u64::try_from(stat.st_size).ok()
}

fn kind_of(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

fn regular(path: &str, stat: &Stat) -> Result<(), Refusal> {
    let kind = match kind_of(stat) {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => return Err(is_a_directory(path)),
        FileType::Fifo => "pipe",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        FileType::Symlink => "link",
        FileType::Unknown => "thing of another kind",
    };
    Err(Refusal::NotAFile { path: path.to_owned(), kind })
}

fn not_there(path: &str) -> Refusal {
    Refusal::NotThere { path: path.to_owned() }
}

fn is_a_directory(path: &str) -> Refusal {
    Refusal::IsADirectory { path: path.to_owned() }
}
