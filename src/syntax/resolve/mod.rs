//! Which files of a repository an import means, by each language's rules.
//! Knows nothing of sources: it has the list of paths and a few manifests.

mod include;
mod java;
mod manifests;
mod python;
mod rust;
mod script;
pub(super) mod sources;

pub use self::{manifests::Manifests, sources::Sources};
