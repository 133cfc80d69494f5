//! Makes the worktrees of a run ready for work, each by the configuration and the user's checkout.
//! Knows nothing of tasks, nor how it is done: the gate's checkouts are made ready in the same way.

use super::{
    Project, RunError,
    workshop::{SlotGuard, Workshop},
};
use crate::{
    gate::setup::{self, Ground},
    git::Slot,
    model::object::CommitId,
};

pub use crate::gate::setup::{Shared, Standing, Warmth};

/// What the configuration, and `.worktreeinclude`, name and the checkout has.
///
/// # Errors
/// A glob that is none.
pub fn shared(project: &Project) -> Result<Shared, RunError> {
    Ok(setup::shared(project.root.as_deref(), &project.settings.worktrees)?)
}

/// Brings the files that each worktree shares with the user's checkout, and sets up one that is not ready.
///
/// # Errors
/// When a file cannot be brought or a setup command fails.
pub fn prepare(shop: &Workshop, slot: &mut SlotGuard, warmth: Warmth) -> Result<(), RunError> {
    let ground = Ground {
        root: shop.project.root.as_deref(),
        settings: &shop.project.settings.worktrees,
        shared: &shop.shared,
        cache: &shop.project.local.cache(),
        supervisor: &shop.supervisor,
        cancel: &shop.cancel,
    };
    let standing = slot.standing;
    ground.prepare(slot, standing, warmth)?;
    if shop.project.root.is_some() {
        slot.standing = Standing::Ready;
    }
    Ok(())
}

/// Makes the worktrees of so many gates, where they are not there, and makes them ready at a commit before there is something
/// to judge.
///
/// # Errors
/// As [`prepare`].
pub fn ahead(shop: &Workshop, commit: CommitId, gates: usize) -> Result<(), RunError> {
    let at = shop.project.repository.code_checkout_of(commit)?;
    let _going_on = shop.furnishing();
    while let Some(mut slot) = shop.new_gate_slot(at, gates)? {
        prepare(shop, &mut slot, Warmth::Warm)?;
        slot.clean();
    }
    Ok(())
}

/// Whether the setup commands, as they are now, have run in this worktree to their end.
pub fn is_done(project: &Project, slot: &Slot) -> bool {
    setup::is_done(&project.settings.worktrees, &project.local.cache(), slot)
}
