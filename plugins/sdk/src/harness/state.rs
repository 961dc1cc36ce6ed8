//! What the scripted world keeps between calls, and the secrets that it takes out of answers.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::bindings::cordon::connector::http::{
    AnswerPlace, Expiry, Kept, Request, Response, Seal,
};
use crate::bindings::cordon::connector::state::{Entry, Failure, SealedSecret};

/// Lives as long as its harness: calls share it.
#[derive(Default)]
pub(super) struct State {
    entries: BTreeMap<String, Entry>,
    sealed: BTreeMap<String, SealedSecret>,
    pending: BTreeMap<String, i64>,
    locks: BTreeSet<String>,
    last: u64,
}

impl State {
    pub fn get(&self, name: &str) -> Option<Entry> {
        self.entries.get(name).cloned()
    }

    pub fn compare_and_set(
        &mut self,
        name: &str,
        expected: Option<u64>,
        value: Option<&[u8]>,
    ) -> Result<Option<u64>, Failure> {
        let present = self.entries.get(name).map(|entry| entry.version);
        if present != expected {
            return Err(Failure::Changed(present));
        }
        let Some(value) = value else {
            self.entries.remove(name);
            return Ok(None);
        };
        let version = self.next();
        let value = value.to_vec();
        self.entries
            .insert(name.to_owned(), Entry { value, version });
        Ok(Some(version))
    }

    pub fn acquire(&mut self, name: &str) {
        self.locks.insert(name.to_owned());
    }

    pub fn release(&mut self, name: &str) {
        self.locks.remove(name);
    }

    pub fn holds_a_lock(&self) -> bool {
        !self.locks.is_empty()
    }

    pub fn end_call(&mut self) {
        self.locks.clear();
    }

    pub fn sealed(&self, name: &str) -> Option<SealedSecret> {
        self.sealed.get(name).cloned()
    }

    pub fn seal(&mut self, name: &str, expires: Option<i64>) -> u64 {
        let version = self.next();
        let secret = SealedSecret { version, expires };
        self.sealed.insert(name.to_owned(), secret);
        self.pending.remove(name);
        version
    }

    pub fn sealing_since(&self, name: &str) -> Option<i64> {
        self.pending.get(name).copied()
    }

    pub fn begin(&mut self, seals: &[Seal], now: i64) {
        for seal in seals {
            self.pending.insert(seal.name.clone(), now);
        }
    }

    pub fn end(&mut self, seals: &[Seal]) {
        for seal in seals {
            self.pending.remove(&seal.name);
        }
    }

    pub fn forget(&mut self, name: &str) {
        self.sealed.remove(name);
        self.pending.remove(name);
    }

    /// Does to a scripted answer what Cordon does to a real one.
    pub fn take_secrets(
        &mut self,
        request: &Request,
        mut response: Response,
        now: i64,
    ) -> Response {
        if request.seals.is_empty() {
            return response;
        }
        let mut json: Option<Value> = serde_json::from_slice(&response.body).ok();
        let found: Vec<_> = request
            .seals
            .iter()
            .filter_map(|seal| Some((seal, text_at(&seal.place, &response, json.as_ref())?)))
            .map(|(seal, text)| {
                (
                    seal,
                    expires(&seal.expiry, &text, &response, json.as_ref(), now),
                )
            })
            .collect();
        let whole = found.len() == request.seals.len() && (200..300).contains(&response.status);
        self.end(&request.seals);
        for (seal, expires) in found {
            if whole {
                let version = self.seal(&seal.name, expires);
                response.sealed.push(Kept {
                    name: seal.name.clone(),
                    version,
                    expires,
                });
            }
            let shown = format!("[secret {}]", seal.name);
            match &seal.place {
                AnswerPlace::Header(name) => {
                    for (known, value) in &mut response.headers {
                        if known.eq_ignore_ascii_case(name) {
                            value.clone_from(&shown);
                        }
                    }
                }
                AnswerPlace::JsonPointer(pointer) => {
                    if let Some(place) = json.as_mut().and_then(|json| json.pointer_mut(pointer)) {
                        *place = Value::String(shown);
                    }
                }
            }
        }
        if let Some(json) = json {
            response.body = json.to_string().into_bytes();
        }
        response
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

fn text_at(place: &AnswerPlace, response: &Response, json: Option<&Value>) -> Option<String> {
    let text = match place {
        AnswerPlace::Header(name) => response
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str()),
        AnswerPlace::JsonPointer(pointer) => json?.pointer(pointer)?.as_str(),
    };
    text.filter(|text| text.len() >= 4).map(str::to_owned)
}

fn expires(
    expiry: &Expiry,
    secret: &str,
    response: &Response,
    json: Option<&Value>,
    now: i64,
) -> Option<i64> {
    match expiry {
        Expiry::Unknown => None,
        Expiry::Lifetime(milliseconds) => Some(now + i64::try_from(*milliseconds).ok()?),
        Expiry::Seconds(AnswerPlace::JsonPointer(pointer)) => {
            let value = json?.pointer(pointer)?;
            let seconds = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
            Some(now + seconds * 1_000)
        }
        Expiry::Seconds(place) => {
            let seconds: i64 = text_at(place, response, json)?.parse().ok()?;
            Some(now + seconds * 1_000)
        }
        Expiry::Jwt => {
            let payload = URL_SAFE_NO_PAD.decode(secret.split('.').nth(1)?).ok()?;
            let claims: Value = serde_json::from_slice(&payload).ok()?;
            Some(claims.get("exp")?.as_i64()? * 1_000)
        }
    }
}
