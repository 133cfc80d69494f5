//! The tool `edit`: one text in a file replaced by another, exactly, or not at all.
//! Guesses nothing: what is not found or found twice is said with its lines.

use serde_json::{Value, json};

use super::{
    arguments::Arguments,
    ground::Ground,
    refusal::Refusal,
    tool::{Said, ToolSpec},
    write::{FILE_BYTES_MAX, within},
};
use crate::text;

/// Line numbers that are named.
const LINES_NAMED_MAX: usize = 20;
/// Columns of a line that is quoted.
const QUOTED_COLUMNS_MAX: usize = 100;

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "edit",
        description: "Replaces text in a file of the worktree. 'old' must stand in the file exactly once, with the same \
                      spaces and line ends and without the line numbers that 'read' puts before; take enough lines around \
                      it. With 'all' each place is replaced."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "the file, relative to the worktree"},
                "old": {"type": "string", "description": "the text that is there"},
                "new": {"type": "string", "description": "the text to put in its place; empty to remove it"},
                "all": {"type": "boolean", "description": "replace each place where 'old' stands; default false"},
            },
            "required": ["path", "old", "new"],
        }),
    }
}

pub(super) fn call(ground: &Ground, values: &Value) -> Result<Said, Refusal> {
    let arguments = Arguments::new(values, &["path", "old", "new", "all"])?;
    let path = arguments.text("path")?;
    let (old, new, all) = (arguments.text("old")?, arguments.text("new")?, arguments.flag("all")?);
    let lines = ground.change(path, FILE_BYTES_MAX, |bytes| {
        let content = String::from_utf8(bytes)
            .map_err(|_| Refusal::Call(format!("'{path}' is not UTF-8 text and cannot be changed by 'edit'")))?;
        let (content, lines) = replace(path, &content, old, new, all)?;
        within(content.len())?;
        Ok((content.into_bytes(), lines))
    })?;
    let named = named(&lines);
    Ok(Said::new(format!("replaced in '{path}' at {named}"), format!("{path}: {named}")))
}

/// The content with its text replaced, and the lines where it stood.
fn replace(path: &str, content: &str, old: &str, new: &str, all: bool) -> Result<(String, Vec<usize>), Refusal> {
    let refuse = |why: String| Err(Refusal::Call(why));
    if old.is_empty() {
        return refuse("'old' is empty: to make a file or write all of it use 'write'".to_owned());
    }
    if old == new {
        return refuse("'old' and 'new' are the same".to_owned());
    }
    // Models write line feeds; a file whose every line ends as on Windows keeps doing so.
    let ends_crlf = !old.contains('\r') && old.contains('\n') || !new.contains('\r') && new.contains('\n');
    if ends_crlf && content.contains("\r\n") && content.matches('\n').count() == content.matches("\r\n").count() {
        let crlf = |text: &str| if text.contains('\r') { text.to_owned() } else { text.replace('\n', "\r\n") };
        let (old, new) = (crlf(old), crlf(new));
        return replace_exactly(path, content, &old, &new, all);
    }
    replace_exactly(path, content, old, new, all)
}

fn replace_exactly(
    path: &str,
    content: &str,
    old: &str,
    new: &str,
    all: bool,
) -> Result<(String, Vec<usize>), Refusal> {
    let places = places(content, old);
    let lines = lines_of(content, &places);
    match places.len() {
        0 => Err(Refusal::Call(not_found(path, content, old))),
        1 => Ok((content.replacen(old, new, 1), lines)),
        count if !all => Err(Refusal::Call(format!(
            "'old' stands {count} times in '{path}', at {}: take more lines around the one you mean, or set 'all'",
            named(&lines)
        ))),
        // Where places overlap, the first of them is replaced, as anybody would read it.
        _ => Ok((content.replace(old, new), lines)),
    }
}

/// Where a text begins, places that overlap too: which of those is meant is not for us to guess.
fn places(content: &str, old: &str) -> Vec<usize> {
    let step = old.chars().next().map_or(1, char::len_utf8);
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(at) = content[from..].find(old) {
        found.push(from + at);
        from += at + step;
    }
    found
}

