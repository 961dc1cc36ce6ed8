//! The pooled HTTP client of one connection, and how its errors are read.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cordon_contract::units;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;

use super::answer::{Answer, Broken, receive};
use super::dial::{Connector, Dial, DialError, find};
use super::download::Download;
use super::failure::{Delivery, FailureKind, HttpFailure};
use crate::file::Network;
use crate::limits::Limits;
use crate::tls::explain::{explain, refused_our_certificate};
use crate::tls::{Identity, Notes, Trust, client_config};

/// Shorter than servers commonly keep an idle connection, so that few requests meet one that is
/// just being closed: such a request counts as perhaps received.
const IDLE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    pool: hyper_util::client::legacy::Client<Connector, Full<Bytes>>,
    notes: Arc<Notes>,
    has_certificate: bool,
}

impl Client {
    pub(crate) fn new(
        connection: &str,
        network: &Network,
        limits: &Limits,
        trust: Trust,
        identity: Option<Identity>,
    ) -> Result<Self, rustls::Error> {
        let notes = Arc::new(Notes::default());
        let has_certificate = identity.is_some();
        let tls = client_config(connection, trust, identity, &notes)?;
        let connector = Connector::new(Dial::new(network), tls, limits.connect_timeout);
        let pool = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(limits.concurrency as usize)
            .http2_keep_alive_interval(Duration::from_secs(15))
            .build(connector);
        Ok(Self {
            pool,
            notes,
            has_certificate,
        })
    }

    /// Sends the request and takes the answer in, until `deadline`.
    pub(crate) async fn send(
        &self,
        request: http::Request<Full<Bytes>>,
        bounds: Bounds,
    ) -> Result<Answer, HttpFailure> {
        self.send_and(request, bounds, |response| {
            receive(response, bounds.answer_bytes)
        })
        .await
    }

    /// The same with the body of the answer going elsewhere.
    pub(crate) async fn send_into(
        &self,
        request: http::Request<Full<Bytes>>,
        bounds: Bounds,
        into: Download<'_>,
    ) -> Result<Answer, HttpFailure> {
        self.send_and(request, bounds, |response| into.take(response))
            .await
    }

