//! CSV after RFC 4180, for spreadsheets.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, and host names are
//! chosen by whoever owns the host. So text that begins that way gets an apostrophe before it, which
//! spreadsheets do not show. A program that wants the exact value reads `--format json`.

use cordon_contract::Value;

/// The lines of a table: first the names of the columns.
#[must_use]
pub fn render(columns: &[String], rows: &[Vec<Value>]) -> String {
    let mut text = record(columns.iter().map(|name| field(name)));
    for row in rows {
        text.push_str(&record(row.iter().map(cell)));
    }
    text
}

fn record(fields: impl Iterator<Item = String>) -> String {
    let mut line = fields.collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// Nothing is an empty field, a list or a map its JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => field(&harmless(text)),
        other => field(&match other.to_json() {
            quoted if quoted.starts_with('"') => harmless(quoted.trim_matches('"')),
            plain => plain,
        }),
    }
}

fn harmless(text: &str) -> String {
    let formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: impl Into<Value>) -> String {
        render(&["x".to_owned()], &[vec![value.into()]])
    }

    #[test]
    fn what_has_a_meaning_in_csv_is_quoted() {
        assert_eq!(of("plain"), "x\r\nplain\r\n");
        assert_eq!(of("a,b"), "x\r\n\"a,b\"\r\n");
        assert_eq!(
            of("say \"hi\"\nthere"),
            "x\r\n\"say \"\"hi\"\"\nthere\"\r\n"
        );
        assert_eq!(of(Value::Null), "x\r\n\r\n");
        assert_eq!(
            of(Value::map([("a", Value::from(1_i64))])),
            "x\r\n\"{\"\"a\"\":1}\"\r\n"
        );
        assert_eq!(of(Value::Bytes(vec![1, 2])), "x\r\nbase64:AQI=\r\n");
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_made_text_and_a_number_stays_one() {
        assert_eq!(of("=cmd|' /C calc'!A0"), "x\r\n'=cmd|' /C calc'!A0\r\n");
        assert_eq!(of("@SUM(A1)"), "x\r\n'@SUM(A1)\r\n");
        assert_eq!(of("-x"), "x\r\n'-x\r\n");
        assert_eq!(of("-5.25"), "x\r\n-5.25\r\n");
        assert_eq!(of(Value::from(-5_i64)), "x\r\n-5\r\n");
    }
}
