//! What commands share that work beside the process that executes: the run that a person means, what it
//! waits for, and the wish that is left for the executor.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordon_contract::name;
use cordon_contract::step::{Question, Step};
use cordon_contract::{StepKey, Value};
use cordon_journal::lock::{self, Holder, LockError};
use cordon_journal::run::Waiting;
use cordon_journal::sqlite::{Fate, SqliteStore};
use cordon_journal::store::Filter;
use cordon_journal::{Entry, Moment, Run, RunId, State, Store, StoreError, What, Wish};
use cordon_playbook::Given;
use cordon_playbook::input::accept_answer;

use crate::engine::{Facts, Machine};
use crate::executor::journal;
use crate::live;

/// So many characters of an identity are shown, and nearly always enough.
const SHORT: usize = 8;

/// How many runs are named that a text could mean.
const NAMED_MAX: usize = 5;

/// How often the store is asked what became of a wish.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The beginning of an identity, as it is shown and typed.
#[must_use]
pub fn short(run: RunId) -> String {
    run.to_string().chars().take(SHORT).collect()
}

/// Why there is no run that a person means.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// None begins so.
    #[error("there is no run `{typed}`")]
    Unknown {
        /// What was typed.
        typed: String,
        /// The nearest that there is.
        nearest: Option<String>,
    },
    /// Several begin so.
    #[error("several runs begin with `{typed}`")]
    Ambiguous {
        /// What was typed.
        typed: String,
        /// Some of them.
        runs: Vec<Run>,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FindError {
    /// The page that explains it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "run.unknown",
            Self::Ambiguous { .. } => "run.ambiguous",
            Self::Store(error) => error.code(),
        }
    }
}

/// The run whose identity begins with what was typed.
///
/// # Errors
/// Where there is none, or more than one.
pub fn find(store: &dyn Store, typed: &str) -> Result<Run, FindError> {
    let typed = typed.trim().to_lowercase();
    let some = |prefix: Option<String>, limit| {
        store.find(&Filter {
            id_prefix: prefix,
            limit: Some(limit),
            ..Filter::default()
        })
    };
    let mut found = match typed.as_str() {
        "" => Vec::new(),
        prefix => some(Some(prefix.to_owned()), NAMED_MAX)?,
    };
    match (found.pop(), found.is_empty()) {
        (Some(run), true) => Ok(run),
        (Some(run), false) => {
            found.push(run);
            Err(FindError::Ambiguous { typed, runs: found })
        }
        (None, _) => {
            let latest: Vec<String> = some(None, 100)?
                .iter()
                .map(|run| run.id.to_string().chars().take(typed.len()).collect())
                .collect();
            let nearest = name::nearest(&typed, latest.iter().map(String::as_str));
            Err(FindError::Unknown {
                nearest: nearest.map(str::to_owned),
                typed,
            })
        }
    }
}

/// The time by the clock of runs, for what is not executed here.
///
/// # Errors
/// Where the store cannot be read.
pub fn now(store: &dyn Store) -> Result<Moment, StoreError> {
    Ok(live::wall().max(store.latest()?.unwrap_or_default()))
}

/// What a run waits for, also while it is executed and its row is behind its journal.
///
/// # Errors
/// Where the store cannot be read.
pub fn waits(store: &dyn Store, run: &Run) -> Result<Vec<Waiting>, StoreError> {
    if run.status.state != State::Going {
        return Ok(run.status.waits.clone());
    }
    let entries = journal::read(store, run.id)?;
    let order = Arc::new(run.order.clone());
    let machine = Machine::new(run.id, order, &run.status, &entries, Facts::default());
    let playbook = |child| match store.run(child) {
        Ok(Some(child)) => child.order.playbook,
        Ok(None) | Err(_) => String::new(),
    };
    Ok(machine.status(now(store)?, playbook).waits)
}

/// Why an answer does not fit what a step asks; none where it does, or where nothing is asked there.
#[must_use]
pub fn unfit(entries: &[Entry], step: &StepKey, answer: &str) -> Option<String> {
    let question: &Question = entries.iter().rev().find_map(|entry| {
        match (&entry.record.what, entry.record.key == *step) {
            (
                What::Asked {
                    step: Step::Ask(question),
                    ..
                },
                true,
            ) => Some(question),
            _ => None,
        }
    })?;
    accept_answer(question, Given::Text(answer.to_owned())).err()
}

/// What became of a wish in the time that was waited for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It was taken up.
    Taken,
    /// It was refused, for this reason.
    Refused(String),
    /// Somebody executes and has not taken it up yet.
    Left(Holder),
    /// Nobody executes; the next who does takes it up.
    Nobody,
}

/// Why a wish could not be left.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody can tell who executes.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// Leaves a wish for the executor of the store in this folder, and waits for its word if there is one.
///
/// # Errors
/// Where it was not left.
pub fn leave(
    store: &SqliteStore,
    folder: &Path,
    wish: &Wish,
    patience: Duration,
) -> Result<Told, LeaveError> {
    let number = store.leave(wish)?;
    let began = Instant::now();
    loop {
        match store.fate(number)? {
            Some(Fate::Refused(why)) => return Ok(Told::Refused(why)),
            // One that is gone was taken up, and the run with it has been forgotten.
            Some(Fate::Taken) | None => return Ok(Told::Taken),
            Some(Fate::Waiting) => {}
        }
        let Some(holder) = lock::holder(folder)? else {
            return Ok(Told::Nobody);
        };
        if began.elapsed() >= patience {
            return Ok(Told::Left(holder));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A value that was typed: JSON where it is some, else text.
#[must_use]
pub fn typed(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|_| Value::text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_json_where_it_can_be() {
        assert_eq!(typed("12"), Value::from(12_i64));
        assert_eq!(typed("srv-01"), Value::text("srv-01"));
        assert_eq!(short(RunId::default()), "00000000");
    }
}
