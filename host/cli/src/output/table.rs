//! Tables for people: aligned columns, cut to the terminal, and blocks where columns would become
//! too narrow to read.

use super::neutral;
use super::paint::{self, Look, Tone};

/// Between two columns.
const GAP: usize = 2;

/// A column narrower than this says nothing any more; below it a table becomes blocks.
const NARROWEST: usize = 12;

/// A table: the names of its columns and its rows.
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self {
            columns: columns
                .into_iter()
                .map(|name| neutral::line(name.as_ref()))
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: one cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| neutral::line(cell.as_ref()))
                .collect(),
        );
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text. Columns in which no row has anything are left out.
    #[must_use]
    pub fn render(&self, look: Look) -> String {
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|&column| {
                self.rows
                    .iter()
                    .any(|row| row.get(column).is_some_and(|cell| !cell.is_empty()))
            })
            .collect();
        let natural: Vec<usize> = shown
            .iter()
            .map(|&column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells
                    .chain([&self.columns[column]])
                    .map(|cell| paint::width(cell))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        match fit(&natural, look.width) {
            Some(widths) => self.aligned(&shown, &widths, look),
            None => self.blocks(&shown, look),
        }
    }

    fn aligned(&self, shown: &[usize], widths: &[usize], look: Look) -> String {
        let line = |cells: &[String], tone: Option<Tone>| {
            let mut text = String::new();
            for (position, (&column, &width)) in shown.iter().zip(widths).enumerate() {
                let cell = paint::cut(cells.get(column).map_or("", String::as_str), width);
                let last = position + 1 == shown.len();
                text.push_str(&if last {
                    cell
                } else {
                    paint::pad(&cell, width + GAP)
                });
            }
            let text = text.trim_end();
            tone.map_or_else(|| text.to_owned(), |tone| look.paint(tone, text))
        };
        let mut text = line(&self.columns, Some(Tone::Strong));
        for row in &self.rows {
            text.push('\n');
            text.push_str(&line(row, None));
        }
        text
    }

    fn blocks(&self, shown: &[usize], look: Look) -> String {
        let names = shown
            .iter()
            .map(|&column| paint::width(&self.columns[column]))
            .max()
            .unwrap_or(0);
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                text.push_str("\n\n");
            }
            let lines: Vec<String> = shown
                .iter()
                .filter_map(|&column| {
                    let cell = row.get(column).filter(|cell| !cell.is_empty())?;
                    let name =
                        look.paint(Tone::Faint, &paint::pad(&self.columns[column], names + GAP));
                    let room = look.width.map_or(usize::MAX, |width| {
                        width.saturating_sub(names + GAP).max(NARROWEST)
                    });
                    Some(format!("{name}{}", paint::cut(cell, room)))
                })
                .collect();
            text.push_str(&lines.join("\n"));
        }
        text
    }
}

/// The widths in which the columns fit: the widest are narrowed to one common width. None where
/// that would be too narrow.
fn fit(natural: &[usize], width: Option<usize>) -> Option<Vec<usize>> {
    let Some(width) = width else {
        return Some(natural.to_vec());
    };
    let room = width.saturating_sub(GAP * natural.len().saturating_sub(1));
    if natural.iter().sum::<usize>() <= room {
        return Some(natural.to_vec());
    }
    let capped = |cap: usize| natural.iter().map(move |&own| own.min(cap));
    (NARROWEST..=room)
        .rev()
        .find(|&cap| capped(cap).sum::<usize>() <= room)
        .map(|cap| capped(cap).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensors() -> Table {
        let mut table = Table::new(["sensor_id", "host_name", "isolated", "note"]);
        table.row(["DF64838B-B518-414B-B769-2B8BE341A2F0", "srv-01", "yes", ""]);
        table.row([
            "AA64838B-B518-414B-B769-2B8BE341A2F0",
            "a\x1b[2Jhost\nwith two lines",
            "no",
            "",
        ]);
        table
    }

    #[test]
    fn without_a_terminal_nothing_is_cut_and_empty_columns_are_left_out() {
        insta::assert_snapshot!(sensors().render(Look::PLAIN), @r"
        sensor_id                             host_name                 isolated
        DF64838B-B518-414B-B769-2B8BE341A2F0  srv-01                    yes
        AA64838B-B518-414B-B769-2B8BE341A2F0  a␛[2Jhost␊with two lines  no
        ");
    }

    #[test]
    fn on_a_narrow_terminal_the_widest_columns_are_cut_first() {
        let narrow = Look {
            colour: false,
            width: Some(48),
        };
        insta::assert_snapshot!(sensors().render(narrow), @r"
        sensor_id           host_name           isolated
        DF64838B-B518-414…  srv-01              yes
        AA64838B-B518-414…  a␛[2Jhost␊with tw…  no
        ");
    }

    #[test]
    fn where_columns_would_say_nothing_each_row_becomes_a_block() {
        let tiny = Look {
            colour: false,
            width: Some(30),
        };
        insta::assert_snapshot!(sensors().render(tiny), @r"
        sensor_id  DF64838B-B518-414B…
        host_name  srv-01
        isolated   yes

        sensor_id  AA64838B-B518-414B…
        host_name  a␛[2Jhost␊with two…
        isolated   no
        ");
    }
}
