//! The merge of a task: of a finished one, of its parents and nothing else, and judged as exactly that tree.
//! Knows nothing of how the task's steps stand; they are judged by themselves.

use std::collections::HashMap;

use super::{
    chain::Chain,
    claim::{Claim, block, strays},
    court::Audit,
    definition::Given,
    finding::About,
    strict,
    walk::Walked,
};
use crate::{
    git::{ChangeKind, OnConflict, Part, RawCommit, Unreadable},
    handoff::{checkpoints, landings, layout},
    model::{checkpoint::TaskState, landing::Landing, object::CommitId, record::CheckResult, task::TaskId},
    report::audit::{Finding, Rule},
};

/// Finds the chain that a step is of, and its place in it.
pub type ChainOf<'a> = dyn Fn(CommitId) -> Option<(&'a Chain, usize)> + Sync + 'a;

/// Judges the merge of a task, or with none that of the integration branch into a person's.
pub fn judge(audit: &Audit, commit: &RawCommit, task: Option<&TaskId>, chain_of: &ChainOf) -> Vec<Finding> {
    let about = task.map_or_else(|| About::commit(commit.id), |task| About::task(commit.id, task));
    let mut findings = audit.signature(&about, commit);
    let looked = match task {
        Some(task) => of_task(audit, commit, task, &about, chain_of, &mut findings),
        None => of_branch(audit, commit, &about, &mut findings),
    };
    if let Err(error) = looked {
        findings.push(audit.unreadable(&about, &error));
    }
    findings
}

fn of_task(
    audit: &Audit,
    commit: &RawCommit,
    task: &TaskId,
    about: &About,
    chain_of: &ChainOf,
    findings: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let evidence = &audit.evidence;
    let must = format!("Orchestrate-Task: {task}\nOrchestrate-Step: land\nOrchestrate-Outcome: done");
    if block(&commit.message) != must || strays(&commit.message) > 0 {
        findings.push(about.fail(Rule::Trailers, "its message has other trailers than a landing's"));
    }
    let [onto, tip] = commit.parents.as_slice() else {
        let what = format!("it says that it is a landing, and has {} parents, not two", commit.parents.len());
        findings.push(about.fail(Rule::Landing, what));
        return Ok(());
    };
    let (onto, tip) = (evidence.commit(*onto)?, evidence.commit(*tip)?);
    let state = layout::checkpoint(task);
    let record_file = layout::landing(task);
    let entry = |root, path: &str| evidence.entry(root, path);
    for change in evidence.diff(onto.tree, commit.tree, Part::Handoff)? {
        let is_state = change.path == state && change.kind != ChangeKind::Removed;
        let is_record = change.path == record_file && change.kind != ChangeKind::Removed;
        if !is_state && !is_record {
            let what = "it changes a file that a landing does not touch";
            findings.push(about.fail(Rule::Handoff, what).file(change.path));
        }
    }
    let (is, must) = (entry(commit.tree, &state)?, entry(tip.tree, &state)?);
    if is != must || is.is_none() {
        let what = "the state that it brings along is not that of the task's last step";
        findings.push(about.fail(Rule::Checkpoint, what).file(&state));
    }
    let Some((chain, _)) = chain_of(tip.id).filter(|(chain, _)| chain.task == *task) else {
        let what = format!("it merges {}, which is no step of '{task}'", tip.id.short());
        findings.push(about.fail(Rule::Landing, what));
        return Ok(());
    };
    let text = evidence.file(tip.tree, &state)?.unwrap_or_default();
    let checkpoint = checkpoints::from_toml(&String::from_utf8_lossy(&text), &state).ok();
    let Some(checkpoint) = checkpoint else { return Ok(()) };
    if checkpoint.state() != TaskState::Finished {
        let what = format!("it merges a task that is '{}', not finished", checkpoint.state());
        findings.push(about.fail(Rule::Landing, what));
    }
    let code = evidence.code(commit.tree)?;
    let base = evidence.commit(checkpoint.base);
    if let (Some(good), Ok(base)) = (chain.commit(checkpoint.good), base) {
        let mut draft = evidence.repository().draft();
        let trees = [&*base, &*onto, &**good].map(|commit| draft.without_handoff(commit.tree));
        if let [Ok(base), Ok(onto), Ok(good)] = trees {
            let merged = draft.merge_trees(base, onto, good, OnConflict::KeepOurs);
            if merged.is_ok_and(|merged| merged.tree != code || !merged.conflicts.is_empty()) {
                let what = "its code is not what the task's changes make of the branch";
                findings.push(about.fail(Rule::Landing, what));
            }
        }
    }
    let Some(record) = read(audit, commit, &record_file, about, findings)? else { return Ok(()) };
    if record.task.as_ref() != Some(task) || (record.onto, record.tip) != (onto.id, tip.id) {
        let what = "its record is of another merge";
        findings.push(about.fail(Rule::Landing, what).file(&record_file));
    }
    if !record.batch.contains(task) {
        let what = "its record does not name it among the tasks that were gated";
        findings.push(about.fail(Rule::Landing, what).file(&record_file));
    }
    judged(audit, commit, &record, [&onto, &tip], about, findings)
}

