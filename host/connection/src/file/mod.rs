//! Connection files: `connections/NAME.toml`.
//!
//! Reading one checks everything that can be checked without the connector's manifest, the
//! environment or another file; [`crate::Connection::open`] does the rest. Every mistake is
//! reported with its place in the text.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use url::Url;

use crate::limits::Limits;
use crate::reference::Reference;

mod error;
mod read;
mod sections;
mod table;
mod write;

pub use error::{FileError, FileProblem};
pub use write::{NewConnection, write};

/// A connection file as it was read.
#[derive(Debug, Clone)]
pub struct ConnectionFile {
    /// The name of the connection: the file's name without `.toml`.
    pub name: String,
    /// Where it was read from.
    pub path: PathBuf,
    /// Its text.
    pub text: Arc<str>,
    /// The connector's name.
    pub connector: Located<String>,
    /// Whether playbooks may use it.
    pub enabled: bool,
    /// For people.
    pub description: String,
    /// The base URLs, in the order in which they are tried.
    pub urls: Vec<Url>,
    /// For people and for choosing connections.
    pub tags: Vec<String>,
    /// The operator's grouping.
    pub realm: String,
    /// Checked against the manifest later.
    pub settings: BTreeMap<String, Located<RawSetting>>,
    /// Checked against the manifest later.
    pub credentials: BTreeMap<String, Located<CredentialReference>>,
    /// Whom the connection trusts.
    pub tls: Tls,
    /// What the file says about limits; the rest comes from the manifest and from [`Limits`].
    pub limits: LimitOverrides,
    /// How the product is reached.
    pub network: Network,
}

/// Something with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    /// What was read.
    pub value: T,
    /// The bytes of the file that name it: the key.
    pub key: Range<usize>,
    /// The bytes of the file that say it: the value.
    pub span: Range<usize>,
}

/// A setting before its type is known.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum RawSetting {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Texts(Vec<String>),
    /// What no setting takes, by its TOML name.
    Other(&'static str),
}

/// What stands for a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialReference {
    /// One reference: a secret, or one PEM file with certificate and key.
    Single(Reference),
    /// A client certificate.
    Certificate {
        /// The certificate and what belongs to its chain.
        certificate: Reference,
        /// Its private key.
        key: Reference,
    },
}

/// The section `[tls]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tls {
    /// A bundle of CAs, or the server's own certificate.
    pub ca: Option<Located<Reference>>,
    /// SHA-256 of the server's certificate.
    pub pin_sha256: Option<[u8; 32]>,
    /// Trust everybody.
    pub insecure: bool,
}

/// The section `[limits]`.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "they are those of `Limits`")]
pub struct LimitOverrides {
    pub timeout_ms: Option<u64>,
    pub connect_timeout_ms: Option<u64>,
    pub answer_size: Option<u64>,
    pub rate_per_second: Option<f64>,
    pub concurrency: Option<u32>,
}

/// The section `[network]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// The proxy to go through; never taken from the environment.
    pub proxy: Option<Proxy>,
    /// Addresses that names may lead to although they are special.
    pub allow_addresses: Vec<IpNet>,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its address, with the port.
    pub uri: http::Uri,
    /// Its host.
    pub host: String,
    /// SOCKS 5, else HTTP with CONNECT. Both resolve the product's name themselves.
    pub is_socks: bool,
}

impl ConnectionFile {
    /// Reads a file; the connection has its name.
    ///
    /// # Errors
    /// Where it cannot be read or something in it is wrong.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| FileError::unreadable(path, &error))?;
        Self::parse(path, &text)
    }

    /// Reads the text of the file `path`.
    ///
    /// # Errors
    /// Where something in it is wrong; the first mistake is named with its place.
    pub fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        read::parse(path, text)
    }

    /// A mistake at this place of the file.
    #[must_use]
    pub fn error_at(&self, span: Range<usize>, problem: FileProblem) -> FileError {
        FileError::new(&self.path, &self.text, span, problem)
    }
}

impl LimitOverrides {
    /// The limits that hold: the file's, else the manifest's, else the defaults.
    #[must_use]
    pub fn over(&self, manifest: &cordon_contract::Manifest) -> Limits {
        let defaults = Limits::default();
        let duration = |milliseconds: Option<u64>, default| {
            milliseconds.map_or(default, std::time::Duration::from_millis)
        };
        Limits {
            timeout: duration(self.timeout_ms, defaults.timeout),
            connect_timeout: duration(self.connect_timeout_ms, defaults.connect_timeout),
            answer_size: self.answer_size.unwrap_or(defaults.answer_size),
            rate_per_second: self.rate_per_second.or(manifest.rate_per_second),
            concurrency: self
                .concurrency
                .or(manifest.concurrency)
                .unwrap_or(defaults.concurrency),
        }
    }
}

/// A value as it would stand in a file.
pub(crate) fn raw_value(text: &str) -> Option<RawSetting> {
    toml::de::DeValue::parse(text)
        .ok()
        .map(|value| table::raw(value.get_ref()))
}

#[cfg(test)]
mod tests;
