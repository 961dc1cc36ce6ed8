//! Response bodies: the whole one, and those that an honest server never sends.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};

use super::exchange::Reply;

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed without an answer")]
pub(crate) struct Closed;

/// A response body: whole, broken off, or without end in sight.
pub(crate) enum Content {
    Whole(Option<Bytes>),
    /// Sends these bytes, lets them leave, and breaks the connection.
    Broken(Option<Bytes>),
    Flood {
        opening: Option<&'static [u8]>,
        remaining: u64,
    },
}

/// What a flood repeats; static, so that a large answer costs the lab no memory.
static FLOOD: [u8; 64 * 1024] = [b'x'; 64 * 1024];

impl Content {
    /// The whole reply.
    pub(crate) fn whole(reply: Reply) -> Response<Self> {
        let length = reply.body.len();
        Self::respond(reply, length, |body| Self::Whole(Some(body)))
    }

    /// The reply's head, half of its body, and the end of the connection.
    pub(crate) fn half(reply: Reply) -> Response<Self> {
        // A length that is never reached, also for a reply without a body.
        let promised = reply.body.len().max(2);
        Self::respond(reply, promised, |body| {
            Self::Broken(Some(body.slice(..body.len() / 2)))
        })
    }

    /// 200 and JSON whose one string goes on for `size_bytes`.
    pub(crate) fn flood(size_bytes: u64) -> Response<Self> {
        let mut response = Response::new(Self::Flood {
            opening: Some(b"{\"flood\":\""),
            remaining: size_bytes,
        });
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    fn respond(reply: Reply, length: usize, content: impl FnOnce(Bytes) -> Self) -> Response<Self> {
        let mut response = Response::new(content(reply.body));
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        if reply.status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Some(content_type) = reply.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        for (name, value) in reply.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        match &mut *self {
            Self::Whole(body) => {
                let body = body.take().filter(|body| !body.is_empty());
                Poll::Ready(body.map(|body| Ok(Frame::data(body))))
            }
            Self::Broken(body) => match body.take() {
                Some(body) if !body.is_empty() => {
                    *self = Self::Broken(Some(Bytes::new()));
                    Poll::Ready(Some(Ok(Frame::data(body))))
                }
                // hyper flushes what it has when a body makes it wait; without this wait the half
                // would be thrown away together with the connection.
                Some(_) => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                None => Poll::Ready(Some(Err(Closed))),
            },
            Self::Flood { opening, remaining } => {
                if let Some(opening) = opening.take() {
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(opening)))));
                }
                if *remaining == 0 {
                    return Poll::Ready(None);
                }
                let length =
                    usize::try_from(*remaining).map_or(FLOOD.len(), |left| left.min(FLOOD.len()));
                *remaining -= length as u64;
                let chunk = Bytes::from_static(&FLOOD).slice(..length);
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Broken(_) | Self::Flood { .. } => SizeHint::default(),
        }
    }
}
