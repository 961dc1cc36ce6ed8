//! What a record adds to what is known.

use cordon_contract::step::Step;
use cordon_contract::{ErrorKind, Failure, StepKey};
use cordon_journal::record::Recorded;
use cordon_journal::{Moment, Record, What};

use super::{Asked, Decision, Deferred, Known, Memory, Sent, Stage, Whole};
use crate::engine::settle;

impl Memory {
    /// Adds a record.
    pub fn apply(&mut self, seq: u64, record: &Record) {
        let Record { at, key, what } = record;
        match what {
            What::Stopped { stop } => {
                self.stop.get_or_insert_with(|| stop.clone());
                return;
            }
            What::Unwinding => {
                self.unwinding = true;
                return;
            }
            _ => {}
        }
        self.place(key);
        match what {
            What::Stopped { .. } | What::Unwinding => {}
            What::Intent { step, effect } => {
                let sent = Sent {
                    step: step.clone(),
                    effect: *effect,
                    attempted: *at,
                    attempt: 1,
                    deferred: None,
                    doubt: None,
                };
                self.set(key, *at, seq, Stage::Sent(Box::new(sent)));
            }
            What::Attempt { number } => self.with_sent(key, seq, |sent| {
                sent.attempt = *number;
                sent.attempted = *at;
                sent.deferred = None;
            }),
            What::Deferred {
                failure,
                then,
                until,
                asked,
            } => {
                self.open.insert(key.clone());
                self.with_sent(key, seq, |sent| {
                    sent.deferred = Some(Deferred {
                        failure: (**failure).clone(),
                        then: *then,
                        until: *until,
                        asked: *asked,
                    });
                });
            }
            What::Doubt { failure } => {
                self.open.insert(key.clone());
                self.with_sent(key, seq, |sent| sent.doubt = Some((**failure).clone()));
            }
            What::Resolved { done, value, .. } => {
                let answer = match (done, self.doubt_of(key)) {
                    (true, _) => Recorded::Done(value.clone()),
                    (false, failure) => Recorded::Failed(Box::new(failure)),
                };
                self.finish(key, *at, seq, None, answer);
            }
            What::Wait { step, until, again } => {
                self.open.insert(key.clone());
                let (step, until, again) = (step.clone(), *until, *again);
                self.set(key, *at, seq, Stage::Waiting { step, until, again });
            }
            What::Asked { step, until } => {
                self.open.insert(key.clone());
                let asked = Asked {
                    step: step.clone(),
                    until: *until,
                    decisions: Vec::new(),
                    given: None,
                };
                self.set(key, *at, seq, Stage::Asked(Box::new(asked)));
            }
            What::Decided { by, allow, comment } => {
                if let Some(asked) = self.asked(key) {
                    asked.decisions.push(Decision {
                        by: by.clone(),
                        at: *at,
                        allow: *allow,
                        comment: comment.clone(),
                    });
                }
            }
            What::Given { by, value } => {
                if let Some(asked) = self.asked(key) {
                    asked.given = Some((by.clone(), value.clone()));
                }
            }
            What::Child { step, run } => {
                self.open.insert(key.clone());
                let (step, run) = (step.clone(), *run);
                self.set(key, *at, seq, Stage::Child { step, run });
            }
            What::Outcome { step, answer, .. } => {
                self.finish(key, *at, seq, step.clone(), answer.clone());
            }
            What::Entered { composite } => {
                let whole = Whole::new(Some(*composite));
                self.set(key, *at, seq, Stage::Composite(Box::new(whole)));
            }
            What::Iterated { iteration } => {
                if let Some((whole, _)) = self.whole_mut(key, *at) {
                    whole.iteration = *iteration;
                    whole.iterated = Some(seq);
                }
                // A loop that must be gone through again is so from there on as a whole.
                if self.must_be_gone_through(key).is_none() {
                    self.forget_branch(key, iteration.saturating_sub(1));
                }
            }
            What::Branch { branch, answer } => {
                let mut residue = self.residue(key, *branch..branch.saturating_add(1));
                if let Some((whole, seqs)) = self.whole_mut(key, *at) {
                    whole.branches.insert(*branch, answer.clone());
                    seqs.push(seq);
                    seqs.append(&mut residue);
                }
                self.forget_branch(key, *branch);
            }
            What::Left { answer, items } => {
                let branches = self.remembered(key);
                let mut residue = self.residue(key, branches);
                if let Some((whole, seqs)) = self.whole_mut(key, *at) {
                    whole.left = Some(answer.clone());
                    seqs.push(seq);
                    seqs.append(&mut residue);
                }
                if let Some(items) = items.filter(|items| items.done < items.of) {
                    self.partial.insert(key.clone(), items);
                }
                self.forget_inside(key);
            }
        }
    }

