//! One HTTP exchange as a product sees it: a request read to its end, and a reply to be sent.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::json;

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Where the connection came from.
    pub address: SocketAddr,
    /// A number that no other TCP connection of this process has.
    pub connection: u64,
    /// SHA-256 of the client certificate whose key the caller proved to hold.
    pub certificate_sha256: Option<String>,
}

/// A request, read to its end.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query: Option<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// Who sent it.
    pub caller: Caller,
}

impl Request {
    /// The path's segments, decoded; none when one of them is not UTF-8.
    pub fn segments(&self) -> Option<Vec<String>> {
        self.path
            .strip_prefix('/')?
            .split('/')
            .map(|segment| Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned()))
            .collect()
    }

    /// The query's names and values, decoded, in their order.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes())
            .into_owned()
            .collect()
    }

    /// Path and query as sent.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

/// A reply, and what the request log should know about how it came about.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// `Content-Type`; none for an empty body.
    pub content_type: Option<&'static str>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The whole body.
    pub body: Bytes,
    /// Whether the request changed the product's state.
    pub applied: bool,
    /// What the product tolerated although its documents say otherwise.
    pub warnings: Vec<String>,
}

impl Reply {
    /// A status without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            headers: Vec::new(),
            body: Bytes::new(),
            applied: false,
            warnings: Vec::new(),
        }
    }

    /// A JSON body. A value that JSON cannot carry becomes an internal error, as it would on a
    /// real server.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::text(status, "application/json", body),
            Err(error) => Self::text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "application/json",
                json!({ "error": error.to_string() }).to_string(),
            ),
        }
    }

    /// A body of any textual type.
    pub fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            content_type: Some(content_type),
            body: body.into(),
            ..Self::empty(status)
        }
    }

    /// `{"error": "…"}`.
    pub fn error(status: StatusCode, text: &str) -> Self {
        Self::json(status, &json!({ "error": text }))
    }

    /// The same reply with one more header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same reply, noted as one that changed the product's state.
    pub fn applied(mut self) -> Self {
        self.applied = true;
        self
    }
}
