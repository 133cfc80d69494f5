//! Copies a directory so that, where the file system can, no byte is copied: the copy shares the blocks until one of them is written.
//! Knows nothing of what is in it.

use std::{
    fs::{self, File, FileTimes, OpenOptions},
    io,
    os::unix::fs::symlink,
    path::Path,
};

/// Directories within each other that are followed.
const DEPTH_MAX: usize = 128;

/// What a copy took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cloned {
    /// Files that share their blocks with the original.
    pub shared: u64,
    /// Files that were copied, for the file system cannot share.
    pub copied: u64,
}

/// Copies a directory to where nothing is. Times of files and modes stay as they are, so that build tools see nothing new; links
/// stay links, and what is neither file, directory nor link is left out.
///
/// # Errors
/// When something cannot be read or written; what was copied by then is there.
pub fn directory(from: &Path, to: &Path) -> io::Result<Cloned> {
    let mut cloned = Cloned::default();
    below(from, to, 0, &mut cloned)?;
    Ok(cloned)
}

fn below(from: &Path, to: &Path, depth: usize, cloned: &mut Cloned) -> io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(io::Error::other(format!("'{}' is too deep", from.display())));
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, source, target) = (entry.file_type()?, entry.path(), to.join(entry.file_name()));
        if kind.is_dir() {
            below(&source, &target, depth + 1, cloned)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else if kind.is_file() {
            file(&source, &target, cloned)?;
        }
    }
    fs::set_permissions(to, from.metadata()?.permissions())
}

fn file(from: &Path, to: &Path, cloned: &mut Cloned) -> io::Result<()> {
    let source = File::open(from)?;
    let metadata = source.metadata()?;
    let target = OpenOptions::new().write(true).create_new(true).open(to)?;
    if share(&source, &target) {
        cloned.shared += 1;
    } else {
        io::copy(&mut &source, &mut &target)?;
        cloned.copied += 1;
    }
    target.set_permissions(metadata.permissions())?;
    target.set_times(FileTimes::new().set_modified(metadata.modified()?))
}

/// Whether the target has the source's blocks now.
#[cfg(target_os = "linux")]
fn share(source: &File, target: &File) -> bool {
    rustix::fs::ioctl_ficlone(target, source).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn share(_source: &File, _target: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, time::SystemTime};

    use super::*;

    #[test]
    fn a_copy_has_what_the_original_has_with_times_modes_and_links() {
        let home = tempfile::tempdir().expect("a directory");
        let (from, to) = (home.path().join("target"), home.path().join("copy"));
        fs::create_dir_all(from.join("debug/deps")).expect("made");
        let program = from.join("debug/deps/program");
        fs::write(&program, "built").expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o750)).expect("permissions");
        let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        File::options().write(true).open(&program).expect("it is there").set_modified(then).expect("a time");
        symlink("deps/program", from.join("debug/latest")).expect("a link");
        let cloned = directory(&from, &to).expect("copied");
        assert_eq!(cloned.shared + cloned.copied, 1);
        let copy = to.join("debug/deps/program");
        assert_eq!(fs::read(&copy).expect("it is there"), b"built");
        let metadata = copy.metadata().expect("it is there");
        assert_eq!((metadata.permissions().mode() & 0o777, metadata.modified().expect("a time")), (0o750, then));
        assert_eq!(fs::read_link(to.join("debug/latest")).expect("a link"), Path::new("deps/program"));
        fs::write(&copy, "built anew").expect("written");
        assert_eq!(fs::read(&program).expect("it is there"), b"built", "the original is not touched");
        assert!(directory(&from, &to).is_err(), "nothing is copied over what is there");
    }
}
