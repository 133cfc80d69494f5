//! Which files a slot has where the user's checkout is sparse: git's patterns, what they leave out, and how git is told so.
//! Knows nothing of the disk: a file that is left out may be there all the same, because an agent wrote it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use gix::{
    ObjectId,
    bstr::BStr,
    glob::pattern::Case,
    index::{
        State,
        entry::{Flags, Mode, Stat},
    },
    worktree::sparse,
};

use super::{
    super::{
        error::{At, During, GitError},
        repository::Repository,
    },
    admin::is_absent,
    index::replace,
};

/// Bytes of patterns that are read.
const PATTERNS_BYTES_MAX: u64 = 16 << 20;
/// Where a slot's own note is of what it leaves out, whatever an agent does to git's files.
pub(super) const NOTE: &str = "orchestrate-sparse";
/// The settings that git reads for one worktree only.
pub(super) const SETTINGS: &str = "config.worktree";
/// The directory of the patterns, and their file in it.
pub(super) const INFO: &str = "info";
const PATTERNS: &str = "sparse-checkout";

/// What a sparse checkout has, as `git sparse-checkout` defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sparse {
    patterns: Vec<u8>,
    /// Whether the patterns are directories, as git writes them by itself.
    is_cone: bool,
    /// Whether git keeps directories that are left out as one entry of the index.
    has_sparse_index: bool,
    /// Whether each worktree has settings of its own in this repository; else they are those of all.
    has_own_settings: bool,
}

impl Sparse {
    /// That of the user's checkout; none if it has all files.
    ///
    /// # Errors
    /// If the patterns cannot be read.
    pub(super) fn of_checkout(repository: &Repository) -> Result<Option<Self>, GitError> {
        let local = repository.local();
        let config = local.config_snapshot();
        let is_set = |key: &str| config.boolean(key) == Some(true);
        if repository.work_dir().is_none() || !is_set("core.sparseCheckout") {
            return Ok(None);
        }
        // As git does, without patterns it has all files.
        let Some(patterns) = patterns(repository.git_dir())? else { return Ok(None) };
        Ok(Some(Self {
            patterns,
            is_cone: config.boolean("core.sparseCheckoutCone") != Some(false),
            has_sparse_index: is_set("index.sparse"),
            has_own_settings: is_set("extensions.worktreeConfig"),
        }))
    }

    /// That of a slot by its own note; none if it has all files.
    pub(super) fn noted(admin: &Path) -> Option<Self> {
        let bytes = fs::read(admin.join(NOTE)).ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let [is_cone, has_sparse_index, has_own_settings] = match &bytes[..end] {
            [a, b, c] => [a, b, c].map(|flag| *flag == b'1'),
            _ => return None,
        };
        Some(Self { patterns: bytes[end + 1..].to_vec(), is_cone, has_sparse_index, has_own_settings })
    }

    /// Notes in a slot what it leaves out.
    pub(super) fn note(this: Option<&Self>, admin: &Path) -> Result<(), GitError> {
        let path = admin.join(NOTE);
        let Some(sparse) = this else {
            return match fs::remove_file(&path) {
                Err(error) if !is_absent(&error) => Err(error).at("remove", path),
                Ok(()) | Err(_) => Ok(()),
            };
        };
        let flags = [sparse.is_cone, sparse.has_sparse_index, sparse.has_own_settings];
        let mut text = flags.map(|flag| if flag { b'1' } else { b'0' }).to_vec();
        text.push(b'\n');
        text.extend_from_slice(&sparse.patterns);
        replace(&path, &text).at("write", path)
    }

    /// Tells git, in the administrative directory of a slot, whatever an agent made of it.
    pub(super) fn tell(&self, admin: &Path) -> Result<(), GitError> {
        let info = admin.join(INFO);
        let found = fs::symlink_metadata(&info);
        if found.as_ref().is_ok_and(|found| !found.is_dir()) {
            fs::remove_file(&info).at("remove", &info)?;
        }
        fs::create_dir_all(&info).at("make the directory", &info)?;
        keep(&info.join(PATTERNS), &self.patterns)?;
        if !self.has_own_settings {
            return Ok(());
        }
        let settings = format!(
            "[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = {}\n[index]\n\tsparse = {}\n",
            self.is_cone, self.has_sparse_index
        );
        keep(&admin.join(SETTINGS), settings.as_bytes())
    }

