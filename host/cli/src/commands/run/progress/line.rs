//! One line for one step: state, time, name, text.

use std::time::Duration;

use cordon_contract::step::{Answer, Composite, Pause, Step};
use cordon_contract::value::Map;
use cordon_contract::{Effect, StepKey, Value, name};

use crate::output::time::took;
use crate::output::{Look, Tone, neutral, paint, value};

/// Arguments and results take at most this much of a line.
const PART: usize = 60;

/// Names are aligned up to this width.
const NAME: usize = 22;

/// A line about a step.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What became of it, in a word.
    pub state: &'static str,
    /// The colour of that word.
    pub tone: Option<Tone>,
    /// How long it took.
    pub took: Option<Duration>,
    /// What it was: `kata.isolate`.
    pub name: String,
    /// The rest.
    pub text: String,
}

impl Line {
    /// The line as it is written, indented by how deep its step stands in composites; `of` is the run
    /// where that is not the one that is watched.
    pub fn render(&self, key: &StepKey, look: Look, of: &str) -> String {
        let state = paint::pad(self.state, 7);
        let state = self
            .tone
            .map_or(state.clone(), |tone| look.paint(tone, &state));
        let took = format!("{:>7}", self.took.map(took).unwrap_or_default());
        let took = look.paint(Tone::Faint, &took);
        let indent = "  ".repeat(key.path().len().saturating_sub(1) / 2);
        let name = match (self.name.as_str(), self.text.as_str()) {
            ("", _) => String::new(),
            (name, "") => look.paint(Tone::Name, name),
            (name, _) => format!("{}  ", look.paint(Tone::Name, &paint::pad(name, NAME))),
        };
        let of = match of {
            "" => String::new(),
            of => look.paint(Tone::Faint, &format!("{of}: ")),
        };
        let line = format!("{state} {took}  {of}{indent}{name}{}", self.text);
        line.trim_end().to_owned()
    }
}

/// The line of a step that ended; none for clock reads, ids and the pauses of `poll` and `retry`, unless
/// everything is asked for.
pub fn finished(
    step: &Step,
    answer: &Answer,
    took: Duration,
    effect: Option<Effect>,
    look: Look,
    everything: bool,
) -> Option<Line> {
    let line = outcome(answer, took);
    Some(match step {
        Step::Action {
            connection,
            action,
            arguments,
            ..
        } => {
            let effect = match effect {
                Some(Effect::Read) | None => String::new(),
                Some(effect) => format!("[{}] ", effect.name()),
            };
            let text = format!("{effect}{}", shortened(arguments));
            Line {
                name: name_of(connection, action),
                text: with_result(&text, &line.text, look),
                ..line
            }
        }
        Step::Sleep {
            reason: Pause::Sleep,
            ..
        } => Line {
            name: "sleep".to_owned(),
            ..line
        },
        Step::Approve(approval) => Line {
            name: "approve".to_owned(),
            text: with_result(&message(&approval.message), &deciders(answer), look),
            ..line
        },
        Step::Ask(question) => Line {
            name: "ask".to_owned(),
            text: with_result(&message(&question.message), &line.text, look),
            ..line
        },
        Step::Playbook { name, input, .. } => Line {
            name: format!("run {}", neutral::line(name)),
            text: with_result(&shortened(input), &line.text, look),
            ..line
        },
        Step::Artifact { name, .. } => said("kept", Tone::Strong, neutral::line(name)),
        Step::Log { message, .. } => said("log", Tone::Faint, neutral::line(message)),
        Step::Progress { message, percent } => said("now", Tone::Name, progress(message, *percent)),
        Step::Note {
            title,
            value: noted,
        } => {
            let text = format!(
                "{}: {}",
                neutral::line(title),
                paint::cut(&value::short(noted), PART)
            );
            said("note", Tone::Strong, text)
        }
        Step::Now if everything => Line {
            name: "now".to_owned(),
            ..line
        },
        Step::Uuid if everything => Line {
            name: "uuid".to_owned(),
            ..line
        },
        Step::Undo if everything => Line {
            name: "undo".to_owned(),
            text: "registered".to_owned(),
            ..line
        },
        Step::Again { .. } if everything => Line {
            name: "pause".to_owned(),
            ..line
        },
        Step::Sleep { .. } if everything => Line {
            name: "pause".to_owned(),
            ..line
        },
        Step::Sleep { .. } | Step::Now | Step::Uuid | Step::Undo | Step::Again { .. } => {
            return None;
        }
    })
}

