//! One slot: a worktree that is switched from commit to commit, and whose changes are taken, saved or undone.
//! Knows nothing of tasks; it never trusts what an agent could have written: HEAD, its index, the `.git` file.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use gix::{
    ObjectId,
    bstr::{BString, ByteSlice},
    index::entry::Stat,
};

use super::{
    super::{
        draft::Draft,
        error::{At, GitError},
        object::{commit_id, gix_commit, tree_id},
        repository::{HANDOFF, Repository},
        tree,
    },
    admin::Admin,
    checkout::{Checkout, Done, Writing},
    disk::Near,
    error::SlotError,
    examine::{Care, Names, Refusal, TakePolicy},
    files::Files,
    index::{Index, Put},
    outcome::{Changes, Switched, Taken, changed, refused},
    salvage::{Keep, SAVED_IN_MEMORY_BYTES_MAX, looks, write_tree},
    scan::{Found, What},
    sparse::Sparse,
    state::State,
};
use crate::model::object::{CommitId, TreeId};

/// Missing files that are written at once: what is known of each takes memory until they are there.
const FILL_AT_ONCE: usize = 8192;

/// A worktree of ours.
#[derive(Debug)]
pub struct Slot {
    pub(super) name: String,
    pub(super) repository: Repository,
    pub(super) admin: Admin,
    pub(super) files: Files,
    aside: PathBuf,
    commit: ObjectId,
    /// What the user's checkout leaves out: from the next switch on, so does the slot.
    wanted: Option<Sparse>,
    /// What the last `take` took, until it is accepted.
    taken: Option<(ObjectId, Vec<Put>)>,
    /// Files whose content is in a draft, and what they looked like then.
    pub(super) saved: HashMap<BString, Stat>,
}

/// Where a slot is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub name: String,
    pub path: PathBuf,
    pub admin: PathBuf,
    pub aside: PathBuf,
}

impl Slot {
    /// Opens a slot whose directories are there. `commit` is what was checked out; an index on the disk is believed only
    /// where it says the same as the commit's tree. `has` is what it leaves out, `wanted` what it shall leave out.
    pub(super) fn open(
        repository: &Repository,
        handle: gix::Repository,
        place: Place,
        (commit, root): (ObjectId, ObjectId),
        (has, wanted): (Option<Sparse>, Option<Sparse>),
    ) -> Result<Self, GitError> {
        let files = Files::open(&place.path, handle, root, &place.admin.join("index"), has)?;
        Ok(Self {
            name: place.name,
            repository: repository.clone(),
            admin: Admin::new(place.admin),
            files,
            aside: place.aside,
            commit,
            wanted,
            taken: None,
            saved: HashMap::new(),
        })
    }

    /// The slot's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The directory with the files.
    pub fn path(&self) -> &Path {
        self.files.disk.path()
    }

    /// Names untracked paths that were put here and are nobody's work: they are not taken, saved or removed, whether ignored
    /// or not. Each stands for all below it.
    pub fn set_brought(&mut self, paths: &[PathBuf]) {
        self.files.set_brought(paths);
    }

    /// The worktree's own git directory.
    pub fn admin_dir(&self) -> &Path {
        self.admin.dir()
    }

    /// The commit we checked out, whatever an agent did to HEAD.
    pub fn head(&self) -> CommitId {
        commit_id(self.commit)
    }

    /// The tree we checked out.
    pub fn tree(&self) -> TreeId {
        tree_id(self.files.index.tree())
    }

    /// Whether what we checked out has this file, or files below this directory.
    pub fn tracks(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./").trim_end_matches('/').as_bytes().as_bstr();
        self.files.index.entry(path).is_some() || !self.files.index.below(path).is_empty()
    }

    /// Whether files of what we checked out are left out, as in the user's checkout.
    pub fn is_sparse(&self) -> bool {
        self.files.index.sparse().is_some()
    }

