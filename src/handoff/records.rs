//! The record of a step as JSON, and back.
//! Knows nothing of what follows from a record.

use crate::{
    config::problem::Problem,
    model::record::{RECORD_SCHEMA, Record},
};

/// The text of a record's file: two spaces deep, keys in the order of the type, a line break at the end.
pub fn to_json(record: &Record) -> String {
    let mut text = serde_json::to_string_pretty(record).expect("BUG: a record has only text keys and cannot fail");
    text.push('\n');
    text
}

/// The record in a text. Keys that a later version added are passed over.
///
/// # Errors
/// What is wrong with it, with its line.
pub fn from_json(text: &str, file: &str) -> Result<Record, Problem> {
    if let Some(newer) = newer(text, file) {
        return Err(newer);
    }
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().replace('`', "'");
        Problem::new(file, format!("this is no record of a step: {message}")).at(error.line())
    })
}

fn newer(text: &str, file: &str) -> Option<Problem> {
    #[derive(serde::Deserialize)]
    struct Schema {
        schema: u64,
    }
    let Schema { schema } = serde_json::from_str(text).ok()?;
    (schema > u64::from(RECORD_SCHEMA)).then(|| {
        let what = format!("written by a newer git-orchestrate: schema {schema}, this one reads {RECORD_SCHEMA}");
        Problem::new(file, what).hint("update git-orchestrate".to_owned())
    })
}
