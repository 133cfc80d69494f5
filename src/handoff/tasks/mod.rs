//! Task files: their texts, the queue they form, changes to them that keep what people wrote.
//! Knows nothing of how far a task has come.

mod edit;
mod numbering;
mod queue;
mod text;

pub use self::{
    edit::{FieldValue, set_fields},
    numbering::next_task_id,
    queue::{Files, Queue, QueuedTask, files, load, write_edited, write_new},
    text::{Format, parse, parse_md, parse_toml, to_md, to_toml},
};
pub(super) use self::{queue::write_new_text, text::short};
