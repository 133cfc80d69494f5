//! One secret that was found. Knows nothing of where the text came from; it never holds the secret itself.

use std::ops::Range;

/// Characters of a secret that are shown, and the fewest that it has where any are.
const SHOWN_MAX: usize = 4;
const SHOWN_FROM: usize = 20;

/// Where a secret is, and which rule knew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id, as in `aws-access-key`.
    pub rule: &'static str,
    /// What it is, for people: `an access key of AWS`.
    pub what: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its first byte in the line, from 1.
    pub column: usize,
    /// The first characters of a long one, and how many there are; never enough to use it.
    pub preview: String,
    /// Its bytes.
    pub range: Range<usize>,
}

/// What may be shown of a secret.
pub(super) fn preview(secret: &[u8]) -> String {
    let shown = if secret.len() >= SHOWN_FROM { &secret[..SHOWN_MAX] } else { &[] };
    let shown: String =
        shown.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
    format!("{shown}… ({} characters)", secret.len())
}
