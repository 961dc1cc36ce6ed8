//! Functions that reach out of the script: connections, secrets, the clock, waiting.

use cordon_contract::{SecretReference, Value, name, units};
use rhai::{Dynamic, NativeCallContext};

use super::{Exact, Function, Kind, Parameter, Takes};
use crate::scope::Scope;
use crate::step::{Pause, Step};
use crate::thrown::{self, Error};
use crate::timestamp::Timestamp;
use crate::value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "connection",
        parameters: &[Parameter {
            name: "alias",
            takes: Takes::Text,
            optional: false,
            docs: "a name in `uses` of the header that stands for one connection",
        }],
        gives: "the connection",
        docs: "The connection that is bound to the alias. Its actions are its methods.",
        kind: Kind::Pure,
        example: "let edr = connection(\"edr\");\nto_string(edr)",
        example_gives: "\"kata-1\"",
        hides: &[],
        call: connection,
    },
    Function {
        name: "connections",
        parameters: &[Parameter {
            name: "alias",
            takes: Takes::Text,
            optional: false,
            docs: "a name in `uses` of the header; one that stands for many is written `[\"isolation\"]` there",
        }],
        gives: "a list of connections",
        docs: "All connections that are bound to the alias.",
        kind: Kind::Pure,
        example: "connections(\"edrs\").map(|edr| to_string(edr))",
        example_gives: "[\"kata-1\",\"kata-2\"]",
        hides: &[],
        call: connections,
    },
    Function {
        name: "secret",
        parameters: &[Parameter {
            name: "name",
            takes: Takes::Text,
            optional: false,
            docs: "the name of a secret of the connection that will use it",
        }],
        gives: "a reference to the secret",
        docs: "A secret to pass to an action. The script never holds its value: what it holds shows only the name.",
        kind: Kind::Pure,
        example: "let password = secret(\"archive_password\");\npassword",
        example_gives: "{\"$secret\":\"archive_password\"}",
        hides: &[],
        call: secret,
    },
    Function {
        name: "now",
        parameters: &[],
        gives: "a timestamp",
        docs: "The time. Timestamps take durations (`now() - \"1h\"`), compare with each other and with the times that actions return, and give the duration between two (`now() - start`).",
        kind: Kind::Step,
        example: "let start = now();\nstart > start - \"1h\"",
        example_gives: "true",
        hides: &[],
        call: now,
    },
    Function {
        name: "uuid",
        parameters: &[],
        gives: "text",
        docs: "A fresh UUID. The same when the run is taken up again.",
        kind: Kind::Step,
        example: "let id = uuid();\nid.len()",
        example_gives: "36",
        hides: &[],
        call: uuid,
    },
    Function {
        name: "sleep",
        parameters: &[Parameter {
            name: "duration",
            takes: Takes::Duration,
            optional: false,
            docs: "how long",
        }],
        gives: "",
        docs: "Waits. To wait for something to happen, use `poll`.",
        kind: Kind::Step,
        example: "sleep(\"5s\");",
        example_gives: "",
        hides: &[&[Exact::Integer], &[Exact::Float]],
        call: sleep,
    },
];

/// The scope of the thread; an error outside of a run, where only checks and tests can get.
pub(crate) fn scope() -> Result<std::rc::Rc<Scope>, Error> {
    Scope::current().ok_or_else(|| thrown::mistake("this works in a run only".to_owned(), None))
}

pub(super) fn text(value: &Dynamic) -> String {
    match value.as_char() {
        Ok(character) => character.to_string(),
        Err(_) => value
            .clone()
            .into_immutable_string()
            .map(|text| text.to_string())
            .unwrap_or_default(),
    }
}

/// Milliseconds of a duration as a script writes it.
pub(super) fn duration(value: &Dynamic) -> Result<u64, Error> {
    match value.as_int() {
        Ok(milliseconds) => u64::try_from(milliseconds).map_err(|_| {
            thrown::mistake(
                format!("{milliseconds} is negative, and a duration never is"),
                None,
            )
        }),
        Err(_) => units::parse_duration(&text(value))
            .map_err(|error| thrown::mistake(error.to_string(), None)),
    }
}

/// The value that a script hands out; an error naming the part that is none.
pub(super) fn given(what: &str, given: &Dynamic) -> Result<Value, Error> {
    value::from_script(given).map_err(|error| thrown::mistake(format!("{what}: {error}"), None))
}

fn connection(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let alias = text(arguments[0]);
    let scope = scope()?;
    let bound = bound(&scope, &alias)?;
    match bound {
        [connection] => Ok(Dynamic::from(connection.clone())),
        _ => Err(thrown::mistake(
            format!(
                "the alias `{alias}` stands for {} connections, not for one",
                bound.len()
            ),
            Some("read them with `connections`"),
        )),
    }
}

fn connections(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let scope = scope()?;
    let bound = bound(&scope, &text(arguments[0]))?;
    Ok(Dynamic::from_array(
        bound.iter().cloned().map(Dynamic::from).collect(),
    ))
}

fn bound<'a>(scope: &'a Scope, alias: &str) -> Result<&'a [crate::bind::Connection], Error> {
    let bindings = scope.run().bindings();
    bindings.connections(alias).ok_or_else(|| {
        let help = match name::nearest(alias, bindings.aliases()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add `{alias}: \"…\"` to `uses` in the header"),
        };
        thrown::mistake(
            format!("`{alias}` is no alias of this playbook"),
            Some(&help),
        )
    })
}

fn secret(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    Ok(Dynamic::from(SecretReference::new(text(arguments[0]))))
}

fn now(_: &NativeCallContext, _: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let scope = scope()?;
    let time = scope.run().perform(&scope, "now", Step::Now)?;
    let time = time.as_text().map(Timestamp::parse);
    match time {
        Some(Ok(time)) => Ok(Dynamic::from(time)),
        _ => Err(thrown::mistake("the clock gave no time".to_owned(), None)),
    }
}

fn uuid(_: &NativeCallContext, _: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let scope = scope()?;
    Ok(value::to_script(&scope.run().perform(
        &scope,
        "uuid",
        Step::Uuid,
    )?))
}

fn sleep(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let scope = scope()?;
    let duration = std::time::Duration::from_millis(duration(arguments[0])?);
    scope.run().perform(
        &scope,
        "sleep",
        Step::Sleep {
            duration,
            reason: Pause::Sleep,
        },
    )?;
    Ok(Dynamic::UNIT)
}
