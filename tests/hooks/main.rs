//! Our git hooks as git runs them: beside those of others, in every kind of repository, on commits and on pushes.
//! Knows nothing of how they judge; the real binary, real git and plain scripts are run.

mod commits;
#[path = "../kit/mod.rs"]
#[expect(dead_code, reason = "each test binary uses a part of the kit")]
mod kit;
mod neighbours;
mod places;
mod pushes;
mod scene;
mod skips;
mod user_hooks;
