//! New objects in memory: nobody else sees them until they are published.
//! Knows nothing of refs or disks; what is dropped was never there.

use gix::{
    bstr::{BStr, BString, ByteSlice},
    objs::{Kind, Tree, WriteTo, tree::EntryKind as GixKind},
    prelude::Write,
};

use super::{
    error::{During, GitError},
    object::{blob_id, commit_id, gix_blob, gix_commit, gix_tree, tree_id},
    odb::{read_blob, read_commit},
    repository::{HANDOFF, Identity, Repository},
    signature::Signer,
    tree,
};
use crate::model::object::{BlobId, CommitId, TreeId};

/// Who the commits are by that worktrees check out. They are scaffolding and in no branch.
const CODE_AUTHOR: (&str, &str) = ("git-orchestrate", "git-orchestrate@localhost");

/// New objects over those of a repository. Reading sees both. One thread uses it.
pub struct Draft {
    handle: gix::Repository,
}

/// Objects taken out of a draft, to be published.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    pub(super) all: Vec<super::pack::Object>,
}

/// One change of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where: `.handoff/checkpoints/api.toml`.
    pub path: String,
    /// What.
    pub what: What,
}

impl Edit {
    /// Puts a file that cannot be run.
    pub fn put(path: &str, blob: BlobId) -> Self {
        Self { path: path.to_owned(), what: What::Put { blob, executable: false } }
    }

    /// Puts a whole directory.
    pub fn put_tree(path: &str, tree: TreeId) -> Self {
        Self { path: path.to_owned(), what: What::PutTree(tree) }
    }
}

/// What an edit puts at its path. Directories on the way are made, and gone when empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A file.
    Put {
        /// Its content.
        blob: BlobId,
        /// Whether it can be run.
        executable: bool,
    },
    /// A symbolic link, whose target is in this blob.
    PutLink(BlobId),
    /// A whole directory.
    PutTree(TreeId),
    /// Nothing: what is there goes, a directory with all in it.
    Remove,
}

/// A point in time as commits have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Seconds since 1970.
    pub seconds: i64,
    /// How far local time is ahead of UTC, in seconds.
    pub offset_seconds: i32,
}

impl When {
    /// Now, in local time.
    pub fn now() -> Self {
        let now = gix::date::Time::now_local_or_utc();
        Self { seconds: now.seconds, offset_seconds: now.offset }
    }

    pub(super) fn to_gix(self) -> gix::date::Time {
        gix::date::Time { seconds: self.seconds, offset: self.offset_seconds }
    }
}

/// A commit to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitDraft {
    /// Its tree.
    pub tree: TreeId,
    /// Its parents, the first first.
    pub parents: Vec<CommitId>,
    /// Who wrote it.
    pub author: Identity,
    /// Who committed it.
    pub committer: Identity,
    /// What it says.
    pub message: String,
    /// When, for author and committer.
    pub time: When,
}

impl Draft {
    pub(super) fn over(handle: gix::Repository) -> Self {
        Self { handle }
    }

    /// Sees what was published since it was begun, which may be long ago.
    pub fn refresh(&mut self, repository: &Repository) {
        repository.refresh(&mut self.handle);
    }

    /// Makes a blob.
    ///
    /// # Errors
    /// If the bytes cannot be hashed.
    pub fn blob(&mut self, bytes: &[u8]) -> Result<BlobId, GitError> {
        self.write(Kind::Blob, bytes).map(blob_id)
    }

    /// Makes a tree: `base` (or the empty tree) with these edits, which are done in order.
    ///
    /// # Errors
    /// [`GitError::BadPath`], or if a tree on the way cannot be read.
    pub fn tree(&mut self, base: Option<TreeId>, edits: &[Edit]) -> Result<TreeId, GitError> {
        let leaves = edits.iter().map(|edit| {
            let put = match edit.what {
                What::Put { blob, executable: false } => Some((GixKind::Blob, gix_blob(blob))),
                What::Put { blob, executable: true } => Some((GixKind::BlobExecutable, gix_blob(blob))),
                What::PutLink(blob) => Some((GixKind::Link, gix_blob(blob))),
                What::PutTree(tree) => Some((GixKind::Tree, gix_tree(tree))),
                What::Remove => None,
            };
            (BString::from(edit.path.as_str()), put)
        });
        let base = base.map_or_else(|| gix::ObjectId::empty_tree(self.handle.object_hash()), gix_tree);
        self.edit(base, leaves).map(tree_id)
    }

