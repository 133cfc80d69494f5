//! Who does what and what it costs: rules, families, prices, the choice and its reason. Decides, and touches nothing.
//! Knows nothing of programs or of whether they are installed; it is told.

pub mod backoff;
mod beta;
pub mod budget;
mod candidates;
mod choice;
mod decision;
pub mod estimate;
pub mod hindsight;
pub mod history;
pub mod learned;
mod model_name;
pub mod price;
pub mod tally;
pub mod usual;

pub use self::{
    candidates::{Listed, Ranking, Source, ablest_first, candidates, ranked},
    choice::{Choice, NoChoice, Parked, choose},
    decision::{Circumstances, Preference, Weighed, decide, weigh},
};
