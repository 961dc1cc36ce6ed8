//! Any value of any WIT type goes into a component and comes back as the same value.
//!
//! The component gives back what it was passed, byte for byte as the canonical ABI laid it out in
//! its memory, so that nothing but the conversion itself can change a value.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

mod support;

use std::sync::Arc;

use cordon_connector::Call;
use cordon_contract::conform::present;
use cordon_contract::types::{Case, Field, Record, Type, Variant, Width, Word, Words};
use cordon_contract::{BlobReference, SecretReference, Value};
use proptest::prelude::*;
use support::calls::{NOWHERE, PADDING, TOKIO, load};
use support::{Body, guest};
use uuid::Uuid;

const NUMBERS: [Width; 8] = [
    Width::S8,
    Width::S16,
    Width::S32,
    Width::S64,
    Width::U8,
    Width::U16,
    Width::U32,
    Width::U64,
];

/// Any type that an action can use, some levels deep.
fn any_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Bool),
        proptest::sample::select(NUMBERS.to_vec()).prop_map(Type::Integer),
        Just(Type::F32),
        Just(Type::F64),
        Just(Type::Char),
        Just(Type::Text),
        Just(Type::Bytes),
        Just(Type::Duration),
        Just(Type::Size),
        Just(Type::Timestamp),
        Just(Type::Json),
        Just(Type::Secret),
        Just(Type::Blob),
        (1_usize..300).prop_map(|count| Type::Enum(words(count))),
        (1_usize..=32).prop_map(|count| Type::Flags(words(count))),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let some = |most| proptest::collection::vec(inner.clone(), 1..most);
        let side = || proptest::option::of(inner.clone().prop_map(Arc::new));
        prop_oneof![
            inner.clone().prop_map(list),
            (inner.clone(), 1_u32..5)
                .prop_map(|(inner, length)| Type::FixedList(Arc::new(inner), length)),
            inner
                .clone()
                .prop_map(|inner| Type::Option(Arc::new(inner))),
            (any_key(), inner.clone())
                .prop_map(|(key, inner)| Type::Map(Arc::new(key), Arc::new(inner))),
            (side(), side()).prop_map(|(ok, err)| Type::Result(ok, err)),
            some(4).prop_map(|types| Type::Tuple(types.into())),
            some(6).prop_map(|types| Type::Record(Arc::new(Record {
                name: None,
                fields: fields(types),
                docs: None
            }))),
            proptest::collection::vec(proptest::option::of(inner.clone()), 1..5).prop_map(
                |types| {
                    let cases = types.into_iter().enumerate();
                    let cases = cases.map(|(index, r#type)| Case {
                        name: format!("case-{index}"),
                        r#type,
                        docs: None,
                    });
                    Type::Variant(Arc::new(Variant {
                        name: None,
                        cases: cases.collect(),
                        docs: None,
                    }))
                }
            ),
        ]
    })
}

/// What WIT allows as the key of a map.
fn any_key() -> impl Strategy<Value = Type> {
    prop_oneof![
        Just(Type::Text),
        Just(Type::Char),
        Just(Type::Bool),
        proptest::sample::select(NUMBERS.to_vec()).prop_map(Type::Integer)
    ]
}

fn list(inner: Type) -> Type {
    if inner == Type::Integer(Width::U8) {
        Type::Bytes
    } else {
        Type::List(Arc::new(inner))
    }
}

fn words(count: usize) -> Arc<Words> {
    let words = (0..count).map(|index| Word {
        name: format!("word-{index}"),
        docs: None,
    });
    Arc::new(Words {
        name: None,
        words: words.collect(),
        docs: None,
    })
}

fn fields(types: Vec<Type>) -> Vec<Field> {
    let fields = types.into_iter().enumerate();
    fields
        .map(|(index, r#type)| Field {
            name: format!("field-{index}"),
            r#type,
            docs: None,
        })
        .collect()
}

