//! The machine of one run: from what is known and what happened to what is done next.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cordon_contract::step::{Answer, Composite, Step};
use cordon_contract::value::exact;
use cordon_contract::{
    Action, BlobReference, Delivery, Effect, ErrorKind, Failure, StepKey, Value, name,
};
use cordon_journal::record::{Recorded, Settling, Stop};
use cordon_journal::run::{Order, State, Status};
use cordon_journal::wish::Resolution;
use cordon_journal::{Durability, Entry, Moment, Record, RunId, What};
use cordon_playbook::step::StopReason;
use uuid::Uuid;

use super::memory::{Deferred, Facts, Memory, Sent, Stage, answered};
use super::people::{self, Refusal};
use super::reaction::{Event, Next, Reaction, SHORT, Senses};
use super::settle::{self, Verdict};
use super::waits::named;

/// How long after an attempt the product is asked about it, for an action without a timeout.
const ASK_AFTER: Duration = Duration::from_secs(30);

/// How often the product is asked about a lost write before a person is.
const ASKED_MAX: u32 = 5;

/// The pause before the product is asked again; doubled each time.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// The share of a limit at which a warning is given.
const WARN_AT_PERCENT: u64 = 80;

/// One run.
pub struct Machine {
    run: RunId,
    order: Arc<Order>,
    facts: Facts,
    pub(super) memory: Memory,
    /// The reads that are under way, and since when. They leave no trace before they are over.
    reading: HashMap<StepKey, (Step, Moment)>,
    seq: u64,
    /// How many bytes each record takes that was not dropped.
    weights: HashMap<u64, u64>,
    bytes: u64,
    warned: bool,
    divergence: Option<Divergence>,
    /// The limit of the journal that was reached.
    full: Option<Stop>,
}

/// The script asked for another step than its journal holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at step {step} the script asks for {asked}, and the journal holds {held}")]
pub struct Divergence {
    /// The step.
    pub step: StepKey,
    /// What the script asks for.
    pub asked: String,
    /// What the journal holds.
    pub held: String,
}

impl Machine {
    /// The machine of a run, from what was recorded of it.
    #[must_use]
    pub fn new(
        run: RunId,
        order: Arc<Order>,
        status: &Status,
        entries: &[Entry],
        facts: Facts,
    ) -> Self {
        let mut memory = Memory::default();
        for entry in entries {
            memory.apply(entry.seq, &entry.record);
        }
        let last = entries.last().map_or(0, |entry| entry.seq);
        let weighed = entries
            .iter()
            .map(|entry| (entry.seq, weight(&entry.record.what)));
        let weights: HashMap<u64, u64> = weighed.collect();
        Self {
            run,
            order,
            facts,
            memory,
            reading: HashMap::new(),
            seq: status.seq.max(last),
            bytes: weights.values().sum(),
            weights,
            warned: false,
            divergence: None,
            full: None,
        }
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.run
    }

