//! The commands that talk to a running lab over its control surface.

use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use cordon_lab::directory::{self, DirectoryError};
use cordon_lab::kata::{Approval, ExternalSystem};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

/// Why a running lab could not be asked.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum AskError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error("the lab does not answer at {url}: {reason}")]
    #[diagnostic(help("it may have been killed: start it again with `cordon-lab up`"))]
    Silent { url: String, reason: String },
    #[error("the lab refuses: {0}")]
    Refused(String),
    #[error("the lab answers something else than expected: {0}")]
    Answer(#[from] serde_json::Error),
}

pub(crate) async fn show(dir: &Path) -> Result<(), AskError> {
    let lab = directory::find(dir)?;
    let overview = ask(Method::GET, &format!("{}/", lab.control_url), None).await?;
    say(&String::from_utf8_lossy(&overview));
    Ok(())
}

pub(crate) async fn accept(dir: &Path) -> Result<(), AskError> {
    let lab = directory::find(dir)?;
    let mut accepted = 0;
    // The only product whose callers an administrator has to accept.
    if let Some(product) = lab.products.get(cordon_lab::kata::NAME) {
        let url = format!("{}/external-systems", product.control_url);
        let systems = ask(Method::GET, &url, None).await?;
        let systems: Vec<ExternalSystem> = serde_json::from_slice(&systems)?;
        for system in systems {
            if system.approval != Approval::Pending {
                continue;
            }
            let certificate = &system.certificate_sha256;
            let id = url::form_urlencoded::byte_serialize(system.id.as_bytes());
            // A path takes a plus sign literally, where a form means a space.
            let id = id.collect::<String>().replace('+', "%20");
            let body = json!({ "certificate_sha256": certificate }).to_string();
            ask(Method::POST, &format!("{url}/{id}/accept"), Some(body)).await?;
            say(&format!(
                "accepted {} with certificate {certificate}\n",
                system.id
            ));
            accepted += 1;
        }
    }
    if accepted == 0 {
        say("nothing waits for approval: a connection shows up here with its first request\n");
    }
    Ok(())
}

pub(crate) async fn advance(dir: &Path, by: &str) -> Result<(), AskError> {
    let lab = directory::find(dir)?;
    // All products live by one clock.
    if let Some(product) = lab.products.values().next() {
        let url = format!("{}/clock/advance", product.control_url);
        let body = json!({ "by": by }).to_string();
        let answer = ask(Method::POST, &url, Some(body)).await?;
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        let now = answer["now"].as_str().unwrap_or_default();
        say(&format!("it is {now} in the lab\n"));
    }
    Ok(())
}

/// Prints, and minds no reader that has had enough (`cordon-lab show DIR | head -1`).
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

async fn ask(method: Method, url: &str, body: Option<String>) -> Result<Bytes, AskError> {
    let silent = |reason: String| AskError::Silent {
        url: url.to_owned(),
        reason,
    };
    let (status, answer) = exchange(method, url, body)
        .await
        .map_err(|error| silent(error.to_string()))?;
    if status.is_success() {
        return Ok(answer);
    }
    let text = String::from_utf8_lossy(&answer);
    let error = serde_json::from_str::<serde_json::Value>(&text).ok();
    let error = error.and_then(|error| error["error"].as_str().map(str::to_owned));
    Err(AskError::Refused(
        error.unwrap_or_else(|| text.into_owned()),
    ))
}

async fn exchange(
    method: Method,
    url: &str,
    body: Option<String>,
) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let uri: Uri = url.parse()?;
    let authority = uri.authority().ok_or("a URL without a host")?.to_string();
    let stream = TcpStream::connect(&authority).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(uri.path())
        .header(http::header::HOST, authority)
        .body(Full::new(Bytes::from(body.unwrap_or_default())))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let answer = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, answer))
}
