//! `lab.json`: where the products of a running lab are and how to call them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Lab;
use crate::frame::{ClientCertificate, Product, Simulator};

use super::connection::Credentials;
use super::files::write_public;
use super::{DirectoryError, broken};

/// The contents of `lab.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The overview for people.
    pub control_url: String,
    /// The process that runs the lab.
    pub process: u32,
    /// The automation directory.
    pub automation: PathBuf,
    /// Each product by its short name.
    pub products: BTreeMap<String, ProductSummary>,
}

/// How to call one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSummary {
    /// Base URL, without a slash at the end.
    pub url: String,
    /// The server's certificate, to be trusted; none for plain HTTP.
    pub ca: Option<PathBuf>,
    /// Its SHA-256, to be pinned.
    pub ca_sha256: Option<String>,
    /// The caller's certificate, where the product knows callers by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<PathBuf>,
    /// Its SHA-256, by which the product knows the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_sha256: Option<String>,
    /// The caller's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<PathBuf>,
    /// Whatever else the product wants to be told.
    pub credentials: BTreeMap<String, String>,
    /// The product's part of the control surface.
    pub control_url: String,
}

impl Summary {
    pub(super) fn of(lab: &Lab, automation: &Path) -> Self {
        let products = lab.simulators().iter().map(|simulator| {
            let name = simulator.product.name().to_owned();
            let control_url = lab.control_url_of(&simulator.product);
            (name, product(simulator, automation, control_url))
        });
        Self {
            control_url: lab.control_url().to_owned(),
            process: std::process::id(),
            automation: automation.to_owned(),
            products: products.collect(),
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), DirectoryError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| broken(path, &error))?;
        write_public(path, &format!("{text}\n"))
    }
}

pub(super) fn product(
    simulator: &Simulator<dyn Product>,
    automation: &Path,
    control_url: String,
) -> ProductSummary {
    let files = Credentials::of(automation, simulator.product.name());
    let connection = simulator.product.connection();
    let own = connection.client_certificate.as_ref();
    ProductSummary {
        url: simulator.url.clone(),
        ca: simulator.certificate.as_ref().map(|_| files.ca),
        ca_sha256: simulator.certificate.as_ref().map(|found| found.sha256()),
        client_certificate: own.map(|_| files.certificate),
        client_certificate_sha256: own.map(ClientCertificate::sha256),
        client_key: own.map(|_| files.key),
        credentials: connection.told,
        control_url,
    }
}
