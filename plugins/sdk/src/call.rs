//! The call that is being made: its key, its time.

use std::time::Duration;

use crate::platform;

/// A UUID in lower case that is the same whenever the same step of the same run is tried again.
#[must_use]
pub fn idempotency_key() -> String {
    platform::idempotency_key()
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
