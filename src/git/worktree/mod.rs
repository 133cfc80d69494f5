//! Slots: detached worktrees outside the repository that are used again and again.
//! Know nothing of tasks or of who works in them.

mod checkout;
mod disk;
mod error;
mod examine;
mod index;
mod scan;
mod slot;
mod slots;
mod state;

pub use error::SlotError;
pub use examine::{Inspect, Refusal, RefusedFile, TakePolicy};
pub use slot::{ChangedFile, Changes, Salvage, Slot, Switched, Taken};
pub use slots::Slots;
