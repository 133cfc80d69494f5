//! Has git itself, not this program, check the signature of every commit that the run made.
//! Knows nothing of steps; a commit is a commit.

use super::{DemoError, git::is_there, scratch::Scratch};
use crate::{handoff::layout, sys::process::How, text};

/// What a run adds to the user's branch.
const RANGE: &str = "main..orchestrate/integration";
/// Lines of git's complaint that are kept.
const SAID_LINES_MAX: usize = 10;
/// Bytes of them.
const SAID_BYTES_MAX: usize = 2 << 10;

/// What git said of the signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Every one is good.
    Good {
        /// How many commits there are.
        commits: usize,
        /// One of git's lines; they differ in nothing.
        line: String,
    },
    /// Some are not.
    Bad {
        /// How many commits there are.
        commits: usize,
        /// How many of them have a good signature.
        good: usize,
        /// The end of what git wrote.
        said: String,
    },
    /// git checks ssh signatures by ssh-keygen, and there is none.
    NoSshKeygen,
    /// Nothing has landed.
    Nothing,
}

/// The words for git, as a user would type them after `git`.
pub fn words() -> String {
    format!("-c gpg.ssh.allowedSignersFile={} verify-commit $(git rev-list {RANGE})", layout::ALLOWED_SIGNERS)
}

/// Asks git.
///
/// # Errors
/// It cannot be asked.
pub fn signatures(scratch: &Scratch) -> Result<Proof, DemoError> {
    if !is_there("ssh-keygen") {
        return Ok(Proof::NoSshKeygen);
    }
    let Ok(list) = scratch.git.run(&["rev-list", RANGE]) else { return Ok(Proof::Nothing) };
    let commits: Vec<&str> = list.lines().collect();
    if commits.is_empty() {
        return Ok(Proof::Nothing);
    }
    let allowed = format!("gpg.ssh.allowedSignersFile={}", layout::ALLOWED_SIGNERS);
    let mut words = vec!["-c", &allowed, "verify-commit"];
    words.extend(&commits);
    let ended = scratch.git.ask(&words)?;
    Ok(judge(ended.how == How::Exited(0), &text::clean_bytes(&ended.stderr.bytes), commits.len()))
}

fn judge(is_content: bool, said: &str, commits: usize) -> Proof {
    let good: Vec<&str> = said.lines().filter(|line| line.starts_with("Good \"git\" signature for ")).collect();
    match good.first() {
        Some(line) if is_content && good.len() == commits => Proof::Good { commits, line: (*line).to_owned() },
        _ => {
            let said = text::tail(said.trim_end(), SAID_LINES_MAX, SAID_BYTES_MAX);
            Proof::Bad { commits, good: good.len(), said }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_good_line_for_each_commit_is_proof() {
        let line = "Good \"git\" signature for demo@example.com with ED25519 key SHA256:x";
        let good = Proof::Good { commits: 2, line: line.to_owned() };
        assert_eq!(judge(true, &format!("{line}\n{line}\n"), 2), good);
        assert!(matches!(judge(true, line, 2), Proof::Bad { good: 1, .. }));
        assert!(matches!(judge(false, &format!("{line}\n{line}\nerror: no"), 2), Proof::Bad { good: 2, .. }));
        assert!(matches!(judge(true, "", 2), Proof::Bad { good: 0, .. }));
        let unknown = "Good \"git\" signature with ED25519 key SHA256:x\nNo principal matched.\n";
        assert!(matches!(judge(true, unknown, 1), Proof::Bad { good: 0, .. }));
    }
}
