//! Puts what serde and the TOML parser say into words that fit beside the line of a file.
//! Knows nothing of the document; it is told the message and the place.

use super::document::Part;
use crate::text::did_you_mean;

/// Characters of a foreign text that are shown.
const SHOWN_MAX: usize = 60;

/// The key that a message says is missing.
pub(super) fn missing_key(message: &str) -> Option<&str> {
    quoted(message.strip_prefix("missing field ")?).into_iter().next()
}

/// An error of TOML itself; `there` is the text it is about.
pub(super) fn syntax(message: &str, there: &str) -> String {
    let there = shown(there.lines().next().unwrap_or_default());
    match message {
        "duplicate key" => format!("'{there}' is there twice"),
        _ => format!("this is not TOML: {}", message.replace('`', "'")),
    }
}

/// What is wrong with the value at that place, and what to type instead.
pub(super) fn meaning(message: &str, place: &[Part]) -> (String, Option<String>) {
    let name = place.iter().rev().find_map(|part| match part {
        Part::Key(key) => Some(shown(key)),
        Part::Item(_) => None,
    });
    let name = name.unwrap_or_default();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let words = quoted(rest);
        let (word, known) = words.split_first().map_or(("", &[][..]), |(word, known)| (*word, known));
        let parent = &place[..place.len().saturating_sub(1)];
        return (format!("unknown key '{}'{}", shown(word), inside(parent)), near_or_all(word, known));
    }
    if let Some(key) = missing_key(message) {
        return (format!("'{key}' is missing{}", inside(place)), None);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let words = quoted(rest);
        let (word, known) = words.split_first().map_or(("", &[][..]), |(word, known)| (*word, known));
        return (format!("'{name}' cannot be '{}'", shown(word)), near_or_all(word, known));
    }
    if message.starts_with("data did not match any variant of untagged enum OneOrMany") {
        return (format!("'{name}' must be a name or a list of names"), None);
    }
    let split = |rest: &'_ str| rest.rsplit_once(", expected ").map(|(a, b)| (a.to_owned(), b.to_owned()));
    let rest = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, wanted)) = rest.and_then(split) {
        let spelt = found.starts_with("integer") && wanted == "a string" && name.ends_with("timeout");
        let hint = spelt.then(|| format!("write it as {name} = \"{}s\"", quoted(&found).first().unwrap_or(&"60")));
        return (format!("'{name}' must be {}, not {}", expected(&wanted), actual(&found)), hint);
    }
    if name.is_empty() {
        return (message.to_owned(), None);
    }
    (format!("'{name}': {message}"), None)
}

fn near_or_all(word: &str, known: &[&str]) -> Option<String> {
    match did_you_mean(word, known.iter().copied()) {
        Some(near) => Some(format!("did you mean '{near}'?")),
        None if known.is_empty() => None,
        None => Some(format!("it is one of {}", known.join(", "))),
    }
}

fn expected(wanted: &str) -> String {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a string" | "string" => "a text in quotes".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        _ if wanted.starts_with("struct ") => "a table".to_owned(),
        _ => wanted.to_owned(),
    }
}

fn actual(found: &str) -> String {
    let (kind, rest) = found.split_once(' ').unwrap_or((found, ""));
    match kind {
        "string" => format!("the text {}", shown(rest)),
        "map" => "a table".to_owned(),
        "sequence" => "a list".to_owned(),
        _ => quoted(rest).first().map_or_else(|| shown(found), |value| shown(value)),
    }
}

/// The table that a place is in, as its header is written: ` in [limits]`, ` in [[route]]`; nothing at the top.
fn inside(place: &[Part]) -> String {
    let keys: Vec<_> = place
        .iter()
        .filter_map(|part| match part {
            Part::Key(key) => Some(header_key(key)),
            Part::Item(_) => None,
        })
        .collect();
    match place.last() {
        None => String::new(),
        Some(Part::Key(_)) => format!(" in [{}]", keys.join(".")),
        Some(Part::Item(_)) => format!(" in [[{}]]", keys.join(".")),
    }
}

fn header_key(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { key.to_owned() } else { format!("\"{}\"", shown(key)) }
}

fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn shown(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX + 1).collect();
    if clean.chars().count() > SHOWN_MAX { clean.chars().take(SHOWN_MAX - 1).chain(['…']).collect() } else { clean }
}
