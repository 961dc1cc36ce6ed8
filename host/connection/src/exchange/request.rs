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
    /// A secret that came in an earlier answer, by the name that it was sealed under.
    Sealed(String),
}

/// Where in an answer something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerPlace {
    /// The value of the header of this name.
    Header(String),
    /// The text in a JSON body that this pointer (RFC 6901) leads to.
    JsonPointer(String),
}

/// How long a sealed secret lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expiry {
    /// Nobody says.
    Unknown,
    /// It is a JWT, whose claim `exp` says it. One that cannot be read says nothing.
    Jwt,
    /// So many seconds as stand there.
    Seconds(AnswerPlace),
    /// This long.
    Lifetime(Duration),
}

/// A secret in the answer that is kept and replaced before anyone sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Where it is.
    pub place: AnswerPlace,
    /// The name that it is kept under, in place of what was kept under it before.
    pub name: String,
    /// How long it lives.
    pub expiry: Expiry,
}

impl Seal {
    pub(crate) fn reads_json(&self) -> bool {
        matches!(self.place, AnswerPlace::JsonPointer(_))
            || matches!(self.expiry, Expiry::Seconds(AnswerPlace::JsonPointer(_)))
    }
}

/// A secret of an answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The name that it is kept under.
    pub name: String,
    /// When it ends, in milliseconds since 1970, where that is known.
    pub expires: Option<i64>,
    /// Another one after every change.
    pub version: u64,
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
    /// Secrets in the answer. All are kept or, where one of them is not there, none.
    pub seals: Vec<Seal>,
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
            seals: Vec::new(),
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
    /// What was kept of it; in its place stand references.
    pub sealed: Vec<Sealed>,
}
