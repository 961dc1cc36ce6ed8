//! JSON, maps with missing names, and ending a run with the author's own words.

use cordon_contract::Value;
use rhai::{Dynamic, NativeCallContext};

use super::world::{given, text};
use super::{Exact, Function, Kind, Parameter, Takes};
use crate::thrown::{self, Error};
use crate::value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "fail",
        parameters: &[
            Parameter {
                name: "message",
                takes: Takes::Text,
                optional: false,
                docs: "what went wrong, for people",
            },
            Parameter {
                name: "details",
                takes: Takes::Any,
                optional: true,
                docs: "what belongs to it",
            },
        ],
        gives: "",
        docs: "Ends the run as failed, with the author's message. `catch` sees it with the kind `\"failed\"`.",
        kind: Kind::Pure,
        example: "try { fail(\"no such host\") } catch (e) { e.message }",
        example_gives: "",
        hides: &[],
        call: fail,
    },
    Function {
        name: "get",
        parameters: &[
            Parameter {
                name: "map",
                takes: Takes::Map,
                optional: false,
                docs: "where to look",
            },
            Parameter {
                name: "name",
                takes: Takes::Text,
                optional: false,
                docs: "the name of the field",
            },
            Parameter {
                name: "default",
                takes: Takes::Any,
                optional: true,
                docs: "what to give when it is not there",
            },
        ],
        gives: "the field, or the default",
        docs: "A field that may be missing. Reading a missing field as `map.name` is an error. A field that is there and holds `()` counts as missing.",
        kind: Kind::Pure,
        example: "let host = #{ name: \"ws-17\" };\nhost.get(\"owner\", \"nobody\")",
        example_gives: "\"nobody\"",
        hides: &[],
        call: get,
    },
    Function {
        name: "to_json",
        parameters: &[Parameter {
            name: "value",
            takes: Takes::Any,
            optional: false,
            docs: "any value but a function",
        }],
        gives: "text",
        docs: "One line of JSON.",
        kind: Kind::Pure,
        example: "to_json(#{ host: \"ws-17\", tags: [1, 2] })",
        example_gives: "\"{\\\"host\\\":\\\"ws-17\\\",\\\"tags\\\":[1,2]}\"",
        hides: &[],
        call: to_json,
    },
    Function {
        name: "parse_json",
        parameters: &[Parameter {
            name: "text",
            takes: Takes::Text,
            optional: false,
            docs: "JSON",
        }],
        gives: "the value",
        docs: "The value of JSON text. A whole number that is too large for a script becomes its digits as text.",
        kind: Kind::Pure,
        example: "parse_json(`{\"host\": \"ws-17\"}`).host",
        example_gives: "\"ws-17\"",
        hides: &[&[Exact::Text]],
        call: parse_json,
    },
];

fn fail(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let details = arguments.get(1).map_or(Ok(Value::Null), |details| {
        given("`details` of `fail`", details)
    })?;
    Err(thrown::failed(text(arguments[0]), details))
}

fn get(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let name = text(arguments[1]);
    let found = arguments[0]
        .read_lock::<rhai::Map>()
        .and_then(|map| map.get(name.as_str()).cloned());
    let missing = || {
        arguments
            .get(2)
            .map_or(Dynamic::UNIT, |default| default.flatten_clone())
    };
    Ok(found
        .filter(|found| !found.is_unit())
        .unwrap_or_else(missing))
}

fn to_json(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Ok(given("`to_json`", arguments[0])?.to_json().into())
}

fn parse_json(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let value = Value::from_json(&text(arguments[0]))
        .map_err(|error| thrown::mistake(format!("the text is no JSON: {error}"), None))?;
    Ok(value::to_script(&value))
}
