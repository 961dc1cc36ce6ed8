//! The clock that simulators live by: real time, or a multiple of it, plus whatever tests and people
//! have added to it.
//!
//! Product time never goes backwards, not even when the computer's clock is set back, because only
//! the start is read from the computer's clock; what passes after it is measured.

use std::fmt;
use std::str::FromStr;
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
    /// Since when the clock runs and how fast; none while it moves only by [`Clock::advance`].
    running: Option<(Instant, Speed)>,
    advanced: Mutex<Duration>,
}

impl Clock {
    /// A clock that shows the real time until it is advanced.
    pub fn real() -> Self {
        Self::at(Speed::REAL)
    }

    /// A clock that begins with the real time and runs at this speed.
    pub fn at(speed: Speed) -> Self {
        Self::new(Timestamp::now(), Some((Instant::now(), speed)))
    }

    /// A clock that stands still and moves only by [`advance`](Self::advance): for tests that must
    /// see every state between two moments.
    pub fn held(begin: Timestamp) -> Self {
        Self::new(begin, None)
    }

    fn new(begin: Timestamp, running: Option<(Instant, Speed)>) -> Self {
        Self(Arc::new(Inner {
            begin,
            running,
            advanced: Mutex::new(Duration::ZERO),
        }))
    }

    /// The present moment of the lab; the last one that exists when it was advanced beyond that.
    pub fn now(&self) -> Timestamp {
        let passed = self
            .0
            .running
            .map_or(Duration::ZERO, |(since, speed)| speed.of(since.elapsed()));
        later(self.0.begin, passed.saturating_add(*lock(&self.0.advanced)))
    }

    /// How fast it runs; none when it stands still.
    pub fn speed(&self) -> Option<Speed> {
        self.0.running.map(|(_, speed)| speed)
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

/// How many seconds pass in the lab for each real one.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Speed(f64);

impl Speed {
    /// That of real time.
    pub const REAL: Self = Self(1.0);

    /// The fastest: an hour lasts less than four milliseconds.
    const MAX: f64 = 1_000_000.0;

    fn of(self, real: Duration) -> Duration {
        if self == Self::REAL {
            return real;
        }
        Duration::try_from_secs_f64(real.as_secs_f64() * self.0).unwrap_or(Duration::MAX)
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .ok()
            .filter(|times: &f64| *times > 0.0 && *times <= Self::MAX)
            .map(Self)
            .ok_or_else(|| {
                let most = Self::MAX;
                format!("`{text}` is not a speed: write a number above 0, at most {most}")
            })
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::REAL {
            return formatter.write_str("real time");
        }
        write!(formatter, "{} times real time", self.0)
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
    fn a_fast_clock_multiplies_what_passes_and_not_what_is_added() {
        let speed: Speed = "3600".parse().unwrap();
        assert_eq!(
            speed.of(Duration::from_millis(500)),
            Duration::from_secs(1800)
        );
        let clock = Clock::at(speed);
        let begin = clock.now();
        std::thread::sleep(Duration::from_millis(20));
        let passed = clock.now().duration_since(begin);
        assert!(passed >= SignedDuration::from_secs(72), "{passed}");
        let before = clock.now();
        let after = clock.advance(Duration::from_hours(1000));
        let added = after.duration_since(before);
        assert!(added < SignedDuration::from_hours(1100), "{added}");
    }

    #[test]
    fn a_clock_that_runs_past_the_end_of_time_stays_there() {
        let speed: Speed = "1000000".parse().unwrap();
        assert_eq!(speed.of(Duration::MAX), Duration::MAX);
    }

    #[test]
    fn a_speed_is_a_number_above_nothing() {
        for wrong in ["", "0", "-1", "NaN", "inf", "1e7", "fast"] {
            assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
        }
        assert_eq!(
            "0.5".parse::<Speed>().unwrap().to_string(),
            "0.5 times real time"
        );
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
