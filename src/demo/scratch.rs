//! The scratch repository: the program, the queue, a person and a key of its own.
//! Knows nothing of runs. Nothing outside its directory is written.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    DemoError,
    git::{Git, is_there},
    place,
    scenario::{File, HANDOFF, PROGRAM},
};
use crate::{
    git::Signer,
    handoff::{init::allow_signer, layout},
};

/// Who works in the demo.
const NAME: &str = "Demo";
/// Their address; `example.com` belongs to nobody.
const EMAIL: &str = "demo@example.com";
/// The key, where no checkout shows it.
const KEY: &str = ".git/demo-key/id_ed25519";

/// A repository as it is before the run.
pub struct Scratch {
    /// Its directory, absolute.
    pub root: PathBuf,
    /// git in it.
    pub git: Git,
}

impl Scratch {
    /// Makes it in a directory that holds nothing: the one that was asked for, or a new one.
    ///
    /// # Errors
    /// A program is missing, the directory is not empty, or something could not be made.
    pub fn make(dir: Option<&Path>) -> Result<Self, DemoError> {
        for (program, why) in [("git", "to make a repository"), ("cargo", "for the tests of the program in it")] {
            if !is_there(program) {
                return Err(DemoError::NoProgram { program, why });
            }
        }
        let root = place::choose(dir)?;
        let git = Git::at(&root)?;
        git.run(&["init", "--quiet", "--template=", "--initial-branch=main"])?;
        let key = root.join(KEY);
        let signer = Signer::create_own(&key, "demo of git-orchestrate")?;
        let (key, allowed) = (key.to_string_lossy(), root.join(layout::ALLOWED_SIGNERS));
        for (name, value) in [
            ("user.name", NAME),
            ("user.email", EMAIL),
            ("gpg.format", "ssh"),
            ("user.signingKey", &key),
            ("gpg.ssh.allowedSignersFile", &allowed.to_string_lossy()),
            // The user's hooks, and signing of all commits, are none of the demo's.
            ("core.hooksPath", "/dev/null"),
            ("commit.gpgSign", "false"),
        ] {
            git.run(&["config", "--local", name, value])?;
        }
        let scratch = Self { root, git };
        scratch.commit(PROGRAM, "Add up a time sheet in minutes")?;
        if let Some(line) = signer.public_key_line() {
            let key: Vec<_> = line.split_whitespace().take(2).collect();
            allow_signer(&scratch.root, &format!("{EMAIL} namespaces=\"git\" {}", key.join(" ")))?;
        }
        scratch.commit(HANDOFF, "Queue three tasks for git-orchestrate")?;
        Ok(scratch)
    }

    fn commit(&self, files: &[File], message: &str) -> Result<(), DemoError> {
        for (name, text) in files {
            let path = self.root.join(name);
            let cannot = |source| DemoError::File { path: path.clone(), source };
            fs::create_dir_all(path.parent().unwrap_or(&self.root)).map_err(cannot)?;
            fs::write(&path, text).map_err(cannot)?;
        }
        self.git.run(&["add", "--all"])?;
        self.git.run(&["commit", "--quiet", "--message", message])?;
        Ok(())
    }
}
