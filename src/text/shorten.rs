//! Shows a part of a text and says that it is a part.
//! Does not clean: foreign text goes through `clean` first.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{bytes, clean::is_plain, count};

/// Columns that a line takes on a terminal; our own colour sequences (`ESC [ … m`) take none.
pub fn width(text: &str) -> usize {
    if is_plain(text) {
        return text.len();
    }
    if !text.contains('\u{1b}') {
        return text.width();
    }
    pieces(text).map(|piece| if piece.starts_with('\u{1b}') { 0 } else { piece.width() }).sum()
}

/// The line, or as much of it as fits into `columns` with `…` at its end. Colours are closed where it is cut.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut kept = String::with_capacity(text.len().min(columns * 4));
    let (mut used, mut is_coloured) = (0, false);
    'cut: for piece in pieces(text) {
        if piece.starts_with('\u{1b}') {
            is_coloured = true;
            kept.push_str(piece);
            continue;
        }
        for c in piece.chars() {
            used += c.width().unwrap_or(0);
            if used > columns - 1 {
                break 'cut;
            }
            kept.push(c);
        }
    }
    kept.push('…');
    if is_coloured {
        kept.push_str("\u{1b}[0m");
    }
    kept
}

/// The last lines: at most `lines_max`, together at most `bytes_max`. A first line says what was cut, if anything was.
pub fn tail(text: &str, lines_max: usize, bytes_max: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (shown, within) = fitting(lines.iter().rev(), lines_max, bytes_max);
    if shown == lines.len() {
        return lines.join("\n");
    }
    let (cut_lines, last) = (lines.len() - shown, lines.len() - 1);
    match within {
        Some(room) => {
            let mut start = lines[last].len() - room;
            while !lines[last].is_char_boundary(start) {
                start += 1;
            }
            format!("{}\n…{}", notice(last, start), &lines[last][start..])
        }
        None if shown == 0 => notice(cut_lines, 0),
        None => format!("{}\n{}", notice(cut_lines, 0), lines[cut_lines..].join("\n")),
    }
}

/// The first lines: at most `lines_max`, together at most `bytes_max`. A last line says what was cut, if anything was.
pub fn head(text: &str, lines_max: usize, bytes_max: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (shown, within) = fitting(lines.iter(), lines_max, bytes_max);
    if shown == lines.len() {
        return lines.join("\n");
    }
    match within {
        Some(room) => {
            let mut end = room;
            while !lines[0].is_char_boundary(end) {
                end -= 1;
            }
            format!("{}…\n{}", &lines[0][..end], notice(lines.len() - 1, lines[0].len() - end))
        }
        None if shown == 0 => notice(lines.len(), 0),
        None => format!("{}\n{}", lines[..shown].join("\n"), notice(lines.len() - shown, 0)),
    }
}

/// How many whole lines fit, and if not even the first does, how many of its bytes.
fn fitting<'a>(lines: impl Iterator<Item = &'a &'a str>, lines_max: usize, bytes_max: usize) -> (usize, Option<usize>) {
    let (mut shown, mut used) = (0, 0usize);
    for line in lines.take(lines_max) {
        used = used.saturating_add(line.len() + 1);
        if used > bytes_max.saturating_add(1) {
            return (shown, (shown == 0 && bytes_max > 0).then_some(bytes_max));
        }
        shown += 1;
    }
    (shown, None)
}

/// The line that stands for what is not shown.
fn notice(lines: usize, part_bytes: usize) -> String {
    match (lines, part_bytes) {
        (0, part) => format!("[{} cut]", bytes(part as u64)),
        (lines, 0) => format!("[{} cut]", count(lines, "line")),
        (lines, part) => format!("[{} and {} cut]", count(lines, "line"), bytes(part as u64)),
    }
}

/// The text in pieces, each either one colour sequence or free of them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.find('\u{1b}') {
            None if rest.is_empty() => return None,
            None => rest.len(),
            Some(0) => {
                rest.find(|c: char| c != '[' && matches!(c, '\u{40}'..='\u{7e}')).map_or(rest.len(), |at| at + 1)
            }
            Some(at) => at,
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_to_columns() {
        for (text, columns, shown) in [
            ("short", 5, "short"),
            ("longer", 5, "long…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("x", 0, ""),
            ("xy", 1, "…"),
            ("\u{1b}[31mred\u{1b}[0m", 3, "\u{1b}[31mred\u{1b}[0m"),
            ("\u{1b}[31mredder\u{1b}[0m", 4, "\u{1b}[31mred…\u{1b}[0m"),
        ] {
            assert_eq!(cut(text, columns), shown, "{text:?} in {columns}");
            assert!(width(&cut(text, columns)) <= columns, "{text:?} in {columns}");
        }
        assert_eq!(width("\u{1b}[1;32mdone\u{1b}[0m!"), 5);
    }

    #[test]
    fn the_ends_of_a_text_are_shown() {
        let text = "one\ntwo\nthree\nfour\n";
        assert_eq!(tail(text, 9, 99), "one\ntwo\nthree\nfour");
        assert_eq!(tail(text, 2, 99), "[2 lines cut]\nthree\nfour");
        assert_eq!(tail(text, 9, 10), "[2 lines cut]\nthree\nfour");
        assert_eq!(tail(text, 9, 9), "[3 lines cut]\nfour");
        assert_eq!(tail(text, 9, 3), "[3 lines and 1 byte cut]\n…our");
        assert_eq!(tail("äöü", 9, 3), "[4 bytes cut]\n…ü");
        assert_eq!(tail(text, 0, 99), "[4 lines cut]");
        assert_eq!(tail("", 3, 3), "");
        assert_eq!(head(text, 9, 99), "one\ntwo\nthree\nfour");
        assert_eq!(head(text, 3, 99), "one\ntwo\nthree\n[1 line cut]");
        assert_eq!(head(text, 9, 7), "one\ntwo\n[2 lines cut]");
        assert_eq!(head(text, 9, 2), "on…\n[3 lines and 1 byte cut]");
        assert_eq!(head("äöü", 9, 3), "ä…\n[4 bytes cut]");
        assert_eq!(head(text, 9, 0), "[4 lines cut]");
    }
}
