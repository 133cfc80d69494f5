//! Finds the structured answer in an agent's last words, where the program has no option for one.
//! Does not know whether what it finds is a good plan or verdict; `schema` checks that.

use serde_json::Value;

use super::request::Structure;

/// Bytes at the end of the last words that are searched.
const SEARCHED_BYTES_MAX: usize = 512 << 10;
/// Places where an object may begin that are tried.
const BEGINNINGS_MAX: usize = 20_000;

impl Structure {
    /// A key that every object of this structure has and few others do.
    fn key(self) -> &'static str {
        match self {
            Self::Plan => "steps",
            Self::Verdict => "status",
        }
    }
}

/// The structured answer in these words: the words themselves, else the last object in them that has the structure's
/// own key, be it in a fenced block or in the middle of a sentence.
///
/// An object without that key is something the agent quoted, so it does not count.
pub fn find(words: &str, structure: Structure) -> Option<Value> {
    let fits = |value: &Value| value.as_object().is_some_and(|object| object.contains_key(structure.key()));
    let words = words.trim();
    if let Ok(value) = serde_json::from_str::<Value>(words)
        && fits(&value)
    {
        return Some(value);
    }
    let mut start = words.len().saturating_sub(SEARCHED_BYTES_MAX);
    while !words.is_char_boundary(start) {
        start += 1;
    }
    let words = &words[start..];
    let (mut at, mut found) = (0, None);
    for _ in 0..BEGINNINGS_MAX {
        let Some(next) = words[at..].find('{') else { break };
        at += next;
        let mut objects = serde_json::Deserializer::from_str(&words[at..]).into_iter::<Value>();
        match objects.next() {
            Some(Ok(value)) => {
                at += objects.byte_offset();
                if fits(&value) {
                    found = Some(value);
                }
            }
            Some(Err(_)) | None => at += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_fitting_object_counts() {
        let verdict = |words: &str| find(words, Structure::Verdict).map(|value| value.to_string());
        for (words, found) in [
            (r#"{"status":"approved"}"#, Some(r#"{"status":"approved"}"#)),
            ("Fine.\n```json\n{\"status\": \"approved\"}\n```\nBye {name}.", Some(r#"{"status":"approved"}"#)),
            (r#"so {"status":"rejected"} no, {"status":"approved"} it is {"a":1}"#, Some(r#"{"status":"approved"}"#)),
            (r#"{ {"status":"approved"}"#, Some(r#"{"status":"approved"}"#)),
            (r#"{"verdict":{"status":"approved"}}"#, None),
            (r#"["status"]"#, None),
            ("This is not JSON at all.", None),
            ("", None),
        ] {
            assert_eq!(verdict(words).as_deref(), found, "{words}");
        }
    }

    #[test]
    fn hostile_words_are_searched_in_bounded_time() {
        let deep = r#"{"a":["#.repeat(200_000);
        assert_eq!(find(&deep, Structure::Plan), None);
        let many = "{".repeat(4 << 20);
        assert_eq!(find(&many, Structure::Plan), None);
        let cut_in_a_character = format!("é{}", "x".repeat(SEARCHED_BYTES_MAX - 1));
        assert_eq!(find(&cut_in_a_character, Structure::Plan), None);
    }
}
