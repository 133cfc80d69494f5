//! Reads a TOML text into a type and says of everything that is wrong in which line it is.
//! Knows nothing of what the type means; settings, tasks and workflows are all read through it.

use std::{collections::BTreeSet, ops::Range};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue, Deserializer},
};

use super::{explain, problem::Problem};

/// Problems that are named of one file; whoever has more sees the rest after mending these.
pub const PROBLEMS_MAX: usize = 50;
/// Bytes a file that a person writes may have.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// One move down a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// To the value of a key.
    Key(String),
    /// To an item of a list, from 0.
    Item(usize),
}

impl From<&str> for Part {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Part {
    fn from(item: usize) -> Self {
        Self::Item(item)
    }
}

/// Where something is in a document: the keys and items that lead to it.
pub type Place = Vec<Part>;

/// A place: `place!["gate", name, "check", 2]`.
macro_rules! place {
    ($($part:expr),* $(,)?) => { [$($crate::config::document::Part::from($part)),*] };
}
pub(crate) use place;

/// What a value must be before serde sees it: serde would take a list for a table of the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `[name]`
    Table,
    /// `[[name]]`
    Tables,
}

/// How a text is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The file's name for problems.
    pub file: &'a str,
    /// The line of the file that the text begins at, from 1.
    pub first_line: usize,
    /// What values must be; `*` stands for any key, items of lists are meant all.
    pub shapes: &'a [(&'a [&'a str], Shape)],
    /// Values of keys at the top that are not there.
    pub fill: &'a [(&'a str, &'a str)],
}

impl<'a> Reading<'a> {
    /// The text is that whole file.
    pub fn of(file: &'a str) -> Self {
        Self { file, first_line: 1, shapes: &[], fill: &[] }
    }

    /// The line of a byte of the text.
    fn line(&self, text: &str, byte: usize) -> usize {
        let before = &text.as_bytes()[..byte.min(text.len())];
        self.first_line + before.iter().filter(|b| **b == b'\n').count()
    }

    /// Whether the text has that very place.
    pub fn has(text: &str, place: &[Part]) -> bool {
        let has = |value: &toml::Value, part: &Part| match part {
            Part::Key(key) => value.get(key).cloned(),
            Part::Item(item) => value.get(item).cloned(),
        };
        let root = toml::from_str::<toml::Value>(text).ok();
        root.and_then(|root| place.iter().try_fold(root, |value, part| has(&value, part))).is_some()
    }

    /// The problem with that place of the text.
    pub fn problem(&self, text: &str, place: &[Part], what: impl Into<String>) -> Problem {
        let span = DeTable::parse(text).ok().and_then(|root| span_of(root.get_ref(), place));
        Problem::new(self.file, what).at(span.map(|span| self.line(text, span.start)))
    }
}

/// Reads a TOML text into a type.
///
/// # Errors
/// Everything that is wrong with it, in the order of lines, at most [`PROBLEMS_MAX`].
pub fn read<T: DeserializeOwned>(text: &str, reading: &Reading<'_>) -> Result<T, Vec<Problem>> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(vec![too_long(reading.file)]);
    }
    let Ok(root) = DeTable::parse(text) else { return Err(syntax(text, reading)) };
    let Prepared { root, mut problems, bent } = prepared(root, text, reading);
    if problems.is_empty()
        && let Ok(value) = T::deserialize(Deserializer::from(root))
    {
        return Ok(value);
    }
    // The usual case pays for no copy of the document; this one reads it again.
    if let Ok(root) = DeTable::parse(text) {
        problems.extend(all_problems::<T>(text, prepared(root, text, reading).root, &bent, reading));
    }
    problems.sort_by_key(|problem| problem.line);
    problems.dedup();
    problems.truncate(PROBLEMS_MAX);
    Err(problems)
}

struct Prepared<'a> {
    root: Spanned<DeTable<'a>>,
    problems: Vec<Problem>,
    /// Keys that were taken out for their shape, so that they are not called missing as well.
    bent: BTreeSet<String>,
}

