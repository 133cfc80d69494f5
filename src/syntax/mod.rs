//! What source files say of themselves, read by their language's grammar: what they import, and which files that means.
//! Knows nothing of repositories or tasks; bytes and paths are handed in.

mod imports;
mod language;
mod resolve;
mod tree;
mod twins;

pub use self::{
    imports::{How, Import, imports},
    language::Language,
    resolve::{Manifests, Sources},
    twins::{Twin, Twins, twins},
};
