//! Listening: one task for each connection, requests read to their end, all of it gone when the
//! server is dropped.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::certificate::fingerprint;
use super::content::{Closed, Content};
use super::exchange::{Caller, Reply, Request};
use super::tls::Transport;

/// How many connections there have been.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// What `serve` hands requests to.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The largest request body that is read.
    fn request_bytes_max(&self) -> usize;

    /// Answers, or closes the connection without an answer.
    fn handle(
        self: Arc<Self>,
        request: Request,
    ) -> impl Future<Output = Result<Response<Content>, Closed>> + Send;
}

/// Serves until it is dropped; connections end with it.
pub(crate) async fn serve<H: Handler>(
    listener: TcpListener,
    transport: Transport,
    handler: Arc<H>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
        };
        let (transport, handler) = (transport.clone(), Arc::clone(&handler));
        connections.spawn(async move {
            if let Err(error) = connection(stream, address, transport, handler).await {
                tracing::debug!(%address, %error, "a connection ended early");
            }
        });
    }
}

async fn connection<H: Handler>(
    stream: TcpStream,
    address: SocketAddr,
    transport: Transport,
    handler: Arc<H>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match transport {
        Transport::Plain => exchanges(stream, address, None, handler).await,
        Transport::Tls(acceptor) => {
            let stream = acceptor.accept(stream).await?;
            let certificates = stream.get_ref().1.peer_certificates();
            let certificate = certificates
                .and_then(|chain| chain.first())
                .map(fingerprint);
            exchanges(stream, address, certificate, handler).await
        }
    }
}

async fn exchanges<H: Handler>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: SocketAddr,
    certificate_sha256: Option<String>,
    handler: Arc<H>,
) -> io::Result<()> {
    let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    let service = service_fn(move |incoming: hyper::Request<Incoming>| {
        let handler = Arc::clone(&handler);
        let caller = Caller {
            address,
            connection: number,
            certificate_sha256: certificate_sha256.clone(),
        };
        async move {
            match read(incoming, caller, handler.request_bytes_max()).await {
                Ok(request) => handler.handle(request).await,
                Err(Unreadable::TooLong) => Ok(Content::whole(Reply::error(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "Payload Too Large",
                ))),
                Err(Unreadable::Broken) => Err(Closed),
            }
        }
    });
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(io::Error::other)
}

enum Unreadable {
    TooLong,
    Broken,
}

async fn read(
    incoming: hyper::Request<Incoming>,
    caller: Caller,
    bytes_max: usize,
) -> Result<Request, Unreadable> {
    let (head, body) = incoming.into_parts();
    let body = Limited::new(body, bytes_max)
        .collect()
        .await
        .map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                Unreadable::TooLong
            } else {
                Unreadable::Broken
            }
        })?
        .to_bytes();
    Ok(Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        body,
        caller,
    })
}
