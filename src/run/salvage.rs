//! Keeps work that would otherwise be lost, under `refs/orchestrate/salvage/<task>/<n>`.
//! Knows nothing of why it would be lost.

use super::RunError;
use crate::{
    config::settings::Durability,
    git::{Identity, Slot},
    handoff::layout,
};

/// Where the work of a task is kept.
pub fn place(task: &str) -> String {
    format!("{}{task}", layout::SALVAGE_REFS)
}

/// Saves what is in a slot and in no commit, and brings the slot back to what it had checked out.
/// Returns the name of the ref, or none if there was nothing to save.
///
/// # Errors
/// When it could not be saved; the slot is then as it was.
pub fn save(slot: &mut Slot, by: &Identity, task: &str) -> Result<Option<String>, RunError> {
    // Always synced, whatever the run's durability: this is the only copy.
    let name = slot.rescue(&place(task), by, Durability::Full)?;
    crate::sys::crash_point::reach("salvage.kept");
    slot.reset()?;
    Ok(name)
}
