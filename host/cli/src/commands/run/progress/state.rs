//! What is known of a run while it goes on, and which of its events deserve a line.
//!
//! Looks of `poll` would fill the screen and say nothing; they only show in the changing line, and
//! the poll gets one line when it ends.

use std::collections::HashMap;
use std::time::Instant;

use cordon_contract::{Effect, StepKey};
use cordon_playbook::step::{Answer, Composite, Step};
use cordon_run::event::Event;
use cordon_run::settle::Verdict;

use super::line::{self, Line, finished, name_of, outcome, with_result};
use crate::output::time::took;
use crate::output::{Look, Tone, neutral};

/// What is known of a run.
#[derive(Default)]
pub struct State {
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

impl State {
    /// How many reads ended so far.
    pub fn reads(&self) -> usize {
        self.reads
    }

    /// What is going on just now, in a line; none where nothing is.
    pub fn now(&self) -> Option<String> {
        let (_, text, since) = self.going_on.last()?;
        let more = match self.going_on.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = self
            .message
            .as_ref()
            .map_or(String::new(), |message| format!("{message} – "));
        Some(format!("{message}{text} {}{more}", took(since.elapsed())))
    }

    /// Takes note of what happened; the line to write about it, if it deserves one.
    pub fn see(&mut self, event: &Event<'_>, look: Look, everything: bool) -> Option<String> {
        match event {
            Event::Started { key, step, effect } => {
                self.started(key, step, *effect);
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
                let read = effect.is_none_or(|effect| effect == Effect::Read);
                self.reads += usize::from(read && matches!(step, Step::Action { .. }));
                if self.is_look(key, answer) && !everything {
                    return None;
                }
                finished(step, answer, *took, effect, look, everything)
                    .map(|line| line.render(key, look))
            }
            Event::AnswerLost {
                key,
                failure,
                verdict,
            } => {
                let then = said(*verdict)?;
                let line = Line {
                    state: "lost",
                    tone: Some(Tone::Bad),
                    took: None,
                    name: name_of(&failure.connection, &failure.action),
                    text: format!("{} – {then}", neutral::line(&failure.message)),
                };
                Some(line.render(key, look))
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
                let (name, count) = self.composites.remove(*key)?.described();
                let line = outcome(answer, *took);
                let text = with_result(&count, &line.text, look);
                Some(Line { name, text, ..line }.render(key, look))
            }
        }
    }

    fn started(&mut self, key: &StepKey, step: &Step, effect: Option<Effect>) {
        self.effects
            .extend(effect.map(|effect| (key.clone(), effect)));
        match step {
            Step::Progress { message, percent } => {
                self.message = Some(line::progress(message, *percent))
            }
            Step::Action {
                connection, action, ..
            } => {
                if let Some(around) = self.around(key) {
                    around.action = Some(name_of(connection, action));
                }
            }
            _ => {}
        }
        self.going_on
            .extend(line::going_on(step).map(|text| (key.clone(), text, Instant::now())));
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

/// What is done about a lost answer.
fn said(verdict: Verdict) -> Option<String> {
    Some(match verdict {
        Verdict::Repeat { after } => format!("safe to repeat: sending it again in {}", took(after)),
        Verdict::AskTheProduct => "asking the product whether it happened".to_owned(),
        Verdict::InDoubt => "nobody can know whether it happened: the run stops".to_owned(),
        Verdict::Report => return None,
    })
}

impl Inside {
    /// `poll kata.get_task` and `3 looks`.
    fn described(self) -> (String, String) {
        let counted = |count: u32, one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {many}"),
        };
        let (word, count) = match self.composite {
            Composite::Poll { .. } => ("poll", counted(self.iterations + 1, "look", "looks")),
            Composite::Retry { .. } => ("retry", counted(self.iterations + 1, "try", "tries")),
            Composite::Parallel { branches, .. } => {
                return (
                    "parallel".to_owned(),
                    counted(branches, "branch", "branches"),
                );
            }
        };
        let action = self
            .action
            .map_or(String::new(), |action| format!(" {action}"));
        (format!("{word}{action}"), count)
    }
}

#[cfg(test)]
mod tests;
