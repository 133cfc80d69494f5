//! The tasks among themselves: who needs whom, circles, why one waits, which goes first, which touch the same files, how long it
//! all takes. Knows nothing of agents or repositories.

pub mod claim;
pub mod code_map;
pub mod estimate;
pub mod foretold;
mod graph;
pub mod ledger;
mod overlap;
pub mod pace;
pub mod pairs;
mod precedence;
pub mod schedule;

pub use self::{
    claim::{Claim, Relation},
    code_map::CodeMap,
    graph::{Graph, GraphProblem},
    overlap::Pattern,
    pace::{Foresight, Pace},
    precedence::{Precedence, Prospect},
};
