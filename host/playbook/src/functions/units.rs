//! Durations, sizes and times between the text that people write and numbers to compute with.

use cordon_contract::units;
use rhai::{Dynamic, NativeCallContext};

use super::world::{duration, text};
use super::{Function, Kind, Parameter, Takes};
use crate::thrown::{self, Error};
use crate::timestamp::Timestamp;

const DURATION: Parameter = Parameter {
    name: "duration",
    takes: Takes::Duration,
    optional: false,
    docs: "text such as `\"1h30m\"`",
};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "seconds",
        parameters: &[DURATION],
        gives: "a whole number",
        docs: "The seconds of a duration. A duration that is no whole number of seconds is refused, not rounded.",
        kind: Kind::Pure,
        example: "seconds(\"2h\")",
        example_gives: "7200",
        hides: &[],
        call: seconds,
    },
    Function {
        name: "milliseconds",
        parameters: &[DURATION],
        gives: "a whole number",
        docs: "The milliseconds of a duration.",
        kind: Kind::Pure,
        example: "milliseconds(\"1m30s\")",
        example_gives: "90000",
        hides: &[],
        call: milliseconds,
    },
    Function {
        name: "duration",
        parameters: &[Parameter {
            name: "milliseconds",
            takes: Takes::Duration,
            optional: false,
            docs: "a whole number of milliseconds, or text such as `\"90m\"`",
        }],
        gives: "text",
        docs: "The shortest text of a duration.",
        kind: Kind::Pure,
        example: "duration(2 * milliseconds(\"45m\"))",
        example_gives: "\"1h30m\"",
        hides: &[],
        call: duration_text,
    },
    Function {
        name: "bytes",
        parameters: &[Parameter {
            name: "size",
            takes: Takes::Size,
            optional: false,
            docs: "text such as `\"10MB\"`",
        }],
        gives: "a whole number",
        docs: "The bytes of a size.",
        kind: Kind::Pure,
        example: "bytes(\"64KiB\")",
        example_gives: "65536",
        hides: &[&[super::Exact::Text]],
        call: bytes,
    },
    Function {
        name: "size",
        parameters: &[Parameter {
            name: "bytes",
            takes: Takes::Size,
            optional: false,
            docs: "a whole number of bytes, or text such as `\"10000KB\"`",
        }],
        gives: "text",
        docs: "The shortest exact text of a size.",
        kind: Kind::Pure,
        example: "size(10 * 1000 * 1000)",
        example_gives: "\"10MB\"",
        hides: &[],
        call: size_text,
    },
    Function {
        name: "timestamp",
        parameters: &[Parameter {
            name: "time",
            takes: Takes::Timestamp,
            optional: false,
            docs: "RFC 3339 text, or milliseconds since 1970",
        }],
        gives: "a timestamp",
        docs: "A timestamp to compute with, from the text that actions return.",
        kind: Kind::Pure,
        example: "timestamp(\"2026-03-14T09:00:00Z\") + \"30m\"",
        example_gives: "\"2026-03-14T09:30:00Z\"",
        hides: &[],
        call: timestamp,
    },
];

fn number(value: u64) -> Result<Dynamic, Error> {
    i64::try_from(value)
        .map(Dynamic::from_int)
        .map_err(|_| thrown::mistake(format!("{value} is too large"), None))
}

fn size(value: &Dynamic) -> Result<u64, Error> {
    match value.as_int() {
        Ok(bytes) => u64::try_from(bytes).map_err(|_| {
            thrown::mistake(format!("{bytes} is negative, and a size never is"), None)
        }),
        Err(_) => units::parse_size(&text(value))
            .map_err(|error| thrown::mistake(error.to_string(), None)),
    }
}

fn seconds(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let milliseconds = duration(arguments[0])?;
    if milliseconds % 1000 != 0 {
        let text = units::format_duration(milliseconds);
        return Err(thrown::mistake(
            format!("`{text}` is no whole number of seconds"),
            Some("use `milliseconds`"),
        ));
    }
    number(milliseconds / 1000)
}

fn milliseconds(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    number(duration(arguments[0])?)
}

fn duration_text(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Ok(units::format_duration(duration(arguments[0])?).into())
}

fn bytes(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    number(size(arguments[0])?)
}

fn size_text(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Ok(units::format_size(size(arguments[0])?).into())
}

fn timestamp(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    if arguments[0].is::<Timestamp>() {
        return Ok(arguments[0].flatten_clone());
    }
    let time = match arguments[0].as_int() {
        Ok(milliseconds) => Timestamp::from_milliseconds(milliseconds).ok_or_else(|| {
            thrown::mistake(
                "the time is outside the years -9999 to 9999".to_owned(),
                None,
            )
        }),
        Err(_) => Timestamp::parse(&text(arguments[0]))
            .map_err(|error| thrown::mistake(error.to_string(), None)),
    };
    time.map(Dynamic::from)
}
