//! Secrets in answers: found where the request says they are, kept before anyone sees the answer,
//! and replaced in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde_json::Value;
use zeroize::Zeroizing;

use super::answer::Answer;
use super::failure::{Delivery, FailureKind, HttpFailure, Refusal};
use super::request::{
    AnswerPlace, Expiry, Part, PlainPart, Request, Seal, Sealed, SecretSource, Slot,
};
use crate::connection::Connection;
use crate::credential::SECRET_BYTES_MIN;
use crate::secret::{Secret, Secrets};
use crate::vault::{Pending, SealedValue, VaultError};

/// The sealed secrets that a request is filled with.
#[derive(Default)]
pub(crate) struct Used {
    pub(crate) secrets: Secrets,
    /// Marks of the configured credentials that all secrets of the request come from.
    origin: BTreeMap<String, String>,
}

/// A secret that was found in an answer.
struct Found<'a> {
    name: &'a str,
    secret: Zeroizing<Vec<u8>>,
    expires: Option<i64>,
}

impl Connection {
    /// Reads the sealed secrets that the request has slots for.
    pub(crate) fn used_by(&self, request: &Request) -> Result<Used, HttpFailure> {
        let mut used = Used::default();
        for slot in slots(request) {
            match &slot.source {
                SecretSource::Sealed(name) => {
                    let sealed = self
                        .keep()
                        .and_then(|keep| keep.sealed(name, self.secrets()));
                    let sealed = sealed.map_err(|error| not_sent(&error))?;
                    let Some(sealed) = sealed else {
                        return Err(Refusal::NothingSealed { name: name.clone() }.into_failure());
                    };
                    self.learn(name, &sealed);
                    used.origin.extend(sealed.origin);
                    used.secrets.insert(name.clone(), sealed.secret);
                }
                SecretSource::Credential(name) if !request.seals.is_empty() => {
                    if let Some(secret) = self.secrets().get(name) {
                        let mark = self.keep().and_then(|keep| keep.mark(secret));
                        used.origin
                            .insert(name.clone(), mark.map_err(|error| not_sent(&error))?);
                    }
                }
                SecretSource::Credential(_) | SecretSource::Argument(_) => {}
            }
        }
        Ok(used)
    }

    /// Notes that the answer of this request will hold secrets.
    pub(crate) async fn begin_sealing(
        &self,
        request: &Request,
    ) -> Result<Option<Pending>, HttpFailure> {
        if request.seals.is_empty() {
            return Ok(None);
        }
        let keep = self.keep().map_err(|error| not_sent(&error))?.clone();
        let names: Vec<String> = request.seals.iter().map(|seal| seal.name.clone()).collect();
        let begun = on_disk(move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            keep.begin(&names)
        })
        .await;
        begun.map(Some).map_err(|error| not_sent(&error))
    }

    /// Takes the secrets out of an answer. All of them are on the disk when this returns, or, where
    /// one is missing in the answer, none; those that are there are replaced in either case.
    pub(crate) async fn seal(
        self: &Arc<Self>,
        request: &Request,
        answer: &Answer,
        pending: Pending,
        used: &Used,
    ) -> Result<(Vec<Sealed>, Secrets), HttpFailure> {
        let found = find(&request.seals, answer, now());
        let mut hidden = Secrets::none();
        for secret in &found {
            hidden.insert(secret.name, Secret::new(secret.secret.to_vec()));
        }
        let keep = self.keep().map_err(|error| lost(&error))?.clone();
        if found.len() < request.seals.len() || !answer.status.is_success() {
            let abandoned = on_disk(move || keep.abandon(&pending)).await;
            if let Err(error) = abandoned {
                tracing::warn!(connection = self.name(), %error, "an answer without its secrets could not be noted");
            }
            return Ok((Vec::new(), hidden));
        }
        let expiries: Vec<_> = found
            .iter()
            .map(|secret| (secret.name.to_owned(), secret.expires))
            .collect();
        let values: Vec<_> = found
            .into_iter()
            .map(|secret| (secret.name.to_owned(), secret.secret, secret.expires))
            .collect();
        let origin = used.origin.clone();
        let kept = on_disk(move || {
            let values: Vec<(&str, &[u8], Option<i64>)> = values
                .iter()
                .map(|(name, secret, expires)| (name.as_str(), secret.as_slice(), *expires))
                .collect();
            keep.seal(&pending, &values, &origin)
        })
        .await;
        let versions = kept.map_err(|error| lost(&error))?;
        self.learn_all(&hidden, &versions);
        let sealed = expiries
            .into_iter()
            .zip(versions)
            .map(|((name, expires), version)| Sealed {
                name,
                expires,
                version,
            })
            .collect();
        Ok((sealed, hidden))
    }

    /// Nothing was sent: no answer will hold the secrets.
    pub(crate) async fn end_sealing(&self, pending: Pending) {
        let Ok(keep) = self.keep().cloned() else {
            return;
        };
        if let Err(error) = on_disk(move || keep.abandon(&pending)).await {
            tracing::warn!(connection = self.name(), %error, "a request that was not sent could not be noted");
        }
    }

    /// What is sealed under this name.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn sealed(&self, name: &str) -> Result<Option<SealedValue>, VaultError> {
        let sealed = self.keep()?.sealed(name, self.secrets())?;
        if let Some(sealed) = &sealed {
            self.learn(name, sealed);
        }
        Ok(sealed)
    }
}

