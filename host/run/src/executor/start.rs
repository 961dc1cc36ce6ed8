//! Starting runs. Whoever starts one writes it into the store; the process that executes finds it there.

use std::collections::{BTreeMap, BTreeSet};

use cordon_contract::step::Step;
use cordon_contract::{Afterwards, Delivery, ErrorKind, Failure, StepKey, name};
use cordon_journal::run::{Order, Status};
use cordon_journal::{Change, Entry, Moment, Record, Run, RunId, State, Store, StoreError, What};

use super::catalogue::Ordered;

/// The changes that create a run. A run that shares a place with others begins in the queue.
///
/// # Errors
/// Where the store cannot be read.
pub fn create(id: RunId, ordered: Ordered, store: &dyn Store) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    let mut needed = Vec::new();
    for (digest, bytes) in ordered.needs {
        if let Some(bytes) = bytes
            && !store.has_blob(&digest)?
        {
            changes.push(Change::PutBlob {
                digest: digest.clone(),
                bytes,
            });
        }
        needed.push(Change::Need { run: id, digest });
    }
    let status = fresh(&ordered.order);
    changes.push(Change::Create(Box::new(Run {
        id,
        order: ordered.order,
        status,
    })));
    changes.extend(needed);
    Ok(changes)
}

fn fresh(order: &Order) -> Status {
    Status {
        state: match order.slot {
            Some(_) => State::Queued,
            None => State::Going,
        },
        due: Some(order.created),
        waits: Vec::new(),
        seq: 0,
        records: 0,
        bytes: 0,
        end: None,
    }
}

/// Why a run is not gone on with from before a step.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// What it did before the step may not be there any more.
    #[error("what the run did was taken back, and is not there to go on from")]
    TakenBack,
    /// The new run would begin with the word of the person who starts it.
    #[error(
        "{by} approved step {step}, which wants other eyes than those of the person who starts the run"
    )]
    FourEyes {
        /// Who.
        by: String,
        /// The approval.
        step: StepKey,
    },
    /// The store cannot be read, or holds nothing of that run.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a run that begins with these records may be started by this person.
fn may_begin_with(kept: &[Entry], all: &[Entry], by: &str) -> Result<(), RetryError> {
    let undone = |entry: &Entry| entry.record.key.afterwards() == Some(Afterwards::Undo);
    if !kept.is_empty() && all.iter().any(undone) {
        return Err(RetryError::TakenBack);
    }
    let wants_other_eyes: BTreeSet<&StepKey> = kept
        .iter()
        .filter(|entry| {
            matches!(&entry.record.what,
                What::Asked { step: Step::Approve(approval), .. } if approval.four_eyes)
        })
        .map(|entry| &entry.record.key)
        .collect();
    let own = kept.iter().find(|entry| {
        matches!(&entry.record.what, What::Decided { by: who, allow: true, .. } if who == by)
            && wants_other_eyes.contains(&entry.record.key)
    });
    match own {
        Some(entry) => Err(RetryError::FourEyes {
            by: by.to_owned(),
            step: entry.record.key.clone(),
        }),
        None => Ok(()),
    }
}

/// The changes that create a run which begins with what another one did before a step of its script,
/// and is new from there on.
///
/// # Errors
/// Where that may not be, or the store cannot be read.
pub fn retry(
    id: RunId,
    of: &Run,
    from: &StepKey,
    by: &str,
    now: Moment,
    store: &dyn Store,
) -> Result<Vec<Change>, RetryError> {
    let first = from.path().first().copied().unwrap_or(0);
    let deadline = now.plus(of.order.deadline.since(of.order.created));
    let order = Order {
        started_by: by.to_owned(),
        created: now,
        deadline,
        parent: None,
        depth: 0,
        retry_of: Some((of.id, StepKey::root(first))),
        ..of.order.clone()
    };
    let entries = store.journal(of.id, 0)?;
    let kept = kept(&entries, first, now);
    may_begin_with(&kept, &entries, by)?;
    let mut status = fresh(&order);
    status.seq = kept.last().map_or(0, |entry| entry.seq);
    status.records = kept.len() as u64;
    let mut changes = vec![Change::Create(Box::new(Run { id, order, status }))];
    for digest in needs(of, &entries) {
        changes.push(Change::Need { run: id, digest });
    }
    for entry in kept {
        changes.push(Change::Append {
            run: id,
            seq: entry.seq,
            record: entry.record,
        });
    }
    Ok(changes)
}

