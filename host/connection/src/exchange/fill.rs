//! Turns a connector's request into the one that is sent: checks path and headers, fills the slots.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::encode::{encode, percent};
use super::failure::Refusal;
use super::request::{
    Encoding, Header, Joined, Part, PlainPart, QueryParameter, Request, SecretSource, Slot,
};
use crate::secret::{Secret, Secrets};

/// What hyper and most servers take.
const URL_BYTES_MAX: usize = 32 * 1024;

/// Headers that say where a message goes and where it ends. One of them from a connector could
/// reach another virtual host or hide a second request in the first.
const RESERVED: [&str; 15] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "http2-settings",
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-connection",
    // An answer cut into ranges or compressed could carry a secret past the scrubbing.
    "range",
    "accept-encoding",
];

/// A request without an origin.
pub(crate) struct Filled {
    /// Path below the base URL, with the query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}

/// The secrets that a request may use.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) credentials: &'a Secrets,
    pub(crate) arguments: &'a Secrets,
    /// From earlier answers.
    pub(crate) sealed: &'a Secrets,
}

/// Checks the request and fills its slots.
///
/// # Errors
/// Where the path, a header or a slot breaks a rule. No message holds a secret.
pub(crate) fn fill(request: &Request, sources: Sources<'_>) -> Result<Filled, Refusal> {
    check_path(&request.path)?;
    let mut target = request.path.clone();
    append_query(&mut target, &request.query, sources)?;
    if target.len() > URL_BYTES_MAX {
        return Err(Refusal::UrlTooLong { max: URL_BYTES_MAX });
    }
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 1);
    for header in &request.headers {
        let (name, value) = fill_header(header, sources)?;
        headers.append(name, value);
    }
    let body = match &request.body {
        Some(parts) => Some(Bytes::from(sources.parts(parts, "body")?.to_vec())),
        None => None,
    };
    Ok(Filled {
        target,
        headers,
        body,
    })
}

/// A path that every server reads in the same way: no way up, no second query, nothing to decode twice.
fn check_path(path: &str) -> Result<(), Refusal> {
    let wrong = |problem| {
        Err(Refusal::Path {
            path: shortened(path),
            problem,
        })
    };
    if !path.starts_with('/') {
        return wrong("does not begin with `/`");
    }
    if path.contains(['?', '#']) {
        return wrong(
            "holds `?` or `#`; parameters belong into the query, data is percent-encoded",
        );
    }
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let in_order = match byte {
            b'%' => [rest.next(), rest.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            _ => byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte),
        };
        if !in_order {
            return wrong("holds a character that must be percent-encoded");
        }
    }
    let is_dots = |segment: &str| {
        matches!(
            segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
            "." | ".."
        )
    };
    if path.split('/').any(is_dots) {
        return wrong("holds a `.` or `..` segment");
    }
    Ok(())
}

fn append_query(
    target: &mut String,
    query: &[QueryParameter],
    sources: Sources<'_>,
) -> Result<(), Refusal> {
    for (index, parameter) in query.iter().enumerate() {
        let value = sources.parts(&parameter.value, "query")?;
        target.push(if index == 0 { '?' } else { '&' });
        target.extend(
            percent(parameter.name.as_bytes())
                .into_iter()
                .map(char::from),
        );
        target.push('=');
        target.extend(
            Zeroizing::new(percent(&value))
                .iter()
                .copied()
                .map(char::from),
        );
    }
    Ok(())
}

fn fill_header(
    header: &Header,
    sources: Sources<'_>,
) -> Result<(HeaderName, HeaderValue), Refusal> {
    let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| Refusal::HeaderName {
        name: shortened(&header.name),
    })?;
    if RESERVED.contains(&name.as_str()) {
        return Err(Refusal::HeaderReserved {
            name: name.as_str().to_owned(),
        });
    }
    let value = sources.parts(&header.value, name.as_str())?;
    let mut value = HeaderValue::from_bytes(&value).map_err(|_| Refusal::HeaderValue {
        name: name.as_str().to_owned(),
    })?;
    // Keeps it out of HTTP/2's compression tables and of Debug.
    value.set_sensitive(header.value.iter().any(holds_secret));
    Ok((name, value))
}

fn holds_secret(part: &Part) -> bool {
    match part {
        Part::Text(_) | Part::Bytes(_) => false,
        Part::Secret(_) => true,
        Part::Joined(joined) => joined
            .parts
            .iter()
            .any(|part| matches!(part, PlainPart::Secret(_))),
    }
}

impl Sources<'_> {
    fn parts(self, parts: &[Part], place: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut whole = Zeroizing::new(Vec::new());
        for part in parts {
            match part {
                Part::Text(text) => whole.extend_from_slice(text.as_bytes()),
                Part::Bytes(bytes) => whole.extend_from_slice(bytes),
                Part::Secret(slot) => whole.extend_from_slice(&self.slot(slot)?),
                Part::Joined(joined) => whole.extend_from_slice(&self.joined(joined, place)?),
            }
        }
        Ok(whole)
    }

    fn joined(self, joined: &Joined, place: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut whole = Zeroizing::new(Vec::new());
        for part in &joined.parts {
            match part {
                PlainPart::Text(text) => whole.extend_from_slice(text.as_bytes()),
                PlainPart::Bytes(bytes) => whole.extend_from_slice(bytes),
                PlainPart::Secret(slot) => whole.extend_from_slice(&self.slot(slot)?),
            }
        }
        written(&whole, joined.encoding, || {
            format!("joined value in `{place}`")
        })
    }

    fn slot(self, slot: &Slot) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let (name, secret) = self.secret(&slot.source)?;
        written(secret.reveal(), slot.encoding, || {
            format!("secret `{name}`")
        })
    }

    fn secret<'a>(self, source: &'a SecretSource) -> Result<(&'a str, &'a Secret), Refusal>
    where
        Self: 'a,
    {
        match source {
            SecretSource::Credential(name) => match self.credentials.get(name) {
                Some(secret) => Ok((name, secret)),
                None => Err(Refusal::NoCredential {
                    name: shortened(name),
                    hint: self.hint(name),
                }),
            },
            SecretSource::Sealed(name) => match self.sealed.get(name) {
                Some(secret) => Ok((name, secret)),
                None => Err(Refusal::NothingSealed {
                    name: shortened(name),
                }),
            },
            // What a caller passes by name and brings no value for is one of this connection's own.
            SecretSource::Argument(reference) => match self
                .arguments
                .get(reference.name())
                .or_else(|| self.credentials.get(reference.name()))
            {
                Some(secret) => Ok((reference.name(), secret)),
                None => Err(Refusal::NoArgument {
                    name: shortened(reference.name()),
                }),
            },
        }
    }

    fn hint(self, wrong: &str) -> String {
        cordon_contract::name::nearest(wrong, self.credentials.names())
            .map_or_else(String::new, |name| format!("; it has `{name}`"))
    }
}

fn written(
    bytes: &[u8],
    encoding: Encoding,
    what: impl Fn() -> String,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    encode(bytes, encoding).map_err(|unwritable| Refusal::Encoding {
        what: what(),
        encoding: unwritable.encoding,
        problem: unwritable.problem,
    })
}

/// What a connector wrote, fit for one line of a message.
fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 120;

    let mut line: String = text
        .chars()
        .take(CHARACTERS_MAX)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        line.push('…');
    }
    line
}