    /// Makes a commit, signed if there is a signer.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn commit(&mut self, commit: CommitDraft, signer: Option<&Signer>) -> Result<CommitId, GitError> {
        let time = commit.time.to_gix();
        let mut object = gix::objs::Commit {
            tree: gix_tree(commit.tree),
            parents: commit.parents.into_iter().map(gix_commit).collect(),
            author: signature(&commit.author, time),
            committer: signature(&commit.committer, time),
            encoding: None,
            message: with_line_end(commit.message).into(),
            extra_headers: Vec::new(),
        };
        let doing = || "write a commit".to_owned();
        let mut bytes = Vec::new();
        object.write_to(&mut bytes).during(doing)?;
        if let Some(signer) = signer {
            let armored = signer.sign(&bytes)?;
            let header = match self.handle.object_hash() {
                gix::hash::Kind::Sha256 => "gpgsig-sha256",
                _ => "gpgsig",
            };
            object.extra_headers.push((header.into(), armored.trim_end().into()));
            bytes.clear();
            object.write_to(&mut bytes).during(doing)?;
        }
        self.write(Kind::Commit, &bytes).map(commit_id)
    }

    /// Makes the code tree of a commit: its root tree without `.handoff`.
    ///
    /// # Errors
    /// If the commit is missing.
    pub fn code_tree(&mut self, commit: CommitId) -> Result<TreeId, GitError> {
        let root = tree::root_of(&self.handle, gix_commit(commit))?;
        self.without_handoff(tree_id(root))
    }

    /// Makes a tree without its `.handoff`.
    ///
    /// # Errors
    /// If the tree is missing.
    pub fn without_handoff(&mut self, tree: TreeId) -> Result<TreeId, GitError> {
        let mut root = tree::read(&self.handle, gix_tree(tree))?;
        let before = root.entries.len();
        root.entries.retain(|entry| entry.filename != HANDOFF);
        if root.entries.len() == before { Ok(tree) } else { self.write_tree(&root).map(tree_id) }
    }

    /// Makes the commit that worktrees check out: `code`, unsigned, on `parent`. The same code on the same parent gives
    /// the same commit.
    ///
    /// # Errors
    /// If the parent is missing.
    pub fn code_commit(&mut self, code: TreeId, parent: CommitId) -> Result<CommitId, GitError> {
        let mut buffer = Vec::new();
        let date = read_commit(&self.handle, gix_commit(parent), &mut buffer)?
            .time()
            .during(|| format!("read the commit '{parent}'"))?;
        let time = When { seconds: date.seconds, offset_seconds: date.offset };
        self.code(code, vec![parent], &parent.short(), time)
    }

    /// The same where there is no commit yet.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn first_code_commit(&mut self, code: TreeId) -> Result<CommitId, GitError> {
        self.code(code, Vec::new(), "no commit", When { seconds: 0, offset_seconds: 0 })
    }

    fn code(&mut self, tree: TreeId, parents: Vec<CommitId>, of: &str, time: When) -> Result<CommitId, GitError> {
        let by = Identity { name: CODE_AUTHOR.0.to_owned(), email: CODE_AUTHOR.1.to_owned() };
        let message = format!("Code of {of}\n\nMade for a worktree; in no branch.");
        self.commit(CommitDraft { tree, parents, author: by.clone(), committer: by, message, time }, None)
    }

    /// The bytes of the file at `path` of a tree; none if there is no file.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub fn read(&self, tree: TreeId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        match tree::lookup(&self.handle, gix_tree(tree), path)? {
            Some((mode, id)) if mode.is_blob_or_symlink() => read_blob(&self.handle, id).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// The tree at `path` of a tree; none if there is no directory.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub fn tree_at(&self, tree: TreeId, path: &str) -> Result<Option<TreeId>, GitError> {
        let found = tree::lookup(&self.handle, gix_tree(tree), path)?;
        Ok(found.filter(|(mode, _)| mode.is_tree()).map(|(_, id)| tree_id(id)))
    }

    /// The root tree of a commit, also of one made here.
    ///
    /// # Errors
    /// If the commit is missing.
    pub fn root_tree(&self, commit: CommitId) -> Result<TreeId, GitError> {
        tree::root_of(&self.handle, gix_commit(commit)).map(tree_id)
    }

    /// Takes out all objects made here. What is made later no longer sees them until they are published.
    pub fn objects(&mut self) -> Objects {
        let mut memory = self.handle.objects.reset_object_memory().unwrap_or_default();
        let mut all: Vec<_> = memory.drain().map(|(id, (kind, bytes))| (id, kind, bytes)).collect();
        all.sort_unstable_by_key(|(id, kind, _)| (*kind, *id));
        Objects { all }
    }

    pub(super) fn handle(&self) -> &gix::Repository {
        &self.handle
    }

    /// Edits a tree: `None` removes what is at the path, be it a file or a directory.
    pub(super) fn edit(
        &mut self,
        base: gix::ObjectId,
        leaves: impl Iterator<Item = (BString, Option<(GixKind, gix::ObjectId)>)>,
    ) -> Result<gix::ObjectId, GitError> {
        let root = tree::read(&self.handle, base)?;
        let doing = || format!("change the tree '{base}'");
        let mut editor = gix::objs::tree::Editor::new(root, &self.handle.objects, self.handle.object_hash());
        for (path, put) in leaves {
            check_path(path.as_bstr())?;
            let parts = path.split(|byte| *byte == b'/').map(ByteSlice::as_bstr);
            match put {
                Some((kind, id)) => editor.upsert(parts, kind, id).during(doing)?,
                None => editor.remove(parts).during(doing)?,
            };
        }
        let objects = &self.handle.objects;
        editor.write(|tree| write_tree(objects, tree))
    }

    pub(super) fn write(&self, kind: Kind, bytes: &[u8]) -> Result<gix::ObjectId, GitError> {
        self.handle.objects.write_buf(kind, bytes).during(|| format!("write a {kind}"))
    }

    fn write_tree(&self, tree: &Tree) -> Result<gix::ObjectId, GitError> {
        write_tree(&self.handle.objects, tree)
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").finish_non_exhaustive()
    }
}

