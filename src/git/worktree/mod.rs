//! Slots: detached worktrees outside the repository that are used again and again.

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
pub use examine::{Refusal, RefusedFile, TakePolicy};
pub use slot::{ChangedFile, Changes, Salvage, Slot, Switched, Taken};
pub use slots::Slots;