    async fn send_and<F: Future<Output = Result<Answer, Broken>>>(
        &self,
        mut request: http::Request<Full<Bytes>>,
        bounds: Bounds,
        take: impl FnOnce(http::Response<Incoming>) -> F,
    ) -> Result<Answer, HttpFailure> {
        // Set as soon as the request is given a connection: before that nothing can have been sent.
        let given = capture_connection(&mut request);
        let sent_perhaps = || match given.connection_metadata().as_ref() {
            Some(_) => Delivery::Unknown,
            None => Delivery::NotSent,
        };
        let answer = async {
            let response = self.pool.request(request).await.map_err(Failed::Request)?;
            take(response).await.map_err(Failed::Answer)
        };
        match tokio::time::timeout_at(bounds.deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Failed::Request(error))) => Err(self.of_request(&error, sent_perhaps())),
            Ok(Err(Failed::Answer(Broken::TooLarge))) => Err(bounds.too_large()),
            Ok(Err(Failed::Answer(Broken::Silent))) => Err(broken(
                "nothing came any more in the middle of the answer".to_owned(),
                Delivery::Unknown,
            )),
            Ok(Err(Failed::Answer(Broken::Blob(error)))) => Err(HttpFailure {
                kind: FailureKind::NotKept,
                delivery: Delivery::Unknown,
                message: error.to_string(),
                code: error.code(),
            }),
            Ok(Err(Failed::Answer(Broken::Range { wanted, begins }))) => Err(broken(
                match begins {
                    Some(begins) => format!(
                        "the rest of a download was asked for from byte {wanted}, and it came from byte {begins}"
                    ),
                    None => format!(
                        "the rest of a download was asked for from byte {wanted}, and the part that came does not say \
                         where it begins"
                    ),
                },
                Delivery::Unknown,
            )),
            Ok(Err(Failed::Answer(Broken::Transport(error)))) => Err(broken(
                format!(
                    "the connection broke in the middle of the answer: {}",
                    innermost(&error)
                ),
                Delivery::Unknown,
            )),
            Err(_) => Err(bounds.timeout(sent_perhaps())),
        }
    }

    fn of_request(&self, error: &(dyn StdError + 'static), delivery: Delivery) -> HttpFailure {
        if let Some(error) = find::<DialError>(error) {
            return self.of_dial(error);
        }
        if let Some(error) = find::<rustls::Error>(error) {
            let explained = explain(error, &self.notes, self.has_certificate);
            let delivery = if refused_our_certificate(error) {
                Delivery::NotSent
            } else {
                delivery
            };
            return HttpFailure {
                kind: FailureKind::Tls,
                delivery,
                message: explained.message,
                code: explained.code,
            };
        }
        // hyper hands such a request back: it was waiting for its turn on a connection that ended.
        let delivery = match find::<hyper::Error>(error) {
            Some(error) if error.is_canceled() => Delivery::NotSent,
            _ => delivery,
        };
        let reason = match find::<hyper::Error>(error) {
            Some(error) if error.is_parse() => {
                format!("what answers there does not speak HTTP: {error}")
            }
            Some(error) if error.is_incomplete_message() => {
                "the server hung up without an answer".to_owned()
            }
            _ => format!("the connection broke: {}", innermost(error)),
        };
        let hint = if self.notes.asked_for_certificate() && !self.has_certificate {
            "; it had asked for a client certificate, and this connection has none"
        } else {
            ""
        };
        broken(format!("{reason}{hint}"), delivery)
    }

    fn of_dial(&self, error: &DialError) -> HttpFailure {
        let (kind, message, code) = match error {
            DialError::Address(refused) => (
                FailureKind::Refused,
                refused.to_string(),
                "connection.address",
            ),
            DialError::Tls(error) => {
                let explained = explain(error, &self.notes, self.has_certificate);
                (FailureKind::Tls, explained.message, explained.code)
            }
            DialError::HungUp(_) if self.notes.asked_for_certificate() && !self.has_certificate => {
                (
                    FailureKind::Tls,
                    format!(
                        "{error}; it had asked for a client certificate, and this connection has none"
                    ),
                    "connection.client-certificate",
                )
            }
            DialError::HungUp(_) => (FailureKind::Tls, error.to_string(), "connection.tls"),
            DialError::Resolve { .. }
            | DialError::Tcp { .. }
            | DialError::Proxy { .. }
            | DialError::Timeout { .. } => (
                FailureKind::Connect,
                format!("it cannot be reached: {error}"),
                "connection.connect",
            ),
        };
        HttpFailure {
            kind,
            delivery: Delivery::NotSent,
            message,
            code,
        }
    }
}

/// What an exchange may take: the least of what the connection, the call and the request allow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) deadline: Instant,
    pub(crate) time: Duration,
    pub(crate) answer_bytes: u64,
    /// The size is the connection's own limit, which the operator can raise.
    pub(crate) is_own_size: bool,
}

impl Bounds {
    fn too_large(self) -> HttpFailure {
        let size = units::format_size(self.answer_bytes);
        let remedy = if self.is_own_size {
            "raise `answer_size` under `[limits]` if the product needs it"
        } else {
            "that is what the call may still receive"
        };
        HttpFailure {
            kind: FailureKind::TooLarge,
            delivery: Delivery::Unknown,
            message: format!("the answer is larger than {size}; {remedy}"),
            code: "connection.too-large",
        }
    }

    fn timeout(self, delivery: Delivery) -> HttpFailure {
        let time = units::format_duration(u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX));
        let message = match delivery {
            Delivery::NotSent => {
                format!("the {time} for the exchange were over before a connection was open")
            }
            Delivery::Unknown => {
                format!("no whole answer within {time}; the product may have acted all the same")
            }
        };
        HttpFailure {
            kind: FailureKind::Timeout,
            delivery,
            message,
            code: "connection.timeout",
        }
    }
}

enum Failed {
    Request(hyper_util::client::legacy::Error),
    Answer(Broken),
}

fn broken(message: String, delivery: Delivery) -> HttpFailure {
    HttpFailure {
        kind: FailureKind::Broken,
        delivery,
        message,
        code: "connection.broken",
    }
}

/// The cause at the end of the chain, which names what happened.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
