//! Opens connections: resolves and checks names, goes through the proxy, does the TLS handshake,
//! all within one time limit. Whatever fails here was not sent.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::address;
use crate::file::{Network, Proxy};

type BoxError = Box<dyn StdError + Send + Sync>;
type Dialing<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error(transparent)]
    Address(#[from] address::Refused),
    #[error("the name `{host}` cannot be resolved: {reason}")]
    Resolve { host: String, reason: String },
    #[error("{reason}")]
    Tcp { reason: String },
    #[error("the proxy did not open the way: {reason}")]
    Proxy { reason: String },
    #[error("no connection within {} s", .after.as_secs_f64())]
    Timeout { after: Duration },
    #[error("the TLS handshake failed: {0}")]
    Tls(rustls::Error),
    #[error("the other side hung up during the TLS handshake: {0}")]
    HungUp(io::Error),
}

/// Opens TCP connections, or ways through the proxy.
#[derive(Clone)]
pub(crate) enum Dial {
    Direct(HttpConnector<Resolver>),
    Tunnel(Tunnel<HttpConnector<Resolver>>),
    Socks(SocksV5<HttpConnector<Resolver>>),
}

impl Dial {
    pub(crate) fn new(network: &Network) -> Self {
        let exempt = network.proxy.as_ref().map(|proxy| proxy.host.clone());
        let policy = address::Policy {
            allow: network.allow_addresses.clone(),
        };
        let mut tcp =
            HttpConnector::new_with_resolver(Resolver(Arc::new(Rules { policy, exempt })));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        match &network.proxy {
            None => Self::Direct(tcp),
            Some(Proxy {
                uri,
                is_socks: false,
                ..
            }) => Self::Tunnel(Tunnel::new(uri.clone(), tcp)),
            Some(Proxy {
                uri,
                is_socks: true,
                ..
            }) => Self::Socks(SocksV5::new(uri.clone(), tcp)),
        }
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Dialing<Self::Response, DialError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match self {
            Self::Direct(tcp) => {
                let dialing = tcp.call(to);
                Box::pin(async move { dialing.await.map_err(|error| of_tcp(&error)) })
            }
            Self::Tunnel(tunnel) => {
                let dialing = tunnel.call(with_port(to));
                Box::pin(async move { dialing.await.map_err(|error| of_proxy(&error)) })
            }
            Self::Socks(socks) => {
                let dialing = socks.call(with_port(to));
                Box::pin(async move { dialing.await.map_err(|error| of_proxy(&error)) })
            }
        }
    }
}

/// Proxies are told the port, also where it is the usual one.
fn with_port(uri: Uri) -> Uri {
    let Some(host) = uri.host().filter(|_| uri.port().is_none()) else {
        return uri;
    };
    let port = if uri.scheme() == Some(&http::uri::Scheme::HTTP) {
        80
    } else {
        443
    };
    let scheme = uri.scheme_str().unwrap_or("https");
    Uri::builder()
        .scheme(scheme)
        .authority(format!("{host}:{port}"))
        .path_and_query("/")
        .build()
        .unwrap_or(uri)
}

fn of_tcp(error: &(dyn StdError + 'static)) -> DialError {
    if let Some(refused) = find::<address::Refused>(error) {
        return refused.clone().into();
    }
    if let Some(Unresolved { host, reason }) = find(error) {
        return DialError::Resolve {
            host: host.clone(),
            reason: reason.clone(),
        };
    }
    let reason = find::<io::Error>(error).map_or_else(|| error.to_string(), ToString::to_string);
    DialError::Tcp { reason }
}

fn of_proxy(error: &(dyn StdError + 'static)) -> DialError {
    match of_tcp(error) {
        DialError::Tcp { reason } => DialError::Proxy { reason },
        DialError::Resolve { host, reason } => DialError::Proxy {
            reason: format!("its name `{host}` cannot be resolved: {reason}"),
        },
        other => other,
    }
}

/// The first error of this type in the chain of causes, also inside of `io::Error`, which hides
/// what it wraps from `source`.
pub(crate) fn find<'a, T: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a T> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => find(wrapped),
        None => find(error.source()?),
    }
}

/// Resolves names by the system and keeps what the policy allows.
#[derive(Clone)]
pub(crate) struct Resolver(Arc<Rules>);

struct Rules {
    policy: address::Policy,
    /// The proxy's name: the operator chose it, and it commonly is on this machine.
    exempt: Option<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct Unresolved {
    host: String,
    reason: String,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Dialing<Self::Response, BoxError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let rules = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            let unresolved = |reason: String| Unresolved {
                host: host.to_owned(),
                reason,
            };
            let found: Vec<_> = tokio::net::lookup_host((host, 0))
                .await
                .map_err(|error| unresolved(error.to_string()))?
                .collect();
            if rules.exempt.as_deref() == Some(host) {
                return Ok(found.into_iter());
            }
            let allowed = rules.policy.select(host, found, |address| address.ip())?;
            Ok(allowed.into_iter())
        })
    }
}

/// What the HTTP client uses: TCP or proxy, then TLS, within the time for connecting.
#[derive(Clone)]
pub(crate) struct Connector {
    https: HttpsConnector<Dial>,
    timeout: Duration,
}

impl Connector {
    pub(crate) fn new(dial: Dial, tls: rustls::ClientConfig, timeout: Duration) -> Self {
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(dial);
        Self { https, timeout }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = DialError;
    type Future = Dialing<Self::Response, DialError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.https.call(to);
        let after = self.timeout;
        Box::pin(async move {
            match tokio::time::timeout(after, connecting).await {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(error)) => Err(of_https(error)),
                Err(_) => Err(DialError::Timeout { after }),
            }
        })
    }
}

/// Dialling gives its own errors; all others are of the handshake.
fn of_https(error: BoxError) -> DialError {
    match error.downcast::<DialError>() {
        Ok(dialling) => *dialling,
        Err(error) => of_handshake(error),
    }
}

pub(crate) fn of_handshake(error: BoxError) -> DialError {
    match find::<rustls::Error>(&*error) {
        Some(error) => DialError::Tls(error.clone()),
        None => DialError::HungUp(io::Error::other(error)),
    }
}
