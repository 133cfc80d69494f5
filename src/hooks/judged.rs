//! Asks the gate about one tree, by itself, beside any run that is at work.
//! Knows nothing of why it is asked.

use super::{Ground, HooksError};
use crate::{
    gate::{
        Answer, Definition, Freshness, GateError,
        alone::{Alone, Subject},
        change::AUTO,
    },
    model::{
        object::{CommitId, TreeId},
        record::GateVerdict,
    },
};

/// What came of it.
pub(super) enum Judged {
    /// A verdict.
    Verdict(Box<GateVerdict>),
    /// It was stopped.
    Stopped,
}

/// A gate, and the settings that say what it is.
pub(super) struct Court<'a> {
    ground: Ground<'a>,
    alone: Alone<'a>,
}

impl<'a> Court<'a> {
    /// Opens it; nothing is made yet.
    pub(super) fn open(ground: Ground<'a>) -> Result<Self, HooksError> {
        let cancel = ground.cancel.clone();
        let alone = Alone::open(ground.repository, ground.settings, ground.worktrees, cancel);
        Ok(Self { alone: alone.map_err(failed)?, ground })
    }

    /// A commit, beside another if that is here.
    pub(super) fn commit(&self, commit: CommitId, base: Option<CommitId>) -> Result<Subject, HooksError> {
        self.alone.commit(commit, base).map_err(failed)
    }

    /// A tree that is in no commit yet, beside the commit that it will be put on.
    pub(super) fn tree(&self, tree: TreeId, head: CommitId) -> Result<Subject, HooksError> {
        self.alone.tree(tree, head, Some(head)).map_err(failed)
    }

    /// The gate of this name, or the one for the size of the change.
    pub(super) fn definition(&self, named: &str, subject: &Subject) -> Result<Definition, HooksError> {
        if named != AUTO {
            return definition(&self.ground, named);
        }
        let (profile, _) = self.alone.change(subject).map_err(failed)?.profile(self.ground.settings);
        definition(&self.ground, &profile)
    }

    /// Judges, if that was not done before.
    pub(super) fn judge(&self, definition: &Definition, subject: &Subject) -> Result<Judged, HooksError> {
        let answer = self.alone.judge(definition, subject, Freshness::Remembered, &mut |_| {}).map_err(failed)?;
        Ok(match answer {
            Answer::Verdict(verdict) => Judged::Verdict(verdict),
            Answer::Cancelled => Judged::Stopped,
        })
    }
}

/// The gate of this name.
pub(super) fn definition(ground: &Ground<'_>, profile: &str) -> Result<Definition, HooksError> {
    Definition::from_settings(ground.settings, profile).map_err(failed)
}

fn failed(error: GateError) -> HooksError {
    HooksError::Judge { what: error.to_string(), hint: error.hint() }
}
