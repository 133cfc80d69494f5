//! The JSON schemas of structured answers, and answers turned into plans and verdicts.
//! Knows nothing of how a program is told the schema; each adapter does that.

use serde_json::{Value, json};

use super::request::{Answer, Structure};
use crate::{
    model::{plan::Plan, verdict::Verdict},
    text,
};

/// Columns of an answer that are quoted where it is not what was asked for.
const SAID_COLUMNS_MAX: usize = 60;

/// The schema of a structure, strict as both providers that take one want it: each object closed, each key required.
/// What may be left out is sent as an empty list or text.
pub fn schema_of(structure: Structure) -> Value {
    match structure {
        Structure::Plan => object(&[
            ("summary", text("The idea in a few sentences")),
            (
                "steps",
                list(object(&[
                    ("id", text("S1, S2, … in the order of work")),
                    ("title", text("One line")),
                    ("detail", text("What to do")),
                    ("files", list(text("A path that this step will change"))),
                    ("acceptance", list(text("How one sees that the step is done"))),
                ])),
            ),
        ]),
        Structure::Verdict => object(&[
            ("status", json!({"type": "string", "enum": ["approved", "needs_changes", "rejected"]})),
            ("summary", text("Your reasoning in a few sentences")),
            (
                "required_changes",
                list(object(&[
                    ("what", text("What must be different")),
                    ("where", text("A file and line, a function or a plan step")),
                    ("why", text("The requirement, criterion or rule that it serves")),
                ])),
            ),
            ("suggestions", list(text("What could be better, not required"))),
            (
                "criteria",
                list(object(&[
                    ("id", text("A1, A2, … as the task numbers its acceptance criteria")),
                    ("met", json!({"type": "boolean"})),
                    ("evidence", text("What shows it")),
                ])),
            ),
            // Free keys are not possible in a strict schema, so the usual aspects are named.
            (
                "scores",
                object(&[
                    ("correctness", json!({"type": "number"})),
                    ("completeness", json!({"type": "number"})),
                    ("clarity", json!({"type": "number"})),
                ]),
            ),
        ]),
    }
}

fn object(properties: &[(&str, Value)]) -> Value {
    let keys: Vec<&str> = properties.iter().map(|(key, _)| *key).collect();
    let properties: serde_json::Map<String, Value> =
        properties.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    json!({"type": "object", "properties": properties, "required": keys, "additionalProperties": false})
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// The plan that was answered.
///
/// # Errors
/// A line for people: nothing structured was answered, it is no plan, or one that cannot be followed.
pub fn plan_from(answer: &Answer) -> Result<Plan, String> {
    let value = structured(answer, "plan")?;
    let plan: Plan = serde_json::from_value(value).map_err(|error| format!("the plan cannot be read: {error}"))?;
    plan.check().map_err(|error| error.to_string())?;
    Ok(plan)
}

/// The verdict that was answered.
///
/// # Errors
/// A line for people: nothing structured was answered, it is no verdict, or one that contradicts itself.
pub fn verdict_from(answer: &Answer) -> Result<Verdict, String> {
    let value = structured(answer, "verdict")?;
    let verdict: Verdict =
        serde_json::from_value(value).map_err(|error| format!("the verdict cannot be read: {error}"))?;
    verdict.check().map_err(|error| error.to_string())?;
    Ok(verdict)
}

fn structured(answer: &Answer, what: &str) -> Result<Value, String> {
    let none = || match text::clean_line(&answer.text) {
        said if said.is_empty() => format!("the answer holds no {what}: it is empty"),
        said => format!("the answer holds no {what}: '{}'", text::cut(&said, SAID_COLUMNS_MAX)),
    };
    let mut value = answer.structured.clone().ok_or_else(none)?;
    drop_nulls(&mut value);
    Ok(value)
}

/// Models write `null` for what they leave out; for the reader it is left out.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{agents::request::EndedAs, model::verdict::Status};

    fn answer(structured: Option<Value>) -> Answer {
        Answer { structured, ..Answer::only(EndedAs::Finished) }
    }

    /// Holds what both providers want of a strict schema, all the way down.
    fn assert_strict(schema: &Value) {
        if schema["type"] == "object" {
            assert_eq!(schema["additionalProperties"], false, "{schema}");
            let keys: Vec<&str> =
                schema["properties"].as_object().expect("properties").keys().map(String::as_str).collect();
            let required: Vec<&str> =
                schema["required"].as_array().expect("required").iter().filter_map(Value::as_str).collect();
            assert_eq!(keys, required);
            schema["properties"].as_object().expect("properties").values().for_each(assert_strict);
        } else if schema["type"] == "array" {
            assert_strict(&schema["items"]);
        }
    }

    #[test]
    fn schemas_are_strict() {
        assert_strict(&schema_of(Structure::Plan));
        assert_strict(&schema_of(Structure::Verdict));
    }

    #[test]
    fn what_the_schema_asks_for_is_what_the_model_reads() {
        let plan = json!({"summary": "s", "steps": [
            {"id": "S1", "title": "t", "detail": "d", "files": ["a.rs"], "acceptance": ["x"]}]});
        assert_eq!(plan_from(&answer(Some(plan))).map(|plan| plan.steps[0].files.clone()), Ok(vec!["a.rs".to_owned()]));
        let verdict = json!({"status": "needs_changes", "summary": "s", "suggestions": [],
            "required_changes": [{"what": "w", "where": "h", "why": "y"}],
            "criteria": [{"id": "A1", "met": true, "evidence": "e"}],
            "scores": {"correctness": 7, "completeness": 8.5, "clarity": 9}});
        let verdict = verdict_from(&answer(Some(verdict))).expect("a verdict");
        assert_eq!((verdict.status, verdict.scores["completeness"]), (Status::NeedsChanges, 8.5));
    }

    #[test]
    fn what_is_left_out_or_null_is_tolerated_and_what_is_wrong_is_named() {
        assert!(verdict_from(&answer(Some(json!({"status": "approved", "scores": null})))).is_ok());
        for (structured, why) in [
            (None, "the answer holds no verdict: it is empty"),
            (Some(json!({"status": "fine"})), "the verdict cannot be read: unknown variant `fine`"),
            (Some(json!("approved")), "the verdict cannot be read: invalid type: string"),
            (Some(json!({"status": "needs_changes"})), "the verdict needs changes but names none"),
        ] {
            let error = verdict_from(&answer(structured)).expect_err(why);
            assert!(error.starts_with(why), "{error}");
        }
        assert_eq!(plan_from(&answer(Some(json!({"steps": []})))), Err("the plan has no steps".to_owned()));
    }
}
