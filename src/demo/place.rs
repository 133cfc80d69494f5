//! Where the demo's repository goes: a directory that holds nothing yet.
//! Knows nothing of what is put there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::DemoError;

/// The name of the program, and of its directory where nobody chooses one.
const NAME: &str = "timesheet";
/// Demos that are kept beside each other before the user must choose a directory.
const KEPT_MAX: u32 = 1000;

/// Makes the directory that was asked for, or a new one below the user's cache.
///
/// # Errors
/// It cannot be made, it holds something, or the directory for worktrees beside it does.
pub fn choose(dir: Option<&Path>) -> Result<PathBuf, DemoError> {
    match dir {
        Some(dir) => {
            make(dir)?;
            let dir = fs::canonicalize(dir).map_err(|source| cannot(dir, source))?;
            let worktrees = worktrees(&dir);
            if !is_empty(&dir)? {
                return Err(DemoError::NotEmpty(dir));
            }
            if worktrees.exists() && !is_empty(&worktrees)? {
                return Err(DemoError::NotEmpty(worktrees));
            }
            Ok(dir)
        }
        None => {
            let home = below_cache().unwrap_or_else(std::env::temp_dir).join("git-orchestrate");
            new_below(&home.join("demo"))
        }
    }
}

/// Where a run puts its worktrees: beside the repository.
pub fn worktrees(root: &Path) -> PathBuf {
    let mut name = root.file_name().unwrap_or_default().to_owned();
    name.push(".orchestrate");
    root.with_file_name(name)
}

/// The user's directory for what may be deleted at any time, if it can be written.
fn below_cache() -> Option<PathBuf> {
    let given = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = given("XDG_CACHE_HOME").or_else(|| given("HOME").map(|home| home.join(".cache")))?;
    fs::create_dir_all(cache.join("git-orchestrate")).ok().map(|()| cache)
}

fn new_below(home: &Path) -> Result<PathBuf, DemoError> {
    make(home)?;
    let home = fs::canonicalize(home).map_err(|source| cannot(home, source))?;
    let mut number = 1;
    loop {
        let name = if number == 1 { NAME.to_owned() } else { format!("{NAME}-{number}") };
        let dir = home.join(name);
        match fs::create_dir(&dir) {
            Ok(()) if !worktrees(&dir).exists() => return Ok(dir),
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < KEPT_MAX => {}
            Err(source) => return Err(cannot(&dir, source)),
        }
        number += 1;
    }
}

fn make(dir: &Path) -> Result<(), DemoError> {
    fs::create_dir_all(dir).map_err(|source| cannot(dir, source))
}

fn is_empty(dir: &Path) -> Result<bool, DemoError> {
    let mut entries = fs::read_dir(dir).map_err(|source| cannot(dir, source))?;
    Ok(entries.next().is_none())
}

fn cannot(path: &Path, source: io::Error) -> DemoError {
    DemoError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_there_is_touched() {
        let home = tempfile::tempdir().expect("a directory");
        let home = home.path().canonicalize().expect("it is there");
        assert_eq!(choose(Some(&home.join("a/b"))).expect("made"), home.join("a/b"));
        assert_eq!(choose(Some(&home.join("a/b"))).expect("still empty"), home.join("a/b"));
        assert!(matches!(choose(Some(&home.join("a"))), Err(DemoError::NotEmpty(_))));
        fs::create_dir_all(home.join("a/b.orchestrate/slot")).expect("made");
        assert!(matches!(choose(Some(&home.join("a/b"))), Err(DemoError::NotEmpty(_))));
        fs::write(home.join("file"), "").expect("written");
        assert!(matches!(choose(Some(&home.join("file"))), Err(DemoError::File { .. })));
    }

    #[test]
    fn each_demo_has_a_directory_of_its_own() {
        let home = tempfile::tempdir().expect("a directory");
        let names = [(); 3].map(|()| new_below(home.path()).expect("made"));
        let names = names.map(|path| path.file_name().expect("it has a name").to_owned());
        assert_eq!(names, ["timesheet", "timesheet-2", "timesheet-3"]);
    }
}
