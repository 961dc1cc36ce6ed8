//! `name=value` on the command line, and files of values.
//!
//! What stands after `=` is read by the type that the name has: text as it is, numbers, booleans,
//! lists and records as JSON. So nobody quotes a host name, and nobody wonders whether `007` is text.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cordon_contract::value::Map;
use cordon_contract::{SecretReference, Type, Value};
use cordon_playbook::Given;

use crate::problem::Problem;

/// For the long help of commands that take assignments.
pub const HELP: &str = "\
How a value is read depends on the type that its name has:
  text, enums, durations, sizes, timestamps   as it is: host=srv-01 duration=2h
  numbers, booleans                           port=443 enabled=true
  lists                                       ips=10.0.0.1,10.0.0.2, the name several times, or JSON
  records, maps, JSON                         rule='{\"direction\": \"both\"}'
  a secret                                    a name under [secrets] of cordon.toml, or of a credential of
                                              the connection
name=@file reads the value from a file, name=@- from standard input.
Text that begins with @ is written with @@.";

/// One `name=value`, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The part before the first `=`; with nothing after it, there was no `=`.
    pub name: String,
    source: Option<Source>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Inline(String),
    File(PathBuf),
    StandardInput,
}

/// Every text is an assignment; one without `=` is refused when it is read, with the names that there are.
impl FromStr for Assignment {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let Some((name, value)) = text.split_once('=') else {
            return Ok(Self {
                name: text.to_owned(),
                source: None,
            });
        };
        let source = match value.strip_prefix('@') {
            Some("-") => Source::StandardInput,
            Some(escaped) if escaped.starts_with('@') => Source::Inline(escaped.to_owned()),
            Some(file) => Source::File(PathBuf::from(file)),
            None => Source::Inline(value.to_owned()),
        };
        Ok(Self {
            name: name.trim().to_owned(),
            source: Some(source),
        })
    }
}

/// A name that can be assigned to, and its type.
pub type Known<'a> = (&'a str, &'a Type);

