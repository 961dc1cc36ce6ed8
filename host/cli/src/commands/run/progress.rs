//! A run as it happens, for whoever looks at standard error: a line for each step that ended, and on
//! a terminal one more that shows what is going on just now.
//!
//! Looks of `poll` would fill the screen and say nothing; they only show in the changing line, and
//! the poll gets one line when it ends.

use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cordon_contract::{Effect, StepKey, Value, name};
use cordon_playbook::step::{Answer, Composite, Pause, Step};
use cordon_run::event::{Event, Watcher};
use cordon_run::settle::Verdict;

use crate::output::{Look, Screen, Tone, neutral, paint, value};

/// How often the changing line is drawn anew.
const TICK: Duration = Duration::from_millis(120);

/// The turning sign in front of the changing line.
const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Arguments and results take at most this much of a line.
const PART: usize = 60;

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only that the answer of a write was lost.
    Lost,
    /// The steps.
    Steps,
    /// Looks of `poll`, clock reads and ids too.
    Everything,
}

/// Watches one run.
pub struct Progress {
    screen: Arc<Screen>,
    detail: Detail,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The actions and waits that have begun and not ended, in the order of their beginning.
    going_on: Vec<(StepKey, String, Instant)>,
    composites: HashMap<StepKey, Inside>,
    effects: HashMap<StepKey, Effect>,
    message: Option<String>,
    reads: usize,
}

/// What is known of a composite step while it goes on.
struct Inside {
    composite: Composite,
    iterations: u32,
    /// The last action inside, for the line at the end.
    action: Option<String>,
}

impl Progress {
    /// Watches a run.
    #[must_use]
    pub fn new(screen: Arc<Screen>, detail: Detail) -> Self {
        Self {
            screen,
            detail,
            state: Mutex::default(),
        }
    }

