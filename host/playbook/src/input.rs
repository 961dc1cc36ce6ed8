//! The inputs of a playbook: their types, and values from the command line or from JSON as the types
//! want them.

use std::collections::BTreeMap;
use std::fmt;

use cordon_contract::value::Map;
use cordon_contract::{SecretReference, Type, Value, conform, name};

use crate::header::Header;
use crate::place::Place;
use crate::step::Question;

/// An input that the header declares.
#[derive(Debug, Clone)]
pub struct Input {
    /// The name in the script.
    pub name: String,
    /// What it takes.
    pub r#type: InputType,
    /// A run must be given it.
    pub required: bool,
    /// What it is when it is not given, in the form that scripts see; `()` when there is none.
    pub default: Option<Value>,
    /// For the person who fills it in.
    pub help: String,
    /// Where the header declares it.
    pub place: Option<Place>,
}

/// What an input takes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum InputType {
    String,
    Integer,
    Number,
    Boolean,
    Duration,
    Size,
    Timestamp,
    Map,
    Secret,
    Choice(Vec<String>),
    List(Box<InputType>),
}

/// What a person or a program gave for an input.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Text of the command line: `3`, `2h`, `a,b`, `["a", "b"]`.
    Text(String),
    /// A value that has a type already: JSON, or another playbook's.
    Value(Value),
}

/// What is wrong with one input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The header has no such input.
    #[error("`{name}` is no input of this playbook; {help}")]
    Unknown {
        /// What was given.
        name: String,
        /// The nearest right name, or all.
        help: String,
    },
    /// A required input was not given.
    #[error("the input `{name}` is missing; it takes {takes}")]
    Missing {
        /// Which.
        name: String,
        /// What it takes.
        takes: String,
    },
    /// The value is not of the type.
    #[error("the input `{name}`: {problem}")]
    Wrong {
        /// Which.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl InputError {
    /// The page that explains it: see [`crate::CODES`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "playbook.input"
    }

    /// The name of the input.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Unknown { name, .. } | Self::Missing { name, .. } | Self::Wrong { name, .. } => {
                name
            }
        }
    }
}

/// The names of all types but lists, as the header writes them.
const NAMES: [(&str, InputType); 9] = [
    ("string", InputType::String),
    ("integer", InputType::Integer),
    ("number", InputType::Number),
    ("boolean", InputType::Boolean),
    ("duration", InputType::Duration),
    ("size", InputType::Size),
    ("timestamp", InputType::Timestamp),
    ("map", InputType::Map),
    ("secret", InputType::Secret),
];

impl InputType {
    /// The type that the header names; else a message and what to do.
    pub(crate) fn parse(text: &str, choices: &[String]) -> Result<Self, (String, Option<String>)> {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix("list of ") {
            return Self::parse(inner, choices).map(|inner| Self::List(Box::new(inner)));
        }
        if text == "choice" {
            let help = "name them: `#{ type: \"choice\", choices: [\"a\", \"b\"] }`";
            return match choices {
                [] => Err((
                    "a choice needs its `choices`".to_owned(),
                    Some(help.to_owned()),
                )),
                choices => Ok(Self::Choice(choices.to_vec())),
            };
        }
        if !choices.is_empty() {
            return Err(("`choices` belong to the type \"choice\"".to_owned(), None));
        }
        if text.is_empty() {
            return Err((
                "it has no type".to_owned(),
                Some("write `#{ type: \"string\" }`".to_owned()),
            ));
        }
        let known = NAMES
            .iter()
            .map(|(name, _)| *name)
            .chain(["choice", "list of string"]);
        NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, parsed)| parsed.clone())
            .ok_or_else(|| {
                let help = match name::nearest(text, known.clone()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("there are \"{}\"", known.collect::<Vec<_>>().join("\", \"")),
                };
                (format!("\"{text}\" is no type"), Some(help))
            })
    }

    /// The value of this type that was given, in the form that scripts see.
    ///
    /// # Errors
    /// What is wrong with it, reading well after the input's name and a colon.
    pub fn convert(&self, given: &Given) -> Result<Value, String> {
        match given {
            Given::Text(text) => self.of_text(text),
            Given::Value(value) => self.of_value(value),
        }
    }

    fn of_text(&self, text: &str) -> Result<Value, String> {
        match self {
            Self::String => Ok(Value::text(text)),
            Self::Integer => match text.trim().parse::<i64>() {
                Ok(number) => Ok(Value::from(number)),
                Err(_) => Err(format!("needs a whole number, got \"{text}\"")),
            },
            Self::Number => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Value::Float(number)),
                _ => Err(format!("needs a number, got \"{text}\"")),
            },
            Self::Boolean => match text.trim() {
                "true" | "yes" => Ok(Value::Bool(true)),
                "false" | "no" => Ok(Value::Bool(false)),
                _ => Err(format!("needs `true` or `false`, got \"{text}\"")),
            },
            Self::Secret => self.of_value(&Value::text(text.trim())),
            Self::Duration | Self::Size | Self::Timestamp | Self::Choice(_) => {
                self.of_value(&Value::text(text))
            }
            Self::Map => match Value::from_json(text) {
                Ok(value @ Value::Map(_)) => Ok(value),
                Ok(other) => Err(format!(
                    "needs a map as JSON, such as {{\"a\": 1}}, got {}",
                    other.kind()
                )),
                Err(error) => Err(format!("is no JSON: {error}")),
            },
            Self::List(_) if text.trim_start().starts_with('[') => match Value::from_json(text) {
                Ok(value) => self.of_value(&value),
                Err(error) => Err(format!("is no JSON: {error}")),
            },
            Self::List(_) if text.trim().is_empty() => Ok(Value::List(Vec::new())),
            Self::List(inner) => {
                let one = |(index, text): (usize, &str)| {
                    inner
                        .of_text(text.trim())
                        .map_err(|error| format!("[{index}]: {error}"))
                };
                text.split(',')
                    .enumerate()
                    .map(one)
                    .collect::<Result<_, _>>()
                    .map(Value::List)
            }
        }
    }

    fn of_value(&self, value: &Value) -> Result<Value, String> {
        let typed = |r#type: Type| conform(value, &r#type).map_err(|error| error.to_string());
        let written = |r#type: Type| {
            typed(r#type.clone()).map(|exact| cordon_contract::conform::present(&exact, &r#type))
        };
        match self {
            Self::String => typed(Type::Text),
            Self::Integer => typed(Type::Integer(cordon_contract::types::Width::S64)),
            Self::Number => typed(Type::F64),
            Self::Boolean => typed(Type::Bool),
            Self::Duration => written(Type::Duration),
            Self::Size => written(Type::Size),
            Self::Timestamp => written(Type::Timestamp),
            Self::Map => match value {
                Value::Map(_) => Ok(value.clone()),
                other => Err(format!("needs a map, got {}", other.kind())),
            },
            Self::Secret => match value {
                Value::Secret(_) => Ok(value.clone()),
                Value::Text(text) if !text.is_empty() => {
                    Ok(Value::Secret(SecretReference::new(text)))
                }
                // What was given may be a secret in the wrong place, so it is not shown.
                other => Err(format!("needs the name of a secret, got {}", other.kind())),
            },
            Self::Choice(choices) => match value {
                Value::Text(text) if choices.contains(text) => Ok(value.clone()),
                Value::Text(text) => Err(
                    match name::nearest(text, choices.iter().map(String::as_str)) {
                        Some(near) => format!("\"{text}\" is no choice; did you mean \"{near}\"?"),
                        None => format!(
                            "\"{text}\" is no choice; it is one of \"{}\"",
                            choices.join("\", \"")
                        ),
                    },
                ),
                other => Err(format!(
                    "needs one of \"{}\", got {}",
                    choices.join("\", \""),
                    other.kind()
                )),
            },
            Self::List(inner) => match value {
                Value::List(values) => values
                    .iter()
                    .enumerate()
                    .map(|(index, value)| {
                        inner
                            .of_value(value)
                            .map_err(|error| format!("[{index}]: {error}"))
                    })
                    .collect::<Result<_, _>>()
                    .map(Value::List),
                other => Err(format!("needs a list, got {}", other.kind())),
            },
        }
    }
}

