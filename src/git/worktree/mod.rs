//! Slots: detached worktrees outside the repository that are used again and again.
//! Know nothing of tasks or of who works in them.

mod admin;
mod checkout;
mod disk;
mod error;
mod examine;
mod files;
mod index;
mod outcome;
mod salvage;
mod scan;
mod slot;
mod slots;
mod sparse;
mod staged;
mod state;
mod watch;

pub use error::SlotError;
pub use examine::{Inspect, Refusal, RefusedFile, TakePolicy, leads_outside};
pub use outcome::{ChangedFile, Changes, Salvage, Switched, Taken};
pub use slot::Slot;
pub use slots::Slots;
