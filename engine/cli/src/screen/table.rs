//! Tables: columns as wide as what is in them, the last one cut where the paper ends, or set below the others
//! where these leave it too little.

use super::{Ink, Paper};

/// A cell: a text and its colour.
type Cell = (Ink, String);

/// Rows of cells, set in columns.
#[derive(Debug, Default)]
pub(crate) struct Table {
    indent: usize,
    rows: Vec<Vec<Cell>>,
}

/// What lies between two columns.
const GAP: usize = 2;

/// The least that the last column needs beside the others.
const LEAST: usize = 16;

/// How far it is set in where it stands below them.
const HANGING: usize = 4;

impl Table {
    /// An empty table, set in by so many columns.
    pub(crate) fn indented(indent: usize) -> Table {
        Table {
            indent,
            rows: Vec::new(),
        }
    }

    /// A table with a line of headings.
    pub(crate) fn headed(headings: &[&str]) -> Table {
        let mut table = Table::default();
        table.rows.push(
            headings
                .iter()
                .map(|heading| (Ink::Faint, (*heading).to_owned()))
                .collect(),
        );
        table
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text. Trailing spaces are left out.
    pub(crate) fn render(&self, paper: Paper) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                // The last cell of a row takes what room it needs and sets no width.
                let inner = self.rows.iter().filter(|row| row.len() > column + 1);
                inner
                    .map(|row| console::measure_text_width(&row[column].1))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            text.push_str(&self.line(row, &widths, paper));
            text.push('\n');
        }
        text
    }

    fn line(&self, row: &[Cell], widths: &[usize], paper: Paper) -> String {
        let mut line = " ".repeat(self.indent);
        let mut at = self.indent;
        for (column, (ink, cell)) in row.iter().enumerate() {
            let is_last = column + 1 == row.len();
            if is_last {
                let wide = console::measure_text_width(cell);
                if column > 0
                    && paper
                        .width
                        .is_some_and(|width| at + wide.min(LEAST) > width)
                {
                    line.truncate(line.trim_end().len());
                    at = self.indent + HANGING;
                    line.push('\n');
                    line.push_str(&" ".repeat(at));
                }
                let room = paper.width.map(|width| width.saturating_sub(at));
                line.push_str(&paper.ink(*ink, &cut(cell, room)));
            } else {
                let filling =
                    widths[column].saturating_sub(console::measure_text_width(cell)) + GAP;
                line.push_str(&paper.ink(*ink, cell));
                line.push_str(&" ".repeat(filling));
                at += widths[column] + GAP;
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn cut(cell: &str, room: Option<usize>) -> std::borrow::Cow<'_, str> {
    match room {
        Some(room) => console::truncate_str(cell, room, "…"),
        None => cell.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Cell {
        (Ink::Plain, text.to_owned())
    }

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let mut table = Table::headed(&["name", "what"]);
        table.row([plain("größe"), plain("x")]);
        table.row([plain("a"), plain("")]);
        assert_eq!(table.render(Paper::BARE), "name   what\ngröße  x\na\n");
    }

    #[test]
    fn the_last_column_ends_where_the_paper_does() {
        let mut table = Table::indented(2);
        table.row([plain("a"), plain(&"x".repeat(80))]);
        let paper = Paper {
            colour: false,
            width: Some(40),
        };
        let text = table.render(paper);
        assert_eq!(console::measure_text_width(text.trim_end()), 40);
        assert!(text.ends_with("…\n"));
        assert!(table.render(Paper::BARE).contains(&"x".repeat(80)));
    }

    #[test]
    fn where_the_others_leave_no_room_the_last_column_stands_below() {
        let mut table = Table::default();
        table.row([plain(&"a".repeat(30)), plain("a sentence of some length")]);
        table.row([plain("b"), plain("short")]);
        let paper = Paper {
            colour: false,
            width: Some(40),
        };
        let expected = format!(
            "{}\n    a sentence of some length\nb{}short\n",
            "a".repeat(30),
            " ".repeat(31)
        );
        assert_eq!(table.render(paper), expected);
    }

    #[test]
    fn a_row_with_fewer_cells_sets_no_width() {
        let mut table = Table::default();
        table.row([plain("a remark over all columns")]);
        table.row([plain("a"), plain("b")]);
        assert_eq!(
            table.render(Paper::BARE),
            "a remark over all columns\na  b\n"
        );
    }
}