    fn set(&mut self, key: &StepKey, since: Moment, seq: u64, stage: Stage) {
        let known = Known {
            since,
            seqs: vec![seq],
            stage,
        };
        self.steps.insert(key.clone(), known);
    }

    fn finish(
        &mut self,
        key: &StepKey,
        at: Moment,
        seq: u64,
        step: Option<Step>,
        answer: Recorded,
    ) {
        self.open.remove(key);
        let before = self.steps.remove(key);
        let changed = matches!(
            before.as_ref().map(|known| &known.stage),
            Some(Stage::Sent(_))
        );
        let (since, mut seqs) = before
            .as_ref()
            .map_or((at, Vec::new()), |known| (known.since, known.seqs.clone()));
        seqs.push(seq);
        let step = step.or_else(|| before?.stage.step().cloned());
        let Some(step) = step else {
            // An outcome of nothing: a journal that was not written by this program. The script will
            // ask, and be told that its journal holds something else.
            return;
        };
        let registers = match &step {
            Step::Undo => true,
            Step::Action { undoable, .. } => *undoable && matches!(answer, Recorded::Done(_)),
            _ => false,
        };
        if registers {
            self.register(key);
        }
        let stage = Stage::Done {
            step,
            answer,
            changed,
        };
        self.steps.insert(key.clone(), Known { since, seqs, stage });
    }

    fn register(&mut self, key: &StepKey) {
        let mut around = key.parent();
        while let Some((composite, branch)) = around {
            around = composite.parent();
            let first = self.undo.entry(composite.clone()).or_insert(branch);
            *first = (*first).min(branch);
            self.undo_branches.insert((composite, branch));
        }
    }

    /// A step that is inside of a branch is the last there until a later one comes.
    fn place(&mut self, key: &StepKey) {
        let Some(index) = key.path().last().copied() else {
            return;
        };
        if let Some(inside) = key.parent() {
            let last = self.last.entry(inside).or_insert(index);
            *last = (*last).max(index);
        }
    }

    fn with_sent(&mut self, key: &StepKey, seq: u64, change: impl FnOnce(&mut Sent)) {
        if let Some(known) = self.steps.get_mut(key) {
            known.seqs.push(seq);
            if let Stage::Sent(sent) = &mut known.stage {
                change(sent);
                if sent.deferred.is_none() && sent.doubt.is_none() {
                    self.open.remove(key);
                }
            }
        }
    }

    fn doubt_of(&self, key: &StepKey) -> Failure {
        let doubt = match self.steps.get(key).map(|known| &known.stage) {
            Some(Stage::Sent(sent)) => sent.doubt.clone(),
            _ => None,
        };
        settle::found_not_done(
            doubt.unwrap_or_else(|| Failure::new(ErrorKind::Unavailable, "its answer was lost")),
        )
    }

    fn asked(&mut self, key: &StepKey) -> Option<&mut Asked> {
        match &mut self.steps.get_mut(key)?.stage {
            Stage::Asked(asked) => Some(asked),
            _ => None,
        }
    }

    /// The composite step of this key. What is done after the script has no record of its own that it
    /// began.
    fn whole_mut(&mut self, key: &StepKey, at: Moment) -> Option<(&mut Whole, &mut Vec<u64>)> {
        let known = self.steps.entry(key.clone()).or_insert_with(|| Known {
            since: at,
            seqs: Vec::new(),
            stage: Stage::Composite(Box::new(Whole::new(None))),
        });
        match &mut known.stage {
            Stage::Composite(whole) => Some((whole, &mut known.seqs)),
            _ => None,
        }
    }
}
