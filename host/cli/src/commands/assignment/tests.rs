//! How values are read.

use std::sync::Arc;

use cordon_contract::types::Width;
use proptest::prelude::*;

use super::*;

fn parse(texts: &[&str], r#type: &Type) -> Result<Value, String> {
    let assignments: Vec<Assignment> = texts
        .iter()
        .map(|text| format!("x={text}").parse().unwrap())
        .collect();
    collect(
        &assignments,
        Map::new(),
        &[("x", r#type)],
        "action `a.b`",
        "argument",
    )
    .map(|mut map| map.remove("x").unwrap())
    .map_err(|problem| problem.message().to_owned())
}

fn list(of: Type) -> Type {
    Type::List(Arc::new(of))
}

#[test]
fn what_a_value_is_depends_on_the_type_that_its_name_has() {
    assert_eq!(parse(&["007"], &Type::Text), Ok(Value::text("007")));
    assert_eq!(
        parse(&["7"], &Type::Integer(Width::U8)),
        Ok(Value::Integer(7))
    );
    assert_eq!(parse(&["true"], &Type::Bool), Ok(Value::Bool(true)));
    assert_eq!(parse(&["2h"], &Type::Duration), Ok(Value::text("2h")));
    assert_eq!(
        parse(&["90"], &Type::Option(Arc::new(Type::Duration))),
        Ok(Value::Integer(90))
    );
    assert_eq!(
        parse(&["api_token"], &Type::Secret),
        Ok(Value::Secret(SecretReference::new("api_token")))
    );
    assert_eq!(
        parse(&["{\"a\":[1]}"], &Type::Json),
        Ok(Value::from_json("{\"a\":[1]}").unwrap())
    );
    assert!(
        parse(&["{\"a\":"], &Type::Json)
            .unwrap_err()
            .contains("not JSON")
    );
}

#[test]
fn a_list_is_json_or_parts_between_commas_or_its_name_several_times() {
    let both = Value::List(vec![Value::text("a"), Value::text("b")]);
    assert_eq!(
        parse(&[r#"["a", "b"]"#], &list(Type::Text)),
        Ok(both.clone())
    );
    assert_eq!(parse(&["a", "b"], &list(Type::Text)), Ok(both.clone()));
    assert_eq!(parse(&["a, b"], &list(Type::Text)), Ok(both));
    assert_eq!(parse(&[""], &list(Type::Text)), Ok(Value::List(Vec::new())));
    assert_eq!(
        parse(&["1"], &list(Type::Integer(Width::U8))),
        Ok(Value::List(vec![Value::Integer(1)]))
    );
    assert_eq!(
        parse(&["a", "b"], &Type::Text),
        Err("argument `x` is given twice".to_owned())
    );
}

#[test]
fn a_file_is_read_as_it_is_for_text_and_bytes_and_two_at_signs_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("value");
    std::fs::write(&path, "7\n").unwrap();
    let at = format!("@{}", path.display());
    assert_eq!(parse(&[&at], &Type::Text), Ok(Value::text("7\n")));
    assert_eq!(
        parse(&[&at], &Type::Bytes),
        Ok(Value::Bytes(b"7\n".to_vec()))
    );
    assert_eq!(
        parse(&[&at], &Type::Integer(Width::U8)),
        Ok(Value::Integer(7))
    );
    assert_eq!(parse(&["@@here"], &Type::Text), Ok(Value::text("@here")));
    assert!(
        parse(&["@/no/such/file"], &Type::Text)
            .unwrap_err()
            .contains("cannot read `/no/such/file`")
    );
}

#[test]
fn what_is_written_on_the_command_line_wins_over_the_file_in_either_spelling() {
    let file = Map::from([
        ("sensor-id".to_owned(), Value::text("file")),
        ("b".to_owned(), Value::text("file")),
    ]);
    let known = [("sensor-id", &Type::Text), ("b", &Type::Text)];
    let values = collect(
        &["sensor_id=line".parse().unwrap()],
        file,
        &known,
        "x",
        "argument",
    )
    .unwrap();
    assert_eq!(
        values,
        Map::from([
            ("sensor_id".to_owned(), Value::text("line")),
            ("b".to_owned(), Value::text("file"))
        ])
    );
}

#[test]
fn a_broken_file_of_values_is_shown_at_its_broken_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.json");
    std::fs::write(&path, "{\n  \"a\": 1,\n  b\n}").unwrap();
    let text = file(&path).unwrap_err().render(crate::output::Look::PLAIN);
    assert!(text.contains("in.json") && text.contains(":3:"), "{text}");
    std::fs::write(&path, "[1]").unwrap();
    assert!(
        file(&path)
            .unwrap_err()
            .message()
            .contains("must hold names and values")
    );
}

proptest! {
    #[test]
    fn any_text_is_read_as_text_exactly(text in "[^@].*") {
        prop_assert_eq!(parse(&[&text], &Type::Text), Ok(Value::text(text)));
    }

    #[test]
    fn no_text_breaks_the_reading_of_any_type(text: String) {
        for r#type in [Type::Json, Type::Bool, Type::F64, Type::Size, list(Type::Text), list(Type::Json)] {
            let _ = interpret(&text, &r#type);
        }
    }
}
