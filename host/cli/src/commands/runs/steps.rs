//! The timeline of a run as lines: each step with when, how long, what came of it, and below it what
//! happened on the way.

use cordon_contract::step::{Answer, Composite, Step};
use cordon_contract::value::Map;
use cordon_contract::{Effect, Value};
use cordon_journal::Moment;
use cordon_run::client::short;
use cordon_run::timeline::{Happened, Kind, Line, Timeline};
use serde::Serialize;

use super::super::run::progress::line::{self, Line as Shown};
use crate::output::time::moment;
use crate::output::{Look, Tone, json, neutral, paint, value};

/// Keys take at least so much width, and are aligned up to twice that.
const KEY: usize = 8;

/// The timeline for people. `whole` shows arguments and results uncut.
#[must_use]
pub fn render(timeline: &Timeline, look: Look, whole: bool) -> String {
    let mut lines = Vec::new();
    let longest = timeline.steps.iter().map(|step| step.key.to_string().len());
    let width = longest.max().unwrap_or(KEY).clamp(KEY, 2 * KEY);
    for step in &timeline.steps {
        let Some(text) = one(step, &timeline.steps, look, whole) else {
            continue;
        };
        let key = look.paint(Tone::Faint, &paint::pad(&step.key.to_string(), width));
        let at = look.paint(Tone::Faint, &clock(step.at));
        lines.push(format!("{key} {at}  {text}"));
        let indent = " ".repeat(width + 1 + 8 + 2 + 17 + 2 * depth(step));
        for (at, happened) in &step.events {
            let is_over = step.answer.is_some();
            if is_over && !whole && matches!(happened, Happened::Waits { .. }) {
                continue;
            }
            lines.extend(told(happened).map(|text| format!("{indent}{} {text}", clock(*at))));
        }
        if whole {
            lines.extend(details(step, &indent));
        }
    }
    lines.join("\n")
}

/// How deep a step stands in steps made of steps.
fn depth(step: &Line) -> usize {
    step.key.path().len().saturating_sub(1) / 2
}

/// `09:21:37`
fn clock(at: Moment) -> String {
    let text = moment(at);
    text.get(11..19).unwrap_or_default().to_owned()
}

fn one(step: &Line, all: &[Line], look: Look, whole: bool) -> Option<String> {
    let line = match (&step.what, &step.answer) {
        (Kind::Step(of), Some((answer, took))) => {
            line::finished(of, answer, *took, step.effect, look, whole)?
        }
        (Kind::Step(of), None) => {
            let line = line::finished(
                of,
                &Answer::Parked,
                std::time::Duration::ZERO,
                step.effect,
                look,
                true,
            )?;
            let in_doubt = step
                .events
                .iter()
                .any(|(_, happened)| matches!(happened, Happened::Lost { in_doubt: true, .. }));
            let (state, tone) = match (in_doubt, step.effect) {
                (true, _) => ("doubt", Tone::Bad),
                (false, Some(effect)) if effect != Effect::Read => ("sent", Tone::Careful),
                _ => ("waits", Tone::Careful),
            };
            Shown {
                state,
                tone: Some(tone),
                took: None,
                ..line
            }
        }
        (Kind::Composite(composite, further), answer) => {
            let (word, count) = line::composite(*composite, *further);
            let line = match answer {
                Some((answer, took)) => line::outcome(answer, *took),
                None => Shown {
                    state: "going",
                    tone: Some(Tone::Careful),
                    ..Shown::default()
                },
            };
            let text = line::with_result(&count, &line.text, look);
            Shown {
                name: format!("{word}{}", inside(step, all, *composite)),
                text,
                ..line
            }
        }
        (Kind::Unknown, answer) => match answer {
            Some((answer, took)) => line::outcome(answer, *took),
            None => return None,
        },
    };
    Some(line.render(&step.key, look, ""))
}

/// The last action inside of a step made of steps; of `parallel` none stands for all.
fn inside(step: &Line, all: &[Line], composite: Composite) -> String {
    let last = all.iter().rev().find_map(|line| match &line.what {
        Kind::Step(Step::Action {
            connection, action, ..
        }) if step.key.contains(&line.key) => Some(line::name_of(connection, action)),
        _ => None,
    });
    match composite {
        Composite::Parallel { .. } => String::new(),
        _ => last.map_or(String::new(), |action| format!(" {action}")),
    }
}

