//! Values laid out in a component's memory, as the canonical ABI has them.

use cordon_contract::Value;
use wit_parser::{Resolve, SizeAlign, Type, TypeDefKind};

/// The part of a memory that holds constants.
pub struct Image<'a> {
    resolve: &'a Resolve,
    sizes: &'a SizeAlign,
    bytes: Vec<u8>,
}

impl<'a> Image<'a> {
    /// Where it begins; below is nothing, so that a null pointer is never valid.
    pub const START: usize = 1024;

    pub fn new(resolve: &'a Resolve, sizes: &'a SizeAlign) -> Self {
        Self {
            resolve,
            sizes,
            bytes: Vec::new(),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn end(&self) -> usize {
        Self::START + self.bytes.len()
    }

    /// Lays out a value in its exact form; where it stands.
    pub fn place(&mut self, r#type: &Type, value: &Value) -> usize {
        let at = self.room(r#type);
        self.store(at, r#type, value);
        at
    }

    /// Room for a value of this type; where it is.
    pub fn room(&mut self, r#type: &Type) -> usize {
        self.reserve(
            self.sizes.size(r#type).size_wasm32(),
            self.sizes.align(r#type).align_wasm32(),
        )
    }

    fn reserve(&mut self, size: usize, align: usize) -> usize {
        let at = self.end().next_multiple_of(align);
        self.bytes.resize(at + size - Self::START, 0);
        at
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at - Self::START..][..bytes.len()].copy_from_slice(bytes);
    }

    fn pointer(&mut self, at: usize, to: usize, length: usize) {
        self.write(at, &u32::try_from(to).unwrap().to_le_bytes());
        self.write(at + 4, &u32::try_from(length).unwrap().to_le_bytes());
    }

    fn store(&mut self, at: usize, r#type: &Type, value: &Value) {
        let integer = || match value {
            Value::Integer(number) => *number,
            other => panic!("{other:?} is no {type:?}"),
        };
        match r#type {
            Type::Bool => self.write(at, &[u8::from(*value == Value::Bool(true))]),
            Type::U8 | Type::S8 => self.write(at, &integer().to_le_bytes()[..1]),
            Type::U16 | Type::S16 => self.write(at, &integer().to_le_bytes()[..2]),
            Type::U32 | Type::S32 => self.write(at, &integer().to_le_bytes()[..4]),
            Type::U64 | Type::S64 => self.write(at, &integer().to_le_bytes()[..8]),
            Type::F64 => match value {
                Value::Float(number) => self.write(at, &number.to_le_bytes()),
                other => panic!("{other:?} is no number"),
            },
            Type::String => {
                let text = value.as_text().unwrap();
                let to = self.reserve(text.len(), 1);
                self.write(to, text.as_bytes());
                self.pointer(at, to, text.len());
            }
            Type::Id(id) => self.store_defined(at, &self.resolve.types[*id].kind, value),
            other => panic!("constants of type {other:?} are not laid out"),
        }
    }

    fn store_defined(&mut self, at: usize, kind: &TypeDefKind, value: &Value) {
        match kind {
            TypeDefKind::Type(inner) => self.store(at, inner, value),
            TypeDefKind::Record(record) => {
                let offsets = self
                    .sizes
                    .field_offsets(record.fields.iter().map(|field| &field.ty));
                for ((offset, inner), field) in offsets.into_iter().zip(&record.fields) {
                    let value = value
                        .get(&field.name)
                        .unwrap_or_else(|| panic!("no `{}` in {value:?}", field.name));
                    self.store(at + offset.size_wasm32(), inner, value);
                }
            }
            TypeDefKind::List(inner) => {
                let values = value.as_list().unwrap();
                let size = self.sizes.size(inner).size_wasm32();
                let to = self.reserve(size * values.len(), self.sizes.align(inner).align_wasm32());
                self.pointer(at, to, values.len());
                for (index, value) in values.iter().enumerate() {
                    self.store(to + size * index, inner, value);
                }
            }
            TypeDefKind::Enum(words) => {
                let word = value.as_text().unwrap();
                let index = words
                    .cases
                    .iter()
                    .position(|case| case.name == word)
                    .unwrap();
                self.write(at, &[u8::try_from(index).unwrap()]);
            }
            TypeDefKind::Option(inner) if value.is_null() => {
                let _ = inner;
                self.write(at, &[0]);
            }
            TypeDefKind::Option(inner) => self.store_case(at, 1, [None, Some(inner)], value),
            TypeDefKind::Result(sides) => {
                let (index, value) = match (value.get("ok"), value.get("err")) {
                    (Some(value), _) => (0, value),
                    (_, Some(value)) => (1, value),
                    _ => panic!("{value:?} is neither ok nor err"),
                };
                self.store_case(at, index, [sides.ok.as_ref(), sides.err.as_ref()], value);
            }
            TypeDefKind::Variant(variant) => {
                let none = Value::Null;
                let (name, value) = match value {
                    Value::Text(name) => (name, &none),
                    Value::Map(map) => map.iter().next().unwrap(),
                    other => panic!("{other:?} is no case"),
                };
                let index = variant
                    .cases
                    .iter()
                    .position(|case| case.name == *name)
                    .unwrap();
                self.store_case(
                    at,
                    index,
                    variant.cases.iter().map(|case| case.ty.as_ref()),
                    value,
                );
            }
            other => panic!("constants of type {other:?} are not laid out"),
        }
    }

    fn store_case<'t>(
        &mut self,
        at: usize,
        index: usize,
        cases: impl IntoIterator<Item = Option<&'t Type>> + Clone,
        value: &Value,
    ) {
        self.write(at, &[u8::try_from(index).unwrap()]);
        if let Some(Some(inner)) = cases.clone().into_iter().nth(index) {
            let offset = self
                .sizes
                .payload_offset(wit_parser::Int::U8, cases)
                .size_wasm32();
            self.store(at + offset, inner, value);
        }
    }
}
