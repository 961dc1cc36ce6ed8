//! `cordon:connector/http`: requests to the connection's product.
//!
//! What leaves, where to, and with which credentials is [`cordon_connection`]'s; here a request is
//! taken over from the guest, held against the limits of the call, and remembered, so that it is
//! known afterwards what the product may have seen.

use std::sync::Arc;
use std::time::Duration;

use cordon_connection::{
    self as egress, Connection, ExchangeOptions, HttpFailure, Observer, Secrets,
};
use cordon_contract::SecretReference;
use tokio::time::Instant;

use super::blobs::Drafts;
use super::meter::{Ended, Meter};
use super::state::Locks;
use super::{Purpose, remaining_ms};
use crate::bindings::cordon::connector::http as wit;

/// The way to one product, for one call.
pub(super) struct Http {
    connection: Option<Arc<Connection>>,
    secrets: Secrets,
    passed: Vec<SecretReference>,
    observer: Option<Arc<dyn Observer>>,
    deadline: Instant,
    locks: Locks,
    drafts: Drafts,
    meter: Arc<Meter>,
}

impl Http {
    pub fn new(purpose: &Purpose, locks: Locks, drafts: Drafts, meter: Arc<Meter>) -> Self {
        Self {
            connection: purpose.connection.clone(),
            secrets: purpose.secrets.clone(),
            passed: purpose.passed.clone(),
            observer: purpose.observer.clone(),
            deadline: purpose.deadline,
            locks,
            drafts,
            meter,
        }
    }

    async fn exchange(
        &self,
        request: wit::Request,
        download: Option<(u32, bool)>,
    ) -> Result<wit::Response, wit::Failure> {
        let Some(connection) = &self.connection else {
            return Err(refused(
                wit::FailureKind::Refused,
                "there is no connection while a connector describes itself",
            ));
        };
        if let Some(unknown) = argument_secrets(&request)
            .find(|reference| !self.passed.iter().any(|passed| passed.name() == *reference))
        {
            let message = format!(
                "the secret `{}` was not passed to this call",
                unknown.escape_debug()
            );
            return Err(refused(wit::FailureKind::Refused, &message));
        }
        let draft = match download {
            None => None,
            Some((number, resume)) => match self.drafts.get(number) {
                Some(draft) => Some((draft, resume)),
                None => {
                    let message = "this call has no such draft";
                    return Err(refused(wit::FailureKind::Refused, message));
                }
            },
        };
        let before = match &draft {
            Some((draft, true)) => draft.lock().await.received(),
            Some((_, false)) | None => 0,
        };
        let request = convert(request);
        let sending = self
            .meter
            .begin(!request.method.is_read(), body_bytes(&request))
            .map_err(|reached| {
                refused(
                    wit::FailureKind::Limit,
                    &format!("the request was not sent: {reached}"),
                )
            })?;
        let options = ExchangeOptions {
            timeout: Some(Duration::from_millis(remaining_ms(self.deadline))),
            answer_limit: Some(self.meter.bytes_left()),
            arguments: self.secrets.clone(),
            observer: self.observer.clone(),
            locks: self.locks.all(),
        };
        let outcome = match &draft {
            None => connection.exchange(&request, &options).await,
            Some((draft, resume)) => {
                let draft = draft.as_ref();
                connection
                    .download(&request, &options, draft, *resume)
                    .await
            }
        };
        let downloaded = match &draft {
            Some((draft, _)) => draft.lock().await.received().saturating_sub(before),
            None => 0,
        };
        match outcome {
            Ok(response) => {
                sending.end(Ended::Answered {
                    bytes: response.body.len() as u64 + downloaded,
                });
                Ok(wit::Response {
                    status: response.status,
                    headers: response.headers,
                    body: response.body,
                    sealed: response
                        .sealed
                        .into_iter()
                        .map(|sealed| wit::Kept {
                            name: sealed.name,
                            version: sealed.version,
                            expires: sealed.expires,
                        })
                        .collect(),
                })
            }
            Err(failure) => {
                sending.end(match failure.delivery {
                    egress::Delivery::NotSent => Ended::NotSent { code: failure.code },
                    egress::Delivery::Unknown => Ended::Lost { code: failure.code },
                });
                Err(convert_failure(failure))
            }
        }
    }
}

