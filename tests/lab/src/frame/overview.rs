//! The overview that people read: tables, as HTML for a browser and as text for a terminal.

use std::fmt::Write;

/// One table of an overview.
#[derive(Debug, Clone)]
pub struct Section {
    /// What the table shows.
    pub title: String,
    /// Its columns.
    pub columns: Vec<&'static str>,
    /// Its rows, each with a cell for every column.
    pub rows: Vec<Vec<String>>,
}

/// Tables under headings, aligned in columns.
pub(crate) fn as_text(title: &str, sections: &[Section]) -> String {
    let mut out = format!("{title}\n");
    for section in sections {
        let mut widths: Vec<usize> = section.columns.iter().map(|name| name.len()).collect();
        for row in &section.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let _ = write!(out, "\n{}\n", section.title);
        if section.rows.is_empty() {
            out.push_str("  none\n");
            continue;
        }
        let head: Vec<String> = section.columns.iter().map(ToString::to_string).collect();
        for row in std::iter::once(&head).chain(&section.rows) {
            let mut line = String::from(" ");
            for (width, cell) in widths.iter().zip(row) {
                let _ = write!(line, " {cell:<width$} ");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// One self-contained page that reloads itself.
pub(crate) fn as_html(title: &str, sections: &[Section]) -> String {
    let title = escape(title);
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"refresh\" content=\"2\"><title>{title}</title><style>\
         body{{font:15px system-ui,sans-serif;margin:2rem;color-scheme:light dark}}\
         table{{border-collapse:collapse}}th,td{{text-align:left;padding:.25rem .8rem;\
         border-bottom:1px solid #8886}}</style></head><body><h1>{title}</h1>\n"
    );
    for section in sections {
        let _ = write!(out, "<h2>{}</h2>\n<table><tr>", escape(&section.title));
        for column in &section.columns {
            let _ = write!(out, "<th>{}</th>", escape(column));
        }
        out.push_str("</tr>\n");
        for row in &section.rows {
            out.push_str("<tr>");
            for cell in row {
                let _ = write!(out, "<td>{}</td>", escape(cell));
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</table>\n");
    }
    out.push_str("</body></html>\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> Section {
        Section {
            title: "hosts".to_owned(),
            columns: vec!["name", "ip"],
            rows: vec![vec!["<b>&".to_owned(), "10.0.0.1".to_owned()]],
        }
    }

    #[test]
    fn text_is_aligned_in_columns() {
        assert_eq!(
            as_text("lab", &[section()]),
            "lab\n\nhosts\n  name  ip\n  <b>&  10.0.0.1\n"
        );
    }

    #[test]
    fn a_page_shows_names_as_they_are_and_never_as_markup() {
        let page = as_html("lab", &[section()]);
        assert!(page.contains("<td>&lt;b&gt;&amp;</td>"), "{page}");
    }
}
