//! Puts our hooks there. All is looked at before anything is written; nothing of anybody else's is moved or replaced.
//! Knows nothing of what the hooks do.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    HookName, HooksError, chain, config,
    error::file,
    fence,
    place::{Method, Place, method},
};
use crate::{
    git::Repository,
    sys::file::{Sync, write_atomic},
};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which hooks.
    pub names: Vec<HookName>,
    /// How; none: the best way for this git.
    pub method: Option<Method>,
}

/// What was done for one hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Which.
    pub name: HookName,
    /// Where it is now.
    pub path: PathBuf,
    /// How it got there.
    pub method: Method,
    /// Whether somebody's own hook is in the same file.
    pub is_beside: bool,
    /// Whether it was there already, just so.
    pub is_old: bool,
}

/// Installs.
///
/// # Errors
/// [`HooksError`]; nothing was changed, but for an error in writing.
pub fn install(repository: &Repository, options: &Options) -> Result<Vec<Done>, HooksError> {
    let place = Place::of(repository)?;
    match method(repository, &place, options.method)? {
        Method::Config => {
            let is_new = config::set(repository, Some(&config::hook_lines(&options.names)))?;
            let path = repository.common_dir().join("config");
            Ok(told(options, &|_| path.clone(), Method::Config, !is_new))
        }
        Method::Files => {
            let planned: Result<Vec<_>, _> = options.names.iter().map(|name| plan(repository, &place, *name)).collect();
            planned?.into_iter().map(Planned::carry_out).collect()
        }
        Method::Chain => {
            let dir = chain::dir(repository);
            chain::write(repository, &chain::scripts(repository, &place, &options.names))?;
            let is_new = config::set(repository, Some(&config::include_lines(&chain::settings())))?;
            Ok(told(options, &|name| dir.join(name.word()), Method::Chain, !is_new))
        }
    }
}

fn told(options: &Options, path: &dyn Fn(HookName) -> PathBuf, method: Method, is_old: bool) -> Vec<Done> {
    let one = |name: &HookName| Done { name: *name, path: path(*name), method, is_beside: true, is_old };
    options.names.iter().map(one).collect()
}

/// What will be written.
struct Planned {
    done: Done,
    text: String,
    mode: u32,
}

/// Looks at the file of a hook.
fn plan(repository: &Repository, place: &Place, name: HookName) -> Result<Planned, HooksError> {
    let path = place.dir.join(name.word());
    if let Some(setting) = place.setting.as_ref().filter(|_| !place.is_inside(repository)) {
        let (scope, origin) = (setting.scope.clone(), setting.origin.clone());
        return Err(HooksError::Elsewhere { dir: place.dir.clone(), scope, origin });
    }
    let foreign = |what| HooksError::Foreign { name, path: path.clone(), what };
    let (there, mode) = match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (None, 0o755),
        Err(error) => return Err(file(&path, "cannot be looked at")(error)),
        Ok(metadata) if metadata.is_symlink() => return Err(foreign("a link to another file")),
        Ok(metadata) if !metadata.is_file() => return Err(foreign("no file")),
        Ok(metadata) => {
            let bytes = fs::read(&path).map_err(file(&path, "cannot be read"))?;
            let text = String::from_utf8(bytes).map_err(|_| foreign("no text"))?;
            (Some(text), metadata.permissions().mode())
        }
    };
    let Some(there) = there else {
        return Ok(Planned {
            done: Done { name, path, method: Method::Files, is_beside: false, is_old: false },
            text: fence::whole(name, !place.dir.exists()),
            mode: 0o755,
        });
    };
    let taken = fence::take_out(&there);
    let own = taken.as_ref().map_or(there.as_str(), |taken| taken.rest.as_str());
    let is_alone = taken.is_some() && fence::is_bare(own);
    let text = match is_alone {
        true => fence::whole(name, fence::made_directory(own)),
        false => fence::insert(own, name).ok_or_else(|| foreign("no script for a shell"))?,
    };
    // A hook that somebody switched off would come back to life with ours.
    if taken.is_none() && mode & 0o111 == 0 {
        return Err(foreign("not executable"));
    }
    if repository.is_tracked(&path)? {
        return Err(foreign("tracked by git"));
    }
    if let Some(taken) = taken.filter(|taken| taken.lines != fence::beside(name) && taken.lines != fence::alone(name)) {
        keep(repository, name, &taken.lines)?;
    }
    let is_old = text == there && mode & 0o111 != 0;
    let done = Done { name, path, method: Method::Files, is_beside: !is_alone, is_old };
    Ok(Planned { done, text, mode: mode | 0o100 })
}

impl Planned {
    fn carry_out(self) -> Result<Done, HooksError> {
        if !self.done.is_old {
            write(&self.done.path, &self.text, self.mode)?;
        }
        Ok(self.done)
    }
}

/// Writes a hook whole or not at all: git may be starting it at this moment.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<(), HooksError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(file(parent, "cannot be made"))?;
    }
    write_atomic(path, text.as_bytes(), Sync::No).map_err(file(path, "cannot be written"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(file(path, "cannot be made executable"))
}

/// Lines between our marks that are not ours are kept aside before they go.
pub(super) fn keep(repository: &Repository, name: HookName, lines: &str) -> Result<PathBuf, HooksError> {
    let path = crate::handoff::layout::LocalDir::new(repository.common_dir()).root().join("hooks").join(name.word());
    let parent = path.parent().expect("it has one");
    fs::create_dir_all(parent).map_err(file(parent, "cannot be made"))?;
    fs::write(&path, lines).map_err(file(&path, "cannot be written"))?;
    Ok(path)
}
