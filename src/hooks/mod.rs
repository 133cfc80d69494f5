//! Git hooks: put beside what is there, taken away again, proven, and what each of them does.
//! Knows nothing of the loop that works on the queue.

mod chain;
mod config;
mod error;
mod fence;
mod ground;
mod install;
mod judged;
mod managers;
pub mod message;
mod name;
mod overrides;
mod place;
pub mod pre_commit;
pub mod pre_push;
mod proof;
pub mod push;
pub mod skip;
pub mod staged;
mod status;
mod uninstall;

pub use error::HooksError;
pub use ground::{Ground, Refusal};
pub use install::{Done, Options, install};
pub use managers::{Manager, managers, snippet};
pub use name::HookName;
pub use overrides::{OVERRIDES_REF, Override, record};
pub use place::Method;
pub use proof::{PROBE, Proof, prove};
pub use status::{HookState, HookStatus, status};
pub use uninstall::uninstall;
