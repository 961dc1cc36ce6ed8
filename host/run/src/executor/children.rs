//! Runs that a run starts: `call_playbook`.

use std::sync::Arc;

use cordon_contract::step::{Answer, Step};
use cordon_contract::{ErrorKind, Failure, StepKey, Value};
use cordon_journal::run::{End, Order, Outcome};
use cordon_journal::{Durability, RunId, StoreError};

use super::Shared;
use super::catalogue::Wanted;
use super::start;

use crate::performer::Children;

/// How many runs may be above a run.
const DEPTH_MAX: u32 = 8;

/// The children of the runs of an executor.
pub(super) struct Started(pub Arc<Shared>);

impl Children for Started {
    fn child(
        &self,
        parent: RunId,
        order: &Order,
        key: &StepKey,
        step: &Step,
        run: RunId,
    ) -> Result<Option<Answer>, StoreError> {
        let store = &self.0.store;
        if let Some(child) = store.run(run)? {
            return Ok(child
                .status
                .end
                .map(|end| outcome(&child.order.playbook, run, end)));
        }
        let Step::Playbook {
            name,
            input,
            connect,
        } = step
        else {
            return Ok(None);
        };
        if order.depth >= DEPTH_MAX {
            let message =
                format!("`{name}` is not started: {DEPTH_MAX} playbooks have called each other");
            return Ok(Some(failed(ErrorKind::Conflict, message, Value::Null)));
        }
        let wanted = Wanted {
            playbook: name,
            input,
            connect,
            by: &order.started_by,
            now: self.0.surroundings.now(),
            deadline: order.deadline,
        };
        let ordered = self.0.catalogue.order(wanted, &**store);
        let mut ordered = match ordered {
            Ok(ordered) => ordered,
            Err(failure) => return Ok(Some(Answer::Failed(failure))),
        };
        ordered.order.parent = Some((parent, key.clone()));
        ordered.order.depth = order.depth + 1;
        ordered.order.tags.extend(order.tags.iter().cloned());
        ordered.order.tags.sort();
        ordered.order.tags.dedup();
        let changes = start::create(run, ordered, &**store)?;
        store.commit(changes, Durability::Now)?;
        self.0.stir();
        Ok(None)
    }
}

/// What a script gets for the end of a run that it started.
fn outcome(playbook: &str, run: RunId, end: End) -> Answer {
    let details = |end: &End| {
        Value::map([
            ("run", Value::text(run.to_string())),
            ("outcome", Value::text(end.outcome.name())),
        ])
    };
    match end.outcome {
        Outcome::Succeeded | Outcome::Partially => Answer::Done(end.result),
        _ => {
            let why = end.message.as_deref().unwrap_or("it gave no result");
            let message = format!("the playbook `{playbook}` ended {}: {why}", words(&end));
            failed(ErrorKind::Conflict, message, details(&end))
        }
    }
}

fn words(end: &End) -> String {
    end.outcome.name().replace('_', " ")
}

fn failed(kind: ErrorKind, message: String, details: Value) -> Answer {
    Answer::Failed(Box::new(Failure {
        details,
        ..Failure::new(kind, message).with_code("run.child")
    }))
}