    /// How many reads ended so far.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.state().reads
    }

    /// Keeps the changing line moving until the handle is dropped.
    #[must_use]
    pub fn animate(self: &Arc<Self>) -> Animation {
        if !self.screen.is_live() {
            return Animation(None);
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let progress = Arc::clone(self);
        let thread = std::thread::spawn(move || {
            let mut frame = 0;
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                progress.screen.status(
                    progress
                        .going_on()
                        .map(|text| format!("{} {text}", FRAMES[frame % FRAMES.len()])),
                );
                frame += 1;
            }
            progress.screen.status(None);
        });
        Animation(Some((stop, thread)))
    }

    fn going_on(&self) -> Option<String> {
        let state = self.state();
        let (_, text, since) = state.going_on.last()?;
        let more = match state.going_on.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = state
            .message
            .as_ref()
            .map_or(String::new(), |message| format!("{message} – "));
        Some(format!("{message}{text} {}{more}", took(since.elapsed())))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Progress {
    fn see(&self, event: &Event<'_>) {
        let look = self.screen.stderr();
        let line = self
            .state()
            .see(event, look, self.detail == Detail::Everything);
        let shown = self.detail > Detail::Lost || matches!(event, Event::AnswerLost { .. });
        if let Some(line) = line.filter(|_| shown) {
            self.screen.note(&line);
        }
    }
}

impl State {
    /// Takes note of what happened; the line to write about it, if it deserves one.
    fn see(&mut self, event: &Event<'_>, look: Look, verbose: bool) -> Option<String> {
        match event {
            Event::Started { key, step, effect } => {
                if let Some(effect) = effect {
                    self.effects.insert((*key).clone(), *effect);
                }
                if let Step::Progress { message, percent } = step {
                    let percent =
                        percent.map_or(String::new(), |percent| format!(" ({percent} %)"));
                    self.message = Some(format!("{}{percent}", neutral::line(message)));
                }
                if let (
                    Step::Action {
                        connection, action, ..
                    },
                    Some(around),
                ) = (step, self.around(key))
                {
                    around.action = Some(name_of(connection, action));
                }
                if let Some(text) = what_goes_on(step) {
                    self.going_on.push(((*key).clone(), text, Instant::now()));
                }
                None
            }
            Event::Finished {
                key,
                step,
                answer,
                took,
            } => {
                self.going_on.retain(|(own, ..)| own != *key);
                let effect = self.effects.remove(*key);
                if matches!(step, Step::Action { .. })
                    && effect.is_none_or(|effect| effect == Effect::Read)
                {
                    self.reads += 1;
                }
                let shown = verbose || !self.is_look(key, answer);
                shown
                    .then(|| finished(key, step, answer, *took, effect, look, verbose))
                    .flatten()
            }
            Event::AnswerLost {
                key,
                failure,
                verdict,
            } => {
                let then = match verdict {
                    Verdict::Repeat { after } => {
                        format!("safe to repeat: sending it again in {}", took(*after))
                    }
                    Verdict::AskTheProduct => "asking the product whether it happened".to_owned(),
                    Verdict::InDoubt => {
                        "nobody can know whether it happened: the run stops".to_owned()
                    }
                    Verdict::Report => return None,
                };
                let text = format!("{} – {then}", neutral::line(&failure.message));
                Some(line(
                    key,
                    "lost",
                    Tone::Bad,
                    None,
                    &name_of(&failure.connection, &failure.action),
                    &text,
                    look,
                ))
            }
            Event::Entered { key, composite } => {
                let inside = Inside {
                    composite: *composite,
                    iterations: 0,
                    action: None,
                };
                self.composites.insert((*key).clone(), inside);
                None
            }
            Event::Iterated { key, iteration } => {
                if let Some(inside) = self.composites.get_mut(*key) {
                    inside.iterations = *iteration;
                }
                None
            }
            Event::Left { key, answer, took } => {
                let Inside {
                    composite,
                    iterations,
                    action,
                } = self.composites.remove(*key)?;
                let (word, count) = match composite {
                    Composite::Poll { .. } => ("poll", counted(iterations + 1, "look", "looks")),
                    Composite::Retry { .. } => ("retry", counted(iterations + 1, "try", "tries")),
                    Composite::Parallel { branches, .. } => {
                        ("parallel", counted(branches, "branch", "branches"))
                    }
                };
                let (state, tone, result) = outcome(answer);
                let text = if result.is_empty() {
                    count
                } else {
                    format!("{count} {} {result}", arrow(look))
                };
                let name = match action {
                    Some(action) if !matches!(composite, Composite::Parallel { .. }) => {
                        format!("{word} {action}")
                    }
                    _ => word.to_owned(),
                };
                Some(line(key, state, tone, Some(*took), &name, &text, look))
            }
        }
    }

    /// Whether this is one of the many looks of a poll, and went well.
    fn is_look(&mut self, key: &StepKey, answer: &Answer) -> bool {
        let in_poll = self
            .around(key)
            .is_some_and(|around| matches!(around.composite, Composite::Poll { .. }));
        in_poll && matches!(answer, Answer::Done(_))
    }

    /// The composite that a step stands in.
    fn around(&mut self, key: &StepKey) -> Option<&mut Inside> {
        let length = key
            .path()
            .len()
            .checked_sub(2)
            .filter(|length| *length > 0)?;
        let (_, inside) = self
            .composites
            .iter_mut()
            .find(|(own, _)| own.path() == &key.path()[..length])?;
        Some(inside)
    }
}

fn finished(
    key: &StepKey,
    step: &Step,
    answer: &Answer,
    took: Duration,
    effect: Option<Effect>,
    look: Look,
    verbose: bool,
) -> Option<String> {
    let (state, tone, result) = outcome(answer);
    match step {
        Step::Action {
            connection,
            action,
            arguments,
        } => {
            let arguments = paint::cut(&value::arguments(arguments), PART);
            let effect = match effect {
                Some(Effect::Read) | None => String::new(),
                Some(effect) => format!("[{}] ", effect.name()),
            };
            let result = if result.is_empty() {
                String::new()
            } else {
                format!(" {} {result}", arrow(look))
            };
            let text = format!("{effect}{arguments}{result}");
            Some(line(
                key,
                state,
                tone,
                Some(took),
                &name_of(connection, action),
                text.trim_end(),
                look,
            ))
        }
        Step::Sleep {
            reason: Pause::Sleep,
            ..
        } => Some(line(key, state, tone, Some(took), "sleep", "", look)),
        Step::Log { message, .. } => Some(line(
            key,
            "log",
            Tone::Faint,
            None,
            "",
            &neutral::line(message),
            look,
        )),
        Step::Progress { message, percent } => {
            let percent = percent.map_or(String::new(), |percent| format!(" ({percent} %)"));
            Some(line(
                key,
                "now",
                Tone::Name,
                None,
                "",
                &format!("{}{percent}", neutral::line(message)),
                look,
            ))
        }
        Step::Note {
            title,
            value: noted,
        } => {
            let text = format!(
                "{}: {}",
                neutral::line(title),
                paint::cut(&value::short(noted), PART)
            );
            Some(line(key, "note", Tone::Strong, None, "", &text, look))
        }
        Step::Now if verbose => Some(line(key, state, tone, None, "now", &result, look)),
        Step::Uuid if verbose => Some(line(key, state, tone, None, "uuid", &result, look)),
        Step::Sleep { .. } | Step::Now | Step::Uuid => None,
    }
}

fn what_goes_on(step: &Step) -> Option<String> {
    match step {
        Step::Action {
            connection,
            action,
            arguments,
        } => {
            let arguments = paint::cut(&value::arguments(arguments), PART);
            Some(
                format!("{} {arguments}", name_of(connection, action))
                    .trim_end()
                    .to_owned(),
            )
        }
        Step::Sleep { duration, reason } => {
            let what = match reason {
                Pause::Sleep => "sleeping for",
                Pause::Poll => "looking again in",
                Pause::Retry => "trying again in",
            };
            Some(format!("{what} {},", took(*duration)))
        }
        _ => None,
    }
}

fn outcome(answer: &Answer) -> (&'static str, Tone, String) {
    match answer {
        Answer::Done(Value::Null) => ("done", Tone::Good, String::new()),
        Answer::Done(value) => ("done", Tone::Good, paint::cut(&result(value), PART)),
        Answer::Failed(failure) => {
            let status = failure
                .status
                .map_or(String::new(), |status| format!(", HTTP {status}"));
            (
                "failed",
                Tone::Bad,
                format!(
                    "{} ({}{status})",
                    neutral::line(&failure.message),
                    failure.kind
                ),
            )
        }
        Answer::Stopped => ("stopped", Tone::Careful, String::new()),
    }
}

/// A list is told by its length, since its first entries say little about the rest.
fn result(value: &Value) -> String {
    match value {
        Value::List(values) if values.is_empty() => "no entries".to_owned(),
        Value::List(values) if values.len() > 1 => format!("{} entries", values.len()),
        other => value::short(other),
    }
}

/// One line: state, time, name, text; indented by how deep the step stands in composites.
fn line(
    key: &StepKey,
    state: &str,
    tone: Tone,
    took_: Option<Duration>,
    name: &str,
    text: &str,
    look: Look,
) -> String {
    let depth = key.path().len().saturating_sub(1) / 2;
    let state = look.paint(tone, &paint::pad(state, 7));
    let took = look.paint(
        Tone::Faint,
        &format!("{:>7}", took_.map(took).unwrap_or_default()),
    );
    let indent = "  ".repeat(depth);
    let name = match (name, text) {
        ("", _) => String::new(),
        (name, "") => look.paint(Tone::Name, name),
        (name, _) => format!("{}  ", look.paint(Tone::Name, &paint::pad(name, 22))),
    };
    format!("{state} {took}  {indent}{name}{text}")
        .trim_end()
        .to_owned()
}

fn name_of(connection: &str, action: &str) -> String {
    neutral::line(&format!("{connection}.{}", name::snake(action)))
}

fn arrow(look: Look) -> &'static str {
    if look.width.is_some() { "→" } else { "->" }
}

