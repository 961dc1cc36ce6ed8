//! Values for people: results as tables and blocks, arguments and cells as one short line.

use cordon_contract::value::Map;
use cordon_contract::{Type, Value, name};

use super::neutral;
use super::paint::{self, Look, Tone};
use super::table::Table;

/// A number of bytes at a glance: `369.6 KiB`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

/// A nested value in one line is cut here.
const SHORT: usize = 60;

/// One line that tells a value, not more than a reader takes in at a glance.
#[must_use]
pub fn short(value: &Value) -> String {
    match value {
        Value::Text(text) => neutral::line(text),
        Value::List(values) if values.iter().all(is_plain) => {
            values.iter().map(short).collect::<Vec<_>>().join(", ")
        }
        Value::List(values) => match values.as_slice() {
            [one] => short(one),
            several => format!("{} entries", several.len()),
        },
        Value::Map(map) => {
            let entries: Vec<String> = map
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| format!("{}: {}", neutral::line(name), short(value)))
                .collect();
            paint::cut(&format!("{{{}}}", entries.join(", ")), SHORT)
        }
        other => cell(other),
    }
}

/// Arguments in one line: `sensor_id=DF64…, duration=2h`.
#[must_use]
pub fn arguments(arguments: &Map) -> String {
    let entries: Vec<String> = arguments
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            format!(
                "{}={}",
                neutral::line(name),
                paint::cut(&short(value), SHORT)
            )
        })
        .collect();
    entries.join(", ")
}

