//! Durations, sizes and timestamps: the text that people write, and the exact number behind it.

use std::fmt::Write as _;

use jiff::Timestamp;

/// Units of time, largest first, in milliseconds.
const TIME_UNITS: [(&str, u64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of size, in bytes; decimal first, largest first.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Why a text is no duration, size or timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Not a duration.
    #[error("`{0}` is not a duration; write one like \"90s\", \"2h\" or \"1h30m\"")]
    Duration(String),
    /// Not a size.
    #[error("`{0}` is not a size; write one like \"512KiB\" or \"10MB\"")]
    Size(String),
    /// Not a timestamp.
    #[error("`{0}` is not a timestamp; write one like \"2026-03-14T09:21:37Z\"")]
    Timestamp(String),
    /// More than 2^64-1 milliseconds or bytes.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

/// Milliseconds of a duration such as `250ms`, `90s`, `1h30m`, `2d`.
///
/// # Errors
/// Where the text is not a duration or too large for 64 bits.
pub fn parse_duration(text: &str) -> Result<u64, UnitError> {
    sum_of_units(text.trim(), &TIME_UNITS, || {
        UnitError::Duration(text.to_owned())
    })
}

/// The shortest exact text of a duration in milliseconds: `7_200_000` is `2h`. Weeks are not
/// used, since `10d` reads better than `1w3d`.
#[must_use]
pub fn format_duration(milliseconds: u64) -> String {
    if milliseconds == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    let mut rest = milliseconds;
    for (unit, length) in TIME_UNITS.iter().skip(1) {
        let count = rest / length;
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
        rest %= length;
    }
    text
}

/// Bytes of a size such as `512`, `64KiB`, `10MB`.
///
/// # Errors
/// Where the text is not a size or too large for 64 bits.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    sum_of_units(text.trim(), &SIZE_UNITS, || {
        UnitError::Size(text.to_owned())
    })
}

/// The shortest exact text of a size in bytes: `10_000_000` is `10MB`, `65_536` is `64KiB`.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    SIZE_UNITS
        .iter()
        .filter(|(_, length)| bytes > 0 && bytes.is_multiple_of(*length))
        .map(|(unit, length)| format!("{}{unit}", bytes / length))
        .min_by_key(String::len)
        .unwrap_or_else(|| format!("{bytes}B"))
}

/// Milliseconds since 1970 of RFC 3339 text.
///
/// # Errors
/// Where the text is no RFC 3339 timestamp, or has a part finer than a millisecond that would be lost.
pub fn parse_timestamp(text: &str) -> Result<i64, UnitError> {
    let wrong = || UnitError::Timestamp(text.to_owned());
    let timestamp: Timestamp = text.trim().parse().map_err(|_| wrong())?;
    if timestamp.subsec_nanosecond() % 1_000_000 != 0 {
        return Err(wrong());
    }
    Ok(timestamp.as_millisecond())
}

/// RFC 3339 text in UTC, with milliseconds only where there are some. None outside the years
/// -9999 to 9999.
#[must_use]
pub fn format_timestamp(milliseconds: i64) -> Option<String> {
    Timestamp::from_millisecond(milliseconds)
        .ok()
        .map(|timestamp| timestamp.to_string())
}

fn sum_of_units(
    text: &str,
    units: &[(&str, u64)],
    wrong: impl Fn() -> UnitError,
) -> Result<u64, UnitError> {
    let mut total: u64 = 0;
    let mut rest = text;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(&wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (_, length) = units
            .iter()
            .find(|(unit, _)| unit.eq_ignore_ascii_case(rest[..end].trim()))
            .ok_or_else(&wrong)?;
        rest = rest[end..].trim_start();
        total = number
            .checked_mul(*length)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| UnitError::TooLarge(text.to_owned()))?;
    }
    Ok(total)
}

/// A [`std::time::Duration`] as whole milliseconds, for `#[serde(with = "milliseconds")]`.
pub mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    /// Writes the milliseconds.
    ///
    /// # Errors
    /// Where the format fails.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    /// Reads the milliseconds.
    ///
    /// # Errors
    /// Where it is no whole number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("2h"), Ok(7_200_000));
        assert_eq!(parse_duration("1h30m"), Ok(5_400_000));
        assert_eq!(parse_duration(" 250ms "), Ok(250));
        for wrong in ["", "h", "2", "2 hours", "-2h", "1.5h", "2h-1m"] {
            assert_eq!(
                parse_duration(wrong),
                Err(UnitError::Duration(wrong.to_owned())),
                "{wrong}"
            );
        }
        assert!(matches!(
            parse_duration("999999999999999999w"),
            Err(UnitError::TooLarge(_))
        ));
    }

    #[test]
    fn timestamps_finer_than_a_millisecond_are_refused_rather_than_rounded() {
        assert_eq!(parse_timestamp("1970-01-01T00:00:01.5Z"), Ok(1_500));
        assert_eq!(parse_timestamp("1970-01-01T01:00:00+01:00"), Ok(0));
        assert!(parse_timestamp("1970-01-01T00:00:00.0000001Z").is_err());
        assert!(parse_timestamp("1970-01-01").is_err());
    }

    proptest! {
        #[test]
        fn a_duration_written_and_read_is_the_same(milliseconds: u64) {
            prop_assert_eq!(parse_duration(&format_duration(milliseconds)), Ok(milliseconds));
        }

        #[test]
        fn a_size_written_and_read_is_the_same(bytes: u64) {
            prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
        }

        #[test]
        fn a_timestamp_written_and_read_is_the_same(milliseconds in -62_000_000_000_000_i64..250_000_000_000_000) {
            let text = format_timestamp(milliseconds).unwrap();
            prop_assert_eq!(parse_timestamp(&text), Ok(milliseconds));
        }
    }
}
