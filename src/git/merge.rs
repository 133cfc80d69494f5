//! Merges three trees in memory, by git's rules.
//! Knows nothing of commits or branches; who merges says which tree is whose.

use std::collections::{BTreeMap, BTreeSet};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    merge::{
        blob::builtin_driver::text::Labels,
        tree::{Resolution, TreatAsUnresolved},
    },
};

use super::{
    draft::Draft,
    error::{During, GitError},
    object::{gix_tree, tree_id},
    renames::{self, Rename},
    tree::{self, LeafChange},
};
use crate::model::object::TreeId;

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The merged tree.
    pub tree: TreeId,
    /// What could not be merged, by path; empty: it is clean.
    pub conflicts: Vec<Conflict>,
}

/// A path that could not be merged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The path; what is no UTF-8 is replaced.
    pub path: String,
    /// Why, a sentence without a full stop.
    pub why: String,
}

/// What the tree holds where there is a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// Our version of the path; markers never get into a tree.
    KeepOurs,
}

impl Draft {
    /// Merges `theirs` into `ours`, both made on `base`. The trees are code trees. Where git would ask whether a directory was
    /// renamed, there is a conflict.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub fn merge_trees(
        &mut self,
        base: TreeId,
        ours: TreeId,
        theirs: TreeId,
        on_conflict: OnConflict,
    ) -> Result<Merged, GitError> {
        let clean = |tree| Ok(Merged { tree, conflicts: Vec::new() });
        if base == theirs || ours == theirs {
            return clean(ours);
        }
        if base == ours {
            return clean(theirs);
        }
        let [base, ours, theirs] = [base, ours, theirs].map(gix_tree);
        let our_changes = tree::diff(self.handle(), base, ours)?;
        let their_changes = tree::diff(self.handle(), base, theirs)?;
        if are_apart(&our_changes, &their_changes) {
            let tree = self.edit_leaves(ours, their_changes.iter())?;
            return clean(tree_id(tree));
        }
        let renamed = self.renamed_everywhere(base, [(ours, &our_changes), (theirs, &their_changes)])?;
        let unclear = match renamed {
            Some([base, ours, theirs]) => {
                let merged = self.merge_trees(base, ours, theirs, on_conflict)?;
                if merged.conflicts.is_empty() {
                    return Ok(merged);
                }
                merged.conflicts
            }
            None => self.moved_and_removed(&our_changes, &their_changes)?,
        };
        let easy = mode_and_content(&our_changes, &their_changes);
        let (ours, theirs) = (self.edit_leaves(ours, easy.iter())?, self.edit_leaves(theirs, easy.iter())?);
        let (merged, mut conflicts) = self.merge_contents(base, ours, theirs)?;
        if conflicts.is_empty() {
            conflicts.extend(unclear.into_iter().map(|conflict| (conflict.path.into(), conflict.why)));
        }
        if conflicts.is_empty() {
            return clean(tree_id(merged));
        }
        match on_conflict {
            OnConflict::KeepOurs => {
                let tree = self.without_conflicts(ours, merged, &our_changes, &their_changes, &conflicts)?;
                let conflicts = conflicts
                    .into_iter()
                    .map(|(path, why)| Conflict { path: path.to_str_lossy().into_owned(), why })
                    .collect();
                Ok(Merged { tree: tree_id(tree), conflicts })
            }
        }
    }

    /// The three trees with renames made in all of them that git sees and gix does not, so that none is left to be found; none
    /// if there are none.
    fn renamed_everywhere(
        &mut self,
        base: ObjectId,
        sides: [(ObjectId, &[LeafChange]); 2],
    ) -> Result<Option<[TreeId; 3]>, GitError> {
        let mut base_edits = Vec::new();
        let mut trees = sides.map(|(tree, _)| tree);
        for (at, (_, side)) in sides.iter().enumerate() {
            let (other_tree, other) = sides[1 - at];
            let mut renames = renames::ambiguous(side, other);
            // Of a binary file whose content both changed there is a conflict, which gix sees too.
            let moved = renames::binary(self.handle(), side, other)?.into_iter();
            renames.extend(moved.filter(|rename| touched(rename.from, other).is_some_and(is_mode_change)));
            let mut other_edits = Vec::new();
            for Rename { from, to } in renames {
                let Some(after) = touched(from, other).and_then(|change| change.after) else { continue };
                if touched(to, other).is_some() || !after.0.is_blob() {
                    continue;
                }
                for (edits, leaf) in [(&mut base_edits, from.before), (&mut other_edits, Some(after))] {
                    edits.push(LeafChange { path: from.path.clone(), before: leaf, after: None });
                    edits.push(LeafChange { path: to.path.clone(), before: None, after: leaf });
                }
            }
            trees[1 - at] = self.edit_leaves(other_tree, other_edits.iter())?;
        }
        if base_edits.is_empty() {
            return Ok(None);
        }
        let base = self.edit_leaves(base, base_edits.iter())?;
        Ok(Some([base, trees[0], trees[1]].map(tree_id)))
    }

    /// Binary files that one side moved and the other removed, or moved elsewhere.
    fn moved_and_removed(&self, ours: &[LeafChange], theirs: &[LeafChange]) -> Result<Vec<Conflict>, GitError> {
        let mut found = Vec::new();
        for (side, other) in [(ours, theirs), (theirs, ours)] {
            for Rename { from, to } in renames::binary(self.handle(), side, other)? {
                let is_gone = touched(from, other).is_some_and(|change| change.after.is_none());
                let is_same = touched(to, other).is_some_and(|change| change.after == to.after);
                if is_gone && !is_same {
                    let why = "one side renamed it, the other removed it".to_owned();
                    let path = |change: &LeafChange| change.path.to_str_lossy().into_owned();
                    found.push(Conflict { path: path(from), why: why.clone() });
                    found.push(Conflict { path: path(to), why });
                }
            }
        }
        Ok(found)
    }

    fn edit_leaves<'a>(
        &mut self,
        base: ObjectId,
        changes: impl Iterator<Item = &'a LeafChange> + Clone,
    ) -> Result<ObjectId, GitError> {
        let gone = changes.clone().filter(|change| change.after.is_none()).map(|change| (change.path.clone(), None));
        let come = changes.filter_map(|change| {
            let (mode, id) = change.after?;
            Some((change.path.clone(), Some((mode.kind(), id))))
        });
        let edits: Vec<_> = gone.chain(come).collect();
        self.edit(base, edits.into_iter())
    }

    /// The full merge, with renames. Its tree is only good if there are no conflicts.
    fn merge_contents(
        &mut self,
        base: ObjectId,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<(ObjectId, BTreeMap<BString, String>), GitError> {
        let doing = || format!("merge the tree '{theirs}' into '{ours}'");
        let handle = self.handle();
        let options = handle.tree_merge_options().during(doing)?;
        let labels =
            Labels { ancestor: Some("base".into()), current: Some("ours".into()), other: Some("theirs".into()) };
        let mut outcome = handle.merge_trees(base, ours, theirs, labels, options).during(doing)?;
        let mut conflicts = BTreeMap::new();
        for conflict in &outcome.conflicts {
            let renamed_around = matches!(conflict.resolution, Ok(Resolution::SourceLocationAffectedByRename { .. }));
            let why = if conflict.is_unresolved(TreatAsUnresolved::git()) {
                match &conflict.resolution {
                    Ok(_) => "both sides changed the same lines".to_owned(),
                    Err(failure) => told(failure),
                }
            } else if renamed_around {
                "one side renamed the directory that the other side added to".to_owned()
            } else {
                continue;
            };
            for side in [&conflict.ours, &conflict.theirs] {
                for path in [side.location(), side.source_location()] {
                    conflicts.entry(path.to_owned()).or_insert_with(|| why.clone());
                }
            }
        }
        let tree = outcome.tree.write().during(doing)?.detach();
        Ok((tree, conflicts))
    }

    /// Our tree with all of their changes that do not touch a conflict.
    fn without_conflicts(
        &mut self,
        ours: ObjectId,
        merged: ObjectId,
        our_changes: &[LeafChange],
        their_changes: &[LeafChange],
        conflicts: &BTreeMap<BString, String>,
    ) -> Result<ObjectId, GitError> {
        let changed_by_us: BTreeMap<&BStr, &LeafChange> =
            our_changes.iter().map(|change| (change.path.as_bstr(), change)).collect();
        let in_conflict: BTreeSet<&BStr> = conflicts.keys().map(|path| path.as_bstr()).collect();
        let mut edits: Vec<LeafChange> = Vec::new();
        for change in their_changes.iter().filter(|change| !conflicts.contains_key(&change.path)) {
            match changed_by_us.get(change.path.as_bstr()) {
                Some(_) => {
                    let path = change.path.to_str_lossy();
                    if let Some(found) = tree::lookup(self.handle(), merged, &path)?.filter(|(mode, _)| !mode.is_tree())
                    {
                        edits.push(LeafChange { after: Some(found), ..change.clone() });
                    }
                }
                None if !touches(change.path.as_bstr(), &in_conflict) => edits.push(change.clone()),
                None => {}
            }
        }
        // A directory of ours is not replaced by a file of theirs, nor the other way round.
        let our_files: BTreeSet<&BStr> =
            our_changes.iter().filter(|change| change.after.is_some()).map(|change| change.path.as_bstr()).collect();
        edits.retain(|edit| {
            let path = edit.path.as_bstr();
            edit.after.is_none() || our_files.contains(path) || !touches(path, &our_files)
        });
        self.edit_leaves(ours, edits.iter())
    }
}

