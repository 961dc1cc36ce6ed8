//! Rows: what is written of a run, a record and a wish, and how it is read back.
//!
//! Every row carries a CRC32 over what it is, whose it is, where it stands and its content. So neither
//! a flipped bit, nor a row at another's place, is ever taken for the truth. The columns that are
//! searched repeat what the content says, and are compared with it.

use cordon_contract::StepKey;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::moment::Moment;
use crate::record::{Entry, Record, What};
use crate::run::{Order, Run, RunId, Status};
use crate::store::StoreError;
use crate::wish::Wish;

/// What a row is of; part of its sum.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Kind {
    Order = b'o',
    Status = b's',
    Record = b'r',
    Wish = b'w',
    Latest = b'l',
}

/// The sum over a row: its kind, whose it is, its place and its content.
pub(super) fn sum(kind: Kind, run: RunId, place: i64, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind as u8]);
    hasher.update(run.0.as_bytes());
    hasher.update(&place.to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}

/// Content with its sum, ready to be written.
#[derive(Debug, Clone)]
pub(super) struct Sealed {
    pub(super) content: String,
    pub(super) crc: u32,
}

impl Sealed {
    /// # Errors
    /// Where the content has no JSON; nothing that this crate defines is so.
    pub(super) fn new<T: Serialize>(
        kind: Kind,
        run: RunId,
        place: i64,
        content: &T,
    ) -> Result<Self, StoreError> {
        let content = serde_json::to_string(content).map_err(|error| StoreError::Failed {
            cause: format!("what was to be kept of run {run} has no JSON: {error}"),
        })?;
        let crc = sum(kind, run, place, content.as_bytes());
        Ok(Self { content, crc })
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone)]
pub(super) struct Flaw {
    pub(super) run: RunId,
    pub(super) step: Option<StepKey>,
    pub(super) problem: String,
}

impl Flaw {
    pub(super) fn new(run: RunId, problem: impl Into<String>) -> Self {
        Self {
            run,
            step: None,
            problem: problem.into(),
        }
    }
}

impl From<Flaw> for StoreError {
    fn from(flaw: Flaw) -> Self {
        Self::DamagedRun {
            run: flaw.run,
            step: flaw.step,
            problem: flaw.problem,
        }
    }
}

/// The columns that [`run`] reads, in its order; `run` and `orders` must be joined.
pub(super) const RUN_COLUMNS: &str = "run.id, run.playbook, run.created, run.parent, run.slot, \
     run.state, run.due, run.ended, run.outcome, run.status, run.crc, orders.content, orders.crc, \
     run.number";

/// The tables of [`RUN_COLUMNS`].
pub(super) const RUN_TABLES: &str = "run LEFT JOIN orders ON orders.run = run.number";

/// The identity in a column; none where there is no identity in it.
pub(super) fn identity(row: &Row<'_>, column: usize) -> Option<RunId> {
    match row.get_ref(column) {
        Ok(ValueRef::Blob(bytes)) => Uuid::from_slice(bytes).ok().map(RunId),
        _ => None,
    }
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Option<&'a [u8]> {
    match row.get_ref(column) {
        Ok(ValueRef::Text(bytes)) => Some(bytes),
        _ => None,
    }
}

fn integer(row: &Row<'_>, column: usize) -> Option<i64> {
    match row.get_ref(column) {
        Ok(ValueRef::Integer(value)) => Some(value),
        _ => None,
    }
}

/// The run in a row of [`RUN_COLUMNS`].
///
/// # Errors
/// Where the row is damaged, with the identity that it seems to have.
pub(super) fn run(row: &Row<'_>) -> Result<Run, Flaw> {
    let id = identity(row, 0)
        .ok_or_else(|| Flaw::new(RunId::default(), "a row has no identity of a run"))?;
    let status: Status = sealed(row, 9, 10, Kind::Status, id, 0, "its status")?;
    let order: Order = sealed(row, 11, 12, Kind::Order, id, 0, "its order")?;
    let agrees = text(row, 1) == Some(order.playbook.as_bytes())
        && integer(row, 2) == Some(order.created.0)
        && identity(row, 3) == order.parent.as_ref().map(|(parent, _)| *parent)
        && text(row, 4) == order.slot.as_ref().map(|slot| slot.key.as_bytes())
        && text(row, 5) == Some(status.state.name().as_bytes())
        && integer(row, 6) == status.due.map(|due| due.0)
        && integer(row, 7) == status.end.as_ref().map(|end| end.at.0)
        && text(row, 8) == status.end.as_ref().map(|end| end.outcome.name().as_bytes());
    if !agrees {
        return Err(Flaw::new(
            id,
            "the columns that are searched say something else than its order and status",
        ));
    }
    Ok(Run { id, order, status })
}

