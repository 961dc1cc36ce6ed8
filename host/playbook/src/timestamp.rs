//! A point in time as scripts hold it: what `now()` answers. It takes durations as people write them
//! (`now() - "1h"`) and compares with the RFC 3339 text that actions return.

use std::fmt;

use cordon_contract::units;
use rhai::{Dynamic, EvalAltResult, FuncRegistration, ImmutableString, Module};

use crate::thrown;

/// Milliseconds since 1970, in the years -9999 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

type Fallible<T> = Result<T, Box<EvalAltResult>>;

impl Timestamp {
    /// The time that this many milliseconds after 1970 is; none outside the years -9999 to 9999.
    #[must_use]
    pub fn from_milliseconds(milliseconds: i64) -> Option<Self> {
        units::format_timestamp(milliseconds).map(|_| Self(milliseconds))
    }

    /// The time that RFC 3339 text names.
    ///
    /// # Errors
    /// Where the text is no such time.
    pub fn parse(text: &str) -> Result<Self, units::UnitError> {
        units::parse_timestamp(text).map(Self)
    }

    fn moved(self, duration: &Dynamic, sign: i64) -> Fallible<Self> {
        let milliseconds = match duration.as_int() {
            Ok(milliseconds) => Some(milliseconds),
            Err(_) => {
                let text = duration.clone().into_immutable_string().unwrap_or_default();
                let parsed = units::parse_duration(&text)
                    .map_err(|error| thrown::mistake(error.to_string(), None))?;
                i64::try_from(parsed).ok()
            }
        };
        milliseconds
            .and_then(|milliseconds| milliseconds.checked_mul(sign))
            .and_then(|milliseconds| self.0.checked_add(milliseconds))
            .and_then(Self::from_milliseconds)
            .ok_or_else(|| {
                thrown::mistake(
                    "the time is outside the years -9999 to 9999".to_owned(),
                    None,
                )
            })
    }
}

/// RFC 3339 in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&units::format_timestamp(self.0).unwrap_or_else(|| self.0.to_string()))
    }
}

fn parse(text: &str) -> Fallible<Timestamp> {
    Timestamp::parse(text).map_err(|error| thrown::mistake(error.to_string(), None))
}

/// The length of time from `earlier` to `later` as text, so that it reads back as a duration.
fn between(later: Timestamp, earlier: Timestamp) -> Fallible<ImmutableString> {
    let milliseconds = later.0.saturating_sub(earlier.0);
    u64::try_from(milliseconds)
        .map(|milliseconds| units::format_duration(milliseconds).into())
        .map_err(|_| {
            let help = "subtract the earlier time from the later one";
            thrown::mistake(
                format!("{later} is before {earlier}, and a duration is never negative"),
                Some(help),
            )
        })
}

/// Gives scripts the operators of timestamps.
pub(crate) fn register(module: &mut Module) {
    macro_rules! operator {
        ($name:literal, $function:expr) => {
            FuncRegistration::new($name)
                .in_global_namespace()
                .with_purity(true)
                .set_into_module(module, $function);
        };
    }
    macro_rules! comparisons {
        ($($name:literal $operator:tt),+) => {$(
            operator!($name, |left: Timestamp, right: Timestamp| left $operator right);
            operator!($name, |left: Timestamp, right: ImmutableString| -> Fallible<bool> { Ok(left $operator parse(&right)?) });
            operator!($name, |left: ImmutableString, right: Timestamp| -> Fallible<bool> { Ok(parse(&left)? $operator right) });
        )+};
    }
    module.set_custom_type::<Timestamp>("timestamp");
    operator!("+", |time: Timestamp, duration: ImmutableString| time
        .moved(&duration.into(), 1));
    operator!("-", |time: Timestamp, duration: ImmutableString| time
        .moved(&duration.into(), -1));
    operator!("+", |time: Timestamp, duration: i64| time
        .moved(&duration.into(), 1));
    operator!("-", |time: Timestamp, duration: i64| time
        .moved(&duration.into(), -1));
    operator!("-", between);
    operator!("to_string", |time: Timestamp| time.to_string());
    operator!("to_debug", |time: Timestamp| time.to_string());
    comparisons!("<" <, "<=" <=, ">" >, ">=" >=, "==" ==, "!=" !=);
}
