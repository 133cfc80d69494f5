//! Who does what and what it costs: rules, families, prices, the choice and its reason. Decides, and touches nothing.
//! Knows nothing of programs or of whether they are installed; it is told.

mod candidates;
mod choice;
pub mod hindsight;
pub mod history;
mod model_name;
pub mod price;

pub use self::{
    candidates::{Source, ablest_first, candidates, families, ranked},
    choice::{Choice, NoChoice, Parked, choose},
};