/// Every slot of a request.
fn slots(request: &Request) -> impl Iterator<Item = &Slot> {
    let values = request.query.iter().map(|parameter| &parameter.value);
    let values = values
        .chain(request.headers.iter().map(|header| &header.value))
        .chain(&request.body);
    values.flatten().flat_map(|part| {
        let (one, several) = match part {
            Part::Secret(slot) => (Some(slot), &[][..]),
            Part::Joined(joined) => (None, joined.parts.as_slice()),
            Part::Text(_) | Part::Bytes(_) => (None, &[][..]),
        };
        let several = several.iter().filter_map(|part| match part {
            PlainPart::Secret(slot) => Some(slot),
            PlainPart::Text(_) | PlainPart::Bytes(_) => None,
        });
        one.into_iter().chain(several)
    })
}

/// What the rules name and the answer has. A secret too short to be replaced safely is none.
fn find<'a>(seals: &'a [Seal], answer: &Answer, now: i64) -> Vec<Found<'a>> {
    let json = seals
        .iter()
        .any(|seal| seal.reads_json())
        .then(|| serde_json::from_slice::<Value>(&answer.body).ok())
        .flatten();
    let json = json.as_ref();
    let mut found = Vec::new();
    for seal in seals {
        let secret = match &seal.place {
            AnswerPlace::Header(name) => header(&answer.headers, name).map(str::as_bytes),
            AnswerPlace::JsonPointer(pointer) => json
                .and_then(|json| json.pointer(pointer))
                .and_then(Value::as_str)
                .map(str::as_bytes),
        };
        let Some(secret) = secret.filter(|secret| secret.len() >= SECRET_BYTES_MIN) else {
            continue;
        };
        let seconds_from_now = |seconds: i64| now.saturating_add(seconds.saturating_mul(1_000));
        let expires = match &seal.expiry {
            Expiry::Unknown => None,
            Expiry::Jwt => jwt_expiry(secret),
            Expiry::Lifetime(time) => {
                Some(now.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
            }
            Expiry::Seconds(AnswerPlace::Header(name)) => header(&answer.headers, name)
                .and_then(|text| text.trim().parse().ok())
                .map(seconds_from_now),
            Expiry::Seconds(AnswerPlace::JsonPointer(pointer)) => json
                .and_then(|json| json.pointer(pointer))
                .and_then(|value| match value {
                    Value::String(text) => text.trim().parse().ok(),
                    value => value.as_i64(),
                })
                .map(seconds_from_now),
        };
        found.push(Found {
            name: &seal.name,
            secret: Zeroizing::new(secret.to_vec()),
            expires,
        });
    }
    found
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The claim `exp` (RFC 7519 §4.1.4: seconds since 1970) in milliseconds. The signature is the
/// product's affair.
fn jwt_expiry(token: &[u8]) -> Option<i64> {
    let payload = token.split(|byte| *byte == b'.').nth(1)?;
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload.trim_ascii_end()).ok()?);
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let exp = claims.get("exp")?;
    let seconds = exp.as_i64().or_else(|| {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "saturates, and no time is that far"
        )]
        exp.as_f64().map(|seconds| seconds as i64)
    })?;
    seconds.checked_mul(1_000)
}

