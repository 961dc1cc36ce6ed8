//! Points in time as products write them, read into the contract's milliseconds since 1970.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Numbers of at least this size are milliseconds, smaller ones seconds: in seconds it is the year
/// 5138, in milliseconds the year 1973.
const MILLISECONDS_FROM: f64 = 1e11;

/// Reads RFC 3339 text (without an offset it counts as UTC), seconds or milliseconds since 1970,
/// each as a number or as its digits. None for nothing, an empty text, or what is no time at all.
#[must_use]
pub fn read(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_f64().and_then(from_number),
        Value::String(text) => from_text(text.trim()),
        _ => None,
    }
}

/// For serde: `#[serde(default, deserialize_with = "timestamp::optional")]`. A time that cannot be
/// read is no time: one odd field shall not cost the whole answer.
///
/// # Errors
/// Only where the input is not what serde can read at all.
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Value::deserialize(deserializer).map(|value| read(&value))
}

fn from_text(text: &str) -> Option<i64> {
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    if let Ok(number) = text.parse() {
        return from_number(number);
    }
    let local = text.parse::<DateTime>().ok()?;
    Some(TimeZone::UTC.to_timestamp(local).ok()?.as_millisecond())
}

fn from_number(number: f64) -> Option<i64> {
    let milliseconds = if number.abs() < MILLISECONDS_FROM {
        number * 1000.0
    } else {
        number
    };
    // Beyond 2^53 a floating point number is no longer a certain millisecond.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "checked to be finite and below 2^53"
    )]
    (milliseconds.abs() < 9e15).then_some(milliseconds.round() as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_moment_is_read_from_every_form_that_products_use() {
        for form in [
            json!("2025-03-14T09:21:37Z"),
            json!("2025-03-14T12:21:37+03:00"),
            json!("2025-03-14T09:21:37"),
            json!("2025-03-14 09:21:37"),
            json!("2025-03-14T09:21:37.000000Z"),
            json!(1_741_944_097),
            json!(1_741_944_097_000_i64),
            json!(1_741_944_097.0),
            json!("1741944097"),
        ] {
            assert_eq!(read(&form), Some(1_741_944_097_000), "{form}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for form in [
            json!(null),
            json!(""),
            json!("never"),
            json!(true),
            json!([]),
            json!("NaN"),
            json!("inf"),
            json!(1e300),
        ] {
            assert_eq!(read(&form), None, "{form}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_and_any_number_is_a_time_or_none(text in "\\PC*", number: f64, whole: i64) {
            let _ = (read(&json!(text)), read(&json!(number)), read(&json!(whole)));
        }

        #[test]
        fn every_moment_since_1973_is_read_back_from_its_text_and_its_number(moment in 100_000_000_000_i64..4_102_444_800_000) {
            let text = jiff::Timestamp::from_millisecond(moment).unwrap().to_string();
            assert_eq!((read(&json!(text)), read(&json!(moment))), (Some(moment), Some(moment)));
        }
    }
}
