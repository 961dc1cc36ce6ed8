//! What Rhai says of a mistake in the grammar, said as a person would.

use std::sync::Arc;

use rhai::{LexError, ParseError, ParseErrorType};

use crate::place::{Place, Source};
use crate::problem::{Problem, ProblemKind};
use crate::words;

/// What a mistake in the grammar means.
pub(crate) fn compile_error(error: &ParseError, source: &Arc<Source>) -> Problem {
    let place = Place::at(source, error.position());
    let word = place
        .as_ref()
        .map(|place| source.text[place.span.clone()].to_owned())
        .unwrap_or_default();
    let is_taken = |word: &str| cordon_contract::name::OF_THE_LANGUAGE.contains(&word);
    let taken = |word: &str| {
        (
            format!("`{word}` is a word of the language and cannot be a name here"),
            words::how_to_write(word),
        )
    };
    let (message, help) = match error.err_type() {
        ParseErrorType::Reserved(word) => taken(word),
        ParseErrorType::PropertyExpected
        | ParseErrorType::VariableExpected
        | ParseErrorType::MissingToken(..)
            if is_taken(&word) && place.as_ref().is_some_and(stands_for_a_name) =>
        {
            taken(&word)
        }
        ParseErrorType::BadInput(LexError::ImproperSymbol(symbol, _)) if is_taken(symbol) => {
            taken(symbol)
        }
        ParseErrorType::VariableUndefined(name) => {
            let constant = source.text.contains(&format!("const {name}"));
            let help = constant.then(|| {
                format!("inside of a function a constant of the file is read as `global::{name}`")
            });
            (format!("there is no variable `{name}`"), help)
        }
        ParseErrorType::ModuleUndefined(name) => (
            format!("there is no import `{name}`"),
            Some(format!("import it: `import \"…\" as {name};`")),
        ),
        ParseErrorType::ExprTooDeep => (
            "expressions or blocks are nested too deep".to_owned(),
            Some("take a part out into a function".to_owned()),
        ),
        other => (other.to_string(), None),
    };
    Problem::new(ProblemKind::Syntax { message })
        .at(place)
        .with_help(help)
}

/// Whether what stands at a place would be the name of a field, an entry or a variable.
fn stands_for_a_name(place: &Place) -> bool {
    let before = place.source.text[..place.span.start].trim_end();
    before.ends_with(['{', ',', '.'])
        || ["let", "const", "for", "fn"]
            .iter()
            .any(|word| before.ends_with(word))
}
