//! Settings of a connection, checked against what the manifest declares.

use std::collections::BTreeMap;

use cordon_contract::Manifest;
use cordon_contract::manifest::{Setting, SettingType};
use cordon_contract::units;

use crate::file::{ConnectionFile, FileError, FileProblem, Located, RawSetting};

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    /// Text, or one of the words of a choice.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// A list of texts.
    Texts(Vec<String>),
    /// Milliseconds.
    Duration(u64),
    /// Bytes.
    Size(u64),
}

/// A default in a manifest that is no value of its setting: a defect of the connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the connector's own default for `{setting}` cannot be used: {reason}")]
pub(crate) struct WrongDefault {
    pub(crate) setting: String,
    pub(crate) reason: String,
}

/// What is wrong with the settings of a file.
#[derive(Debug)]
pub(crate) enum SettingError {
    File(FileError),
    Default(WrongDefault),
}

/// Every setting that has a value: the file's, else the manifest's default.
///
/// # Errors
/// For a setting that the manifest does not know, a required one that is missing, a value of
/// another type.
pub(crate) fn check(
    file: &ConnectionFile,
    manifest: &Manifest,
) -> Result<BTreeMap<String, SettingValue>, SettingError> {
    let known = || {
        manifest
            .settings
            .iter()
            .map(|setting| setting.name.as_str())
    };
    for (name, located) in &file.settings {
        if !known().any(|setting| setting == name) {
            let problem = FileProblem::unknown_key(name, known());
            return Err(SettingError::File(
                file.error_at(located.key.clone(), problem),
            ));
        }
    }
    let mut values = BTreeMap::new();
    for setting in &manifest.settings {
        let value = match file.settings.get(&setting.name) {
            Some(located) => Some(of_file(file, setting, located).map_err(SettingError::File)?),
            None => default(setting).map_err(SettingError::Default)?,
        };
        match value {
            Some(value) => {
                values.insert(setting.name.clone(), value);
            }
            None if setting.required => {
                let problem = FileProblem::Missing {
                    key: setting.name.clone(),
                    help: format!(
                        "{} needs it under [settings]: {}",
                        manifest.title, setting.help
                    ),
                };
                return Err(SettingError::File(file.error_at(0..0, problem)));
            }
            None => {}
        }
    }
    Ok(values)
}

fn of_file(
    file: &ConnectionFile,
    setting: &Setting,
    located: &Located<RawSetting>,
) -> Result<SettingValue, FileError> {
    conform(&located.value, &setting.r#type).map_err(|reason| {
        file.error_at(
            located.span.clone(),
            FileProblem::Value {
                key: setting.name.clone(),
                reason,
            },
        )
    })
}

/// Manifests write defaults as the file would, without the quotes of text.
fn default(setting: &Setting) -> Result<Option<SettingValue>, WrongDefault> {
    let Some(text) = &setting.default else {
        return Ok(None);
    };
    let raw = match setting.r#type {
        SettingType::Text | SettingType::Choice(_) | SettingType::Duration | SettingType::Size => {
            RawSetting::Text(text.clone())
        }
        SettingType::Integer | SettingType::Number | SettingType::Boolean | SettingType::Texts => {
            crate::file::raw_value(text).unwrap_or(RawSetting::Other("no TOML"))
        }
    };
    conform(&raw, &setting.r#type)
        .map(Some)
        .map_err(|reason| WrongDefault {
            setting: setting.name.clone(),
            reason,
        })
}

fn conform(raw: &RawSetting, r#type: &SettingType) -> Result<SettingValue, String> {
    let expected = |what: &str| Err(format!("must be {what}, not {}", kind(raw)));
    match (r#type, raw) {
        (SettingType::Text, RawSetting::Text(text)) => Ok(SettingValue::Text(text.clone())),
        (SettingType::Text, _) => expected("text in quotes"),
        (SettingType::Integer, RawSetting::Integer(number)) => Ok(SettingValue::Integer(*number)),
        (SettingType::Integer, _) => expected("a whole number"),
        (SettingType::Number, RawSetting::Number(number)) => Ok(SettingValue::Number(*number)),
        #[allow(
            clippy::cast_precision_loss,
            reason = "a number setting is a float by its contract"
        )]
        (SettingType::Number, RawSetting::Integer(number)) => {
            Ok(SettingValue::Number(*number as f64))
        }
        (SettingType::Number, _) => expected("a number"),
        (SettingType::Boolean, RawSetting::Boolean(value)) => Ok(SettingValue::Boolean(*value)),
        (SettingType::Boolean, _) => expected("true or false"),
        (SettingType::Texts, RawSetting::Texts(texts)) => Ok(SettingValue::Texts(texts.clone())),
        (SettingType::Texts, _) => expected("a list of texts in quotes"),
        (SettingType::Duration, RawSetting::Text(text)) => units::parse_duration(text)
            .map(SettingValue::Duration)
            .map_err(|error| error.to_string()),
        (SettingType::Duration, _) => expected("a duration such as \"90s\""),
        (SettingType::Size, RawSetting::Text(text)) => units::parse_size(text)
            .map(SettingValue::Size)
            .map_err(|error| error.to_string()),
        (SettingType::Size, _) => expected("a size such as \"10MB\""),
        (SettingType::Choice(words), RawSetting::Text(text)) if words.contains(text) => {
            Ok(SettingValue::Text(text.clone()))
        }
        (SettingType::Choice(words), _) => {
            let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
            Err(format!("must be one of {}", words.join(", ")))
        }
    }
}

fn kind(raw: &RawSetting) -> &'static str {
    match raw {
        RawSetting::Text(_) => "text",
        RawSetting::Integer(_) | RawSetting::Number(_) => "a number",
        RawSetting::Boolean(_) => "true or false",
        RawSetting::Texts(_) => "a list",
        RawSetting::Other(what) => what,
    }
}

#[cfg(test)]
mod tests;