/// A value as somebody reads it who asked for it; the type, where it is known, gives the order.
#[must_use]
pub fn show(value: &Value, r#type: Option<&Type>, look: Look) -> String {
    match value {
        Value::Null => look.paint(Tone::Faint, "nothing"),
        Value::Text(text) => neutral::lines(text),
        Value::List(values) if values.is_empty() => look.paint(Tone::Faint, "no entries"),
        Value::List(values) => match table(values, r#type) {
            Some(table) => table.render(look),
            None => values.iter().map(short).collect::<Vec<_>>().join("\n"),
        },
        Value::Map(map) if map.is_empty() => look.paint(Tone::Faint, "no entries"),
        Value::Map(map) => block(map, r#type, look),
        other => cell(other),
    }
}

/// The columns and rows of a result, exactly as it is: a list of records is one row for each, a
/// single record one row, anything else a column named `value`.
#[must_use]
pub fn rows(value: &Value, r#type: Option<&Type>) -> (Vec<String>, Vec<Vec<Value>>) {
    let single;
    let values: &[Value] = match value {
        Value::List(values) => values,
        Value::Null => &[],
        other => {
            single = [other.clone()];
            &single
        }
    };
    let columns = columns(values, r#type);
    if columns.is_empty() {
        return (
            vec!["value".to_owned()],
            values.iter().map(|value| vec![value.clone()]).collect(),
        );
    }
    let rows = values
        .iter()
        .map(|value| {
            columns
                .iter()
                .map(|column| value.get(column).cloned().unwrap_or_default())
                .collect()
        })
        .collect();
    (columns, rows)
}

/// A table of a list of maps; none where something else is in the list.
fn table(values: &[Value], r#type: Option<&Type>) -> Option<Table> {
    if !values.iter().all(|value| value.as_map().is_some()) {
        return None;
    }
    let columns = columns(values, r#type);
    let mut table = Table::new(&columns);
    for value in values {
        table.row(
            columns
                .iter()
                .map(|column| value.get(column).map_or_else(String::new, nothing_or_short)),
        );
    }
    Some(table)
}

/// The names in the order of the record type, then those that only the values have.
fn columns(values: &[Value], r#type: Option<&Type>) -> Vec<String> {
    let mut columns = field_names(r#type);
    for name in values.iter().filter_map(Value::as_map).flat_map(Map::keys) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    columns
}

fn block(map: &Map, r#type: Option<&Type>, look: Look) -> String {
    let mut names = field_names(r#type);
    names.retain(|name| map.contains_key(name));
    names.extend(
        map.keys()
            .filter(|name| !names.contains(name))
            .cloned()
            .collect::<Vec<_>>(),
    );
    let width = names
        .iter()
        .map(|name| paint::width(name))
        .max()
        .unwrap_or(0)
        + 2;
    let lines: Vec<String> = names
        .iter()
        .filter_map(|name| Some((name, map.get(name)?)))
        .map(|(name, value)| {
            let label = look.paint(Tone::Faint, &paint::pad(&neutral::line(name), width));
            let inner = field_type(r#type, name);
            if is_nested(value) {
                let narrower = Look {
                    width: look.width.map(|width| width.saturating_sub(2)),
                    ..look
                };
                let below = show(value, inner, narrower);
                format!("{}\n{}", label.trim_end(), indent(&below, 2))
            } else {
                let text = match value {
                    Value::Text(text) => neutral::lines(text),
                    Value::List(_) | Value::Map(_) if is_empty(value) => "none".to_owned(),
                    other => nothing_or_short(other),
                };
                format!("{label}{}", indent(text.trim_end(), width).trim_start())
                    .trim_end()
                    .to_owned()
            }
        })
        .collect();
    lines.join("\n")
}

fn field_names(r#type: Option<&Type>) -> Vec<String> {
    record(r#type)
        .map(|record| {
            record
                .fields
                .iter()
                .map(|field| name::snake(&field.name))
                .collect()
        })
        .unwrap_or_default()
}

fn field_type<'a>(r#type: Option<&'a Type>, field: &str) -> Option<&'a Type> {
    record(r#type)?
        .fields
        .iter()
        .find(|own| name::same(&own.name, field))
        .map(|own| &own.r#type)
}

/// The record that a type is, or is a list of.
fn record(r#type: Option<&Type>) -> Option<&cordon_contract::types::Record> {
    match r#type? {
        Type::List(inner) | Type::FixedList(inner, _) => inner.record(),
        Type::Option(inner) => record(Some(inner)),
        other => other.record(),
    }
}

fn is_plain(value: &Value) -> bool {
    !matches!(value, Value::List(_) | Value::Map(_))
}

fn is_nested(value: &Value) -> bool {
    match value {
        Value::Map(map) => !map.is_empty(),
        Value::List(values) => values.iter().any(|value| !is_plain(value)),
        _ => false,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Map(map) => map.is_empty(),
        Value::List(values) => values.is_empty(),
        _ => false,
    }
}

fn nothing_or_short(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => short(other),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::Secret(secret) => format!("secret `{}`", neutral::line(secret.name())),
        Value::Blob(blob) => format!(
            "{} bytes kept as {}",
            blob.length,
            neutral::line(&blob.reference)
        ),
        other => neutral::line(other.to_json().trim_matches('"')),
    }
}

fn indent(text: &str, columns: usize) -> String {
    let space = " ".repeat(columns);
    text.lines()
        .map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!("{space}{line}")
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cordon_contract::types::{Field, Record};

    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text).unwrap()
    }

    fn sensor() -> Type {
        let field = |name: &str, r#type| Field {
            name: name.to_owned(),
            r#type,
            docs: None,
        };
        Type::Record(Arc::new(Record {
            name: Some("sensor".to_owned()),
            fields: vec![
                field("sensor-id", Type::Text),
                field("host-ip", Type::Option(Arc::new(Type::Text))),
            ],
            docs: None,
        }))
    }

    #[test]
    fn a_list_of_records_is_a_table_in_the_order_of_the_type() {
        let list = json(
            r#"[{"host_ip": "10.0.0.1", "sensor_id": "A"}, {"host_ip": null, "sensor_id": "B"}]"#,
        );
        insta::assert_snapshot!(show(&list, Some(&Type::List(Arc::new(sensor()))), Look::PLAIN), @r"
        sensor_id  host_ip
        A          10.0.0.1
        B
        ");
    }

    #[test]
    fn a_record_is_a_block_and_what_is_nested_stands_indented_below_its_name() {
        let value = json(
            r#"{"state": "isolated", "since": null, "expired": false, "capabilities": ["a", "b"], "empty": [],
                "rules": [{"direction": "inbound", "port": 22}, {"direction": "both", "port": null}],
                "host": {"name": "srv-01", "ip": "10.0.0.1"}, "output": "one\ntwo\u001b[2J"}"#,
        );
        insta::assert_snapshot!(show(&value, None, Look::PLAIN), @r"
        capabilities  a, b
        empty         none
        expired       no
        host
          ip    10.0.0.1
          name  srv-01
        output        one
                      two␛[2J
        rules
          direction  port
          inbound    22
          both
        since
        state         isolated
        ");
    }

    #[test]
    fn a_value_in_one_line_says_how_much_it_leaves_out() {
        assert_eq!(short(&json(r#"["a", 1, true]"#)), "a, 1, yes");
        assert_eq!(short(&json(r#"[{"a": 1}, {"a": 2}]"#)), "2 entries");
        assert_eq!(
            short(&json(r#"{"a": 1, "b": null, "c": [{}]}"#)),
            "{a: 1, c: {}}"
        );
        let Value::Map(arguments_map) = json(r#"{"host": "x\ny", "none": null}"#) else {
            unreachable!()
        };
        assert_eq!(arguments(&arguments_map), "host=x␊y");
    }

    #[test]
    fn rows_keep_values_exactly_and_give_scalars_a_column() {
        assert_eq!(
            rows(&json("[1, 2]"), None),
            (
                vec!["value".to_owned()],
                vec![vec![1_i64.into()], vec![2_i64.into()]]
            )
        );
        let (columns, rows) = rows(&json("[]"), Some(&Type::List(Arc::new(sensor()))));
        assert_eq!(
            (columns, rows.len()),
            (vec!["sensor_id".to_owned(), "host_ip".to_owned()], 0)
        );
    }
}
