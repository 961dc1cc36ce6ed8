//! Where one type differs from another, in words.

use std::sync::Arc;

use cordon_contract::types::{Record, Type, Variant, Words};

/// The first place where `found` is not `expected`, names of types and docs aside; none where they
/// are the same.
pub(super) fn difference(expected: &Type, found: &Type) -> Option<String> {
    let differs = || Some(format!("{found} instead of {expected}"));
    let within =
        |place: &str, inner: Option<String>| inner.map(|inner| format!("{place}: {inner}"));
    let side = |expected: &Option<Arc<Type>>, found: &Option<Arc<Type>>| match (expected, found) {
        (None, None) => None,
        (Some(expected), Some(found)) => difference(expected, found),
        (Some(expected), None) => Some(format!("nothing instead of {expected}")),
        (None, Some(found)) => Some(format!("{found} instead of nothing")),
    };
    match (expected, found) {
        (Type::Record(left), Type::Record(right)) => {
            let names = |record: &Record| {
                record
                    .fields
                    .iter()
                    .map(|field| field.name.clone())
                    .collect::<Vec<_>>()
            };
            if names(left) != names(right) {
                return Some(format!(
                    "fields `{}` instead of `{}`",
                    names(right).join("`, `"),
                    names(left).join("`, `")
                ));
            }
            left.fields
                .iter()
                .zip(&right.fields)
                .find_map(|(left, right)| {
                    within(
                        &format!("field `{}`", left.name),
                        difference(&left.r#type, &right.r#type),
                    )
                })
        }
        (Type::Variant(left), Type::Variant(right)) => {
            let names = |variant: &Variant| {
                variant
                    .cases
                    .iter()
                    .map(|case| case.name.clone())
                    .collect::<Vec<_>>()
            };
            if names(left) != names(right) {
                return Some(format!(
                    "cases `{}` instead of `{}`",
                    names(right).join("`, `"),
                    names(left).join("`, `")
                ));
            }
            left.cases
                .iter()
                .zip(&right.cases)
                .find_map(|(left, right)| {
                    let inner = side(
                        &left.r#type.clone().map(Arc::new),
                        &right.r#type.clone().map(Arc::new),
                    );
                    within(&format!("case `{}`", left.name), inner)
                })
        }
        (Type::Enum(left), Type::Enum(right)) | (Type::Flags(left), Type::Flags(right)) => {
            let names = |words: &Words| {
                words
                    .words
                    .iter()
                    .map(|word| word.name.clone())
                    .collect::<Vec<_>>()
            };
            if names(left) == names(right) {
                None
            } else {
                differs()
            }
        }
        (Type::List(left), Type::List(right)) | (Type::Option(left), Type::Option(right)) => {
            difference(left, right)
        }
        (Type::FixedList(left, expected), Type::FixedList(right, found)) if expected == found => {
            difference(left, right)
        }
        (Type::Map(left_key, left), Type::Map(right_key, right)) => {
            difference(left_key, right_key).or_else(|| difference(left, right))
        }
        (Type::Result(left_ok, left_err), Type::Result(right_ok, right_err)) => {
            within("ok", side(left_ok, right_ok))
                .or_else(|| within("err", side(left_err, right_err)))
        }
        (Type::Tuple(left), Type::Tuple(right)) if left.len() == right.len() => left
            .iter()
            .zip(right.iter())
            .find_map(|(left, right)| difference(left, right)),
        _ if expected == found => None,
        _ => differs(),
    }
}
