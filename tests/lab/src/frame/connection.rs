//! What Cordon has to be told to reach a product: the parts of a connection file that differ from
//! one product to another, and the secrets it refers to.

use std::collections::BTreeMap;

use super::ClientCertificate;

/// How a caller connects, apart from the URL and the server's certificate.
#[derive(Clone, Default)]
pub struct Connection {
    /// What the product is, for people: `KATA Central Node`.
    pub description: &'static str,
    /// The lines of the connection file's `[settings]`, as TOML; empty for no such section.
    pub settings: String,
    /// The lines of its `[credentials]`, as TOML, beside the client certificate's. They name the
    /// [`secrets`](Self::secrets) as `file:credentials/NAME`.
    pub credentials: String,
    /// Who the caller is in TLS, for products that know callers by certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// Files for `automation/credentials`, readable by their owner alone.
    pub secrets: Vec<Secret>,
    /// Entries of `products.NAME.credentials` in `lab.json`, for programs that call the product
    /// themselves.
    pub told: BTreeMap<String, String>,
}

/// A file that holds one secret.
#[derive(Clone)]
pub struct Secret {
    /// Its name in `automation/credentials`: `ksc.password`.
    pub file: &'static str,
    /// All that is in it.
    pub text: String,
    /// Whether a file that is there already stays as it is.
    pub keep: bool,
}

impl Secret {
    /// One that the product has anew each time it starts: whatever is in the file is replaced.
    pub fn renewed(file: &'static str, text: impl Into<String>) -> Self {
        Self {
            file,
            text: text.into(),
            keep: false,
        }
    }

    /// One that may have been changed since, and whose change the product accepts.
    pub fn kept(file: &'static str, text: impl Into<String>) -> Self {
        Self {
            keep: true,
            ..Self::renewed(file, text)
        }
    }
}
