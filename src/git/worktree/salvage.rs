//! Saving what would otherwise be lost: all that is in a slot and in no commit, also what may not be taken.
//! Knows nothing of why it would be lost.

use std::{collections::HashMap, path::PathBuf};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    index::entry::Stat,
    objs::Kind,
};

use super::{
    super::{
        command::Git,
        draft::{CommitDraft, Draft, When, check_path},
        error::{During, GitError},
        object::tree_id,
        publish::{PublishError, RefMove},
        repository::Identity,
    },
    examine::{Care, Sink},
    index::Put,
    outcome::{Salvage, changed, refused},
    slot::Slot,
};
use crate::{config::settings::Durability, model::object::CommitId};

/// Bytes of a file up to which it is held in memory when everything is saved.
pub(super) const SAVED_IN_MEMORY_BYTES_MAX: u64 = 64 << 20;
/// Tries to find a free name for a salvage ref.
const SALVAGE_TRIES: u32 = 10;

impl Slot {
    /// Puts all that is not in what was checked out into a commit, also what `take` refuses; none if there is nothing.
    /// The commit has to be published under a ref before the work is undone.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn save(&mut self, draft: &mut Draft, by: &Identity, message: &str) -> Result<Option<Salvage>, GitError> {
        let found = self.found()?;
        if found.is_empty() {
            return Ok(None);
        }
        let git = Git::at(self.admin_dir(), Some(self.path()));
        let mut keep = Keep { draft, large: Some((git, self.path().to_owned())) };
        let care = Care::Keep { file_bytes_max: SAVED_IN_MEMORY_BYTES_MAX };
        let examined = self.files.examine(&found, care, &mut keep)?;
        if examined.puts.is_empty() {
            return Ok(None);
        }
        let tree = write_tree(draft, self.files.index.tree(), &with_allowed_names(&examined.puts))?;
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
        Ok(Some(Salvage {
            commit,
            changed: changed(&self.files.index, &examined.puts),
            left: refused(examined.refused),
        }))
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
        if !self.files.are_clean() {
            self.reset()?;
        }
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
}

/// Puts blobs into a draft; files too large for that are written by git itself.
pub(super) struct Keep<'a> {
    draft: &'a mut Draft,
    /// How large files are written, and where they are; none where there are none.
    large: Option<(Git, PathBuf)>,
}

impl<'a> Keep<'a> {
    /// For files that are read into memory.
    pub(super) fn small(draft: &'a mut Draft) -> Self {
        Self { draft, large: None }
    }
}

impl Sink for Keep<'_> {
    fn blob(&mut self, bytes: &[u8]) -> Result<ObjectId, GitError> {
        self.draft.write(Kind::Blob, bytes)
    }

    fn large(&mut self, path: &BStr) -> Result<ObjectId, GitError> {
        use std::os::unix::ffi::OsStrExt;
        let (git, root) = self.large.as_ref().expect("only saving asks for large files");
        let whole = root.join(std::ffi::OsStr::from_bytes(path));
        let name = git.clone().args(["hash-object", "-w", "--no-filters", "--"]).args([&whole]).output(&[])?;
        ObjectId::from_hex(name.trim_end()).during(|| format!("save '{}'", whole.display()))
    }
}

/// A tree with these changes.
pub(super) fn write_tree(draft: &mut Draft, base: ObjectId, puts: &[Put]) -> Result<ObjectId, GitError> {
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

/// What the files looked like whose content is kept.
pub(super) fn looks(puts: &[Put]) -> HashMap<BString, Stat> {
    puts.iter().filter_map(|(path, put)| Some((path.clone(), put.as_ref()?.stat))).collect()
}
