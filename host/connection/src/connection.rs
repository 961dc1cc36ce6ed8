//! A connection that is ready to be used: its file checked against the connector's manifest, its
//! credentials read, its TLS built.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use cordon_contract::Manifest;

use crate::blob::Blobs;
use crate::certificate::CertificateInfo;
use crate::exchange::{Client, Observer};
use crate::file::{ConnectionFile, FileError};
use crate::limits::{Gate, Limits};
use crate::references::Reader;
use crate::scrub::Scrubber;
use crate::secret::Secrets;
use crate::settings::{self, SettingError, SettingValue};
use crate::vault::{Keep, SealedValue, Vault, VaultError};

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
    keep: OnceLock<Keep>,
    blobs: OnceLock<Blobs>,
    known: RwLock<Known>,
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
            keep: OnceLock::new(),
            blobs: OnceLock::new(),
            known: RwLock::new(Known {
                scrubber: Scrubber::new([&credentials.secrets]),
                sealed: VecDeque::new(),
            }),
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
        self.scrubber().scrub(text).into_owned()
    }

    /// Lets its connector write and read blobs. The first place stays.
    pub fn keep_blobs_in(&self, blobs: Blobs) {
        let _ = self.blobs.set(blobs);
    }

    /// Where blobs are, if it was given a place.
    #[must_use]
    pub fn blobs(&self) -> Option<&Blobs> {
        self.blobs.get()
    }

    /// Lets its connector keep things, and secrets of answers be kept. The first place stays.
    pub fn keep_in(&self, vault: Arc<Vault>) {
        let _ = self.keep.set(Keep::new(vault, &self.name));
    }

    /// Where it keeps things.
    ///
    /// # Errors
    /// When it was given no place.
    pub fn keep(&self) -> Result<&Keep, VaultError> {
        self.keep.get().ok_or(VaultError::NoPlace)
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
            self.scrubber()
        } else {
            self.scrubber_with_all(&[arguments])
        }
    }

    pub(crate) fn scrubber_with_all(&self, further: &[&Secrets]) -> Scrubber {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let sealed = known.sealed.iter().map(|(_, secrets)| secrets);
        Scrubber::new(
            std::iter::once(&self.secrets)
                .chain(sealed)
                .chain(further.iter().copied()),
        )
    }

    fn scrubber(&self) -> Scrubber {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.scrubber.clone()
    }

    /// Has a sealed secret replaced wherever it occurs from now on.
    pub(crate) fn learn(&self, name: &str, sealed: &SealedValue) {
        let mut secrets = Secrets::none();
        secrets.insert(name, sealed.secret.clone());
        self.learn_all(&secrets, &[sealed.version]);
    }

    /// The same for those of one answer.
    pub(crate) fn learn_all(&self, secrets: &Secrets, versions: &[u64]) {
        let is_known = |known: &Known| {
            known
                .sealed
                .iter()
                .any(|(known, _)| versions.iter().all(|version| known.contains(version)))
        };
        if is_known(&self.known.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if is_known(&known) {
            return;
        }
        known.sealed.push_back((versions.to_vec(), secrets.clone()));
        if known.sealed.len() > SEALED_REMEMBERED {
            known.sealed.pop_front();
        }
        let sealed = known.sealed.iter().map(|(_, secrets)| secrets);
        known.scrubber = Scrubber::new(std::iter::once(&self.secrets).chain(sealed));
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

/// The secrets that have come in answers, and what replaces all that are known.
struct Known {
    scrubber: Scrubber,
    /// With the versions that they were kept under, the newest last.
    sealed: VecDeque<(Vec<u64>, Secrets)>,
}

/// So many of the latest sealed secrets are still replaced after newer ones took their places.
const SEALED_REMEMBERED: usize = 16;

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("name", &self.name)
            .field("bases", &self.bases)
            .finish_non_exhaustive()
    }
}
