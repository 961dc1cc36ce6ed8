//! Runs, records and wishes to fill a store with, and the test binary as another process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cordon_contract::step::Step;
use cordon_contract::value::Map;
use cordon_contract::{Effect, StepKey, Value};
use tempfile::TempDir;
use uuid::Uuid;

use crate::moment::Moment;
use crate::record::{Record, Recorded, What};
use crate::run::{Binding, End, Order, Outcome, Run, RunId, State, Status};
use crate::sqlite::{Access, Options, STORE_FILE, SqliteStore};
use crate::store::{Change, Store, StoreError};
use crate::wish::{Wish, WishKind};

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn file(folder: &TempDir) -> PathBuf {
    folder.path().join(STORE_FILE)
}

pub fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Options::new(Access::Execute)).unwrap()
}

pub fn look(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open_to_look(path)
}

pub fn id(number: u32) -> RunId {
    // Spread like real identities, and the same in every process.
    RunId(Uuid::from_u128(
        u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835),
    ))
}

pub fn status(state: State, due: Option<i64>) -> Status {
    Status {
        state,
        due: due.map(Moment),
        waits: Vec::new(),
        seq: 0,
        records: 0,
        bytes: 0,
        end: None,
    }
}

pub fn ended(outcome: Outcome, at: i64) -> Status {
    Status {
        end: Some(End {
            outcome,
            at: Moment(at),
            result: Value::Null,
            error: None,
            message: None,
        }),
        ..status(State::Ended, None)
    }
}

pub fn run(number: u32) -> Run {
    let binding = Binding {
        connection: "edr".to_owned(),
        connector: "falcon".to_owned(),
        digest: "0".repeat(64),
    };
    Run {
        id: id(number),
        order: Order {
            playbook: format!("contain-{}", number % 3),
            version: "1".repeat(64),
            input: Map::from([("host".to_owned(), Value::text(format!("pc-{number}")))]),
            bindings: BTreeMap::from([("edr".to_owned(), vec![binding])]),
            started_by: "ada".to_owned(),
            created: Moment(1_000 + i64::from(number)),
            deadline: Moment(1_000_000),
            tags: vec!["night".to_owned()],
            parent: None,
            depth: 0,
            retry_of: None,
            slot: None,
            journal_bytes_max: 1_000_000,
            journal_records_max: 10_000,
        },
        status: status(State::Going, Some(i64::from(number))),
    }
}

pub fn create(run: Run) -> Change {
    Change::Create(Box::new(run))
}

pub fn set(run: RunId, status: Status) -> Change {
    Change::Status {
        run,
        status: Box::new(status),
    }
}

/// A write's intent for an even place, an outcome for an odd one.
pub fn record(seq: u64) -> Record {
    let what = if seq.is_multiple_of(2) {
        What::Intent {
            step: Step::Action {
                connection: "edr".to_owned(),
                action: "isolate-host".to_owned(),
                arguments: Map::from([("id".to_owned(), Value::from(seq.cast_signed()))]),
                undoable: true,
            },
            effect: Effect::Reversible,
        }
    } else {
        What::Outcome {
            step: None,
            answer: Recorded::Done(Value::text(format!("done {seq}"))),
            took: Duration::from_millis(seq),
        }
    };
    Record {
        at: Moment(2_000 + seq.cast_signed()),
        key: StepKey::root(u32::try_from(seq / 2).unwrap()),
        what,
    }
}

pub fn append(run: RunId, seq: u64) -> Change {
    Change::Append {
        run,
        seq,
        record: record(seq),
    }
}

pub fn cancel(run: RunId) -> Wish {
    Wish {
        by: "ada".to_owned(),
        at: Moment(3_000),
        run,
        kind: WishKind::Cancel { why: None },
    }
}

/// The places of a run's records.
pub fn places(store: &SqliteStore, run: RunId) -> Vec<u64> {
    let journal = store.journal(run, 0).unwrap();
    journal.into_iter().map(|entry| entry.seq).collect()
}

/// This test binary, as another process that runs only one test, in which `CORDON_TEST_FILE` is set.
pub fn process(test: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("CORDON_TEST_FILE", file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The file that the process above is to work on; none in the ordinary run of the tests.
pub fn given_file() -> Option<PathBuf> {
    std::env::var_os("CORDON_TEST_FILE").map(PathBuf::from)
}

/// The same numbers in every run of the tests.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}
