//! The header of a playbook, `const PLAYBOOK = #{ … }`, read without running anything.

mod schedule;

use std::sync::Arc;
use std::time::Duration;

use cordon_contract::{ConnectorModel, Value, name};
use rhai::{AST, Expr, Position, Stmt};

use crate::bind::View;
use crate::input::{Given, Input, InputType};
use crate::place::{Place, Source};
use crate::problem::{Problem, ProblemKind};
use crate::value;

pub use schedule::{Concurrency, OnConflict};

/// The name of the header constant.
pub const HEADER: &str = "PLAYBOOK";

/// What a playbook says about itself.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// One line for people.
    pub title: String,
    /// The `//!` lines at the top of the file.
    pub description: String,
    /// What it takes, in the order of the header.
    pub inputs: Vec<Input>,
    /// What it works on, in the order of the header.
    pub uses: Vec<Use>,
    /// Words to find its runs by.
    pub tags: Vec<String>,
    /// How long a run may take, from its start, waits included.
    pub deadline: Option<Duration>,
    /// How many runs there may be at a time.
    pub concurrency: Option<Concurrency>,
}

/// What a header may say.
const KEYS: [&str; 6] = ["title", "inputs", "uses", "tags", "deadline", "concurrency"];

/// An alias of the header: what the script calls a connection, and what that must be.
#[derive(Debug, Clone)]
pub struct Use {
    /// The name in the script.
    pub alias: String,
    /// A connector, or capabilities.
    pub parts: Vec<String>,
    /// It stands for all connections that fit, not for one.
    pub many: bool,
    /// Where the header says so.
    pub place: Option<Place>,
}

impl Use {
    /// What is asked for, as the header writes it: `kata`, `hosts + isolation`.
    #[must_use]
    pub fn wants(&self) -> String {
        self.parts.join(" + ")
    }

    /// What the playbook would see of a connection of this connector; none where it does not fit. A
    /// single name means the connector of that name before it means a capability.
    #[must_use]
    pub fn view_of(&self, model: &ConnectorModel) -> Option<View> {
        match self.parts.as_slice() {
            [connector] if *connector == model.manifest.name => Some(View::Connector),
            capabilities if model.has_capabilities(capabilities) => {
                Some(View::Capabilities(capabilities.to_vec()))
            }
            _ => None,
        }
    }
}

impl Header {
    /// The alias of this name.
    #[must_use]
    pub fn alias(&self, name: &str) -> Option<&Use> {
        self.uses.iter().find(|used| used.alias == name)
    }

    /// The input of this name.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name == name)
    }
}

/// The header of a script.
pub(crate) fn read(ast: &AST, source: &Arc<Source>) -> Result<Header, Vec<Problem>> {
    let constant = ast
        .statements()
        .iter()
        .find_map(|statement| match statement {
            Stmt::Var(definition, _, position) if definition.0.name.as_str() == HEADER => {
                Some((&definition.1, *position))
            }
            _ => None,
        });
    let Some((expression, position)) = constant else {
        let help = format!(
            "begin the file with `const {HEADER} = #{{ title: \"…\", inputs: #{{}}, uses: #{{}} }};`"
        );
        return Err(vec![
            Problem::new(ProblemKind::NoHeader).with_help(Some(help)),
        ]);
    };
    let mut reader = Reader {
        source,
        problems: Vec::new(),
    };
    let mut header = Header {
        description: description(ast.doc()),
        ..Header::default()
    };
    let mut mentioned = Vec::new();
    for (name, position, expression) in reader.entries(expression, position, "the header") {
        match name.as_str() {
            "title" => header.title = reader.text(expression, position, "`title`"),
            "inputs" => {
                for (name, position, expression) in reader.entries(expression, position, "`inputs`")
                {
                    header
                        .inputs
                        .extend(reader.input(name, position, expression));
                }
            }
            "uses" => {
                for (alias, position, expression) in reader.entries(expression, position, "`uses`")
                {
                    header
                        .uses
                        .extend(reader.alias(alias, position, expression));
                }
            }
            "tags" => header.tags = reader.tags(expression, position),
            "deadline" => header.deadline = reader.deadline(expression, position),
            "concurrency" => {
                let concurrency = reader.concurrency(expression, position, &mut mentioned);
                header.concurrency = Some(concurrency);
            }
            unknown => reader.unknown(unknown, position, "the header", &KEYS),
        }
    }
    reader.mentioned(&header, &mentioned);
    if reader.problems.is_empty() {
        Ok(header)
    } else {
        Err(reader.problems)
    }
}

