//! The types of arguments and results, as reflected from a component's WIT.
//!
//! Names are kept as WIT has them (kebab-case); people and playbooks see them through
//! [`crate::name::snake`].

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::snake;

/// The type of an argument, a result or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// A truth value.
    Bool,
    /// A whole number of these bounds.
    Integer(Width),
    /// A 32-bit floating point number.
    F32,
    /// A 64-bit floating point number.
    F64,
    /// One Unicode scalar value: text of one character.
    Char,
    /// Text.
    Text,
    /// `list<u8>`: bytes.
    Bytes,
    /// A list.
    List(Arc<Type>),
    /// A list whose length is part of its type.
    FixedList(Arc<Type>, u32),
    /// A map (WIT `map<k, v>`): a list of `[key, value]` pairs, or a plain map where keys are text.
    Map(Arc<Type>, Arc<Type>),
    /// A value that may be missing: nothing, or the value itself. Where the value itself can be
    /// nothing, `#{ some: value }`.
    Option(Arc<Type>),
    /// `#{ ok: value }` or `#{ err: value }`; a side without a type carries nothing.
    Result(Option<Arc<Type>>, Option<Arc<Type>>),
    /// A list of exactly these.
    Tuple(Arc<[Type]>),
    /// Named fields.
    Record(Arc<Record>),
    /// One of several cases: the case's name where it carries nothing, else `#{ case: value }`.
    Variant(Arc<Variant>),
    /// One of several words.
    Enum(Arc<Words>),
    /// Any of several words: a list of them.
    Flags(Arc<Words>),
    /// `cordon:connector/types.duration`: `"2h"` or a number of milliseconds.
    Duration,
    /// `cordon:connector/types.size`: `"10MB"` or a number of bytes.
    Size,
    /// `cordon:connector/types.timestamp`: RFC 3339 text or a number of milliseconds since 1970.
    Timestamp,
    /// `cordon:connector/types.json`: any value of JSON.
    Json,
    /// `cordon:connector/types.secret`: a reference to a secret.
    Secret,
    /// `cordon:connector/types.blob`: a reference to bytes that Cordon keeps.
    Blob,
}

/// The width and sign of a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Width {
    S8,
    S16,
    S32,
    S64,
    U8,
    U16,
    U32,
    U64,
}

impl Width {
    /// The smallest and the largest number.
    #[must_use]
    pub const fn bounds(self) -> (i128, i128) {
        match self {
            Self::S8 => (i8::MIN as i128, i8::MAX as i128),
            Self::S16 => (i16::MIN as i128, i16::MAX as i128),
            Self::S32 => (i32::MIN as i128, i32::MAX as i128),
            Self::S64 => (i64::MIN as i128, i64::MAX as i128),
            Self::U8 => (0, u8::MAX as i128),
            Self::U16 => (0, u16::MAX as i128),
            Self::U32 => (0, u32::MAX as i128),
            Self::U64 => (0, u64::MAX as i128),
        }
    }

    /// WIT's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::S8 => "s8",
            Self::S16 => "s16",
            Self::S32 => "s32",
            Self::S64 => "s64",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
        }
    }
}

/// A record type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The type's name, where it has one.
    pub name: Option<String>,
    /// The fields in the order of their declaration.
    pub fields: Vec<Field>,
    /// The doc comment.
    pub docs: Option<String>,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Kebab-case.
    pub name: String,
    /// Its type.
    pub r#type: Type,
    /// The doc comment.
    pub docs: Option<String>,
}

/// A variant type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// The type's name, where it has one.
    pub name: Option<String>,
    /// The cases in the order of their declaration.
    pub cases: Vec<Case>,
    /// The doc comment.
    pub docs: Option<String>,
}

/// A case of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Kebab-case.
    pub name: String,
    /// What the case carries.
    pub r#type: Option<Type>,
    /// The doc comment.
    pub docs: Option<String>,
}

/// The words of an enum or of flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The type's name, where it has one.
    pub name: Option<String>,
    /// The words in the order of their declaration.
    pub words: Vec<Word>,
    /// The doc comment.
    pub docs: Option<String>,
}

/// A word of an enum or of flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Kebab-case.
    pub name: String,
    /// The doc comment.
    pub docs: Option<String>,
}

impl Type {
    /// Whether [`crate::Value::Null`] is a value of this type. An option of such a type writes a
    /// present value as `#{ some: value }`, so that nothing is lost.
    #[must_use]
    pub fn can_be_null(&self) -> bool {
        matches!(self, Self::Option(_) | Self::Json)
    }

    /// The fields of a record, seen through an option.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            Self::Option(inner) => inner.record(),
            _ => None,
        }
    }
}

/// The type as a person would name it: `text`, `list of sensor`, `"inbound" | "outbound"`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("boolean"),
            Self::Integer(width) => f.write_str(width.name()),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("number"),
            Self::Char => f.write_str("character"),
            Self::Text => f.write_str("text"),
            Self::Bytes => f.write_str("bytes"),
            Self::List(inner) => write!(f, "list of {inner}"),
            Self::FixedList(inner, length) => write!(f, "list of {length} {inner}"),
            Self::Map(key, value) => write!(f, "map from {key} to {value}"),
            Self::Option(inner) => write!(f, "{inner}?"),
            Self::Result(ok, err) => {
                f.write_str("result")?;
                if let Some(ok) = ok {
                    write!(f, " ok: {ok}")?;
                }
                if let Some(err) = err {
                    write!(f, " err: {err}")?;
                }
                Ok(())
            }
            Self::Tuple(parts) => {
                f.write_str("[")?;
                for (index, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Record(record) => match &record.name {
                Some(name) => f.write_str(&snake(name)),
                None => f.write_str("record"),
            },
            Self::Variant(variant) => match &variant.name {
                Some(name) => f.write_str(&snake(name)),
                None => f.write_str("variant"),
            },
            Self::Enum(words) => words.fmt_words(f, " | "),
            Self::Flags(words) => {
                f.write_str("list of ")?;
                words.fmt_words(f, " | ")
            }
            Self::Duration => f.write_str("duration"),
            Self::Size => f.write_str("size"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Json => f.write_str("any JSON"),
            Self::Secret => f.write_str("secret"),
            Self::Blob => f.write_str("blob"),
        }
    }
}

impl Words {
    fn fmt_words(&self, f: &mut fmt::Formatter<'_>, separator: &str) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            write!(
                f,
                "{}\"{}\"",
                if index == 0 { "" } else { separator },
                snake(&word.name)
            )?;
        }
        Ok(())
    }
}
