//! The envelope of every JSON form: one object, the version first.
//! Knows nothing of the views it wraps.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::Serialize;

use crate::text::is_unwanted;

/// The version of every JSON form that this room writes. Fields may be added under the same version; none is renamed,
/// removed or given another meaning.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: u32,
    #[serde(flatten)]
    view: &'a T,
}

/// Writes one JSON object whose first list is told an item at a time: `schema`, the list, then what follows from it. It reads
/// as if [`write`] had written it.
pub struct Listing<'a> {
    out: &'a mut dyn Write,
    items: usize,
}

impl<'a> Listing<'a> {
    /// Begins the object and its list.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn begin(name: &str, out: &'a mut dyn Write) -> io::Result<Self> {
        write!(out, "{{\n  \"schema\": {SCHEMA},\n  \"{name}\": [")?;
        Ok(Self { out, items: 0 })
    }

    /// One more item.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn item(&mut self, item: &impl Serialize) -> io::Result<()> {
        let text = printable(&serde_json::to_string_pretty(item)?).replace('\n', "\n    ");
        let comma = if self.items > 0 { "," } else { "" };
        self.items += 1;
        write!(self.out, "{comma}\n    {text}")
    }

    /// Ends the list and the object, with one more field.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn end(self, name: &str, field: &impl Serialize) -> io::Result<()> {
        let line = if self.items > 0 { "\n  " } else { "" };
        let text = printable(&serde_json::to_string_pretty(field)?).replace('\n', "\n  ");
        write!(self.out, "{line}],\n  \"{name}\": {text}\n}}\n")
    }
}

/// Writes a view as one JSON object with `"schema"` in it, and a newline.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let text = serde_json::to_string_pretty(&Envelope { schema: SCHEMA, view })?;
    out.write_all(printable(&text).as_bytes())?;
    out.write_all(b"\n")
}

/// Writes a value on one line.
///
/// # Errors
/// When `out` does not take it.
pub fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(printable(&serde_json::to_string(value)?).as_bytes())?;
    out.write_all(b"\n")
}

/// The same JSON, in which what a terminal would obey, or hide, is written as `\u` and its number. Outside of strings there
/// is no such character.
fn printable(json: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| c != '\n' && is_unwanted(c);
    // Most of it is plain, which is told by its bytes.
    let is_plain = json.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~'));
    if is_plain || !json.contains(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        let text = "a\u{1b}[2J\u{202e}\u{9b}1m\u{7f}\u{e0041}\né";
        let mut out = Vec::new();
        write_line(&text, &mut out).expect("a vector takes all");
        let line = String::from_utf8(out).expect("text");
        assert_eq!(line, "\"a\\u001b[2J\\u202e\\u009b1m\\u007f\\udb40\\udc41\\né\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).expect("it is still JSON"), text);
    }

    #[test]
    fn a_listing_reads_as_if_written_at_once() {
        #[derive(Serialize)]
        struct Whole<'a> {
            tasks: &'a [Vec<&'a str>],
            totals: (u8, u8),
        }
        for tasks in [vec![], vec![vec!["a\nb\u{202e}"]], vec![vec!["a", "\"b"], vec![], vec!["c"]]] {
            let (mut at_once, mut one_by_one) = (Vec::new(), Vec::new());
            write(&Whole { tasks: &tasks, totals: (1, 2) }, &mut at_once).expect("a Vec takes all");
            let mut listing = Listing::begin("tasks", &mut one_by_one).expect("a Vec takes all");
            tasks.iter().for_each(|task| listing.item(task).expect("a Vec takes all"));
            listing.end("totals", &(1, 2)).expect("a Vec takes all");
            assert_eq!(String::from_utf8(one_by_one), String::from_utf8(at_once));
        }
    }
}
