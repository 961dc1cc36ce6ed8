//! What is known of a run while it goes on, and which of its events deserve a line.
//!
//! Looks of `poll` would fill the screen and say nothing; they only show in the changing line, and
//! the poll gets one line when it ends.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use cordon_contract::step::{Answer, Composite, Step};
use cordon_contract::{Effect, StepKey};
use cordon_journal::Run;
use cordon_journal::run::{Status, Waiting};
use cordon_run::engine::Verdict;
use cordon_run::event::Event;
use cordon_run::live;

use super::super::super::runs::wait;
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
    /// Since when a step is not over, however often its run was put aside meanwhile.
    began: HashMap<StepKey, Instant>,
    message: Option<String>,
    /// The run, as it was when it was taken up.
    run: Option<Run>,
    /// What it waits for, while it is not executed.
    waits: Vec<Waiting>,
    /// What people were told that it waits for.
    told: HashSet<String>,
}

/// How a line looks, and which lines there are.
#[derive(Clone, Copy)]
pub struct Manner<'a> {
    /// What the output can show.
    pub look: Look,
    /// Looks of polls, clock reads and ids too.
    pub everything: bool,
    /// The run, where it is not the one that is watched.
    pub of: &'a str,
}

/// What is known of a composite step while it goes on.
struct Inside {
    composite: Composite,
    began: Instant,
    iterations: u32,
    /// The last action inside, for the line at the end.
    action: Option<String>,
}

impl State {
    /// What is going on just now, in a line, and whether it is more than waiting; none where nothing is.
    pub fn now(&self) -> Option<(bool, String)> {
        let message = self
            .message
            .as_ref()
            .map_or(String::new(), |message| format!("{message} – "));
        let Some((_, text, since)) = self.going_on.last() else {
            let waits = self.waits.first()?;
            let now = live::wall();
            let until = wait::until(waits, now).map_or(String::new(), |until| format!(" {until}"));
            let how = self.run.as_ref().and_then(|run| wait::how(waits, run));
            let how = how.map_or(String::new(), |how| format!(": {how}"));
            return Some((
                false,
                format!("{message}waiting for {}{until}{how}", wait::what(waits)),
            ));
        };
        let more = match self.going_on.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some((
            true,
            format!("{message}{text} {}{more}", took(since.elapsed())),
        ))
    }

    /// Takes note of what happened; the lines to write about it, if it deserves some.
    pub fn see(&mut self, event: &Event<'_>, manner: Manner<'_>) -> Vec<String> {
        match event {
            Event::TakenUp { run } => {
                self.run = Some((*run).clone());
                self.waits.clear();
                Vec::new()
            }
            Event::PutAside { status } => self.put_aside(status, manner),
            Event::Over { .. } => {
                self.waits.clear();
                self.going_on.clear();
                Vec::new()
            }
            other => self.step(other, manner).into_iter().collect(),
        }
    }

    fn put_aside(&mut self, status: &Status, manner: Manner<'_>) -> Vec<String> {
        self.going_on.clear();
        self.waits.clone_from(&status.waits);
        let Some(run) = &mut self.run else {
            return Vec::new();
        };
        run.status = (*status).clone();
        let now = live::wall();
        let mut lines = Vec::new();
        for waiting in status.waits.iter().filter(|wait| wait::is_for_people(wait)) {
            let what = wait::what(waiting);
            if !self.told.insert(what.clone()) {
                continue;
            }
            let until =
                wait::until(waiting, now).map_or(String::new(), |until| format!(" {until}"));
            let how = wait::how(waiting, run).map_or(String::new(), |how| format!(": {how}"));
            let line = Line {
                state: "waits",
                tone: Some(Tone::Careful),
                text: format!("for {what}{until}{how}"),
                ..Line::default()
            };
            let key = waiting.step.clone().unwrap_or_default();
            lines.push(line.render(&key, manner.look, manner.of));
        }
        lines
    }

    fn step(&mut self, event: &Event<'_>, manner: Manner<'_>) -> Option<String> {
        let Manner {
            look,
            everything,
            of,
        } = manner;
        match event {
            Event::TakenUp { .. } | Event::PutAside { .. } | Event::Over { .. } => None,
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
                if matches!(answer, Answer::Parked) {
                    return None;
                }
                let effect = self.effects.remove(*key);
                let began = self.began.remove(*key);
                let took = began.map_or(*took, |began| began.elapsed().max(*took));
                if self.is_look(key, answer) && !everything {
                    return None;
                }
                finished(step, answer, took, effect, look, everything)
                    .map(|line| line.render(key, look, of))
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
                Some(line.render(key, look, of))
            }
            Event::Entered { key, composite } => {
                let inside = Inside {
                    composite: *composite,
                    began: Instant::now(),
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
                let inside = self.composites.remove(*key)?;
                let line = outcome(answer, inside.began.elapsed().max(*took));
                let (name, count) = inside.described();
                let text = with_result(&count, &line.text, look);
                Some(Line { name, text, ..line }.render(key, look, of))
            }
        }
    }

    fn started(&mut self, key: &StepKey, step: &Step, effect: Option<Effect>) {
        self.began.insert(key.clone(), Instant::now());
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
        Verdict::InDoubt => "nobody can know whether it happened: it stands still".to_owned(),
        Verdict::Report => return None,
    })
}

impl Inside {
    /// `poll kata.get_task` and `3 looks`.
    fn described(self) -> (String, String) {
        let (word, count) = line::composite(self.composite, self.iterations);
        let action = self
            .action
            .filter(|_| !matches!(self.composite, Composite::Parallel { .. }))
            .map_or(String::new(), |action| format!(" {action}"));
        (format!("{word}{action}"), count)
    }
}

#[cfg(test)]
mod tests;
