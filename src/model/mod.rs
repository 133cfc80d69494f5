//! The words of the product as types, and the two pure functions `apply` and `next` that run it.
//! Knows nothing of files, repositories, programs or clocks: everything it needs is handed in.

pub mod apply;
pub mod checkpoint;
pub mod landing;
pub mod machine;
pub mod money;
pub mod next;
pub mod object;
pub mod plan;
pub mod record;
pub mod task;
pub mod verdict;
pub mod workflow;
