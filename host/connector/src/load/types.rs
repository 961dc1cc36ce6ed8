//! Types as WIT has them, reflected into those of the contract crate.

use std::collections::HashMap;
use std::sync::Arc;

use cordon_contract::types::{Case, Field, Record, Type, Variant, Width, Word, Words};
use wit_parser::{InterfaceId, Resolve, TypeDef, TypeDefKind, TypeId, TypeOwner};

use super::docs::Docs;

/// A longer list of fixed length is refused: each of its elements is a value of its own in every
/// call's signature.
const FIXED_LIST_MAX: u32 = 1024;

/// Turns WIT types of one component into ours. Each named type is turned once and shared.
pub(crate) struct Types<'a> {
    resolve: &'a Resolve,
    docs: &'a Docs,
    known: HashMap<TypeId, Type>,
}

impl<'a> Types<'a> {
    pub fn new(resolve: &'a Resolve, docs: &'a Docs) -> Self {
        Self {
            resolve,
            docs,
            known: HashMap::new(),
        }
    }

    /// The type.
    ///
    /// # Errors
    /// Where it is, or contains, what no value can stand for; reads well after "uses ".
    pub fn reflect(&mut self, r#type: &wit_parser::Type) -> Result<Type, String> {
        use wit_parser::Type as Wit;
        Ok(match r#type {
            Wit::Bool => Type::Bool,
            Wit::U8 => Type::Integer(Width::U8),
            Wit::U16 => Type::Integer(Width::U16),
            Wit::U32 => Type::Integer(Width::U32),
            Wit::U64 => Type::Integer(Width::U64),
            Wit::S8 => Type::Integer(Width::S8),
            Wit::S16 => Type::Integer(Width::S16),
            Wit::S32 => Type::Integer(Width::S32),
            Wit::S64 => Type::Integer(Width::S64),
            Wit::F32 => Type::F32,
            Wit::F64 => Type::F64,
            Wit::Char => Type::Char,
            Wit::String => Type::Text,
            Wit::ErrorContext => {
                return Err("an error context, which has no value outside the component".to_owned());
            }
            Wit::Id(id) => return self.named(*id),
        })
    }

    fn named(&mut self, id: TypeId) -> Result<Type, String> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let reflected = match contract_type(self.resolve, id) {
            Some((name, original)) => {
                let shape = self.shape(original)?;
                meaning(name, &shape).ok_or_else(|| {
                    format!("`{name}` of {TYPES} in another shape than the contract's")
                })?
            }
            None => self.shape(id)?,
        };
        self.known.insert(id, reflected.clone());
        Ok(reflected)
    }

    fn shape(&mut self, id: TypeId) -> Result<Type, String> {
        let resolve = self.resolve;
        let def = &resolve.types[id];
        let name = || def.name.clone();
        let docs = self.docs.of_type(resolve, def);
        Ok(match &def.kind {
            TypeDefKind::Type(inner) => self.reflect(inner)?,
            TypeDefKind::Record(record) => {
                let fields = record
                    .fields
                    .iter()
                    .map(|field| {
                        Ok(Field {
                            name: field.name.clone(),
                            r#type: self.reflect(&field.ty)?,
                            docs: docs.item(&field.name),
                        })
                    })
                    .collect::<Result<_, String>>()?;
                Type::Record(Arc::new(Record {
                    name: name(),
                    fields,
                    docs: docs.own(),
                }))
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant
                    .cases
                    .iter()
                    .map(|case| {
                        Ok(Case {
                            name: case.name.clone(),
                            r#type: case
                                .ty
                                .as_ref()
                                .map(|inner| self.reflect(inner))
                                .transpose()?,
                            docs: docs.item(&case.name),
                        })
                    })
                    .collect::<Result<_, String>>()?;
                Type::Variant(Arc::new(Variant {
                    name: name(),
                    cases,
                    docs: docs.own(),
                }))
            }
            TypeDefKind::Enum(words) => Type::Enum(Arc::new(Words {
                name: name(),
                words: words
                    .cases
                    .iter()
                    .map(|word| Word {
                        name: word.name.clone(),
                        docs: docs.item(&word.name),
                    })
                    .collect(),
                docs: docs.own(),
            })),
            TypeDefKind::Flags(words) => Type::Flags(Arc::new(Words {
                name: name(),
                words: words
                    .flags
                    .iter()
                    .map(|word| Word {
                        name: word.name.clone(),
                        docs: docs.item(&word.name),
                    })
                    .collect(),
                docs: docs.own(),
            })),
            TypeDefKind::Tuple(tuple) => Type::Tuple(
                tuple
                    .types
                    .iter()
                    .map(|inner| self.reflect(inner))
                    .collect::<Result<Vec<_>, _>>()?
                    .into(),
            ),
            TypeDefKind::Option(inner) => Type::Option(Arc::new(self.reflect(inner)?)),
            TypeDefKind::Result(result) => {
                let mut side = |inner: &Option<wit_parser::Type>| {
                    inner
                        .as_ref()
                        .map(|inner| self.reflect(inner).map(Arc::new))
                        .transpose()
                };
                Type::Result(side(&result.ok)?, side(&result.err)?)
            }
            TypeDefKind::List(inner) => match self.reflect(inner)? {
                Type::Integer(Width::U8) => Type::Bytes,
                inner => Type::List(Arc::new(inner)),
            },
            TypeDefKind::FixedLengthList(inner, length) if *length <= FIXED_LIST_MAX => {
                Type::FixedList(Arc::new(self.reflect(inner)?), *length)
            }
            TypeDefKind::FixedLengthList(_, length) => {
                return Err(format!(
                    "a list of the fixed length {length}; at most {FIXED_LIST_MAX} is served, use `list<T>`"
                ));
            }
            TypeDefKind::Map(key, inner) => {
                Type::Map(Arc::new(self.reflect(key)?), Arc::new(self.reflect(inner)?))
            }
            TypeDefKind::Resource | TypeDefKind::Handle(_) => {
                return Err(
                    "a resource, which would have to outlive the call; return its data as a record"
                        .to_owned(),
                );
            }
            TypeDefKind::Stream(_) => {
                return Err("a stream; return a list, in pages where it is long".to_owned());
            }
            TypeDefKind::Future(_) => return Err("a future; return the value itself".to_owned()),
            TypeDefKind::Unknown => return Err("a type that its WIT does not define".to_owned()),
        })
    }
}

