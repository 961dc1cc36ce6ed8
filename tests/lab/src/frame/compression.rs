//! Answers as gzip, for products that send them so to callers who take it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use super::exchange::Reply;

const GZIP: &str = "gzip";

/// Whether the caller takes gzip: named, and not with the weight zero (RFC 9110, 12.5.3).
pub(super) fn accepted(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let named = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(GZIP));
            named && !parts.any(refuses)
        })
}

fn refuses(parameter: &str) -> bool {
    let weight = parameter.split_once('=');
    weight.is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0)
    })
}

/// The same reply as gzip; one without a body stays as it is.
pub(super) fn gzip(reply: Reply) -> Reply {
    if reply.body.is_empty() {
        return reply;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(&reply.body);
    // A vector takes whatever is written to it; should it ever not, the plain answer is right too.
    match written.and_then(|()| encoder.finish()) {
        Ok(body) => Reply {
            body: body.into(),
            ..reply
        }
        .with_header("content-encoding", GZIP)
        .with_header("vary", "accept-encoding"),
        Err(_) => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn takes_gzip(values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        accepted(&headers)
    }

    #[test]
    fn gzip_is_taken_when_it_is_named_and_not_refused() {
        assert!(takes_gzip(&["gzip"]));
        assert!(takes_gzip(&["br;q=1.0, GZIP;q=0.2"]));
        assert!(takes_gzip(&["identity", "gzip"]));
        for other in ["", "identity", "gzip;q=0", "gzip; Q = 0.000", "xgzip"] {
            assert!(!takes_gzip(&[other]), "{other}");
        }
        assert!(!takes_gzip(&[]));
    }
}