/// The status alone, from `(id, status, crc)`.
///
/// # Errors
/// Where the row is damaged.
pub(super) fn status(row: &Row<'_>) -> Result<Status, Flaw> {
    let id = identity(row, 0)
        .ok_or_else(|| Flaw::new(RunId::default(), "a row has no identity of a run"))?;
    sealed(row, 1, 2, Kind::Status, id, 0, "its status")
}

/// A record from `(seq, content, crc)`, with its sum.
///
/// # Errors
/// Where the row is damaged.
pub(super) fn entry(run: RunId, row: &Row<'_>) -> Result<(Entry, u32), Flaw> {
    let place = integer(row, 0).filter(|seq| *seq >= 0);
    let Some(place) = place else {
        return Err(Flaw::new(run, "a record has no place"));
    };
    let what = format!("record {place}");
    let record: Record = sealed(row, 1, 2, Kind::Record, run, place, &what)?;
    let crc = sum_column(row, 2).unwrap_or_default();
    let seq = u64::try_from(place).unwrap_or_default();
    Ok((Entry { seq, record }, crc))
}

/// A wish from `(number, run, content, crc)`.
///
/// # Errors
/// Where the row is damaged.
pub(super) fn wish(row: &Row<'_>) -> Result<(i64, Wish), Flaw> {
    let number = integer(row, 0).unwrap_or_default();
    let run = identity(row, 1).unwrap_or_default();
    let wish: Wish = sealed(row, 2, 3, Kind::Wish, run, 0, &format!("wish {number}"))?;
    if wish.run == run {
        Ok((number, wish))
    } else {
        Err(Flaw::new(run, format!("wish {number} is another run's")))
    }
}

pub(super) fn sum_column(row: &Row<'_>, column: usize) -> Option<u32> {
    integer(row, column).and_then(|value| u32::try_from(value).ok())
}

/// Content whose sum is right.
fn sealed<T: DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
    crc: usize,
    kind: Kind,
    run: RunId,
    place: i64,
    what: &str,
) -> Result<T, Flaw> {
    let Some(content) = text(row, column) else {
        return Err(Flaw::new(run, format!("{what} is missing")));
    };
    let step = || step_of(content);
    if sum_column(row, crc) != Some(sum(kind, run, place, content)) {
        return Err(Flaw {
            step: step(),
            ..Flaw::new(
                run,
                format!("{what} is not what was written: its sum is wrong"),
            )
        });
    }
    from_json(content).map_err(|error| {
        let newer = if error.to_string().starts_with("unknown variant") {
            "; a newer Cordon may have written it"
        } else {
            ""
        };
        Flaw {
            step: step(),
            ..Flaw::new(run, format!("{what} cannot be read: {error}{newer}"))
        }
    })
}

/// As deep as it was written: what a sum vouches for was in memory before.
fn from_json<T: DeserializeOwned>(content: &[u8]) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(content);
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// The step of a record of which not much more can be read.
fn step_of(content: &[u8]) -> Option<StepKey> {
    #[derive(Deserialize)]
    struct Keyed {
        key: StepKey,
    }
    serde_json::from_slice(content)
        .ok()
        .map(|Keyed { key }| key)
}

/// The latest moment that a run speaks of and that has passed.
pub(super) fn latest_of_status(status: &Status) -> Moment {
    let waits = status.waits.iter().map(|waiting| waiting.since);
    let end = status.end.as_ref().map(|end| end.at);
    waits.chain(end).max().unwrap_or(Moment(i64::MIN))
}

/// Whether a record may be followed by effects outside: it is one that is made before a write is sent.
pub(super) const fn is_intent(record: &Record) -> bool {
    matches!(record.what, What::Intent { .. } | What::Attempt { .. })
}
