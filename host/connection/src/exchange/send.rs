//! The course of an exchange: fill, wait for a place, try the base URLs in order, clean the answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue, RANGE, USER_AGENT};
use http_body_util::Full;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ExchangeOptions;
use super::answer::Answer;
use super::client::Bounds;
use super::download::Download;
use super::failure::{Delivery, FailureKind, HttpFailure, Refusal};
use super::fill::{Filled, Sources, fill};
use super::request::{Request, Response};
use super::seal::Used;
use super::trace::{Excerpt, Exchange, Outcome};
use crate::blob::Draft;
use crate::connection::Connection;
use crate::scrub::Scrubber;

impl Connection {
    /// One request whose answer, if its status is 200 or 206, goes into a draft; the body of such a
    /// response is empty. With `resume` it goes on after what the draft has, and a server that
    /// sends all again is no error. A failure leaves in the draft what came before it.
    ///
    /// # Errors
    /// As [`Connection::exchange`], and where the draft cannot be written.
    pub async fn download(
        self: &Arc<Self>,
        request: &Request,
        options: &ExchangeOptions,
        draft: &Mutex<Draft>,
        resume: bool,
    ) -> Result<Response, HttpFailure> {
        if !request.seals.is_empty() {
            return Err(Refusal::SealedDownload.into_failure());
        }
        self.exchange_to_its_end(request, options, Some((draft, resume)))
            .await
    }

    /// One request and its whole answer. Any status is an answer; a redirect is not followed.
    ///
    /// # Errors
    /// Where nothing was sent, or no whole answer came; the failure says which.
    pub async fn exchange(
        self: &Arc<Self>,
        request: &Request,
        options: &ExchangeOptions,
    ) -> Result<Response, HttpFailure> {
        if request.seals.is_empty() {
            return self.exchange_to_its_end(request, options, None).await;
        }
        // A product may give a secret only once, so its answer is taken in although the call that
        // waits for it is ended meanwhile. The locks of the call stay held until then.
        let (connection, request) = (Arc::clone(self), request.clone());
        let options = ExchangeOptions {
            timeout: None,
            ..options.clone()
        };
        let task = tokio::spawn(async move {
            connection
                .exchange_to_its_end(&request, &options, None)
                .await
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(stopped) => match stopped.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(HttpFailure {
                    kind: FailureKind::Broken,
                    delivery: Delivery::Unknown,
                    message: "Cordon is ending and did not wait for the answer".to_owned(),
                    code: "connection.broken",
                }),
            },
        }
    }

    async fn exchange_to_its_end(
        self: &Arc<Self>,
        request: &Request,
        options: &ExchangeOptions,
        download: Option<(&Mutex<Draft>, bool)>,
    ) -> Result<Response, HttpFailure> {
        let mut bounds = self.bounds(request, options);
        let used = self.used_by(request)?;
        let sources = Sources {
            credentials: self.secrets(),
            arguments: &options.arguments,
            sealed: &used.secrets,
        };
        let filled = fill(request, sources).map_err(super::failure::Refusal::into_failure)?;
        let scrubber = self.scrubber_with(&options.arguments);
        let Ok(_place) = tokio::time::timeout_at(bounds.deadline, self.gate().enter()).await else {
            return Err(HttpFailure {
                kind: FailureKind::Timeout,
                delivery: Delivery::NotSent,
                message: "the time was over while the request waited for its turn; `rate_per_second` and `concurrency` \
                          under `[limits]` bound this connection"
                    .to_owned(),
                code: "connection.timeout",
            });
        };
        let into = download.map(|(draft, resume)| Download {
            draft,
            resume,
            scrubber: &scrubber,
            silence: bounds.time,
            bytes: request
                .answer_limit
                .into_iter()
                .chain(options.answer_limit)
                .fold(u64::MAX, u64::min),
            answer_bytes: bounds.answer_bytes,
        });
        if let Some(into) = &into {
            // As long as bytes come, a download may take what is left of the call's time.
            bounds.time = options.timeout.unwrap_or(bounds.time);
            bounds.deadline = Instant::now() + bounds.time;
            bounds.answer_bytes = into.bytes;
            bounds.is_own_size = false;
        }
        let call = Call {
            request,
            filled,
            options,
            used,
            into,
            scrubber: &scrubber,
            bounds,
        };
        self.try_bases(&call).await
    }

    fn bounds(&self, request: &Request, options: &ExchangeOptions) -> Bounds {
        let limits = self.limits();
        let time = [request.timeout, options.timeout]
            .into_iter()
            .flatten()
            .fold(limits.timeout, Duration::min);
        let answer_bytes = [request.answer_limit, options.answer_limit]
            .into_iter()
            .flatten()
            .fold(limits.answer_size, u64::min);
        Bounds {
            deadline: Instant::now() + time,
            time,
            answer_bytes,
            is_own_size: answer_bytes == limits.answer_size,
        }
    }

    /// Begins with the base URL that answered last, so that one that is down costs its time once.
    async fn try_bases(self: &Arc<Self>, call: &Call<'_>) -> Result<Response, HttpFailure> {
        let count = self.bases().len();
        let first = self.preferred_base();
        let mut failures = Vec::new();
        for index in (0..count).map(|step| (first + step) % count) {
            let base = &self.bases()[index];
            match self.once(base, call).await {
                Ok(response) => {
                    self.prefer_base(index);
                    return Ok(response);
                }
                Err(failure) => {
                    let may_go_on =
                        call.request.method.is_read() || failure.delivery == Delivery::NotSent;
                    let is_of_this_base = matches!(
                        failure.kind,
                        FailureKind::Connect
                            | FailureKind::Tls
                            | FailureKind::Broken
                            | FailureKind::Timeout
                    );
                    failures.push(failure);
                    if !may_go_on || !is_of_this_base || Instant::now() >= call.bounds.deadline {
                        break;
                    }
                }
            }
        }
        Err(summary(failures))
    }

