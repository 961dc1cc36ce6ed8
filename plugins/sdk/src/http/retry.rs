//! Which requests are tried again, and how long to pause before.

use std::time::Duration;

use crate::bindings::cordon::connector::http::{Delivery, Failure, FailureKind};

/// How often a request is tried.
pub(super) const TRIES: u32 = 5;

/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Whether a failed try may be followed by another. A request that is not safe to repeat is sent
/// again only if not one byte of it arrived.
pub(super) fn after_failure(failure: &Failure, safe: bool) -> bool {
    match failure.kind {
        FailureKind::Connect | FailureKind::Broken | FailureKind::Timeout => {
            safe || failure.delivery == Delivery::NotSent
        }
        FailureKind::Refused
        | FailureKind::Tls
        | FailureKind::TooLarge
        | FailureKind::Limit
        | FailureKind::NotKept => false,
    }
}

/// Whether an answer with this status may be followed by another try. Too many requests means that
/// nothing was done; a 5xx leaves open whether something was.
pub(super) fn after_status(status: u16, safe: bool) -> bool {
    match status {
        429 => true,
        500 | 502 | 503 | 504 => safe,
        _ => false,
    }
}

/// The pause after a failed try, the first try being 0. Callers that failed together shall not come
/// back together: up to half of the pause is added, by the call's own key, so that the same call
/// does the same again.
pub(super) fn pause(failed_try: u32, key: &str, wanted: Option<Duration>) -> Duration {
    let pause = FIRST_PAUSE * 2_u32.saturating_pow(failed_try);
    let spread = f64::from(hash(key, failed_try)) / f64::from(u32::MAX);
    let pause = pause.mul_f64(1.0 + spread / 2.0);
    wanted.map_or(pause, |wanted| wanted.max(pause))
}

/// FNV-1a.
fn hash(key: &str, failed_try: u32) -> u32 {
    key.bytes()
        .chain(failed_try.to_le_bytes())
        .fold(0x811c_9dc5, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_one_second_with_up_to_half_added() {
        for (failed_try, least) in [(0, 1000), (1, 2000), (2, 4000), (3, 8000)] {
            let pause = pause(failed_try, "some key", None).as_millis();
            assert!(
                (least..=least + least / 2).contains(&pause),
                "{pause} ms after try {failed_try}"
            );
        }
    }

    #[test]
    fn different_calls_come_back_at_different_times_and_the_same_call_at_the_same() {
        assert_ne!(pause(0, "one", None), pause(0, "other", None));
        assert_eq!(pause(2, "one", None), pause(2, "one", None));
    }

    #[test]
    fn the_pause_that_the_product_wants_is_kept() {
        assert_eq!(
            pause(0, "one", Some(Duration::from_secs(30))),
            Duration::from_secs(30)
        );
    }
}