fn told(failure: &gix::merge::tree::ResolutionFailure) -> String {
    use gix::merge::tree::ResolutionFailure;
    match failure {
        ResolutionFailure::OursModifiedTheirsDeleted => "one side changed it, the other removed it",
        ResolutionFailure::OursRenamedTheirsRenamedDifferently { .. } => "both sides renamed it differently",
        ResolutionFailure::OursDeletedTheirsRenamed => "one side removed it, the other renamed it",
        ResolutionFailure::OursRenamedTheirsRenamedToSameLocation => "both sides renamed another file to it",
        ResolutionFailure::SubmoduleMerge | ResolutionFailure::SubmoduleAddAdd => "both sides changed the submodule",
        ResolutionFailure::OursModifiedTheirsRenamedTypeMismatch
        | ResolutionFailure::OursModifiedTheirsDirectoryThenOursRenamed { .. }
        | ResolutionFailure::OursDirectoryTheirsNonDirectoryTheirsRenamed { .. }
        | ResolutionFailure::OursAddedTheirsAddedTypeMismatch { .. }
        | ResolutionFailure::Unknown => "both sides changed what it is",
    }
    .to_owned()
}

/// What a side did to the path of another's change.
fn touched<'a>(change: &LeafChange, side: &'a [LeafChange]) -> Option<&'a LeafChange> {
    side.binary_search_by(|other| other.path.cmp(&change.path)).ok().map(|at| &side[at])
}

