//! A directory of files that may be lost, of which there are never many more than a limit: the oldest go.
//! Does not know what the files are.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Of how many files one is removed beyond the limit, so that not every new file looks through the directory in vain.
const SPARE_PART: usize = 10;

/// Files of one kind in one directory.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    extension: &'static str,
    files_max: usize,
}

impl Shelf {
    /// The files with that extension in a directory.
    pub fn new(dir: &Path, extension: &'static str, files_max: usize) -> Self {
        Self { dir: dir.to_owned(), extension, files_max }
    }

    /// Removes the oldest files if there are more than the limit, and a tenth of the limit with them.
    ///
    /// # Errors
    /// When the directory cannot be read or a file not removed.
    pub fn tidy(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == self.extension) {
                files.push(path);
            }
        }
        if files.len() <= self.files_max {
            return Ok(());
        }
        let age = |path: PathBuf| {
            // Another process may remove it at the same time; then there is one less to remove.
            let modified = fs::metadata(&path).and_then(|found| found.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            (modified, path)
        };
        let mut files: Vec<_> = files.into_iter().map(age).collect();
        files.sort();
        let keep = self.files_max - self.files_max / SPARE_PART;
        for (_, path) in &files[..files.len() - keep] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, time::Duration};

    use super::*;

    #[test]
    fn the_oldest_files_go() {
        let dir = tempfile::tempdir().expect("a directory");
        let shelf = Shelf::new(dir.path(), "json", 20);
        for age in 0..20u64 {
            let file = File::create(dir.path().join(format!("{age}.json"))).expect("a file");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age)).expect("its time is set");
        }
        File::create(dir.path().join("other.txt")).expect("a file");
        let names = || {
            let entries = fs::read_dir(dir.path()).expect("the directory");
            let mut names: Vec<_> =
                entries.map(|e| e.expect("an entry").file_name().into_string().expect("a name")).collect();
            names.sort();
            names
        };
        shelf.tidy().expect("tidied");
        assert_eq!(names().len(), 21, "not more than the limit: nothing goes");
        File::create(dir.path().join("new.json")).expect("a file");
        shelf.tidy().expect("tidied");
        assert_eq!(names().len(), 19, "18 and the one that is not ours: {:?}", names());
        assert!(!names().contains(&"19.json".to_owned()) && names().contains(&"16.json".to_owned()));
        assert!(names().contains(&"new.json".to_owned()));
    }
}
