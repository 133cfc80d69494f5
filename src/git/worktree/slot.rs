//! One slot: a worktree that is switched from commit to commit, and whose changes are taken, saved or undone.
//! Knows nothing of tasks; it never trusts what an agent could have written: HEAD, its index, the `.git` file.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    index::entry::{Mode, Stage, Stat},
    objs::Kind,
};

use super::{
    super::{
        command::Git,
        draft::{CommitDraft, Draft, When, check_path},
        error::{At, During, GitError},
        object::{commit_id, gix_commit, tree_id},
        publish::{PublishError, RefMove},
        repository::{HANDOFF, Identity, Repository},
        tree::{self, ChangeKind},
    },
    checkout::{Checkout, Done, Writing},
    disk::{Disk, Near},
    error::SlotError,
    examine::{Care, Examined, Names, Refusal, RefusedFile, Sink, TakePolicy, examine},
    index::{self, Index, Put},
    scan::{self, Found, Wanted, What},
    state::{self, State},
};
use crate::{
    config::settings::Durability,
    model::object::{CommitId, TreeId},
};

/// Bytes of a file up to which it is held in memory when everything is saved.
const SAVED_IN_MEMORY_BYTES_MAX: u64 = 64 << 20;
/// Tries to find a free name for a salvage ref.
const SALVAGE_TRIES: u32 = 10;
/// What belongs in a slot's administrative directory. All else is left from a merge or rebase that an agent began.
const ADMIN_FILES: [&str; 10] = [
    "HEAD",
    "ORIG_HEAD",
    "COMMIT_EDITMSG",
    "FETCH_HEAD",
    "commondir",
    "gitdir",
    "index",
    "locked",
    "logs",
    "orchestrate",
];

/// A worktree of ours.
#[derive(Debug)]
pub struct Slot {
    name: String,
    repository: Repository,
    /// A handle that believes to be in this worktree, with the settings of the main repository.
    handle: gix::Repository,
    disk: Disk,
    admin: PathBuf,
    aside: PathBuf,
    index: Index,
    commit: ObjectId,
    /// What the last `take` took, until it is accepted.
    taken: Option<(ObjectId, Vec<Put>)>,
    /// Files whose content is in a draft, and what they looked like then.
    saved: HashMap<BString, Stat>,
    /// What the index on the disk looked like when we wrote it; none: it has to be written.
    written: Option<Stat>,
    /// Untracked paths that others put here and that are nobody's work: a copied `.env`, a linked `node_modules`.
    brought: Vec<BString>,
}

/// A file that differs from what was checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path; what is no UTF-8 is replaced.
    pub path: String,
    /// How it differs.
    pub kind: ChangeKind,
}

/// What differs from what was checked out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files, in git's order.
    pub files: Vec<ChangedFile>,
    /// What could not be taken under any policy: pipes, nested repositories.
    pub others: Vec<RefusedFile>,
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.others.is_empty()
    }
}

/// What was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The code tree: what was checked out, with the changes that were taken.
    pub tree: TreeId,
    /// What was taken, in git's order.
    pub changed: Vec<ChangedFile>,
    /// What was not.
    pub refused: Vec<RefusedFile>,
}

/// Work that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvage {
    /// A commit with all changed files on top of what was checked out.
    pub commit: CommitId,
    /// What it holds, in git's order.
    pub changed: Vec<ChangedFile>,
    /// What cannot be in a commit. `reset` sets nested repositories aside.
    pub left: Vec<RefusedFile>,
}

/// What a switch did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switched {
    /// Files written.
    pub written: usize,
    /// Files removed.
    pub removed: usize,
    /// Where ignored files are now that were in the way.
    pub set_aside: Vec<PathBuf>,
}

