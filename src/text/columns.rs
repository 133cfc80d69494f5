//! Rows of cells that line up under each other.
//! Knows nothing of what stands in the cells; colours in them take no room.

use std::borrow::Cow;

use super::shorten::{cut, width};

/// Spaces between two columns.
const GAP: usize = 2;
/// Columns that the last cell keeps however narrow the terminal is.
const LAST_CELL_COLUMNS_MIN: usize = 8;

/// The side on which the cells of a column line up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table without borders.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: &[Align]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row below the others. Cells are single lines; one that is missing is empty, one too many is left out.
    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) -> &mut Self {
        self.rows.push(cells.into_iter().map(Into::into).take(self.columns.len()).collect());
        self
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, a line each, with spaces at no line's end. The last column is cut so that a line takes at most
    /// `columns_max` columns; columns that are empty in every row take no room.
    pub fn render(&self, columns_max: usize) -> String {
        let of_row = |row: &Vec<String>| row.iter().map(|cell| width(cell)).collect::<Vec<usize>>();
        let wide: Vec<Vec<usize>> = self.rows.iter().map(of_row).collect();
        let widest = |at: usize| wide.iter().map(|row| row.get(at).copied().unwrap_or(0)).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(widest).collect();
        let before_last: usize = widths.iter().rev().skip(1).filter(|w| **w > 0).map(|w| w + GAP).sum();
        let room = columns_max.saturating_sub(before_last).max(LAST_CELL_COLUMNS_MIN);
        let (mut lines, mut line) = (String::new(), String::new());
        for (row, wide) in self.rows.iter().zip(&wide) {
            line.clear();
            for (at, align) in self.columns.iter().enumerate().filter(|(at, _)| widths[*at] > 0) {
                let is_last = at + 1 == self.columns.len();
                let (text, own) = row.get(at).map_or(("", 0), |cell| (cell.as_str(), wide[at]));
                let is_cut = is_last && own > room;
                let text = if is_cut { Cow::Owned(cut(text, room)) } else { Cow::Borrowed(text) };
                let own = if is_cut { width(&text) } else { own };
                let space = if is_last { widths[at].min(room) } else { widths[at] }.saturating_sub(own);
                if !line.is_empty() {
                    line.extend(std::iter::repeat_n(' ', GAP));
                }
                match align {
                    Align::Left => {
                        line.push_str(&text);
                        line.extend(std::iter::repeat_n(' ', space));
                    }
                    Align::Right => {
                        line.extend(std::iter::repeat_n(' ', space));
                        line.push_str(&text);
                    }
                }
            }
            lines.push_str(line.trim_end_matches(' '));
            lines.push('\n');
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_line_up() {
        let mut table = Table::new(&[Align::Left, Align::Right, Align::Left, Align::Left]);
        table.row(["RAE-001", "12.4k", "", "split the engine into rank and merge"]);
        table.row(["\u{1b}[32m日本\u{1b}[0m", "9", "", "short"]);
        table.row(["x"]);
        assert_eq!(table.render(30), "RAE-001  12.4k  split the eng…\n\u{1b}[32m日本\u{1b}[0m         9  short\nx\n");
        assert!(table.render(0).lines().next().is_some_and(|line| line.ends_with("split t…")));
    }

    #[test]
    fn a_right_aligned_last_column_ends_together() {
        let mut table = Table::new(&[Align::Left, Align::Right]);
        table.row(["a", "$0.03"]).row(["bb", "$12.00"]);
        assert_eq!(table.render(80), "a    $0.03\nbb  $12.00\n");
        assert_eq!(Table::new(&[Align::Left]).render(80), "");
    }
}