    async fn once(self: &Arc<Self>, base: &str, call: &Call<'_>) -> Result<Response, HttpFailure> {
        let started = Instant::now();
        let url = format!("{base}{}", call.filled.target);
        let outcome = match call.to_http(&url) {
            Ok(request) => self.send_and_seal(request, call).await,
            Err(failure) => Err(failure),
        };
        let outcome = outcome.map_err(|mut failure| {
            failure.message = call
                .scrubber
                .scrub(&format!("{base}: {}", failure.message))
                .into_owned();
            failure
        });
        for observer in call.options.observer.iter().chain(self.observer()) {
            observer.exchanged(&call.traced(self.name(), &url, &outcome, started));
        }
        outcome
    }

    async fn send_and_seal(
        self: &Arc<Self>,
        request: http::Request<Full<Bytes>>,
        call: &Call<'_>,
    ) -> Result<Response, HttpFailure> {
        if let Some(into) = call.into {
            let mut request = request;
            if let Some(range) = into.range().await.and_then(|range| range.parse().ok()) {
                request.headers_mut().insert(RANGE, range);
            }
            let answer = self.client().send_into(request, call.bounds, into).await?;
            return Ok(clean(answer, call.scrubber));
        }
        let Some(pending) = self.begin_sealing(call.request).await? else {
            let answer = self.client().send(request, call.bounds).await?;
            return Ok(clean(answer, call.scrubber));
        };
        match self.client().send(request, call.bounds).await {
            Ok(answer) => {
                let (sealed, hidden) = self
                    .seal(call.request, &answer, pending, &call.used)
                    .await?;
                let scrubber = if hidden.is_empty() {
                    call.scrubber.clone()
                } else {
                    self.scrubber_with_all(&[&call.options.arguments, &hidden])
                };
                Ok(Response {
                    sealed,
                    ..clean(answer, &scrubber)
                })
            }
            Err(failure) => {
                if failure.delivery == Delivery::NotSent {
                    self.end_sealing(pending).await;
                }
                Err(failure)
            }
        }
    }
}

struct Call<'a> {
    request: &'a Request,
    filled: Filled,
    options: &'a ExchangeOptions,
    used: Used,
    into: Option<Download<'a>>,
    scrubber: &'a Scrubber,
    bounds: Bounds,
}

impl Call<'_> {
    fn to_http(&self, url: &str) -> Result<http::Request<Full<Bytes>>, HttpFailure> {
        let mut request =
            http::Request::new(Full::new(self.filled.body.clone().unwrap_or_default()));
        *request.method_mut() = self.request.method.to_http();
        *request.uri_mut() = url.parse().map_err(|_| HttpFailure {
            kind: FailureKind::Refused,
            delivery: Delivery::NotSent,
            message: "the request was not sent: its URL cannot be written".to_owned(),
            code: "connection.request",
        })?;
        let mut headers = self.filled.headers.clone();
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!(
                "cordon/",
                env!("CARGO_PKG_VERSION")
            )));
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn traced(
        &self,
        connection: &str,
        url: &str,
        outcome: &Result<Response, HttpFailure>,
        started: Instant,
    ) -> Exchange {
        Exchange {
            connection: connection.to_owned(),
            method: self.request.method,
            url: self.scrubber.scrub(url).into_owned(),
            headers: header_texts(&self.filled.headers, self.scrubber),
            body: self
                .filled
                .body
                .as_ref()
                .map(|body| Excerpt::of(&self.scrubber.scrub_bytes(body), body.len())),
            outcome: match outcome {
                Ok(response) => Outcome::Answered {
                    status: response.status,
                    headers: response.headers.clone(),
                    body: Excerpt::of(&response.body, response.body.len()),
                },
                Err(failure) => Outcome::Failed(failure.clone()),
            },
            duration: started.elapsed(),
        }
    }
}

fn clean(answer: Answer, scrubber: &Scrubber) -> Response {
    let body = match scrubber.scrub_bytes(&answer.body) {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(clean) => Some(clean),
    };
    Response {
        status: answer.status.as_u16(),
        headers: header_texts(&answer.headers, scrubber),
        body: body.unwrap_or(answer.body),
        sealed: Vec::new(),
    }
}

/// Header values are bytes by their standard; what is not UTF-8 is read as Latin-1, which they
/// were meant to be.
fn header_texts(headers: &HeaderMap, scrubber: &Scrubber) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| {
        let clean = scrubber.scrub_bytes(value.as_bytes());
        match std::str::from_utf8(&clean) {
            Ok(text) => text.to_owned(),
            Err(_) => clean.iter().copied().map(char::from).collect(),
        }
    };
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

/// The failure of the only base URL; of several, one that names each. The product may have acted
/// if it may have at any of them.
fn summary(failures: Vec<HttpFailure>) -> HttpFailure {
    let delivery = if failures
        .iter()
        .any(|failure| failure.delivery == Delivery::Unknown)
    {
        Delivery::Unknown
    } else {
        Delivery::NotSent
    };
    let message = failures
        .iter()
        .map(|failure| failure.message.as_str())
        .collect::<Vec<_>>()
        .join("; ");
    match failures.into_iter().next_back() {
        Some(last) => HttpFailure {
            delivery,
            message,
            ..last
        },
        None => HttpFailure {
            kind: FailureKind::Refused,
            delivery,
            message: "the connection has no base URL".to_owned(),
            code: "connection.file",
        },
    }
}
