//! The repository a command works on, with its configuration. Knows nothing of runs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{RunError, secrets};
use crate::{
    config::{
        parse,
        settings::{Settings, WorktreeSettings},
    },
    git::Repository,
    handoff::layout::{self, LocalDir},
    model::object::CommitId,
    secrets::Scanner,
    sys::file,
};

/// Bytes of a configuration file that are read.
const CONFIG_BYTES_MAX: usize = 1 << 20;

/// A repository and what its configuration says.
#[derive(Clone)]
pub struct Project {
    /// The repository.
    pub repository: Repository,
    /// The checkout whose `.handoff/` people edit; none in a bare repository.
    pub root: Option<PathBuf>,
    /// Our local directory below the common git directory.
    pub local: LocalDir,
    /// The configuration.
    pub settings: Arc<Settings>,
    /// Its text.
    pub config_text: String,
    /// Knows secrets.
    pub secrets: Arc<Scanner>,
}

impl Project {
    /// The project around a directory.
    ///
    /// The configuration is the one of the checkout, committed or not; a checkout without one (a fresh clone, a bare
    /// repository) takes that of HEAD, of the integration branch, or of a task.
    ///
    /// # Errors
    /// [`RunError::NotInitialised`] without any, [`RunError::Problems`] with file and line for mistakes in it.
    pub fn open(start: &Path) -> Result<Self, RunError> {
        let repository = Repository::discover(start)?;
        let root = repository.work_dir().map(Path::to_owned);
        let local = LocalDir::new(repository.common_dir());
        let (config_text, origin) = config_text(&repository, root.as_deref())?;
        let settings = parse::parse(&config_text, &origin).map_err(RunError::Problems)?;
        let secrets = Arc::new(secrets::scanner(&settings));
        Ok(Self { repository, root, local, settings: Arc::new(settings), config_text, secrets })
    }

    /// The full name of the integration branch.
    pub fn integration_branch(&self) -> String {
        format!("refs/heads/{}", self.settings.landing.branch)
    }

    /// The commit that work starts from before there is an integration branch.
    ///
    /// # Errors
    /// [`RunError::NoCommit`] on an unborn branch.
    pub fn head_commit(&self) -> Result<CommitId, RunError> {
        self.repository.head()?.commit.ok_or(RunError::NoCommit)
    }

    /// A commit with the code of HEAD that a worktree can check out: HEAD itself, or one made of it without our files.
    ///
    /// # Errors
    /// [`RunError::NoCommit`] on an unborn branch.
    pub fn head_code_commit(&self) -> Result<CommitId, RunError> {
        Ok(self.repository.code_checkout_of(self.head_commit()?)?)
    }

    /// That a sparse checkout does not leave out what people edit: the queue would seem empty.
    ///
    /// # Errors
    /// [`RunError::LeftOut`] if it does.
    pub fn check_that_files_are_there(&self) -> Result<(), RunError> {
        let Some(root) = self.root.as_deref().filter(|root| !root.join(layout::CONFIG).exists()) else {
            return Ok(());
        };
        let Some(head) = self.repository.head()?.commit else { return Ok(()) };
        let is_in_head = self.repository.read(head, layout::CONFIG)?.is_some();
        if is_in_head && self.repository.leaves_out(layout::CONFIG)? {
            return Err(RunError::LeftOut(root.to_owned()));
        }
        Ok(())
    }

    /// The directory of the worktrees that agents work in: beside the repository, never a temporary one.
    pub fn worktrees_dir(&self) -> PathBuf {
        worktrees_dir(&self.repository, &self.settings.worktrees)
    }
}

/// The directory of a repository's worktrees, as configured, else beside it.
pub fn worktrees_dir(repository: &Repository, settings: &WorktreeSettings) -> PathBuf {
    let home = repository.work_dir().unwrap_or_else(|| repository.common_dir());
    if let Some(dir) = &settings.dir {
        return home.join(dir);
    }
    let name = home.file_name().map_or_else(|| "repository".into(), |name| name.to_string_lossy().into_owned());
    home.parent().unwrap_or(home).join(format!("{}.orchestrate", name.trim_end_matches(".git")))
}

fn config_text(repository: &Repository, root: Option<&Path>) -> Result<(String, String), RunError> {
    let path = layout::CONFIG.to_owned();
    if let Some(root) = root {
        let file = root.join(&path);
        match file::read_limited(&file, CONFIG_BYTES_MAX) {
            Ok(bytes) => return Ok((String::from_utf8_lossy(&bytes).into_owned(), path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(RunError::File { path: file, what: "cannot be read", source }),
        }
    }
    let head = repository.head()?.commit.into_iter();
    let branches = repository.references("refs/heads/orchestrate/")?.into_iter().map(|(_, commit)| commit);
    let remote = repository.references("refs/remotes/")?.into_iter();
    let remote = remote.filter(|(name, _)| name.contains("/orchestrate/")).map(|(_, commit)| commit);
    for commit in head.chain(branches).chain(remote) {
        if let Some(bytes) = repository.read(commit, &path)? {
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), format!("{}:{path}", commit.short())));
        }
    }
    Err(RunError::NotInitialised)
}
