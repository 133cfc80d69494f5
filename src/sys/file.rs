//! Files that appear whole or not at all, that are read up to a limit, and directories that go as a whole.
//! Knows nothing of what the files mean or which of them may go; that is for the caller to know.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Component, Path, PathBuf},
};

use rustix::fs::OFlags;

/// Times a tree is tried to be removed while something still writes into it.
const REMOVE_TRIES_MAX: u32 = 4;

/// Whether what is written must survive the loss of power at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// It is on the disk when the call returns, the name as well as the bytes.
    Full,
    /// It survives the end of this process; a power loss may undo it, whole.
    No,
}

/// Writes a file under a temporary name beside `path` and renames it: readers see the old bytes or the new ones.
/// An existing file's permissions are kept; a new one gets the usual ones (`0666` less the umask).
pub fn write_atomic(path: &Path, bytes: &[u8], sync: Sync) -> io::Result<()> {
    let directory = parent(path);
    let permissions = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|found| found.permissions());
    let mut temporary = tempfile::Builder::new()
        .prefix(".")
        .suffix(".tmp")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)?;
    temporary.write_all(bytes)?;
    if let Some(permissions) = permissions {
        temporary.as_file().set_permissions(permissions)?;
    }
    if sync == Sync::Full {
        sync_file(temporary.as_file())?;
    }
    temporary.persist(path).map_err(|failed| failed.error)?;
    match sync {
        Sync::Full => sync_dir(directory),
        Sync::No => Ok(()),
    }
}

/// Returns when the file's bytes are on the disk.
pub fn sync_file(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// Returns when the names in a directory are on the disk.
pub fn sync_dir(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        // Some file systems cannot sync a directory, and say so; there is nothing more to be had from them.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

/// The bytes of a regular file; [`ErrorKind::FileTooLarge`] if there are more than `bytes_max`. Never waits for a pipe.
pub fn read_limited(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("the flag is one of the low bits");
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    if found.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    let too_large = || io::Error::new(ErrorKind::FileTooLarge, format!("file has more than {bytes_max} bytes"));
    if found.len() > bytes_max as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max { Err(too_large()) } else { Ok(bytes) }
}

/// Removes a file, a link, or a directory with all that is in it; nothing there is not an error.
///
/// Links are removed, never followed. Directories without write permission, as some package caches make them, are
/// opened up first; a tree that something still writes into is tried a few times.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let mut tries = 0;
    loop {
        let found = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        let removed = if found.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        tries += 1;
        match removed {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if tries >= REMOVE_TRIES_MAX => return Err(error),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => open_up(path)?,
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            Err(error) => return Err(error),
        }
    }
}

/// Gives the owner all rights in each directory of a tree.
fn open_up(directory: &Path) -> io::Result<()> {
    let permissions = fs::symlink_metadata(directory)?.permissions();
    fs::set_permissions(directory, Permissions::from_mode(permissions.mode() | 0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // The entry's own type: a link to a directory is not one.
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether `path` is `root` or lies below it once links are followed. What does not exist yet is judged by its nearest
/// parent that does. `false` if `root` does not exist or `path` climbs (`..`) through what does not.
pub fn is_inside(root: &Path, path: &Path) -> bool {
    let (Ok(root), Ok(path)) = (root.canonicalize(), std::path::absolute(path)) else { return false };
    let mut missing = PathBuf::new();
    let mut existing = path.as_path();
    let base = loop {
        match existing.canonicalize() {
            Ok(base) => break base,
            Err(error) if error.kind() == ErrorKind::NotFound && fs::symlink_metadata(existing).is_err() => {}
            // A link to nowhere, or a place we may not look into.
            Err(_) => return false,
        }
        let (Some(name), Some(parent)) = (existing.components().next_back(), existing.parent()) else { return false };
        if !matches!(name, Component::Normal(_)) {
            return false;
        }
        missing = Path::new(name.as_os_str()).join(missing);
        existing = parent;
    };
    base.join(missing).starts_with(root)
}

/// The directory that holds a file; for a bare name the current one.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("state.toml");
        write_atomic(&path, b"one", Sync::Full).expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("permissions");
        write_atomic(&path, b"two", Sync::No).expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(home.path()).expect("listed").count(), 1, "no temporary file stays");
        assert!(write_atomic(&home.path().join("no/such/place"), b"", Sync::No).is_err());
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("file");
        fs::write(&path, b"12345").expect("written");
        assert_eq!(read_limited(&path, 5).expect("read"), b"12345");
        assert_eq!(read_limited(&path, 4).expect_err("too large").kind(), ErrorKind::FileTooLarge);
        assert_eq!(read_limited(home.path(), 4).expect_err("a directory").kind(), ErrorKind::IsADirectory);
        assert_eq!(read_limited(&home.path().join("none"), 4).expect_err("none").kind(), ErrorKind::NotFound);
        #[cfg(target_os = "linux")]
        assert!(read_limited(Path::new("/dev/zero"), 4).is_err(), "endless");
    }

    #[test]
    fn a_tree_goes_and_what_its_links_name_stays() {
        let home = tempfile::tempdir().expect("a directory");
        let (tree, kept) = (home.path().join("tree"), home.path().join("kept"));
        fs::create_dir_all(tree.join("closed/deep")).expect("made");
        fs::create_dir(&kept).expect("made");
        fs::write(kept.join("file"), b"mine").expect("written");
        fs::write(tree.join("closed/deep/file"), b"").expect("written");
        symlink(&kept, tree.join("closed/link")).expect("linked");
        fs::set_permissions(tree.join("closed"), Permissions::from_mode(0o500)).expect("permissions");
        remove_tree(&tree).expect("removed");
        assert!(!tree.exists());
        assert_eq!(fs::read(kept.join("file")).expect("kept"), b"mine");
        symlink(&kept, &tree).expect("linked");
        remove_tree(&tree).expect("removed");
        assert!(fs::symlink_metadata(&tree).is_err() && kept.join("file").exists());
        remove_tree(&tree).expect("nothing there");
    }

    #[test]
    fn inside_is_judged_after_links() {
        let home = tempfile::tempdir().expect("a directory");
        let root = home.path().join("root");
        fs::create_dir_all(root.join("sub")).expect("made");
        symlink("/", root.join("out")).expect("linked");
        symlink(home.path().join("nowhere"), root.join("dangling")).expect("linked");
        symlink("sub", root.join("in")).expect("linked");
        for (path, inside) in [
            ("root", true),
            ("root/sub", true),
            ("root/in/new", true),
            ("root/new/deeper", true),
            ("root/sub/../new", true),
            ("root/../other", false),
            ("root/new/../../other", false),
            ("root/out/etc", false),
            ("root/dangling", false),
            ("rooted", false),
        ] {
            assert_eq!(is_inside(&root, &home.path().join(path)), inside, "{path}");
        }
        assert!(!is_inside(&home.path().join("none"), &root));
    }
}
