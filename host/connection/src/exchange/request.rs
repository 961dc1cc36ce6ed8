//! A request and its answer, in the shape of `cordon:connector/http`.

use std::time::Duration;

use cordon_contract::SecretReference;

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    /// Whether it changes nothing, so that it may be sent again.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }

    /// As it is written on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    pub(crate) const fn to_http(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Head => http::Method::HEAD,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
            Self::Options => http::Method::OPTIONS,
        }
    }
}

/// How a value is written where it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    None,
    /// The standard alphabet with padding.
    Base64,
    /// The URL-safe alphabet without padding.
    Base64Url,
    /// Everything but the unreserved characters of RFC 3986.
    Percent,
    /// The inside of a JSON string.
    JsonString,
    /// XML text and attribute values.
    XmlText,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A credential of the connection, by the manifest's name.
    Credential(String),
    /// A secret that the playbook passed as an argument.
    Argument(SecretReference),
}

/// The place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Which secret.
    pub source: SecretSource,
    /// How it is written.
    pub encoding: Encoding,
}

/// A part of an encoded join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlainPart {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A secret.
    Secret(Slot),
}

/// Parts that are put together first and encoded as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// What is joined.
    pub parts: Vec<PlainPart>,
    /// How the whole is written.
    pub encoding: Encoding,
}

/// A part of a header value, a query value or a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A secret.
    Secret(Slot),
    /// An encoded join.
    Joined(Joined),
}

/// A header of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Any case.
    pub name: String,
    /// Put together in order.
    pub value: Vec<Part>,
}

/// A parameter of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryParameter {
    /// Percent-encoded when sent.
    pub name: String,
    /// Put together in order, then percent-encoded as a whole.
    pub value: Vec<Part>,
}

/// A request to the connection's product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Appended to the path of the base URL; begins with `/`, percent-encoded.
    pub path: String,
    /// Parameters of the query in order.
    pub query: Vec<QueryParameter>,
    /// Headers in order.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Option<Vec<Part>>,
    /// At most this long, if the connection's own limit is not shorter.
    pub timeout: Option<Duration>,
    /// At most this many bytes of answer, if the connection's own limit is not smaller.
    pub answer_limit: Option<u64>,
}

impl Request {
    /// A request with nothing but a method and a path.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            timeout: None,
            answer_limit: None,
        }
    }
}

/// An answer, with every secret of the connection replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status, whatever it is.
    pub status: u16,
    /// Lower-case names and values in the order received.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent: never decompressed.
    pub body: Vec<u8>,
}
