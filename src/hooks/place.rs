//! Where hooks of a repository are, and by which of three ways ours get there.
//! Knows nothing of what is written there.

use std::path::{Path, PathBuf};

use super::{HooksError, chain};
use crate::git::{HooksPath, Repository};

/// The first git that has hooks in its settings.
const CONFIG_HOOKS_SINCE: (u32, u32) = (2, 54);

/// How hooks are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// In git's settings, beside every file.
    Config,
    /// In the files of the hooks directory.
    Files,
    /// In a directory of our own, whose hooks run those that were there before.
    Chain,
}

impl Method {
    /// As people type it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Files => "files",
            Self::Chain => "chain",
        }
    }
}

/// Where hooks are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The setting that names the directory, ours left out.
    pub setting: Option<HooksPath>,
    /// The directory that git would look into without us.
    pub dir: PathBuf,
    /// Whether git's setting names our own directory now.
    pub is_chained: bool,
}

impl Place {
    /// Looks.
    pub(super) fn of(repository: &Repository) -> Result<Self, HooksError> {
        let own = chain::dir(repository);
        let now = repository.hooks_path()?;
        let is_chained = now.as_ref().is_some_and(|setting| Path::new(&setting.value) == own);
        let setting = if is_chained { repository.hooks_path_but(&own)? } else { now };
        let dir = match &setting {
            Some(setting) => repository.hooks_dir_of(&setting.value),
            None => repository.default_hooks_dir(),
        };
        Ok(Self { setting, dir, is_chained })
    }

    /// Whether the directory belongs to this repository alone.
    pub(super) fn is_inside(&self, repository: &Repository) -> bool {
        let is_below = |root: &Path| self.dir.starts_with(root);
        is_below(repository.common_dir()) || repository.work_dir().is_some_and(is_below)
    }
}

/// The way that was asked for, else the best one for this git and this place.
pub(super) fn method(repository: &Repository, place: &Place, asked: Option<Method>) -> Result<Method, HooksError> {
    let version = repository.git_version()?;
    // A directory named from where a hook runs is another one in each worktree, or, as that of husky, in none but the first.
    let is_of_checkout = || place.setting.as_ref().is_some_and(|setting| Path::new(&setting.value).is_relative());
    match asked {
        Some(Method::Config) if !has_config_hooks(version) => Err(HooksError::TooOld(version)),
        Some(method) => Ok(method),
        None if place.is_chained => Ok(Method::Chain),
        None if has_config_hooks(version) => Ok(Method::Config),
        None if is_of_checkout() => Ok(Method::Chain),
        None => Ok(Method::Files),
    }
}

/// Whether this git has hooks in its settings.
pub(super) fn has_config_hooks(version: (u32, u32)) -> bool {
    version >= CONFIG_HOOKS_SINCE
}