    /// The submodules of what we checked out: where, and at which commit of their own. Their files are brought by others.
    pub fn submodules(&self) -> Vec<(String, CommitId)> {
        let found = self.files.index.submodules();
        found.map(|(path, commit)| (path.to_string(), commit_id(commit))).collect()
    }

    /// Checks out another commit, touching only files that differ, and makes HEAD, index and `.git` say so. The commit's tree
    /// has no `.handoff`; see [`Draft::code_commit`]. New files of an agent stay: reset, or use [`Self::prepare`].
    ///
    /// # Errors
    /// [`SlotError::Unsaved`] if a file that has to be replaced was changed; nothing was touched then.
    pub fn switch(&mut self, to: CommitId) -> Result<Switched, GitError> {
        let to = gix_commit(to);
        self.repository.refresh(&mut self.files.handle);
        let root = code_root(&self.files.handle, to)?;
        let from = self.files.index.tree();
        let mut done = Done::default();
        let mut changes = tree::diff(&self.files.handle, from, root)?;
        let misplaced = self.files.index.misplaced(&self.files.handle, self.wanted.as_ref())?;
        if !misplaced.is_empty() {
            let differs: HashSet<BString> = changes.iter().map(|change| change.path.clone()).collect();
            changes.extend(misplaced.into_iter().filter(|change| !differs.contains(&change.path)));
        }
        let is_same_extent = self.files.index.sparse() == self.wanted.as_ref();
        if !changes.is_empty() || from != root || !is_same_extent {
            self.checkout().check(&self.files.index, &changes)?;
            self.admin.note(State::Between((self.commit, from), (to, root)))?;
            self.admin.outdate();
            if !is_same_extent {
                self.admin.note_sparse(self.wanted.as_ref())?;
                self.files.index.set_sparse(self.wanted.clone());
                self.files.look_at_all();
            }
            self.files.expect(changes.iter().filter(|change| change.before.is_none()).map(|c| c.path.as_bstr()));
            crate::sys::crash_point::reach("switch.noted");
            let (checkout, index) = self.checkout_and_index();
            done = checkout.apply(index, &changes, root)?;
        }
        crate::sys::crash_point::reach("switch.applied");
        self.commit = to;
        self.taken = None;
        self.admin.note(State::At(to, root))?;
        crate::sys::crash_point::reach("switch.marked");
        self.flush()?;
        Ok(done.into())
    }

