//! The arguments of one call as a model gave them, read with what models get wrong in mind.
//! Does not know what they are for.

use serde_json::Value;

use super::refusal::Refusal;
use crate::text;

/// The arguments of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a> {
    values: &'a Value,
}

impl<'a> Arguments<'a> {
    /// What the model gave, if it has no names but `known`.
    pub fn new(values: &'a Value, known: &[&str]) -> Result<Self, Refusal> {
        let named = match values {
            Value::Object(named) => named,
            // Some send nothing where all is optional.
            Value::Null => return Ok(Self { values }),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(Refusal::Call(format!("arguments must be an object with {}", known.join(", "))));
            }
        };
        match named.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(Self { values }),
            Some(name) => {
                let meant = text::did_you_mean(name, known.iter().copied());
                let meant = meant.map_or_else(
                    || format!("there are {}", known.join(", ")),
                    |meant| format!("did you mean '{meant}'?"),
                );
                Err(Refusal::Call(format!("unknown argument '{}': {meant}", text::clean_line(name))))
            }
        }
    }

    /// A text that must be there.
    pub fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        self.optional(name)?.ok_or_else(|| Refusal::Call(format!("argument '{name}' is missing")))
    }

    /// A text that may be there.
    pub fn optional(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match &self.values[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => Err(Refusal::Call(format!("argument '{name}' must be a text"))),
        }
    }

    /// A whole number that may be there, 0 or more; also as a text or with `.0`, as some models write it.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let number = match &self.values[name] {
            Value::Null => return Ok(None),
            Value::String(text) => text.trim().parse().ok(),
            value => value
                .as_u64()
                .or_else(|| value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..9e15).contains(n)).map(|n| n as u64)),
        };
        number.map(Some).ok_or_else(|| Refusal::Call(format!("argument '{name}' must be a whole number, 0 or more")))
    }

    /// Yes or no, no where it is not there.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match &self.values[name] {
            Value::Null => Ok(false),
            Value::Bool(yes) => Ok(*yes),
            Value::String(word) if word == "true" => Ok(true),
            Value::String(word) if word == "false" => Ok(false),
            _ => Err(Refusal::Call(format!("argument '{name}' must be true or false"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_models_write_is_read() {
        let values = json!({"path": "a", "from": "12", "lines": 3.0, "all": "true"});
        let arguments = Arguments::new(&values, &["path", "from", "lines", "all"]).unwrap();
        assert_eq!(arguments.text("path").unwrap(), "a");
        assert_eq!(arguments.number("from").unwrap(), Some(12));
        assert_eq!(arguments.number("lines").unwrap(), Some(3));
        assert!(arguments.flag("all").unwrap() && !arguments.flag("none").unwrap());
        assert_eq!(Arguments::new(&Value::Null, &[]).unwrap().number("from").unwrap(), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |values: Value, wanted: &str| {
            let said = Arguments::new(&values, &["path", "from"]).and_then(|arguments| {
                arguments.number("from")?;
                arguments.text("path").map(str::to_owned)
            });
            assert_eq!(said.unwrap_err().to_string(), wanted);
        };
        check(json!({"pat": "a"}), "unknown argument 'pat': did you mean 'path'?");
        check(json!({"zzz": 1}), "unknown argument 'zzz': there are path, from");
        check(json!([]), "arguments must be an object with path, from");
        check(json!({}), "argument 'path' is missing");
        check(json!({"path": 1}), "argument 'path' must be a text");
        check(json!({"path": "a", "from": -1}), "argument 'from' must be a whole number, 0 or more");
        check(json!({"path": "a", "from": 1.5}), "argument 'from' must be a whole number, 0 or more");
    }
}
