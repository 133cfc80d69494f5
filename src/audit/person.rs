//! A commit that claims nothing: a person's. Their code is their own; the state of tasks is not theirs to change.
//! Knows nothing of what the states should be.

use super::{court::Audit, finding::About, landing, landing::ChainOf};
use crate::{
    git::{ChangeKind, Part, RawCommit, Unreadable},
    handoff::layout,
    report::audit::{Finding, Rule},
};

/// Whether it is a merge by which the program brought the integration branch to a person's: it has a record of its own.
pub fn is_landing(audit: &Audit, commit: &RawCommit) -> bool {
    let [onto, _] = commit.parents.as_slice() else { return false };
    let own = |root| audit.evidence.entry(root, &layout::landing_onto()).ok().flatten();
    let is = own(commit.tree);
    let before = audit.evidence.commit(*onto).ok().and_then(|onto| own(onto.tree));
    is.is_some() && is != before && !from_other_parents(audit, commit, &layout::landing_onto())
}

fn from_other_parents(audit: &Audit, commit: &RawCommit, path: &str) -> bool {
    let entry = |root| audit.evidence.entry(root, path).ok().flatten();
    let is = entry(commit.tree);
    commit
        .parents
        .iter()
        .skip(1)
        .any(|parent| audit.evidence.commit(*parent).is_ok_and(|parent| is.is_some() && entry(parent.tree) == is))
}

/// Judges it.
pub fn judge(audit: &Audit, commit: &RawCommit, chain_of: &ChainOf) -> Vec<Finding> {
    let about = About::commit(commit.id);
    let mut findings = Vec::new();
    let is_landing = is_landing(audit, commit);
    if is_landing {
        findings.extend(landing::judge(audit, commit, None, chain_of));
    }
    if let Err(error) = states(audit, commit, is_landing, &about, &mut findings) {
        findings.push(audit.unreadable(&about, &error));
    }
    findings
}

/// States, records of steps and of landings come from steps and landings alone; a merge may bring them along as they are.
fn states(
    audit: &Audit,
    commit: &RawCommit,
    is_landing: bool,
    about: &About,
    findings: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let Some(parent) = commit.parents.first() else { return Ok(()) };
    let parent = match audit.evidence.commit(*parent) {
        Ok(parent) => parent,
        // The walk has said so.
        Err(_) => return Ok(()),
    };
    for change in audit.evidence.diff(parent.tree, commit.tree, Part::Handoff)? {
        let is_state = [layout::CHECKPOINTS, layout::STEPS, layout::LANDINGS]
            .iter()
            .any(|dir| change.path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/') || rest.is_empty()));
        let is_own = is_landing && change.path == layout::landing_onto();
        if !is_state || is_own || from_other_parents(audit, commit, &change.path) {
            continue;
        }
        let finding = match change.kind {
            ChangeKind::Added | ChangeKind::Modified => {
                about.fail(Rule::Handoff, "it changes by hand what only steps and landings may change")
            }
            ChangeKind::Removed => about.absent(Rule::Handoff, "it removes what proves a task's work"),
        };
        findings.push(finding.file(change.path));
    }
    Ok(())
}
