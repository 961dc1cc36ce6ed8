//! The log of what a server was asked and what it did: the oracle of every test that counts
//! effects.

use std::collections::VecDeque;
use std::sync::Mutex;

use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Request, lock};

/// How many requests are kept; the oldest go first.
const RECORDS_MAX: usize = 10_000;

/// How much of a body is kept.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Counted from 1 in the order of arrival.
    pub number: u64,
    /// When it arrived, by the lab's clock.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// The product's name for what was asked.
    pub route: String,
    /// SHA-256 of the client certificate.
    pub certificate_sha256: Option<String>,
    /// Headers as sent.
    pub headers: Vec<(String, String)>,
    /// The body's beginning, as text.
    pub body: String,
    /// The status that was sent; none when the connection was closed instead.
    pub status: Option<u16>,
    /// Whether the product's state changed.
    pub applied: bool,
    /// The injected fault that struck it.
    pub fault: Option<String>,
    /// What the product tolerated although its documents say otherwise.
    pub warnings: Vec<String>,
}

/// The requests of one server, newest last.
#[derive(Debug, Default)]
pub struct RequestLog(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    arrived: u64,
    records: VecDeque<Record>,
}

impl RequestLog {
    /// All that are kept, in the order of arrival.
    pub fn all(&self) -> Vec<Record> {
        let mut all: Vec<Record> = lock(&self.0).records.iter().cloned().collect();
        all.sort_by_key(|record| record.number);
        all
    }

    /// Those of one route.
    pub fn of_route(&self, route: &str) -> Vec<Record> {
        let mut found = self.all();
        found.retain(|record| record.route == route);
        found
    }

    /// How many requests of a route changed the product's state.
    pub fn applied(&self, route: &str) -> usize {
        let kept = lock(&self.0);
        let changed = |record: &&Record| record.route == route && record.applied;
        kept.records.iter().filter(changed).count()
    }

    /// Forgets all; numbers go on.
    pub fn clear(&self) {
        lock(&self.0).records.clear();
    }

    pub(crate) fn begin(&self, request: &Request, route: &str, at: Timestamp) -> Record {
        let number = {
            let mut kept = lock(&self.0);
            kept.arrived += 1;
            kept.arrived
        };
        let body = &request.body[..request.body.len().min(BODY_BYTES_MAX)];
        Record {
            number,
            at,
            method: request.method.to_string(),
            target: request.target(),
            route: route.to_owned(),
            certificate_sha256: request.caller.certificate_sha256.clone(),
            headers: texts(&request.headers),
            body: String::from_utf8_lossy(body).into_owned(),
            status: None,
            applied: false,
            fault: None,
            warnings: Vec::new(),
        }
    }

    pub(crate) fn end(&self, record: Record) {
        for warning in &record.warnings {
            tracing::warn!(request = record.number, route = %record.route, "{warning}");
        }
        tracing::info!(
            request = record.number,
            method = %record.method,
            target = %record.target,
            status = record.status,
            fault = record.fault.as_deref(),
            "answered"
        );
        let mut kept = lock(&self.0);
        if kept.records.len() == RECORDS_MAX {
            kept.records.pop_front();
        }
        kept.records.push_back(record);
    }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        })
        .collect()
}
