//! Where we are: the repository, its working tree, and the machine's key.
//! Knows nothing of what is done there.

use std::path::PathBuf;

use super::failure::Failure;
use crate::{
    config::{parse::parse, settings::Settings},
    git::Repository,
    handoff::{
        disk,
        layout::{CONFIG, LocalDir},
    },
    run::Project,
    sys::environment,
};

/// A repository with a working tree.
pub struct Place {
    /// The repository.
    pub repository: Repository,
    /// The top of its working tree.
    pub root: PathBuf,
}

impl Place {
    /// The one that git would use here.
    ///
    /// # Errors
    /// There is none, it cannot be used, or it has no working tree.
    pub fn find() -> Result<Self, Failure> {
        let repository = Repository::discover(&here()?)?;
        if let Some(why) = repository.unsupported() {
            return Err(Failure::fatal(format!("this repository {why}"), None));
        }
        match repository.work_dir() {
            Some(root) => Ok(Self { root: root.to_owned(), repository }),
            None => {
                let bare = repository.git_dir().display().to_string();
                let message = format!("'{bare}' is a bare repository: tasks and configuration need a working tree");
                Err(Failure::fatal(message, format!("git clone '{bare}'")))
            }
        }
    }

    /// Our directory in the common git directory.
    pub fn local(&self) -> LocalDir {
        LocalDir::new(self.repository.common_dir())
    }

    /// The configuration; none if `init` was not run here.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn settings_if_any(&self) -> Result<Option<Settings>, Failure> {
        let text = disk::read_text(&self.root, CONFIG)?;
        Ok(text.map(|text| parse(&text, CONFIG)).transpose()?)
    }
}

/// The project that we are in, with its configuration.
///
/// # Errors
/// There is no repository or no configuration, or the configuration is wrong.
pub fn project() -> Result<Project, Failure> {
    Ok(Project::open(&here()?)?)
}

/// The current directory.
///
/// # Errors
/// It cannot be told.
pub fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::fatal(format!("cannot tell the current directory: {error}"), None))
}

/// The file of the machine's own key.
///
/// # Errors
/// Neither `XDG_DATA_HOME` nor `HOME` is set.
pub fn own_key_path() -> Result<PathBuf, Failure> {
    environment::own_key_path().ok_or_else(|| {
        let message = "cannot tell where the signing key is: neither HOME nor XDG_DATA_HOME is set";
        Failure::fatal(message, "export HOME=…".to_owned())
    })
}
