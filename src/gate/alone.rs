//! A gate by itself: in a repository with or without tasks, whether or not a run is at work in it. Its checkouts are its own.
//! Touches no branch, index or file of the user. Does not know who asks: a person, a hook, or a build server.

use std::path::{Path, PathBuf};

use super::{
    Definition, GateError, Remembered, UserHooks,
    change::{Change, DIFF_BYTES_MAX},
    question::{Answer, Base, Freshness, Question, Told, ask},
    run::{Bench, Side},
    setup::{self, Ground, Shared, Standing, Warmth},
};
use crate::{
    config::settings::Settings,
    git::{Repository, Slot, Slots},
    handoff::layout::LocalDir,
    model::object::{CommitId, Digest, TreeId},
    sys::{
        lock::{self, Lease, LockError},
        machine,
        ports::{self, Ports},
        process::{Cancel, Label, Supervisor},
    },
};

/// Gates that may be at work by themselves at once; each has a checkout of its own.
pub const AT_ONCE_MAX: usize = 4;
/// Hex digits of a repository's name among the children of this machine.
const MARKER_LENGTH: usize = 16;
/// The directory of their checkouts, below that of all worktrees.
pub const DIRECTORY: &str = "gates";

/// Where the checkouts of gates are that run by themselves: beside those of agents, whose run may be tidying up its own.
pub fn directory(worktrees: &Path) -> PathBuf {
    worktrees.join(DIRECTORY)
}

/// A gate by itself.
pub struct Alone<'a> {
    repository: &'a Repository,
    local: LocalDir,
    settings: &'a Settings,
    slots: Slots,
    shared: Shared,
    cancel: Cancel,
    remembered: Remembered,
    log_dir: PathBuf,
}

/// A tree that is asked about; made by [`Alone::commit`] or [`Alone::tree`].
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// The code tree.
    pub tree: TreeId,
    /// A commit of it that can be checked out.
    checkout: CommitId,
    /// What it is compared with.
    base: Option<Base>,
    /// The commit that it is of; none: it is in no commit yet.
    of: Option<CommitId>,
}

/// What one gate holds while its checks run: a checkout that is its own, and children that no run takes for its own.
struct Stand {
    _lease: Lease,
    slot: String,
    supervisor: Supervisor,
}

impl<'a> Alone<'a> {
    /// A gate in a repository; `worktrees` is the directory of all its worktrees. Saying `cancel` ends the checks.
    ///
    /// # Errors
    /// When the configuration names what is no glob.
    pub fn open(
        repository: &'a Repository,
        settings: &'a Settings,
        worktrees: &Path,
        cancel: Cancel,
    ) -> Result<Self, GateError> {
        let local = LocalDir::new(repository.common_dir());
        Ok(Self {
            repository,
            settings,
            slots: Slots::open(repository, &directory(worktrees))?.with(settings.worktrees.sparse),
            shared: setup::shared(repository.work_dir(), &settings.worktrees)?,
            cancel,
            remembered: Remembered::open(local.cache().join("gate")),
            log_dir: local.log().join("gate"),
            local,
        })
    }

    /// Verdicts that were given before, by runs too.
    pub fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// Where all that the checks wrote is.
    pub fn log_dir(&self) -> &Path {
        &self.log_dir
    }

    /// The code of a commit, to be compared with that of another.
    ///
    /// # Errors
    /// If one is missing.
    pub fn commit(&self, commit: CommitId, base: Option<CommitId>) -> Result<Subject, GateError> {
        Ok(Subject { of: Some(commit), ..self.tree(self.repository.root_tree(commit)?, commit, base)? })
    }

    /// The code of a tree that is in no commit yet, such as that of the index. `parent` is any commit.
    ///
    /// # Errors
    /// If it is missing.
    pub fn tree(&self, tree: TreeId, parent: CommitId, base: Option<CommitId>) -> Result<Subject, GateError> {
        let (tree, checkout) = self.code(tree, parent)?;
        let base = match base {
            None => None,
            Some(commit) => {
                let (tree, commit) = self.code(self.repository.root_tree(commit)?, commit)?;
                Some(Base { tree, commit })
            }
        };
        Ok(Subject { tree, checkout, base, of: None })
    }

    /// The code of a tree where there is no commit yet, such as that of an index before the first one.
    ///
    /// # Errors
    /// If it is missing.
    pub fn first_tree(&self, tree: TreeId) -> Result<Subject, GateError> {
        let mut draft = self.repository.draft();
        let tree = draft.without_handoff(tree)?;
        let checkout = self.repository.first_code_checkout(&mut draft, tree)?;
        Ok(Subject { tree, checkout, base: None, of: None })
    }

    /// What a subject changes of its base.
    ///
    /// # Errors
    /// If git cannot make the diff.
    pub fn change(&self, subject: &Subject) -> Result<Change, GateError> {
        let Some(base) = subject.base else { return Ok(Change::default()) };
        Ok(Change::of_diff(&self.repository.diff_text(base.tree, subject.tree, DIFF_BYTES_MAX)?))
    }

