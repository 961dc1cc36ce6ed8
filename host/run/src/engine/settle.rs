//! What to do about a call whose answer was lost. Pure: the decision alone, apart from
//! the machinery that carries it out.
//!
//! A write whose answer was not received whole may have happened. Before a script sees anything,
//! either it becomes known what happened or the run stops in doubt; a timeout is never a success,
//! and never quietly a failure.

use std::time::Duration;

use cordon_contract::manifest::ActionManifest;
use cordon_contract::{Delivery, Effect, Failure, Repeat};

/// How often a call that is safe to repeat is sent, counting the first.
pub const ATTEMPTS_MAX: u32 = 3;

/// The pause before the second attempt; doubled before each further one.
const PAUSE_FIRST: Duration = Duration::from_secs(1);

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is known that the call had no effect, or it was a read: the script gets the failure.
    Report,
    /// Send it again, with the same idempotency key.
    Repeat {
        /// After this pause.
        after: Duration,
    },
    /// Ask the product whether it happened, by the action's reconcile companion; not before the
    /// action's timeout has passed since the first attempt, since a slow product may still act.
    AskTheProduct,
    /// Nobody can know: the run stops, and a person says what happened.
    InDoubt,
}

/// Decides after attempt number `attempt` (from 1) failed.
///
/// `lost_before` says that an earlier attempt's answer was lost: then a failure that says nothing
/// about that attempt, such as an unreachable product, leaves the question open.
#[must_use]
pub fn after_failure(
    action: &ActionManifest,
    effect: Effect,
    failure: &Failure,
    attempt: u32,
    lost_before: bool,
) -> Verdict {
    if effect == Effect::Read {
        return Verdict::Report;
    }
    let lost = match failure.delivery {
        Delivery::Unknown => true,
        Delivery::NotSent => lost_before,
        // An answer that is not about the moment describes the state after all attempts.
        Delivery::Answered => lost_before && failure.kind.is_transient(),
    };
    if !lost {
        return Verdict::Report;
    }
    if action.repeat != Repeat::None && attempt < ATTEMPTS_MAX {
        return Verdict::Repeat {
            after: PAUSE_FIRST * 2_u32.saturating_pow(attempt - 1),
        };
    }
    if action.reconcile.is_some() {
        Verdict::AskTheProduct
    } else {
        Verdict::InDoubt
    }
}

/// The failure that a script and a report have of a write that was in doubt, once a person has found
/// that it did not happen.
#[must_use]
pub fn found_not_done(doubt: Failure) -> Failure {
    Failure {
        delivery: Delivery::NotSent,
        message: format!("{}; a person found that it did not happen", doubt.message),
        ..doubt
    }
}

#[cfg(test)]
mod tests {
    use cordon_contract::ErrorKind;

    use super::*;

    fn action(repeat: Repeat, reconcile: Option<&str>) -> ActionManifest {
        ActionManifest {
            repeat,
            reconcile: reconcile.map(str::to_owned),
            ..ActionManifest::unsaid("isolate")
        }
    }

    fn failure(delivery: Delivery, kind: ErrorKind) -> Failure {
        Failure {
            delivery,
            ..Failure::new(kind, "it failed")
        }
    }

    fn lost() -> Failure {
        failure(Delivery::Unknown, ErrorKind::Timeout)
    }

    #[test]
    fn a_read_and_a_write_that_was_answered_or_never_sent_are_reported_as_they_are() {
        let never = action(Repeat::None, None);
        assert_eq!(
            after_failure(&never, Effect::Read, &lost(), 1, false),
            Verdict::Report
        );
        for delivery in [Delivery::NotSent, Delivery::Answered] {
            let failure = failure(delivery, ErrorKind::Unavailable);
            assert_eq!(
                after_failure(&never, Effect::Destructive, &failure, 1, false),
                Verdict::Report
            );
        }
    }

    #[test]
    fn a_lost_write_that_may_be_repeated_is_repeated_and_the_pauses_grow() {
        let natural = action(Repeat::Natural, None);
        let verdict =
            |attempt| after_failure(&natural, Effect::Reversible, &lost(), attempt, false);
        assert_eq!(
            verdict(1),
            Verdict::Repeat {
                after: Duration::from_secs(1)
            }
        );
        assert_eq!(
            verdict(2),
            Verdict::Repeat {
                after: Duration::from_secs(2)
            }
        );
        assert_eq!(verdict(ATTEMPTS_MAX), Verdict::InDoubt);
    }

    #[test]
    fn a_lost_write_that_may_not_be_repeated_is_asked_about_or_stops_the_run() {
        let asks = action(Repeat::None, Some("was-wiped"));
        assert_eq!(
            after_failure(&asks, Effect::Destructive, &lost(), 1, false),
            Verdict::AskTheProduct
        );
        let blind = action(Repeat::None, None);
        assert_eq!(
            after_failure(&blind, Effect::Destructive, &lost(), 1, false),
            Verdict::InDoubt
        );
    }

    #[test]
    fn a_repetition_that_says_nothing_about_the_lost_attempt_leaves_the_question_open() {
        let natural = action(Repeat::Natural, None);
        for open in [
            failure(Delivery::NotSent, ErrorKind::Unavailable),
            failure(Delivery::Answered, ErrorKind::RateLimited),
        ] {
            assert!(matches!(
                after_failure(&natural, Effect::Reversible, &open, 2, true),
                Verdict::Repeat { .. }
            ));
        }
        let clear = failure(Delivery::Answered, ErrorKind::NotFound);
        assert_eq!(
            after_failure(&natural, Effect::Reversible, &clear, 2, true),
            Verdict::Report
        );
    }
}
