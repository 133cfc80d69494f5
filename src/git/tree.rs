//! Trees: reading, looking up, comparing, hashing.
//! Knows nothing of worktrees or commits' meaning.

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    objs::{Kind, Tree, TreeRef, TreeRefIter, WriteTo, tree::EntryMode},
};

use super::{
    error::{During, GitError},
    odb::{find, read_commit},
};

/// How a path differs between two trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// Only the second has it.
    Added,
    /// Both have it, with other content or mode.
    Modified,
    /// Only the first has it.
    Removed,
}

/// A path that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathChange {
    /// The path; what is no UTF-8 is replaced.
    pub path: String,
    /// How it differs.
    pub kind: ChangeKind,
}

/// One leaf that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeafChange {
    pub path: BString,
    /// What the first tree has.
    pub before: Option<(EntryMode, ObjectId)>,
    /// What the second tree has.
    pub after: Option<(EntryMode, ObjectId)>,
}

impl From<&LeafChange> for PathChange {
    fn from(change: &LeafChange) -> Self {
        let kind = match (change.before, change.after) {
            (None, _) => ChangeKind::Added,
            (Some(_), Some(_)) => ChangeKind::Modified,
            (Some(_), None) => ChangeKind::Removed,
        };
        Self { path: change.path.to_str_lossy().into_owned(), kind }
    }
}

/// The tree of a commit.
pub(super) fn root_of(objects: &gix::Repository, commit: ObjectId) -> Result<ObjectId, GitError> {
    let mut buffer = Vec::new();
    Ok(read_commit(objects, commit, &mut buffer)?.tree())
}

/// The entries of a tree.
pub(super) fn read(objects: &gix::Repository, id: ObjectId) -> Result<Tree, GitError> {
    if id.is_empty_tree() {
        return Ok(Tree::empty());
    }
    let mut buffer = Vec::new();
    find(objects, id, Kind::Tree, &mut buffer)?;
    let tree = TreeRef::from_bytes(&buffer, objects.object_hash()).during(|| format!("read the tree '{id}'"))?;
    Ok(tree.into())
}

/// The name this tree has or would have.
pub(super) fn hash(tree: &Tree, kind: gix::hash::Kind) -> Result<ObjectId, GitError> {
    let mut bytes = Vec::new();
    let doing = || "name a tree".to_owned();
    tree.write_to(&mut bytes).during(doing)?;
    gix::objs::compute_hash(kind, Kind::Tree, &bytes).during(doing)
}

/// What is at `path` below `root`.
pub(super) fn lookup(
    objects: &gix::Repository,
    root: ObjectId,
    path: &str,
) -> Result<Option<(EntryMode, ObjectId)>, GitError> {
    let mut id = root;
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    let mut buffer = Vec::new();
    while let Some(part) = parts.next() {
        if id.is_empty_tree() {
            return Ok(None);
        }
        find(objects, id, Kind::Tree, &mut buffer)?;
        let mut found = None;
        for entry in TreeRefIter::from_bytes(&buffer, objects.object_hash()) {
            let entry = entry.during(|| format!("read the tree '{id}'"))?;
            if entry.filename == part.as_bytes() {
                found = Some((entry.mode, entry.oid.to_owned()));
                break;
            }
        }
        match found {
            Some((mode, below)) if parts.peek().is_none() => return Ok(Some((mode, below))),
            Some((mode, below)) if mode.is_tree() => id = below,
            Some(_) | None => return Ok(None),
        }
    }
    Ok(None)
}

/// Calls `seen` with each file, link and submodule below `root`, in git's order.
pub(super) fn each_leaf(
    objects: &gix::Repository,
    root: ObjectId,
    seen: &mut dyn FnMut(&BStr, EntryMode, ObjectId),
) -> Result<(), GitError> {
    each_leaf_of(objects, read(objects, root)?, seen)
}

/// The same of a tree that was read, or made of one.
pub(super) fn each_leaf_of(
    objects: &gix::Repository,
    root: Tree,
    seen: &mut dyn FnMut(&BStr, EntryMode, ObjectId),
) -> Result<(), GitError> {
    fn walk(
        objects: &gix::Repository,
        tree: Tree,
        path: &mut BString,
        seen: &mut dyn FnMut(&BStr, EntryMode, ObjectId),
    ) -> Result<(), GitError> {
        for entry in tree.entries {
            let length = path.len();
            if length > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(&entry.filename);
            if entry.mode.is_tree() {
                walk(objects, read(objects, entry.oid)?, path, seen)?;
            } else {
                seen(path.as_bstr(), entry.mode, entry.oid);
            }
            path.truncate(length);
        }
        Ok(())
    }
    walk(objects, root, &mut BString::default(), seen)
}

/// The leaves that differ between two trees, by path in bytes. Where a file became a directory both sides are listed.
pub(super) fn diff(objects: &gix::Repository, before: ObjectId, after: ObjectId) -> Result<Vec<LeafChange>, GitError> {
    use gix::diff::tree::recorder::Change;

    if before == after {
        return Ok(Vec::new());
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let bytes = |id: ObjectId, buffer: &mut Vec<u8>| -> Result<(), GitError> {
        if !id.is_empty_tree() {
            find(objects, id, Kind::Tree, buffer)?;
        }
        Ok(())
    };
    bytes(before, &mut left)?;
    bytes(after, &mut right)?;
    let kind = objects.object_hash();
    let mut recorder = gix::diff::tree::Recorder::default();
    gix::diff::tree(
        TreeRefIter::from_bytes(&left, kind),
        TreeRefIter::from_bytes(&right, kind),
        gix::diff::tree::State::default(),
        &objects.objects,
        &mut recorder,
    )
    .during(|| format!("compare the trees '{before}' and '{after}'"))?;
    let mut changes: Vec<LeafChange> = recorder
        .records
        .into_iter()
        .filter_map(|record| match record {
            Change::Addition { entry_mode, oid, path, .. } if !entry_mode.is_tree() => {
                Some(LeafChange { path, before: None, after: Some((entry_mode, oid)) })
            }
            Change::Deletion { entry_mode, oid, path, .. } if !entry_mode.is_tree() => {
                Some(LeafChange { path, before: Some((entry_mode, oid)), after: None })
            }
            Change::Modification { previous_entry_mode, previous_oid, entry_mode, oid, path }
                if !(previous_entry_mode.is_tree() && entry_mode.is_tree()) =>
            {
                Some(LeafChange {
                    path,
                    before: (!previous_entry_mode.is_tree()).then_some((previous_entry_mode, previous_oid)),
                    after: (!entry_mode.is_tree()).then_some((entry_mode, oid)),
                })
            }
            Change::Addition { .. } | Change::Deletion { .. } | Change::Modification { .. } => None,
        })
        .collect();
    changes.sort_by(|one, two| one.path.cmp(&two.path));
    Ok(changes)
}
