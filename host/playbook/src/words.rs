//! Words of Rhai: those that it reserves without using them are ordinary names in a playbook.

use rhai::{Position, Token};

/// Words that Rhai reserves for other languages' habits. In a playbook they are names like any other:
/// products have fields called `default`, `match` or `new`.
pub const ORDINARY: &[&str] = &[
    "async",
    "await",
    "case",
    "default",
    "go",
    "goto",
    "is",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "protected",
    "public",
    "shared",
    "spawn",
    "static",
    "super",
    "sync",
    "thread",
    "use",
    "var",
    "void",
    "with",
    "yield",
];

/// Hands reserved words that Rhai does not use back as names.
pub(crate) fn give_back(token: Token, _: Position) -> Token {
    match token {
        Token::Reserved(word) if ORDINARY.contains(&word.as_str()) => Token::Identifier(word),
        other => other,
    }
}

/// What to do about a word that Rhai does use and that stands where a name is wanted.
pub(crate) fn how_to_write(word: &str) -> Option<String> {
    let is_word = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !word.is_empty();
    let advice = match word {
        "eval" => "a playbook cannot make code at run time".to_owned(),
        "this" => "name the value as a parameter".to_owned(),
        _ => format!(
            "as a name in a map write it in quotes, `#{{ \"{word}\": … }}`, and read it as `map[\"{word}\"]`"
        ),
    };
    is_word.then_some(advice)
}
