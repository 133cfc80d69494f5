//! Judges what is about to be committed: no new secret, and the fast gate, if there is one.
//! Touches neither the index nor a file.

use super::{
    Ground, HooksError, Refusal,
    judged::{Court, Judged},
    pre_push::{red, skip_hint},
    skip::{Part, Skip},
    staged,
};
use crate::{
    config::settings::SecretScan,
    model::object::{CommitId, TreeId},
    secrets::ALLOW_COMMENT,
    text,
};

/// Files with secrets that are named.
const FILES_MAX: usize = 10;

/// Judges what is staged. Nothing refused: it may be committed.
///
/// # Errors
/// [`HooksError`] when it cannot be judged.
pub fn judge(ground: &Ground<'_>, skip: &Skip, tell: &mut dyn FnMut(&str)) -> Result<Vec<Refusal>, HooksError> {
    let repository = ground.repository;
    let scans = ground.settings.secrets.scan != SecretScan::Off && !skip.has(Part::Secrets);
    let profile = ground.settings.hooks.pre_commit.as_deref().filter(|_| !skip.has(Part::Gate));
    if !scans && profile.is_none() {
        return Ok(Vec::new());
    }
    let tree = repository.staged_tree(&repository.index_file())?;
    let head = repository.head()?.commit;
    let mut refusals = Vec::new();
    if scans {
        let before = head.map(|head| repository.root_tree(head)).transpose()?;
        let found = secrets(ground, before, tree)?;
        match ground.settings.secrets.scan {
            SecretScan::Block => refusals.extend(found),
            SecretScan::Warn => found.iter().for_each(|one| tell(&one.message)),
            SecretScan::Off => {}
        }
    }
    if let (Some(profile), Some(head)) = (profile, head)
        && refusals.is_empty()
    {
        refusals.extend(gate(ground, profile, tree, head)?);
    }
    Ok(refusals)
}

fn secrets(ground: &Ground<'_>, before: Option<TreeId>, after: TreeId) -> Result<Vec<Refusal>, HooksError> {
    let found = staged::secrets(ground.repository, ground.secrets, before, after)?;
    let files = found.iter().take(FILES_MAX).map(|file| {
        let path = text::clean_line(&file.path);
        let mut message = format!("'{path}' holds what looks like a secret");
        for one in file.findings.iter().take(FILES_MAX) {
            message.push_str(&format!(
                "\n  at {path}:{}:{} {} ({}, {})",
                one.line, one.column, one.what, one.rule, one.preview
            ));
        }
        let hint = format!(
            "take it out; if it is none: '{ALLOW_COMMENT}' in a comment on its line, or [secrets] allow, or {}={}",
            super::skip::SKIP,
            Part::Secrets.word()
        );
        Refusal::new(message, hint)
    });
    Ok(files.collect())
}

fn gate(ground: &Ground<'_>, profile: &str, tree: TreeId, head: CommitId) -> Result<Option<Refusal>, HooksError> {
    // git asks the user's own hooks by itself, at this moment.
    let mut settings = ground.settings.clone();
    settings.hooks.run_user_hooks = false;
    let court = Court::open(Ground { settings: &settings, ..*ground })?;
    let subject = court.tree(tree, head)?;
    Ok(match court.judge(&court.definition(profile, &subject)?, &subject)? {
        Judged::Verdict(verdict) => red(&verdict, "what is staged"),
        Judged::Stopped => Some(Refusal::new(
            format!("gate '{profile}' was stopped before it had judged what is staged"),
            skip_hint(Part::Gate),
        )),
    })
}
