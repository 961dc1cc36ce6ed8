//! The end of a run, and what it moves: the run that started it, those that it started, the first in the
//! queue behind it.

use cordon_contract::Value;
use cordon_journal::record::Stop;
use cordon_journal::run::{End, Outcome, Status};
use cordon_journal::{Change, Moment, Run, State, StoreError, Wish, WishKind};
use cordon_playbook::RunError;
use cordon_playbook::step::StopReason;

use super::{Shared, lock};
use crate::engine::Machine;

/// How a run ended, from what its script came to.
pub(super) fn ended(
    machine: &Machine,
    result: Result<Value, RunError>,
    now: Moment,
) -> (Status, End) {
    let mut end = End {
        outcome: Outcome::Failed,
        at: now,
        result: Value::Null,
        error: None,
        message: None,
    };
    match result {
        Ok(value) => {
            end.outcome = match machine.is_partial() {
                true => Outcome::Partially,
                false => Outcome::Succeeded,
            };
            end.result = value;
        }
        Err(error) => {
            end.message = Some(message(machine, &error));
            if matches!(
                error,
                RunError::Stopped {
                    reason: StopReason::Cancelled
                }
            ) {
                end.outcome = Outcome::Cancelled;
            }
            end.error = serde_json::to_value(&error).ok();
        }
    }
    let status = machine.status(now, |_| String::new());
    (status, end)
}

/// Why a run ended without a result, in a line.
fn message(machine: &Machine, error: &RunError) -> String {
    if let Some(divergence) = machine.divergence() {
        return divergence.to_string();
    }
    match (error, machine.stopped()) {
        (RunError::Stopped { .. }, Some(Stop::Cancelled { by, why })) => {
            let why = why.as_deref();
            let because = why.map_or_else(String::new, |why| format!(": {why}"));
            format!("cancelled by {by}{because}")
        }
        (RunError::Stopped { .. }, Some(Stop::Limit { name, allowed })) => {
            format!("the run reached its limit `{name}`: {allowed}")
        }
        (RunError::Stopped { .. }, Some(Stop::Script { message })) => message.clone(),
        _ => error.to_string(),
    }
}

impl Shared {
    /// Ends a run, and moves what waits for its end.
    pub(super) fn end(&self, run: &Run, status: Status, end: End) -> Result<(), StoreError> {
        self.end_with(run, status, end, Vec::new())
    }

    /// The same, together with other changes.
    pub(super) fn end_with(
        &self,
        run: &Run,
        status: Status,
        end: End,
        others: Vec<Change>,
    ) -> Result<(), StoreError> {
        let at = end.at;
        let outcome = end.outcome;
        let status = Status {
            state: State::Ended,
            due: None,
            waits: Vec::new(),
            end: Some(end),
            ..status
        };
        let mut changes = others;
        changes.push(Change::Status {
            run: run.id,
            status: Box::new(status),
        });
        for child in self.store.open_children(run.id)? {
            changes.push(Change::Wish(Wish {
                by: run.order.started_by.clone(),
                at,
                run: child,
                kind: WishKind::Cancel {
                    why: Some(format!(
                        "the run that started it ended: {}",
                        outcome.name().replace('_', " ")
                    )),
                },
            }));
        }
        let mut going = lock(&self.going);
        if let Some((parent, _)) = &run.order.parent {
            changes.push(Change::Wake {
                run: *parent,
                due: at,
            });
        }
        if let Some(slot) = &run.order.slot
            && let Some(next) = self.store.first_queued(&slot.key)?
        {
            changes.push(Change::Wake { run: next, due: at });
        }
        Self::leaves(&mut going, run.id);
        self.commit_and_nudge(changes, going)
    }
}