/// As the header writes it, choices spelt out.
impl fmt::Display for InputType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(choices) => write!(f, "one of \"{}\"", choices.join("\", \"")),
            Self::List(inner) => write!(f, "list of {inner}"),
            other => f.write_str(
                NAMES
                    .iter()
                    .find(|(_, known)| known == other)
                    .map_or("", |(name, _)| name),
            ),
        }
    }
}

/// The answer that a person gave to a question, in the form that the script sees.
///
/// # Errors
/// Why it is none, reading well after the question and a colon.
pub fn accept_answer(question: &Question, given: Given) -> Result<Value, String> {
    let takes = answer_type(question).map_err(|(message, _)| message)?;
    takes.convert(&given)
}

/// What an answer to a question is; else a message and what to do.
pub(crate) fn answer_type(question: &Question) -> Result<InputType, (String, Option<String>)> {
    match (&question.takes, question.choices.as_slice()) {
        (None, []) => Ok(InputType::String),
        (None, choices) => Ok(InputType::Choice(choices.to_vec())),
        (Some(takes), choices) => InputType::parse(takes, choices),
    }
}

impl Header {
    /// The inputs of a run: what was given, in the types of the header, and defaults for the rest. An
    /// input without default that is not required and not given is `()`.
    ///
    /// # Errors
    /// Everything that is wrong with what was given.
    pub fn convert_input(&self, given: &BTreeMap<String, Given>) -> Result<Map, Vec<InputError>> {
        let mut errors = Vec::new();
        for unknown in given.keys().filter(|name| self.input(name).is_none()) {
            let names: Vec<&str> = self
                .inputs
                .iter()
                .map(|input| input.name.as_str())
                .collect();
            let help = match name::nearest(unknown, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "it takes none".to_owned(),
                None => format!("there are `{}`", names.join("`, `")),
            };
            errors.push(InputError::Unknown {
                name: unknown.clone(),
                help,
            });
        }
        let mut map = Map::new();
        for input in &self.inputs {
            let name = input.name.clone();
            match given.get(&name) {
                Some(Given::Value(Value::Null)) | None if input.required => {
                    errors.push(InputError::Missing {
                        name,
                        takes: input.r#type.to_string(),
                    });
                }
                Some(Given::Value(Value::Null)) | None => {
                    map.insert(name, input.default.clone().unwrap_or_default());
                }
                Some(given) => match input.r#type.convert(given) {
                    Ok(value) => {
                        map.insert(name, value);
                    }
                    Err(problem) => errors.push(InputError::Wrong { name, problem }),
                },
            }
        }
        if errors.is_empty() {
            Ok(map)
        } else {
            Err(errors)
        }
    }
}
