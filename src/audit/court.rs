//! What every judgement needs: the objects, whose signatures count, what is protected. Judges a scope from end to end.
//! Knows nothing of how a step, a landing or a person's commit is judged; each has its own file.

use std::collections::{BTreeMap, HashMap, HashSet};

use rayon::prelude::*;

use super::{
    chain::{self, Chain},
    claim::{Claim, claim},
    finding::About,
    landing,
    memory::Memory,
    person,
    protected::Protected,
    scope::{Scope, Tip},
    trust::Trust,
    walk::{Walked, walk},
};
use crate::{
    config::settings::Settings,
    git::{Evidence, RawCommit, Repository, SignatureState, Unreadable, verify_bytes},
    handoff::layout,
    model::{object::CommitId, task::TaskId},
    report::audit::{AuditView, Finding, Link, LinkKind, Rule, Standing},
};

/// The text of a gate's definition, as this version of the program writes it; none: there is no such profile.
pub type DefinitionOf = fn(&Settings, &str) -> Option<String>;

/// Judges.
pub struct Audit<'a> {
    pub(super) evidence: Evidence<'a>,
    pub(super) trust: &'a Trust,
    pub(super) protected: &'a Protected,
    pub(super) definition_of: DefinitionOf,
    pub(super) memory: Memory,
    shallow: HashSet<CommitId>,
    rewritten: HashMap<CommitId, &'static str>,
}

impl<'a> Audit<'a> {
    /// A judge who believes these keys.
    pub fn new(
        repository: &'a Repository,
        trust: &'a Trust,
        protected: &'a Protected,
        definition_of: DefinitionOf,
    ) -> Self {
        let evidence = Evidence::of(repository);
        let (shallow, rewritten) = (evidence.shallow(), evidence.rewritten());
        Self { evidence, trust, protected, definition_of, memory: Memory::none(), shallow, rewritten }
    }

    /// With what was judged before and found right, kept in this directory.
    pub fn remembering(mut self, dir: &std::path::Path) -> Self {
        self.memory = Memory::load(dir, &self.trust.digest, self.protected);
        self
    }

    /// Whether the repository's history ends where it was cut off, not where it began.
    pub(super) fn is_cut_off(&self) -> bool {
        !self.shallow.is_empty()
    }

    /// What an unreadable object means.
    pub(super) fn unreadable(&self, about: &About, error: &Unreadable) -> Finding {
        about.unreadable(error, self.is_cut_off())
    }

    /// What is wrong with a commit's signature and with how the commit is made; every commit of ours is signed.
    pub(super) fn signature(&self, about: &About, commit: &RawCommit) -> Vec<Finding> {
        let mut findings = Vec::new();
        match verify_bytes(&commit.bytes, &self.trust.signers) {
            SignatureState::Good { .. } => {}
            SignatureState::GoodUnknownKey { fingerprint } => {
                let who = super::finding::quoted(&commit.committer.email);
                let what = format!("it is signed by {fingerprint}, which nobody trusts to sign for '{who}'");
                let hint = "git orchestrate verify --allowed-signers <file>, if you know that key";
                findings.push(about.fail(Rule::Signer, what).hint(hint));
            }
            SignatureState::Bad(why) => findings.push(about.fail(Rule::Signature, why)),
            SignatureState::Unsigned => findings.push(about.fail(Rule::Signature, "it is not signed")),
            SignatureState::NotSsh => {
                let what = "its signature is of another program than ssh, which is not checked here";
                let hint = format!("git verify-commit {}", commit.id.short());
                findings.push(about.absent(Rule::Signature, what).hint(hint));
            }
        }
        let known = |name: &String| {
            ["tree", "parent", "author", "committer", "gpgsig", "gpgsig-sha256"].contains(&name.as_str())
        };
        if let Some(header) = commit.headers.iter().find(|name| !known(name)) {
            let header = super::finding::quoted(header);
            findings.push(about.fail(Rule::Object, format!("it has a header '{header}', which no commit of ours has")));
        }
        findings
    }

    /// Judges a commit, unless it was found right before; found right by the whole of this judgement, it is remembered.
    pub fn once(&self, commit: CommitId, judge: impl FnOnce() -> Vec<Finding>) -> Vec<Finding> {
        if self.memory.has(commit) {
            return Vec::new();
        }
        let findings = judge();
        if findings.is_empty() {
            self.memory.add(commit);
        }
        findings
    }

