//! What a header says about runs among each other: tags to find them by, how long one may take, how
//! many there may be at a time.

use std::time::Duration;

use cordon_contract::{Value, name, units};
use rhai::{Expr, Position};
use serde::{Deserialize, Serialize};

use super::{Header, Reader};

/// How many runs of a playbook there may be at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concurrency {
    /// Inputs: runs that were given the same values for all of these are counted together. None: all
    /// runs of the playbook are.
    pub key: Vec<String>,
    /// At most this many.
    pub max: u32,
    /// What becomes of one more.
    pub on_conflict: OnConflict,
}

/// What becomes of a run for which there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// It waits for one.
    Queue,
    /// It is not run.
    Skip,
}

/// The names of inputs that the header mentions, to be looked up once all inputs are read.
pub(super) type Mentioned = Vec<(String, Position)>;

impl Reader<'_> {
    pub(super) fn tags(&mut self, expression: &Expr, position: Position) -> Vec<String> {
        let tags = self.texts(expression, position, "`tags`");
        if tags.iter().any(|tag| tag.trim().is_empty()) {
            self.problem(position, "`tags` has an empty one".to_owned(), None);
        }
        tags
    }

    pub(super) fn deadline(&mut self, expression: &Expr, position: Position) -> Option<Duration> {
        let milliseconds = match self.literal(expression, position, "`deadline`")? {
            Value::Text(text) => units::parse_duration(&text).map_err(|error| error.to_string()),
            other => Err(format!(
                "`deadline` must be a duration such as \"2d\", not {}",
                other.kind()
            )),
        };
        let problem = match milliseconds {
            Ok(0) => "`deadline` must be more than nothing".to_owned(),
            Ok(milliseconds) => return Some(Duration::from_millis(milliseconds)),
            Err(problem) => problem,
        };
        self.problem(position, problem, None);
        None
    }

    pub(super) fn concurrency(
        &mut self,
        expression: &Expr,
        position: Position,
        mentioned: &mut Mentioned,
    ) -> Concurrency {
        let mut concurrency = Concurrency {
            key: Vec::new(),
            max: 1,
            on_conflict: OnConflict::Queue,
        };
        for (name, at, expression) in self.entries(expression, position, "`concurrency`") {
            let whose = format!("`{name}` of `concurrency`");
            match name.as_str() {
                "key" => {
                    concurrency.key = match expression {
                        Expr::StringConstant(name, _) => vec![name.to_string()],
                        list => self.texts(list, at, &whose),
                    };
                    let key = concurrency.key.iter();
                    mentioned.extend(key.map(|input| (input.clone(), at)));
                }
                "max" => {
                    let max = match self.literal(expression, at, &whose) {
                        Some(Value::Integer(max)) => u32::try_from(max).ok().filter(|max| *max > 0),
                        _ => None,
                    };
                    match max {
                        Some(max) => concurrency.max = max,
                        None => {
                            let message = format!("{whose} must be a whole number above 0");
                            self.problem(at, message, None);
                        }
                    }
                }
                "on_conflict" => match self.text(expression, at, &whose).as_str() {
                    "queue" => concurrency.on_conflict = OnConflict::Queue,
                    "skip" => concurrency.on_conflict = OnConflict::Skip,
                    _ => {
                        let message = format!("{whose} is \"queue\" or \"skip\"");
                        self.problem(at, message, None);
                    }
                },
                unknown => {
                    self.unknown(unknown, at, "`concurrency`", &["key", "max", "on_conflict"])
                }
            }
        }
        concurrency
    }

    /// Reports names that are no inputs.
    pub(super) fn mentioned(&mut self, header: &Header, mentioned: &Mentioned) {
        for (wrong, at) in mentioned {
            if header.input(wrong).is_some() {
                continue;
            }
            let names = header.inputs.iter().map(|input| input.name.as_str());
            let help = match name::nearest(wrong, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add it to `inputs`: `{wrong}: \"string\"`"),
            };
            let message = format!("`key` of `concurrency` names `{wrong}`, which is no input");
            self.problem(*at, message, Some(help));
        }
    }
}
