//! A damaged file: an error that says so, or the right answer.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::support::*;
use crate::moment::Moment;
use crate::record::Entry;
use crate::run::{Outcome, Run, RunId};
use crate::sqlite::SqliteStore;
use crate::store::{Change, Durability, Store, StoreError};

/// What is in the file, and what must be read from it.
struct Sample {
    bytes: Vec<u8>,
    runs: Vec<(Run, Vec<Entry>)>,
    due: Vec<RunId>,
    blob: (String, Vec<u8>),
    latest: Option<Moment>,
}

fn sample() -> Sample {
    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    let blob = vec![7; 9_000];
    let digest = hex::encode(Sha256::digest(&blob));
    let put = Change::PutBlob {
        digest: digest.clone(),
        bytes: blob.clone(),
    };
    store.commit(vec![put], Durability::Now).unwrap();
    for number in 1..=24 {
        let mut changes = vec![create(run(number))];
        changes.extend((1..=12).map(|seq| append(id(number), seq)));
        changes.push(Change::Need {
            run: id(number),
            digest: digest.clone(),
        });
        if number % 4 == 0 {
            changes.push(set(id(number), ended(Outcome::Succeeded, 5_000)));
        }
        changes.push(Change::Wish(cancel(id(number))));
        store.commit(changes, Durability::Now).unwrap();
    }
    let runs = (1..=24).map(|number| {
        let run = store.run(id(number)).unwrap().unwrap();
        (run, store.journal(id(number), 0).unwrap())
    });
    let runs = runs.collect();
    let due = store.due(Moment(1_000), 99).unwrap();
    let latest = store.latest().unwrap();
    assert_eq!(due.len(), 18);
    store.close().unwrap();
    Sample {
        bytes: fs::read(&path).unwrap(),
        runs,
        due,
        blob: (digest, blob),
        latest,
    }
}

impl Sample {
    /// Reads all of a file; whether everything was the same, and nothing was said to be wrong.
    fn compare(&self, store: &SqliteStore) -> bool {
        let mut same = true;
        for (run, journal) in &self.runs {
            let there = match store.run(run.id) {
                Ok(Some(read)) => {
                    assert_eq!(read, *run);
                    true
                }
                Ok(None) | Err(_) => false,
            };
            same &= there;
            match store.journal(run.id, 0) {
                Ok(read) if there => assert_eq!(read, *journal),
                Ok(read) => assert!(read.is_empty() || read == *journal),
                Err(_) => same = false,
            }
        }
        match store.due(Moment(1_000), 99) {
            Ok(due) => same &= due == self.due,
            Err(_) => same = false,
        }
        match store.blob(&self.blob.0) {
            Ok(Some(bytes)) => assert_eq!(bytes, self.blob.1),
            _ => same = false,
        }
        match store.latest() {
            Ok(Some(latest)) => assert_eq!(Some(latest), self.latest),
            _ => same = false,
        }
        match store.find(&crate::store::Filter::default()) {
            Ok(runs) => {
                for read in &runs {
                    assert!(self.runs.iter().any(|(run, _)| run == read));
                }
                same &= runs.len() == self.runs.len();
            }
            Err(_) => same = false,
        }
        match store.wishes() {
            Ok(wishes) => same &= wishes.len() == self.runs.len(),
            Err(_) => same = false,
        }
        same
    }

    fn see(&self, path: &Path, bytes: &[u8]) {
        fs::write(path, bytes).unwrap();
        let store = match look(path) {
            Ok(store) => store,
            Err(error) => {
                assert!(!error.code().is_empty());
                return;
            }
        };
        let same = self.compare(&store);
        let sound = store.check().is_ok_and(|report| report.is_sound());
        assert!(
            same || !sound,
            "something is wrong, and the check does not see it"
        );
    }
}

#[test]
fn a_flipped_bit_is_an_error_or_makes_no_difference() {
    let sample = sample();
    let folder = folder();
    let path = file(&folder);
    let mut dice = Dice(17);
    for turn in 0..600 {
        let mut bytes = sample.bytes.clone();
        // A third of them where the file says what it is, and where a page says what is on it.
        let place = match turn % 3 {
            0 => dice.below(100),
            1 => dice.below(bytes.len() / 4096) * 4096 + dice.below(200),
            _ => dice.below(bytes.len()),
        };
        bytes[place.min(sample.bytes.len() - 1)] ^= 1 << dice.below(8);
        sample.see(&path, &bytes);
    }
}

#[test]
fn a_file_that_was_cut_is_an_error_or_makes_no_difference() {
    let sample = sample();
    let folder = folder();
    let path = file(&folder);
    let mut dice = Dice(19);
    for _ in 0..80 {
        sample.see(&path, &sample.bytes[..dice.below(sample.bytes.len())]);
    }
}

