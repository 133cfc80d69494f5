//! What an agent reads: prompts made from templates, and a survey of the code for them. Starts nothing, writes nothing.

mod answer;
mod cache;
mod code_map;
mod error;
mod hybrid;
mod input;
mod material;
mod prompt;
mod redaction;
mod survey;
mod templates;

pub use self::{
    answer::{ask_again, review_feedback},
    cache::{Cache, Counts},
    code_map::code_map,
    error::ContextError,
    hybrid::{for_a_brief, for_mending, with_brief},
    input::{ContextFileText, Dependency, FileText, PromptInput, Rule},
    prompt::{PROMPT_BYTES_MAX, Prompt, TASK_BYTES_MAX, prompt},
    survey::{Files, Survey, survey},
    templates::Templates,
};
