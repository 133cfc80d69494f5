//! Rows under headings, fit to the reader's width.
//! Knows nothing of what the cells mean.

use std::io::{self, Write};

use super::look::{Ink, Look};
use crate::text::{Align, Table, clean_line, width};

/// One column: its heading, and the side on which its cells line up.
#[derive(Debug, Clone, Copy)]
pub struct Column(pub &'static str, pub Align);

/// A column of words.
pub const fn words(head: &'static str) -> Column {
    Column(head, Align::Left)
}

/// A column of numbers.
pub const fn numbers(head: &'static str) -> Column {
    Column(head, Align::Right)
}

/// One cell, made one clean line.
#[derive(Debug, Clone)]
pub struct Cell(Ink, String);

impl Cell {
    /// Text of some meaning.
    pub fn new(ink: Ink, text: impl AsRef<str>) -> Self {
        Self(ink, clean_line(text.as_ref()))
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Ink::Plain, text)
    }
}

/// The line of headings, and a line for each row; a column without any text is left out, and its heading with it.
/// The line of headings is empty where every heading is.
pub fn lines(look: Look, columns: &[Column], rows: &[Vec<Cell>]) -> (String, Vec<String>) {
    let rendered = rendered(look, columns, rows);
    let mut lines = rendered.lines().map(str::to_owned);
    (lines.next().unwrap_or_default(), lines.collect())
}

fn rendered(look: Look, columns: &[Column], rows: &[Vec<Cell>]) -> String {
    let used: Vec<usize> =
        (0..columns.len()).filter(|at| rows.iter().any(|row| row.get(*at).is_some_and(|c| width(&c.1) > 0))).collect();
    let mut table = Table::new(&used.iter().map(|at| columns[*at].1).collect::<Vec<_>>());
    table.row(used.iter().map(|at| look.paint(Ink::Faint, columns[*at].0)));
    for row in rows {
        table.row(used.iter().map(|at| row.get(*at).map_or_else(String::new, |cell| look.paint(cell.0, &cell.1))));
    }
    table.render(look.columns.unwrap_or(usize::MAX))
}

/// Writes the rows under their headings.
///
/// # Errors
/// When `out` does not take it.
pub fn write(out: &mut dyn Write, look: Look, columns: &[Column], rows: &[Vec<Cell>]) -> io::Result<()> {
    let rendered = rendered(look, columns, rows);
    let (headings, lines) = rendered.split_once('\n').unwrap_or((&rendered, ""));
    if !headings.is_empty() && !rows.is_empty() {
        writeln!(out, "{headings}")?;
    }
    out.write_all(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(look: Look) -> String {
        let columns = [words("TASK"), words("EMPTY"), numbers("COST"), words("TITLE")];
        let rows = vec![
            vec!["a".into(), "".into(), "$0.03".into(), "short".into()],
            vec![Cell::new(Ink::Bad, "longer"), "".into(), "$10.00".into(), "a title that goes\non and on".into()],
            vec!["b".into()],
        ];
        let mut out = Vec::new();
        write(&mut out, look, &columns, &rows).expect("a Vec takes all");
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn columns_line_up_and_the_last_one_is_shortened() {
        assert_eq!(
            table(Look { colour: false, columns: Some(30) }),
            "TASK      COST  TITLE\n\
             a        $0.03  short\n\
             longer  $10.00  a title that …\n\
             b\n"
        );
    }

    #[test]
    fn colours_only_where_allowed() {
        assert!(table(Look { colour: true, columns: None }).contains("\u{1b}[31mlonger\u{1b}[0m  "));
        assert!(!table(Look::default()).contains('\u{1b}'));
    }
}
