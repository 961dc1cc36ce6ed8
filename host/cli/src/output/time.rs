//! Times that something took, and times of day.

use std::time::Duration;

use cordon_journal::Moment;

/// A time of day in UTC, to the second.
#[must_use]
pub fn moment(at: Moment) -> String {
    let text = Moment(at.0 - at.0.rem_euclid(1000)).to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

/// How long it is until then, or was: `in 2h00m`, `5m10s ago`.
#[must_use]
pub fn distance(at: Moment, now: Moment) -> String {
    match at > now {
        true => format!("in {}", took(at.since(now))),
        false => format!("{} ago", took(now.since(at))),
    }
}

/// A time as people read it: two digits that matter.
#[must_use]
pub fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{}ms", time.as_millis()),
        1..10 => format!("{:.1}s", time.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..172_800 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_at_a_glance() {
        let texts: Vec<String> = [0, 999, 1_500, 59_000, 61_000, 3_725_000, 180_000_000]
            .map(|ms| took(Duration::from_millis(ms)))
            .into();
        assert_eq!(
            texts,
            ["0ms", "999ms", "1.5s", "59s", "1m01s", "1h02m", "2d02h"]
        );
    }

    #[test]
    fn a_time_of_day_is_told_to_the_second_and_with_its_distance() {
        let at = Moment(1_764_300_612_345);
        assert_eq!(moment(at), "2025-11-28T03:30:12Z");
        assert_eq!(distance(at, Moment(at.0 - 90_000)), "in 1m30s");
        assert_eq!(distance(at, Moment(at.0 + 5_000)), "5.0s ago");
    }
}