impl wit::Host for Http {
    async fn send(
        &mut self,
        request: wit::Request,
    ) -> wasmtime::Result<Result<wit::Response, wit::Failure>> {
        self.meter.host_call()?;
        Ok(self.exchange(request, None).await)
    }

    async fn download(
        &mut self,
        request: wit::Request,
        into: u32,
        resume: bool,
    ) -> wasmtime::Result<Result<wit::Response, wit::Failure>> {
        self.meter.host_call()?;
        Ok(self.exchange(request, Some((into, resume))).await)
    }
}

fn refused(kind: wit::FailureKind, message: &str) -> wit::Failure {
    wit::Failure {
        kind,
        delivery: wit::Delivery::NotSent,
        message: message.to_owned(),
    }
}

/// The references of all slots that are filled from an argument.
fn argument_secrets(request: &wit::Request) -> impl Iterator<Item = &str> {
    let values = request.query.iter().map(|parameter| &parameter.value);
    let values = values
        .chain(request.headers.iter().map(|header| &header.value))
        .chain(&request.body);
    values
        .flatten()
        .flat_map(|part| match part {
            wit::Part::Secret(slot) => vec![slot],
            wit::Part::Joined(joined) => joined
                .parts
                .iter()
                .filter_map(|part| match part {
                    wit::PlainPart::Secret(slot) => Some(slot),
                    wit::PlainPart::Text(_) | wit::PlainPart::Bytes(_) => None,
                })
                .collect(),
            wit::Part::Text(_) | wit::Part::Bytes(_) => Vec::new(),
        })
        .filter_map(|slot| match &slot.source {
            wit::SecretSource::Argument(secret) => Some(secret.reference.as_str()),
            wit::SecretSource::Credential(_) | wit::SecretSource::Sealed(_) => None,
        })
}

fn convert(request: wit::Request) -> egress::Request {
    egress::Request {
        method: match request.method {
            wit::Method::Get => egress::Method::Get,
            wit::Method::Head => egress::Method::Head,
            wit::Method::Post => egress::Method::Post,
            wit::Method::Put => egress::Method::Put,
            wit::Method::Patch => egress::Method::Patch,
            wit::Method::Delete => egress::Method::Delete,
            wit::Method::Options => egress::Method::Options,
        },
        path: request.path,
        query: request
            .query
            .into_iter()
            .map(|parameter| egress::QueryParameter {
                name: parameter.name,
                value: convert_parts(parameter.value),
            })
            .collect(),
        headers: request
            .headers
            .into_iter()
            .map(|header| egress::Header {
                name: header.name,
                value: convert_parts(header.value),
            })
            .collect(),
        body: request.body.map(convert_parts),
        timeout: request.timeout.map(Duration::from_millis),
        answer_limit: request.answer_limit,
        seals: request
            .seals
            .into_iter()
            .map(|seal| egress::Seal {
                place: convert_place(seal.place),
                name: seal.name,
                expiry: match seal.expiry {
                    wit::Expiry::Unknown => egress::Expiry::Unknown,
                    wit::Expiry::Jwt => egress::Expiry::Jwt,
                    wit::Expiry::Seconds(place) => egress::Expiry::Seconds(convert_place(place)),
                    wit::Expiry::Lifetime(time) => {
                        egress::Expiry::Lifetime(Duration::from_millis(time))
                    }
                },
            })
            .collect(),
    }
}

