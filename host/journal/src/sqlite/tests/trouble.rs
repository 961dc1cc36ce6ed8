//! What stands in the way: other processes, rights, a full disk.

use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use rusqlite::Connection;

use super::support::*;
use crate::sqlite::{Access, Fate, Options, SqliteStore};
use crate::store::{Change, Durability, Store, StoreError};

#[test]
fn another_process_that_writes_is_waited_for_and_then_nothing_is_lost() {
    let folder = folder();
    let path = file(&folder);
    let options = Options {
        busy: Duration::from_millis(30),
        ..Options::new(Access::Execute)
    };
    let store = SqliteStore::open(&path, options).unwrap();
    store.commit(vec![create(run(1))], Durability::Now).unwrap();

    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ticket = store
        .submit(vec![append(id(1), 1)], Durability::Now)
        .unwrap();
    let busy = store.settle(ticket).unwrap_err();
    assert!(matches!(busy, StoreError::Busy { .. }), "{busy}");
    other.execute_batch("COMMIT").unwrap();

    store.settle(ticket).unwrap();
    store
        .commit(vec![append(id(1), 2)], Durability::Now)
        .unwrap();
    assert_eq!(places(&store, id(1)), [1, 2]);
}

/// Leaves wishes, and says their numbers, in a process of its own.
#[test]
fn process_that_wishes() {
    let Some(path) = given_file() else { return };
    let store = SqliteStore::open(&path, Options::new(Access::Beside)).unwrap();
    for _ in std::io::stdin().lines() {
        println!("left {}", store.leave(&cancel(id(1))).unwrap());
    }
}

#[test]
fn what_another_process_leaves_is_noticed_and_what_this_one_writes_is_not() {
    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    let mut child = process("sqlite::tests::trouble::process_that_wishes", &path)
        .spawn()
        .unwrap();
    let mut ask = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for seq in 1..=5 {
        store
            .commit(vec![append(id(1), seq)], Durability::Now)
            .unwrap();
        let _ = store.changed_elsewhere().unwrap();
        store
            .commit(vec![append(id(1), 100 + seq)], Durability::Now)
            .unwrap();
        assert!(!store.changed_elsewhere().unwrap());

        writeln!(ask, "another").unwrap();
        let number = answers
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.rsplit_once("left ").map(|(_, n)| n.parse().unwrap()))
            .unwrap();
        assert!(store.changed_elsewhere().unwrap());
        assert!(!store.changed_elsewhere().unwrap());
        let wishes = store.wishes().unwrap();
        assert_eq!(wishes, [(number, cancel(id(1)))]);
        let take = Change::TakeWish {
            number,
            refused: Some("no".to_owned()),
        };
        store.commit(vec![take], Durability::Now).unwrap();
        let fate = Some(Fate::Refused("no".to_owned()));
        assert_eq!(store.fate(number).unwrap(), fate);
    }
    drop(ask);
    assert!(child.wait().unwrap().success());
    assert!(store.check().unwrap().is_sound());
}

#[test]
fn a_full_disk_is_said_and_what_was_acknowledged_stays() {
    let folder = folder();
    let path = file(&folder);
    let options = Options {
        pages_max: Some(100),
        ..Options::new(Access::Execute)
    };
    let store = SqliteStore::open(&path, options).unwrap();
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    let mut settled = 0;
    let error = loop {
        let changes = (1..=20).map(|n| append(id(1), settled + n)).collect();
        match store.commit(changes, Durability::Now) {
            Ok(()) => settled += 20,
            Err(error) => break error,
        }
        assert!(settled < 100_000);
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    let next = store.submit(vec![append(id(1), 99_999)], Durability::Now);
    assert!(matches!(next, Err(StoreError::Failed { .. })));
    drop(store);

    let store = open(&path);
    assert_eq!(places(&store, id(1)).len() as u64, settled);
    store
        .commit(vec![append(id(1), 99_999)], Durability::Now)
        .unwrap();
    assert!(store.check().unwrap().is_sound());
}

/// In a process of a user without rights, because root has them all.
#[test]
fn process_without_rights() {
    let Some(path) = given_file() else { return };
    for access in [Access::Execute, Access::Beside] {
        let refused = SqliteStore::open(&path, Options::new(access))
            .err()
            .unwrap();
        assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
    }
    let store = look(&path).unwrap();
    assert_eq!(store.run(id(1)).unwrap(), Some(run(1)));
    let refused = store.submit(vec![create(run(2))], Durability::Now);
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })));
}

#[test]
fn a_file_in_a_folder_that_may_only_be_read_can_be_looked_at() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    store.close().unwrap();
    set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();

    let mut command = process("sqlite::tests::trouble::process_without_rights", &path);
    if path.metadata().unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    match command.spawn() {
        Ok(mut child) => assert!(child.wait().unwrap().success()),
        Err(error) => eprintln!("not tested: no process of another user: {error}"),
    }
    set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
}
