//! The steps of one task as one line: from the first to the last, each on the one before.
//! Knows nothing of what a step holds; that is looked at step by step.

use std::{collections::BTreeMap, sync::Arc};

use rayon::prelude::*;

use super::{
    claim::{Claim, claim},
    court::Audit,
    finding::About,
    step::{self, State, Told},
};
use crate::{
    git::{Evidence, RawCommit, Unreadable},
    handoff::{
        layout,
        tasks::{self, Format},
    },
    model::{
        object::{CommitId, TreeId},
        record::Outcome,
        task::{Task, TaskId},
        workflow::PhaseId,
    },
    report::audit::{Finding, Rule},
};

/// Steps that a task may have.
const STEPS_MAX: usize = 100_000;
/// Steps that are looked at one after another, so that each finds the state before it ready.
const BLOCK: usize = 16;

/// A step as its message names it.
pub struct Named {
    /// Its commit.
    pub commit: Arc<RawCommit>,
    /// Its number.
    pub seq: u32,
    /// Its phase.
    pub phase: PhaseId,
}

/// What comes before the first step.
pub enum Before {
    /// The commit that the task began on.
    Base(Arc<RawCommit>),
    /// It cannot be read.
    Unreadable(Unreadable),
    /// The line breaks off before step 1, at this commit or with nothing.
    Broken(Option<CommitId>),
}

/// The steps of a task.
pub struct Chain {
    /// The task.
    pub task: TaskId,
    /// The steps, oldest first.
    pub commits: Vec<Named>,
    /// What comes before.
    pub before: Before,
}

impl Chain {
    /// The commit of a step; 0 is the base.
    pub fn commit(&self, seq: u32) -> Option<&Arc<RawCommit>> {
        match (seq, &self.before) {
            (0, Before::Base(base)) => Some(base),
            (0, Before::Unreadable(_) | Before::Broken(_)) => None,
            (seq, _) => self.commits.iter().find(|named| named.seq == seq).map(|named| &named.commit),
        }
    }

    /// The last step.
    pub fn tip(&self) -> &Named {
        self.commits.last().expect("BUG: a chain has at least the step it was traced from")
    }
}

/// Follows the first parents of a step down to the task's first.
pub fn trace(evidence: &Evidence, tip: CommitId, task: &TaskId) -> Chain {
    let mut commits = Vec::new();
    let mut at = tip;
    let before = loop {
        let commit = match evidence.commit(at) {
            Ok(commit) => commit,
            Err(error) => break Before::Unreadable(error),
        };
        match claim(&commit.message) {
            Claim::Step { task: of, seq, phase } if of == *task && commits.len() < STEPS_MAX => {
                let is_first = seq == 1;
                let parent = commit.parents.first().copied();
                commits.push(Named { commit, seq, phase });
                match parent {
                    None => break Before::Broken(None),
                    Some(parent) if is_first => {
                        break match evidence.commit(parent) {
                            Ok(base) => Before::Base(base),
                            Err(error) => Before::Unreadable(error),
                        };
                    }
                    Some(parent) => at = parent,
                }
            }
            _ => break Before::Broken(Some(at)),
        }
    };
    commits.reverse();
    Chain { task: task.clone(), commits, before }
}

/// What is wrong with a chain and its steps.
pub fn judge(audit: &Audit, chain: &Chain) -> Vec<Finding> {
    let mut findings = order(audit, chain);
    let blocks: Vec<(Vec<Finding>, Vec<Told>)> = (0..chain.commits.len())
        .collect::<Vec<_>>()
        .par_chunks(BLOCK)
        .map(|places| {
            let mut findings = Vec::new();
            let mut told = Vec::new();
            let first = places.first().copied().unwrap_or(0);
            let mut state = match first.checked_sub(1) {
                Some(before) => State::of(audit, &chain.commits[before].commit, &chain.task),
                None => match &chain.before {
                    Before::Base(base) => State::of(audit, base, &chain.task),
                    Before::Unreadable(_) => Ok(State::unknown()),
                    Before::Broken(Some(id)) => match audit.evidence.commit(*id) {
                        Ok(commit) => State::of(audit, &commit, &chain.task),
                        Err(_) => Ok(State::unknown()),
                    },
                    Before::Broken(None) => Ok(State::unknown()),
                },
            }
            // What is wrong with it is said where it is judged itself.
            .unwrap_or_else(|_| State::unknown());
            for place in places {
                let (next, said) = step::judge(audit, chain, *place, &state, &mut findings);
                told.extend(said);
                state = next;
            }
            (findings, told)
        })
        .collect();
    let mut told = Vec::new();
    for (found, said) in blocks {
        findings.extend(found);
        told.extend(said);
    }
    findings.extend(reviewers(chain, &told));
    findings.extend(protected(audit, chain, &told));
    findings
}