/// The document with its gaps filled and without what has a wrong shape or a NUL, and the problems with those.
fn prepared<'a>(mut root: Spanned<DeTable<'a>>, text: &str, reading: &Reading<'_>) -> Prepared<'a> {
    let mut problems = Vec::new();
    let mut bent = BTreeSet::new();
    for (pattern, shape) in reading.shapes {
        bend(root.get_mut(), pattern, *shape, &mut |span, key| {
            let what = match shape {
                Shape::Table => format!("'{key}' must be a table, [{key}]"),
                Shape::Tables => format!("'{key}' must be a list of tables, [[{key}]]"),
            };
            problems.push(Problem::new(reading.file, what).at(reading.line(text, span.start)));
            bent.insert(key.to_owned());
        });
    }
    no_nul(root.get_ref(), &mut |span| {
        let what = "a text has a NUL character in it";
        problems.push(Problem::new(reading.file, what).at(reading.line(text, span.start)));
    });
    for (key, value) in reading.fill {
        if !root.get_ref().keys().any(|there| there.get_ref() == key) {
            let value = DeValue::String((*value).to_owned().into());
            root.get_mut().insert(Spanned::new(0..0, (*key).to_owned().into()), Spanned::new(0..0, value));
        }
    }
    Prepared { root, problems, bent }
}

/// The problem of a file that is too long to be what it should be.
pub fn too_long(file: &str) -> Problem {
    Problem::new(file, format!("the file has more than {}", crate::text::bytes(TEXT_BYTES_MAX as u64)))
}

/// Errors of TOML itself: one a line, as what follows one on a line is noise.
fn syntax(text: &str, reading: &Reading<'_>) -> Vec<Problem> {
    let (_, errors) = DeTable::parse_recoverable(text);
    let mut lines = BTreeSet::new();
    let mut problems = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = reading.line(text, span.start);
        if lines.insert(line) && problems.len() < PROBLEMS_MAX {
            let there = text.get(span).unwrap_or_default();
            problems.push(Problem::new(reading.file, explain::syntax(error.message(), there)).at(line));
        }
    }
    problems
}

/// Finds one problem after the other: what is wrong is taken out, and the rest is read again.
fn all_problems<T: DeserializeOwned>(
    text: &str,
    mut root: Spanned<DeTable<'_>>,
    bent: &BTreeSet<String>,
    reading: &Reading<'_>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut gone = BTreeSet::new();
    for _ in 0..PROBLEMS_MAX {
        let Err(error) = T::deserialize(Deserializer::from(root.clone())) else { break };
        let span = error.span().unwrap_or(0..0);
        let mut place = Place::new();
        if span != (0..0) {
            find(root.get_ref(), &span, &mut Place::new(), &mut place);
        }
        let missing = explain::missing_key(error.message());
        let with_key = |key: &str| [place.as_slice(), &[Part::from(key)]].concat();
        let known = missing.is_some_and(|key| gone.contains(&with_key(key)) || bent.contains(key));
        if !known {
            let line = (span != (0..0)).then(|| reading.line(text, span.start));
            let (what, hint) = explain::meaning(error.message(), &place);
            problems.push(Problem::new(reading.file, what).at(line).hint(hint));
        }
        if place.is_empty() {
            break;
        }
        remove(root.get_mut(), &place);
        gone.insert(place);
    }
    problems
}

/// The place whose key or value has exactly that span, else the narrowest around it.
fn find(table: &DeTable<'_>, span: &Range<usize>, here: &mut Place, best: &mut Place) -> bool {
    let mut exact = false;
    for (key, value) in table {
        here.push(Part::Key(key.get_ref().to_string()));
        if key.span() == *span {
            best.clone_from(here);
            here.pop();
            return true;
        }
        exact |= find_in(value, span, here, best, exact);
        here.pop();
    }
    exact
}