/// The values of assignments over those of a file: what is named twice there and here is taken from
/// here. `owner` is what has the names: "action `kata.isolate`"; `what` what they are: "argument".
pub fn collect(
    assignments: &[Assignment],
    mut values: Map,
    known: &[Known<'_>],
    owner: &str,
    what: &str,
) -> Result<Map, Problem> {
    let mut lists: Map = Map::new();
    for assignment in assignments {
        let name = &assignment.name;
        let Some(source) = &assignment.source else {
            return Err(Problem::usage(format!(
                "`{name}` is not an {what}: there is no `=` in it"
            ))
            .hint(format!("write it as `name={name}`{}", names_hint(known)))
            .code("cli.argument"));
        };
        let Some((right, r#type)) = known
            .iter()
            .find(|(known, _)| cordon_contract::name::same(known, name))
        else {
            let problem = Problem::usage(format!("{owner} has no {what} `{name}`"));
            return Err(problem
                .nearest(name, known.iter().map(|(name, _)| *name))
                .hint(if known.is_empty() {
                    format!("it takes no {what}s")
                } else {
                    format!("it takes{}", names_hint(known))
                })
                .code("cli.argument"));
        };
        let right = cordon_contract::name::snake(right);
        let value = read(source, r#type).map_err(|problem| {
            Problem::usage(format!("{what} `{right}`: {problem}"))
                .hint(format!("it is of type {type}"))
                .code("cli.argument")
        })?;
        match (element(r#type), lists.remove(&right), value) {
            (Some(_), Some(Value::List(mut before)), Value::List(more)) => {
                before.extend(more);
                lists.insert(right, Value::List(before));
            }
            (None, Some(_), _) => {
                return Err(
                    Problem::usage(format!("{what} `{right}` is given twice")).code("cli.argument")
                );
            }
            (_, _, value) => {
                lists.insert(right, value);
            }
        }
    }
    for (name, value) in lists {
        values.retain(|before, _| !cordon_contract::name::same(before, &name));
        values.insert(name, value);
    }
    Ok(values)
}

fn names_hint(known: &[Known<'_>]) -> String {
    let names: Vec<String> = known
        .iter()
        .map(|(name, r#type)| format!("`{}` ({type})", cordon_contract::name::snake(name)))
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" {}", names.join(", "))
    }
}

fn read(source: &Source, r#type: &Type) -> Result<Value, String> {
    if let Source::Inline(text) = source {
        return interpret(text, r#type);
    }
    let bytes = bytes(source)?;
    if plain(r#type) == &Type::Bytes {
        return Ok(Value::Bytes(bytes));
    }
    let text = String::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text".to_owned())?;
    match plain(r#type) {
        Type::Text => Ok(Value::Text(text)),
        other => interpret(text.trim(), other),
    }
}

fn bytes(source: &Source) -> Result<Vec<u8>, String> {
    match source {
        Source::Inline(text) => Ok(text.as_bytes().to_vec()),
        Source::File(path) => std::fs::read(path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display())),
        Source::StandardInput => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)
                .map_err(|error| format!("cannot read standard input: {error}"))?;
            Ok(bytes)
        }
    }
}

/// The value that `text` is as this type. Whether it is one of the type's values is checked later,
/// with everything else.
fn interpret(text: &str, r#type: &Type) -> Result<Value, String> {
    let r#type = plain(r#type);
    Ok(match r#type {
        Type::Text | Type::Char | Type::Bytes | Type::Enum(_) => Value::text(text),
        Type::Secret => Value::Secret(SecretReference::new(text)),
        Type::Duration
        | Type::Size
        | Type::Timestamp
        | Type::Bool
        | Type::Integer(_)
        | Type::F32
        | Type::F64 => match Value::from_json(text) {
            Ok(value @ (Value::Bool(_) | Value::Integer(_) | Value::Float(_))) => value,
            _ => Value::text(text),
        },
        Type::List(_) | Type::FixedList(..) | Type::Flags(_)
            if !text.trim_start().starts_with('[') =>
        {
            let element = element(r#type).unwrap_or(&Type::Text);
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            Value::List(
                parts
                    .map(|part| interpret(part, element))
                    .collect::<Result<_, _>>()?,
            )
        }
        Type::Variant(_) if !text.trim_start().starts_with('{') => Value::text(text),
        _ => Value::from_json(text).map_err(|error| format!("this is not JSON: {error}"))?,
    })
}

/// The type behind options.
fn plain(r#type: &Type) -> &Type {
    match r#type {
        Type::Option(inner) => plain(inner),
        other => other,
    }
}

/// The type of a list's elements; none for what cannot be given several times.
fn element(r#type: &Type) -> Option<&Type> {
    match plain(r#type) {
        Type::List(inner) | Type::FixedList(inner, _) => Some(inner),
        Type::Flags(_) => Some(&Type::Text),
        _ => None,
    }
}

/// The inputs of a playbook, as they were written: what a type makes of them is the playbook's affair.
pub fn inputs(assignments: &[Assignment], file: Map) -> Result<BTreeMap<String, Given>, Problem> {
    let mut given: BTreeMap<String, Given> = BTreeMap::new();
    for assignment in assignments {
        let name = &assignment.name;
        let Some(source) = &assignment.source else {
            return Err(Problem::usage(format!("`--input {name}` has no value"))
                .hint(format!("write `--input {name}=VALUE`"))
                .code("cli.argument"));
        };
        let bytes = bytes(source).map_err(|problem| {
            Problem::usage(format!("input `{name}`: {problem}")).code("cli.argument")
        })?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Problem::usage(format!("input `{name}`: the file is not UTF-8 text"))
                .code("cli.argument")
        })?;
        if given.insert(name.clone(), Given::Text(text)).is_some() {
            return Err(Problem::usage(format!("input `{name}` is given twice"))
                .hint(format!(
                    "several values of a list are written `--input {name}=a,b`"
                ))
                .code("cli.argument"));
        }
    }
    for (name, value) in file {
        given.entry(name).or_insert(Given::Value(value));
    }
    Ok(given)
}

/// The values of a file: TOML where it is called so, else JSON; `-` is JSON from standard input.
pub fn file(path: &Path) -> Result<Map, Problem> {
    let name = path.display().to_string();
    let text = if name == "-" {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(path)
    }
    .map_err(|error| Problem::usage(format!("cannot read `{name}`: {error}")).code("cli.file"))?;
    let value = if path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
    {
        toml::from_str::<Value>(&text).map_err(|error| {
            let place = error.span().unwrap_or(0..0);
            Problem::usage(format!("`{name}` is not TOML: {}", error.message()))
                .at(&name, &text, place.start, place.len(), "here")
                .code("cli.file")
        })?
    } else {
        Value::from_json(&text).map_err(|error| {
            let offset = offset(&text, error.line(), error.column());
            Problem::usage(format!("`{name}` is not JSON"))
                .at(&name, &text, offset, 1, &error.to_string())
                .code("cli.file")
        })?
    };
    match value {
        Value::Map(map) => Ok(map),
        other => Err(Problem::usage(format!(
            "`{name}` must hold names and values, it holds {}",
            other.kind()
        ))
        .hint("write an object: {\"host\": \"srv-01\"}")
        .code("cli.file")),
    }
}

/// The byte at a line and a column, both counted from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (before + column.saturating_sub(1)).min(text.len())
}

#[cfg(test)]
mod tests;
