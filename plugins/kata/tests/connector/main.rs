//! The connector's actions against a scripted Central Node.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here fails the test"
)]

mod access;
mod capability;
mod garbage;
mod isolation;
mod manifest;
mod prevention;
mod reconcile;
mod sensors;
mod tasks;

use cordon_kata::Kata;
use cordon_sdk::harness::{self, Exchange, Expected, Harness};
use cordon_sdk::{ErrorKind, Result};
use serde_json::{Value, json};

const SYSTEM: &str = "15301050-0490-4A41-81EA-B0391CF21EF3";
const SENSOR: &str = "DF64838B-B518-414B-B769-2B8BE341A2F0";
const FINGERPRINT: &str = "3f5c0d8b9a7e6f1d2c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978879605";
const KEY: &str = "7b0c8a52-1111-4222-8333-944445555666";

/// A connection that KATA has accepted.
fn kata() -> Harness {
    Harness::of::<Kata>()
        .setting("external_system_id", SYSTEM)
        .client_certificate(FINGERPRINT)
        .idempotency_key(KEY)
}

fn path(resource: &str) -> String {
    format!("/kata/response_api/v1/{SYSTEM}/{resource}")
}

/// The request for the hosts with this id.
fn asks_for_sensor() -> Expected {
    harness::get(&path("sensors")).query("sensor_id", SENSOR)
}

/// KATA knows the host.
fn knows_sensor() -> Exchange {
    asks_for_sensor().answers(200, json!({"sensors": [{"sensorId": SENSOR}]}))
}

/// KATA does not know the host.
fn knows_no_sensor() -> Exchange {
    asks_for_sensor().answers(200, json!({"sensors": []}))
}

fn not_found() -> Value {
    json!({"error": "Not Found"})
}

fn kind<T: std::fmt::Debug>(outcome: Result<T>) -> ErrorKind {
    outcome.expect_err("it fails").kind
}
