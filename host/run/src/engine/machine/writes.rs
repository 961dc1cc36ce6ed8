//! A call on its way: what is recorded before it is sent, and what is done about its answer, or about
//! the want of one.

use std::time::Duration;

use cordon_contract::step::{Answer, Step};
use cordon_contract::{Delivery, Effect, ErrorKind, Failure, StepKey, Value, name};
use cordon_journal::record::Settling;
use cordon_journal::{Durability, Moment, What};
use cordon_playbook::step::StopReason;

use super::Machine;
use crate::engine::memory::{Deferred, Sent, Stage};
use crate::engine::reaction::{Next, Reaction, Senses};
use crate::engine::settle::{self, Verdict};
use crate::engine::waits::named;

/// How long after an attempt the product is asked about it, for an action without a timeout.
const ASK_AFTER: Duration = Duration::from_secs(30);

/// How often the product is asked about a lost write before a person is.
const ASKED_MAX: u32 = 5;

/// The pause before the product is asked again; doubled each time.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);

impl Machine {
    pub(super) fn send(&mut self, key: &StepKey, step: Step, senses: &dyn Senses) -> Reaction {
        let Some((_, effect)) = self.action(&step) else {
            let failure = Failure::new(
                ErrorKind::InvalidInput,
                format!("this run has no `{}`", named(&step)),
            )
            .with_code("action.unknown");
            let answer = Answer::Failed(Box::new(failure));
            return self.outcome(key, Some(step), answer, Durability::Later, senses);
        };
        if effect == Effect::Read {
            self.reading.insert(key.clone(), (step, senses.now()));
            return Reaction::only(Next::Call);
        }
        let mut reaction = Reaction::only(Next::Call);
        reaction.durability = Durability::Now;
        self.record(&mut reaction, key, What::Intent { step, effect }, senses);
        reaction
    }

    pub(super) fn called(
        &mut self,
        key: &StepKey,
        result: Result<Value, Failure>,
        senses: &dyn Senses,
    ) -> Reaction {
        if let Some((step, began)) = self.reading.remove(key) {
            let answer = match result {
                Ok(value) => Answer::Done(value),
                Err(failure) => Answer::Failed(Box::new(failure)),
            };
            return self.outcome_since(
                key,
                Some(step),
                answer,
                Durability::Later,
                Some(began),
                senses,
            );
        }
        match result {
            Ok(value) => self.outcome(key, None, Answer::Done(value), Durability::Soon, senses),
            Err(failure) => self.lost(key, failure, false, senses),
        }
    }

    /// An attempt of a write failed, perhaps without an answer. `at_once` says that there is nothing to
    /// wait for before it is sent again.
    pub(super) fn lost(
        &mut self,
        key: &StepKey,
        failure: Failure,
        at_once: bool,
        senses: &dyn Senses,
    ) -> Reaction {
        let Some(Stage::Sent(sent)) = self.memory.get(key).map(|known| &known.stage) else {
            return Reaction::answer(Answer::Stopped);
        };
        let sending = Sending::of(sent);
        let lost_before = sending.attempt > 1;
        let Some((action, _)) = self.action(&sending.step) else {
            return self.doubt(key, failure, senses);
        };
        // That processes end says nothing about the product: what may be repeated is, however often.
        let attempt = if at_once { 1 } else { sending.attempt };
        let verdict = settle::after_failure(
            &action.manifest,
            sending.effect,
            &failure,
            attempt,
            lost_before,
        );
        let timeout = action
            .manifest
            .timeout_ms
            .map_or(ASK_AFTER, Duration::from_millis);
        let mut reaction = match verdict {
            Verdict::Report => {
                let answer = Answer::Failed(Box::new(failure.clone()));
                return self.outcome(key, None, answer, Durability::Soon, senses);
            }
            Verdict::Repeat { after } => {
                let pause = if at_once { Duration::ZERO } else { after };
                let until = senses.now().plus(pause);
                self.defer(key, failure.clone(), Settling::Resend, until, 0, senses)
            }
            Verdict::AskTheProduct => {
                let until = sending.attempted.plus(timeout).max(senses.now());
                self.defer(key, failure.clone(), Settling::Ask, until, 0, senses)
            }
            Verdict::InDoubt => self.doubt(key, failure.clone(), senses),
        };
        reaction.lost = Some((failure, verdict));
        reaction
    }

