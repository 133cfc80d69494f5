//! The room `git` against real repositories, with git itself as the judge.
//! Knows nothing of tasks or agents: files change, and what is made of them must be what git would make.

#![expect(clippy::unwrap_used, reason = "in tests a broken expectation is the message")]

#[path = "git/attacks.rs"]
mod attacks;
#[path = "git/kit.rs"]
mod kit;
#[path = "git/landings.rs"]
mod landings;
#[path = "git/merges.rs"]
mod merges;
#[path = "git/objects.rs"]
mod objects;
#[path = "git/publishing.rs"]
mod publishing;
#[path = "git/repairs.rs"]
mod repairs;
#[path = "git/slots.rs"]
mod slots;
#[path = "git/sparse.rs"]
mod sparse;
#[path = "git/takes.rs"]
mod takes;
