//! A worktree's files, reached step by step from its root, so that a link swapped in never leads outside.
//! Knows nothing of git.

use std::{
    ffi::OsStr,
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use gix::bstr::{BStr, BString, ByteSlice};
use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat},
    io::Errno,
};

/// Opens a directory, and nothing else.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The root of a worktree.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
    root: OwnedFd,
}

/// An entry of a directory.
#[derive(Debug)]
pub(super) struct Named {
    /// Its name, with a `/` at the end if it is a directory: so git's index sorts it.
    key: BString,
    pub kind: FileType,
}

impl Named {
    pub(super) fn new(name: &[u8], kind: FileType) -> Self {
        let mut key = BString::from(Vec::with_capacity(name.len() + 1));
        key.extend_from_slice(name);
        if kind.is_dir() {
            key.push(b'/');
        }
        Self { key, kind }
    }

    pub(super) fn name(&self) -> &[u8] {
        if self.kind.is_dir() { &self.key[..self.key.len() - 1] } else { &self.key }
    }

    pub(super) fn key(&self) -> &BStr {
        self.key.as_bstr()
    }
}

/// A directory that stays open between files in it: files come in order, so most are in the one before.
#[derive(Debug, Default)]
pub(super) struct Near {
    dir: Option<(BString, OwnedFd)>,
}

