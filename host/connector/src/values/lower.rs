//! From the exact form of a value to what wasmtime passes to a component.

use cordon_contract::Value;
use cordon_contract::ValueError;
use cordon_contract::types::{Type, Width};
use wasmtime::component::Val;

use super::{JsonBounds, wrong};

/// The value for a component, built from its type so that wasmtime accepts it as it is: a value of
/// a wrong shape would poison the store.
///
/// # Errors
/// Where JSON is too large. Anything else that is not the exact form of `type` is an error too, but
/// does not come out of `conform`.
pub(crate) fn lower(value: Value, r#type: &Type, bounds: JsonBounds) -> Result<Val, ValueError> {
    let boxed = |value, inner: &Type| lower(value, inner, bounds).map(Box::new);
    Ok(match (r#type, value) {
        (Type::Bool, Value::Bool(value)) => Val::Bool(value),
        (Type::Integer(width), Value::Integer(number)) => integer(number, *width)?,
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the exact form fits, or is not a number in either width"
        )]
        (Type::F32, Value::Float(number)) => Val::Float32(number as f32),
        (Type::F64, Value::Float(number)) => Val::Float64(number),
        (Type::Char, Value::Text(text)) => Val::Char(
            text.chars()
                .next()
                .ok_or_else(|| wrong("needs one character"))?,
        ),
        (Type::Text, Value::Text(text)) => Val::String(text),
        (Type::Bytes, Value::Bytes(bytes)) => Val::List(bytes.into_iter().map(Val::U8).collect()),
        (Type::List(inner), Value::List(values)) => Val::List(list(values, inner, bounds)?),
        (Type::FixedList(inner, _), Value::List(values)) => {
            Val::FixedLengthList(list(values, inner, bounds)?)
        }
        (Type::Map(key, inner), Value::List(pairs)) => Val::Map(
            pairs
                .into_iter()
                .enumerate()
                .map(|(index, pair)| {
                    let [name, value] = pair_of(pair)?;
                    let name = lower(name, key, bounds).map_err(|error| error.at_index(index))?;
                    Ok((
                        name,
                        lower(value, inner, bounds).map_err(|error| error.at_index(index))?,
                    ))
                })
                .collect::<Result<_, ValueError>>()?,
        ),
        (Type::Option(_), Value::Null) => Val::Option(None),
        (Type::Option(inner), value) if !inner.can_be_null() => {
            Val::Option(Some(boxed(value, inner)?))
        }
        (Type::Option(inner), Value::Map(mut some)) => match some.remove("some") {
            Some(value) => Val::Option(Some(boxed(value, inner)?)),
            None => return Err(wrong("needs `#{ some: value }`")),
        },
        (Type::Result(ok, err), Value::Map(side)) => {
            let (name, value) = only(side)?;
            let inner = if name == "ok" { ok } else { err };
            let value = inner
                .as_ref()
                .map(|inner| boxed(value, inner).map_err(|error| error.in_field(&name)))
                .transpose()?;
            Val::Result(if name == "ok" { Ok(value) } else { Err(value) })
        }
        (Type::Tuple(types), Value::List(values)) if types.len() == values.len() => Val::Tuple(
            values
                .into_iter()
                .zip(types.iter())
                .enumerate()
                .map(|(index, (value, inner))| {
                    lower(value, inner, bounds).map_err(|error| error.at_index(index))
                })
                .collect::<Result<_, _>>()?,
        ),
        (Type::Record(record), Value::Map(mut values)) => Val::Record(
            record
                .fields
                .iter()
                .map(|field| {
                    let value = values.remove(&field.name).unwrap_or_default();
                    let value = lower(value, &field.r#type, bounds)
                        .map_err(|error| error.in_field(&field.name))?;
                    Ok((field.name.clone(), value))
                })
                .collect::<Result<_, ValueError>>()?,
        ),
        (Type::Variant(_), Value::Text(case)) => Val::Variant(case, None),
        (Type::Variant(variant), Value::Map(case)) => {
            let (name, value) = only(case)?;
            let inner = variant
                .cases
                .iter()
                .find(|case| case.name == name)
                .and_then(|case| case.r#type.as_ref());
            let inner = inner.ok_or_else(|| wrong(format!("`{name}` carries nothing")))?;
            let value = boxed(value, inner).map_err(|error| error.in_field(&name))?;
            Val::Variant(name, Some(value))
        }
        (Type::Enum(_), Value::Text(word)) => Val::Enum(word),
        (Type::Flags(_), Value::List(words)) => Val::Flags(
            words
                .into_iter()
                .map(|word| match word {
                    Value::Text(word) => Ok(word),
                    other => Err(wrong(format!("{} is no word", other.kind()))),
                })
                .collect::<Result<_, _>>()?,
        ),
        (Type::Duration | Type::Size, Value::Integer(number)) => integer(number, Width::U64)?,
        (Type::Timestamp, Value::Integer(number)) => integer(number, Width::S64)?,
        (Type::Json, value) => Val::String(bounds.write(&value).map_err(wrong)?),
        (Type::Secret, Value::Secret(secret)) => Val::Record(vec![(
            "reference".to_owned(),
            Val::String(secret.name().to_owned()),
        )]),
        (Type::Blob, Value::Blob(blob)) => Val::Record(vec![
            ("reference".to_owned(), Val::String(blob.reference)),
            ("length".to_owned(), Val::U64(blob.length)),
        ]),
        (r#type, value) => return Err(wrong(format!("needs {}, got {}", r#type, value.kind()))),
    })
}

fn integer(number: i128, width: Width) -> Result<Val, ValueError> {
    let lowered = match width {
        Width::S8 => number.try_into().map(Val::S8),
        Width::S16 => number.try_into().map(Val::S16),
        Width::S32 => number.try_into().map(Val::S32),
        Width::S64 => number.try_into().map(Val::S64),
        Width::U8 => number.try_into().map(Val::U8),
        Width::U16 => number.try_into().map(Val::U16),
        Width::U32 => number.try_into().map(Val::U32),
        Width::U64 => number.try_into().map(Val::U64),
    };
    lowered.map_err(|_| wrong(format!("{number} is no {}", width.name())))
}

fn list(values: Vec<Value>, inner: &Type, bounds: JsonBounds) -> Result<Vec<Val>, ValueError> {
    values
        .into_iter()
        .enumerate()
        .map(|(index, value)| lower(value, inner, bounds).map_err(|error| error.at_index(index)))
        .collect()
}

fn pair_of(pair: Value) -> Result<[Value; 2], ValueError> {
    match pair {
        Value::List(pair) => pair.try_into().map_err(|_| wrong("needs a pair")),
        _ => Err(wrong("needs a pair")),
    }
}

fn only(map: cordon_contract::value::Map) -> Result<(String, Value), ValueError> {
    map.into_iter()
        .next()
        .ok_or_else(|| wrong("needs one of the cases"))
}
