//! What conforming promises: exactness, paths, and a way back.

use std::sync::Arc;

use proptest::prelude::*;

use super::{conform, present};
use crate::types::{Case, Field, Record, Type, Variant, Width, Word, Words};
use crate::value::Value;

fn words(names: &[&str]) -> Arc<Words> {
    let words = names
        .iter()
        .map(|name| Word {
            name: (*name).to_owned(),
            docs: None,
        })
        .collect();
    Arc::new(Words {
        name: None,
        words,
        docs: None,
    })
}

fn record(fields: &[(&str, Type)]) -> Type {
    let fields = fields
        .iter()
        .map(|(name, r#type)| Field {
            name: (*name).to_owned(),
            r#type: r#type.clone(),
            docs: None,
        })
        .collect();
    Type::Record(Arc::new(Record {
        name: None,
        fields,
        docs: None,
    }))
}

fn exclusion() -> Type {
    record(&[
        (
            "direction",
            Type::Enum(words(&["inbound", "outbound", "both-ways"])),
        ),
        ("protocol", Type::Option(Arc::new(Type::Integer(Width::U8)))),
    ])
}

fn problem(value: &str, r#type: &Type) -> String {
    conform(&Value::from_json(value).unwrap(), r#type)
        .unwrap_err()
        .to_string()
}

#[test]
fn an_error_names_the_path_to_the_wrong_value() {
    let isolate = record(&[("exclusions", Type::List(Arc::new(exclusion())))]);
    assert_eq!(
        problem(
            r#"{"exclusions": [{"direction": "inbound"}, {"direction": "both_ways", "protocol": 300}]}"#,
            &isolate
        ),
        "exclusions[1].protocol: 300 is not in 0..=255"
    );
    assert_eq!(
        problem(r#"{"exclusions": [{"direction": "inbund"}]}"#, &isolate),
        "exclusions[0].direction: \"inbund\" is not known here; did you mean \"inbound\"?"
    );
    assert_eq!(
        problem(r#"{"exclusion": []}"#, &isolate),
        "exclusions: is missing; it needs list of record"
    );
    assert_eq!(
        problem(r#"{"exclusions": [], "exclusion": []}"#, &isolate),
        "exclusion: is no name here; did you mean `exclusions`?"
    );
}

#[test]
fn nothing_is_rounded_cut_or_guessed() {
    assert_eq!(
        problem("16777217", &Type::F32),
        "16777217 cannot be kept exactly in 32 bits"
    );
    assert_eq!(
        problem("9007199254740993", &Type::F64),
        "9007199254740993 cannot be kept exactly as a floating point number"
    );
    assert_eq!(
        problem("1.5", &Type::Integer(Width::S32)),
        "needs a whole number, got 1.5"
    );
    assert_eq!(
        problem("\"7200\"", &Type::Integer(Width::U32)),
        "needs a whole number, got text \"7200\""
    );
    assert_eq!(problem("1", &Type::Bool), "needs a boolean, got 1");
    assert_eq!(
        problem("\"ab\"", &Type::Char),
        "needs text of one character, got text \"ab\""
    );
    assert_eq!(
        problem("\"plain\"", &Type::Bytes),
        "needs bytes, got text; write `base64:` and base64"
    );
    assert_eq!(
        problem("\"hunter2\"", &Type::Secret),
        "needs a secret, got text; pass `secret(\"name\")`, never the value"
    );
}

#[test]
fn a_number_that_playbooks_cannot_hold_travels_as_its_digits() {
    let most = conform(
        &Value::text("18446744073709551615"),
        &Type::Integer(Width::U64),
    );
    assert_eq!(most, Ok(Value::Integer(u64::MAX.into())));
    assert_eq!(
        conform(&Value::text("7200000"), &Type::Duration),
        Ok(Value::Integer(7_200_000))
    );
}

#[test]
fn a_value_that_can_be_nothing_inside_an_option_is_wrapped() {
    let nested = Type::Option(Arc::new(Type::Option(Arc::new(Type::Text))));
    let some_nothing = Value::map([("some", Value::Null)]);
    assert_eq!(conform(&some_nothing, &nested), Ok(some_nothing.clone()));
    assert_eq!(conform(&Value::Null, &nested), Ok(Value::Null));
    assert_eq!(present(&some_nothing, &nested), some_nothing);
}

#[test]
fn too_deep_json_is_refused_before_it_overflows_a_stack() {
    let mut deep = Value::Null;
    for _ in 0..100 {
        deep = Value::List(vec![deep]);
    }
    assert!(
        conform(&deep, &Type::Json)
            .unwrap_err()
            .problem
            .contains("nested deeper than 64")
    );
}

/// Any type an action can use, three levels deep.
fn any_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Bool),
        Just(Type::Integer(Width::S8)),
        Just(Type::Integer(Width::S64)),
        Just(Type::Integer(Width::U16)),
        Just(Type::Integer(Width::U64)),
        Just(Type::F32),
        Just(Type::F64),
        Just(Type::Char),
        Just(Type::Text),
        Just(Type::Bytes),
        Just(Type::Duration),
        Just(Type::Size),
        Just(Type::Timestamp),
        Just(Type::Json),
        Just(Type::Enum(words(&["up", "down-under"]))),
        Just(Type::Flags(words(&["read", "write-back", "run"]))),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_filter("bytes have a type of their own", |inner| *inner
                    != Type::Integer(Width::U8))
                .prop_map(|inner| Type::List(Arc::new(inner))),
            inner
                .clone()
                .prop_map(|inner| Type::Option(Arc::new(inner))),
            inner
                .clone()
                .prop_map(|inner| Type::Map(Arc::new(Type::Text), Arc::new(inner))),
            (
                proptest::option::of(inner.clone()),
                proptest::option::of(inner.clone())
            )
                .prop_map(|(ok, err)| Type::Result(ok.map(Arc::new), err.map(Arc::new))),
            proptest::collection::vec(inner.clone(), 1..4)
                .prop_map(|types| Type::Tuple(types.into())),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(|types| {
                let named: Vec<(String, Type)> = types
                    .into_iter()
                    .enumerate()
                    .map(|(index, inner)| (format!("field-{index}"), inner))
                    .collect();
                let named: Vec<(&str, Type)> = named
                    .iter()
                    .map(|(name, inner)| (name.as_str(), inner.clone()))
                    .collect();
                record(&named)
            }),
            proptest::collection::vec(proptest::option::of(inner), 1..4).prop_map(|types| {
                let cases = types
                    .into_iter()
                    .enumerate()
                    .map(|(index, r#type)| Case {
                        name: format!("case-{index}"),
                        r#type,
                        docs: None,
                    })
                    .collect();
                Type::Variant(Arc::new(Variant {
                    name: None,
                    cases,
                    docs: None,
                }))
            }),
        ]
    })
}