/// Writes a type as WIT: the expression that names it, after the declarations that it needs.
fn wit(r#type: &Type, declarations: &mut String, count: &mut usize) -> String {
    let mut inside = |inner: &Type| wit(inner, declarations, count);
    let side = |side: Option<String>| side.unwrap_or_else(|| "_".to_owned());
    let body = match r#type {
        Type::Bool => return "bool".to_owned(),
        Type::Integer(width) => return width.name().to_owned(),
        Type::F32 => return "f32".to_owned(),
        Type::F64 => return "f64".to_owned(),
        Type::Char => return "char".to_owned(),
        Type::Text => return "string".to_owned(),
        Type::Bytes => return "list<u8>".to_owned(),
        Type::Duration => return "duration".to_owned(),
        Type::Size => return "size".to_owned(),
        Type::Timestamp => return "timestamp".to_owned(),
        Type::Json => return "json".to_owned(),
        Type::Secret => return "secret".to_owned(),
        Type::Blob => return "blob".to_owned(),
        Type::List(inner) => return format!("list<{}>", inside(inner)),
        Type::FixedList(inner, length) => return format!("list<{}, {length}>", inside(inner)),
        Type::Map(key, inner) => return format!("map<{}, {}>", inside(key), inside(inner)),
        Type::Option(inner) => return format!("option<{}>", inside(inner)),
        Type::Result(None, None) => return "result".to_owned(),
        Type::Result(ok, err) => {
            let ok = ok.as_deref().map(&mut inside);
            return match err.as_deref().map(inside) {
                Some(err) => format!("result<{}, {err}>", side(ok)),
                None => format!("result<{}>", side(ok)),
            };
        }
        Type::Tuple(types) => {
            return format!(
                "tuple<{}>",
                types.iter().map(inside).collect::<Vec<_>>().join(", ")
            );
        }
        Type::Record(record) => {
            let fields = record
                .fields
                .iter()
                .map(|field| format!("{}: {},", field.name, inside(&field.r#type)));
            format!("record NAME {{ {} }}", fields.collect::<String>())
        }
        Type::Variant(variant) => {
            let cases = variant.cases.iter().map(|case| match &case.r#type {
                Some(inner) => format!("{}({}),", case.name, inside(inner)),
                None => format!("{},", case.name),
            });
            format!("variant NAME {{ {} }}", cases.collect::<String>())
        }
        Type::Enum(words) | Type::Flags(words) => {
            let keyword = if matches!(r#type, Type::Enum(_)) {
                "enum"
            } else {
                "flags"
            };
            let words = words.words.iter().map(|word| format!("{},", word.name));
            format!("{keyword} NAME {{ {} }}", words.collect::<String>())
        }
    };
    *count += 1;
    let name = format!("type-{count}");
    declarations.push_str(&body.replacen("NAME", &name, 1));
    declarations.push('\n');
    name
}

/// Any value in the exact form of a type.
fn any_value(r#type: &Type) -> BoxedStrategy<Value> {
    match r#type {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Integer(width) => {
            let (smallest, largest) = width.bounds();
            prop_oneof![Just(smallest), Just(largest), smallest..=largest]
                .prop_map(Value::Integer)
                .boxed()
        }
        Type::F32 => proptest::num::f32::ANY
            .prop_map(|number| Value::Float(number.into()))
            .boxed(),
        Type::F64 => proptest::num::f64::ANY.prop_map(Value::Float).boxed(),
        Type::Char => any::<char>().prop_map(|c| Value::Text(c.into())).boxed(),
        Type::Text => any::<String>().prop_map(Value::Text).boxed(),
        Type::Bytes => any::<Vec<u8>>().prop_map(Value::Bytes).boxed(),
        Type::Duration | Type::Size => any::<u64>().prop_map(Value::from).boxed(),
        Type::Timestamp => any::<i64>().prop_map(Value::from).boxed(),
        Type::Json => any_json().boxed(),
        Type::Secret => "[a-z]{1,8}"
            .prop_map(|name| Value::Secret(SecretReference::new(name)))
            .boxed(),
        Type::Blob => (any::<String>(), any::<u64>())
            .prop_map(|(reference, length)| Value::Blob(BlobReference { reference, length }))
            .boxed(),
        Type::Enum(words) => proptest::sample::select(words.words.clone())
            .prop_map(|word| Value::Text(word.name))
            .boxed(),
        Type::Flags(words) => {
            proptest::sample::subsequence(words.words.clone(), 0..=words.words.len())
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
        Type::List(inner) => proptest::collection::vec(any_value(inner), 0..4)
            .prop_map(Value::List)
            .boxed(),
        Type::FixedList(inner, length) => {
            proptest::collection::vec(any_value(inner), *length as usize)
                .prop_map(Value::List)
                .boxed()
        }
        Type::Map(key, inner) => {
            proptest::collection::vec((any_value(key), any_value(inner)), 0..4)
                .prop_map(|pairs| {
                    let mut known: Vec<(Value, Value)> = Vec::new();
                    for (key, value) in pairs {
                        if !known.iter().any(|(known, _)| *known == key) {
                            known.push((key, value));
                        }
                    }
                    // A plain map, as people see one with texts as keys, is ordered by them.
                    known.sort_by(|(left, _), (right, _)| left.as_text().cmp(&right.as_text()));
                    Value::List(
                        known
                            .into_iter()
                            .map(|(key, value)| Value::List(vec![key, value]))
                            .collect(),
                    )
                })
                .boxed()
        }
        Type::Option(inner) => {
            let wrap = inner.can_be_null();
            let value = any_value(inner).prop_map(move |value| {
                if wrap {
                    Value::map([("some", value)])
                } else {
                    value
                }
            });
            proptest::option::of(value)
                .prop_map(Option::unwrap_or_default)
                .boxed()
        }
        Type::Result(ok, err) => {
            let side = |name: &'static str, inner: &Option<Arc<Type>>| {
                let value = inner
                    .as_ref()
                    .map_or_else(|| Just(Value::Null).boxed(), |inner| any_value(inner));
                value.prop_map(move |value| Value::map([(name, value)]))
            };
            prop_oneof![side("ok", ok), side("err", err)].boxed()
        }
        Type::Tuple(types) => types
            .iter()
            .map(any_value)
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
                .map(|field| any_value(&field.r#type))
                .collect();
            values
                .prop_map(move |values| Value::map(names.clone().into_iter().zip(values)))
                .boxed()
        }
        Type::Variant(variant) => proptest::sample::select(variant.cases.clone())
            .prop_flat_map(|case| match case.r#type {
                None => Just(Value::Text(case.name)).boxed(),
                Some(inner) => any_value(&inner)
                    .prop_map(move |value| Value::map([(case.name.clone(), value)]))
                    .boxed(),
            })
            .boxed(),
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::Float),
        any::<String>().prop_map(Value::Text),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::btree_map(any::<String>(), inner, 0..4).prop_map(Value::Map),
        ]
    })
}