fn now() -> i64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

/// Waits for the disk without holding the thread that all requests share.
async fn on_disk<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    match tokio::task::spawn_blocking(act).await {
        Ok(result) => result,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(VaultError::NoPlace),
        },
    }
}

fn not_sent(error: &VaultError) -> HttpFailure {
    HttpFailure {
        kind: FailureKind::NotKept,
        delivery: Delivery::NotSent,
        message: format!("the request was not sent: {error}"),
        code: error.code(),
    }
}

fn lost(error: &VaultError) -> HttpFailure {
    HttpFailure {
        kind: FailureKind::NotKept,
        delivery: Delivery::Unknown,
        message: format!(
            "the product answered with new secrets, and they could not be kept: {error}. If the product gives them \
             only once, the connection needs a new credential"
        ),
        code: error.code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Answer {
            status: http::StatusCode::OK,
            headers: HeaderMap::from_iter([(
                http::HeaderName::from_static("x-lives"),
                http::HeaderValue::from_static("60"),
            )]),
            body: body.as_bytes().to_vec(),
        }
    }

    fn seal(pointer: &str, expiry: Expiry) -> Seal {
        Seal {
            place: AnswerPlace::JsonPointer(pointer.to_owned()),
            name: "token".to_owned(),
            expiry,
        }
    }

    fn expiry(body: &str, expiry: Expiry) -> Option<i64> {
        find(&[seal("/t", expiry)], &answer(body), 1_000)[0].expires
    }

    #[test]
    fn an_expiry_is_read_from_the_token_from_a_field_or_from_its_lifetime() {
        // {"exp":1742544000}
        let jwt = r#"{"t":"e30.eyJleHAiOjE3NDI1NDQwMDB9.c2ln","lives":"90"}"#;
        assert_eq!(expiry(jwt, Expiry::Jwt), Some(1_742_544_000_000));
        assert_eq!(expiry(r#"{"t":"opaque"}"#, Expiry::Jwt), None);
        let field = |place| Expiry::Seconds(place);
        assert_eq!(
            expiry(jwt, field(AnswerPlace::JsonPointer("/lives".to_owned()))),
            Some(91_000)
        );
        assert_eq!(
            expiry(jwt, field(AnswerPlace::Header("x-lives".to_owned()))),
            Some(61_000)
        );
        assert_eq!(
            expiry(jwt, field(AnswerPlace::Header("absent".to_owned()))),
            None
        );
        assert_eq!(
            expiry(jwt, Expiry::Lifetime(Duration::from_secs(5))),
            Some(6_000)
        );
        assert_eq!(expiry(jwt, Expiry::Unknown), None);
    }

    #[test]
    fn what_is_no_text_or_too_short_to_be_replaced_is_not_found() {
        for body in [
            "{}",
            r#"{"t":7}"#,
            r#"{"t":null}"#,
            r#"{"t":""}"#,
            r#"{"t":"abc"}"#,
            "<html>",
        ] {
            assert!(
                find(&[seal("/t", Expiry::Unknown)], &answer(body), 0).is_empty(),
                "{body}"
            );
        }
    }
}