    /// Judges everything in a scope.
    pub fn judge(&self, scope: &Scope) -> AuditView {
        let walked = walk(&self.evidence, scope);
        let mut findings = Vec::new();
        for (from, error) in &walked.unreadable {
            let about = from.map_or_else(About::default, About::commit);
            findings.push(self.unreadable(&about, error));
        }
        let chains = self.chains(&walked);
        let of_steps: Vec<Finding> = chains
            .par_iter()
            .flat_map_iter(|chain| self.once(chain.tip().commit.id, || chain::judge(self, chain)))
            .collect();
        let held: HashMap<CommitId, (usize, usize)> = chains
            .iter()
            .enumerate()
            .flat_map(|(at, chain)| chain.commits.iter().enumerate().map(move |(place, c)| (c.commit.id, (at, place))))
            .collect();
        let of_chain = |commit: CommitId| held.get(&commit).map(|(at, place)| (&chains[*at], *place));
        let others: Vec<Finding> = walked
            .order
            .par_iter()
            .flat_map_iter(|id| {
                let found = &walked.found[id];
                match &found.claim {
                    Claim::Step { .. } => Vec::new(),
                    Claim::Landing { task } => {
                        self.once(*id, || landing::judge(self, &found.commit, Some(task), &of_chain))
                    }
                    Claim::Garbled(why) => vec![About::commit(*id).fail(Rule::Claim, why)],
                    Claim::None => self.once(*id, || person::judge(self, &found.commit, &of_chain)),
                }
            })
            .collect();
        findings.extend(of_steps);
        findings.extend(others);
        findings.extend(landing::batches(self, &walked));
        findings.extend(self.histories(&walked));
        if self.trust.view.first_use {
            let what = "the keys are those that the commits themselves bring along: they show that one hand made all of \
                        it, not whose";
            let hint = "compare the keys with their owner, then: git orchestrate verify --allowed-signers <file>";
            findings.push(About::default().absent(Rule::Trust, what).hint(hint));
        }
        // Of what the other side has already, nothing is said: it was judged when it went there.
        findings.retain(|finding| finding.commit.is_none_or(|commit| walked.found.contains_key(&commit)));
        // Where refs stand is judged even if they stand on what is known.
        findings.extend(self.refs(scope, &walked));
        let view = view(self, &walked, findings);
        self.memory.save();
        view
    }

    /// The chains of steps in what was walked: one for each last step of a task.
    fn chains(&self, walked: &Walked) -> Vec<Chain> {
        let mut tips: BTreeMap<CommitId, &TaskId> = BTreeMap::new();
        let mut has_successor: HashSet<CommitId> = HashSet::new();
        for id in &walked.order {
            let found = &walked.found[id];
            if let Claim::Step { task, .. } = &found.claim {
                tips.insert(*id, task);
                if let Some(parent) = found.commit.parents.first()
                    && matches!(&walked.found.get(parent).map(|p| &p.claim), Some(Claim::Step { task: of, .. }) if of == task)
                {
                    has_successor.insert(*parent);
                }
            }
        }
        let mut chains: Vec<Chain> = tips
            .into_iter()
            .filter(|(id, _)| !has_successor.contains(id))
            .map(|(id, task)| chain::trace(&self.evidence, id, task))
            .collect();
        chains.sort_by(|one, two| one.task.cmp(&two.task));
        chains
    }

    /// Whether our refs stand where they may.
    fn refs(&self, scope: &Scope, walked: &Walked) -> Vec<Finding> {
        let mut findings = Vec::new();
        for tip in &scope.tips {
            let name = tip.name.as_deref().unwrap_or_default();
            let own_task = name.strip_prefix(layout::TASK_REFS).and_then(|task| task.parse::<TaskId>().ok());
            if let Some(task) = &own_task {
                let claimed = match walked.found.get(&tip.commit) {
                    Some(found) => Some(found.claim.clone()),
                    None => self.evidence.commit(tip.commit).ok().map(|commit| claim(&commit.message)),
                };
                let is_step = claimed.is_none_or(|claim| matches!(claim, Claim::Step { task: of, .. } if of == *task));
                if !is_step {
                    let what = format!("the branch of '{task}' ends in a commit that is no step of it");
                    findings.push(About::task(tip.commit, task).fail(Rule::Chain, what));
                }
            }
            if name.starts_with("refs/heads/orchestrate/") || self.is_one_task(tip) {
                findings.extend(self.rewound(tip, own_task.as_ref()));
            }
        }
        findings
    }

