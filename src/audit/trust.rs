//! Whose signatures count: keys from outside of what is judged.
//! Knows nothing of commits that were made with them.

use std::path::{Path, PathBuf};

use super::protected::{BadGlob, Protected};
use crate::{
    config::{parse::parse, settings::AuditSettings},
    git::{AllowedSigners, Evidence, GitError, Repository},
    handoff::layout,
    model::object::{CommitId, Digest},
    report::audit::TrustView,
    sys::{environment, file},
};

/// Bytes of a file of allowed signers.
const SIGNERS_BYTES_MAX: usize = 4 << 20;
/// git's setting that names such a file.
const GIT_SETTING: &str = "gpg.ssh.allowedSignersFile";
/// The user's own file in the directory of the machine's key.
const OWN_FILE: &str = "allowed_signers";
/// The public half of the machine's key, in the same directory.
const OWN_KEY: &str = "id_ed25519.pub";

/// Why the keys cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file that was named cannot be read.
    #[error("the allowed signers in '{}' cannot be read: {why}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file has a line that is not understood.
    #[error("{origin}: {source}")]
    Line {
        /// Where it is from.
        origin: String,
        /// The line and why.
        source: GitError,
    },
    /// What is protected cannot be told.
    #[error(transparent)]
    Glob(#[from] BadGlob),
}

impl TrustError {
    /// One thing to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File { .. } => Some("git orchestrate verify --allowed-signers <file>".to_owned()),
            Self::Glob(error) => error.hint(),
            Self::Line { .. } => Some("see ALLOWED SIGNERS in: man ssh-keygen".to_owned()),
        }
    }
}

/// On what grounds is judged: whose signatures count, and what is protected; both from outside of what is judged.
#[derive(Debug, Clone)]
pub struct Grounds {
    /// Whose signatures count.
    pub trust: Trust,
    /// What is protected.
    pub protected: Protected,
}

impl Grounds {
    /// Gathers them: the keys as [`Trust::gather`] does, the policy from the configuration as of `base`, else `settings`.
    ///
    /// # Errors
    /// [`TrustError`] as there, or for a glob that is none.
    pub fn gather(
        repository: &Repository,
        named: Option<&Path>,
        base: Option<CommitId>,
        tips: &[CommitId],
        settings: &AuditSettings,
    ) -> Result<Self, TrustError> {
        let trust = Trust::gather(repository, named, base, tips)?;
        let evidence = Evidence::of(repository);
        let of_base = base.and_then(|base| committed(&evidence, base, layout::CONFIG));
        let of_base = of_base.and_then(|text| parse(&text, layout::CONFIG).ok()).map(|settings| settings.audit);
        let protected = Protected::of(of_base.as_ref().unwrap_or(settings))?;
        Ok(Self { trust, protected })
    }
}

/// Whose signatures count.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The keys.
    pub signers: AllowedSigners,
    /// The digest of all that was read.
    pub digest: Digest,
    /// Where the keys are from, for people.
    pub view: TrustView,
}

/// What is gathered.
#[derive(Default)]
struct Gathered {
    text: String,
    sources: Vec<String>,
}

impl Gathered {
    /// Takes a text up; each is read by itself first, so that a mistake is named with the line it is in.
    fn take(&mut self, text: &str, origin: String) -> Result<bool, TrustError> {
        let read = AllowedSigners::parse(text).map_err(|source| TrustError::Line { origin: origin.clone(), source })?;
        if read.is_empty() {
            return Ok(false);
        }
        self.text.push_str(text);
        self.text.push('\n');
        self.sources.push(origin);
        Ok(true)
    }
}

impl Trust {
    /// Gathers the keys.
    ///
    /// A file that was named counts alone. Else the machine's own key counts, and with it the user's file
    /// (`allowed_signers` beside the key, or what git's settings of the user, not of the repository, name), or if there is
    /// none `.handoff/allowed_signers` as of `base`, a commit from before what is judged. Where all that says nothing, the
    /// file as of `tip` is taken: that is trust on first use, and is said.
    ///
    /// # Errors
    /// [`TrustError`] when a file cannot be read or understood: what is not understood must not be skipped.
    pub fn gather(
        repository: &Repository,
        named: Option<&Path>,
        base: Option<CommitId>,
        tips: &[CommitId],
    ) -> Result<Self, TrustError> {
        let mut gathered = Gathered::default();
        let mut first_use = false;
        match named {
            Some(path) => {
                gathered.take(&text(path)?, format!("'{}'", path.display()))?;
            }
            None => {
                let configured = configured(repository, &mut gathered)?;
                if !configured {
                    let evidence = Evidence::of(repository);
                    let of = |commit: CommitId| committed(&evidence, commit, layout::ALLOWED_SIGNERS);
                    let of_base = base.and_then(|base| Some((base, of(base)?)));
                    let taken = match of_base {
                        Some((base, text)) => {
                            let origin = format!("{} as of {}", layout::ALLOWED_SIGNERS, base.short());
                            gathered.take(&text, origin)?
                        }
                        None => false,
                    };
                    if !taken && let Some((tip, text)) = tips.iter().find_map(|tip| Some((*tip, of(*tip)?))) {
                        let file = layout::ALLOWED_SIGNERS;
                        let origin = format!("{file} as of {}, which is itself judged (first use)", tip.short());
                        first_use = gathered.take(&text, origin)?;
                    }
                }
                own_key(&mut gathered)?;
            }
        }
        let signers = AllowedSigners::parse(&gathered.text)
            .map_err(|source| TrustError::Line { origin: "the keys together".to_owned(), source })?;
        let notes = signers.notes.clone();
        if gathered.sources.is_empty() {
            gathered.sources.push("none".to_owned());
        }
        let digest = Digest::of(&gathered.text);
        Ok(Self { signers, digest, view: TrustView { sources: gathered.sources, first_use, notes } })
    }
}

/// The files that the user configured; whether there was one with keys.
fn configured(repository: &Repository, gathered: &mut Gathered) -> Result<bool, TrustError> {
    let own = environment::data_dir().map(|dir| dir.join(OWN_FILE)).filter(|path| path.exists());
    let setting = repository.user_setting(GIT_SETTING);
    // A relative path would lead into the checkout, whose files are part of what is judged.
    let by_git = setting.map(|path| home(&path)).filter(|path| path.is_absolute());
    let mut found = false;
    for path in own.into_iter().chain(by_git) {
        found |= gathered.take(&text(&path)?, format!("'{}'", path.display()))?;
    }
    Ok(found)
}

fn own_key(gathered: &mut Gathered) -> Result<(), TrustError> {
    let Some(path) = environment::data_dir().map(|dir| dir.join(OWN_KEY)).filter(|path| path.exists()) else {
        return Ok(());
    };
    let line = text(&path)?;
    gathered.take(&format!("* namespaces=\"git\" {}", line.trim()), "this machine's key".to_owned())?;
    Ok(())
}

fn committed(evidence: &Evidence, commit: CommitId, path: &str) -> Option<String> {
    let root = evidence.commit(commit).ok()?.tree;
    let bytes = evidence.file(root, path).ok()??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn text(path: &Path) -> Result<String, TrustError> {
    let bytes = file::read_limited(path, SIGNERS_BYTES_MAX)
        .map_err(|error| TrustError::File { path: path.to_owned(), why: error.to_string() })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        (_, _) => PathBuf::from(path),
    }
}
