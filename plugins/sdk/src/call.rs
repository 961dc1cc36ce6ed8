//! The call that is being made: its key, its time, pauses in it.

use std::time::Duration;

use crate::platform;

/// A UUID in lower case that is the same whenever the same step of the same run is tried again, and
/// different for every other step.
#[must_use]
pub fn idempotency_key() -> String {
    platform::idempotency_key()
}

/// A UUID like [`idempotency_key`], for one of several things that the same call makes; `part` tells
/// them apart.
#[must_use]
pub fn idempotency_key_for(part: &str) -> String {
    let key = idempotency_key();
    let namespace = uuid::Uuid::parse_str(&key).unwrap_or(uuid::Uuid::NAMESPACE_OID);
    uuid::Uuid::new_v5(&namespace, part.as_bytes()).to_string()
}

/// How long the call may still take.
#[must_use]
pub fn remaining() -> Duration {
    Duration::from_millis(platform::remaining())
}

/// The time of day in milliseconds since 1970. Not for measuring.
#[must_use]
pub fn now() -> i64 {
    platform::now()
}

/// Waits. False, at once, if the call has not that much time left.
#[must_use = "false means that there was no time to wait"]
pub fn wait(pause: Duration) -> bool {
    platform::wait(milliseconds(pause))
}

/// The contract's form of a length of time.
#[must_use]
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