#[test]
fn writing_to_a_damaged_file_never_panics_and_never_changes_what_was_read() {
    let sample = sample();
    let folder = folder();
    let path = file(&folder);
    let mut dice = Dice(23);
    for _ in 0..60 {
        let mut bytes = sample.bytes.clone();
        let place = dice.below(bytes.len());
        bytes[place] ^= 1 << dice.below(8);
        fs::write(&path, &bytes).unwrap();
        let options = crate::sqlite::Options::new(crate::sqlite::Access::Execute);
        if let Ok(store) = SqliteStore::open(&path, options) {
            let _ = store.commit(vec![create(run(99)), append(id(99), 1)], Durability::Now);
        }
        for leftover in ["cordon.db-wal", "cordon.db-shm"] {
            let _ = fs::remove_file(path.with_file_name(leftover));
        }
    }
}

/// Changes a file by SQL, as a bad disk would.
fn with(sql: &str) -> (tempfile::TempDir, SqliteStore) {
    let sample = sample();
    let folder = folder();
    let path = file(&folder);
    fs::write(&path, &sample.bytes).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(sql).unwrap();
    drop(connection);
    let store = open(&path);
    (folder, store)
}

fn problem(result: Result<impl std::fmt::Debug, StoreError>) -> (Option<String>, String) {
    match result {
        Err(StoreError::DamagedRun { step, problem, .. }) => {
            (step.map(|step| step.to_string()), problem)
        }
        other => panic!("no damaged run: {other:?}"),
    }
}

#[test]
fn a_record_that_was_changed_is_named_with_its_step_and_other_runs_are_not_touched() {
    let (_folder, store) = with(
        "UPDATE journal SET content = replace(content, 'done 5', 'done 6') WHERE seq = 5 \
         AND run = (SELECT id FROM run WHERE number = 3)",
    );
    let (step, problem) = problem(store.journal(id(3), 0));
    assert_eq!(step.as_deref(), Some("2"));
    assert_eq!(
        problem,
        "record 5 is not what was written: its sum is wrong"
    );
    assert_eq!(places(&store, id(4)).len(), 12);
    let report = store.check().unwrap();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].run, Some(id(3)));
}

#[test]
fn a_record_that_vanished_shows() {
    let (_folder, store) =
        with("DELETE FROM journal WHERE seq = 12 AND run = (SELECT id FROM run WHERE number = 3)");
    let (_, problem) = problem(store.journal(id(3), 0));
    assert_eq!(problem, "its journal has 11 records, and must have 12");
    assert_eq!(store.check().unwrap().problems.len(), 1);
}

#[test]
fn a_row_in_anothers_place_shows() {
    let (_folder, store) = with(
        "UPDATE orders SET content = (SELECT content FROM orders WHERE run = 4), \
         crc = (SELECT crc FROM orders WHERE run = 4) WHERE run = 3",
    );
    let (_, problem) = problem(store.run(id(3)));
    assert_eq!(
        problem,
        "its order is not what was written: its sum is wrong"
    );
}

#[test]
fn a_searched_column_that_lies_shows_and_find_goes_on_where_it_is_asked_to() {
    let (_folder, store) = with("UPDATE run SET due = 7 WHERE number = 3");
    problem(store.run(id(3)));
    let all = crate::store::Filter::default();
    problem(store.find(&all));
    let (runs, damaged) = store.find_readable(&all).unwrap();
    assert_eq!((runs.len(), damaged.len()), (23, 1));
}

#[test]
fn a_record_of_a_newer_cordon_is_refused_in_words_and_its_new_fields_are_not() {
    use super::super::rows::{Kind, sum};
    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    let changes = vec![create(run(1)), append(id(1), 1), append(id(1), 3)];
    store.commit(changes, Durability::Now).unwrap();
    store.close().unwrap();
    let change = |seq: i64, content: &str| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let crc = sum(Kind::Record, id(1), seq, content.as_bytes());
        let old: i64 = connection
            .query_row("SELECT crc FROM journal WHERE seq = ?1", [seq], |row| {
                row.get(0)
            })
            .unwrap();
        connection
            .execute(
                "UPDATE journal SET content = ?1, crc = ?2 WHERE seq = ?3",
                (content, crc, seq),
            )
            .unwrap();
        let changed = old ^ i64::from(crc);
        connection
            .execute("UPDATE run SET sums = (sums | ?1) - (sums & ?1)", [changed])
            .unwrap();
    };
    change(1, r#"{"at":1,"key":"4","what":"unwinding","mood":"good"}"#);
    assert_eq!(places(&look(&path).unwrap(), id(1)), [1, 3]);
    change(3, r#"{"at":1,"key":"4.2.1","what":{"guarded":{"by":"x"}}}"#);
    let (step, problem) = problem(look(&path).unwrap().journal(id(1), 0));
    assert_eq!(step.as_deref(), Some("4.2.1"));
    assert!(problem.contains("unknown variant `guarded`"), "{problem}");
    assert!(
        problem.ends_with("a newer Cordon may have written it"),
        "{problem}"
    );
}
