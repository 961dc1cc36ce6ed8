//! `call_playbook`: another playbook as a step of this one.

use std::collections::BTreeMap;

use cordon_contract::value::Map;
use rhai::{Dynamic, NativeCallContext};

use super::flow::option;
use super::world::{scope, text};
use super::{Choice, Function, Kind, Parameter, Takes};
use crate::bind::Connection;
use crate::step::Step;
use crate::thrown::{self, Error};
use crate::value;

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "call_playbook",
    parameters: &[
        Parameter {
            name: "name",
            takes: Takes::Text,
            optional: false,
            docs: "the name of the playbook",
        },
        Parameter {
            name: "input",
            takes: Takes::Map,
            optional: true,
            docs: "its inputs",
        },
        Parameter {
            name: "options",
            takes: Takes::Options(&[Choice {
                name: "connect",
                takes: Takes::Map,
                default: "as for a run that a person starts",
                docs: "which connections its aliases stand for: a name or a connection, or a list of them, by alias",
            }]),
            optional: true,
            docs: "on what",
        },
    ],
    gives: "the result of its run",
    docs: "Runs another playbook and waits for its end. It has a run of its own, with its own limits. When that fails, so does this step.",
    kind: Kind::Step,
    example: "call_playbook(\"release_host\", #{ host: \"ws-17\" }, #{ connect: #{ edr: \"kata-1\" } });",
    example_gives: "",
    hides: &[],
    call: call_playbook,
}];

fn call_playbook(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let name = text(arguments[0]);
    if name.trim().is_empty() {
        let message = "`name` of `call_playbook` is empty".to_owned();
        return Err(thrown::mistake(message, None));
    }
    let input = match arguments.get(1).map(|input| input.flatten_clone()) {
        None => Map::new(),
        Some(input) => value::map_from_script(&map(&input)).map_err(|error| {
            thrown::mistake(format!("`input` of `call_playbook`: {error}"), None)
        })?,
    };
    let connect = option(arguments, 2, "connect")
        .map(|connect| connections(&map(&connect)))
        .transpose()?
        .unwrap_or_default();
    let step = Step::Playbook {
        name,
        input,
        connect,
    };
    let scope = scope()?;
    let result = scope.run().perform(&scope, "call_playbook", step)?;
    Ok(value::to_script(&result))
}

fn map(value: &Dynamic) -> rhai::Map {
    value
        .read_lock::<rhai::Map>()
        .map(|map| map.clone())
        .unwrap_or_default()
}

fn connections(connect: &rhai::Map) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let one = |alias: &str, given: &Dynamic| {
        let given = given.flatten_clone();
        if let Some(connection) = given.read_lock::<Connection>() {
            return Ok(connection.name().to_owned());
        }
        match given.is_string() {
            true => Ok(text(&given)),
            false => Err(thrown::mistake(
                format!(
                    "`connect` of `call_playbook`: `{alias}` needs the name of a connection or a list of names, got {}",
                    value::kind(&given)
                ),
                Some("write it as #{ connect: #{ edr: \"kata-1\" } }"),
            )),
        }
    };
    connect
        .iter()
        .map(|(alias, given)| {
            let given = given.flatten_clone();
            let names = match given.read_lock::<rhai::Array>() {
                Some(list) => list
                    .iter()
                    .map(|given| one(alias, given))
                    .collect::<Result<_, _>>()?,
                None => vec![one(alias, &given)?],
            };
            Ok((alias.to_string(), names))
        })
        .collect()
}
