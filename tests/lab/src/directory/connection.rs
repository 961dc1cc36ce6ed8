//! The connection to one simulated product: its file, and the credentials that it refers to.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::frame::{Product, Simulator};

use super::DirectoryError;
use super::files::{read_if_there, write_private, write_public};

const CREDENTIALS: &str = "credentials";

/// The files of one product's credentials.
pub(super) struct Credentials {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Credentials {
    pub(super) fn of(automation: &Path, product: &str) -> Self {
        let folder = automation.join(CREDENTIALS);
        Self {
            ca: folder.join(format!("{product}-ca.pem")),
            certificate: folder.join(format!("{product}.pem")),
            key: folder.join(format!("{product}.key")),
        }
    }
}

/// Where a secret of any product is.
pub(super) fn secret(automation: &Path, file: &str) -> PathBuf {
    automation.join(CREDENTIALS).join(file)
}

/// Writes all that one product needs.
pub(super) fn write(
    automation: &Path,
    simulator: &Simulator<dyn Product>,
) -> Result<(), DirectoryError> {
    let name = simulator.product.name();
    let connection = simulator.product.connection();
    let files = Credentials::of(automation, name);
    if let Some(certificate) = &connection.client_certificate {
        write_public(&files.certificate, certificate.pem())?;
        write_private(&files.key, certificate.key_pem())?;
    }
    if let Some(certificate) = &simulator.certificate {
        write_public(&files.ca, certificate.pem())?;
    }
    for one in &connection.secrets {
        let path = secret(automation, one.file);
        if !one.keep || read_if_there(&path)?.is_none() {
            write_private(&path, &one.text)?;
        }
    }
    let path = automation.join("connections").join(format!("{name}.toml"));
    match read_if_there(&path)? {
        Some(text) => renew(&path, &text, &simulator.url),
        None => write_public(&path, &text(simulator)),
    }
}

/// Writes only the new URL into a file that is there.
fn renew(path: &Path, text: &str, url: &str) -> Result<(), DirectoryError> {
    let table: toml::Table =
        text.parse()
            .map_err(|error: toml::de::Error| DirectoryError::ConnectionFile {
                file: path.to_owned(),
                reason: error.message().to_owned(),
            })?;
    match table.get("url").and_then(toml::Value::as_str) {
        Some(old) if old != url => {
            let quoted = |url: &str| format!("\"{url}\"");
            write_public(path, &text.replace(&quoted(old), &quoted(url)))
        }
        _ => Ok(()),
    }
}

fn text(simulator: &Simulator<dyn Product>) -> String {
    let name = simulator.product.name();
    let connection = simulator.product.connection();
    let mut text = format!(
        "# The lab's {description}. `url` is renewed each time the lab starts.\n\
         connector = \"{name}\"\n\
         description = \"Simulated {description}\"\n\
         url = \"{url}\"\n",
        description = connection.description,
        url = simulator.url,
    );
    let mut section = |head: &str, lines: &str| {
        if !lines.is_empty() {
            let _ = write!(text, "\n[{head}]\n{}\n", lines.trim_end());
        }
    };
    section("settings", &connection.settings);
    let certificate = match connection.client_certificate {
        Some(_) => format!(
            "client_certificate = {{ certificate = \"file:credentials/{name}.pem\", \
             key = \"file:credentials/{name}.key\" }}\n"
        ),
        None => String::new(),
    };
    section("credentials", &(certificate + &connection.credentials));
    if simulator.certificate.is_some() {
        let trusted = "# The server's own certificate: exactly this one is trusted.\n";
        section(
            "tls",
            &format!("{trusted}ca = \"file:credentials/{name}-ca.pem\""),
        );
    }
    text
}