/// The interface whose types have a meaning beyond their shape.
const TYPES: &str = "cordon:connector/types";

/// The contract's type that this one is, directly or through aliases: its name and itself.
fn contract_type(resolve: &Resolve, id: TypeId) -> Option<(&str, TypeId)> {
    find_in_chain(resolve, id, |id, def| {
        let name = def.name.as_deref()?;
        let known = matches!(
            name,
            "duration" | "size" | "timestamp" | "json" | "secret" | "blob"
        );
        (known && is_of_contract(resolve, def, "types")).then_some((name, id))
    })
}

/// Whether a type is `cordon:connector/errors.{error}`, directly or through aliases.
pub(super) fn is_contract_error(resolve: &Resolve, r#type: &wit_parser::Type) -> bool {
    let wit_parser::Type::Id(id) = r#type else {
        return false;
    };
    find_in_chain(resolve, *id, |_, def| {
        (def.name.as_deref() == Some("error") && is_of_contract(resolve, def, "errors"))
            .then_some(())
    })
    .is_some()
}

fn find_in_chain<'r, T>(
    resolve: &'r Resolve,
    mut id: TypeId,
    found: impl Fn(TypeId, &'r TypeDef) -> Option<T>,
) -> Option<T> {
    loop {
        let def = &resolve.types[id];
        if let Some(found) = found(id, def) {
            return Some(found);
        }
        match def.kind {
            TypeDefKind::Type(wit_parser::Type::Id(next)) => id = next,
            _ => return None,
        }
    }
}

fn is_of_contract(resolve: &Resolve, def: &TypeDef, interface: &str) -> bool {
    matches!(def.owner, TypeOwner::Interface(owner) if is_contract(resolve, owner, interface))
}

/// Whether an interface is the contract's of this name, in a version that this Cordon serves.
pub(super) fn is_contract(resolve: &Resolve, interface: InterfaceId, name: &str) -> bool {
    let interface = &resolve.interfaces[interface];
    let Some(package) = interface
        .package
        .map(|package| &resolve.packages[package].name)
    else {
        return false;
    };
    interface.name.as_deref() == Some(name)
        && package.namespace == "cordon"
        && package.name == "connector"
        && package
            .version
            .as_ref()
            .is_some_and(|version| (version.major, version.minor) == (0, 1))
}

/// The contract's type of this name, if the component has it in the contract's shape.
fn meaning(name: &str, shape: &Type) -> Option<Type> {
    let fields = |expected: &[(&str, Type)]| {
        matches!(shape, Type::Record(record)
            if record.fields.iter().map(|field| (field.name.as_str(), &field.r#type)).eq(expected.iter().map(|(name, inner)| (*name, inner))))
    };
    let (meaning, holds) = match name {
        "duration" => (Type::Duration, *shape == Type::Integer(Width::U64)),
        "size" => (Type::Size, *shape == Type::Integer(Width::U64)),
        "timestamp" => (Type::Timestamp, *shape == Type::Integer(Width::S64)),
        "json" => (Type::Json, *shape == Type::Text),
        "secret" => (Type::Secret, fields(&[("reference", Type::Text)])),
        "blob" => (
            Type::Blob,
            fields(&[("reference", Type::Text), ("length", Type::Size)]),
        ),
        _ => return None,
    };
    holds.then_some(meaning)
}

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