/// What happened on the way, in a line; none for what the step's own line says.
fn told(happened: &Happened) -> Option<String> {
    Some(match happened {
        Happened::Sent { attempt } => format!("sent for the {} time", ordinal(*attempt)),
        Happened::Lost { failure, in_doubt } => {
            let then = match in_doubt {
                true => "; nobody can know whether it happened",
                false => "",
            };
            format!(
                "its answer was lost: {}{then}",
                neutral::line(&failure.message)
            )
        }
        Happened::Waits { until: None } => return None,
        Happened::Waits { until: Some(until) } => format!("waits until {}", moment(*until)),
        Happened::Decided { by, allow, comment } => {
            let word = if *allow { "approved" } else { "refused" };
            let comment = comment.as_ref().map_or(String::new(), |comment| {
                format!(": {}", neutral::line(comment))
            });
            format!("{word} by {}{comment}", neutral::line(by))
        }
        Happened::Given { by, value } => {
            format!("answered by {}: {}", neutral::line(by), value::short(value))
        }
        Happened::Resolved { by, done } => {
            let word = if *done {
                "it happened"
            } else {
                "it did not happen"
            };
            format!("resolved by {}: {word}", neutral::line(by))
        }
        Happened::Child { run } => format!("as run {}", short(*run)),
    })
}

fn ordinal(count: u32) -> String {
    match count {
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        other => format!("{other}th"),
    }
}

/// Arguments and result as they are.
fn details(step: &Line, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |title: &str, value: &Value| {
        let text = json::render(value);
        let indented = text.replace('\n', &format!("\n{indent}"));
        lines.push(format!("{indent}{title} {indented}"));
    };
    if let Some(arguments) = arguments(step) {
        add("with", &Value::Map(arguments.clone()));
    }
    match &step.answer {
        Some((Answer::Done(value), _)) if !value.is_null() => add("->", value),
        Some((Answer::Failed(failure), _)) if !failure.details.is_null() => {
            add("details", &failure.details);
        }
        _ => {}
    }
    lines
}

fn arguments(step: &Line) -> Option<&Map> {
    let arguments = match &step.what {
        Kind::Step(Step::Action { arguments, .. }) => arguments,
        Kind::Step(Step::Playbook { input, .. }) => input,
        _ => return None,
    };
    (!arguments.is_empty()).then_some(arguments)
}

/// A step for programs.
#[derive(Serialize)]
pub struct Document<'a> {
    step: String,
    at: String,
    what: Option<&'a Step>,
    composite: Option<Composite>,
    iterations: Option<u32>,
    effect: Option<&'static str>,
    attempts: u32,
    outcome: Option<&'static str>,
    result: Option<&'a Value>,
    failure: Option<&'a cordon_contract::Failure>,
    took_ms: Option<u64>,
    events: Vec<Event<'a>>,
}

#[derive(Serialize)]
struct Event<'a> {
    at: String,
    what: &'a Happened,
}

impl<'a> Document<'a> {
    /// The document of a step.
    #[must_use]
    pub fn of(line: &'a Line) -> Self {
        let (outcome, result, failure) = match &line.answer {
            Some((Answer::Done(value), _)) => (Some("done"), Some(value), None),
            Some((Answer::Failed(failure), _)) => (Some("failed"), None, Some(&**failure)),
            _ => (None, None, None),
        };
        let took = line.answer.as_ref().map(|(_, took)| took.as_millis());
        Self {
            step: line.key.to_string(),
            at: line.at.to_string(),
            what: match &line.what {
                Kind::Step(step) => Some(step),
                _ => None,
            },
            composite: match line.what {
                Kind::Composite(composite, _) => Some(composite),
                _ => None,
            },
            iterations: match line.what {
                Kind::Composite(_, further) => Some(further + 1),
                _ => None,
            },
            effect: line.effect.map(Effect::name),
            attempts: line.attempts,
            outcome,
            result,
            failure,
            took_ms: took.map(|took| u64::try_from(took).unwrap_or(u64::MAX)),
            events: line
                .events
                .iter()
                .map(|(at, what)| Event {
                    at: at.to_string(),
                    what,
                })
                .collect(),
        }
    }
}