/// Any value in the exact form of a type.
fn exact_value(r#type: &Type) -> BoxedStrategy<Value> {
    match r#type {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Integer(width) => {
            let (smallest, largest) = width.bounds();
            (smallest..=largest).prop_map(Value::Integer).boxed()
        }
        Type::F32 => any::<f32>()
            .prop_map(|number| Value::Float(number.into()))
            .boxed(),
        Type::F64 => any::<f64>().prop_map(Value::Float).boxed(),
        Type::Char => any::<char>().prop_map(|c| Value::Text(c.into())).boxed(),
        Type::Text => any::<String>().prop_map(Value::Text).boxed(),
        Type::Bytes => any::<Vec<u8>>().prop_map(Value::Bytes).boxed(),
        Type::Duration | Type::Size => any::<u64>().prop_map(Value::from).boxed(),
        Type::Timestamp => any::<i64>().prop_map(Value::from).boxed(),
        Type::Json => prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::Text),
            proptest::collection::btree_map(
                "[a-z$]{1,6}",
                any::<bool>().prop_map(Value::Bool),
                0..3
            )
            .prop_map(Value::Map),
        ]
        .boxed(),
        Type::Enum(words) => proptest::sample::select(words.words.clone())
            .prop_map(|word| Value::Text(word.name))
            .boxed(),
        Type::Flags(words) => {
            let length = words.words.len();
            proptest::sample::subsequence(words.words.clone(), 0..=length)
                .prop_map(|words| {
                    Value::List(
                        words
                            .into_iter()
                            .map(|word| Value::Text(word.name))
                            .collect(),
                    )
                })
                .boxed()
        }
        Type::List(inner) => proptest::collection::vec(exact_value(inner), 0..4)
            .prop_map(Value::List)
            .boxed(),
        Type::Map(_, inner) => {
            proptest::collection::btree_map(any::<String>(), exact_value(inner), 0..3)
                .prop_map(|map| {
                    Value::List(
                        map.into_iter()
                            .map(|(key, value)| Value::List(vec![Value::Text(key), value]))
                            .collect(),
                    )
                })
                .boxed()
        }
        Type::Option(inner) if inner.can_be_null() => proptest::option::of(exact_value(inner))
            .prop_map(|value| value.map_or(Value::Null, |value| Value::map([("some", value)])))
            .boxed(),
        Type::Option(inner) => proptest::option::of(exact_value(inner))
            .prop_map(Option::unwrap_or_default)
            .boxed(),
        Type::Result(ok, err) => {
            let side = |name: &'static str, inner: &Option<Arc<Type>>| {
                let value = inner
                    .as_ref()
                    .map_or_else(|| Just(Value::Null).boxed(), |inner| exact_value(inner));
                value.prop_map(move |value| Value::map([(name, value)]))
            };
            prop_oneof![side("ok", ok), side("err", err)].boxed()
        }
        Type::Tuple(types) => types
            .iter()
            .map(exact_value)
            .collect::<Vec<_>>()
            .prop_map(Value::List)
            .boxed(),
        Type::Record(record) => {
            let names: Vec<String> = record
                .fields
                .iter()
                .map(|field| field.name.clone())
                .collect();
            let values: Vec<_> = record
                .fields
                .iter()
                .map(|field| exact_value(&field.r#type))
                .collect();
            values
                .prop_map(move |values| Value::map(names.clone().into_iter().zip(values)))
                .boxed()
        }
        Type::Variant(variant) => proptest::sample::select(variant.cases.clone())
            .prop_flat_map(|case| match case.r#type {
                None => Just(Value::Text(case.name)).boxed(),
                Some(inner) => exact_value(&inner)
                    .prop_map(move |value| Value::map([(case.name.clone(), value)]))
                    .boxed(),
            })
            .boxed(),
        Type::FixedList(..) | Type::Secret | Type::Blob => Just(Value::Null).boxed(),
    }
}

/// Floats compare by bits where they are not numbers.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => {
            left == right || (left.is_nan() && right.is_nan())
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|((name, left), (other, right))| name == other && same(left, right))
        }
        _ => left == right,
    }
}

proptest! {
    #[test]
    fn what_people_see_of_any_value_of_any_type_is_read_back_as_the_same_value(
        (r#type, value) in any_type().prop_flat_map(|r#type| {
            let value = exact_value(&r#type);
            (Just(r#type), value)
        })
    ) {
        let seen = present(&value, &r#type);
        let back = conform(&seen, &r#type).unwrap();
        prop_assert!(same(&back, &value), "{value:?} is seen as {seen:?} and read as {back:?}");
    }

    #[test]
    fn json_text_of_what_people_see_is_read_back_as_the_same_value(
        (r#type, value) in any_type().prop_flat_map(|r#type| {
            let value = exact_value(&r#type);
            (Just(r#type), value)
        })
    ) {
        let text = present(&value, &r#type).to_json();
        let back = conform(&Value::from_json(&text).unwrap(), &r#type).unwrap();
        prop_assert!(same(&back, &value), "{value:?} is written as {text} and read as {back:?}");
    }
}
