//! Which commits are judged: what the tips reach, without what is known.
//! Knows nothing of what the commits should be.

use std::{
    collections::{BinaryHeap, HashMap, HashSet},
    sync::Arc,
};

use super::{
    claim::{Claim, claim},
    scope::Scope,
};
use crate::{
    git::{Evidence, RawCommit, Unreadable},
    handoff::layout,
    model::object::{CommitId, TreeId},
};

/// A commit that is judged, and what it says of itself.
pub struct Found {
    /// The commit.
    pub commit: Arc<RawCommit>,
    /// What it claims to be.
    pub claim: Claim,
}

/// What was found.
pub struct Walked {
    /// The commits, newest first as far as their dates tell.
    pub order: Vec<CommitId>,
    /// The commits by name.
    pub found: HashMap<CommitId, Found>,
    /// What could not be read, and which commit named it.
    pub unreadable: Vec<(Option<CommitId>, Unreadable)>,
}

struct Walk<'a> {
    evidence: &'a Evidence<'a>,
    commits: HashMap<CommitId, Arc<RawCommit>>,
    /// What the other side has, as far as was walked.
    known: HashSet<CommitId>,
    /// What is still to be looked at, by its date.
    queue: BinaryHeap<(i64, CommitId)>,
    /// That of it which is not known.
    open: HashSet<CommitId>,
    unreadable: Vec<(Option<CommitId>, Unreadable)>,
}

/// Walks. Dates only decide in which order commits are looked at: one that lies makes more be judged, never less.
pub fn walk(evidence: &Evidence, scope: &Scope) -> Walked {
    let mut walk = Walk {
        evidence,
        commits: HashMap::new(),
        known: scope.without.iter().copied().collect(),
        queue: BinaryHeap::new(),
        open: HashSet::new(),
        unreadable: Vec::new(),
    };
    scope.without.iter().for_each(|id| walk.visit(*id, None));
    scope.tips.iter().for_each(|tip| walk.visit(tip.commit, None));
    let (mut order, mut oldest) = (Vec::new(), i64::MAX);
    while let Some((seconds, id)) = walk.queue.pop() {
        // What is known is followed back to the time of what seems not to be: commits of one second come in any order.
        if walk.open.is_empty() && seconds < oldest {
            break;
        }
        walk.open.remove(&id);
        let commit = walk.commits[&id].clone();
        if walk.known.contains(&id) {
            for parent in &commit.parents {
                walk.mark_known(*parent);
                walk.visit(*parent, Some(id));
            }
            continue;
        }
        order.push(id);
        oldest = oldest.min(seconds);
        if goes_on(evidence, scope, &commit) {
            commit.parents.iter().for_each(|parent| walk.visit(*parent, Some(id)));
        }
    }
    order.retain(|id| !walk.known.contains(id));
    let found = order.iter().map(|id| {
        let commit = walk.commits[id].clone();
        let claim = claim(&commit.message);
        (*id, Found { commit, claim })
    });
    Walked { found: found.collect(), unreadable: walk.unreadable, order }
}

impl Walk<'_> {
    fn visit(&mut self, id: CommitId, from: Option<CommitId>) {
        if self.commits.contains_key(&id) {
            return;
        }
        let is_known = self.known.contains(&id);
        match self.evidence.commit(id) {
            Ok(commit) => {
                self.queue.push((commit.committer.seconds, id));
                self.commits.insert(id, commit);
                if !is_known {
                    self.open.insert(id);
                }
            }
            // What the other side has need not be here.
            Err(_) if is_known => {}
            Err(error) => self.unreadable.push((from, error)),
        }
    }

    /// Marks a commit, and all of its ancestors that were come by.
    fn mark_known(&mut self, id: CommitId) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if self.known.insert(id) {
                self.open.remove(&id);
                open.extend(self.commits.get(&id).into_iter().flat_map(|commit| commit.parents.iter().copied()));
            }
        }
    }
}

/// Whether there can be commits of ours before this one: without a range, the walk ends where no task has landed yet.
fn goes_on(evidence: &Evidence, scope: &Scope, commit: &RawCommit) -> bool {
    if !scope.without.is_empty() || claim(&commit.message) != Claim::None || commit.parents.len() > 1 {
        return true;
    }
    let own = [layout::CHECKPOINTS, layout::LANDINGS, layout::STEPS];
    let is_own = |name: &str| own.iter().any(|dir| dir.rsplit('/').next() == Some(name));
    match evidence.entry(commit.tree, layout::DIR) {
        Ok(Some(entry)) if entry.is_tree() => match evidence.tree(TreeId(entry.id)) {
            Ok(below) => below.iter().any(|entry| std::str::from_utf8(&entry.name).is_ok_and(is_own)),
            Err(_) => true,
        },
        Ok(_) => false,
        Err(_) => true,
    }
}