/// What a script says to people, in quotes.
fn message(text: &str) -> String {
    format!("\"{}\"", paint::cut(&neutral::line(text), PART))
}

/// Who agreed, or why nobody did.
fn deciders(answer: &Answer) -> String {
    match answer {
        Answer::Done(value) => {
            let by = value.get("approved_by").and_then(Value::as_list);
            let names = by.unwrap_or_default().iter();
            let names: Vec<String> = names
                .filter_map(|one| one.get("who").and_then(Value::as_text))
                .map(neutral::line)
                .collect();
            format!("approved by {}", names.join(", "))
        }
        Answer::Failed(failure) => neutral::line(&failure.message),
        Answer::Parked | Answer::Stopped => String::new(),
    }
}

/// State, time and result of something that ended.
pub fn outcome(answer: &Answer, took: Duration) -> Line {
    let (state, tone, text) = match answer {
        Answer::Done(Value::Null) => ("done", Tone::Good, String::new()),
        Answer::Done(value) => ("done", Tone::Good, paint::cut(&result(value), PART)),
        Answer::Failed(failure) => {
            let status = failure
                .status
                .map_or(String::new(), |status| format!(", HTTP {status}"));
            let message = neutral::line(&failure.message);
            (
                "failed",
                Tone::Bad,
                format!("{message} ({}{status})", failure.kind),
            )
        }
        Answer::Parked => ("waits", Tone::Careful, String::new()),
        Answer::Stopped => ("stopped", Tone::Careful, String::new()),
    };
    Line {
        state,
        tone: Some(tone),
        took: Some(took),
        name: String::new(),
        text,
    }
}

/// A text with the result behind it, where there is one.
pub fn with_result(text: &str, result: &str, look: Look) -> String {
    let arrow = if look.width.is_some() { "→" } else { "->" };
    match (text.trim_end(), result) {
        (text, "") => text.to_owned(),
        ("", result) => format!("{arrow} {result}"),
        (text, result) => format!("{text} {arrow} {result}"),
    }
}

/// What is going on while a step is not done; none for steps that take no time.
pub fn going_on(step: &Step) -> Option<String> {
    match step {
        Step::Action {
            connection,
            action,
            arguments,
            ..
        } => {
            let text = format!("{} {}", name_of(connection, action), shortened(arguments));
            Some(text.trim_end().to_owned())
        }
        Step::Sleep { duration, reason } => {
            let what = match reason {
                Pause::Sleep => "sleeping for",
                Pause::Retry => "trying again in",
            };
            Some(format!("{what} {},", took(*duration)))
        }
        Step::Again { every, .. } => Some(format!("looking again in {},", took(*every))),
        _ => None,
    }
}

/// `poll` and `3 looks`: a step made of steps that went on so often after its first time.
pub fn composite(composite: Composite, further: u32) -> (&'static str, String) {
    let counted = |count: u32, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    };
    match composite {
        Composite::Poll { .. } => ("poll", counted(further + 1, "look", "looks")),
        Composite::Retry { .. } => ("retry", counted(further + 1, "try", "tries")),
        Composite::Parallel { branches, .. } => {
            ("parallel", counted(branches, "branch", "branches"))
        }
    }
}

/// `looking for the host (10 %)`
pub fn progress(message: &str, percent: Option<u8>) -> String {
    let percent = percent.map_or(String::new(), |percent| format!(" ({percent} %)"));
    format!("{}{percent}", neutral::line(message))
}

/// `kata.isolate`
pub fn name_of(connection: &str, action: &str) -> String {
    neutral::line(&format!("{connection}.{}", name::snake(action)))
}

fn said(state: &'static str, tone: Tone, text: String) -> Line {
    Line {
        state,
        tone: Some(tone),
        text,
        ..Line::default()
    }
}

/// Arguments as they fit into a line.
pub fn shortened(arguments: &Map) -> String {
    paint::cut(&value::arguments(arguments), PART)
}

/// A list is told by its length, since its first entries say little about the rest.
fn result(value: &Value) -> String {
    match value {
        Value::List(values) if values.is_empty() => "no entries".to_owned(),
        Value::List(values) if values.len() > 1 => format!("{} entries", values.len()),
        other => value::short(other),
    }
}