    /// Whether a tip and where it was are steps of one task.
    fn is_one_task(&self, tip: &Tip) -> bool {
        let task = |id: CommitId| match claim(&self.evidence.commit(id).ok()?.message) {
            Claim::Step { task, .. } => Some(task),
            Claim::Landing { .. } | Claim::Garbled(_) | Claim::None => None,
        };
        tip.old.and_then(task).is_some_and(|of| task(tip.commit) == Some(of))
    }

    /// A branch of ours only grows: where it stood is a first parent of where it stands.
    fn rewound(&self, tip: &Tip, task: Option<&TaskId>) -> Option<Finding> {
        let old = tip.old.filter(|old| *old != tip.commit)?;
        let mut at = Some(tip.commit);
        while let Some(id) = at.filter(|id| *id != old) {
            at = self.evidence.commit(id).ok().and_then(|commit| commit.parents.first().copied());
        }
        if at.is_some() {
            return None;
        }
        let about = About { commit: Some(tip.commit), task: task.cloned(), step: None };
        let what = format!("the branch was at {} and did not grow from there: steps were taken back", old.short());
        Some(about.fail(Rule::Rewound, what).hint(format!("git log {}..{}", tip.commit.short(), old.short())))
    }

    /// Commits of which git shows another history.
    fn histories(&self, walked: &Walked) -> Vec<Finding> {
        let rewritten = self.rewritten.iter().filter(|(id, _)| walked.found.contains_key(id));
        let mut findings: Vec<Finding> = rewritten
            .map(|(id, by)| {
                let what =
                    format!("git shows another commit in its place, by {by}; what was judged is the commit itself");
                let hint = match *by {
                    "refs/replace" => format!("git replace -d {id}"),
                    _ => "remove the line from .git/info/grafts".to_owned(),
                };
                About::commit(*id).fail(Rule::History, what).hint(hint)
            })
            .collect();
        for id in self.shallow.iter().filter(|id| walked.found.contains_key(id)) {
            let parents = &walked.found[id].commit.parents;
            // A clone that is cut off has no more; here there is more, which git is told not to show.
            if !parents.is_empty() && parents.iter().all(|parent| self.evidence.commit(*parent).is_ok()) {
                let what = "git shows no history before it, by .git/shallow, although it is there";
                findings.push(About::commit(*id).fail(Rule::History, what).hint("git fetch --unshallow"));
            }
        }
        findings
    }
}

fn view(audit: &Audit, walked: &Walked, mut findings: Vec<Finding>) -> AuditView {
    let place: HashMap<CommitId, usize> = walked.order.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    findings.sort_by_key(|finding| {
        let at = finding.commit.and_then(|commit| place.get(&commit)).map_or(usize::MAX, |at| *at);
        // Oldest first: what came first is what the rest follows from.
        (std::cmp::Reverse(at), std::cmp::Reverse(finding.standing), finding.rule)
    });
    findings.dedup();
    // What is said of a step need not be said of its commit again.
    let of_steps: HashSet<(Option<CommitId>, String)> =
        findings.iter().filter(|f| f.step.is_some()).map(|f| (f.commit, f.what.clone())).collect();
    findings.retain(|f| f.step.is_some() || f.commit.is_none() || !of_steps.contains(&(f.commit, f.what.clone())));
    let mut worst: HashMap<CommitId, Standing> = HashMap::new();
    for finding in &findings {
        if let Some(commit) = finding.commit {
            let known = worst.entry(commit).or_insert(Standing::Ok);
            *known = finding.standing.max(*known);
        }
    }
    let links = walked.order.iter().map(|id| {
        let kind = match &walked.found[id].claim {
            Claim::Step { task, seq, phase } => LinkKind::Step { task: task.clone(), step: *seq, phase: phase.clone() },
            Claim::Landing { task } => LinkKind::Landing { task: Some(task.clone()) },
            Claim::None if person::is_landing(audit, &walked.found[id].commit) => LinkKind::Landing { task: None },
            Claim::None | Claim::Garbled(_) => LinkKind::Person,
        };
        Link { commit: *id, kind, result: worst.get(id).copied().unwrap_or(Standing::Ok) }
    });
    let links: Vec<Link> = links.collect();
    let result = findings.iter().map(|finding| finding.standing).max().unwrap_or(Standing::Ok);
    AuditView { result, trust: audit.trust.view.clone(), links, findings }
}
