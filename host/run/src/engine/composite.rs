//! Steps made of steps: where a replay goes on inside of them, and what may be forgotten when they do.

use cordon_contract::StepKey;
use cordon_contract::step::{Answer, Composite};
use cordon_journal::What;
use cordon_journal::record::{Items, Recorded, Stop};
use cordon_playbook::step::{Branch, Ending, Entry, StopReason};

use super::describe::{describe, describe_composite};
use super::machine::Machine;
use super::memory::{Stage, answered};
use super::reaction::{Reaction, Senses};

/// What a composite step means, and what is to be recorded before it goes on.
pub struct Entered {
    /// What is to be recorded; with the reason when the script ends here instead.
    pub reaction: Reaction,
    /// What the script is told.
    pub entry: Entry,
}

impl Machine {
    /// The script reaches a composite step.
    pub fn enter(&mut self, key: &StepKey, composite: Composite, senses: &dyn Senses) -> Entered {
        let told = |entry| Entered {
            reaction: Reaction::answer(Answer::Stopped),
            entry,
        };
        match self.memory.get(key).map(|known| &known.stage) {
            None => {}
            Some(Stage::Composite(whole)) if whole.composite == Some(composite) => {
                let again = self.memory.must_be_gone_through(key);
                return match (&whole.left, again) {
                    (Some(outcome), None) => told(Entry::Finished(answered(outcome))),
                    (_, Some(first)) if !matches!(composite, Composite::Parallel { .. }) => {
                        told(Entry::Begin { iteration: first })
                    }
                    _ => told(Entry::Begin {
                        iteration: whole.iteration,
                    }),
                };
            }
            Some(other) => {
                let held = describe(other);
                let next = self.diverge(key, held, describe_composite(composite));
                return Entered {
                    reaction: Reaction::only(next),
                    entry: Entry::Finished(Answer::Stopped),
                };
            }
        }
        if self.is_ended(key) {
            return told(Entry::Finished(Answer::Parked));
        }
        let mut reaction = Reaction::answer(Answer::Stopped);
        self.record(&mut reaction, key, What::Entered { composite }, senses);
        Entered {
            reaction,
            entry: Entry::Begin { iteration: 0 },
        }
    }

    /// `poll` looks again, or `retry` tries again. What an earlier iteration only read is dropped.
    pub fn iterate(&mut self, key: &StepKey, iteration: u32, senses: &dyn Senses) -> Reaction {
        let mut reaction = Reaction::answer(Answer::Stopped);
        let Some(whole) = self.memory.whole(key) else {
            return reaction;
        };
        if whole.left.is_some() || iteration <= whole.iteration {
            return reaction;
        }
        reaction.prune.extend(whole.iterated);
        if matches!(whole.composite, Some(Composite::Poll { .. })) {
            let before = whole.iteration;
            self.memory.prunable(key, before, &mut reaction.prune);
        }
        self.dropped(&reaction.prune);
        self.record(&mut reaction, key, What::Iterated { iteration }, senses);
        reaction
    }

    /// What is known of a branch.
    pub fn branch(&self, key: &StepKey, branch: u32, senses: &dyn Senses) -> Branch {
        let outcome = self
            .memory
            .whole(key)
            .and_then(|whole| whole.branches.get(&branch));
        if let Some(outcome) = outcome {
            return if self.memory.branch_must_be_gone_through(key, branch) {
                Branch::Begun
            } else {
                Branch::Finished(answered(outcome))
            };
        }
        let is_over = self
            .memory
            .whole(key)
            .is_some_and(|whole| whole.left.is_some());
        if self.memory.last_in(key, branch).is_none() {
            return match is_over || self.is_ended(key) {
                true => Branch::Skipped,
                false => Branch::New,
            };
        }
        // An ended run goes on with none of its waits, but goes through what it has done.
        if self.is_ended(key) {
            return Branch::Begun;
        }
        match self.memory.branch_dormant(key, branch, senses.now()) {
            Some(dormant) => Branch::Parked(dormant.rest(senses.now())),
            None => Branch::Begun,
        }
    }

    /// A branch is over.
    pub fn leave_branch(
        &mut self,
        key: &StepKey,
        branch: u32,
        outcome: &Answer,
        senses: &dyn Senses,
    ) -> Reaction {
        let mut reaction = Reaction::answer(Answer::Stopped);
        let known = self
            .memory
            .whole(key)
            .is_some_and(|whole| whole.branches.contains_key(&branch));
        if let (false, Some(answer)) = (known, Recorded::of(outcome)) {
            self.record(&mut reaction, key, What::Branch { branch, answer }, senses);
        }
        reaction
    }

    /// A composite step is over.
    pub fn leave(&mut self, key: &StepKey, outcome: &Answer, senses: &dyn Senses) -> Reaction {
        let mut reaction = Reaction::answer(Answer::Stopped);
        let Some(whole) = self.memory.whole(key) else {
            return reaction;
        };
        if whole.left.is_some() {
            return reaction;
        }
        let items = match whole.composite {
            Some(Composite::Parallel { branches, .. }) => Some(Items {
                done: u32::try_from(
                    whole
                        .branches
                        .values()
                        .filter(|branch| !matches!(branch, Recorded::Failed(_)))
                        .count(),
                )
                .unwrap_or(u32::MAX),
                of: branches,
            }),
            _ => None,
        };
        if let Some(answer) = Recorded::of(outcome) {
            self.record(&mut reaction, key, What::Left { answer, items }, senses);
        }
        reaction
    }

    /// The script has ended otherwise than with a result: whether what is done after it begins now, and
    /// what is to be recorded.
    ///
    /// Where the stop flag ended it, threads may have been cut short before they had gone through what
    /// was done in them, and with that what they registered to be taken back. Then the run is gone
    /// through once more, as an ended one.
    pub fn unwind(
        &mut self,
        ending: &Ending,
        flag: Option<StopReason>,
        senses: &dyn Senses,
    ) -> (bool, Reaction) {
        let mut reaction = Reaction::nothing();
        if self.divergence().is_some() {
            return (false, reaction);
        }
        match flag {
            None => {
                if !self.memory.unwinding {
                    let root = StepKey::root(0);
                    self.record(&mut reaction, &root, What::Unwinding, senses);
                }
                (true, reaction)
            }
            // It was gone through once more already, and came to a limit again: what it registered until
            // there is all that it will.
            Some(StopReason::Limit) if self.memory.stop.is_some() => {
                if !self.memory.unwinding {
                    let root = StepKey::root(0);
                    self.record(&mut reaction, &root, What::Unwinding, senses);
                }
                (true, reaction)
            }
            Some(StopReason::Limit) => {
                let of_script = || Stop::Script {
                    message: match ending {
                        Ending::Limit(message) => message.clone(),
                        Ending::Failed(_) | Ending::Cancelled => String::new(),
                    },
                };
                let stop = self.journal_limit().cloned().unwrap_or_else(of_script);
                if let Some(stopped) = self.stop(stop, senses) {
                    reaction = stopped;
                }
                (false, reaction)
            }
            Some(_) => (false, reaction),
        }
    }

    /// Every part of the script waits: whether the run was ended, so that it goes on with what is done
    /// after the script.
    #[must_use]
    pub fn ended(&self) -> Option<Ending> {
        if self.memory.is_unsettled() {
            return None;
        }
        Some(match self.stopped()? {
            Stop::Cancelled { .. } => Ending::Cancelled,
            Stop::Limit { name, allowed } => {
                Ending::Limit(format!("the run reached its limit `{name}`: {allowed}"))
            }
            Stop::Script { message } => Ending::Limit(message.clone()),
        })
    }
}
