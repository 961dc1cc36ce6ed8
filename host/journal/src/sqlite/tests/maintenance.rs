//! What is done to a whole file while others use it.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::support::*;
use crate::moment::Moment;
use crate::run::Outcome;
use crate::sqlite::{Access, Options, Retention, SqliteStore, check};
use crate::store::{Change, Durability, Filter, Store};

#[test]
fn compact_forgets_what_is_too_old_and_gives_the_room_back() {
    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    for number in 1..=40 {
        let mut changes = vec![create(run(number))];
        changes.extend((1..=60).map(|seq| append(id(number), seq)));
        let outcome = if number % 2 == 0 {
            Outcome::Succeeded
        } else {
            Outcome::Failed
        };
        if number > 2 {
            changes.push(set(id(number), ended(outcome, 10_000 + i64::from(number))));
        }
        store.commit(changes, Durability::Now).unwrap();
    }
    store.close().unwrap();

    let store = open(&path);
    let mut retention = Retention::default();
    retention
        .keep
        .insert(Outcome::Succeeded, Some(Duration::from_secs(5)));
    retention.keep.insert(Outcome::Failed, None);
    let done = store.compact(&retention, Moment(15_031)).unwrap();
    assert_eq!(done.runs, 14);
    let kept: Vec<_> = store.find(&Filter::default()).unwrap();
    assert_eq!(kept.len(), 26);
    assert!(store.run(id(2)).unwrap().is_some() && store.run(id(40)).unwrap().is_some());
    assert!(store.run(id(4)).unwrap().is_none());
    store.close().unwrap();
    let after = path.metadata().unwrap().len();
    assert!(
        after < done.bytes_before * 4 / 5,
        "{after} of {}",
        done.bytes_before
    );
    assert!(check(&path).unwrap().is_sound());
}

#[test]
fn compact_keeps_the_children_of_an_open_run_and_blobs_that_are_young_or_needed() {
    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    let mut child = run(2);
    child.order.parent = Some((id(1), record(2).key));
    let put = |digest: &str| Change::PutBlob {
        digest: digest.to_owned(),
        bytes: Vec::new(),
    };
    let changes = vec![
        put("needed"),
        put("old"),
        put("young"),
        create(run(1)),
        create(child),
        set(id(2), ended(Outcome::Succeeded, 3_000)),
        Change::Need {
            run: id(1),
            digest: "needed".to_owned(),
        },
    ];
    store.commit(changes, Durability::Now).unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE blob SET since = 0 WHERE digest <> 'young'")
        .unwrap();
    let all = Retention::all(Duration::ZERO);
    let done = store.compact(&all, Moment(9_000)).unwrap();
    assert_eq!((done.runs, done.blobs), (0, 1));
    assert!(store.has_blob("needed").unwrap() && store.has_blob("young").unwrap());
    assert!(!store.has_blob("old").unwrap());

    let end = set(id(1), ended(Outcome::Succeeded, 4_000));
    store.commit(vec![end], Durability::Now).unwrap();
    assert_eq!(store.compact(&all, Moment(9_000)).unwrap().runs, 2);
}

#[test]
fn copies_and_checks_are_of_one_moment_while_another_writes() {
    let folder = folder();
    let path = file(&folder);
    let executor = open(&path);
    executor
        .commit(vec![create(run(1)), create(run(2))], Durability::Now)
        .unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for seq in 1.. {
                let changes = vec![append(id(1), seq), append(id(2), seq)];
                executor.commit(changes, Durability::Now).unwrap();
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let beside = SqliteStore::open(&path, Options::new(Access::Beside)).unwrap();
        for turn in 0..5 {
            let copy = folder.path().join(format!("backup-{turn}.db"));
            beside.backup(&copy).unwrap();
            let report = check(&copy).unwrap();
            assert!(report.is_sound(), "{report}");
            let copy = look(&copy).unwrap();
            assert_eq!(places(&copy, id(1)), places(&copy, id(2)));

            let report = beside.check().unwrap();
            assert!(report.is_sound(), "{report}");
            let mut lines = Vec::new();
            assert_eq!(beside.export(&mut lines).unwrap().runs, 2);
            let lines = String::from_utf8(lines).unwrap();
            let records: Vec<usize> = lines
                .lines()
                .map(|line| line.matches("\"seq\"").count())
                .collect();
            assert_eq!(records[0], records[1]);
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_backup_overwrites_nothing_and_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let store = open(&file(&folder));
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    let copy = folder.path().join("copy.db");
    store.backup(&copy).unwrap();
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&copy).unwrap();
    let error = store.backup(&copy).unwrap_err();
    assert!(error.to_string().contains("not overwritten"), "{error}");
    assert_eq!(fs::read(&copy).unwrap(), before);
    // It is a store like any other.
    let copy = open(&copy);
    copy.commit(vec![create(run(2))], Durability::Now).unwrap();
    assert_eq!(copy.run(id(1)).unwrap(), Some(run(1)));
}

#[test]
fn an_export_has_each_run_in_a_line_and_says_which_are_damaged() {
    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    let changes = vec![
        create(run(1)),
        append(id(1), 1),
        create(run(2)),
        Change::Wish(cancel(id(1))),
    ];
    store.commit(changes, Durability::Now).unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE run SET crc = crc - 1 WHERE number = 2")
        .unwrap();
    let mut lines = Vec::new();
    let exported = store.export(&mut lines).unwrap();
    assert_eq!((exported.runs, exported.damaged), (2, 1));
    let lines = String::from_utf8(lines).unwrap();
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["run"]["id"], id(1).to_string());
    assert_eq!(lines[0]["journal"][0]["key"], "0");
    assert_eq!(lines[0]["wishes"][0]["by"], "ada");
    assert!(
        lines[1]["damaged"]
            .as_str()
            .unwrap()
            .contains(&id(2).to_string())
    );
}

#[test]
fn a_report_is_for_people_and_for_programs() {
    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    store
        .commit(vec![append(id(7), 2)], Durability::Now)
        .unwrap();
    let report = store.check().unwrap();
    let text = report.to_string();
    assert!(text.contains("1 runs, 1 records"), "{text}");
    let line = format!(
        "- run {}: there are 1 records and no run; 1 of them are intents to write",
        id(7)
    );
    assert!(text.contains(&line), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["problems"][0]["run"], id(7).to_string());
}