    /// What it is a run of.
    #[must_use]
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// What the script asked for that its journal does not hold.
    #[must_use]
    pub fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }

    /// What ended the script from outside.
    #[must_use]
    pub fn stopped(&self) -> Option<&Stop> {
        self.memory.stop.as_ref().or(self.full.as_ref())
    }

    /// Whether a write is in doubt.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.memory.open.iter().any(|key| {
            matches!(self.memory.get(key).map(|known| &known.stage),
                Some(Stage::Sent(sent)) if sent.doubt.is_some())
        })
    }

    /// Whether a step over many values did not do them all. What happened inside of another step is
    /// that step's affair.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.memory.partial.keys().any(|key| key.parent().is_none())
    }

    /// Whether 80 % of the journal's limits are used, once.
    pub fn warn(&mut self) -> Option<String> {
        let near = |used: u64, max: u64| used >= max - max / 100 * (100 - WARN_AT_PERCENT);
        let order = &self.order;
        if self.warned
            || !(near(self.records(), order.journal_records_max)
                || near(self.bytes, order.journal_bytes_max))
        {
            return None;
        }
        self.warned = true;
        Some(format!(
            "its journal is filling up: {} of {} records, {} of {} bytes",
            self.records(),
            order.journal_records_max,
            self.bytes,
            order.journal_bytes_max
        ))
    }

    /// Where the run stands when its script waits.
    #[must_use]
    pub fn status(&self, now: Moment, playbook_of: impl Fn(RunId) -> String) -> Status {
        let in_doubt = self.in_doubt();
        // Once it is over, its end was seen to: what still waits is taken up for its own sake alone.
        let deadline = Some(self.order.deadline).filter(|deadline| now < *deadline);
        // Of a run in doubt, what else waits goes on once a person has spoken.
        let next = self.memory.next_due().filter(|_| !in_doubt);
        let due = match (next, deadline) {
            (Some(next), Some(deadline)) => Some(next.min(deadline)),
            (next, deadline) => next.or(deadline),
        };
        Status {
            state: if in_doubt {
                State::InDoubt
            } else {
                State::Waiting
            },
            due,
            waits: self.memory.waits(playbook_of),
            seq: self.seq,
            records: self.records(),
            bytes: self.bytes,
            end: None,
        }
    }

    /// The same for the same step of the same run, whoever computes it and whenever.
    #[must_use]
    pub fn idempotency_key(&self, key: &StepKey) -> Uuid {
        Uuid::new_v5(&self.run.0, key.to_string().as_bytes())
    }

    /// The run that a step starts: the same whenever it is asked for.
    fn child(&self, key: &StepKey) -> RunId {
        RunId(Uuid::new_v5(&self.run.0, format!("run {key}").as_bytes()))
    }

    /// What a step of this action means: the action, and its effect with these arguments.
    fn action(&self, step: &Step) -> Option<(&Action, Effect)> {
        let Step::Action {
            connection,
            action,
            arguments,
            ..
        } = step
        else {
            return None;
        };
        let action = self.facts.action(connection, action)?;
        let effect = match action.manifest.overrides.is_empty() {
            true => action.manifest.effect,
            false => action.manifest.effect_with(&Value::Map(arguments.clone())),
        };
        Some((action, effect))
    }

    /// The effect of the action that a step calls; none for what is no action.
    #[must_use]
    pub fn effect(&self, step: &Step) -> Option<Effect> {
        self.action(step).map(|(_, effect)| effect)
    }

    /// The reconcile companion of the action that a step calls.
    #[must_use]
    pub fn companion(&self, step: &Step) -> Option<String> {
        self.action(step)?.0.manifest.reconcile.clone()
    }

    /// Whether reads are under way.
    #[cfg(test)]
    pub(super) fn is_reading(&self) -> bool {
        !self.reading.is_empty()
    }

    /// Whether something is known of a step.
    #[must_use]
    pub fn knows(&self, key: &StepKey) -> bool {
        self.memory.get(key).is_some()
    }

    /// Whether a step is over.
    #[must_use]
    pub fn is_over(&self, key: &StepKey) -> bool {
        match self.memory.get(key).map(|known| &known.stage) {
            Some(Stage::Done { .. }) => true,
            Some(Stage::Composite(whole)) => whole.left.is_some(),
            _ => false,
        }
    }

    /// How the answer of a write was lost of which nobody knows, or not yet, whether it happened.
    #[must_use]
    pub fn doubt_of(&self, key: &StepKey) -> Option<Failure> {
        match &self.memory.get(key)?.stage {
            Stage::Sent(sent) => {
                let deferred = sent.deferred.as_ref().map(|deferred| &deferred.failure);
                sent.doubt.as_ref().or(deferred).cloned()
            }
            _ => None,
        }
    }

    /// When a step that waits can go on.
    #[must_use]
    pub fn due(&self, key: &StepKey) -> Option<Moment> {
        self.memory.due_of(key)
    }

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

    fn asked(&mut self, key: &StepKey, step: Step, senses: &dyn Senses) -> Reaction {
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

    fn send(&mut self, key: &StepKey, step: Step, senses: &dyn Senses) -> Reaction {
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
    fn resume(&mut self, key: &StepKey, senses: &dyn Senses) -> Reaction {
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

    /// A write without an outcome: what is done about it now.
    fn settle(&mut self, key: &StepKey, sending: Sending, senses: &dyn Senses) -> Reaction {
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

    fn until(&self, until: Moment, now: Moment) -> Reaction {
        match until.since(now) <= SHORT {
            true => Reaction::only(Next::Wait(until)),
            false => Reaction::answer(Answer::Parked),
        }
    }

    fn called(
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
    fn lost(
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

    fn reconciled(
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

    fn outcome(
        &mut self,
        key: &StepKey,
        step: Option<Step>,
        answer: Answer,
        durability: Durability,
        senses: &dyn Senses,
    ) -> Reaction {
        self.outcome_since(key, step, answer, durability, None, senses)
    }

    fn outcome_since(
        &mut self,
        key: &StepKey,
        step: Option<Step>,
        answer: Answer,
        durability: Durability,
        began: Option<Moment>,
        senses: &dyn Senses,
    ) -> Reaction {
        let Some(recorded) = Recorded::of(&answer) else {
            return Reaction::answer(answer);
        };
        let began = began
            .or_else(|| self.memory.get(key).map(|known| known.since))
            .unwrap_or_else(|| senses.now());
        let what = What::Outcome {
            step,
            answer: recorded,
            took: senses.now().since(began),
        };
        let mut reaction = Reaction::answer(answer);
        reaction.durability = durability;
        self.record(&mut reaction, key, what, senses);
        reaction
    }

    /// Adds a record to what is known and to what is written.
    pub(super) fn record(
        &mut self,
        reaction: &mut Reaction,
        key: &StepKey,
        what: What,
        senses: &dyn Senses,
    ) {
        self.seq += 1;
        let record = Record {
            at: senses.now(),
            key: key.clone(),
            what,
        };
        let weight = weight(&record.what);
        self.bytes = self.bytes.saturating_add(weight);
        self.weights.insert(self.seq, weight);
        self.memory.apply(self.seq, &record);
        reaction.records.push((self.seq, record));
    }

    fn records(&self) -> u64 {
        self.weights.len() as u64
    }

    /// These records are dropped.
    pub(super) fn dropped(&mut self, seqs: &[u64]) {
        for seq in seqs {
            let weight = self.weights.remove(seq).unwrap_or(0);
            self.bytes = self.bytes.saturating_sub(weight);
        }
    }

    /// Whether the script was ended from outside, so that a step without a record is not begun any more
    /// and none goes on waiting. What is done after the script is not ended.
    pub(super) fn is_ended(&self, key: &StepKey) -> bool {
        self.memory.stop.is_some() && key.afterwards().is_none()
    }

    /// Whether what is done after the script has begun.
    #[must_use]
    pub fn is_unwinding(&self) -> bool {
        self.memory.unwinding
    }

    /// The limit of the journal that was reached.
    pub(super) fn journal_limit(&self) -> Option<&Stop> {
        self.full.as_ref()
    }

    /// Whether the journal is full.
    fn fill(&mut self) -> Option<StopReason> {
        let order = &self.order;
        // What is done after the script may go a tenth further: taking back must not fail for space.
        let room = |max: u64| match self.memory.unwinding {
            true => max.saturating_add(max / 10),
            false => max,
        };
        let (name, allowed) = if self.records() >= room(order.journal_records_max) {
            (
                "journal_records",
                format!("{} records", order.journal_records_max),
            )
        } else if self.bytes >= room(order.journal_bytes_max) {
            (
                "journal_size",
                cordon_contract::units::format_size(order.journal_bytes_max),
            )
        } else {
            return None;
        };
        self.full = Some(Stop::Limit {
            name: name.to_owned(),
            allowed: format!("{allowed} in the journal of one run"),
        });
        Some(StopReason::Limit)
    }

    pub(super) fn diverge(&mut self, key: &StepKey, held: String, asked: String) -> Next {
        self.divergence.get_or_insert(Divergence {
            step: key.clone(),
            asked,
            held,
        });
        Next::Stop(StopReason::Diverged)
    }

    /// Ends the script: steps that were not begun are not begun any more. None when it is ended
    /// already; what is done after it is not ended by anybody.
    pub fn stop(&mut self, stop: Stop, senses: &dyn Senses) -> Option<Reaction> {
        if self.memory.stop.is_some() || self.memory.unwinding {
            return None;
        }
        let mut reaction = Reaction::answer(Answer::Stopped);
        reaction.durability = Durability::Now;
        self.record(
            &mut reaction,
            &StepKey::root(0),
            What::Stopped { stop },
            senses,
        );
        Some(reaction)
    }

    /// A person agrees to what the run asks approval for, or refuses.
    ///
    /// # Errors
    /// Where that does not count.
    pub fn decide(
        &mut self,
        step: Option<&StepKey>,
        by: &str,
        allow: bool,
        comment: Option<String>,
        has_role: impl Fn(&str) -> bool,
        senses: &dyn Senses,
    ) -> Result<Reaction, Refusal> {
        let key = self.asking(step, "approval", |step| matches!(step, Step::Approve(_)))?;
        let Some(Stage::Asked(asked)) = self.memory.get(&key).map(|known| &known.stage) else {
            return Err(Refusal::Ended);
        };
        people::may_decide(asked, by, &self.order.started_by, has_role, senses.now())?;
        let what = What::Decided {
            by: by.to_owned(),
            allow,
            comment,
        };
        Ok(self.said(&key, what, senses))
    }

    /// A person answers what the run asks.
    ///
    /// # Errors
    /// Where that does not count, or does not fit the question.
    pub fn give(
        &mut self,
        step: Option<&StepKey>,
        by: &str,
        accept: impl Fn(&cordon_contract::step::Question) -> Result<Value, String>,
        senses: &dyn Senses,
    ) -> Result<Reaction, Refusal> {
        let key = self.asking(step, "answer", |step| matches!(step, Step::Ask(_)))?;
        let Some(Stage::Asked(asked)) = self.memory.get(&key).map(|known| &known.stage) else {
            return Err(Refusal::Ended);
        };
        if let Some(until) = asked.until.filter(|until| *until <= senses.now()) {
            return Err(Refusal::Expired { at: until });
        }
        if let Some((by, _)) = &asked.given {
            return Err(Refusal::Again { by: by.clone() });
        }
        let Step::Ask(question) = &asked.step else {
            return Err(Refusal::Ended);
        };
        let value = accept(question).map_err(|problem| Refusal::Answer { problem })?;
        let by = by.to_owned();
        Ok(self.said(&key, What::Given { by, value }, senses))
    }

    /// A person says what came of a write that is in doubt.
    ///
    /// # Errors
    /// Where it is not.
    pub fn resolve(
        &mut self,
        step: &StepKey,
        by: &str,
        how: &Resolution,
        senses: &dyn Senses,
    ) -> Result<Reaction, Refusal> {
        let doubted = matches!(self.memory.get(step).map(|known| &known.stage),
            Some(Stage::Sent(sent)) if sent.doubt.is_some());
        if !doubted {
            return Err(Refusal::NotInDoubt {
                step: step.to_string(),
            });
        }
        let (done, value) = match how {
            Resolution::Done(value) => (true, value.clone()),
            Resolution::NotDone | Resolution::Abort => (false, Value::Null),
        };
        let by = by.to_owned();
        Ok(self.said(step, What::Resolved { by, done, value }, senses))
    }

    fn said(&mut self, key: &StepKey, what: What, senses: &dyn Senses) -> Reaction {
        let mut reaction = Reaction::answer(Answer::Stopped);
        reaction.durability = Durability::Now;
        self.record(&mut reaction, key, what, senses);
        reaction
    }

    /// The step that asks people for this.
    fn asking(
        &self,
        step: Option<&StepKey>,
        what: &'static str,
        fits: impl Fn(&Step) -> bool,
    ) -> Result<StepKey, Refusal> {
        let open = self.memory.open.iter().filter(|key| {
            let stage = self.memory.get(key).map(|known| &known.stage);
            matches!(stage, Some(Stage::Asked(asked))
                if fits(&asked.step) && !people::is_decided(asked))
        });
        let open: Vec<&StepKey> = open
            .filter(|key| step.is_none_or(|step| step == *key))
            .collect();
        match open.as_slice() {
            [key] => Ok((*key).clone()),
            [] => Err(Refusal::NotAsked {
                what,
                step: step.map(ToString::to_string),
            }),
            several => Err(Refusal::Several {
                steps: several.iter().map(ToString::to_string).collect(),
            }),
        }
    }
}

/// What of a write is needed to decide about it, apart from the memory that it stands in.
struct Sending {
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
    fn of(sent: &Sent) -> Self {
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

/// Whether the script asks for what the journal holds. Numbers that are equal to nothing, not even to
/// themselves, are compared as they are written.
fn is_same(held: &Step, asked: &Step) -> bool {
    held == asked || written(held) == written(asked)
}

/// What an artifact holds goes into the store by its digest; the step has the digest in its place.
fn kept_apart(step: Step) -> (Step, Option<(String, Vec<u8>)>) {
    let Step::Artifact { name, value } = step else {
        return (step, None);
    };
    let bytes = exact::to_json(&value).into_bytes();
    let digest = digest(&bytes);
    let value = Value::Blob(BlobReference {
        reference: digest.clone(),
        length: bytes.len() as u64,
    });
    (Step::Artifact { name, value }, Some((digest, bytes)))
}

/// SHA-256 in lower-case hex: what names bytes in the store.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(Sha256::digest(bytes))
}

fn written(step: &Step) -> Option<String> {
    serde_json::to_string(step).ok()
}

fn describe_step(step: &Step) -> String {
    match step {
        Step::Action {
            connection,
            action,
            arguments,
            ..
        } => format!(
            "`{connection}.{}` with {}",
            name::snake(action),
            exact::to_json(&Value::Map(arguments.clone()))
        ),
        other => format!("`{}`", written(other).unwrap_or_default()),
    }
}

pub(super) fn describe(stage: &Stage) -> String {
    match stage {
        Stage::Composite(whole) => whole
            .composite
            .map_or_else(|| "nothing".to_owned(), describe_composite),
        other => other
            .step()
            .map_or_else(|| "nothing".to_owned(), describe_step),
    }
}

pub(super) fn describe_composite(composite: Composite) -> String {
    match composite {
        Composite::Poll { .. } => "`poll`".to_owned(),
        Composite::Retry { attempts } => format!("`retry` with {attempts} attempts"),
        Composite::Parallel { branches, max } => {
            format!("`parallel` over {branches} values, {max} at a time")
        }
    }
}

/// About how many bytes a record takes.
fn weight(what: &What) -> u64 {
    const RECORD: u64 = 96;
    let step = |step: &Step| match step {
        Step::Action { arguments, .. } => map_weight(arguments),
        Step::Playbook { input, .. } => map_weight(input),
        Step::Artifact { value, .. } | Step::Note { value, .. } => value_weight(value),
        Step::Log { message, .. } | Step::Progress { message, .. } => message.len() as u64,
        Step::Approve(approval) => approval.message.len() as u64,
        Step::Ask(question) => question.message.len() as u64,
        Step::Now | Step::Uuid | Step::Sleep { .. } | Step::Again { .. } | Step::Undo => 0,
    };
    let recorded = |recorded: &Recorded| match recorded {
        Recorded::Done(value) => value_weight(value),
        Recorded::Failed(failure) => failure.message.len() as u64 + value_weight(&failure.details),
        Recorded::Large { length, .. } => *length,
    };
    let content = match what {
        What::Intent { step: of, .. }
        | What::Wait { step: of, .. }
        | What::Asked { step: of, .. }
        | What::Child { step: of, .. } => step(of),
        What::Outcome {
            step: of, answer, ..
        } => of.as_ref().map_or(0, step) + recorded(answer),
        What::Branch { answer, .. } | What::Left { answer, .. } => recorded(answer),
        What::Deferred { failure, .. } | What::Doubt { failure } => failure.message.len() as u64,
        What::Given { value, .. } | What::Resolved { value, .. } => value_weight(value),
        _ => 0,
    };
    RECORD + content
}

fn map_weight(map: &cordon_contract::value::Map) -> u64 {
    map.iter()
        .map(|(name, value)| name.len() as u64 + 4 + value_weight(value))
        .sum()
}

pub(super) fn value_weight(value: &Value) -> u64 {
    match value {
        Value::Text(text) => text.len() as u64 + 3,
        Value::Bytes(bytes) => bytes.len() as u64 * 4 / 3 + 16,
        Value::List(list) => list.iter().map(value_weight).sum::<u64>() + 2,
        Value::Map(map) => map_weight(map) + 2,
        _ => 8,
    }
}