impl Disk {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let root = rustix::fs::open(path, DIRECTORY, Mode::empty())?;
        Ok(Self { path: path.to_owned(), root })
    }

    /// Where it is, for messages and for programs.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The directory at a path; `""` is the root.
    pub(super) fn dir(&self, path: &BStr) -> io::Result<OwnedFd> {
        let mut dir = self.root.try_clone()?;
        for part in path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
            dir = below(dir.as_fd(), part)?;
        }
        Ok(dir)
    }

    /// Calls `act` with the directory of a file and the file's name in it.
    pub(super) fn at<T>(
        &self,
        near: &mut Near,
        path: &BStr,
        act: impl FnOnce(BorrowedFd<'_>, &[u8]) -> io::Result<T>,
    ) -> io::Result<T> {
        let (parent, name) = split(path);
        if parent.is_empty() {
            return act(self.root(), name);
        }
        let dir = match near.dir.take() {
            Some((at, dir)) if at == parent => dir,
            Some(_) | None => self.dir(parent)?,
        };
        let done = act(dir.as_fd(), name);
        near.dir = Some((parent.to_owned(), dir));
        done
    }

    /// What is at a path, links not followed; none if nothing is.
    pub(super) fn stat(&self, near: &mut Near, path: &BStr) -> io::Result<Option<Stat>> {
        let found = self.at(near, path, |dir, name| {
            rustix::fs::statat(dir, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)
        });
        match found {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A regular file's content and what it was when it was opened.
    pub(super) fn read(&self, near: &mut Near, path: &BStr) -> io::Result<(Vec<u8>, Stat)> {
        self.at(near, path, |dir, name| {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = rustix::fs::openat(dir, OsStr::from_bytes(name), flags, Mode::empty())?;
            let stat = rustix::fs::fstat(&file)?;
            if !FileType::from_raw_mode(stat.st_mode).is_file() {
                return Err(io::Error::other("it is no longer a file"));
            }
            let mut bytes = Vec::with_capacity(stat.st_size as usize + 1);
            std::fs::File::from(file).read_to_end(&mut bytes)?;
            Ok((bytes, stat))
        })
    }

    /// Where a link leads.
    pub(super) fn read_link(&self, near: &mut Near, path: &BStr) -> io::Result<Vec<u8>> {
        self.at(near, path, |dir, name| {
            Ok(rustix::fs::readlinkat(dir, OsStr::from_bytes(name), Vec::new())?.into_bytes())
        })
    }

    /// Writes a file that must not be there, and says what it is then.
    pub(super) fn write(&self, near: &mut Near, path: &BStr, bytes: &[u8], executable: bool) -> io::Result<Stat> {
        self.at(near, path, |dir, name| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mode = Mode::from_raw_mode(if executable { 0o777 } else { 0o666 });
            let mut file = std::fs::File::from(rustix::fs::openat(dir, OsStr::from_bytes(name), flags, mode)?);
            file.write_all(bytes)?;
            Ok(rustix::fs::fstat(&file)?)
        })
    }

    /// Writes over a regular file that nobody shares by a hard link; else as [`Self::write`] after removing what is there.
    /// The file keeps its inode, which is far cheaper than a new one on some file systems.
    pub(super) fn overwrite(&self, near: &mut Near, path: &BStr, bytes: &[u8], executable: bool) -> io::Result<Stat> {
        let over = self.at(near, path, |dir, name| {
            let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let mut file = std::fs::File::from(rustix::fs::openat(dir, OsStr::from_bytes(name), flags, Mode::empty())?);
            let stat = rustix::fs::fstat(&file)?;
            let is_plain = FileType::from_raw_mode(stat.st_mode).is_file() && stat.st_nlink == 1;
            if !is_plain || (stat.st_mode & 0o100 != 0) != executable {
                return Ok(None);
            }
            file.write_all(bytes)?;
            file.set_len(bytes.len() as u64)?;
            Ok(Some(rustix::fs::fstat(&file)?))
        });
        match over {
            Ok(Some(stat)) => Ok(stat),
            Ok(None) | Err(_) => {
                self.remove(near, path)?;
                self.write(near, path, bytes, executable)
            }
        }
    }

    /// Makes a link that must not be there, and says what it is then.
    pub(super) fn link(&self, near: &mut Near, path: &BStr, target: &[u8]) -> io::Result<Stat> {
        self.at(near, path, |dir, name| {
            rustix::fs::symlinkat(OsStr::from_bytes(target), dir, OsStr::from_bytes(name))?;
            Ok(rustix::fs::statat(dir, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW)?)
        })
    }

    /// Removes a file or link, if it is there.
    pub(super) fn remove(&self, near: &mut Near, path: &BStr) -> io::Result<()> {
        let removed = self.at(near, path, |dir, name| {
            rustix::fs::unlinkat(dir, OsStr::from_bytes(name), AtFlags::empty()).map_err(io::Error::from)
        });
        match removed {
            Err(error) if is_absent(&error) => Ok(()),
            other => other,
        }
    }

    /// Removes the directory of a path and those above it while they are empty.
    pub(super) fn remove_empty_parents(&self, near: &mut Near, path: &BStr) {
        near.dir = None;
        let mut dir = split(path).0;
        while !dir.is_empty() {
            let removed = self.at(near, dir, |above, name| {
                rustix::fs::unlinkat(above, OsStr::from_bytes(name), AtFlags::REMOVEDIR).map_err(io::Error::from)
            });
            near.dir = None;
            if removed.is_err() {
                break;
            }
            dir = split(dir).0;
        }
    }

    /// Removes a directory if it is empty.
    pub(super) fn remove_dir(&self, near: &mut Near, path: &BStr) -> io::Result<()> {
        near.dir = None;
        self.at(near, path, |dir, name| {
            rustix::fs::unlinkat(dir, OsStr::from_bytes(name), AtFlags::REMOVEDIR).map_err(io::Error::from)
        })
    }

    /// Makes one directory; that it is there already is an error.
    pub(super) fn make_dir(&self, near: &mut Near, path: &BStr) -> io::Result<()> {
        self.at(near, path, |dir, name| {
            rustix::fs::mkdirat(dir, OsStr::from_bytes(name), Mode::from_raw_mode(0o777)).map_err(io::Error::from)
        })
    }

    /// The whole path of something in it, for renaming and for programs.
    pub(super) fn whole(&self, path: &BStr) -> PathBuf {
        self.path.join(OsStr::from_bytes(path))
    }
}

/// A directory in a directory.
pub(super) fn below(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(dir, OsStr::from_bytes(name), DIRECTORY, Mode::empty())?)
}

/// What is in a directory, in the order of git's index: by name, as if a directory's name ended in `/`.
pub(super) fn entries(dir: BorrowedFd<'_>) -> io::Result<Vec<Named>> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems do not say.
            FileType::Unknown => {
                let stat = rustix::fs::statat(dir, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(stat.st_mode)
            }
            kind => kind,
        };
        entries.push(Named::new(name, kind));
    }
    entries.sort_unstable_by(|one, two| one.key.cmp(&two.key));
    Ok(entries)
}

/// The directory of a path, `""` for the root, and the name in it.
pub(super) fn split(path: &BStr) -> (&BStr, &[u8]) {
    match path.rfind_byte(b'/') {
        Some(at) => (path[..at].as_bstr(), &path[at + 1..]),
        None => (b"".as_bstr(), path),
    }
}

/// Whether an error says that there is nothing at a path.
pub(super) fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.kind() == io::ErrorKind::NotADirectory
        || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}
