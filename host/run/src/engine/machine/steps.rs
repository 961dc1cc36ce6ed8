//! What a step means: when the script asks for it first, and when something is known of it already.

use std::time::Duration;

use cordon_contract::step::{Answer, Step};
use cordon_contract::{StepKey, Value};
use cordon_journal::{Durability, Moment, What};

use super::Machine;
use super::writes::Sending;
use crate::engine::describe::{describe, describe_step, is_same, kept_apart};
use crate::engine::memory::{Stage, answered};
use crate::engine::people;
use crate::engine::reaction::{Event, Next, Reaction, SHORT, Senses};

impl Machine {
    /// What is done about an event of a step.
    pub fn handle(&mut self, key: &StepKey, event: Event, senses: &dyn Senses) -> Reaction {
        match event {
            Event::Asked(step) => self.asked(key, step, senses),
            Event::Called(result) => self.called(key, result, senses),
            Event::Reconciled(result) => self.reconciled(key, result, senses),
            Event::Woken => self.resume(key, senses),
            Event::Child(outcome) => match outcome {
                None => {
                    self.memory.looked_at.insert(key.clone());
                    Reaction::answer(Answer::Parked)
                }
                Some(answer) => self.outcome(key, None, answer, Durability::Later, senses),
            },
        }
    }

    pub(super) fn asked(&mut self, key: &StepKey, step: Step, senses: &dyn Senses) -> Reaction {
        let (step, blob) = kept_apart(step);
        let mut reaction = self.asked_for(key, step, senses);
        if !reaction.records.is_empty() {
            reaction.blobs.extend(blob);
        }
        reaction
    }

    fn asked_for(&mut self, key: &StepKey, step: Step, senses: &dyn Senses) -> Reaction {
        match self.memory.get(key).map(|known| &known.stage) {
            None => {}
            Some(stage) => {
                let held = stage.step();
                if held.is_some_and(|held| is_same(held, &step)) {
                    return self.resume(key, senses);
                }
                let held = held.map_or_else(|| describe(stage), describe_step);
                let next = self.diverge(key, held, describe_step(&step));
                return Reaction::only(next);
            }
        }
        if self.is_ended(key) {
            return Reaction::answer(Answer::Parked);
        }
        if let Some(reason) = self.fill() {
            return Reaction::only(Next::Stop(reason));
        }
        self.begin(key, step, senses)
    }

    /// A step that is asked for the first time.
    fn begin(&mut self, key: &StepKey, step: Step, senses: &dyn Senses) -> Reaction {
        let done = |machine: &mut Self, step, value| {
            machine.outcome(
                key,
                Some(step),
                Answer::Done(value),
                Durability::Later,
                senses,
            )
        };
        match step {
            Step::Action { .. } => self.send(key, step, senses),
            Step::Now => {
                let now = Value::text(senses.wall().to_string());
                done(self, step, now)
            }
            Step::Uuid => {
                let uuid = Value::text(senses.uuid().to_string());
                done(self, step, uuid)
            }
            Step::Sleep { duration, .. } => self.wait(key, step, duration, false, senses),
            Step::Again { every, timeout } => {
                let since = key
                    .parent()
                    .and_then(|(poll, _)| self.memory.get(&poll))
                    .map_or_else(|| senses.now(), |known| known.since);
                let rest = timeout.saturating_sub(senses.now().since(since));
                if rest.is_zero() {
                    return done(self, step, Value::Bool(false));
                }
                self.wait(key, step, every.min(rest), true, senses)
            }
            Step::Approve(ref approval) => {
                let expires = approval.expires_ms;
                self.ask(key, step, expires, senses)
            }
            Step::Ask(ref question) => {
                let expires = question.expires_ms;
                self.ask(key, step, expires, senses)
            }
            Step::Playbook { .. } => {
                let run = self.child(key);
                let mut reaction = Reaction::only(Next::StartChild(run));
                self.record(&mut reaction, key, What::Child { step, run }, senses);
                reaction
            }
            Step::Undo
            | Step::Artifact { .. }
            | Step::Log { .. }
            | Step::Progress { .. }
            | Step::Note { .. } => done(self, step, Value::Null),
        }
    }

    fn wait(
        &mut self,
        key: &StepKey,
        step: Step,
        duration: Duration,
        again: bool,
        senses: &dyn Senses,
    ) -> Reaction {
        if duration.is_zero() {
            let value = if again {
                Value::Bool(true)
            } else {
                Value::Null
            };
            let answer = Answer::Done(value);
            return self.outcome(key, Some(step), answer, Durability::Later, senses);
        }
        let until = senses.now().plus(duration);
        let next = if duration <= SHORT {
            Next::Wait(until)
        } else {
            Next::Answer(Answer::Parked)
        };
        let mut reaction = Reaction::only(next);
        self.record(
            &mut reaction,
            key,
            What::Wait { step, until, again },
            senses,
        );
        reaction
    }

    fn ask(
        &mut self,
        key: &StepKey,
        step: Step,
        expires_ms: Option<u64>,
        senses: &dyn Senses,
    ) -> Reaction {
        let until = expires_ms.map(|expires| senses.now().plus(Duration::from_millis(expires)));
        let mut reaction = Reaction::answer(Answer::Parked);
        reaction.durability = Durability::Soon;
        self.record(&mut reaction, key, What::Asked { step, until }, senses);
        reaction
    }

    /// A step that is known goes on.
    pub(super) fn resume(&mut self, key: &StepKey, senses: &dyn Senses) -> Reaction {
        let now = senses.now();
        let Some(known) = self.memory.get(key) else {
            return Reaction::answer(Answer::Stopped);
        };
        // An ended run goes on with none of its waits, not with one that is over by now either: what is
        // done after it may have begun on the word that the script waits there.
        let ended = self.is_ended(key);
        match &known.stage {
            Stage::Done { answer, .. } => Reaction::answer(answered(answer)),
            Stage::Composite(_) => Reaction::answer(Answer::Stopped),
            Stage::Sent(sent) => self.settle(key, Sending::of(sent), senses),
            _ if ended => Reaction::answer(Answer::Parked),
            Stage::Waiting { until, again, .. } if *until <= now => {
                let value = match again {
                    true => Value::Bool(true),
                    false => Value::Null,
                };
                let answer = Answer::Done(value);
                self.outcome(key, None, answer, Durability::Later, senses)
            }
            Stage::Waiting { until, .. } => self.until(*until, now),
            Stage::Asked(asked) => match people::outcome(asked, now) {
                Some(answer) => self.outcome(key, None, answer, Durability::Now, senses),
                None => Reaction::answer(Answer::Parked),
            },
            Stage::Child { run, .. } => Reaction::only(Next::StartChild(*run)),
        }
    }

    pub(super) fn until(&self, until: Moment, now: Moment) -> Reaction {
        match until.since(now) <= SHORT {
            true => Reaction::only(Next::Wait(until)),
            false => Reaction::answer(Answer::Parked),
        }
    }
}
