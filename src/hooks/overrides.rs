//! What a person signed off although it was not judged: a line of signed commits of its own, never pushed by us.
//! Knows nothing of hooks; it is told what was passed over.

use super::HooksError;
use crate::{
    config::settings::Durability,
    git::{CommitDraft, GitError, Identity, RefMove, Repository, Signer, When},
    model::object::CommitId,
    text,
};

/// Where it is kept.
pub const OVERRIDES_REF: &str = "refs/orchestrate/overrides";
/// Refs of one push that are named.
const REFS_MAX: usize = 100;

/// Something that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The hook.
    pub hook: String,
    /// What was passed over: `gate`, `audit`.
    pub parts: Vec<String>,
    /// Why, in the person's words.
    pub reason: String,
    /// What went on without it: refs and commits, a line each.
    pub what: Vec<String>,
}

/// Signs it off and writes it down.
///
/// # Errors
/// When it cannot be signed or written.
pub fn record(
    repository: &Repository,
    identity: &Identity,
    signer: &Signer,
    entry: &Override,
) -> Result<CommitId, HooksError> {
    let before = repository.reference(OVERRIDES_REF)?;
    let mut draft = repository.draft();
    let tree = draft.tree(None, &[])?;
    let mut message = format!("Pass over {} of {}\n\n", entry.parts.join(", "), entry.hook);
    for line in text::clean(&entry.reason).lines() {
        // Nobody's words become trailers.
        message.push_str(&format!("    {line}\n"));
    }
    message.push('\n');
    for line in entry.what.iter().take(REFS_MAX) {
        message.push_str(&format!("    {}\n", text::clean_line(line)));
    }
    message.push_str(&format!("\nOrchestrate-Override: {} {}\n", entry.hook, entry.parts.join(",")));
    let commit = CommitDraft {
        tree,
        parents: before.into_iter().collect(),
        author: identity.clone(),
        committer: identity.clone(),
        message,
        time: When::now(),
    };
    let to = draft.commit(commit, Some(signer))?;
    let reason = format!("orchestrate: override {}", entry.hook);
    let moved = RefMove { name: OVERRIDES_REF.to_owned(), from: before, to, reason };
    repository.publish(draft.objects(), vec![moved], Durability::Full).map_err(GitError::from)?;
    Ok(to)
}
