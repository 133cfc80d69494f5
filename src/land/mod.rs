//! Landing: finished tasks onto the integration branch, and that branch onto the user's. What lands is what was tested.

pub mod batch;
pub mod error;
pub mod onto;

pub use error::LandError;
