//! From the text of a connection file to [`ConnectionFile`].

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};
use url::Url;

use super::error::{FileError, FileProblem};
use super::sections::{limits, network, tls};
use super::table::{Document, Entry, Table, raw, type_name};
use super::{ConnectionFile, CredentialReference, Located};
use crate::reference::Reference;

const KEYS: [&str; 12] = [
    "connector",
    "enabled",
    "description",
    "url",
    "urls",
    "tags",
    "realm",
    "settings",
    "credentials",
    "tls",
    "limits",
    "network",
];
const CERTIFICATE_KEYS: [&str; 2] = ["certificate", "key"];

pub(super) fn parse(path: &Path, text: &str) -> Result<ConnectionFile, FileError> {
    let document = Document { path, text };
    let whole = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        document.error(
            span,
            FileProblem::Syntax {
                reason: error.message().to_owned(),
            },
        )
    })?;
    let root = Table::new(document, whole.get_ref(), &KEYS)?;

    let missing = |key: &str, help: &str| {
        document.error(
            0..0,
            FileProblem::Missing {
                key: key.to_owned(),
                help: help.to_owned(),
            },
        )
    };
    let connector = root.text("connector")?.ok_or_else(|| {
        missing(
            "connector",
            "write the connector's name, as in connector = \"kata\"",
        )
    })?;
    let urls = urls(&root, document)?.ok_or_else(|| {
        missing(
            "url",
            "write the product's base URL, as in url = \"https://kata.example\"",
        )
    })?;
    let mut settings = BTreeMap::new();
    for (key, value) in root.open_section("settings")?.into_iter().flatten() {
        let located = Located {
            value: raw(value.get_ref()),
            key: key.span(),
            span: value.span(),
        };
        settings.insert(key.get_ref().clone().into_owned(), located);
    }
    let mut credentials = BTreeMap::new();
    for entry in root.open_section("credentials")?.into_iter().flatten() {
        credentials.insert(
            entry.0.get_ref().clone().into_owned(),
            credential(document, entry)?,
        );
    }

    Ok(ConnectionFile {
        name: name(document)?,
        path: path.to_owned(),
        text: text.into(),
        connector,
        enabled: root.boolean("enabled")?.is_none_or(|enabled| enabled.value),
        description: root
            .text("description")?
            .map(|text| text.value)
            .unwrap_or_default(),
        urls,
        tags: root
            .texts("tags")?
            .map(|texts| texts.value)
            .unwrap_or_default(),
        realm: root
            .text("realm")?
            .map_or_else(|| "default".to_owned(), |text| text.value),
        settings,
        credentials,
        tls: tls(&root, document)?,
        limits: limits(&root)?,
        network: network(&root)?,
    })
}

fn name(document: Document<'_>) -> Result<String, FileError> {
    let name = document
        .path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let is_name = name
        .starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
    if is_name {
        Ok(name.into_owned())
    } else {
        Err(document.error(
            0..0,
            FileProblem::Name {
                name: name.into_owned(),
            },
        ))
    }
}

fn urls(root: &Table<'_>, document: Document<'_>) -> Result<Option<Vec<Url>>, FileError> {
    match (root.text("url")?, root.texts("urls")?) {
        (Some(_), Some(urls)) => Err(document.error(
            urls.key,
            FileProblem::Conflict {
                key: "url",
                other: "urls",
                help: "write one, or a list of all as `urls`",
            },
        )),
        (Some(url), None) => root
            .value("url", &url, |text| base_url(text))
            .map(|url| Some(vec![url])),
        (None, Some(urls)) => root.value("urls", &urls, |texts| match texts.as_slice() {
            [] => Err("the list is empty".to_owned()),
            texts => texts
                .iter()
                .map(|text| base_url(text))
                .collect::<Result<_, _>>()
                .map(Some),
        }),
        (None, None) => Ok(None),
    }
}

/// A URL below which every request of the connection stays.
fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(format!("`{text}` must begin with https:// and name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "it holds a user name or password; name them under [credentials] instead".to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "`{text}` must end with a host or a path, without `?` and `#`"
        ));
    }
    Ok(url)
}

fn credential(
    document: Document<'_>,
    (key, value): Entry<'_>,
) -> Result<Located<CredentialReference>, FileError> {
    let name = key.get_ref();
    let located = |reference| Located {
        value: reference,
        key: key.span(),
        span: value.span(),
    };
    match value.get_ref() {
        DeValue::String(text) => reference(document, name, text, value.span())
            .map(CredentialReference::Single)
            .map(located),
        DeValue::Table(table) => {
            let table = Table::new(document, table, &CERTIFICATE_KEYS)?;
            let part = |part: &str| match table.text(part)? {
                Some(text) => reference(document, part, &text.value, text.span),
                None => Err(document.error(
                    value.span(),
                    FileProblem::Missing {
                        key: format!("{name}.{part}"),
                        help: "a client certificate has a certificate and a key".to_owned(),
                    },
                )),
            };
            Ok(located(CredentialReference::Certificate {
                certificate: part("certificate")?,
                key: part("key")?,
            }))
        }
        other => Err(document.error(
            value.span(),
            FileProblem::Type {
                key: name.clone().into_owned(),
                expected: "a reference such as \"env:NAME\"".to_owned(),
                found: type_name(other).to_owned(),
            },
        )),
    }
}

fn reference(
    document: Document<'_>,
    key: &str,
    text: &str,
    span: std::ops::Range<usize>,
) -> Result<Reference, FileError> {
    Reference::parse(text).ok_or_else(|| {
        document.error(
            span,
            FileProblem::PlainSecret {
                key: key.to_owned(),
            },
        )
    })
}
