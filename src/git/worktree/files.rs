//! A slot's files against its index: what may differ, found by looking at all of them or only at those that the system
//! says were touched. Knows nothing of commits.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    index::entry::Stat,
};

use super::{
    super::error::{At, GitError},
    admin::Admin,
    disk::{Disk, Near, split},
    examine::{Care, Examined, Names, Sink, examine},
    index::{Index, stat_of},
    scan::{self, Found, Wanted, What},
    sparse::Sparse,
    staged,
    watch::Watch,
};

/// Finds after which all files are looked at again, whatever the watch says.
const FULL_EVERY: u32 = 64;

/// The files of a slot.
#[derive(Debug)]
pub(super) struct Files {
    pub disk: Disk,
    pub index: Index,
    /// A handle that believes to be in this worktree, with the settings of the main repository.
    pub handle: gix::Repository,
    /// Untracked paths that others put here and that are nobody's work: a copied `.env`, a linked `node_modules`.
    brought: Vec<BString>,
    watch: Option<Watch>,
    /// Paths that differed when they were last looked at.
    differing: BTreeSet<BString>,
    /// Finds since all files were looked at.
    partial: u32,
    /// What the ignore rules outside the worktree looked like then.
    rules: [Option<Stat>; 2],
}

impl Files {
    /// The files at `path`; an index on the disk is believed where it says the same as the tree `root`.
    /// `sparse` is what is left out.
    pub(super) fn open(
        path: &Path,
        handle: gix::Repository,
        root: ObjectId,
        index: &Path,
        sparse: Option<Sparse>,
    ) -> Result<Self, GitError> {
        let disk = Disk::open(path).at("open the directory", path)?;
        let mut known = Index::of_tree(&handle, root, sparse)?;
        known.adopt(index);
        Ok(Self {
            disk,
            index: known,
            handle,
            brought: Vec::new(),
            watch: None,
            differing: BTreeSet::new(),
            partial: 0,
            rules: [None; 2],
        })
    }

    pub(super) fn set_brought(&mut self, paths: &[PathBuf]) {
        self.brought = paths.iter().map(|path| BString::from(path.as_os_str().as_encoded_bytes())).collect();
    }

    /// What may differ, with what only the agent's index tells.
    pub(super) fn found(&mut self, admin: &Admin) -> Result<Vec<Found>, GitError> {
        let mut found = self.scan()?;
        let staged = match staged::told(admin, &self.disk, &self.index, &self.handle, &found) {
            Ok(staged) => staged,
            Err(error) => {
                // What was touched is told once; so all is looked at the next time.
                self.watch = None;
                return Err(error);
            }
        };
        if !staged.is_empty() {
            found.extend(staged);
            found.sort_by(|one, two| one.path.cmp(&two.path));
        }
        found.retain(|found| match found.what {
            What::New(..) | What::Nested | What::Special => !self.is_brought(found.path.as_bstr()),
            What::Touched(..) | What::Missing | What::Staged(..) => true,
        });
        self.differing = found.iter().map(|found| found.path.clone()).collect();
        Ok(found)
    }

    /// Reads what was found. Files that only look different are noted as they look now.
    pub(super) fn examine(
        &mut self,
        found: &[Found],
        care: Care<'_>,
        sink: &mut dyn Sink,
    ) -> Result<Examined, GitError> {
        let examined = examine(&self.disk, &self.index, &self.handle, found, care, sink)?;
        for (path, stat) in &examined.same {
            self.index.refresh(path.as_bstr(), *stat);
            self.differing.remove(path);
        }
        Ok(examined)
    }

    /// All files that are not as in the index, ignored ones too.
    pub(super) fn all(&self) -> Result<Vec<Found>, GitError> {
        let mut all = scan::all(&self.disk, &self.index, &self.handle, Wanted::All, None)?;
        all.retain(|found| !self.is_brought(found.path.as_bstr()));
        Ok(all)
    }

    /// Says that files that were missing are there. All are looked at next: what was written here was not watched.
    pub(super) fn are_there(&mut self, missing: &[Found]) {
        for found in missing {
            self.differing.remove(&found.path);
        }
        self.watch = None;
    }

    /// Says that files come or go in many places: all are looked at next.
    pub(super) fn look_at_all(&mut self) {
        self.watch = None;
    }

    /// Whether nothing differed when the files were last looked at.
    pub(super) fn are_clean(&self) -> bool {
        self.differing.is_empty()
    }

    /// Looks at all files again, and says whether the watch had missed one.
    pub(super) fn check(&mut self, admin: &Admin) -> Result<bool, GitError> {
        let known = self.differing(admin)?;
        self.watch = None;
        let all = self.differing(admin)?;
        let missed: Vec<_> = all.difference(&known).collect();
        if let Some(path) = missed.first() {
            tracing::warn!(%path, count = missed.len(), root = %self.disk.path().display(), "the watch missed changes");
        }
        Ok(missed.is_empty())
    }

    fn differing(&mut self, admin: &Admin) -> Result<BTreeSet<BString>, GitError> {
        let found = self.found(admin)?;
        let care = Care::Keep { file_bytes_max: u64::MAX };
        let examined = self.examine(&found, care, &mut Names(self.handle.object_hash()))?;
        let put = examined.puts.into_iter().map(|(path, _)| path);
        Ok(put.chain(examined.refused.into_iter().map(|(path, _)| path)).collect())
    }

    /// Says that files will be in the index that were not. Where their directory is there but not watched, because it is ignored,
    /// the watch is of no use any more.
    pub(super) fn expect<'a>(&mut self, added: impl Iterator<Item = &'a BStr>) {
        let Some(watch) = &self.watch else { return };
        let mut near = Near::default();
        let mut unwatched = added.map(|path| split(path).0).filter(|dir| {
            let mut key = (*dir).to_owned();
            if !key.is_empty() {
                key.push(b'/');
            }
            !watch.knows(key.as_bstr()) && !matches!(self.disk.stat(&mut near, dir), Ok(None))
        });
        if unwatched.next().is_some() {
            self.watch = None;
        }
    }

    fn scan(&mut self) -> Result<Vec<Found>, GitError> {
        // What is touched while it fails is not told again: the watch is only kept if all goes well.
        let mut watch = self.watch.take().filter(|_| self.partial < FULL_EVERY && self.rules == self.read_rules());
        let touched = watch.as_mut().and_then(Watch::drain);
        let found = match touched {
            Some(touched) => {
                self.partial += 1;
                let paths = touched.union(&self.differing).cloned().collect();
                scan::some(&self.disk, &self.index, &self.handle, paths, watch.as_mut())?
            }
            None => {
                self.partial = 0;
                self.rules = self.read_rules();
                watch = Watch::open();
                scan::all(&self.disk, &self.index, &self.handle, Wanted::Unignored, watch.as_mut())?
            }
        };
        self.watch = watch;
        Ok(found)
    }

    /// What the files look like that say what is ignored and are not in the worktree.
    fn read_rules(&self) -> [Option<Stat>; 2] {
        let config = self.handle.config_snapshot();
        let global = config.trusted_path("core.excludesFile").ok().flatten();
        let local = self.handle.common_dir().join("info/exclude");
        [Some(local), global].map(|path| rustix::fs::stat(path?).ok().map(|stat| stat_of(&stat)))
    }

    fn is_brought(&self, path: &BStr) -> bool {
        let covers = |brought: &BString| {
            path.strip_prefix(brought.as_slice()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        self.brought.iter().any(covers)
    }
}
