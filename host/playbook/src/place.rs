//! Where in a script something is: file, line, column, and the bytes that a reader should see marked.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use rhai::Position;
use serde::{Deserialize, Serialize};

/// A script: what it is called and its text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file as a reader knows it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A place in a script. Written down, it has the whole script with it, so that it can be shown also
/// when the file has changed since.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The script.
    pub source: Arc<Source>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The word that stands there, in bytes of the text.
    pub span: Range<usize>,
}

impl Place {
    /// The place of Rhai's position; none where Rhai knows none.
    pub(crate) fn at(source: &Arc<Source>, position: Position) -> Option<Self> {
        let line = position.line()?;
        let column = position.position().unwrap_or(1).max(1);
        let mut start = 0;
        for text in source
            .text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
        {
            start += text.len();
        }
        let rest = source.text.get(start..).unwrap_or_default();
        let text = rest.split('\n').next().unwrap_or_default();
        let begin = text
            .char_indices()
            .nth(column - 1)
            .map_or(text.len(), |(index, _)| index);
        let length = word_length(&text[begin..]);
        let begin = start + begin;
        Some(Self {
            source: Arc::clone(source),
            line,
            column,
            span: begin..begin + length,
        })
    }

    /// The line of the script that the place is in.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source
            .text
            .lines()
            .nth(self.line.saturating_sub(1))
            .unwrap_or_default()
    }
}

/// The length of the name, number or sign that a text begins with.
fn word_length(text: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    match text.chars().next() {
        None => 0,
        Some(first) if is_word(first) => text.find(|c| !is_word(c)).unwrap_or(text.len()),
        Some(first) => first.len_utf8(),
    }
}

/// `contain_host.rhai:12:5`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.line, self.column)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source {
            name: "a.rhai".to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_place_marks_the_word_that_stands_there_also_behind_letters_of_several_bytes() {
        let source = source("let x = 1;\nlet größe = edr.isolate();\n");
        let place = Place::at(&source, Position::new(2, 17)).unwrap();
        assert_eq!(&source.text[place.span.clone()], "isolate");
        assert_eq!(place.to_string(), "a.rhai:2:17");
        assert_eq!(place.text(), "let größe = edr.isolate();");
    }

    #[test]
    fn a_place_beyond_the_text_marks_nothing_and_is_no_panic() {
        let source = source("x");
        assert_eq!(Place::at(&source, Position::new(9, 80)).unwrap().span, 1..1);
        assert_eq!(Place::at(&source, Position::NONE), None);
    }
}
