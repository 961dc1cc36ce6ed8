//! Starting runs. Whoever starts one writes it into the store; the process that executes finds it there.

use cordon_contract::StepKey;
use cordon_journal::run::{Order, Status};
use cordon_journal::{Change, Entry, Moment, Run, RunId, State, Store, StoreError};

use super::catalogue::Ordered;

/// The changes that create a run. A run that shares a place with others begins in the queue.
///
/// # Errors
/// Where the store cannot be read.
pub fn create(id: RunId, ordered: Ordered, store: &dyn Store) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    let mut needed = Vec::new();
    for (digest, bytes) in ordered.needs {
        if !store.has_blob(&digest)? {
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

/// The changes that create a run which begins with what another one did before a step of its script,
/// and is new from there on.
///
/// # Errors
/// Where the store cannot be read, or holds nothing of that run.
pub fn retry(
    id: RunId,
    of: &Run,
    from: &StepKey,
    by: &str,
    now: Moment,
    store: &dyn Store,
) -> Result<Vec<Change>, StoreError> {
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
    let kept: Vec<&Entry> = entries
        .iter()
        .filter(|entry| is_kept(entry, first))
        .collect();
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
            record: entry.record.clone(),
        });
    }
    Ok(changes)
}

/// What stands before the step, of the script itself.
fn is_kept(entry: &Entry, first: u32) -> bool {
    let what = &entry.record.what;
    let of_the_run = matches!(
        what,
        cordon_journal::What::Stopped { .. } | cordon_journal::What::Unwinding
    );
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