fn counted(count: u32, one: &str, many: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {many}")
    }
}

/// A time as people read it: two digits that matter.
#[must_use]
pub fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{}ms", time.as_millis()),
        1..10 => format!("{:.1}s", time.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// Keeps the changing line moving; dropped, it removes the line.
pub struct Animation(Option<(mpsc::Sender<()>, JoinHandle<()>)>);

impl Drop for Animation {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use cordon_contract::{Delivery, ErrorKind, Failure};

    use super::*;

    /// The lines of a run in which every kind of step ends once.
    fn lines(verbose: bool) -> Vec<String> {
        let mut state = State::default();
        let mut lines = Vec::new();
        let mut see = |state: &mut State, event: Event<'_>| {
            lines.extend(state.see(&event, Look::PLAIN, verbose))
        };
        let mut step =
            |state: &mut State, key: &str, step: Step, effect: Option<Effect>, answer: Answer| {
                let key: StepKey = key.parse().unwrap();
                see(
                    state,
                    Event::Started {
                        key: &key,
                        step: &step,
                        effect,
                    },
                );
                see(
                    state,
                    Event::Finished {
                        key: &key,
                        step: &step,
                        answer: &answer,
                        took: Duration::from_millis(32),
                    },
                );
            };
        let action = |action: &str, arguments: &[(&str, &str)]| Step::Action {
            connection: "kata".to_owned(),
            action: action.to_owned(),
            arguments: arguments
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::text(*value)))
                .collect(),
        };
        let json = |text: &str| Answer::Done(Value::from_json(text).unwrap());
        let sleep = |reason| Step::Sleep {
            duration: Duration::from_secs(5),
            reason,
        };

        step(
            &mut state,
            "0",
            Step::Progress {
                message: "looking\x1b[2J".to_owned(),
                percent: Some(10),
            },
            None,
            json("null"),
        );
        step(
            &mut state,
            "1",
            action("list-sensors", &[("host", "srv-01")]),
            Some(Effect::Read),
            json(r#"[{"a": 1}, {"a": 2}]"#),
        );
        step(
            &mut state,
            "2",
            action("isolate", &[("sensor_id", "DF64")]),
            Some(Effect::Reversible),
            json("null"),
        );
        step(
            &mut state,
            "3",
            Step::Now,
            None,
            json(r#""2026-03-14T09:21:37Z""#),
        );
        let poll = "4".parse().unwrap();
        let composite = Composite::Poll {
            every: Duration::from_secs(5),
            timeout: Duration::from_secs(60),
        };
        state.see(
            &Event::Entered {
                key: &poll,
                composite,
            },
            Look::PLAIN,
            verbose,
        );
        step(
            &mut state,
            "4.0.0",
            action("get-task", &[]),
            Some(Effect::Read),
            json(r#"{"state": "running"}"#),
        );
        step(&mut state, "4.0.1", sleep(Pause::Poll), None, json("null"));
        state.see(
            &Event::Iterated {
                key: &poll,
                iteration: 1,
            },
            Look::PLAIN,
            verbose,
        );
        let refused = Failure {
            status: Some(502),
            delivery: Delivery::Answered,
            ..Failure::new(ErrorKind::Unavailable, "<html>\nbad gateway")
        };
        step(
            &mut state,
            "4.1.0",
            action("get-task", &[]),
            Some(Effect::Read),
            Answer::Failed(Box::new(refused)),
        );
        let done = json(r#"{"state": "done"}"#);
        let left = state.see(
            &Event::Left {
                key: &poll,
                answer: &done,
                took: Duration::from_secs(75),
            },
            Look::PLAIN,
            verbose,
        );
        step(
            &mut state,
            "5",
            Step::Note {
                title: "found".to_owned(),
                value: Value::text("x"),
            },
            None,
            json("null"),
        );
        step(&mut state, "6", sleep(Pause::Sleep), None, Answer::Stopped);
        assert_eq!((state.reads, state.going_on.len()), (3, 0));
        lines.extend(left);
        lines
    }

    #[test]
    fn each_step_is_a_line_and_the_looks_of_a_poll_are_one() {
        insta::assert_snapshot!(lines(false).join("\n"));
    }

    #[test]
    fn asked_for_more_every_look_shows() {
        insta::assert_snapshot!(lines(true).join("\n"));
    }

    #[test]
    fn times_are_read_at_a_glance() {
        let texts: Vec<String> = [0, 999, 1_500, 59_000, 61_000, 3_725_000]
            .map(|ms| took(Duration::from_millis(ms)))
            .into();
        assert_eq!(texts, ["0ms", "999ms", "1.5s", "59s", "1m01s", "1h02m"]);
    }
}