    /// What differs from what was checked out, be it in files, staged, or in commits of the agent's own.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn changes(&mut self) -> Result<Changes, GitError> {
        let policy = TakePolicy { file_bytes_max: u64::MAX, inspect: None };
        let found = self.found()?;
        let mut names = Names(self.files.handle.object_hash());
        let examined = self.files.examine(&found, Care::Take(&policy), &mut names)?;
        Ok(Changes { files: changed(&self.files.index, &examined.puts), others: refused(examined.refused) })
    }

    /// Takes the changes into a draft, as far as the policy allows. The files stay as they are.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn take(&mut self, draft: &mut Draft, policy: &TakePolicy<'_>) -> Result<Taken, GitError> {
        let found = self.found()?;
        let examined = self.files.examine(&found, Care::Take(policy), &mut Keep::small(draft))?;
        let tree = write_tree(draft, self.files.index.tree(), &examined.puts)?;
        let changed = changed(&self.files.index, &examined.puts);
        self.saved = looks(&examined.puts);
        self.taken = Some((tree, examined.puts));
        Ok(Taken { tree: tree_id(tree), changed, refused: refused(examined.refused) })
    }

    /// What was taken is committed and published: HEAD and index say so from now on, no file is written. `commit` is the code
    /// commit of the step, whose tree is the one that was taken.
    ///
    /// # Errors
    /// [`SlotError::OtherTree`] if it is another tree.
    pub fn accept(&mut self, commit: CommitId) -> Result<(), GitError> {
        let to = gix_commit(commit);
        self.repository.refresh(&mut self.files.handle);
        let root = tree::root_of(&self.files.handle, to)?;
        let puts = match self.taken.take() {
            Some((taken, puts)) if taken == root => puts,
            Some(_) | None if root == self.files.index.tree() => Vec::new(),
            Some(_) | None => {
                return Err(SlotError::OtherTree { slot: self.name.clone(), tree: root.to_string() }.into());
            }
        };
        self.files.expect(puts.iter().filter(|(_, put)| put.is_some()).map(|(path, _)| path.as_bstr()));
        self.files.index.put(&self.files.handle, &puts, root)?;
        self.commit = to;
        self.admin.outdate();
        self.admin.note(State::At(to, root))
    }

    /// Undoes all changes: files are as checked out, new ones are gone, ignored ones stay. Nothing is undone that was not taken
    /// or saved before; nested repositories are set aside.
    ///
    /// # Errors
    /// [`SlotError::Unsaved`] with a file that was not saved; nothing was touched then.
    pub fn reset(&mut self) -> Result<(), GitError> {
        let found = self.found()?;
        self.undo(&found)
    }

    /// As [`Self::reset`], but what is there is thrown away although nobody saved it: for slots in which only checks work.
    ///
    /// # Errors
    /// If the files cannot be read or written.
    pub fn discard(&mut self) -> Result<(), GitError> {
        let found = self.found()?;
        if found.is_empty() {
            return Ok(());
        }
        let care = Care::Keep { file_bytes_max: SAVED_IN_MEMORY_BYTES_MAX };
        let mut names = Names(self.files.handle.object_hash());
        let examined = self.files.examine(&found, care, &mut names)?;
        self.saved = looks(&examined.puts);
        self.undo(&found)
    }

    /// As [`Self::reset`], and removes ignored files too.
    ///
    /// # Errors
    /// As [`Self::reset`].
    pub fn reset_to_pristine(&mut self) -> Result<(), GitError> {
        self.reset()?;
        let all = self.files.all()?;
        let disk = &self.files.disk;
        let mut near = Near::default();
        for Found { path, what } in all {
            let path = path.as_bstr();
            match what {
                What::New(..) | What::Special => disk.remove(&mut near, path).at("remove", disk.whole(path))?,
                What::Nested => fs::remove_dir_all(disk.whole(path)).at("remove", disk.whole(path))?,
                What::Touched(..) | What::Missing | What::Staged(..) => continue,
            }
            disk.remove_empty_parents(&mut near, path);
        }
        Ok(())
    }

    /// Makes HEAD, index and `.git` say what was checked out, whatever an agent made of them. [`Self::switch`] does it too.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn flush(&mut self) -> Result<(), GitError> {
        self.admin.write(self.commit, &self.files.index)?;
        self.restore_pointer()
    }

    /// Looks at all files, and says whether what the system told of touched files would have been enough.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn full_check(&mut self) -> Result<bool, GitError> {
        self.files.check(&self.admin)
    }

    /// Writes the files that are missing, without looking at the others.
    pub(super) fn fill(&mut self) -> Result<(), GitError> {
        self.admin.note_sparse(self.files.index.sparse())?;
        let mut missing = self.found()?;
        missing.retain(|found| found.what == What::Missing);
        for some in missing.chunks(FILL_AT_ONCE) {
            self.undo(some)?;
        }
        self.files.are_there(&missing);
        self.admin.note(State::At(self.commit, self.files.index.tree()))?;
        self.flush()
    }

    /// What may differ.
    pub(super) fn found(&mut self) -> Result<Vec<Found>, GitError> {
        self.repository.refresh(&mut self.files.handle);
        self.files.found(&self.admin)
    }

    fn checkout(&self) -> Checkout<'_> {
        Checkout {
            slot: &self.name,
            disk: &self.files.disk,
            admin: self.admin.dir(),
            handle: &self.files.handle,
            aside: &self.aside,
        }
    }

    fn checkout_and_index(&mut self) -> (Checkout<'_>, &mut Index) {
        let Files { disk, index, handle, .. } = &mut self.files;
        let admin = self.admin.dir();
        (Checkout { slot: &self.name, disk, admin, handle, aside: &self.aside }, index)
    }

    fn undo(&mut self, found: &[Found]) -> Result<(), GitError> {
        let care = Care::Keep { file_bytes_max: SAVED_IN_MEMORY_BYTES_MAX };
        let mut names = Names(self.files.handle.object_hash());
        let examined = self.files.examine(found, care, &mut names)?;
        let checkout = self.checkout();
        for (path, put) in &examined.puts {
            if let Some(entry) = put
                && self.saved.get(path) != Some(&entry.stat)
            {
                return Err(checkout.unsaved(path.as_bstr()));
            }
        }
        if let Some((path, _)) = examined.refused.iter().find(|(_, why)| matches!(why, Refusal::Unreadable(_))) {
            return Err(checkout.unsaved(path.as_bstr()));
        }
        let disk = &self.files.disk;
        let mut near = Near::default();
        for (path, why) in &examined.refused {
            let path = path.as_bstr();
            match why {
                Refusal::NestedRepository => drop(checkout.set_aside(path)?),
                Refusal::Special => disk.remove(&mut near, path).at("remove", disk.whole(path))?,
                Refusal::TooLarge { .. }
                | Refusal::LeadsOutside(_)
                | Refusal::Handoff
                | Refusal::BadName
                | Refusal::InPlaceOfLeftOut
                | Refusal::Unreadable(_)
                | Refusal::Inspected(_) => {}
            }
            disk.remove_empty_parents(&mut near, path);
        }
        let mut files = Vec::new();
        for (path, put) in &examined.puts {
            if put.is_some() {
                disk.remove(&mut near, path.as_bstr()).at("remove", disk.whole(path.as_bstr()))?;
                disk.remove_empty_parents(&mut near, path.as_bstr());
            }
            let tracked = self.files.index.entry(path.as_bstr());
            files.extend(tracked.map(|entry| (path.clone(), entry.mode, entry.id)));
        }
        if !files.is_empty() {
            self.admin.outdate();
        }
        crate::sys::crash_point::reach("reset.removed");
        let (checkout, index) = self.checkout_and_index();
        checkout.write(index, &files, Writing::New, &mut Done::default())?;
        self.taken = None;
        self.saved.clear();
        if self.is_sparse() {
            // What an agent brought in or staged from outside of the sparse checkout is not left behind.
            let strays = self.files.index.misplaced(&self.files.handle, self.files.index.sparse())?;
            self.checkout().check(&self.files.index, &strays)?;
            let root = self.files.index.tree();
            let (checkout, index) = self.checkout_and_index();
            checkout.apply(index, &strays, root)?;
            self.admin.outdate();
            self.admin.write(self.commit, &self.files.index)?;
        }
        Ok(())
    }

    /// Makes `.git` point to the administrative directory again; a repository in its place is set aside.
    fn restore_pointer(&self) -> Result<(), GitError> {
        let path = self.path().join(".git");
        let line = self.admin.pointer();
        let found = fs::symlink_metadata(&path);
        if found.as_ref().is_ok_and(fs::Metadata::is_file) && fs::read(&path).ok().as_deref() == Some(line.as_bytes()) {
            return Ok(());
        }
        if found.is_ok() {
            self.checkout().set_aside(b".git".as_bstr())?;
        }
        fs::write(&path, line).at("write", path)
    }
}

/// The tree of a commit that may be checked out: one without `.handoff`.
pub(super) fn code_root(objects: &gix::Repository, commit: ObjectId) -> Result<ObjectId, GitError> {
    let root = tree::root_of(objects, commit)?;
    match tree::lookup(objects, root, HANDOFF)? {
        None => Ok(root),
        Some(_) => Err(SlotError::NoCodeCommit(commit.to_string()).into()),
    }
}
