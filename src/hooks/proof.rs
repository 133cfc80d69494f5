//! Proves that a bad push is refused: by one, to a scratch repository, of which nothing is sent.
//! Believes nothing that is written in a file.

use std::{fs, io, path::Path, time::Duration};

use super::HooksError;
use crate::git::{Git, Repository};

/// The variable by which our pre-push hook knows that it is put to the proof; it says it back.
pub const PROBE: &str = "GIT_ORCHESTRATE_PROBE";
/// How long all hooks of a push may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum Proof {
    /// Our hook refused a push that it must refuse.
    Refused,
    /// The push would have gone.
    Passed,
    /// Something else stopped it, so nothing is known of ours.
    Other {
        /// What was said.
        said: String,
    },
    /// There is nothing that could be pushed.
    NoCommit,
}

/// Pushes what must not be: the commit of HEAD as the branch of a task of which it is no step. It is a rehearsal
/// (`--dry-run`): hooks run as always, nothing is sent.
///
/// # Errors
/// When no scratch repository can be made, or the hooks take too long.
pub fn prove(repository: &Repository) -> Result<Proof, HooksError> {
    let Some(commit) = repository.head()?.commit else { return Ok(Proof::NoCommit) };
    let scratch = tempfile::tempdir().map_err(|source| HooksError::File {
        path: std::env::temp_dir(),
        what: "has no room for a scratch repository",
        source,
    })?;
    let bare = scratch.path().join("scratch.git");
    make_bare(repository, &bare).map_err(super::error::file(&bare, "cannot be made"))?;
    let word = format!("probe-{}", std::process::id());
    let refspec = format!("{commit}:refs/heads/orchestrate/task/{word}");
    let output = Git::with_hooks(repository)
        .setting("protocol.file.allow", "always")
        .variable(PROBE, &word)
        .limit(LIMIT)
        .args(["push", "--dry-run", "--quiet"])
        .args([bare.as_os_str(), refspec.as_ref()])
        .run(&[])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(match output.code {
        Some(0) => Proof::Passed,
        Some(_) | None if said.contains(&format!("{PROBE}={word}")) => Proof::Refused,
        Some(_) | None => Proof::Other { said: crate::text::tail(crate::text::clean(&said).trim(), 5, 1000) },
    })
}

/// An empty repository. Not made by git, which could take ours for the one to be made.
fn make_bare(repository: &Repository, path: &Path) -> io::Result<()> {
    for directory in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
        fs::create_dir_all(path.join(directory))?;
    }
    fs::write(path.join("HEAD"), "ref: refs/heads/main\n")?;
    let format = match repository.head().ok().and_then(|head| head.commit) {
        Some(commit) if commit.to_string().len() == 64 => {
            "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
        }
        Some(_) | None => "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
    };
    fs::write(path.join("config"), format)
}