    fn defer(
        &mut self,
        key: &StepKey,
        failure: Failure,
        then: Settling,
        until: Moment,
        asked: u32,
        senses: &dyn Senses,
    ) -> Reaction {
        let now = senses.now();
        let mut reaction = match then {
            Settling::Ask if until <= now => Reaction::only(Next::Reconcile),
            _ => self.until(until, now),
        };
        let what = What::Deferred {
            failure: Box::new(failure),
            then,
            until,
            asked,
        };
        self.record(&mut reaction, key, what, senses);
        reaction.durability = Durability::Soon;
        reaction
    }

    fn doubt(&mut self, key: &StepKey, failure: Failure, senses: &dyn Senses) -> Reaction {
        let mut reaction = Reaction::only(Next::Stop(StopReason::InDoubt));
        reaction.durability = Durability::Now;
        let failure = Box::new(failure);
        self.record(&mut reaction, key, What::Doubt { failure }, senses);
        reaction
    }

    /// A write without an outcome: what is done about it now.
    pub(super) fn settle(
        &mut self,
        key: &StepKey,
        sending: Sending,
        senses: &dyn Senses,
    ) -> Reaction {
        let now = senses.now();
        if sending.doubt {
            return Reaction::only(Next::Stop(StopReason::InDoubt));
        }
        let Some(deferred) = sending.deferred else {
            // The process ended between intent and outcome.
            let failure = Failure {
                delivery: Delivery::Unknown,
                ..Failure::new(
                    ErrorKind::Unavailable,
                    "the process that sent it ended before the answer came",
                )
            }
            .of(sending.connection, name::snake(&sending.action));
            return self.lost(key, failure, true, senses);
        };
        if deferred.until > now {
            return self.until(deferred.until, now);
        }
        match deferred.then {
            Settling::Ask => Reaction::only(Next::Reconcile),
            Settling::Resend => {
                let mut reaction = Reaction::only(Next::Call);
                reaction.durability = Durability::Now;
                let number = sending.attempt.saturating_add(1);
                self.record(&mut reaction, key, What::Attempt { number }, senses);
                reaction
            }
        }
    }

    pub(super) fn reconciled(
        &mut self,
        key: &StepKey,
        result: Result<Option<Value>, Failure>,
        senses: &dyn Senses,
    ) -> Reaction {
        let Some(Stage::Sent(sent)) = self.memory.get(key).map(|known| &known.stage) else {
            return Reaction::answer(Answer::Stopped);
        };
        let sending = Sending::of(sent);
        let Some(Deferred { failure, asked, .. }) = sending.deferred else {
            return Reaction::answer(Answer::Stopped);
        };
        match result {
            Ok(Some(value)) => {
                let nothing = self
                    .action(&sending.step)
                    .is_some_and(|(action, _)| action.result.is_none());
                // An action that returns nothing has nothing to tell beyond that it happened.
                let value = if nothing { Value::Null } else { value };
                self.outcome(key, None, Answer::Done(value), Durability::Soon, senses)
            }
            // The product says that it did not happen, after the time in which it could have: sending
            // it is what the script asked for.
            Ok(None) if sending.attempt < settle::ATTEMPTS_MAX => {
                let now = senses.now();
                let mut reaction = self.defer(key, failure, Settling::Resend, now, asked, senses);
                reaction.next = Next::Wait(now);
                reaction
            }
            Ok(None) => {
                let failure = Failure {
                    delivery: Delivery::NotSent,
                    message: format!(
                        "{}; the product says that it did not happen",
                        failure.message
                    ),
                    ..failure
                };
                let answer = Answer::Failed(Box::new(failure));
                self.outcome(key, None, answer, Durability::Soon, senses)
            }
            Err(error) if error.kind.is_transient() && asked + 1 < ASKED_MAX => {
                let pause = ASK_AGAIN_AFTER * 2_u32.saturating_pow(asked);
                let until = senses.now().plus(pause);
                self.defer(key, failure, Settling::Ask, until, asked + 1, senses)
            }
            Err(_) => self.doubt(key, failure, senses),
        }
    }
}

/// What of a write is needed to decide about it, apart from the memory that it stands in.
pub(super) struct Sending {
    step: Step,
    connection: String,
    action: String,
    effect: Effect,
    attempted: Moment,
    attempt: u32,
    deferred: Option<Deferred>,
    doubt: bool,
}

impl Sending {
    pub(super) fn of(sent: &Sent) -> Self {
        let (connection, action) = match &sent.step {
            Step::Action {
                connection, action, ..
            } => (connection.clone(), action.clone()),
            _ => (String::new(), String::new()),
        };
        Self {
            step: sent.step.clone(),
            connection,
            action,
            effect: sent.effect,
            attempted: sent.attempted,
            attempt: sent.attempt,
            deferred: sent.deferred.clone(),
            doubt: sent.doubt.is_some(),
        }
    }
}