/// The merge of the integration branch into a person's.
fn of_branch(audit: &Audit, commit: &RawCommit, about: &About, findings: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let [onto, tip] = commit.parents.as_slice() else { return Ok(()) };
    let (onto, tip) = (audit.evidence.commit(*onto)?, audit.evidence.commit(*tip)?);
    let file = layout::landing_onto();
    let Some(record) = read(audit, commit, &file, about, findings)? else { return Ok(()) };
    if record.task.is_some() || (record.onto, record.tip) != (onto.id, tip.id) {
        findings.push(about.fail(Rule::Landing, "its record is of another merge").file(&file));
    }
    if record.gate.is_none() {
        findings.push(about.fail(Rule::Landing, "no verdict of a gate is on it").file(&file));
    }
    judged(audit, commit, &record, [&onto, &tip], about, findings)
}

/// The record of a landing, if it has one that can be read.
fn read(
    audit: &Audit,
    commit: &RawCommit,
    path: &str,
    about: &About,
    findings: &mut Vec<Finding>,
) -> Result<Option<Landing>, Unreadable> {
    let Some(bytes) = audit.evidence.file(commit.tree, path)? else {
        let what = "it carries no record of the verdict that let it pass";
        findings.push(about.absent(Rule::Landing, what).file(path));
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes);
    let read = strict::check(&bytes).and_then(|()| landings::from_json(&text, path).map_err(|problem| problem.what));
    match read {
        Ok(record) => Ok(Some(record)),
        Err(why) => {
            findings.push(about.fail(Rule::Record, format!("its record cannot be read: {why}")).file(path));
            Ok(None)
        }
    }
}

/// The verdict in a landing's record: a pass, on exactly this code, by a definition that asks for what both sides ask for.
fn judged(
    audit: &Audit,
    commit: &RawCommit,
    record: &Landing,
    [onto, tip]: [&RawCommit; 2],
    about: &About,
    findings: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let evidence = &audit.evidence;
    let code = evidence.code(commit.tree)?;
    if record.code != code {
        let what = format!("its code is {}, its record names {}", code.short(), record.code.short());
        findings.push(about.fail(Rule::Landing, what));
    }
    let Some(verdict) = &record.gate else { return Ok(()) };
    if verdict.tree != code {
        let what = format!("the gate's verdict is on {}, what landed is {}", verdict.tree.short(), code.short());
        findings.push(about.fail(Rule::Landing, what));
    }
    if verdict.result != CheckResult::Pass || verdict.checks.is_empty() {
        findings.push(about.fail(Rule::Landing, "the gate did not pass it"));
    }
    let given = Given { verdict, text: record.definition.as_deref() };
    let (ours, theirs) = (evidence.file(onto.tree, layout::CONFIG)?, evidence.file(tip.tree, layout::CONFIG)?);
    let configs = [ours.clone(), theirs, record.config.clone().map(String::into_bytes)];
    let mut wrong = None;
    for config in configs.iter().flatten() {
        match given.is_of(Some(config), audit.definition_of) {
            Ok(()) => {
                wrong = None;
                break;
            }
            Err(why) => wrong = wrong.or(Some(why)),
        }
    }
    if configs.iter().flatten().next().is_none() {
        wrong = given.is_of(None, audit.definition_of).err();
    }
    if let Some((rule, standing, what)) = wrong.or_else(|| given.covers(ours.as_deref()).err()) {
        let mut finding = about.fail(rule, what).file(layout::CONFIG);
        finding.standing = standing;
        findings.push(finding);
    }
    Ok(())
}

/// Tasks that were gated together: the verdict is on the last of them, so it must follow the others at once.
pub fn batches(audit: &Audit, walked: &Walked) -> Vec<Finding> {
    let mut records: HashMap<CommitId, Landing> = HashMap::new();
    let mut child: HashMap<CommitId, CommitId> = HashMap::new();
    for id in &walked.order {
        let found = &walked.found[id];
        let Claim::Landing { task } = &found.claim else { continue };
        if let Ok(Some(bytes)) = audit.evidence.file(found.commit.tree, &layout::landing(task))
            && let Ok(record) = landings::from_json(&String::from_utf8_lossy(&bytes), "")
        {
            records.insert(*id, record);
        }
        if let Some(parent) = found.commit.parents.first() {
            child.insert(*parent, *id);
        }
    }
    let mut findings = Vec::new();
    for (id, record) in &records {
        let mut at = (*id, record);
        while at.1.gate.is_none()
            && let Some(next) = child.get(&at.0).and_then(|next| records.get_key_value(next))
            && next.1.batch == record.batch
        {
            at = (*next.0, next.1);
        }
        if at.1.gate.is_none()
            && let Some(task) = &record.task
        {
            let what = "no verdict of a gate is on it, nor on a landing that was gated with it";
            findings.push(About::task(*id, task).fail(Rule::Landing, what).file(layout::landing(task)));
        }
    }
    findings
}