impl From<Done> for Switched {
    fn from(done: Done) -> Self {
        Self { written: done.written, removed: done.removed, set_aside: done.set_aside }
    }
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
    /// where it says the same as the commit's tree.
    pub(super) fn open(
        repository: &Repository,
        handle: gix::Repository,
        place: Place,
        commit: ObjectId,
        root: ObjectId,
    ) -> Result<Self, GitError> {
        let disk = Disk::open(&place.path).at("open the directory", &place.path)?;
        let mut index = Index::of_tree(&handle, root)?;
        index.adopt(&place.admin.join("index"));
        Ok(Self {
            name: place.name,
            repository: repository.clone(),
            handle,
            disk,
            admin: place.admin,
            aside: place.aside,
            index,
            commit,
            taken: None,
            saved: HashMap::new(),
            written: None,
            brought: Vec::new(),
        })
    }

    /// The slot's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The directory with the files.
    pub fn path(&self) -> &Path {
        self.disk.path()
    }

    /// Names untracked paths that were put here and are nobody's work: they are not taken, saved or removed, whether ignored
    /// or not. Each stands for all below it.
    pub fn set_brought(&mut self, paths: &[PathBuf]) {
        let path = |path: &PathBuf| BString::from(path.as_os_str().as_encoded_bytes());
        self.brought = paths.iter().map(path).collect();
    }

    /// The worktree's own git directory.
    pub fn admin_dir(&self) -> &Path {
        &self.admin
    }

    /// The commit we checked out, whatever an agent did to HEAD.
    pub fn head(&self) -> CommitId {
        commit_id(self.commit)
    }

    /// The tree we checked out.
    pub fn tree(&self) -> TreeId {
        tree_id(self.index.tree())
    }

    /// Checks out another commit, touching only files that differ, and makes HEAD, index and `.git` say so. The commit's tree
    /// has no `.handoff`; see [`Draft::code_commit`]. New files of an agent stay: reset, or use [`Self::prepare`].
    ///
    /// # Errors
    /// [`SlotError::Unsaved`] if a file that has to be replaced was changed; nothing was touched then.
    pub fn switch(&mut self, to: CommitId) -> Result<Switched, GitError> {
        let to = gix_commit(to);
        let root = code_root(&self.handle, to)?;
        let from = self.index.tree();
        let mut done = Done::default();
        if from != root {
            let changes = tree::diff(&self.handle, from, root)?;
            let checkout = Checkout {
                slot: &self.name,
                disk: &self.disk,
                admin: &self.admin,
                handle: &self.handle,
                aside: &self.aside,
            };
            checkout.check(&self.index, &changes)?;
            self.note(State::Between((self.commit, from), (to, root)))?;
            self.written = None;
            crate::sys::crash_point::reach("switch.noted");
            done = checkout.apply(&mut self.index, &changes, root)?;
        }
        crate::sys::crash_point::reach("switch.applied");
        self.commit = to;
        self.taken = None;
        self.note(State::At(to, root))?;
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
        let mut names = Names(self.handle.object_hash());
        let examined = self.examine(Care::Take(&policy), &mut names)?;
        Ok(Changes { files: self.changed(&examined.puts), others: refused(examined.refused) })
    }

