//! A repository: objects, refs, trees, merges, signatures, worktrees. gix is used here and nowhere else.

mod checkout;
mod command;
mod draft;
mod error;
mod evidence;
mod hooks_path;
mod merge;
mod object;
mod odb;
mod pack;
mod porcelain;
mod publish;
mod reference;
mod renames;
mod repository;
mod setting;
mod signature;
mod snapshot;
mod tree;
mod verify;
mod worktree;

pub use command::{Git, GitOutput};
pub use draft::{CommitDraft, Draft, Edit, Objects, What, When};
pub use error::GitError;
pub use evidence::{Evidence, Named, Part, RawChange, RawCommit, RawEntry, Unreadable};
pub use hooks_path::HooksPath;
pub use merge::{Conflict, Merged, OnConflict};
pub use publish::{PublishError, RefMove};
pub use repository::{Entry, EntryKind, Head, Identity, Repository};
pub use signature::Signer;
pub use tree::{ChangeKind, PathChange};
pub use verify::{AllowedSigners, SignatureState, verify_bytes};
pub use worktree::{
    ChangedFile, Changes, Inspect, Refusal, RefusedFile, Salvage, Slot, SlotError, Slots, Switched, TakePolicy, Taken,
    leads_outside,
};
