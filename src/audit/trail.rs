//! The whole trail as lines of JSON: one for each step and landing, the oldest first.
//! Knows nothing of where the lines go.

use std::io::{self, Write};

use super::{court::Audit, scope::Scope};
use crate::{
    git::{SignatureState, verify_bytes},
    handoff::layout,
    model::task::TaskId,
    report::{
        audit::{AuditView, Finding, LinkKind, Standing, TrailLine},
        json,
    },
};

/// The version of the lines.
const SCHEMA: u32 = 1;

/// Judges a scope and writes its trail, of these tasks or of all. One line is in memory at a time.
///
/// # Errors
/// When `out` does not take it.
pub fn trail(audit: &Audit, scope: &Scope, tasks: &[TaskId], out: &mut dyn Write) -> io::Result<AuditView> {
    let mut view = audit.judge(scope);
    if let [task] = tasks {
        view.keep_task(task);
    }
    for link in view.links.iter().rev() {
        if !tasks.is_empty() && !link.task().is_some_and(|task| tasks.contains(task)) {
            continue;
        }
        let file = match &link.kind {
            LinkKind::Step { task, step, phase } => layout::step(task, *step, phase),
            LinkKind::Landing { task: Some(task) } => layout::landing(task),
            LinkKind::Landing { task: None } => layout::landing_onto(),
            LinkKind::Person if link.result == Standing::Ok => continue,
            LinkKind::Person => String::new(),
        };
        let Ok(commit) = audit.evidence.commit(link.commit) else { continue };
        let bytes = audit.evidence.file(commit.tree, &file).ok().flatten();
        let record = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let (signature, key) = match verify_bytes(&commit.bytes, &audit.trust.signers) {
            SignatureState::Good { fingerprint, .. } => ("good", Some(fingerprint)),
            SignatureState::GoodUnknownKey { fingerprint } => ("unknown key", Some(fingerprint)),
            SignatureState::Bad(_) => ("bad", None),
            SignatureState::Unsigned => ("none", None),
            SignatureState::NotSsh => ("unchecked", None),
        };
        let findings: Vec<&Finding> =
            view.findings.iter().filter(|finding| finding.commit == Some(link.commit)).collect();
        let line = TrailLine {
            schema: SCHEMA,
            commit: link.commit,
            kind: &link.kind,
            result: link.result,
            signature,
            key,
            findings,
            record,
        };
        json::write_line(&line, out)?;
    }
    Ok(view)
}
