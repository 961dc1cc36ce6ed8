//! `approve` and `ask`: waiting for people.

use cordon_contract::Value;
use rhai::{Dynamic, NativeCallContext};

use super::flow::option;
use super::world::{duration, given, scope, text};
use super::{Choice, Function, Kind, Parameter, Takes};
use crate::input::{self, Given};
use crate::step::{Approval, Question, Step};
use crate::thrown::{self, Error};
use crate::value;

const APPROVERS_MAX: u32 = 100;

const EXPIRES: Choice = Choice {
    name: "expires",
    takes: Takes::Duration,
    default: "as long as the run may take",
    docs: "how long to wait",
};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "approve",
        parameters: &[Parameter {
            name: "request",
            takes: Takes::Options(&[
                Choice {
                    name: "message",
                    takes: Takes::Text,
                    default: "",
                    docs: "what is to be approved, for people",
                },
                Choice {
                    name: "role",
                    takes: Takes::Text,
                    default: "everybody may",
                    docs: "who may approve",
                },
                EXPIRES,
                Choice {
                    name: "approvers",
                    takes: Takes::Integer,
                    default: "`1`",
                    docs: "how many different people must approve",
                },
                Choice {
                    name: "four_eyes",
                    takes: Takes::Boolean,
                    default: "`false`",
                    docs: "whether the person who started the run does not count",
                },
            ]),
            optional: false,
            docs: "what, by whom",
        }],
        gives: "a map with `approved_by`, a list of `who`, `at` and `comment`",
        docs: "Waits until people agree. A refusal fails with the kind `\"forbidden\"`, running out of time with `\"timeout\"`.",
        kind: Kind::Step,
        example: "let approval = approve(#{ message: \"Isolate ws-17?\", role: \"approver\", expires: \"4h\" });\napproval.approved_by.len()",
        example_gives: "1",
        hides: &[],
        call: approve,
    },
    Function {
        name: "ask",
        parameters: &[Parameter {
            name: "question",
            takes: Takes::Options(&[
                Choice {
                    name: "message",
                    takes: Takes::Text,
                    default: "",
                    docs: "the question, for people",
                },
                Choice {
                    name: "choices",
                    takes: Takes::List,
                    default: "what `type` says",
                    docs: "the answers that there are",
                },
                Choice {
                    name: "type",
                    takes: Takes::Text,
                    default: "`\"string\"`",
                    docs: "the type of the answer, as a header names the types of inputs",
                },
                EXPIRES,
                Choice {
                    name: "default",
                    takes: Takes::Any,
                    default: "none",
                    docs: "what holds when nobody answers in time",
                },
            ]),
            optional: false,
            docs: "what, and what an answer is",
        }],
        gives: "the answer",
        docs: "Waits until a person answers. Running out of time gives the default, or fails with the kind `\"timeout\"` where there is none.",
        kind: Kind::Step,
        example: "let depth = ask(#{ message: \"How deep to scan ws-17?\", choices: [\"quick\", \"full\"], expires: \"1h\", default: \"quick\" });\ndepth",
        example_gives: "\"quick\"",
        hides: &[],
        call: ask,
    },
];

fn approve(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let approvers = option(arguments, 0, "approvers").and_then(|count| count.as_int().ok());
    let approvers = match approvers {
        None => 1,
        Some(count) => u32::try_from(count)
            .ok()
            .filter(|count| (1..=APPROVERS_MAX).contains(count))
            .ok_or_else(|| {
                let message =
                    format!("`approvers` of `approve`: {count} is not in 1..={APPROVERS_MAX}");
                thrown::mistake(message, None)
            })?,
    };
    let approval = Approval {
        message: message("approve", arguments)?,
        role: option(arguments, 0, "role").map(|role| text(&role)),
        expires_ms: expires(arguments)?,
        approvers,
        four_eyes: option(arguments, 0, "four_eyes").is_some_and(|yes| yes.as_bool() == Ok(true)),
    };
    answered("approve", Step::Approve(approval))
}

fn ask(_: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let choices = option(arguments, 0, "choices").map(|choices| texts(&choices));
    let takes = option(arguments, 0, "type").map(|takes| text(&takes));
    if choices.is_some() && takes.is_some() {
        let message = "`ask` takes `choices` or `type`, not both";
        return Err(thrown::mistake(message.to_owned(), None));
    }
    let mut question = Question {
        message: message("ask", arguments)?,
        choices: choices.transpose()?.unwrap_or_default(),
        takes,
        expires_ms: expires(arguments)?,
        default: None,
    };
    input::answer_type(&question).map_err(|(message, help)| {
        thrown::mistake(format!("`type` of `ask`: {message}"), help.as_deref())
    })?;
    if let Some(default) = option(arguments, 0, "default").filter(|default| !default.is_unit()) {
        let default = given("`default` of `ask`", &default)?;
        let default = input::accept_answer(&question, Given::Value(default))
            .map_err(|error| thrown::mistake(format!("`default` of `ask`: {error}"), None))?;
        question.default = Some(default);
    }
    answered("ask", Step::Ask(question))
}

fn answered(what: &str, step: Step) -> Result<Dynamic, Error> {
    let scope = scope()?;
    let answer: Value = scope.run().perform(&scope, what, step)?;
    Ok(value::to_script(&answer))
}

fn message(function: &str, arguments: &[&mut Dynamic]) -> Result<String, Error> {
    let message = option(arguments, 0, "message").map_or(String::new(), |message| text(&message));
    match message.trim() {
        "" => Err(thrown::mistake(
            format!("`message` of `{function}` is empty, and a person must know what it is about"),
            None,
        )),
        _ => Ok(message),
    }
}

fn expires(arguments: &[&mut Dynamic]) -> Result<Option<u64>, Error> {
    option(arguments, 0, "expires")
        .map(|expires| duration(&expires))
        .transpose()
}

/// The choices: at least one, each of them text.
fn texts(choices: &Dynamic) -> Result<Vec<String>, Error> {
    let wrong = |message: &str| thrown::mistake(format!("`choices` of `ask`: {message}"), None);
    let list = choices.clone().into_array().unwrap_or_default();
    if list.is_empty() {
        return Err(wrong("there is none"));
    }
    let texts = list
        .iter()
        .map(|choice| match choice.is_string() || choice.is_char() {
            true => Ok(text(choice)),
            false => Err(wrong(&format!("{} is no text", value::kind(choice)))),
        });
    texts.collect()
}
