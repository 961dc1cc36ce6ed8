//! What the node answers when it does not do what was asked, in its own words.

use http::StatusCode;
use serde_json::json;

use crate::frame::{BodyError, Reply};

use super::entity::PreventedFile;

/// The one error body that the documents print \[seed\].
const NOT_FOUND: &str = "Not Found";

/// \[inferred\] (§1.3)
pub(super) const UNAUTHORIZED: &str = "Unauthorized";

/// \[inferred\] (§2.6)
const PREVENTION_CONFLICT: &str = "Prevention rule already exists";

/// \[inferred\] (§3.5)
const TASK_EXISTS: &str = "Task already exists";

/// \[inferred\] (§4.2)
const METHOD_NOT_ALLOWED: &str = "Method Not Allowed";

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No such path, host, rule or task: nothing tells them apart (§2.2).
    NotFound,
    /// The path exists for these methods only.
    Method(&'static str),
    /// The caller's external system is not accepted.
    Unauthorized { status: u16 },
    /// There is no client certificate, and a web server in front wants one.
    CertificatePage,
    /// A query or body that the documents do not allow. The text is ours \[inferred\].
    Parameters(String),
    /// Another scope has a rule for this file.
    Prevention {
        status: u16,
        file: PreventedFile,
        sensors: Vec<String>,
    },
    /// The task id is taken.
    TaskExists,
}

impl Refusal {
    pub(super) fn reply(&self) -> Reply {
        match self {
            Self::NotFound => Reply::error(StatusCode::NOT_FOUND, NOT_FOUND),
            Self::Method(allowed) => {
                Reply::error(StatusCode::METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED)
                    .with_header("allow", *allowed)
            }
            Self::Unauthorized { status } => Reply::error(configured(*status), UNAUTHORIZED),
            Self::CertificatePage => {
                let page = "<html>\r\n<head><title>400 No required SSL certificate was sent</title>\
                            </head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n\
                            <center>No required SSL certificate was sent</center>\r\n</body>\r\n\
                            </html>\r\n";
                Reply::text(StatusCode::BAD_REQUEST, "text/html", page)
            }
            Self::Parameters(text) => Reply::error(StatusCode::BAD_REQUEST, text),
            Self::Prevention {
                status,
                file,
                sensors,
            } => Reply::json(
                configured(*status),
                &json!({ "error": PREVENTION_CONFLICT, "file": file, "sensors": sensors }),
            ),
            Self::TaskExists => Reply::error(StatusCode::CONFLICT, TASK_EXISTS),
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::Parameters(error.to_string())
    }
}

/// A status from a switch, which [`Switches::check`](super::Switches::check) has seen.
fn configured(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST)
}