fn convert_place(place: wit::AnswerPlace) -> egress::AnswerPlace {
    match place {
        wit::AnswerPlace::Header(name) => egress::AnswerPlace::Header(name),
        wit::AnswerPlace::JsonPointer(pointer) => egress::AnswerPlace::JsonPointer(pointer),
    }
}

fn convert_parts(parts: Vec<wit::Part>) -> Vec<egress::Part> {
    parts
        .into_iter()
        .map(|part| match part {
            wit::Part::Text(text) => egress::Part::Text(text),
            wit::Part::Bytes(bytes) => egress::Part::Bytes(bytes),
            wit::Part::Secret(slot) => egress::Part::Secret(convert_slot(slot)),
            wit::Part::Joined(joined) => egress::Part::Joined(egress::Joined {
                encoding: convert_encoding(joined.encoding),
                parts: joined
                    .parts
                    .into_iter()
                    .map(|part| match part {
                        wit::PlainPart::Text(text) => egress::PlainPart::Text(text),
                        wit::PlainPart::Bytes(bytes) => egress::PlainPart::Bytes(bytes),
                        wit::PlainPart::Secret(slot) => {
                            egress::PlainPart::Secret(convert_slot(slot))
                        }
                    })
                    .collect(),
            }),
        })
        .collect()
}

fn convert_slot(slot: wit::Slot) -> egress::Slot {
    egress::Slot {
        source: match slot.source {
            wit::SecretSource::Credential(name) => egress::SecretSource::Credential(name),
            wit::SecretSource::Argument(secret) => {
                egress::SecretSource::Argument(SecretReference::new(secret.reference))
            }
            wit::SecretSource::Sealed(name) => egress::SecretSource::Sealed(name),
        },
        encoding: convert_encoding(slot.encoding),
    }
}

fn convert_encoding(encoding: wit::Encoding) -> egress::Encoding {
    match encoding {
        wit::Encoding::None => egress::Encoding::None,
        wit::Encoding::Base64 => egress::Encoding::Base64,
        wit::Encoding::Base64url => egress::Encoding::Base64Url,
        wit::Encoding::Percent => egress::Encoding::Percent,
        wit::Encoding::JsonString => egress::Encoding::JsonString,
        wit::Encoding::XmlText => egress::Encoding::XmlText,
    }
}

fn convert_failure(failure: HttpFailure) -> wit::Failure {
    wit::Failure {
        kind: match failure.kind {
            egress::FailureKind::Refused => wit::FailureKind::Refused,
            egress::FailureKind::Connect => wit::FailureKind::Connect,
            egress::FailureKind::Tls => wit::FailureKind::Tls,
            egress::FailureKind::Timeout => wit::FailureKind::Timeout,
            egress::FailureKind::Broken => wit::FailureKind::Broken,
            egress::FailureKind::TooLarge => wit::FailureKind::TooLarge,
            egress::FailureKind::Limit => wit::FailureKind::Limit,
            egress::FailureKind::NotKept => wit::FailureKind::NotKept,
        },
        delivery: match failure.delivery {
            egress::Delivery::NotSent => wit::Delivery::NotSent,
            egress::Delivery::Unknown => wit::Delivery::Unknown,
        },
        message: failure.message,
    }
}

/// The bytes that the connector put into the body; what fills the slots is not counted.
fn body_bytes(request: &egress::Request) -> u64 {
    let plain = |part: &egress::PlainPart| match part {
        egress::PlainPart::Text(text) => text.len(),
        egress::PlainPart::Bytes(bytes) => bytes.len(),
        egress::PlainPart::Secret(_) => 0,
    };
    let bytes: usize = request
        .body
        .iter()
        .flatten()
        .map(|part| match part {
            egress::Part::Text(text) => text.len(),
            egress::Part::Bytes(bytes) => bytes.len(),
            egress::Part::Secret(_) => 0,
            egress::Part::Joined(joined) => joined.parts.iter().map(plain).sum(),
        })
        .sum();
    bytes as u64
}
