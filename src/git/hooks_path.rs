//! Where git looks for hooks, and which git it is.
//! Knows nothing of what the hooks are for.

use std::path::{Path, PathBuf};

use super::{Git, GitError, Repository};

/// A setting of `core.hooksPath`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HooksPath {
    /// Its value, with `~` written out.
    pub value: String,
    /// `local`, `global`, `system` or `worktree`.
    pub scope: String,
    /// `file:` and the file.
    pub origin: String,
}

impl Repository {
    /// The setting of `core.hooksPath` that counts; none: hooks are in the common directory.
    ///
    /// # Errors
    /// If git cannot be asked.
    pub fn hooks_path(&self) -> Result<Option<HooksPath>, GitError> {
        Ok(self.hooks_paths()?.pop())
    }

    /// The one that would count if none named `ours`.
    ///
    /// # Errors
    /// If git cannot be asked.
    pub fn hooks_path_but(&self, ours: &Path) -> Result<Option<HooksPath>, GitError> {
        Ok(self.hooks_paths()?.into_iter().rfind(|setting| Path::new(&setting.value) != ours))
    }

    /// All of them; the last one counts.
    ///
    /// # Errors
    /// If git cannot be asked.
    fn hooks_paths(&self) -> Result<Vec<HooksPath>, GitError> {
        let words = ["config", "-z", "--show-scope", "--show-origin", "--type=path", "--get-all", "core.hooksPath"];
        let output = Git::of(self).args(words).run(&[])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let parts: Vec<&str> = text.split('\0').collect();
        let settings = parts.chunks_exact(3).map(|part| HooksPath {
            scope: part[0].to_owned(),
            origin: part[1].to_owned(),
            value: part[2].to_owned(),
        });
        // What is said on a command line is ours, by which hooks are off.
        Ok(settings.filter(|setting| setting.scope != "command").collect())
    }

    /// The directory of a value of `core.hooksPath`; what is relative, is so to where hooks run.
    pub fn hooks_dir_of(&self, value: &str) -> PathBuf {
        self.work_dir().unwrap_or(self.git_dir()).join(value)
    }

    /// The directory of hooks where no setting names another.
    pub fn default_hooks_dir(&self) -> PathBuf {
        self.common_dir().join("hooks")
    }

    /// Whether git tracks a file of the user's checkout.
    ///
    /// # Errors
    /// If git cannot be asked.
    pub fn is_tracked(&self, file: &Path) -> Result<bool, GitError> {
        let Some(root) = self.work_dir() else { return Ok(false) };
        let Ok(path) = file.strip_prefix(root) else { return Ok(false) };
        let output = Git::of(self).args(["ls-files", "--error-unmatch", "--"]).args([path]).run(&[])?;
        Ok(output.code == Some(0))
    }

    /// The value that git's own files of settings give a key, or an empty text.
    ///
    /// # Errors
    /// If git cannot be asked.
    pub fn settings_like(&self, pattern: &str) -> Result<Vec<(String, String)>, GitError> {
        let output = Git::plain(self).args(["config", "-z", "--get-regexp", pattern]).run(&[])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let pair = |entry: &str| {
            let (key, value) = entry.split_once('\n').unwrap_or((entry, "true"));
            (key.to_owned(), value.to_owned())
        };
        Ok(text.split('\0').filter(|entry| !entry.is_empty()).map(pair).collect())
    }

    /// The version of git: `(2, 47)`.
    ///
    /// # Errors
    /// If git cannot be asked.
    pub fn git_version(&self) -> Result<(u32, u32), GitError> {
        let output = Git::of(self).args(["version"]).output(&[])?;
        Ok(version(&String::from_utf8_lossy(&output)).unwrap_or_default())
    }
}

/// The first two numbers of `git version 2.47.3 (Apple Git-1)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(2)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(version("git version 2.47.3\n"), Some((2, 47)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("git version 2.54.GIT"), Some((2, 54)));
        assert_eq!(version("nothing"), None);
    }
}
