//! What becomes of a run when its script is gone through, or cannot be: put aside until what it waits
//! for happens, taken up once more, or ended.

use std::time::Duration;

use cordon_journal::run::{End, Outcome, Reason, Status, Waiting};
use cordon_journal::{Change, Durability, Entry, State, StoreError};
use cordon_playbook::RunError;
use cordon_playbook::step::StopReason;

use super::Claim;
use crate::event::Event;
use crate::executor::catalogue::Unprepared;
use crate::executor::{Shared, ending, lock, start};
use crate::performer::Steps;

/// How long beyond its deadline a run is tried that has begun.
const BLOCKED_BEYOND: Duration = Duration::from_secs(24 * 3600);

/// How long until a run is tried again whose connection is not usable.
const BLOCKED_FOR: Duration = Duration::from_secs(15);

impl Claim {
    /// It cannot be executed. One that has begun is not given up with its deadline at once: it may be
    /// that a write is to be settled yet, or that something is to be taken back.
    pub(super) fn blocked(
        &self,
        unprepared: Unprepared,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        let now = shared.surroundings.now();
        let deadline = self.run.order.deadline;
        let until = match entries {
            [] => deadline,
            _ => deadline.plus(BLOCKED_BEYOND),
        };
        match unprepared {
            Unprepared::Store(error) => Err(error),
            Unprepared::Blocked { message } if now < until => {
                tracing::warn!(run = %self.run.id, "it cannot go on: {message}");
                let since = self.run.status.waits.first().map_or(now, |wait| wait.since);
                let waiting = Waiting {
                    step: None,
                    reason: Reason::Blocked { message },
                    since,
                    until: Some(now.plus(BLOCKED_FOR)),
                };
                let status = Status {
                    state: State::Waiting,
                    due: Some(now.plus(BLOCKED_FOR).min(until)),
                    waits: vec![waiting],
                    ..self.run.status.clone()
                };
                shared.put(self.run.id, status)
            }
            Unprepared::Blocked { message } | Unprepared::Lost { message } => {
                let open = start::open_writes(entries);
                let (outcome, message) = match open.first() {
                    None => (Outcome::Failed, message),
                    Some((step, _)) => (
                        Outcome::InDoubt,
                        format!(
                            "{message}; nobody knows whether the write of step {step} has happened"
                        ),
                    ),
                };
                let end = End {
                    outcome,
                    at: now,
                    result: cordon_contract::Value::Null,
                    error: None,
                    message: Some(message),
                };
                shared.end(&self.run, self.run.status.clone(), end)
            }
        }
    }

    pub(super) fn finish(
        &self,
        steps: &Steps,
        result: Result<cordon_contract::Value, RunError>,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        if let Some(error) = steps.store_failure() {
            return Err(error);
        }
        let machine = steps.machine();
        let waits = matches!(
            result,
            Err(RunError::Stopped {
                reason: StopReason::Suspended | StopReason::InDoubt
            })
        ) || machine.in_doubt();
        let interrupted = matches!(
            result,
            Err(RunError::Stopped {
                reason: StopReason::Interrupted
            })
        );
        if interrupted && !machine.in_doubt() {
            // It is due still, and where its journal has it.
            return shared.store.commit(Vec::new(), Durability::Now);
        }
        let now = shared.surroundings.now();
        // The script was ended in the middle: it is gone through once more, as an ended one.
        let cut = matches!(
            self.stopper.flag().reason(),
            Some(StopReason::Cancelled | StopReason::Limit)
        );
        let again = cut
            && machine.stopped().is_some()
            && machine.divergence().is_none()
            && !machine.is_unwinding()
            && result.is_err();
        if !waits && !again {
            let (status, end) = ending::ended(&machine, result, now);
            drop(machine);
            shared.watcher.see(self.run.id, &Event::Over { end: &end });
            return shared.end(&self.run, status, end);
        }
        let mut status = machine.status(now, |run| shared.playbook_of(run));
        drop(machine);
        let mut going = lock(&shared.going);
        let nudged = Shared::leaves(&mut going, self.run.id);
        if again && !waits {
            status.state = State::Going;
        }
        if nudged || (again && !waits) {
            status.due = Some(now);
        }
        shared
            .watcher
            .see(self.run.id, &Event::PutAside { status: &status });
        let change = Change::Status {
            run: self.run.id,
            status: Box::new(status),
        };
        let ticket = shared.store.submit(vec![change], Durability::Now)?;
        drop(going);
        shared.store.settle_patiently(ticket)
    }
}
