//! Which run is taken next, and whether it has a place among those that share one.

use cordon_journal::run::{End, Outcome, Reason, Status, Waiting};
use cordon_journal::{Change, Durability, Moment, Run, RunId, State, StoreError};

use super::{Shared, lock};

/// How many runs are looked at beyond those that are executed, to find one that can be taken.
const LOOKED_AT: usize = 16;

impl Shared {
    /// The run that is due the longest and not executed yet.
    pub(super) fn next_claim(&self) -> Result<Option<Run>, StoreError> {
        let now = self.surroundings.now();
        let aside = lock(&self.set_aside).len();
        let busy = lock(&self.going).len();
        let looked_at = match self.only {
            None => busy + aside + LOOKED_AT,
            // Those that are due before it are not this executor's.
            Some(_) => usize::MAX,
        };
        for id in self.store.due(now, looked_at)? {
            if lock(&self.going).contains_key(&id) || lock(&self.set_aside).contains(&id) {
                continue;
            }
            match self.store.run(id) {
                Ok(Some(run)) if run.status.end.is_none() && self.takes(&run)? => {
                    return Ok(Some(run));
                }
                Ok(_) => {}
                Err(error @ StoreError::DamagedRun { .. }) => self.set_aside(id, &error),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether the run is one of those that this executor is there for.
    fn takes(&self, run: &Run) -> Result<bool, StoreError> {
        let Some(only) = self.only else {
            return Ok(true);
        };
        let (mut id, mut parent) = (run.id, run.order.parent.clone());
        while id != only {
            let Some((above, _)) = parent else {
                return Ok(false);
            };
            id = above;
            parent = self.store.run(above)?.and_then(|run| run.order.parent);
        }
        Ok(true)
    }

    /// Gives a run a place among those that share one, or lets it wait, or ends it.
    pub(super) fn admit(&self, run: &Run, now: Moment) -> Result<bool, StoreError> {
        let Some(slot) = &run.order.slot else {
            return Ok(true);
        };
        if now >= run.order.deadline {
            let end = End {
                outcome: Outcome::Failed,
                at: now,
                result: cordon_contract::Value::Null,
                error: None,
                message: Some(format!(
                    "it never began: its time was over before {} had a place",
                    slot.key
                )),
            };
            self.end(run, run.status.clone(), end)?;
            return Ok(false);
        }
        if self.store.holders(&slot.key)? < slot.max {
            let status = Status {
                state: State::Going,
                waits: Vec::new(),
                ..run.status.clone()
            };
            self.put(run.id, status)?;
            return Ok(true);
        }
        if slot.skip {
            let end = End {
                outcome: Outcome::Skipped,
                at: now,
                result: cordon_contract::Value::Null,
                error: None,
                message: Some(format!("another run of {} is going on", slot.key)),
            };
            self.end(run, run.status.clone(), end)?;
            return Ok(false);
        }
        let waiting = Waiting {
            step: None,
            reason: Reason::Slot {
                key: slot.key.clone(),
            },
            since: run.order.created,
            until: None,
        };
        let status = Status {
            state: State::Queued,
            due: Some(run.order.deadline),
            waits: vec![waiting],
            ..run.status.clone()
        };
        self.put(run.id, status)?;
        // A run that ended before wakes nobody who was not in the queue yet.
        if self.store.holders(&slot.key)? < slot.max {
            let wake = Change::Wake {
                run: run.id,
                due: now,
            };
            self.store.commit(vec![wake], Durability::Now)?;
        }
        Ok(false)
    }

    /// Under the lock, so that it is before or after all of what another run does when it ends.
    pub(super) fn put(&self, run: RunId, status: Status) -> Result<(), StoreError> {
        let status = Box::new(status);
        let going = lock(&self.going);
        let ticket = self
            .store
            .submit(vec![Change::Status { run, status }], Durability::Now)?;
        drop(going);
        self.store.settle_patiently(ticket)
    }
}