/// What a run begins with that goes on from before a step. A wait, a question or another run that was
/// not over begins anew. A write that was not is in doubt: the new run has other idempotency keys, and
/// must not send it again.
fn kept(entries: &[Entry], first: u32, now: Moment) -> Vec<Entry> {
    let before: Vec<Entry> = entries
        .iter()
        .filter(|entry| is_before(entry, first))
        .cloned()
        .collect();
    let mut open = BTreeSet::new();
    for Entry { record, .. } in &before {
        match record.what {
            What::Wait { .. } | What::Asked { .. } | What::Child { .. } => {
                open.insert(record.key.clone());
            }
            What::Outcome { .. } => {
                open.remove(&record.key);
            }
            _ => {}
        }
    }
    let mut seq = before.last().map_or(0, |entry| entry.seq);
    let doubts: Vec<Entry> = open_writes(&before)
        .into_iter()
        .filter_map(|(key, failure)| {
            let failure = Box::new(failure?);
            seq += 1;
            let what = What::Doubt { failure };
            let record = Record { at: now, key, what };
            Some(Entry { seq, record })
        })
        .collect();
    let mut kept = before;
    kept.retain(|entry| !open.contains(&entry.record.key));
    kept.extend(doubts);
    kept
}

/// The writes that have no outcome, each with how its answer was lost; without that, where it is in
/// doubt already.
pub(super) fn open_writes(entries: &[Entry]) -> Vec<(StepKey, Option<Failure>)> {
    let mut open: BTreeMap<StepKey, Option<Failure>> = BTreeMap::new();
    for Entry { record, .. } in entries {
        let key = || record.key.clone();
        match &record.what {
            What::Intent { step, .. } => {
                let (connection, action) = match step {
                    Step::Action {
                        connection, action, ..
                    } => (connection.clone(), name::snake(action)),
                    _ => (String::new(), String::new()),
                };
                let failure = Failure {
                    delivery: Delivery::Unknown,
                    ..Failure::new(
                        ErrorKind::Unavailable,
                        "the run that sent it ended before the answer came",
                    )
                };
                open.insert(key(), Some(failure.of(connection, action)));
            }
            What::Deferred { failure, .. } => {
                open.insert(key(), Some((**failure).clone()));
            }
            What::Doubt { .. } => {
                open.insert(key(), None);
            }
            What::Outcome { .. } | What::Resolved { .. } => {
                open.remove(&record.key);
            }
            _ => {}
        }
    }
    open.into_iter().collect()
}

/// Whether it stands before the step, of the script itself.
fn is_before(entry: &Entry, first: u32) -> bool {
    let what = &entry.record.what;
    let of_the_run = matches!(what, What::Stopped { .. } | What::Unwinding);
    let index = entry.record.key.path().first();
    !of_the_run && index.is_some_and(|index| *index < first)
}

fn needs(run: &Run, entries: &[Entry]) -> Vec<String> {
    let components = run
        .order
        .bindings
        .values()
        .flatten()
        .map(|binding| binding.digest.clone());
    let large = entries.iter().filter_map(|entry| {
        super::journal::referred(&entry.record.what).map(|(digest, _)| digest.to_owned())
    });
    std::iter::once(run.order.version.clone())
        .chain(components)
        .chain(large)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, key: &str, what: serde_json::Value) -> Entry {
        let record = serde_json::json!({ "at": 5, "key": key, "what": what });
        Entry {
            seq,
            record: serde_json::from_value(record).unwrap(),
        }
    }

    fn intent() -> serde_json::Value {
        let step = serde_json::json!({
            "action": { "connection": "box", "action": "wipe-all", "arguments": {} }
        });
        serde_json::json!({ "intent": { "step": step, "effect": "destructive" } })
    }

    #[test]
    fn a_retried_run_begins_open_waits_anew_and_sends_no_open_write_again() {
        let done = serde_json::json!({ "outcome": { "answer": { "done": 1 }, "took": 0 } });
        let wait = serde_json::json!({
            "wait": { "step": { "sleep": { "duration": 5, "reason": "sleep" } }, "until": 9 }
        });
        let entries = [
            entry(1, "0", intent()),
            entry(2, "0", done.clone()),
            entry(
                3,
                "1",
                serde_json::json!({ "entered": { "composite": { "parallel": { "branches": 2, "max": 2 } } } }),
            ),
            entry(4, "1.0.0", wait),
            entry(5, "1.1.0", intent()),
            entry(6, "0", serde_json::json!("unwinding")),
            entry(7, "undo.0.0", intent()),
            entry(8, "2", intent()),
            entry(9, "2", done),
        ];
        let kept = kept(&entries, 2, Moment(7));
        let seqs: Vec<u64> = kept.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, [1, 2, 3, 5, 6]);
        let Some(Entry { record, .. }) = kept.last() else {
            unreachable!("it is not empty");
        };
        assert_eq!(record.key.to_string(), "1.1.0");
        match &record.what {
            What::Doubt { failure } => assert_eq!(failure.action, "wipe_all"),
            other => unreachable!("{other:?}"),
        }
        assert_eq!(kept_again(&kept), kept);
    }

    /// A write that is in doubt already is left so.
    fn kept_again(entries: &[Entry]) -> Vec<Entry> {
        kept(entries, 2, Moment(8))
    }
}
