//! The clock that simulators live by: real time plus whatever tests and people have added to it.
//!
//! Product time never goes backwards, not even when the computer's clock is set back, because only
//! the start is read from the computer's clock; what passes after it is measured.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::lock;

/// A cheap handle to one clock, shared by all simulators of a lab.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    begin: Timestamp,
    /// When the clock began to run; none while it moves only by [`Clock::advance`].
    running_since: Option<Instant>,
    advanced: Mutex<Duration>,
}

impl Clock {
    /// A clock that shows the real time until it is advanced.
    pub fn real() -> Self {
        Self::new(Timestamp::now(), Some(Instant::now()))
    }

    /// A clock that stands still and moves only by [`advance`](Self::advance): for tests that must
    /// see every state between two moments.
    pub fn held(begin: Timestamp) -> Self {
        Self::new(begin, None)
    }

    fn new(begin: Timestamp, running_since: Option<Instant>) -> Self {
        Self(Arc::new(Inner {
            begin,
            running_since,
            advanced: Mutex::new(Duration::ZERO),
        }))
    }

    /// The present moment of the lab; the last one that exists when it was advanced beyond that.
    pub fn now(&self) -> Timestamp {
        let passed = self
            .0
            .running_since
            .map_or(Duration::ZERO, |since| since.elapsed());
        later(self.0.begin, passed.saturating_add(*lock(&self.0.advanced)))
    }

    /// Moves the clock forward and returns the new moment.
    pub fn advance(&self, by: Duration) -> Timestamp {
        {
            let mut advanced = lock(&self.0.advanced);
            *advanced = advanced.saturating_add(by);
        }
        self.now()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

/// `moment` plus `by`, or the end of time.
pub(crate) fn later(moment: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| moment.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Reads a length of time as people write it: `90s`, `2h`, `1h 30m`, `500ms`.
///
/// # Errors
/// A sentence for the person who wrote it.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    text.trim()
        .parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| {
            format!("`{text}` is not a length of time: write it like `90s`, `2h` or `1h 30m`")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_clock_moves_only_when_advanced() {
        let clock = Clock::held(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);
    }

    #[test]
    fn a_clock_advanced_past_the_end_of_time_stays_there() {
        let clock = Clock::held(Timestamp::UNIX_EPOCH);
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7200)));
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "2", "-2h", "soon"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
