//! What went wrong, as a person reads it: the message, the place in the file, what to do now, and
//! the exit code. Every error of the crates below becomes one of these and nothing else is printed.

pub mod directory;
pub mod failure;
pub mod playbook;
pub mod store;

use std::fmt;

use cordon_contract::codes::Code;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
    ThemeCharacters, ThemeStyles,
};

use crate::exit::Exit;
use crate::output::{Look, neutral};

/// The codes of this crate's own messages.
pub const CODES: &[Code] = &[
    Code {
        code: "cli.argument",
        page: include_str!("../codes/argument.md"),
    },
    Code {
        code: "cli.file",
        page: include_str!("../codes/file.md"),
    },
    Code {
        code: "cli.defect",
        page: include_str!("../codes/defect.md"),
    },
];

/// Something that went wrong.
#[derive(Debug)]
pub struct Problem {
    exit: Exit,
    message: String,
    hints: Vec<String>,
    code: Option<String>,
    place: Option<Box<Place>>,
    others: Vec<Problem>,
}

/// A place in a file that a person wrote.
#[derive(Debug)]
struct Place {
    source: NamedSource<String>,
    label: LabeledSpan,
}

impl Problem {
    /// A problem with an exit code and a message: what, why, in one or two sentences.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hints: Vec::new(),
            code: None,
            place: None,
            others: Vec::new(),
        }
    }

    /// Something was asked for that cannot be asked for.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds what to do now.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what to do now, where something is known.
    #[must_use]
    pub fn hint_if(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// With another exit code.
    #[must_use]
    pub fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// The first of several problems, with the others behind it; none where there is none.
    #[must_use]
    pub fn several(problems: Vec<Self>) -> Option<Self> {
        let mut problems = problems.into_iter();
        problems.next().map(|first| first.with(problems))
    }

    /// With others behind it.
    #[must_use]
    pub fn with(mut self, others: impl IntoIterator<Item = Self>) -> Self {
        self.others.extend(others);
        self
    }

    /// Adds the right name for a wrong one, where one is near.
    #[must_use]
    pub fn nearest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match cordon_contract::name::nearest(wrong, known) {
            Some(right) => self.hint(format!("did you mean `{right}`?")),
            None => self,
        }
    }

    /// Sets the code of the page that explains it.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Shows a place in a file: `length` bytes from the byte `offset` on, with a word about it.
    #[must_use]
    pub fn at(mut self, file: &str, text: &str, offset: usize, length: usize, label: &str) -> Self {
        let end = text.len();
        let offset = offset.min(end);
        self.place = Some(Box::new(Place {
            source: NamedSource::new(neutral::line(file), neutral::source(text)),
            label: LabeledSpan::new(
                (!label.is_empty()).then(|| neutral::line(label)),
                offset,
                length.min(end - offset),
            ),
        }));
        self
    }

    /// The code that the process ends with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The message, without place and hints.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where: `playbooks/contain_host.rhai:12:5`.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let Place { source, label } = &**self.place.as_ref()?;
        let before = source.inner().get(..label.offset())?;
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count())
            + 1;
        Some(format!("{}:{line}:{column}", source.name()))
    }

    /// The name of the page that explains it.
    #[must_use]
    pub fn explained_by(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The problem as text for an output of this look, with those behind it.
    #[must_use]
    pub fn render(&self, look: Look) -> String {
        let others = self.others.iter().map(|other| other.render(look));
        std::iter::once(self.render_one(look))
            .chain(others)
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    fn render_one(&self, look: Look) -> String {
        let theme = GraphicalTheme {
            characters: ThemeCharacters {
                error: "error:".to_owned(),
                ..if look.width.is_some() {
                    ThemeCharacters::unicode()
                } else {
                    ThemeCharacters::ascii()
                }
            },
            styles: if look.colour {
                ThemeStyles::ansi()
            } else {
                ThemeStyles::none()
            },
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_context_lines(2)
            .with_wrap_lines(look.width.is_some())
            .with_break_words(false)
            .without_syntax_highlighting()
            .with_width(look.width.unwrap_or(120));
        let mut text = String::new();
        match handler.render_report(&mut text, self) {
            Ok(()) => text.trim_end().to_owned(),
            Err(fmt::Error) => format!("error: {}", neutral::lines(&self.message)),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&neutral::lines(&self.message))
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let mut lines: Vec<String> = self.hints.iter().map(|hint| neutral::lines(hint)).collect();
        if let Some(code) = &self.code {
            lines.push(format!(
                "`cordon explain {}` says more",
                neutral::line(code)
            ));
        }
        (!lines.is_empty()).then(|| Box::new(lines.join("\n")) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place
            .as_ref()
            .map(|place| &place.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        Some(Box::new(std::iter::once(place.label.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_where_and_what_now() {
        let script = "fn run(input) {\n    edr.isolat(#{ id: 1 });\n}\n";
        let problem = Problem::usage("connector `kata` has no action `isolat`")
            .code("playbook.action")
            .at("playbooks/contain.rhai", script, 24, 6, "here")
            .nearest("isolat", ["isolate", "release"]);
        insta::assert_snapshot!(problem.render(Look::PLAIN));
        insta::assert_snapshot!(problem.render(Look {
            colour: false,
            width: Some(60)
        }));
    }

    #[test]
    fn a_hostile_message_and_source_reach_no_terminal_as_commands() {
        let problem = Problem::new(Exit::Failed, "the product said \x1b[2J\nand more")
            .hint("\x1b]0;title\x07")
            .at("a\x1b.rhai", "let x = \"\x1b[31m\u{9b}\";", 8, 4, "\x1b");
        let text = problem.render(Look::PLAIN);
        assert!(
            text.chars().all(|c| c == '\n' || !neutral::is_command(c)),
            "{text:?}"
        );
    }

    #[test]
    fn a_place_outside_of_the_text_is_shown_at_its_end() {
        let problem = Problem::usage("unexpected end").at("x.rhai", "let x =", 70, 9, "here");
        assert!(problem.render(Look::PLAIN).contains("let x ="));
    }
}
