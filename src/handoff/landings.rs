//! The record of a landing as JSON, and back.
//! Knows nothing of what was landed.

use crate::{
    config::problem::Problem,
    model::landing::{LANDING_SCHEMA, Landing},
};

/// The text of a landing's file: two spaces deep, a line break at the end. What passing checks printed is left out: the
/// file stays in the tree.
pub fn to_json(landing: &Landing) -> String {
    let mut short = landing.clone();
    for check in short.gate.iter_mut().flat_map(|verdict| &mut verdict.checks) {
        check.output.clear();
    }
    let mut text = serde_json::to_string_pretty(&short).expect("BUG: a landing has only text keys and cannot fail");
    text.push('\n');
    text
}

/// The landing in a text. Keys that a later version added are passed over.
///
/// # Errors
/// What is wrong with it, with its line.
pub fn from_json(text: &str, file: &str) -> Result<Landing, Problem> {
    let landing: Landing = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().replace('`', "'");
        Problem::new(file, format!("this is no record of a landing: {message}")).at(error.line())
    })?;
    if landing.schema > LANDING_SCHEMA {
        let what =
            format!("written by a newer git-orchestrate: schema {}, this one reads {LANDING_SCHEMA}", landing.schema);
        return Err(Problem::new(file, what).hint("update git-orchestrate".to_owned()));
    }
    Ok(landing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_and_in_again_without_what_checks_printed() {
        let id = "1".repeat(40);
        let text = format!(
            r#"{{"schema":1,"task":"api","onto":"{id}","tip":"{id}","code":"{id}","batch":["api"],"later":1,
            "gate":{{"profile":"full","definition":"sha256:0","tree":"{id}","result":"pass","remembered":false,
            "checks":[{{"name":"test","result":"pass","duration_ms":5,"output":"much"}}]}}}}"#
        );
        let landing = from_json(&text, "f").expect("it is right");
        let again = from_json(&to_json(&landing), "f").expect("it is right");
        assert_eq!(again.gate.as_ref().map(|gate| gate.checks[0].output.as_str()), Some(""));
        assert_eq!((again.task, again.batch), (landing.task, landing.batch));
        assert!(from_json(&text.replace("\"schema\":1", "\"schema\":2"), "f").is_err());
        assert!(from_json("{}", "f").is_err());
    }
}
