//! Types as WIT has them, reflected into those of the contract crate.

use std::collections::HashMap;
use std::sync::Arc;

use cordon_contract::types::{Case, Field, Record, Type, Variant, Width, Word, Words};
use wit_parser::{Resolve, TypeDefKind, TypeId};

use super::docs::Docs;
use super::meaning::{TYPES, contract_type, meaning};

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