fn find_in(value: &Spanned<DeValue<'_>>, span: &Range<usize>, here: &mut Place, best: &mut Place, exact: bool) -> bool {
    let same = value.span() == *span;
    let around = value.span().start <= span.start && span.end <= value.span().end;
    if same || (around && !exact) {
        best.clone_from(here);
    }
    let deeper = match value.get_ref() {
        DeValue::Table(table) => find(table, span, here, best),
        DeValue::Array(items) => items.iter().enumerate().fold(false, |found, (at, item)| {
            here.push(Part::Item(at));
            let found = find_in(item, span, here, best, exact || same || found) || found;
            here.pop();
            found
        }),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            false
        }
    };
    same || deeper
}

fn remove(table: &mut DeTable<'_>, place: &[Part]) {
    let Some((Part::Key(first), rest)) = place.split_first() else { return };
    if rest.is_empty() {
        drop_keys(table, |key, _| key.get_ref() == first);
        return;
    }
    for (key, value) in table.iter_mut() {
        if key.get_ref() == first {
            remove_in(value.get_mut(), rest);
        }
    }
}

fn remove_in(value: &mut DeValue<'_>, place: &[Part]) {
    match (value, place) {
        (DeValue::Table(table), place) => remove(table, place),
        (DeValue::Array(items), [Part::Item(at)]) if *at < items.len() => {
            let others = items.clone().into_iter().enumerate().filter(|(other, _)| other != at);
            *items = others.map(|(_, item)| item).collect();
        }
        (DeValue::Array(items), [Part::Item(at), rest @ ..]) => {
            if let Some(item) = items.get_mut(*at) {
                remove_in(item.get_mut(), rest);
            }
        }
        _ => {}
    }
}

