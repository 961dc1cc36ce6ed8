//! The journal of a run as it is read, whole: with what was kept apart in its place.

use cordon_contract::StepKey;
use cordon_contract::value::exact;
use cordon_journal::record::Recorded;
use cordon_journal::{Entry, RunId, Store, StoreError, What};

/// The records of a run, with its large results in their places.
///
/// # Errors
/// Where the store cannot be read, or something of the run is damaged or missing.
pub fn read(store: &dyn Store, run: RunId) -> Result<Vec<Entry>, StoreError> {
    let mut entries = store.journal(run, 0)?;
    complete(store, run, &mut entries)?;
    Ok(entries)
}

/// Puts the large results of these records in their places.
///
/// # Errors
/// Where the store cannot be read, or a result is damaged or missing.
pub fn complete(store: &dyn Store, run: RunId, entries: &mut [Entry]) -> Result<(), StoreError> {
    for entry in entries {
        if let Some((digest, answer)) = referred_mut(&mut entry.record.what) {
            *answer = fetch(store, run, &entry.record.key, &digest)?;
        }
    }
    Ok(())
}

fn fetch(
    store: &dyn Store,
    run: RunId,
    key: &StepKey,
    digest: &str,
) -> Result<Recorded, StoreError> {
    let damaged = |problem: String| StoreError::DamagedRun {
        run,
        step: Some(key.clone()),
        problem,
    };
    let bytes = store
        .blob(digest)?
        .ok_or_else(|| damaged(format!("its result {digest} is missing")))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| damaged(error.to_string()))?;
    exact::from_json(text)
        .map(Recorded::Done)
        .map_err(|error| damaged(error.to_string()))
}

/// The digest that a record refers to, and how many bytes it is of.
pub fn referred(what: &What) -> Option<(&str, u64)> {
    match what {
        What::Outcome {
            answer: Recorded::Large { digest, length },
            ..
        }
        | What::Branch {
            answer: Recorded::Large { digest, length },
            ..
        }
        | What::Left {
            answer: Recorded::Large { digest, length },
            ..
        } => Some((digest, *length)),
        What::Outcome {
            step:
                Some(cordon_contract::step::Step::Artifact {
                    value: cordon_contract::Value::Blob(blob),
                    ..
                }),
            ..
        } => Some((&blob.reference, blob.length)),
        _ => None,
    }
}

fn referred_mut(what: &mut What) -> Option<(String, &mut Recorded)> {
    let (What::Outcome { answer, .. } | What::Branch { answer, .. } | What::Left { answer, .. }) =
        what
    else {
        return None;
    };
    match answer {
        Recorded::Large { digest, .. } => Some((digest.clone(), answer)),
        _ => None,
    }
}
