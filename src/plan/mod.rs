//! The tasks among themselves: who needs whom, circles, why one waits, which goes first, which touch the same files.
//! Knows nothing of steps, agents or repositories.

mod graph;
mod overlap;

pub use self::{
    graph::{Graph, GraphProblem},
    overlap::overlaps,
};