    /// Takes the changes into a draft, as far as the policy allows. The files stay as they are.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn take(&mut self, draft: &mut Draft, policy: &TakePolicy<'_>) -> Result<Taken, GitError> {
        let examined = self.examine(Care::Take(policy), &mut Keep { draft, slot: None })?;
        let base = self.index.tree();
        let tree = write_tree(draft, base, &examined.puts)?;
        let changed = self.changed(&examined.puts);
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
        let root = tree::root_of(&self.handle, to)?;
        let other = || SlotError::OtherTree { slot: self.name.clone(), tree: root.to_string() };
        let puts = match self.taken.take() {
            Some((taken, puts)) if taken == root => puts,
            Some(_) | None if root == self.index.tree() => Vec::new(),
            Some(_) | None => return Err(other().into()),
        };
        self.index.put(&self.handle, &puts, root)?;
        self.commit = to;
        self.written = None;
        self.note(State::At(to, root))
    }

    /// Puts all that is not in what was checked out into a commit, also what `take` refuses; none if there is nothing.
    /// The commit has to be published under a ref before the work is undone.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn save(&mut self, draft: &mut Draft, by: &Identity, message: &str) -> Result<Option<Salvage>, GitError> {
        let base = self.index.tree();
        let git = Git::at(&self.admin, Some(self.disk.path()));
        let care = Care::Keep { file_bytes_max: SAVED_IN_MEMORY_BYTES_MAX };
        let path = self.disk.path().to_owned();
        let examined = self.examine(care, &mut Keep { draft, slot: Some((git, path)) })?;
        if examined.puts.is_empty() {
            return Ok(None);
        }
        let tree = write_tree(draft, base, &with_allowed_names(&examined.puts))?;
        self.saved = looks(&examined.puts);
        let commit = draft.commit(
            CommitDraft {
                tree: tree_id(tree),
                parents: vec![self.head()],
                author: by.clone(),
                committer: by.clone(),
                message: message.to_owned(),
                time: When::now(),
            },
            None,
        )?;
        Ok(Some(Salvage { commit, changed: self.changed(&examined.puts), left: refused(examined.refused) }))
    }

    /// Undoes all changes: files are as checked out, new ones are gone, ignored ones stay. Nothing is undone that was not taken
    /// or saved before; nested repositories are set aside.
    ///
    /// # Errors
    /// [`SlotError::Unsaved`] with a file that was not saved; nothing was touched then.
    pub fn reset(&mut self) -> Result<(), GitError> {
        let found = self.found()?;
        self.undo(found)
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
        let mut names = Names(self.handle.object_hash());
        let examined = examine(&self.disk, &self.index, &self.handle, &found, care, &mut names)?;
        self.saved = looks(&examined.puts);
        self.undo(found)
    }

    /// As [`Self::reset`], and removes ignored files too.
    ///
    /// # Errors
    /// As [`Self::reset`].
    pub fn reset_to_pristine(&mut self) -> Result<(), GitError> {
        self.reset()?;
        let all = scan::all(&self.disk, &self.index, &self.handle, Wanted::All)?;
        let mut near = Near::default();
        for found in all {
            let path = found.path.as_bstr();
            match found.what {
                What::New(..) | What::Special => {
                    self.disk.remove(&mut near, path).at("remove", self.disk.whole(path))?;
                    self.disk.remove_empty_parents(&mut near, path);
                }
                What::Nested => {
                    let whole = self.disk.whole(path);
                    fs::remove_dir_all(&whole).at("remove", whole)?;
                    self.disk.remove_empty_parents(&mut near, path);
                }
                What::Touched(..) | What::Missing => {}
            }
        }
        Ok(())
    }

    /// Makes the slot ready for other work: what is there and in no ref goes into a new ref below `salvage`
    /// (`refs/orchestrate/salvage/<task>`), whose name is given back; then everything is as in `to`.
    ///
    /// # Errors
    /// If the work cannot be saved; then it is untouched.
    pub fn prepare(
        &mut self,
        to: CommitId,
        salvage: &str,
        by: &Identity,
        durability: Durability,
    ) -> Result<Option<String>, GitError> {
        let saved = self.rescue(salvage, by, durability)?;
        self.reset()?;
        self.switch(to)?;
        Ok(saved)
    }

    /// Saves what is there and in no ref under a new ref below `salvage`; none if there is nothing. The files stay.
    ///
    /// # Errors
    /// If it cannot be saved.
    pub fn rescue(&mut self, salvage: &str, by: &Identity, durability: Durability) -> Result<Option<String>, GitError> {
        let mut draft = self.repository.draft();
        let message = format!("Work left in the worktree '{}'", self.name);
        let Some(saved) = self.save(&mut draft, by, &message)? else {
            return Ok(None);
        };
        self.repository.publish(draft.objects(), Vec::new(), durability)?;
        crate::sys::crash_point::reach("salvage.saved");
        let taken = self.repository.references(&format!("{}/", salvage.trim_end_matches('/')))?;
        let number = |name: &str| name.rsplit('/').next().and_then(|last| last.parse::<u64>().ok());
        let mut next = taken.iter().filter_map(|(name, _)| number(name)).max().unwrap_or(0);
        for _ in 0..SALVAGE_TRIES {
            next += 1;
            let name = format!("{}/{next}", salvage.trim_end_matches('/'));
            let wanted = RefMove {
                name: name.clone(),
                from: None,
                to: saved.commit,
                reason: format!("saved from the worktree '{}'", self.name),
            };
            match self.repository.publish(Default::default(), vec![wanted], durability) {
                Ok(()) => return Ok(Some(name)),
                Err(PublishError::Moved { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(GitError::Failed {
            doing: format!("find a free name below '{salvage}'"),
            because: "all are taken".to_owned(),
        })
    }

    /// Makes HEAD, index and `.git` say what was checked out, whatever an agent made of them. [`Self::switch`] does it too.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn flush(&mut self) -> Result<(), GitError> {
        self.clean_admin()?;
        let head = self.admin.join("HEAD");
        let line = format!("{}\n", self.commit);
        if fs::read(&head).ok().as_deref() != Some(line.as_bytes()) {
            index::replace(&head, line.as_bytes()).at("write", &head)?;
        }
        self.restore_pointer()?;
        let path = self.admin.join("index");
        let seen = rustix::fs::lstat(&path).ok().map(|stat| index::stat_of(&stat));
        if seen.is_none() || seen != self.written {
            self.index.write(&path)?;
            let stat = rustix::fs::lstat(&path).at("look at", &path)?;
            self.written = Some(index::stat_of(&stat));
        }
        Ok(())
    }

    /// Writes the files that are missing, without looking at the others.
    pub(super) fn fill(&mut self) -> Result<(), GitError> {
        let found = self.found()?;
        self.undo(found.into_iter().filter(|found| found.what == What::Missing).collect())?;
        self.note(State::At(self.commit, self.index.tree()))?;
        self.flush()
    }

    /// What may differ, with what an agent added by force although it is ignored.
    fn found(&mut self) -> Result<Vec<Found>, GitError> {
        let mut found = scan::all(&self.disk, &self.index, &self.handle, Wanted::Unignored)?;
        let forced = self.forced(&found)?;
        if !forced.is_empty() {
            found.extend(forced);
            found.sort_by(|one, two| one.path.cmp(&two.path));
        }
        found.retain(|found| match found.what {
            What::New(..) | What::Nested | What::Special => !self.is_brought(found.path.as_bstr()),
            What::Touched(..) | What::Missing => true,
        });
        Ok(found)
    }

    fn is_brought(&self, path: &BStr) -> bool {
        let covers = |brought: &BString| {
            path.strip_prefix(brought.as_slice()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        self.brought.iter().any(covers)
    }

    /// Files that only the agent's index has: it ran `git add -f`, or `git add` before it wrote an ignore rule.
    fn forced(&self, found: &[Found]) -> Result<Vec<Found>, GitError> {
        let path = self.admin.join("index");
        let seen = rustix::fs::lstat(&path).ok().map(|stat| index::stat_of(&stat));
        if seen.is_none() || seen == self.written {
            return Ok(Vec::new());
        }
        let hash = self.handle.object_hash();
        let options = gix::index::decode::Options::default();
        // An agent may have broken it; then it says nothing.
        let Ok(theirs) = gix::index::File::at(&path, hash, true, options) else {
            return Ok(Vec::new());
        };
        let mut near = Near::default();
        let mut forced = Vec::new();
        for entry in theirs.entries().iter().filter(|entry| entry.stage() == Stage::Unconflicted) {
            let path = entry.path(&theirs);
            let ours = self.index.state.entry_by_path_and_stage(path, Stage::Unconflicted);
            if ours.is_some() || entry.mode == Mode::COMMIT || found.iter().any(|found| found.path == path) {
                continue;
            }
            let stat = self.disk.stat(&mut near, path).at("look at", self.disk.whole(path))?;
            if let Some((mode, stat)) = stat.and_then(|stat| Some((index::file_mode(&stat)?, index::stat_of(&stat)))) {
                forced.push(Found { path: path.to_owned(), what: What::New(mode, stat) });
            }
        }
        Ok(forced)
    }

    fn examine(&mut self, care: Care<'_>, sink: &mut dyn Sink) -> Result<Examined, GitError> {
        let found = self.found()?;
        let examined = examine(&self.disk, &self.index, &self.handle, &found, care, sink)?;
        for (path, stat) in &examined.same {
            self.index.refresh(path.as_bstr(), *stat);
        }
        Ok(examined)
    }

    fn undo(&mut self, found: Vec<Found>) -> Result<(), GitError> {
        let checkout = Checkout {
            slot: &self.name,
            disk: &self.disk,
            admin: &self.admin,
            handle: &self.handle,
            aside: &self.aside,
        };
        let care = Care::Keep { file_bytes_max: SAVED_IN_MEMORY_BYTES_MAX };
        let mut names = Names(self.handle.object_hash());
        let examined = examine(&self.disk, &self.index, &self.handle, &found, care, &mut names)?;
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
        for (path, stat) in &examined.same {
            self.index.refresh(path.as_bstr(), *stat);
        }
        let mut near = Near::default();
        for (path, why) in &examined.refused {
            let path = path.as_bstr();
            match why {
                Refusal::NestedRepository => {
                    checkout.set_aside(path)?;
                }
                Refusal::Special => self.disk.remove(&mut near, path).at("remove", self.disk.whole(path))?,
                Refusal::TooLarge { .. }
                | Refusal::LeadsOutside(_)
                | Refusal::Handoff
                | Refusal::BadName
                | Refusal::Unreadable(_)
                | Refusal::Inspected(_) => {}
            }
            self.disk.remove_empty_parents(&mut near, path);
        }
        let mut files = Vec::new();
        for (path, put) in &examined.puts {
            if put.is_some() {
                self.disk.remove(&mut near, path.as_bstr()).at("remove", self.disk.whole(path.as_bstr()))?;
                self.disk.remove_empty_parents(&mut near, path.as_bstr());
            }
            let tracked = self.index.state.entry_by_path_and_stage(path.as_bstr(), Stage::Unconflicted);
            files.extend(tracked.map(|entry| (path.clone(), entry.mode, entry.id)));
        }
        if !files.is_empty() {
            self.written = None;
        }
        crate::sys::crash_point::reach("reset.removed");
        checkout.write(&mut self.index, &files, Writing::New, &mut Done::default())?;
        self.taken = None;
        self.saved.clear();
        Ok(())
    }

    fn changed(&self, puts: &[Put]) -> Vec<ChangedFile> {
        puts.iter()
            .map(|(path, put)| {
                let tracked = self.index.state.entry_by_path_and_stage(path.as_bstr(), Stage::Unconflicted).is_some();
                let kind = match (put, tracked) {
                    (None, _) => ChangeKind::Removed,
                    (Some(_), true) => ChangeKind::Modified,
                    (Some(_), false) => ChangeKind::Added,
                };
                ChangedFile { path: path.to_str_lossy().into_owned(), kind }
            })
            .collect()
    }

    fn note(&self, state: State) -> Result<(), GitError> {
        state::write(&self.admin, state).at("write the state in", &self.admin)
    }

    /// Removes what a merge, rebase or bisection of an agent left in the administrative directory.
    fn clean_admin(&self) -> Result<(), GitError> {
        for entry in fs::read_dir(&self.admin).at("list", &self.admin)? {
            let entry = entry.at("list", &self.admin)?;
            if ADMIN_FILES.iter().any(|known| entry.file_name() == *known) {
                continue;
            }
            let path = entry.path();
            let is_dir = entry.file_type().at("look at", &path)?.is_dir();
            if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.at("remove", &path)?;
        }
        Ok(())
    }

    /// Makes `.git` point to the administrative directory again; a repository in its place is set aside.
    fn restore_pointer(&self) -> Result<(), GitError> {
        let path = self.disk.path().join(".git");
        let line = pointer(&self.admin);
        let found = fs::symlink_metadata(&path);
        if found.as_ref().is_ok_and(fs::Metadata::is_file) && fs::read(&path).ok().as_deref() == Some(line.as_bytes()) {
            return Ok(());
        }
        if found.is_ok() {
            let checkout = Checkout {
                slot: &self.name,
                disk: &self.disk,
                admin: &self.admin,
                handle: &self.handle,
                aside: &self.aside,
            };
            checkout.set_aside(b".git".as_bstr())?;
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

/// What the `.git` file of a worktree says.
pub(super) fn pointer(admin: &Path) -> String {
    format!("gitdir: {}\n", admin.display())
}

/// Puts blobs into a draft; files too large for that are written by git itself.
struct Keep<'a> {
    draft: &'a mut Draft,
    slot: Option<(Git, PathBuf)>,
}

impl Sink for Keep<'_> {
    fn blob(&mut self, bytes: &[u8]) -> Result<ObjectId, GitError> {
        self.draft.write(Kind::Blob, bytes)
    }

    fn large(&mut self, path: &BStr) -> Result<ObjectId, GitError> {
        use std::os::unix::ffi::OsStrExt;
        let (git, root) = self.slot.as_ref().expect("only saving asks for large files");
        let whole = root.join(std::ffi::OsStr::from_bytes(path));
        let name = git.clone().args(["hash-object", "-w", "--no-filters", "--"]).args([&whole]).output(&[])?;
        ObjectId::from_hex(name.trim_end()).during(|| format!("save '{}'", whole.display()))
    }
}

fn write_tree(draft: &mut Draft, base: ObjectId, puts: &[Put]) -> Result<ObjectId, GitError> {
    // What goes makes way for what comes: a directory where a file was, or the other way round.
    let gone = puts.iter().filter(|(_, put)| put.is_none()).map(|(path, _)| (path.clone(), None));
    let come = puts.iter().filter_map(|(path, put)| {
        let entry = put.as_ref()?;
        Some((path.clone(), Some((entry.mode.to_tree_entry_mode()?.kind(), entry.id))))
    });
    draft.edit(base, gone.chain(come))
}

/// Saved work has names that git allows: a part of a path that it does not gets a `_` in front.
fn with_allowed_names(puts: &[Put]) -> Vec<Put> {
    puts.iter()
        .map(|(path, put)| {
            if check_path(path.as_bstr()).is_ok() {
                return (path.clone(), *put);
            }
            let mut allowed = BString::default();
            for part in path.split(|byte| *byte == b'/') {
                if !allowed.is_empty() {
                    allowed.push(b'/');
                }
                if check_path(part.as_bstr()).is_err() {
                    allowed.push(b'_');
                }
                allowed.extend_from_slice(part);
            }
            (allowed, *put)
        })
        .collect()
}

fn looks(puts: &[Put]) -> HashMap<BString, Stat> {
    puts.iter().filter_map(|(path, put)| Some((path.clone(), put.as_ref()?.stat))).collect()
}

fn refused(refused: Vec<(BString, Refusal)>) -> Vec<RefusedFile> {
    refused.into_iter().map(|(path, why)| RefusedFile { path: path.to_str_lossy().into_owned(), why }).collect()
}

/// Whether an error says that something is not there.
pub(super) fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