/// Equal, where two values that are no numbers are equal too.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => {
            left.to_bits() == right.to_bits() || (left.is_nan() && right.is_nan())
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

fn any_type_with_values() -> impl Strategy<Value = (Type, Vec<Value>)> {
    any_type().prop_flat_map(|r#type| {
        let values = proptest::collection::vec(any_value(&r#type), 4);
        (Just(r#type), values)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_value_of_any_type_survives_a_component(types in proptest::collection::vec(any_type_with_values(), 8)) {
        let (mut functions, mut count) = (String::new(), 0);
        for (index, (r#type, _)) in types.iter().enumerate() {
            let name = wit(r#type, &mut functions, &mut count);
            functions.push_str(&format!("echo-{index}: func(value: {name}, {PADDING}) -> result<{name}, error>;\n"));
        }
        let mut guest = guest(&functions);
        for index in 0..types.len() {
            guest = guest.with(&format!("echo-{index}"), Body::Echoes);
        }
        let connector = load(&guest);
        let connection = support::product::connection(&connector, NOWHERE, "");
        for (index, (r#type, values)) in types.iter().enumerate() {
            let action = format!("echo-{index}");
            for value in values {
                let seen = present(value, r#type);
                let padding = Value::List(vec![Value::from(0_u64); 17]);
                let arguments = std::collections::BTreeMap::from([("value".to_owned(), seen.clone()), ("padding".to_owned(), padding)]);
                let call = Call { connection: &connection, action: &action, arguments: &arguments, idempotency_key: Uuid::nil(), timeout: None };
                let back = TOKIO.block_on(connector.call(call));
                prop_assert!(matches!(&back, Ok(back) if same(back, &seen)), "{type}: {seen:?} came back as {back:?}");
            }
        }
    }
}
