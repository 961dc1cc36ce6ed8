//! A connection that is ready to be used: its file checked against the connector's manifest, its
//! credentials read, its TLS built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use cordon_contract::Manifest;

use crate::certificate::CertificateInfo;
use crate::exchange::{Client, Observer};
use crate::file::{ConnectionFile, FileError};
use crate::limits::{Gate, Limits};
use crate::references::Reader;
use crate::scrub::Scrubber;
use crate::secret::Secrets;
use crate::settings::{self, SettingError, SettingValue};

/// A connection that cannot be used as its file stands.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum OpenError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the connection `{name}` is switched off; set `enabled = true` in {}", path.display())]
    Disabled { name: String, path: PathBuf },
    #[error("the connection `{name}` is for the connector `{expected}`, not for `{found}`")]
    OtherConnector {
        name: String,
        expected: String,
        found: String,
    },
    #[error("the connector `{connector}` is at fault: {reason}")]
    Connector { connector: String, reason: String },
    #[error("TLS of the connection `{name}` cannot be set up: {reason}")]
    Tls { name: String, reason: String },
}

impl OpenError {
    /// The page that explains it: one of [`crate::CODES`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Disabled { .. } => "connection.disabled",
            Self::OtherConnector { .. } | Self::Connector { .. } => "connection.file",
            Self::Tls { .. } => "connection.tls",
        }
    }
}

/// An open connection. Cheap to share; pools, pace and limits are those of all its users together.
pub struct Connection {
    name: String,
    connector: String,
    bases: Vec<String>,
    /// The base URL that answered last.
    preferred: AtomicUsize,
    settings: BTreeMap<String, SettingValue>,
    secrets: Secrets,
    client_certificate: Option<CertificateInfo>,
    scrubber: Scrubber,
    limits: Limits,
    gate: Gate,
    client: Client,
    observer: OnceLock<Arc<dyn Observer>>,
}

impl Connection {
    /// Opens what the file describes for the connector of this manifest. Reads credentials; makes
    /// no request.
    ///
    /// # Errors
    /// Where the file is wrong, a credential cannot be read, or the connection is switched off.
    pub fn open(
        file: &ConnectionFile,
        manifest: &Manifest,
        automation_directory: &Path,
    ) -> Result<Arc<Self>, OpenError> {
        if !file.enabled {
            return Err(OpenError::Disabled {
                name: file.name.clone(),
                path: file.path.clone(),
            });
        }
        if file.connector.value != manifest.name {
            return Err(OpenError::OtherConnector {
                name: file.name.clone(),
                expected: file.connector.value.clone(),
                found: manifest.name.clone(),
            });
        }
        let settings = settings::check(file, manifest).map_err(|error| match error {
            SettingError::File(error) => error.into(),
            SettingError::Default(wrong) => OpenError::Connector {
                connector: manifest.name.clone(),
                reason: wrong.to_string(),
            },
        })?;
        let reader = Reader {
            file,
            automation_directory,
        };
        let credentials = reader.credentials(manifest)?;
        let trust = reader.trust()?;
        let limits = file.limits.over(manifest);
        let client = Client::new(
            &file.name,
            &file.network,
            &limits,
            trust,
            credentials.identity,
        )
        .map_err(|error| OpenError::Tls {
            name: file.name.clone(),
            reason: error.to_string(),
        })?;
        Ok(Arc::new(Self {
            name: file.name.clone(),
            connector: manifest.name.clone(),
            bases: file
                .urls
                .iter()
                .map(|url| url.as_str().trim_end_matches('/').to_owned())
                .collect(),
            preferred: AtomicUsize::new(0),
            settings,
            scrubber: Scrubber::new([&credentials.secrets]),
            secrets: credentials.secrets,
            client_certificate: credentials.info,
            limits,
            gate: Gate::new(&limits),
            client,
            observer: OnceLock::new(),
        }))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its connector.
    #[must_use]
    pub fn connector(&self) -> &str {
        &self.connector
    }

    /// The value of a setting: the file's, else the manifest's default.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&SettingValue> {
        self.settings.get(name)
    }

    /// The certificate that it presents to the product.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&CertificateInfo> {
        self.client_certificate.as_ref()
    }

    /// The limits that hold.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The base URLs without a slash at the end, in the order in which they are tried.
    #[must_use]
    pub fn bases(&self) -> &[String] {
        &self.bases
    }

    /// The text with every secret of this connection replaced: for whatever leaves Cordon.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        self.scrubber.scrub(text).into_owned()
    }

    /// Has every further exchange told to this observer too, whoever makes it. The first one stays.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        let _ = self.observer.set(observer);
    }

    pub(crate) fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.observer.get()
    }

    /// What replaces this connection's secrets and these.
    #[must_use]
    pub fn scrubber_with(&self, arguments: &Secrets) -> Scrubber {
        if arguments.is_empty() {
            self.scrubber.clone()
        } else {
            Scrubber::new([&self.secrets, arguments])
        }
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn preferred_base(&self) -> usize {
        self.preferred.load(Ordering::Relaxed)
    }

    pub(crate) fn prefer_base(&self, index: usize) {
        self.preferred.store(index, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("name", &self.name)
            .field("bases", &self.bases)
            .finish_non_exhaustive()
    }
}
