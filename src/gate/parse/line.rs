//! What all parsers of lines share: their shape, and the small things that the lines of many tools have in common.
//! Knows no format.

use crate::gate::measured::{Measured, Place};

/// Reads the lines of a check's output, both outputs in the order in which they came.
pub trait LineParser {
    /// Takes a line, without its end, without colours.
    fn line(&mut self, line: &str);

    /// What they said; none if this was not the format.
    fn finish(self: Box<Self>) -> Option<Measured>;
}

/// `src/lib.rs:30:9`, with or without the column, and what stands behind it after a colon.
pub fn place(text: &str) -> Option<(Place, &str)> {
    let (file, rest) = text.split_once(':')?;
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let end = digits(rest);
    let line = rest.get(..end)?.parse().ok()?;
    let mut rest = &rest[end..];
    if let Some(column) = rest.strip_prefix(':')
        && digits(column) > 0
    {
        rest = &column[digits(column)..];
    }
    (!file.is_empty()).then(|| (Place::new(file, Some(line)), rest.strip_prefix(':').unwrap_or(rest)))
}

/// `3 failed` of `1 passed, 3 failed`: the number before a word.
pub fn number_before(text: &str, word: &str) -> Option<u64> {
    let mut before = "";
    for part in text.split(|c: char| c.is_whitespace() || ",;|()".contains(c)).filter(|part| !part.is_empty()) {
        if part == word {
            return before.parse().ok();
        }
        before = part;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_numbers_are_found() {
        let (found, rest) = place("src/lib.rs:30:9: oh: no").expect("a place");
        assert_eq!((found, rest), (Place::new("src/lib.rs", Some(30)), " oh: no"));
        assert_eq!(place("a.go:12: got 3").map(|(place, _)| place), Some(Place::new("a.go", Some(12))));
        assert_eq!(place("no place"), None);
        assert_eq!(place("word: more"), None);
        assert_eq!(number_before("FAILED. 1 passed; 2 failed; 0 ignored", "failed"), Some(2));
        assert_eq!(number_before("1 failed | 3 passed (4)", "passed"), Some(3));
        assert_eq!(number_before("failed", "failed"), None);
    }
}
