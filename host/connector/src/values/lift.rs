//! From what a component returned to the exact form of a value.
//!
//! wasmtime has checked the shape already; what is checked here is what a shape cannot say: JSON is
//! JSON, and a secret is one that the caller passed.

use cordon_contract::types::Type;
use cordon_contract::{BlobReference, SecretReference, Value, ValueError};
use wasmtime::component::Val;

use super::{JsonBounds, wrong};

/// The value in the exact form of its type. `secrets` are those that were passed to the call: a
/// connector can hand one back, and no other, since whoever gets a reference can use it.
///
/// # Errors
/// Where JSON is none or too large, or a secret is none of those that were passed.
pub(crate) fn lift(
    val: Val,
    r#type: &Type,
    bounds: JsonBounds,
    secrets: &[SecretReference],
) -> Result<Value, ValueError> {
    let inside = |val: Val, inner: &Type| lift(val, inner, bounds, secrets);
    let optional = |val: Option<Box<Val>>, inner: Option<&Type>| match (val, inner) {
        (Some(val), Some(inner)) => inside(*val, inner),
        _ => Ok(Value::Null),
    };
    let list = |vals: Vec<Val>, inner: &Type| {
        let values = vals
            .into_iter()
            .enumerate()
            .map(|(index, val)| inside(val, inner).map_err(|error| error.at_index(index)));
        values.collect::<Result<_, _>>().map(Value::List)
    };
    Ok(match (r#type, val) {
        (Type::Bool, Val::Bool(value)) => Value::Bool(value),
        (Type::F32, Val::Float32(number)) => Value::Float(number.into()),
        (Type::F64, Val::Float64(number)) => Value::Float(number),
        (Type::Char, Val::Char(character)) => Value::Text(character.into()),
        (Type::Text, Val::String(text)) => Value::Text(text),
        (Type::Json, Val::String(text)) => bounds.read(&text).map_err(wrong)?,
        (Type::Bytes, Val::List(bytes)) => Value::Bytes(
            bytes
                .into_iter()
                .map(|byte| match byte {
                    Val::U8(byte) => Ok(byte),
                    _ => Err(wrong("is no list of bytes")),
                })
                .collect::<Result<_, _>>()?,
        ),
        (Type::List(inner), Val::List(vals))
        | (Type::FixedList(inner, _), Val::FixedLengthList(vals)) => list(vals, inner)?,
        (Type::Map(key, inner), Val::Map(pairs)) => {
            let pairs = pairs.into_iter().enumerate().map(|(index, (name, val))| {
                let name = inside(name, key).map_err(|error| error.at_index(index))?;
                Ok(Value::List(vec![
                    name,
                    inside(val, inner).map_err(|error| error.at_index(index))?,
                ]))
            });
            Value::List(pairs.collect::<Result<_, ValueError>>()?)
        }
        (Type::Option(_), Val::Option(None)) => Value::Null,
        (Type::Option(inner), Val::Option(Some(val))) if inner.can_be_null() => {
            Value::map([("some", inside(*val, inner)?)])
        }
        (Type::Option(inner), Val::Option(Some(val))) => inside(*val, inner)?,
        (Type::Result(ok, _), Val::Result(Ok(val))) => {
            Value::map([("ok", optional(val, ok.as_deref())?)])
        }
        (Type::Result(_, err), Val::Result(Err(val))) => {
            Value::map([("err", optional(val, err.as_deref())?)])
        }
        (Type::Tuple(types), Val::Tuple(vals)) => {
            let values = vals.into_iter().zip(types.iter()).enumerate();
            let values = values.map(|(index, (val, inner))| {
                inside(val, inner).map_err(|error| error.at_index(index))
            });
            Value::List(values.collect::<Result<_, _>>()?)
        }
        (Type::Record(record), Val::Record(fields)) => {
            let values = fields
                .into_iter()
                .zip(&record.fields)
                .map(|((name, val), field)| {
                    let value =
                        inside(val, &field.r#type).map_err(|error| error.in_field(&name))?;
                    Ok((name, value))
                });
            Value::Map(values.collect::<Result<_, ValueError>>()?)
        }
        (Type::Variant(_), Val::Variant(case, None)) => Value::Text(case),
        (Type::Variant(variant), Val::Variant(name, Some(val))) => {
            let inner = variant
                .cases
                .iter()
                .find(|case| case.name == name)
                .and_then(|case| case.r#type.as_ref());
            let value = optional(Some(val), inner).map_err(|error| error.in_field(&name))?;
            Value::map([(name, value)])
        }
        (Type::Enum(_), Val::Enum(word)) => Value::Text(word),
        (Type::Flags(_), Val::Flags(words)) => {
            Value::List(words.into_iter().map(Value::Text).collect())
        }
        (Type::Secret, Val::Record(fields)) => match <[_; 1]>::try_from(fields) {
            Ok([(_, Val::String(reference))]) => {
                let secret = SecretReference::new(reference);
                if !secrets.contains(&secret) {
                    return Err(wrong("is a secret that was not passed to this call"));
                }
                Value::Secret(secret)
            }
            _ => return Err(wrong("is no reference to a secret")),
        },
        (Type::Blob, Val::Record(fields)) => match <[_; 2]>::try_from(fields) {
            Ok([(_, Val::String(reference)), (_, Val::U64(length))]) => {
                Value::Blob(BlobReference { reference, length })
            }
            _ => return Err(wrong("is no reference to a blob")),
        },
        (Type::Integer(_) | Type::Duration | Type::Size | Type::Timestamp, val) => {
            Value::Integer(integer(&val)?)
        }
        (r#type, _) => return Err(wrong(format!("is not {}", r#type))),
    })
}

fn integer(val: &Val) -> Result<i128, ValueError> {
    Ok(match val {
        Val::S8(number) => (*number).into(),
        Val::S16(number) => (*number).into(),
        Val::S32(number) => (*number).into(),
        Val::S64(number) => (*number).into(),
        Val::U8(number) => (*number).into(),
        Val::U16(number) => (*number).into(),
        Val::U32(number) => (*number).into(),
        Val::U64(number) => (*number).into(),
        _ => return Err(wrong("is no whole number")),
    })
}