/// Whether the content stayed.
fn is_mode_change(change: &LeafChange) -> bool {
    matches!((change.before, change.after), (Some((_, before)), Some((_, after))) if before == after)
}

/// Files of which one side changed only the mode and the other only the content. gix merges texts so, but not binary files.
fn mode_and_content(ours: &[LeafChange], theirs: &[LeafChange]) -> Vec<LeafChange> {
    let theirs: BTreeMap<&BStr, &LeafChange> = theirs.iter().map(|change| (change.path.as_bstr(), change)).collect();
    let merged = |our: &LeafChange| {
        let (base, our_file, their_file) = (our.before?, our.after?, theirs.get(our.path.as_bstr())?.after?);
        if ![base, our_file, their_file].iter().all(|file| file.0.is_blob()) {
            return None;
        }
        let after = match (our_file.1 == base.1, their_file.1 == base.1) {
            (true, false) if their_file.0 == base.0 => (our_file.0, their_file.1),
            (false, true) if our_file.0 == base.0 => (their_file.0, our_file.1),
            _ => return None,
        };
        Some(LeafChange { after: Some(after), ..our.clone() })
    };
    ours.iter().filter_map(merged).collect()
}

/// Whether two sets of changes have nothing to do with each other, so that each can be made without the other.
fn are_apart(ours: &[LeafChange], theirs: &[LeafChange]) -> bool {
    let paths: BTreeSet<&BStr> = ours.iter().map(|change| change.path.as_bstr()).collect();
    if theirs.iter().any(|change| touches(change.path.as_bstr(), &paths)) {
        return false;
    }
    // A directory that one side emptied may have been renamed; what the other side adds to it belongs elsewhere then.
    !(adds_where_gone(ours, theirs) || adds_where_gone(theirs, ours))
}

fn adds_where_gone(removing: &[LeafChange], adding: &[LeafChange]) -> bool {
    let shrunk: BTreeSet<&BStr> = removing
        .iter()
        .filter(|change| change.after.is_none())
        .flat_map(|change| dirs(change.path.as_bstr()))
        .collect();
    adding
        .iter()
        .filter(|change| change.before.is_none())
        .any(|change| dirs(change.path.as_bstr()).any(|dir| shrunk.contains(dir)))
}

/// Whether a path is among others, above one or below one.
fn touches(path: &BStr, others: &BTreeSet<&BStr>) -> bool {
    let mut dir = path.to_owned();
    dir.push(b'/');
    others.contains(path)
        || dirs(path).any(|dir| others.contains(dir))
        || others.range(dir.as_bstr()..).next().is_some_and(|next| next.starts_with(&dir))
}

/// The directories on the way to a path.
fn dirs(path: &BStr) -> impl Iterator<Item = &BStr> {
    path.find_iter(b"/").map(move |at| path[..at].as_bstr())
}
