//! The functions that the playbook language adds to Rhai's own, each defined once.
//!
//! One row says what a function is called, takes, gives and does, shows an example, and points to the
//! code. The engine registers the rows, the arguments of every call are checked against them, and
//! help, the guide, the checker and completion read them; none of these has a list of its own.

mod call;
mod composite;
mod data;
mod flow;
mod instead;
mod parallel;
mod people;
pub(crate) mod report;
mod undo;
mod units;
pub(crate) mod world;

use std::any::TypeId;
use std::sync::Arc;

use cordon_contract::name;
use rhai::{Dynamic, FuncRegistration, Module, NativeCallContext, RhaiFunc};

use crate::bind::Connection;
use crate::thrown::{self, Error};
use crate::timestamp::Timestamp;
use crate::value;

/// A function of the language.
pub struct Function {
    /// What it is called.
    pub name: &'static str,
    /// What it takes, in order; those that may be left out are last.
    pub parameters: &'static [Parameter],
    /// What it gives, for people; empty for nothing.
    pub gives: &'static str,
    /// What it does: a sentence, then what one must know to use it.
    pub docs: &'static str,
    /// Whether the run remembers it.
    pub kind: Kind,
    /// Lines that can stand in a `run` function.
    pub example: &'static str,
    /// What the example's last line comes to, as JSON; empty where that differs from run to run.
    pub example_gives: &'static str,
    /// The signatures of Rhai's own function of this name that this one stands in front of.
    pub(crate) hides: &'static [&'static [Exact]],
    pub(crate) call: Call,
}

/// The code of a function. Its arguments are what the row says.
pub(crate) type Call = fn(&NativeCallContext, &mut [&mut Dynamic]) -> Result<Dynamic, Error>;

/// A parameter of a function.
pub struct Parameter {
    /// What the docs call it.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// It may be left out.
    pub optional: bool,
    /// What it means.
    pub docs: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Copy)]
pub enum Takes {
    /// Any value.
    Any,
    /// Text.
    Text,
    /// `"2h"`, or a whole number of milliseconds.
    Duration,
    /// `"10MB"`, or a whole number of bytes.
    Size,
    /// RFC 3339 text, a whole number of milliseconds since 1970, or a timestamp.
    Timestamp,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list.
    List,
    /// A map.
    Map,
    /// A closure, written like this.
    Closure(&'static str),
    /// A map of options.
    Options(&'static [Choice]),
}

/// An option in a map of options.
pub struct Choice {
    /// The name in the map.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What holds when it is left out, as written; empty where it must be given.
    pub default: &'static str,
    /// What it means.
    pub docs: &'static str,
}

/// How a function relates to the run's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Computes: the same arguments give the same result, and nothing happens.
    Pure,
    /// A step: performed once and remembered.
    Step,
    /// A step made of steps: once finished, its result stands for all that happened inside.
    Composite,
    /// No step of its own: it calls a closure, and what is in that counts.
    Around,
}

/// A type of Rhai's own, in a signature that a function stands in front of.
#[derive(Clone, Copy)]
pub(crate) enum Exact {
    Integer,
    Float,
    Text,
}

/// All functions, in the order of the guide.
pub fn all() -> impl Iterator<Item = &'static Function> {
    [
        world::FUNCTIONS,
        report::FUNCTIONS,
        flow::FUNCTIONS,
        parallel::FUNCTIONS,
        people::FUNCTIONS,
        undo::FUNCTIONS,
        call::FUNCTIONS,
        units::FUNCTIONS,
        data::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// The function of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

impl Function {
    /// `poll(look, done, options?) -> the last value looked at`
    #[must_use]
    pub fn signature(&self) -> String {
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|parameter| {
                format!(
                    "{}{}",
                    parameter.name,
                    if parameter.optional { "?" } else { "" }
                )
            })
            .collect();
        let gives = if self.gives.is_empty() {
            String::new()
        } else {
            format!(" -> {}", self.gives)
        };
        format!("{}({}){gives}", self.name, parameters.join(", "))
    }

    /// Whether its closures work on copies of what they capture, so that what they do to it is lost.
    #[must_use]
    pub fn copies(&self) -> bool {
        self.kind == Kind::Composite || self.name == "undo"
    }

    /// Markdown for help and the guide: signature, docs, parameters, options, example.
    #[must_use]
    pub fn help(&self) -> String {
        let mut text = format!("### `{}`\n\n{}\n", self.signature(), self.docs);
        match self.kind {
            Kind::Pure => text.push_str("No step: it only computes.\n"),
            Kind::Around => text.push_str("No step of its own: what its closure does counts.\n"),
            Kind::Step | Kind::Composite => {}
        }
        for parameter in self.parameters {
            text.push_str(&format!(
                "\n- `{}` ({}): {}",
                parameter.name,
                parameter.takes.name(),
                parameter.docs
            ));
            if let Takes::Options(choices) = parameter.takes {
                for choice in choices {
                    let (name, takes) = (choice.name, choice.takes.name());
                    let otherwise = match choice.default {
                        "" => "needed".to_owned(),
                        default => format!("else {default}"),
                    };
                    text.push_str(&format!(
                        "\n  - `{name}` ({takes}, {otherwise}): {}",
                        choice.docs
                    ));
                }
            }
        }
        let gap = if self.parameters.is_empty() { "" } else { "\n" };
        let result = if self.example_gives.is_empty() {
            String::new()
        } else {
            format!("    // gives {}", self.example_gives)
        };
        format!("{text}{gap}\n```rhai\n{}{result}\n```\n", self.example)
    }

    fn check(&self, arguments: &[&mut Dynamic]) -> Result<(), Error> {
        for (parameter, argument) in self.parameters.iter().zip(arguments) {
            let place = || format!("`{}` of `{}`", parameter.name, self.name);
            if !parameter.takes.accepts(argument) {
                let what = parameter.takes.name();
                let message = format!("{} needs {what}, got {}", place(), value::kind(argument));
                return Err(thrown::mistake(
                    message,
                    Some(&format!("write it as {}", self.signature())),
                ));
            }
            if let Takes::Options(choices) = parameter.takes {
                check_options(
                    &place(),
                    choices,
                    &argument
                        .read_lock::<rhai::Map>()
                        .map(|map| map.clone())
                        .unwrap_or_default(),
                )?;
            }
        }
        Ok(())
    }
}

fn check_options(place: &str, choices: &[Choice], given: &rhai::Map) -> Result<(), Error> {
    for (name, value) in given {
        let Some(choice) = choices.iter().find(|choice| choice.name == name.as_str()) else {
            let names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
            let help = match name::nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are `{}`", names.join("`, `")),
            };
            return Err(thrown::mistake(
                format!("`{name}` is no option in {place}"),
                Some(&help),
            ));
        };
        if !choice.takes.accepts(value) {
            let message = format!(
                "the option `{name}` in {place} needs {}, got {}",
                choice.takes.name(),
                value::kind(value)
            );
            return Err(thrown::mistake(message, None));
        }
    }
    let missing = choices
        .iter()
        .find(|choice| choice.default.is_empty() && !given.contains_key(choice.name));
    match missing {
        Some(missing) => Err(thrown::mistake(
            format!("{place} needs `{}`, {}", missing.name, missing.takes.name()),
            None,
        )),
        None => Ok(()),
    }
}

