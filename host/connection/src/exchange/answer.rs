//! Takes an answer in, up to a limit. A server that sends without end is stopped at the limit.

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use crate::blob::BlobError;

/// An answer as it came: secrets are still in it.
pub(crate) struct Answer {
    pub(crate) status: http::StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why an answer could not be taken whole.
#[derive(Debug)]
pub(crate) enum Broken {
    TooLarge,
    Transport(hyper::Error),
    /// A download: nothing came for too long.
    Silent,
    /// A download: it cannot be kept.
    Blob(BlobError),
    /// A download: another part came than the one that was asked for.
    Range {
        wanted: u64,
        begins: Option<u64>,
    },
}

pub(crate) async fn receive(
    response: http::Response<Incoming>,
    limit: u64,
) -> Result<Answer, Broken> {
    /// Larger announcements are not believed beforehand.
    const RESERVED_BYTES_MAX: u64 = 1 << 20;

    let (head, mut incoming) = response.into_parts();
    let announced = incoming.size_hint().lower();
    if announced > limit {
        return Err(Broken::TooLarge);
    }
    let mut body =
        Vec::with_capacity(usize::try_from(announced.min(RESERVED_BYTES_MAX)).unwrap_or(0));
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(Broken::Transport)?;
        if let Ok(data) = frame.into_data() {
            if (body.len() + data.len()) as u64 > limit {
                return Err(Broken::TooLarge);
            }
            body.extend_from_slice(&data);
        }
    }
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body,
    })
}
