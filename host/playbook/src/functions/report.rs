//! What a script tells the people who watch the run or read its result.

use rhai::{Dynamic, NativeCallContext};

use super::world::{given, scope, text};
use super::{Exact, Function, Kind, Parameter, Takes};
use crate::step::{LogLevel, Step};
use crate::thrown::{self, Error};

/// The longest name of an artifact: it may become the name of a file.
const ARTIFACT_NAME_MAX: usize = 100;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "log",
        parameters: &[
            Parameter {
                name: "message",
                takes: Takes::Any,
                optional: false,
                docs: "the line",
            },
            Parameter {
                name: "level",
                takes: Takes::Text,
                optional: true,
                docs: "`\"debug\"`, `\"info\"` (the default), `\"warn\"` or `\"error\"`",
            },
        ],
        gives: "",
        docs: "Writes a line to the log of the run. `print` does the same, `debug` with the level `debug`.",
        kind: Kind::Step,
        example: "log(\"the agent is older than we support\", \"warn\");",
        example_gives: "",
        hides: &[&[Exact::Float]],
        call: log,
    },
    Function {
        name: "progress",
        parameters: &[
            Parameter {
                name: "message",
                takes: Takes::Text,
                optional: false,
                docs: "what is going on",
            },
            Parameter {
                name: "percent",
                takes: Takes::Integer,
                optional: true,
                docs: "how far it is, 0 to 100",
            },
        ],
        gives: "",
        docs: "Tells whoever watches the run how far it is.",
        kind: Kind::Step,
        example: "progress(\"waiting for the collector\", 60);",
        example_gives: "",
        hides: &[],
        call: progress,
    },
    Function {
        name: "note",
        parameters: &[
            Parameter {
                name: "title",
                takes: Takes::Text,
                optional: false,
                docs: "what it is",
            },
            Parameter {
                name: "value",
                takes: Takes::Any,
                optional: false,
                docs: "what was found",
            },
        ],
        gives: "",
        docs: "Keeps a finding with the result of the run, for the person who reads it.",
        kind: Kind::Step,
        example: "note(\"hosts without an agent\", [\"ws-17\", \"ws-23\"]);",
        example_gives: "",
        hides: &[],
        call: note,
    },
    Function {
        name: "artifact",
        parameters: &[
            Parameter {
                name: "name",
                takes: Takes::Text,
                optional: false,
                docs: "up to 100 letters, digits, `.`, `_` and `-`, a letter or digit first",
            },
            Parameter {
                name: "value",
                takes: Takes::Any,
                optional: false,
                docs: "what to keep",
            },
        ],
        gives: "",
        docs: "Keeps a named result with the run, to be fetched by its name. A later one of the same name replaces it.",
        kind: Kind::Step,
        example: "artifact(\"sensors.json\", [#{ sensor_id: \"S-1\", host: \"ws-17\" }]);",
        example_gives: "",
        hides: &[],
        call: artifact,
    },
];

fn log(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let level = match arguments.get(1).map(|level| text(level)).as_deref() {
        None | Some("info") => LogLevel::Info,
        Some("debug") => LogLevel::Debug,
        Some("warn") => LogLevel::Warn,
        Some("error") => LogLevel::Error,
        Some(other) => {
            let help =
                "it is `log(message, level)` with \"debug\", \"info\", \"warn\" or \"error\"";
            return Err(thrown::mistake(
                format!("\"{other}\" is no level of the log"),
                Some(help),
            ));
        }
    };
    let message = match arguments[0].is_string() || arguments[0].is_char() {
        true => text(arguments[0]),
        false => given("`log`", arguments[0])?.to_json(),
    };
    line(level, message)
}

/// A line for the log of the run.
pub(crate) fn line(level: LogLevel, message: String) -> Result<Dynamic, Error> {
    let scope = scope()?;
    scope
        .run()
        .perform(&scope, "log", Step::Log { level, message })?;
    Ok(Dynamic::UNIT)
}

fn progress(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let percent = match arguments.get(1).and_then(|percent| percent.as_int().ok()) {
        None => None,
        Some(percent) => match u8::try_from(percent) {
            Ok(percent) if percent <= 100 => Some(percent),
            _ => {
                return Err(thrown::mistake(
                    format!("{percent} is not in 0..=100"),
                    None,
                ));
            }
        },
    };
    let scope = scope()?;
    let message = text(arguments[0]);
    scope
        .run()
        .perform(&scope, "progress", Step::Progress { message, percent })?;
    Ok(Dynamic::UNIT)
}

fn note(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let scope = scope()?;
    let value = given("`value` of `note`", arguments[1])?;
    scope.run().perform(
        &scope,
        "note",
        Step::Note {
            title: text(arguments[0]),
            value,
        },
    )?;
    Ok(Dynamic::UNIT)
}

fn artifact(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let name = text(arguments[0]);
    let is_letter = |c: char| c.is_ascii_alphanumeric();
    let is_name = name.starts_with(is_letter)
        && name.len() <= ARTIFACT_NAME_MAX
        && name
            .chars()
            .all(|c| is_letter(c) || matches!(c, '.' | '_' | '-'));
    if !is_name {
        return Err(thrown::mistake(
            format!("\"{name}\" is no name of an artifact"),
            Some("write up to 100 letters, digits, `.`, `_` and `-`, a letter or digit first"),
        ));
    }
    let value = given("`value` of `artifact`", arguments[1])?;
    let scope = scope()?;
    scope
        .run()
        .perform(&scope, "artifact", Step::Artifact { name, value })?;
    Ok(Dynamic::UNIT)
}
