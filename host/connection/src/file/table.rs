//! Reads tables of a TOML document with places: each key once, of its type, and no key unread.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::error::{FileError, FileProblem};
use super::{Located, RawSetting};

/// The file being read.
#[derive(Clone, Copy)]
pub(super) struct Document<'t> {
    pub(super) path: &'t Path,
    pub(super) text: &'t str,
}

impl Document<'_> {
    pub(super) fn error(&self, span: Range<usize>, problem: FileProblem) -> FileError {
        FileError::new(self.path, self.text, span, problem)
    }
}

/// A table of the file with the keys that it may have.
#[derive(Clone, Copy)]
pub(super) struct Table<'t> {
    document: Document<'t>,
    entries: Option<&'t DeTable<'t>>,
}

/// A key and its value.
pub(super) type Entry<'t> = (
    &'t Spanned<std::borrow::Cow<'t, str>>,
    &'t Spanned<DeValue<'t>>,
);

impl<'t> Table<'t> {
    /// # Errors
    /// Where the table has a key that is not among `known`.
    pub(super) fn new(
        document: Document<'t>,
        entries: &'t DeTable<'t>,
        known: &[&str],
    ) -> Result<Self, FileError> {
        let unknown = entries
            .iter()
            .filter(|(key, _)| !known.contains(&key.get_ref().as_ref()))
            .min_by_key(|(key, _)| key.span().start);
        match unknown {
            None => Ok(Self {
                document,
                entries: Some(entries),
            }),
            Some((key, _)) => Err(document.error(
                key.span(),
                FileProblem::unknown_key(key.get_ref(), known.iter().copied()),
            )),
        }
    }

    /// The entry of this name.
    pub(super) fn entry(&self, key: &str) -> Option<Entry<'t>> {
        self.entries?.iter().find(|(name, _)| name.get_ref() == key)
    }

    /// The table of this name with the keys that it may have; an empty one where it is not there.
    pub(super) fn section(&self, key: &str, known: &[&str]) -> Result<Self, FileError> {
        match self.open_section(key)? {
            Some(entries) => Self::new(self.document, entries, known),
            None => Ok(Self {
                document: self.document,
                entries: None,
            }),
        }
    }

    /// The table of this name, whatever keys it has.
    pub(super) fn open_section(&self, key: &str) -> Result<Option<&'t DeTable<'t>>, FileError> {
        self.read(key, "a table", |value| value.as_table())
            .map(|found| found.map(|found| found.value))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<Located<String>>, FileError> {
        self.read(key, "text in quotes", |value| {
            value.as_str().map(ToOwned::to_owned)
        })
    }

    pub(super) fn boolean(&self, key: &str) -> Result<Option<Located<bool>>, FileError> {
        self.read(key, "true or false", DeValue::as_bool)
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<Located<f64>>, FileError> {
        self.read(key, "a number", |value| match raw(value) {
            #[allow(clippy::cast_precision_loss, reason = "nobody writes such large rates")]
            RawSetting::Integer(number) => Some(number as f64),
            RawSetting::Number(number) => Some(number),
            _ => None,
        })
    }

    pub(super) fn integer(&self, key: &str) -> Result<Option<Located<i64>>, FileError> {
        self.read(key, "a whole number", |value| {
            value.as_integer().and_then(integer)
        })
    }

    pub(super) fn texts(&self, key: &str) -> Result<Option<Located<Vec<String>>>, FileError> {
        self.read(key, "a list of texts in quotes", texts)
    }

    /// A text that `parse` makes something of.
    pub(super) fn parsed<T, E: ToString>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, FileError> {
        self.text(key)?
            .map(|text| self.value(key, &text, |text| parse(text)))
            .transpose()
    }

    /// What `parse` makes of a located value.
    pub(super) fn value<V, T, E: ToString>(
        &self,
        key: &str,
        located: &Located<V>,
        parse: impl FnOnce(&V) -> Result<T, E>,
    ) -> Result<T, FileError> {
        parse(&located.value).map_err(|reason| {
            let problem = FileProblem::Value {
                key: key.to_owned(),
                reason: reason.to_string(),
            };
            self.document.error(located.span.clone(), problem)
        })
    }

    fn read<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Result<Option<Located<T>>, FileError> {
        let Some((name, spanned)) = self.entry(key) else {
            return Ok(None);
        };
        match read(spanned.get_ref()) {
            Some(value) => Ok(Some(Located {
                value,
                key: name.span(),
                span: spanned.span(),
            })),
            None => Err(self.document.error(
                spanned.span(),
                FileProblem::Type {
                    key: key.to_owned(),
                    expected: expected.to_owned(),
                    found: type_name(spanned.get_ref()).to_owned(),
                },
            )),
        }
    }
}

/// The value of a setting, whose type only the manifest knows.
pub(super) fn raw(value: &DeValue<'_>) -> RawSetting {
    match value {
        DeValue::String(text) => RawSetting::Text(text.clone().into_owned()),
        DeValue::Integer(number) => integer(number).map_or(
            RawSetting::Other("a number beyond 64 bits"),
            RawSetting::Integer,
        ),
        DeValue::Float(number) => number.as_str().replace('_', "").parse().map_or(
            RawSetting::Other("a number that cannot be read"),
            RawSetting::Number,
        ),
        DeValue::Boolean(value) => RawSetting::Boolean(*value),
        DeValue::Array(_) => texts(value).map_or(
            RawSetting::Other("a list of other things than texts"),
            RawSetting::Texts,
        ),
        other => RawSetting::Other(type_name(other)),
    }
}

pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|text| text.get_ref().as_str().map(ToOwned::to_owned))
        .collect()
}