impl Takes {
    /// What a person calls it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Any => "any value".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Duration => "a duration such as \"2h\"".to_owned(),
            Self::Size => "a size such as \"10MB\"".to_owned(),
            Self::Timestamp => "a time such as \"2026-03-14T09:21:37Z\"".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::List => "a list".to_owned(),
            Self::Map => "a map".to_owned(),
            Self::Closure(written) => format!("a closure, `{written}`"),
            Self::Options(_) => "a map of options".to_owned(),
        }
    }

    /// Whether the value is of the right sort. What a text says is the function's own affair.
    fn accepts(self, value: &Dynamic) -> bool {
        let is_text = || value.is::<rhai::ImmutableString>() || value.is_char();
        match self {
            Self::Any => true,
            Self::Text => is_text(),
            Self::Duration | Self::Size => is_text() || value.is_int(),
            Self::Timestamp => is_text() || value.is_int() || value.is::<Timestamp>(),
            Self::Integer => value.is_int(),
            Self::Boolean => value.is_bool(),
            Self::List => value.is_array(),
            Self::Map | Self::Options(_) => value.is_map(),
            Self::Closure(_) => value.is_fnptr(),
        }
    }
}

impl Exact {
    fn type_id(self) -> TypeId {
        match self {
            Self::Integer => TypeId::of::<rhai::INT>(),
            Self::Float => TypeId::of::<rhai::FLOAT>(),
            Self::Text => TypeId::of::<rhai::ImmutableString>(),
        }
    }
}

/// Puts every function into a module for the engine.
pub(crate) fn register(module: &mut Module) {
    module.set_custom_type::<Connection>("connection");
    instead::register(module);
    for function in all() {
        let required = function
            .parameters
            .iter()
            .filter(|parameter| !parameter.optional)
            .count();
        let any = (required..=function.parameters.len())
            .map(|count| vec![TypeId::of::<Dynamic>(); count]);
        let exact = function
            .hides
            .iter()
            .map(|types| types.iter().map(|exact| exact.type_id()).collect());
        for types in any.chain(exact) {
            let call = move |context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]| {
                let context = context
                    .ok_or_else(|| thrown::mistake("called without a run".to_owned(), None))?;
                function.check(arguments)?;
                (function.call)(&context, arguments)
            };
            let code = RhaiFunc::Method {
                func: Arc::new(call),
                has_context: true,
                // No function changes its first argument, so that may be a constant.
                is_pure: true,
                is_volatile: function.kind != Kind::Pure,
            };
            FuncRegistration::new(function.name)
                .in_global_namespace()
                .set_into_module_raw(module, types, code);
        }
    }
}