/// The text of `//!` lines.
fn description(doc: &str) -> String {
    let lines: Vec<&str> = doc
        .lines()
        .map(|line| line.trim_start().strip_prefix("//!").unwrap_or(line))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    lines.join("\n").trim().to_owned()
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, position: Position, message: String, help: Option<String>) {
        let place = Place::at(self.source, position);
        self.problems.push(
            Problem::new(ProblemKind::Header { message })
                .at(place)
                .with_help(help),
        );
    }

    fn unknown(&mut self, name: &str, position: Position, whose: &str, known: &[&str]) {
        let help = match name::nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", known.join("`, `")),
        };
        self.problem(
            position,
            format!("`{name}` has no meaning in {whose}"),
            Some(help),
        );
    }

    /// The entries of a map, in the order in which they are written.
    fn entries<'e>(
        &mut self,
        expression: &'e Expr,
        outer: Position,
        what: &str,
    ) -> Vec<(String, Position, &'e Expr)> {
        match expression {
            Expr::Map(map, _) => map
                .0
                .iter()
                .map(|(name, value)| (name.name.to_string(), name.pos, value))
                .collect(),
            other => {
                let position = if other.position().is_none() {
                    outer
                } else {
                    other.position()
                };
                self.problem(position, format!("{what} must be a map, `#{{ … }}`"), None);
                Vec::new()
            }
        }
    }

    fn literal(&mut self, expression: &Expr, outer: Position, what: &str) -> Option<Value> {
        let found = expression
            .get_literal_value(None)
            .and_then(|found| value::from_script(&found).ok());
        if found.is_none() {
            let position = if expression.position().is_none() {
                outer
            } else {
                expression.position()
            };
            let help =
                "the header is read without running anything: no calls, variables or `${…}` in it";
            self.problem(
                position,
                format!("{what} must be written out"),
                Some(help.to_owned()),
            );
        }
        found
    }

    fn text(&mut self, expression: &Expr, position: Position, what: &str) -> String {
        match self.literal(expression, position, what) {
            Some(Value::Text(text)) => text,
            Some(other) => {
                self.problem(
                    position,
                    format!("{what} must be text, not {}", other.kind()),
                    None,
                );
                String::new()
            }
            None => String::new(),
        }
    }

    fn texts(&mut self, expression: &Expr, position: Position, what: &str) -> Vec<String> {
        let texts = match self.literal(expression, position, what) {
            Some(Value::List(values)) => values
                .iter()
                .map(|value| value.as_text().map(str::to_owned))
                .collect::<Option<Vec<_>>>(),
            Some(_) => None,
            None => return Vec::new(),
        };
        texts.unwrap_or_else(|| {
            self.problem(position, format!("{what} must be a list of texts"), None);
            Vec::new()
        })
    }

    fn alias(&mut self, alias: String, position: Position, expression: &Expr) -> Option<Use> {
        let help = "write a connector (`\"kata\"`), capabilities (`\"hosts + isolation\"`), or `[\"isolation\"]` for all that fit";
        let (text, many) =
            match self.literal(expression, position, &format!("the alias `{alias}`"))? {
                Value::Text(text) => (text, false),
                Value::List(values) => match values.as_slice() {
                    [Value::Text(text)] => (text.clone(), true),
                    _ => (String::new(), true),
                },
                _ => (String::new(), false),
            };
        let parts: Vec<String> = text.split('+').map(|part| part.trim().to_owned()).collect();
        if parts.iter().any(String::is_empty) {
            self.problem(
                position,
                format!("the alias `{alias}` does not say what it needs"),
                Some(help.to_owned()),
            );
            return None;
        }
        Some(Use {
            alias,
            parts,
            many,
            place: Place::at(self.source, position),
        })
    }

    fn input(&mut self, name: String, position: Position, expression: &Expr) -> Option<Input> {
        let what = format!("the input `{name}`");
        let place = Place::at(self.source, position);
        let mut input = Input {
            name,
            r#type: InputType::String,
            required: true,
            default: None,
            help: String::new(),
            place,
        };
        let mut type_name = String::new();
        let mut type_position = position;
        let mut choices = Vec::new();
        let mut default = None;
        let mut required = None;
        if let Expr::StringConstant(text, at) = expression {
            type_name = text.to_string();
            type_position = *at;
        } else {
            for (key, at, expression) in self.entries(expression, position, &what) {
                let whose = format!("`{key}` of {what}");
                match key.as_str() {
                    "type" => {
                        type_name = self.text(expression, at, &whose);
                        type_position = at;
                    }
                    "help" => input.help = self.text(expression, at, &whose),
                    "choices" => choices = self.texts(expression, at, &whose),
                    "default" => {
                        default = self
                            .literal(expression, at, &whose)
                            .map(|default| (default, at))
                    }
                    "required" => match self.literal(expression, at, &whose) {
                        Some(Value::Bool(yes)) => required = Some(yes),
                        Some(_) => {
                            self.problem(at, format!("{whose} must be `true` or `false`"), None)
                        }
                        None => {}
                    },
                    unknown => self.unknown(
                        unknown,
                        at,
                        &what,
                        &["type", "default", "required", "choices", "help"],
                    ),
                }
            }
        }
        match InputType::parse(&type_name, &choices) {
            Ok(parsed) => input.r#type = parsed,
            Err((message, help)) => {
                self.problem(type_position, format!("{what}: {message}"), help);
                return None;
            }
        }
        if let Some((default, at)) = default {
            match input.r#type.convert(&Given::Value(default)) {
                Ok(converted) => input.default = Some(converted),
                Err(error) => {
                    self.problem(at, format!("the default of {what} is wrong: {error}"), None)
                }
            }
        }
        input.required = required.unwrap_or(input.default.is_none());
        if input.required && input.default.is_some() {
            self.problem(
                position,
                format!("{what} is required and has a default"),
                Some("say one of the two".to_owned()),
            );
        }
        Some(input)
    }
}