/// The lines, from 1, in which places are that come in order.
fn lines_of(content: &str, places: &[usize]) -> Vec<usize> {
    let (mut line, mut from, mut lines) = (1, 0, Vec::with_capacity(places.len()));
    for place in places {
        line += content[from..*place].matches('\n').count();
        from = *place;
        lines.push(line);
    }
    lines
}

fn named(lines: &[usize]) -> String {
    let shown: Vec<String> = lines.iter().take(LINES_NAMED_MAX).map(ToString::to_string).collect();
    let more = if lines.len() > LINES_NAMED_MAX { ", …" } else { "" };
    let noun = if lines.len() == 1 { "line" } else { "lines" };
    format!("{noun} {}{more}", shown.join(", "))
}

/// What a model needs to know to get it right the next time.
fn not_found(path: &str, content: &str, old: &str) -> String {
    let said = format!("'old' does not stand in '{path}'");
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted: Vec<String> = old.lines().map(squeezed).filter(|line| !line.is_empty()).collect();
    let Some(first) = wanted.first() else { return format!("{said}: read the file again") };
    let lines: Vec<(usize, String)> =
        content.lines().enumerate().map(|(at, line)| (at + 1, squeezed(line))).filter(|(_, l)| !l.is_empty()).collect();
    let alike = lines.windows(wanted.len()).find(|lines| lines.iter().map(|(_, line)| line).eq(&wanted));
    if let Some(alike) = alike {
        return format!("{said}; at line {} there is text that differs from it only in spaces", alike[0].0);
    }
    match lines.iter().find(|(_, line)| line == first) {
        Some((at, line)) => format!(
            "{said}; its first line stands at line {at} ('{}'), but what follows there is different",
            text::cut(&text::clean_line(line), QUOTED_COLUMNS_MAX)
        ),
        None => format!("{said}: read the file again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, old: &str, new: &str, all: bool, wanted: Result<(&str, &[usize]), &str>) {
        match (replace("f", content, old, new, all), wanted) {
            (Ok((content, lines)), Ok(wanted)) => assert_eq!((content.as_str(), lines.as_slice()), wanted),
            (Err(error), Err(wanted)) => assert!(error.to_string().contains(wanted), "{error}"),
            (made, wanted) => panic!("{made:?} instead of {wanted:?}"),
        }
    }

    #[test]
    fn one_place_is_replaced_exactly() {
        check("a\nb\nc\n", "b", "x", false, Ok(("a\nx\nc\n", &[2])));
        check("a\nb\nc\n", "b\n", "", false, Ok(("a\nc\n", &[2])));
        check("x x\nx", "x", "y", true, Ok(("y y\ny", &[1, 1, 2])));
        check("äöü", "ö", "o", false, Ok(("äoü", &[1])));
    }

    #[test]
    fn what_is_unclear_is_refused_with_its_lines() {
        check("x\ny\nx\n", "x", "z", false, Err("stands 2 times in 'f', at lines 1, 3"));
        check("aaa", "aa", "b", false, Err("stands 2 times"));
        check("ääää", "ää", "b", false, Err("stands 3 times"));
        check("a", "", "b", false, Err("'old' is empty"));
        check("a", "a", "a", false, Err("the same"));
        check("a", "b", "c", false, Err("read the file again"));
        check("fn a() {\n\tx();\n}\n", "fn a() {\n    x();\n}", "", false, Err("at line 1 there is text that differs"));
        check("one\ntwo\nthree\n", "two\nfour", "", false, Err("its first line stands at line 2"));
        check(&"x\n".repeat(30), "x", "y", false, Err("19, 20, …"));
    }

    #[test]
    fn a_file_of_windows_stays_one() {
        check("a\r\nb\r\nc\r\n", "a\nb", "x\ny\nz", false, Ok(("x\r\ny\r\nz\r\nc\r\n", &[1])));
        check("a\r\nb\r\n", "b", "x\ny", false, Ok(("a\r\nx\r\ny\r\n", &[2])));
        check("a\r\nb\nc\n", "b\nc", "x", false, Ok(("a\r\nx\n", &[2])));
    }
}