/// Where the key of a place is, or the item.
fn span_of(table: &DeTable<'_>, place: &[Part]) -> Option<Range<usize>> {
    let (Part::Key(first), rest) = place.split_first()? else { return None };
    let (key, mut value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    let mut span = key.span();
    for (at, part) in rest.iter().enumerate() {
        match (value.get_ref(), part) {
            (DeValue::Table(table), Part::Key(_)) => return span_of(table, &rest[at..]).or(Some(span)),
            (DeValue::Array(items), Part::Item(item)) => {
                let Some(item) = items.get(*item) else { return Some(span) };
                value = item;
                span = value.span();
            }
            _ => return Some(span),
        }
    }
    Some(span)
}

/// Takes out what has not the shape it must have, and says where.
fn bend(table: &mut DeTable<'_>, pattern: &[&str], shape: Shape, wrong: &mut dyn FnMut(Range<usize>, &str)) {
    let Some((first, rest)) = pattern.split_first() else { return };
    for (key, value) in table.iter_mut() {
        if (*first == "*" || key.get_ref() == first) && !rest.is_empty() {
            match value.get_mut() {
                DeValue::Table(inner) => bend(inner, rest, shape, wrong),
                DeValue::Array(items) => {
                    for item in items.iter_mut() {
                        if let DeValue::Table(inner) = item.get_mut() {
                            bend(inner, rest, shape, wrong);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    if rest.is_empty() {
        drop_keys(table, |key, value| {
            let right = match (value.get_ref(), shape) {
                (DeValue::Table(_), Shape::Table) => true,
                (DeValue::Array(items), Shape::Tables) => items.iter().all(|item| item.get_ref().is_table()),
                _ => false,
            };
            let bad = (*first == "*" || key.get_ref() == first) && !right;
            if bad {
                wrong(key.span(), key.get_ref());
            }
            bad
        });
    }
}

fn drop_keys(table: &mut DeTable<'_>, mut which: impl FnMut(&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>) -> bool) {
    let keys: Vec<_> = table.iter().filter(|(key, value)| which(key, value)).map(|(key, _)| key.clone()).collect();
    for key in &keys {
        table.remove(key);
    }
}

fn no_nul(table: &DeTable<'_>, wrong: &mut dyn FnMut(Range<usize>)) {
    for (key, value) in table {
        if key.get_ref().contains('\0') {
            wrong(key.span());
        }
        no_nul_in(value, wrong);
    }
}

fn no_nul_in(value: &Spanned<DeValue<'_>>, wrong: &mut dyn FnMut(Range<usize>)) {
    match value.get_ref() {
        DeValue::String(text) if text.contains('\0') => wrong(value.span()),
        DeValue::Table(table) => no_nul(table, wrong),
        DeValue::Array(items) => items.iter().for_each(|item| no_nul_in(item, wrong)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Thing {
        name: String,
        #[serde(default)]
        parts: Vec<ThingPart>,
        #[serde(default)]
        count: u32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct ThingPart {
        size: u8,
        #[serde(default)]
        wait: Option<crate::model::task::Span>,
    }

    fn check(text: &str, wanted: &[&str]) {
        let shapes: &[(&[&str], Shape)] = &[(&["parts"], Shape::Tables)];
        let reading = Reading { shapes, first_line: 2, ..Reading::of("f") };
        let said = match read::<Thing>(text, &reading) {
            Ok(_) => Vec::new(),
            Err(problems) => problems
                .iter()
                .map(|p| {
                    let line = p.line.map_or("-".to_owned(), |line| line.to_string());
                    let hint = p.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
                    format!("{line}: {}{hint}", p.what)
                })
                .collect::<Vec<_>>(),
        };
        assert_eq!(said, wanted, "{:?}", crate::text::cut(text, 200));
    }

    #[test]
    fn everything_wrong_is_said_with_its_line() {
        check("name = 'x'", &[]);
        check("\u{feff}name = 'x'\r\ncount = 2\r\n", &[]);
        check("", &["-: 'name' is missing"]);
        check(
            "name = 3\ncount = -1\nnaem = 'x'",
            &[
                "2: 'name' must be a text in quotes, not 3",
                "3: 'count' must be a whole number, 0 or more, not -1",
                "4: unknown key 'naem' (did you mean 'name'?)",
            ],
        );
        check(
            "name = 'x'\n[[parts]]\nsize = 1\n[[parts]]\nsiez = 1\n[[parts]]\nsize = 'big'\nwait = 5\n",
            &[
                "5: 'size' is missing in [[parts]]",
                "6: unknown key 'siez' in [[parts]] (did you mean 'size'?)",
                "8: 'size' must be a whole number, 0 or more, not the text \"big\"",
                "9: \'wait\' must be a text in quotes, not 5",
            ],
        );
        check(
            "name = 'x'\n[[parts]]\nsize = 1\nwait = '5 minutes'\n",
            &["5: 'wait': '5 minutes' is not a length of time such as 45s, 20m or 1h30m"],
        );
        check("name = 'x'\n[parts]\nsize = 1\n", &["3: 'parts' must be a list of tables, [[parts]]"]);
        check("name = 'x'\nparts = [1, 2]", &["3: 'parts' must be a list of tables, [[parts]]"]);
        check("name = 'x'\nother = 1", &["3: unknown key 'other' (it is one of name, parts, count)"]);
    }

    #[test]
    fn hostile_texts_are_named_and_not_shown_raw() {
        check("name = 'x'\nname = 'y'", &["3: 'name' is there twice"]);
        check("name = \"a\\u0000b\"", &["2: a text has a NUL character in it"]);
        check("na\u{0}me = 'x'", &["2: this is not TOML: invalid unquoted key, expected letters, numbers, '-', '_'"]);
        check("name = 'x'\n\"\\u001b[31m\" = 1", &["3: unknown key '[31m' (it is one of name, parts, count)"]);
        check(&"x".repeat(TEXT_BYTES_MAX + 1), &["-: the file has more than 1 MiB"]);
        let deep = format!("name = {}1{}", "[".repeat(5000), "]".repeat(5000));
        let problems = read::<Thing>(&deep, &Reading::of("f")).expect_err("too deep");
        assert!(problems[0].what.starts_with("this is not TOML"), "{problems:?}");
    }

    #[test]
    fn problems_of_one_file_are_bounded() {
        let text: String = (0..200).map(|n| format!("key{n} = 1\n")).collect();
        let problems = read::<Thing>(&text, &Reading::of("f")).expect_err("unknown keys");
        assert_eq!(problems.len(), PROBLEMS_MAX);
    }
}