    /// With the patterns that an agent has made of it in its worktree since; none if it wants all files.
    pub(super) fn as_changed(&self, admin: &Path) -> Option<Self> {
        let settings = admin.join(SETTINGS);
        let config = gix::config::File::from_path_no_includes(settings, gix::config::Source::Worktree).ok();
        let set = |key: &str| config.as_ref().and_then(|config| config.boolean(key).ok().flatten());
        if self.has_own_settings && set("core.sparseCheckout") != Some(true) {
            return None;
        }
        let patterns = patterns(admin).ok().flatten()?;
        Some(Self { patterns, is_cone: set("core.sparseCheckoutCone").unwrap_or(self.is_cone), ..self.clone() })
    }

    /// Marks the entries of an index that are left out. None may be marked yet.
    pub(super) fn mark(&self, handle: &gix::Repository, state: &mut State) -> Result<(), GitError> {
        let ignores_case = handle.config_snapshot().boolean("core.ignoreCase") == Some(true);
        let case = if ignores_case { Case::Fold } else { Case::Sensitive };
        sparse::apply_patterns(state, &self.patterns, &PathBuf::from(PATTERNS), self.is_cone, case)
            .during(|| "apply the patterns of the sparse checkout".to_owned())
    }

    /// Which of these paths are left out.
    pub(super) fn leaves_out<'a>(
        &self,
        handle: &gix::Repository,
        paths: impl Iterator<Item = (&'a BStr, Mode)>,
    ) -> Result<Vec<bool>, GitError> {
        let kind = handle.object_hash();
        let mut state = State::new(kind);
        for (path, mode) in paths {
            state.dangerously_push_entry(Stat::default(), ObjectId::null(kind), Flags::empty(), mode, path);
        }
        self.mark(handle, &mut state)?;
        Ok(state.entries().iter().map(is_marked).collect())
    }
}

impl Repository {
    /// Whether the user's checkout is sparse.
    ///
    /// # Errors
    /// If its patterns cannot be read.
    pub fn is_sparse(&self) -> Result<bool, GitError> {
        Ok(Sparse::of_checkout(self)?.is_some())
    }

    /// Whether the user's checkout is sparse and leaves out the file at this path.
    ///
    /// # Errors
    /// If its patterns cannot be read.
    pub fn leaves_out(&self, path: &str) -> Result<bool, GitError> {
        let Some(sparse) = Sparse::of_checkout(self)? else { return Ok(false) };
        let out = sparse.leaves_out(&self.local(), std::iter::once((BStr::new(path), Mode::FILE)))?;
        Ok(out.contains(&true))
    }
}

/// Whether an entry of an index says that its file is left out.
pub(super) fn is_marked(entry: &gix::index::Entry) -> bool {
    entry.flags.contains(Flags::SKIP_WORKTREE)
}

/// Says of an entry whether its file is left out.
pub(super) fn set_marked(entry: &mut gix::index::Entry, is_left_out: bool) {
    // git writes what is beyond the first flags only where they say that there is more.
    entry.flags.set(Flags::SKIP_WORKTREE | Flags::EXTENDED, is_left_out);
}

fn patterns(git_dir: &Path) -> Result<Option<Vec<u8>>, GitError> {
    let path = git_dir.join(INFO).join(PATTERNS);
    match fs::metadata(&path) {
        Err(error) if is_absent(&error) => return Ok(None),
        found if found.as_ref().is_ok_and(|found| found.len() > PATTERNS_BYTES_MAX) => {
            return Err(io::Error::other("it is too large")).at("read", path);
        }
        Ok(_) | Err(_) => {}
    }
    fs::read(&path).map(Some).at("read", path)
}

/// Makes a file say exactly this.
fn keep(path: &Path, text: &[u8]) -> Result<(), GitError> {
    let found = fs::symlink_metadata(path);
    if found.as_ref().is_ok_and(fs::Metadata::is_file) && fs::read(path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    if found.is_ok_and(|found| found.is_dir()) {
        fs::remove_dir_all(path).at("remove", path)?;
    }
    replace(path, text).at("write", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_written_and_half_of_it_is_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Sparse::noted(dir.path()), None);
        let sparse = Sparse {
            patterns: b"/*\n!/*/\n/in/\n".to_vec(),
            is_cone: true,
            has_sparse_index: false,
            has_own_settings: true,
        };
        Sparse::note(Some(&sparse), dir.path()).unwrap();
        assert_eq!(Sparse::noted(dir.path()), Some(sparse));
        fs::write(dir.path().join(NOTE), "10").unwrap();
        assert_eq!(Sparse::noted(dir.path()), None);
        Sparse::note(None, dir.path()).unwrap();
        assert!(!dir.path().join(NOTE).exists());
    }
}
