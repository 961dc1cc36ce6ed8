//! Times that something took.

use std::time::Duration;

/// A time as people read it: two digits that matter.
#[must_use]
pub fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{}ms", time.as_millis()),
        1..10 => format!("{:.1}s", time.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_at_a_glance() {
        let texts: Vec<String> = [0, 999, 1_500, 59_000, 61_000, 3_725_000]
            .map(|ms| took(Duration::from_millis(ms)))
            .into();
        assert_eq!(texts, ["0ms", "999ms", "1.5s", "59s", "1m01s", "1h02m"]);
    }
}
