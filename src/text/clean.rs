//! Makes text that somebody else wrote safe to show on a terminal and to put into a file.
//! Does not know where it came from, and judges nothing: what is left is still only a claim.

use std::borrow::Cow;

/// The text without terminal escapes, control characters and invisible marks that change how the rest reads.
///
/// Newlines and tabs stay. `\r\n` and a lone `\r`, with which programs redraw a line, become a newline. Escape sequences
/// go as a whole (CSI, OSC, DCS, SOS, PM, APC, in their 7-bit and 8-bit forms); one that is never closed ends at the
/// next newline, so that it cannot swallow what follows. Bidirectional overrides, zero-width spaces and Unicode's tag
/// characters go too: they can make a line look like another one, or hide words from a person that a model reads.
pub fn clean(text: &str) -> String {
    if is_plain(text) || text.chars().all(|c| matches!(c, '\n' | '\t') || !is_unwanted(c)) {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => kept.push(c),
            '\r' => {
                rest.next_if_eq(&'\n');
                kept.push('\n');
            }
            '\u{1b}' => match rest.peek().copied() {
                Some('[') => {
                    rest.next();
                    skip_control_sequence(&mut rest);
                }
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    rest.next();
                    skip_control_string(&mut rest);
                }
                _ => skip_short_escape(&mut rest),
            },
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_control_string(&mut rest),
            c if is_unwanted(c) => {}
            c => kept.push(c),
        }
    }
    kept
}

/// [`clean`], and on one line: newlines and tabs become spaces, the ends are trimmed.
pub fn clean_line(text: &str) -> String {
    if is_plain(text) {
        return text.trim().to_owned();
    }
    let cleaned = clean(text);
    cleaned.trim().replace(['\n', '\t'], " ")
}

/// Whether a text is of printable ASCII only, as nearly all are: nothing to clean, a column a byte.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// [`clean`] for the output of a program: what is not UTF-8 becomes `U+FFFD`.
pub fn clean_bytes(bytes: &[u8]) -> String {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => clean(text),
        Cow::Owned(text) => clean(&text),
    }
}

/// Whether a character has no business in text that is shown.
pub fn is_unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// After CSI: parameters and intermediates, then one final byte (ECMA-48, 5.4).
fn skip_control_sequence(rest: &mut Rest<'_>) {
    while rest.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')).is_some() {}
    rest.next_if(|c| matches!(c, '\u{40}'..='\u{7e}'));
}

/// After OSC and its like: everything up to BEL, ST, or the end of the line.
fn skip_control_string(rest: &mut Rest<'_>) {
    while let Some(&c) = rest.peek() {
        if c == '\n' {
            return;
        }
        rest.next();
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                // ST is ESC \; any other escape cancels the string and is one of its own.
                rest.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

/// After ESC: intermediates, then one final byte, such as in `ESC ( B`.
fn skip_short_escape(rest: &mut Rest<'_>) {
    while rest.next_if(|c| matches!(c, '\u{20}'..='\u{2f}')).is_some() {}
    rest.next_if(|c| matches!(c, '\u{30}'..='\u{7e}'));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_controls_go_and_words_stay() {
        for (foreign, shown) in [
            ("plain\ttext\n", "plain\ttext\n"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}[?25l\u{1b}[2Kdone", "done"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\!", "link!"),
            ("\u{1b}P1;2|data\u{1b}\\after", "after"),
            ("\u{1b}]52;c;never closed\nnext line", "\nnext line"),
            ("\u{9b}31mred\u{9d}t\u{9c}x", "redx"),
            ("\u{1b}(Bascii\u{1b}7\u{1b}8", "ascii"),
            ("a\u{8}b\u{0}c\u{7f}d\u{85}", "abcd"),
            ("10%\r20%\r\ndone", "10%\n20%\ndone"),
            ("ab\u{202e}cd\u{2066}e\u{200b}\u{e0041}f", "abcdef"),
            ("family 👩\u{200d}👩 ünï", "family 👩\u{200d}👩 ünï"),
            ("\u{1b}", ""),
            ("cut \u{1b}[3", "cut "),
        ] {
            assert_eq!(clean(foreign), shown, "{foreign:?}");
        }
        assert_eq!(clean_line(" a\n\tb\r\nc \n"), "a  b c");
        assert_eq!(clean_bytes(b"ok \xff\xfe \x1b[1mbold"), "ok \u{fffd}\u{fffd} bold");
    }

    #[test]
    fn cleaned_text_stays_as_it_is() {
        let mut foreign = String::new();
        for code in (0..0x3000).chain(0xe0000..0xe0100) {
            foreign.extend(char::from_u32(code));
            foreign.push('x');
        }
        let once = clean(&foreign);
        assert_eq!(clean(&once), once);
        assert!(!once.chars().any(|c| is_unwanted(c) && c != '\n' && c != '\t'));
    }
}