    /// Judges a tree: in milliseconds if that was done before. All checks are run to their end.
    ///
    /// # Errors
    /// When no checkout can be had. What the checks say is a verdict, not an error.
    pub fn judge(
        &self,
        definition: &Definition,
        subject: &Subject,
        freshness: Freshness,
        tell: &mut dyn FnMut(Told<'_>),
    ) -> Result<Answer, GateError> {
        let base = subject.base.map(|base| base.tree);
        if freshness == Freshness::Remembered
            && let Some(verdict) = self.remembered.get(&subject.tree, &definition.digest, base)
        {
            return Ok(Answer::Verdict(Box::new(verdict)));
        }
        let stand = self.stand()?;
        let question = Question { definition, tree: subject.tree, base: subject.base, freshness };
        let bench = Bench {
            supervisor: &stand.supervisor,
            cancel: &self.cancel,
            checks_parallel: machine::cores(),
            output_bytes_max: usize::try_from(self.settings.limits.output_bytes).unwrap_or(usize::MAX),
            log_dir: Some(&self.log_dir),
            label: Label { slot: stand.slot.clone(), ..Label::default() },
            hooks: Some(UserHooks { repository: self.repository, commit: subject.of }),
        };
        let mut checkout = |side: Side, work: &mut dyn FnMut(&Path)| {
            let at = match (side, subject.base) {
                (Side::Base, Some(base)) => base.commit,
                (Side::Candidate | Side::Again | Side::Base, _) => subject.checkout,
            };
            let mut slot = self.slot(&stand, at, definition)?;
            work(slot.path());
            // What the checks left in tracked files must not be there for the next tree.
            Ok::<(), GateError>(slot.discard().map(|_| ())?)
        };
        ask(&question, &bench, &self.remembered, &|| self.change(subject), &mut checkout, tell)
    }

    fn stand(&self) -> Result<Stand, GateError> {
        let root = self.local.root();
        let failed = |what| move |source| GateError::File { path: root.to_owned(), what, source };
        std::fs::create_dir_all(root).map_err(failed("cannot be made"))?;
        let mut holder = None;
        for number in 0..AT_ONCE_MAX {
            let lease = match lock::acquire(&root.join(format!("gate-{number}.lock")), "gate") {
                Ok(lease) => lease,
                Err(LockError::Held { holder: found }) => {
                    holder = holder.or(found);
                    continue;
                }
                Err(LockError::Io { source, .. }) => return Err(failed("cannot be locked")(source)),
            };
            let marker = Digest::of(self.repository.common_dir().as_os_str().as_encoded_bytes());
            let marker = format!("{}-gate-{number}", &marker.0.trim_start_matches("sha256:")[..MARKER_LENGTH]);
            let children = root.join(format!("gate-{number}.children"));
            let supervisor = Supervisor::new(children, marker).map_err(failed("cannot be written"))?;
            let count = self.settings.worktrees.ports;
            let supervisor = supervisor.with_ports(Ports::new(ports::locks(root), self.slots.dir().to_owned(), count));
            // What a gate that died here has left running would write into the checkout.
            supervisor.end_leftovers().map_err(failed("cannot be read"))?;
            return Ok(Stand { _lease: lease, slot: format!("own-{number}"), supervisor });
        }
        Err(GateError::Busy { count: AT_ONCE_MAX, holder: holder.map(Box::new) })
    }

    fn slot(&self, stand: &Stand, at: CommitId, definition: &Definition) -> Result<Slot, GateError> {
        let is_new = !self.slots.dir().join(&stand.slot).exists();
        let mut slot = self.slots.get(&stand.slot, at)?;
        slot.set_brought(&self.shared.paths());
        if !is_new {
            slot.discard()?;
            slot.switch(at)?;
        }
        if definition.is_pristine() {
            slot.reset_to_pristine()?;
        }
        let cache = self.local.cache();
        let is_ready = !is_new && !definition.is_pristine() && setup::is_done(&self.settings.worktrees, &cache, &slot);
        let standing = if is_ready { Standing::Ready } else { Standing::Untouched };
        let ground = Ground {
            root: self.repository.work_dir(),
            settings: &self.settings.worktrees,
            shared: &self.shared,
            cache: &cache,
            supervisor: &stand.supervisor,
            cancel: &self.cancel,
        };
        ground.prepare(&mut slot, standing, Warmth::of(definition))?;
        Ok(slot)
    }

    /// The code of a tree, and a commit of it that a checkout can be made of.
    fn code(&self, root: TreeId, parent: CommitId) -> Result<(TreeId, CommitId), GateError> {
        let mut draft = self.repository.draft();
        let code = draft.without_handoff(root)?;
        Ok((code, self.repository.code_checkout(&mut draft, code, parent)?))
    }
}
