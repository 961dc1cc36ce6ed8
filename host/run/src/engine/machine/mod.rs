//! The machine of one run: what it is made of, what is asked of it, and what it records.

mod room;
mod said;
mod steps;
mod writes;

use std::collections::HashMap;
use std::sync::Arc;

use cordon_contract::step::{Answer, Step};
use cordon_contract::{Action, Effect, Failure, StepKey, Value};
use cordon_journal::record::{Recorded, Stop};
use cordon_journal::run::{Order, State, Status};
use cordon_journal::{Durability, Entry, Moment, Record, RunId, What};
use cordon_playbook::step::StopReason;
use uuid::Uuid;

use super::memory::{Facts, Memory, Stage, answered};
use super::reaction::{Next, Reaction, Senses};
use super::weight::weight;

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
    pub fn order(&self) -> &Arc<Order> {
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

    /// The answer to a step that is over: what a replay asks for again and again. None for a step that is
    /// not, or of which the journal holds another; [`Machine::handle`] says what is done about these.
    #[must_use]
    pub fn recall(&self, key: &StepKey, asked: &Step) -> Option<Answer> {
        match &self.memory.get(key)?.stage {
            Stage::Done { step, answer, .. } if step == asked => Some(answered(answer)),
            _ => None,
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
}
