//! `task`: the queue, as a person adds to it, looks at it and changes it. Knows nothing of runs.

mod add;
mod arguments;
mod edit;
mod import;
mod list;
mod queue;
mod show;

pub use self::arguments::{EXAMPLES, TaskArguments, TaskCommand, run};
pub use self::queue::find;
