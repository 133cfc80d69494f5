//! What source files say of themselves, read by their language's grammar: what they import and whether they parse.
//! Knows nothing of repositories or tasks; bytes and paths are handed in.

mod check;
mod imports;
mod language;
mod own_checker;
mod resolve;
mod tree;
mod twins;

pub use self::{
    check::{Break, Checked, check},
    imports::{How, Import, imports},
    language::Language,
    own_checker::{OwnChecker, own_checker},
    resolve::{Manifests, Sources},
    twins::{Twin, Twins, twins},
};
