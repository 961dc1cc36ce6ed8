//! Files of other versions, and files of others.

use std::fs;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde::Deserialize;

use super::support::*;
use crate::record::Record;
use crate::run::{Outcome, Run};
use crate::sqlite::{Access, FORMAT, Options, SqliteStore};
use crate::store::{Change, Durability, Store, StoreError};

fn refused(path: &std::path::Path) -> StoreError {
    let looked = look(path).err().unwrap();
    let opened = SqliteStore::open(path, Options::new(Access::Execute))
        .err()
        .unwrap();
    assert_eq!(looked.code(), opened.code());
    opened
}

#[test]
fn a_newer_file_is_refused_and_not_changed() {
    let folder = folder();
    let path = file(&folder);
    drop(open(&path));
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 7").unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    let error = refused(&path);
    assert!(
        matches!(&error, StoreError::Newer { found: 7, known, .. } if *known == FORMAT),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn the_file_of_another_program_is_refused_and_not_changed() {
    let folder = folder();
    let path = file(&folder);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    assert!(matches!(refused(&path), StoreError::NoStore { .. }));
    assert_eq!(fs::read(&path).unwrap(), before);

    let text = "this is a letter, and long enough for the head of a database. ".repeat(20);
    fs::write(&path, &text).unwrap();
    assert!(matches!(refused(&path), StoreError::NoStore { .. }));
    assert_eq!(fs::read(&path).unwrap(), text.as_bytes());
}

#[test]
fn looking_at_nothing_makes_nothing() {
    let folder = folder();
    let path = file(&folder);
    assert!(matches!(look(&path), Err(StoreError::NoStore { .. })));
    assert!(!path.exists());
    fs::write(&path, "").unwrap();
    assert!(matches!(look(&path), Err(StoreError::NoStore { .. })));
    // As a process leaves it that ended while it made the file.
    drop(open(&path));
    look(&path).unwrap();
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

#[derive(Deserialize)]
struct Line {
    run: Run,
    journal: Vec<Placed>,
}

#[derive(Deserialize)]
struct Placed {
    seq: u64,
    #[serde(flatten)]
    record: Record,
}

/// `version_N.sql` is a file that a Cordon of format N wrote, `version_N.jsonl` what it exported.
#[test]
fn files_of_every_released_format_are_read_as_they_were_written() {
    for format in 1..=FORMAT {
        let name = |ending| format!("{FIXTURES}/version_{format}.{ending}");
        let folder = folder();
        let path = file(&folder);
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(&fs::read_to_string(name("sql")).unwrap())
            .unwrap();
        drop(connection);
        let store = open(&path);
        let lines = fs::read_to_string(name("jsonl")).unwrap();
        assert_eq!(
            store.find(&crate::store::Filter::default()).unwrap().len(),
            lines.lines().count()
        );
        for line in lines.lines() {
            let Line { run, journal } = serde_json::from_str(line).unwrap();
            assert_eq!(store.run(run.id).unwrap().as_ref(), Some(&run));
            let read = store.journal(run.id, 0).unwrap();
            assert_eq!(read.len(), journal.len());
            for (read, expected) in read.iter().zip(journal) {
                assert_eq!((read.seq, &read.record), (expected.seq, &expected.record));
            }
        }
        assert!(!store.wishes().unwrap().is_empty());
        assert!(store.check().unwrap().is_sound());
    }
}

/// The way in which fixtures are made. With `CORDON_WRITE_FIXTURE` set it makes the one of the format that
/// this program has: once for a format, before it is released.
#[test]
fn a_file_written_as_sql_and_made_from_it_is_the_same_file() {
    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    let mut changes = Vec::new();
    for number in 1..=3 {
        changes.push(create(run(number)));
        changes.extend((1..=4).map(|seq| append(id(number), seq)));
    }
    changes.push(set(id(3), ended(Outcome::Partially, 5_000)));
    changes.push(Change::PutBlob {
        digest: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned(),
        bytes: b"hello".to_vec(),
    });
    changes.push(Change::Need {
        run: id(1),
        digest: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned(),
    });
    changes.push(Change::Wish(cancel(id(2))));
    store.commit(changes, Durability::Now).unwrap();
    let mut lines = Vec::new();
    store.export(&mut lines).unwrap();
    store.close().unwrap();
    let sql = dump(&Connection::open(&path).unwrap());
    let again = folder.path().join("again.db");
    Connection::open(&again)
        .unwrap()
        .execute_batch(&sql)
        .unwrap();
    let mut exported = Vec::new();
    open(&again).export(&mut exported).unwrap();
    assert_eq!(
        String::from_utf8(exported).unwrap(),
        String::from_utf8(lines.clone()).unwrap()
    );
    if std::env::var_os("CORDON_WRITE_FIXTURE").is_some() {
        fs::create_dir_all(FIXTURES).unwrap();
        fs::write(format!("{FIXTURES}/version_{FORMAT}.jsonl"), lines).unwrap();
        fs::write(format!("{FIXTURES}/version_{FORMAT}.sql"), sql).unwrap();
    }
}

/// A file as the SQL that makes it.
fn dump(connection: &Connection) -> String {
    let mut sql = String::from("PRAGMA auto_vacuum = INCREMENTAL;\n");
    for pragma in ["application_id", "user_version"] {
        let value: i64 = connection
            .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
            .unwrap();
        sql += &format!("PRAGMA {pragma} = {value};\n");
    }
    let mut schema = connection
        .prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'")
        .unwrap();
    let parts = schema
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<Vec<(String, String, String)>, _>>()
        .unwrap();
    for (_, _, definition) in &parts {
        sql += &format!("{definition};\n");
    }
    for (_, table, _) in parts.iter().filter(|(kind, ..)| kind == "table") {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..columns)
                .map(|column| match row.get_ref(column).unwrap() {
                    ValueRef::Null => "NULL".to_owned(),
                    ValueRef::Integer(value) => value.to_string(),
                    ValueRef::Real(value) => value.to_string(),
                    ValueRef::Text(text) => {
                        format!("'{}'", String::from_utf8_lossy(text).replace('\'', "''"))
                    }
                    ValueRef::Blob(bytes) => format!("x'{}'", hex::encode(bytes)),
                })
                .collect();
            sql += &format!("INSERT INTO {table} VALUES ({});\n", values.join(", "));
        }
    }
    sql
}