impl Objects {
    /// The objects of several drafts.
    pub fn join(mut self, other: Self) -> Self {
        self.all.extend(other.all);
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

fn write_tree(objects: &impl Write, tree: &Tree) -> Result<gix::ObjectId, GitError> {
    let mut bytes = Vec::new();
    let doing = || "write a tree".to_owned();
    tree.write_to(&mut bytes).during(doing)?;
    objects.write_buf(Kind::Tree, &bytes).during(doing)
}

/// Whether each part of the path may be in a tree, on any system that git runs on.
pub(super) fn check_path(path: &BStr) -> Result<(), GitError> {
    let options =
        gix::validate::path::component::Options { protect_windows: false, protect_hfs: true, protect_ntfs: true };
    for part in path.split(|byte| *byte == b'/') {
        gix::validate::path::component(part.as_bstr(), None, options)
            .map_err(|_| GitError::BadPath(path.to_str_lossy().into_owned()))?;
    }
    Ok(())
}

fn signature(who: &Identity, time: gix::date::Time) -> gix::actor::Signature {
    // What git itself removes from names, so that the header stays one line of the right form.
    let clean = |text: &str| -> BString {
        let kept: String = text.chars().filter(|c| !matches!(c, '<' | '>' | '\n' | '\0')).collect();
        kept.trim().into()
    };
    gix::actor::Signature { name: clean(&who.name), email: clean(&who.email), time }
}

fn with_line_end(mut message: String) -> String {
    message.retain(|c| c != '\0');
    if !message.ends_with('\n') {
        message.push('\n');
    }
    message
}
