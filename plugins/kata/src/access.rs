//! Whether KATA knows who is asking, and what a person can do about it.
//!
//! The first request of an external system that KATA does not know puts it on a list in the web
//! interface; an administrator accepts or rejects it there, together with the fingerprint of its
//! certificate. Until then, and for any other certificate, KATA answers 401 and nothing more.

use std::time::Duration;

use cordon_sdk::http::Response;
use cordon_sdk::{Error, ErrorKind, Result, call, settings};
use serde_json::json;

use crate::{central_node, sensors};

/// Between two looks whether a person has accepted the external system.
const APPROVAL_PAUSE: Duration = Duration::from_secs(60);

/// The list of hosts: it has no parameter that could be wrong.
pub fn test_connection() -> Result<String> {
    if let Some(problem) = certificate_problem()? {
        return Err(problem);
    }
    let answer = sensors::all()?;
    let version = answer.server.and_then(|server| server.version);
    let version = version.map_or_else(String::new, |version| format!(" {version}"));
    let hosts = answer.sensors.len();
    Ok(format!(
        "KATA Central Node{version}, {hosts} {}",
        if hosts == 1 { "host" } else { "hosts" }
    ))
}

/// KATA does not know this id with this certificate.
pub fn not_accepted(response: &Response) -> Error {
    match certificate_problem() {
        Ok(Some(problem)) | Err(problem) => return problem.status(response.status()),
        Ok(None) => {}
    }
    let id = short_id();
    let fingerprint = fingerprint();
    unauthorized(
        "not_accepted",
        format!(
            "KATA has not accepted the external system `{id}` with the certificate of SHA-256 fingerprint {fingerprint}. \
             An administrator accepts it in KATA's web interface, section External systems, where this request is now \
             listed. If `{id}` is accepted there already, then with another fingerprint: this connection presents the \
             wrong certificate, or its new one waits for approval"
        ),
    )
    .status(response.status())
    .retry_after(APPROVAL_PAUSE)
}

/// The front-end of the Central Node turned the request away before KATA saw it.
pub fn certificate_not_received(response: &Response) -> Error {
    match certificate_problem() {
        Ok(Some(problem)) | Err(problem) => problem.status(response.status()),
        Ok(None) => unauthorized(
            "certificate_not_received",
            format!(
                "KATA did not get the client certificate of SHA-256 fingerprint {} that this connection presents; a proxy \
                 between may end TLS. {}",
                fingerprint(),
                response.error().message
            ),
        )
        .status(response.status()),
    }
}

/// Whether a 400 is the HTML page of a web server that wants a client certificate.
pub fn asks_for_certificate(response: &Response) -> bool {
    response.try_json().is_none()
        && String::from_utf8_lossy(response.body())
            .to_lowercase()
            .contains("certificate")
}

/// What is wrong with the connection's certificate before anybody is asked.
fn certificate_problem() -> Result<Option<Error>> {
    central_node::external_system_id()?;
    Ok(match settings::client_certificate() {
        None => Some(unauthorized(
            "no_certificate",
            "this connection has no client certificate; KATA knows its callers by nothing else. Name one under \
             `client_certificate` in the connection's file"
                .to_owned(),
        )),
        Some(certificate) if certificate.not_after < call::now() => Some(unauthorized(
            "certificate_expired",
            format!(
                "the client certificate of SHA-256 fingerprint {} has expired; make a new one and have it accepted in \
                 KATA's web interface, section External systems",
                certificate.sha256
            ),
        )),
        Some(_) => None,
    })
}

fn unauthorized(reason: &str, message: String) -> Error {
    Error::new(ErrorKind::Unauthorized, message).details(&json!({
        "reason": reason,
        "external_system_id": short_id(),
        "certificate_sha256": fingerprint(),
    }))
}

fn fingerprint() -> String {
    settings::client_certificate().map_or_else(String::new, |certificate| certificate.sha256)
}

/// The id, recognisable by who knows it and useless to who does not.
fn short_id() -> String {
    let id = central_node::external_system_id().unwrap_or_default();
    let shown = (id.chars().count() / 2).min(8);
    format!("{}…", id.chars().take(shown).collect::<String>())
}
