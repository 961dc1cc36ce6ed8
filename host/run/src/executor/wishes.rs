//! Wishes of other processes, taken up: a person approved, answered, said what came of a write, or
//! wants a run to end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cordon_contract::Value;
use cordon_journal::record::Stop;
use cordon_journal::run::{End, Outcome, Status};
use cordon_journal::wish::Resolution;
use cordon_journal::{Change, Durability, Run, RunId, State, StoreError, Wish, WishKind};
use cordon_playbook::Given;
use cordon_playbook::input::accept_answer;
use cordon_playbook::step::StopReason;

use super::{Executor, Shared, journal, lock};
use crate::engine::{Facts, Machine, Reaction, Refusal};

impl Executor {
    /// Takes up what was wished, and says how many wishes that were. A wish about a run that cannot take
    /// it at this moment stays for the next time.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn take_wishes(&self) -> Result<usize, StoreError> {
        if self.shared.is_closing() {
            return Ok(0);
        }
        let mut taken = 0;
        self.shared.wishes_left.store(false, Ordering::Release);
        for (number, wish) in self.shared.store.wishes()? {
            match self.shared.take(number, &wish) {
                Ok(true) => taken += 1,
                Ok(false) => self.shared.wishes_left.store(true, Ordering::Release),
                Err(error @ StoreError::DamagedRun { .. }) => {
                    self.shared.set_aside(wish.run, &error);
                    self.shared.refuse(number, error.to_string())?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }
}

impl Shared {
    fn refuse(&self, number: i64, why: String) -> Result<(), StoreError> {
        let refused = Some(why);
        self.store
            .commit(vec![Change::TakeWish { number, refused }], Durability::Now)
    }

    /// Takes up a wish. False when the run cannot take it just now.
    fn take(&self, number: i64, wish: &Wish) -> Result<bool, StoreError> {
        let going = lock(&self.going);
        match going.get(&wish.run).map(|going| going.steps.clone()) {
            // Its journal is being read.
            Some(None) => Ok(false),
            Some(Some(steps)) => {
                if is_abort(wish) {
                    return Ok(false);
                }
                let mut machine = steps.machine();
                let reaction = self.apply(&mut machine, wish);
                let reaction = match reaction {
                    Ok(reaction) => reaction,
                    Err(refusal) => {
                        drop(machine);
                        drop(going);
                        self.refuse(number, refusal.to_string())?;
                        return Ok(true);
                    }
                };
                let changes = self.with_taken(number, wish.run, reaction);
                let ticket = self.store.submit(changes, Durability::Now)?;
                // Before anybody asks the machine again: it must not begin to take back what the run
                // did, and be stopped in the middle of that.
                if matches!(wish.kind, WishKind::Cancel { .. }) {
                    steps.stopper().stop(StopReason::Cancelled);
                }
                drop(machine);
                let mut going = going;
                if let Some(going) = going.get_mut(&wish.run) {
                    going.nudged = true;
                }
                drop(going);
                self.store.settle_patiently(ticket)?;
                self.stir();
                Ok(true)
            }
            None => {
                drop(going);
                self.take_for_waiting(number, wish)?;
                self.stir();
                Ok(true)
            }
        }
    }

    /// The run is not executed, and this executor alone may change it.
    fn take_for_waiting(&self, number: i64, wish: &Wish) -> Result<(), StoreError> {
        let Some(run) = self.store.run(wish.run)? else {
            return self.refuse(number, format!("there is no run {}", wish.run));
        };
        if !Self::is_open(run.status.state) {
            return self.refuse(number, Refusal::Ended.to_string());
        }
        let ends_here = is_abort(wish)
            || (run.status.state == State::Queued && matches!(wish.kind, WishKind::Cancel { .. }));
        let entries = journal::read(&*self.store, run.id)?;
        let order = Arc::new(run.order.clone());
        let mut machine = Machine::new(run.id, order, &run.status, &entries, Facts::default());
        match self.apply(&mut machine, wish) {
            Err(refusal) => self.refuse(number, refusal.to_string()),
            Ok(_) if ends_here => self.end_for(number, &run, wish),
            Ok(reaction) => {
                let now = self.surroundings.now();
                let mut changes = self.with_taken(number, run.id, reaction);
                let status = Status {
                    due: Some(now),
                    ..machine.status(now, |child| self.playbook_of(child))
                };
                let status = Status {
                    // Nobody waits for a person any more where the person has spoken.
                    state: match status.state {
                        State::InDoubt => State::InDoubt,
                        _ => State::Going,
                    },
                    ..status
                };
                changes.push(Change::Status {
                    run: run.id,
                    status: Box::new(status),
                });
                self.store.commit(changes, Durability::Now)
            }
        }
    }

    fn end_for(&self, number: i64, run: &Run, wish: &Wish) -> Result<(), StoreError> {
        let (outcome, message) = match &wish.kind {
            WishKind::Cancel { why } => {
                let why = why.as_deref();
                let because = why.map_or_else(String::new, |why| format!(": {why}"));
                (
                    Outcome::Cancelled,
                    format!("cancelled by {}{because}", wish.by),
                )
            }
            _ => (
                Outcome::InDoubt,
                format!(
                    "{} gave up: nobody knows whether the write has happened",
                    wish.by
                ),
            ),
        };
        let end = End {
            outcome,
            at: self.surroundings.now(),
            result: Value::Null,
            error: None,
            message: Some(message),
        };
        let refused = None;
        let taken = vec![Change::TakeWish { number, refused }];
        self.end_with(run, run.status.clone(), end, taken)
    }

    fn with_taken(&self, number: i64, run: RunId, mut reaction: Reaction) -> Vec<Change> {
        let mut changes = reaction.changes(run);
        let refused = None;
        changes.push(Change::TakeWish { number, refused });
        changes
    }

    fn apply(&self, machine: &mut Machine, wish: &Wish) -> Result<Reaction, Refusal> {
        let senses = &*self.surroundings;
        match &wish.kind {
            WishKind::Approve {
                step,
                allow,
                comment,
            } => {
                let has_role = |role: &str| {
                    self.roles
                        .get(role)
                        .is_some_and(|people| people.contains(&wish.by))
                };
                machine.decide(
                    step.as_ref(),
                    &wish.by,
                    *allow,
                    comment.clone(),
                    has_role,
                    senses,
                )
            }
            WishKind::Answer { step, text, value } => {
                let given = || match (text, value) {
                    (true, Value::Text(text)) => Given::Text(text.clone()),
                    _ => Given::Value(value.clone()),
                };
                machine.give(
                    step.as_ref(),
                    &wish.by,
                    |question| accept_answer(question, given()),
                    senses,
                )
            }
            WishKind::Resolve { step, how } => machine.resolve(step, &wish.by, how, senses),
            WishKind::Cancel { why } => {
                let stop = Stop::Cancelled {
                    by: wish.by.clone(),
                    why: why.clone(),
                };
                machine.stop(stop, senses).ok_or(Refusal::Ended)
            }
        }
    }
}

fn is_abort(wish: &Wish) -> bool {
    matches!(
        wish.kind,
        WishKind::Resolve {
            how: Resolution::Abort,
            ..
        }
    )
}
