//! Building and sending a request.

use std::time::Duration;

use serde::Serialize;

use super::json::Json;
use super::response::Response;
use super::value::Value;
use super::{failure, path, retry};
use crate::bindings::cordon::connector::http::{self as contract, AnswerPlace, Expiry, Method};
use crate::blob::Draft;
use crate::error::{Error, Result};
use crate::secret::Slot;
use crate::{call, log, platform};

/// A request to the product.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    request: contract::Request,
    name: String,
    safe: bool,
    /// Why it cannot be sent.
    problem: Option<Error>,
}

/// `GET` of the path of these segments, below the connection's base URL.
pub fn get<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Request {
    Request::new(Method::Get, segments)
}

/// `HEAD` of the path of these segments.
pub fn head<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Request {
    Request::new(Method::Head, segments)
}

/// `POST` to the path of these segments.
pub fn post<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Request {
    Request::new(Method::Post, segments)
}

/// `PUT` to the path of these segments.
pub fn put<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Request {
    Request::new(Method::Put, segments)
}

/// `PATCH` of the path of these segments.
pub fn patch<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Request {
    Request::new(Method::Patch, segments)
}

/// `DELETE` of the path of these segments.
pub fn delete<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Request {
    Request::new(Method::Delete, segments)
}

impl Request {
    /// A request for the path of these segments, each percent-encoded: data in a segment cannot
    /// become another path.
    pub fn new<S: AsRef<str>>(method: Method, segments: impl IntoIterator<Item = S>) -> Self {
        let (path, problem) = match path::join(segments) {
            Ok(path) => (path, None),
            Err(path::NoSegment(segment)) => (
                String::new(),
                Some(Error::invalid_input(format!(
                    "`{segment}` cannot be part of a path"
                ))),
            ),
        };
        Self {
            name: format!("{} {path}", word(method)),
            safe: matches!(method, Method::Get | Method::Head | Method::Options),
            problem,
            request: contract::Request {
                method,
                path,
                query: Vec::new(),
                headers: Vec::new(),
                body: None,
                timeout: None,
                answer_limit: None,
                seals: Vec::new(),
            },
        }
    }

    /// What messages call this request, instead of its method and path.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// With a query parameter; Cordon percent-encodes it.
    pub fn query(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.request.query.push(contract::QueryParameter {
            name: name.to_owned(),
            value: value.into().0,
        });
        self
    }

    /// With a query parameter where there is a value for it.
    pub fn query_if_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.request.headers.push(contract::Header {
            name: name.to_owned(),
            value: value.into().0,
        });
        self
    }

    /// With `Authorization: Bearer …`.
    pub fn bearer(self, token: Slot) -> Self {
        self.header("authorization", Value::bearer(token))
    }

    /// With `Authorization: Basic …`.
    pub fn basic(self, user: impl Into<Value>, password: Slot) -> Self {
        self.header("authorization", Value::basic(user, password))
    }

    /// With a JSON body.
    pub fn json(self, body: &impl Serialize) -> Self {
        match serde_json::to_value(body) {
            Ok(body) => self.json_with_secrets(body),
            Err(error) => self.problem(Error::internal(format!(
                "the body of a request is no JSON: {error}"
            ))),
        }
    }

    /// With a JSON body that has secrets in it.
    pub fn json_with_secrets(self, body: impl Into<Json>) -> Self {
        self.body("application/json", Value(body.into().into_parts()))
    }

    /// With a form as its body.
    pub fn form<'a>(self, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let mut body = Value(Vec::new());
        for (name, value) in fields {
            if !body.0.is_empty() {
                body = body.then("&");
            }
            let name = Value::from(name).joined(contract::Encoding::Percent);
            body = body
                .then(name)
                .then("=")
                .then(value.joined(contract::Encoding::Percent));
        }
        self.body("application/x-www-form-urlencoded", body)
    }

    /// With a body of this content type.
    pub fn body(self, content_type: &str, body: Value) -> Self {
        let mut request = self.header("content-type", content_type);
        request.request.body = Some(body.0);
        request
    }

    /// At most this long for one exchange; the connection's limit holds if it is shorter.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.timeout = Some(call::milliseconds(timeout));
        self
    }

    /// At most this many bytes of answer; the connection's limit holds if it is smaller.
    pub fn answer_limit(mut self, bytes: u64) -> Self {
        self.request.answer_limit = Some(bytes);
        self
    }

    /// The text that this pointer leads to in the JSON of the answer is a secret: Cordon keeps it under
    /// this name, before the answer is here. Of several, all or none.
    pub fn seal(self, pointer: &str, name: &str, expiry: Expiry) -> Self {
        self.seal_at(AnswerPlace::JsonPointer(pointer.to_owned()), name, expiry)
    }

    /// The same for the value of a header.
    pub fn seal_header(self, header: &str, name: &str, expiry: Expiry) -> Self {
        self.seal_at(AnswerPlace::Header(header.to_owned()), name, expiry)
    }

    fn seal_at(mut self, place: AnswerPlace, name: &str, expiry: Expiry) -> Self {
        self.request.seals.push(contract::Seal {
            place,
            name: name.to_owned(),
            expiry,
        });
        self
    }

    /// The product does the same when it gets this request twice, so it may be repeated after a 5xx
    /// or a lost answer. Holds by itself for `GET` and `HEAD`.
    pub fn safe_to_repeat(mut self) -> Self {
        self.safe = true;
        self
    }

    /// Sends the request; an answer of any status is a response.
    ///
    /// Up to five tries, with pauses that double from a second or are as long as the product asks
    /// for: after 429, and where the connection could not be opened; where repeating is safe, also
    /// after 500, 502, 503 and 504 and when no whole answer came. The tries end early when the call
    /// has no time left for the pause.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn send(self) -> Result<Response> {
        self.send_by(|request, _| platform::send(request))
    }

    /// Sends the request; the body of an answer of 200 or 206 goes into the draft as it comes, and
    /// the response's own is empty. What breaks in the middle goes on where it ended, in the tries
    /// of [`Request::send`].
    ///
    /// # Errors
    /// When the answer did not come whole.
    pub fn download(self, draft: &mut Draft) -> Result<Response> {
        self.send_by(|request, failed_try| platform::download(request, draft.0, failed_try > 0))
    }

    fn send_by(
        self,
        send: impl Fn(
            &contract::Request,
            u32,
        ) -> std::result::Result<contract::Response, contract::Failure>,
    ) -> Result<Response> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let mut failed_try = 0;
        loop {
            let (outcome, again, wanted) = match send(&self.request, failed_try) {
                Ok(response) => {
                    let response = Response::new(self.name.clone(), response);
                    let again = retry::after_status(response.status(), self.safe);
                    let wanted = response.retry_after();
                    (Ok(response), again, wanted)
                }
                Err(failure) => {
                    let again = retry::after_failure(&failure, self.safe);
                    (Err(failure::error(&self.name, &failure)), again, None)
                }
            };
            if !again || failed_try + 1 >= retry::TRIES {
                return outcome;
            }
            let pause = retry::pause(failed_try, &call::idempotency_key(), wanted);
            let why = match &outcome {
                Ok(response) => format!("answered {}", response.status()),
                Err(error) => error.message.clone(),
            };
            log::debug!("`{}`: {why}; another try in {pause:.1?}", self.name);
            if !call::wait(pause) {
                return outcome;
            }
            failed_try += 1;
        }
    }

    fn problem(mut self, problem: Error) -> Self {
        self.problem.get_or_insert(problem);
        self
    }
}

/// A method as it stands in a request.
pub(crate) fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
        Method::Options => "OPTIONS",
    }
}