/// Whether the steps are 1, 2, 3 … in that order.
fn order(audit: &Audit, chain: &Chain) -> Vec<Finding> {
    let mut findings = Vec::new();
    let task = &chain.task;
    for (at, named) in chain.commits.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| chain.commits[before].seq);
        let about = About::step(named.commit.id, task, named.seq);
        let wanted = match before {
            Some(before) => before + 1,
            // Before the first of the line stands something else; that is said below.
            None => continue,
        };
        if named.seq == wanted {
            continue;
        }
        let what = match named.seq.cmp(&wanted) {
            std::cmp::Ordering::Greater if named.seq == wanted + 1 => {
                format!("step {wanted} is missing: step {} stands on step {}", named.seq, wanted - 1)
            }
            std::cmp::Ordering::Greater => {
                format!(
                    "steps {wanted} to {} are missing: step {} stands on step {}",
                    named.seq - 1,
                    named.seq,
                    wanted - 1
                )
            }
            std::cmp::Ordering::Equal | std::cmp::Ordering::Less => {
                format!("step {} stands on step {}", named.seq, wanted - 1)
            }
        };
        findings.push(about.fail(Rule::Order, what).hint(format!("git orchestrate log {task}")));
    }
    let first = &chain.commits[0];
    let about = About::step(first.commit.id, task, first.seq);
    match &chain.before {
        Before::Base(base) => {
            if let Claim::Step { task: of, seq, .. } = claim(&base.message)
                && of == *task
            {
                findings.push(about.fail(Rule::Order, format!("step 1 stands on step {seq} of the same task")));
            }
        }
        Before::Unreadable(error) => findings.push(audit.unreadable(&about, error)),
        Before::Broken(at) => {
            let stands = match at {
                Some(at) => format!("it stands on {}, which is no step of '{task}'", at.short()),
                None => "it stands on nothing".to_owned(),
            };
            let what =
                if first.seq > 1 { format!("{stands}: steps 1 to {} are missing", first.seq - 1) } else { stands };
            findings.push(about.fail(Rule::Chain, what));
        }
    }
    findings
}

/// Families are compared where the state is derived; here what a family cannot tell: the same model, the same session.
fn reviewers(chain: &Chain, told: &[Told]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut done: BTreeMap<&PhaseId, &Told> = BTreeMap::new();
    for said in told {
        if let (Some(subject), true) = (&said.subject, said.outcome != Outcome::Infra) {
            let authors = done.iter().filter(|(phase, _)| {
                **phase == subject || (subject.plan_step().is_none() && phase.spec() == subject.as_str())
            });
            for (_, author) in authors {
                let same = |one: &Option<String>, two: &Option<String>| one.is_some() && one == two;
                let what = if same(&said.session, &author.session) {
                    format!("it was reviewed in the session in which step {} was written", author.seq)
                } else if said.models.iter().any(|model| author.models.contains(model)) {
                    format!("it was reviewed by the model that wrote step {}", author.seq)
                } else {
                    continue;
                };
                findings.push(About::step(said.commit, &chain.task, said.seq).fail(Rule::Reviewer, what));
            }
        }
        if said.is_agent && said.subject.is_none() && said.outcome == Outcome::Done {
            done.insert(&said.phase, said);
        }
    }
    findings
}

/// Protected files that differ between the task's base and the code that counts in the end.
fn protected(audit: &Audit, chain: &Chain, told: &[Told]) -> Vec<Finding> {
    let Some(last) = told.last() else { return Vec::new() };
    let tip = &chain.tip().commit;
    let code = |commit: &RawCommit| commit.tree;
    let base = audit.evidence.commit(last.base).ok();
    let good = chain.commit(last.good);
    let (Some(base), Some(good)) = (base, good) else { return Vec::new() };
    let changes = audit.evidence.diff(code(&base), code(good), crate::git::Part::Code).unwrap_or_default();
    let task = task_of(&audit.evidence, tip.tree, &chain.task);
    let mut findings = Vec::new();
    for change in changes {
        let Some(why) = audit.protected.offends(&change.path, change.kind, task.as_ref()) else { continue };
        let by = told.iter().rev().find(|said| said.wrote.contains(&change.path)).unwrap_or(last);
        if told.iter().any(|said| said.is_approval && said.seq > by.seq) {
            continue;
        }
        let what = format!("it changes {why}, which its task does not declare and nobody approved");
        let hint = format!("add '{}' to 'files' of task '{}'", super::finding::quoted(&change.path), chain.task);
        findings.push(
            About::step(by.commit, &chain.task, by.seq).fail(Rule::Protected, what).file(&change.path).hint(hint),
        );
    }
    findings
}

/// The task as a tree has it.
pub fn task_of(evidence: &Evidence, root: TreeId, id: &TaskId) -> Option<Task> {
    [Format::Toml, Format::Md].into_iter().find_map(|format| {
        let path = format!("{}/{id}.{}", layout::TASKS, format.extension());
        let bytes = evidence.file(root, &path).ok()??;
        tasks::parse(&String::from_utf8_lossy(&bytes), &path, format, id).ok()
    })
}
