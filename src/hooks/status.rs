//! How each of our hooks stands: where it is, and whether git would run it.
//! Believes no file: whether a bad push is refused is for `proof` to say.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use super::{
    HookName, HooksError, chain, config, fence, managers,
    place::{Method, Place},
};
use crate::git::Repository;

/// How one hook stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HookState {
    /// It is not installed.
    Absent,
    /// git runs it.
    Installed {
        /// How it is installed.
        method: Method,
        /// Where.
        path: PathBuf,
    },
    /// Somebody wrote into a script, or into the settings of a hook manager, that it be run.
    ByHand {
        /// Where.
        path: PathBuf,
    },
    /// It is there, but git does not run it.
    Off {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// One hook.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HookStatus {
    /// Which.
    pub name: HookName,
    /// How it stands.
    #[serde(flatten)]
    pub state: HookState,
}

/// All of them.
///
/// # Errors
/// When git cannot be asked.
pub fn status(repository: &Repository) -> Result<Vec<HookStatus>, HooksError> {
    let place = Place::of(repository)?;
    let lines = config::lines(repository).unwrap_or_default();
    let switches = repository.settings_like("^hook\\..*\\.enabled$")?;
    let one = |name: HookName| {
        let state = match in_config(repository, name, &lines, &switches) {
            HookState::Absent => in_files(repository, name, &place),
            state => state,
        };
        HookStatus { name, state }
    };
    Ok(HookName::ALL.into_iter().map(one).collect())
}

fn in_config(repository: &Repository, name: HookName, lines: &str, switches: &[(String, String)]) -> HookState {
    let section = config::section(name);
    if !lines.contains(&format!("[hook \"{section}\"]")) {
        return HookState::Absent;
    }
    let path = repository.common_dir().join("config");
    let of = |key: &str| switches.iter().rfind(|(name, _)| *name == format!("hook.{key}.enabled"));
    let is_off = |key: &str| of(key).is_some_and(|(_, value)| ["false", "no", "off", "0"].contains(&value.as_str()));
    for key in [section.as_str(), name.word()] {
        if is_off(key) {
            return HookState::Off { path, why: format!("hook.{key}.enabled is false") };
        }
    }
    match repository.git_version() {
        Ok(version) if super::place::has_config_hooks(version) => HookState::Installed { method: Method::Config, path },
        Ok(_) | Err(_) => HookState::Off { path, why: "this git does not know hooks in its settings".to_owned() },
    }
}

fn in_files(repository: &Repository, name: HookName, place: &Place) -> HookState {
    let own = chain::dir(repository).join(name.word());
    if place.is_chained && has_ours(&own) {
        return installed(Method::Chain, own);
    }
    let path = place.dir.join(name.word());
    if has_ours(&path) {
        return installed(Method::Files, path);
    }
    if managers::says(&path, &format!("orchestrate hook {name}")) {
        return HookState::ByHand { path };
    }
    let elsewhere = [repository.default_hooks_dir().join(name.word()), own];
    let aside = [".legacy", ".old"].map(|end| place.dir.join(format!("{name}{end}")));
    for path in elsewhere.into_iter().chain(aside) {
        if has_ours(&path) {
            let is_legacy = path.extension().is_some_and(|end| end == "legacy");
            if is_legacy {
                // pre-commit and prek run it before theirs, with the same input.
                return installed(Method::Files, path);
            }
            let why = match &place.setting {
                Some(setting) => format!("core.hooksPath names '{}' ({})", setting.value, setting.scope),
                None => "another program put it aside".to_owned(),
            };
            return HookState::Off { path, why };
        }
    }
    match repository.work_dir().and_then(|root| managers::by_hand(root, name)) {
        Some(path) => HookState::ByHand { path },
        None => HookState::Absent,
    }
}

fn has_ours(path: &std::path::Path) -> bool {
    fs::read(path).is_ok_and(|bytes| fence::take_out(&String::from_utf8_lossy(&bytes)).is_some())
}

fn installed(method: Method, path: PathBuf) -> HookState {
    match fs::metadata(&path) {
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => {
            HookState::Off { path, why: "it is not executable".to_owned() }
        }
        Ok(_) | Err(_) => HookState::Installed { method, path },
    }
}
