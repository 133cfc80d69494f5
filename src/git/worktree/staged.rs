//! What only an agent's own index tells: what it added by force, and what it did to files that its worktree leaves out.
//! Knows nothing of what is done with it.

use std::collections::HashSet;

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    index::entry::{Mode, Stage},
};

use super::{
    super::{
        error::{At, GitError},
        tree,
    },
    admin::Admin,
    disk::{Disk, Near},
    index::{Index, file_mode, mode_of, stat_of},
    scan::{Found, What},
    sparse::is_marked,
};

/// What the agent's index says and ours does not.
enum Said {
    /// It has a file that ours has not.
    Added { mode: Mode, id: ObjectId, is_left_out: bool },
    /// It has other content for a file that is left out.
    Changed { mode: Mode, id: ObjectId },
    /// It does not leave a file out that ours leaves out.
    Kept,
    /// It does not have a file that ours leaves out.
    Removed,
}

/// An entry of the agent's index.
struct Theirs<'a> {
    path: &'a BStr,
    mode: Mode,
    id: ObjectId,
    is_left_out: bool,
    is_conflicted: bool,
}

/// What the agent's index tells that the files, of which `found` differ, do not.
pub(super) fn told(
    admin: &Admin,
    disk: &Disk,
    index: &Index,
    handle: &gix::Repository,
    found: &[Found],
) -> Result<Vec<Found>, GitError> {
    let Some(theirs) = admin.foreign_index(handle.object_hash()) else {
        return Ok(Vec::new());
    };
    let mut said = Vec::new();
    compare(index, handle, &theirs, &mut said);
    if said.is_empty() {
        return Ok(Vec::new());
    }
    let seen: HashSet<&BStr> = found.iter().map(|found| found.path.as_bstr()).collect();
    said.retain(|(path, _)| !seen.contains(path.as_bstr()));
    // An index that leaves nothing out was made without knowing that there is more: `rm .git/index && git add -A`.
    let knows = theirs.entries().iter().any(|entry| is_marked(entry) || entry.mode == Mode::DIR);
    let definition = match index.sparse().filter(|_| said.iter().any(|(_, said)| matches!(said, Said::Kept))) {
        Some(sparse) => {
            let kept = || said.iter().filter(|(_, said)| matches!(said, Said::Kept)).map(|(path, _)| path.as_bstr());
            let out = match sparse.as_changed(admin.dir()) {
                Some(theirs) => theirs.leaves_out(handle, kept().map(|path| (path, Mode::FILE)))?,
                None => vec![false; kept().count()],
            };
            kept().zip(out).filter(|(_, out)| !out).map(|(path, _)| path.to_owned()).collect()
        }
        None => HashSet::new(),
    };
    let mut near = Near::default();
    let mut told = Vec::new();
    for (path, said) in said {
        let stat = disk.stat(&mut near, path.as_bstr()).at("look at", disk.whole(path.as_bstr()))?;
        let on_disk = stat.and_then(|stat| Some((file_mode(&stat)?, stat_of(&stat))));
        let what = match (said, on_disk) {
            (Said::Added { .. }, Some((mode, stat))) => What::New(mode, stat),
            (Said::Added { mode, id, is_left_out: true }, None) if stat.is_none() => What::Staged(mode, id),
            (Said::Changed { mode, id }, None) if stat.is_none() => What::Staged(mode, id),
            (Said::Removed, None) if knows && stat.is_none() => What::Missing,
            // It was brought into the worktree and removed there.
            (Said::Kept, None) if stat.is_none() && definition.contains(&path) => What::Missing,
            (Said::Added { .. } | Said::Changed { .. } | Said::Removed | Said::Kept, _) => continue,
        };
        told.push(Found { path, what });
    }
    Ok(told)
}

/// Goes through both, in order. A directory that the agent's index keeps as one entry is only looked into where it differs.
fn compare(index: &Index, handle: &gix::Repository, theirs: &gix::index::File, said: &mut Vec<(BString, Said)>) {
    let mut ours = Ours { index, at: 0, is_met: false };
    for entry in theirs.entries() {
        let path = entry.path(theirs);
        if entry.mode != Mode::DIR {
            let is_conflicted = entry.stage() != Stage::Unconflicted;
            let (mode, id, is_left_out) = (entry.mode, entry.id, is_marked(entry));
            ours.meet(&Theirs { path, mode, id, is_left_out, is_conflicted }, said);
            continue;
        }
        let dir = path.strip_suffix(b"/").unwrap_or(path).as_bstr();
        ours.skip_to(path, said);
        let below = index.below(dir);
        if index.subtree(dir) == Some(entry.id) {
            ours.skip_over(below.end);
            continue;
        }
        let mut leaves = Vec::new();
        let read = tree::each_leaf(handle, entry.id, &mut |name, mode, id| {
            let mut path = path.to_owned();
            path.extend_from_slice(name);
            leaves.push((path, mode_of(mode), id));
        });
        if read.is_err() {
            // An index that was broken says nothing.
            ours.skip_over(below.end);
            continue;
        }
        leaves.sort_by(|one, two| one.0.cmp(&two.0));
        for (path, mode, id) in leaves {
            let path = path.as_bstr();
            ours.meet(&Theirs { path, mode, id, is_left_out: true, is_conflicted: false }, said);
        }
    }
    ours.skip_rest(said);
}

/// Where we are in our index.
struct Ours<'a> {
    index: &'a Index,
    at: usize,
    /// Whether theirs has the entry that we are at.
    is_met: bool,
}

impl<'a> Ours<'a> {
    fn meet(&mut self, theirs: &Theirs<'_>, said: &mut Vec<(BString, Said)>) {
        self.skip_to(theirs.path, said);
        let ours = self.entry().filter(|(path, _)| *path == theirs.path);
        self.is_met |= ours.is_some();
        // Of one in conflict, the file on the disk is what counts.
        if theirs.mode == Mode::COMMIT || theirs.is_conflicted {
            return;
        }
        let (mode, id, is_left_out) = (theirs.mode, theirs.id, theirs.is_left_out);
        let what = match ours {
            None => Said::Added { mode, id, is_left_out },
            Some((_, ours)) if !is_marked(ours) || (is_left_out && (ours.mode, ours.id) == (mode, id)) => return,
            Some(_) if is_left_out => Said::Changed { mode, id },
            Some(_) => Said::Kept,
        };
        said.push((theirs.path.to_owned(), what));
    }

    fn entry(&self) -> Option<(&'a BStr, &'a gix::index::Entry)> {
        let state = &self.index.state;
        state.entries().get(self.at).map(|entry| (entry.path(state), entry))
    }

    /// Passes what comes before a path in ours: theirs does not have it, unless it was met.
    fn skip_to(&mut self, path: &BStr, said: &mut Vec<(BString, Said)>) {
        while let Some((before, entry)) = self.entry().filter(|(before, _)| *before < path) {
            self.pass(before, entry, said);
        }
    }

    fn skip_rest(&mut self, said: &mut Vec<(BString, Said)>) {
        while let Some((path, entry)) = self.entry() {
            self.pass(path, entry, said);
        }
    }

    /// Passes what is below a directory, of which theirs says the same or nothing that can be read.
    fn skip_over(&mut self, end: usize) {
        if self.at < end {
            (self.at, self.is_met) = (end, false);
        }
    }

    fn pass(&mut self, path: &BStr, entry: &gix::index::Entry, said: &mut Vec<(BString, Said)>) {
        self.at += 1;
        if !std::mem::take(&mut self.is_met) && is_marked(entry) {
            said.push((path.to_owned(), Said::Removed));
        }
    }
}
