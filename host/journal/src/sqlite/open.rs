//! Opening: the folder and file that only their owner may read, and what is set on each connection.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::{Place, system};
use super::schema::{self, Found};
use super::{Access, Options};
use crate::store::StoreError;

/// Statements that a connection keeps compiled; more than there are.
const STATEMENTS: usize = 64;

/// Makes a folder that only its owner may read, with those above it. One that is there stays as it is.
///
/// # Errors
/// Where it cannot be made.
pub fn create_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| system(folder, &error))
}

/// A new file that only its owner may read; fails where there is one.
pub(super) fn create_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file that was made is there after a power loss once its folder is on the disk too.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| system(folder, &error))?;
    }
    Ok(())
}

/// A connection that writes, on a file of the newest format, made where there is none.
///
/// # Errors
/// Where the file is not ours, newer, or cannot be written.
pub(super) fn writer(place: &Place, options: &Options) -> Result<Connection, StoreError> {
    create_folder(place.folder())?;
    // The file must never be opened other than by SQLite while a connection to it may be open:
    // closing it would drop the locks that this process has on it. A file that is not there yet has
    // no connection.
    match create_file(place.path()) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(place.system(&error)),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection =
        Connection::open_with_flags(place.path(), flags).map_err(|error| place.error(error))?;
    settle_in(&connection, options.busy).map_err(|error| place.error(error))?;
    if schema::inspect(&connection, place)? == Found::Empty {
        // Only where nothing is in the file yet; free pages are given back by `compact`.
        connection
            .execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL")
            .map_err(|error| place.error(error))?;
    }
    write_ahead(&connection, place, options.busy)?;
    schema::migrate(&mut connection, place)?;
    // A commit by itself waits for nothing: `commit.rs` puts the log on the disk. Checkpoints, which
    // would wait, are the background's.
    connection
        .execute_batch(
            "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -4000",
        )
        .map_err(|error| place.error(error))?;
    if let Some(pages) = options.pages_max {
        pragma(&connection, &format!("max_page_count = {pages}"))
            .map_err(|error| place.error(error))?;
    }
    if connection.is_readonly("main").unwrap_or(false) {
        return Err(StoreError::ReadOnly {
            path: place.text(),
            problem: "the file may only be read".to_owned(),
        });
    }
    Ok(connection)
}

/// A connection that only reads.
///
/// # Errors
/// Where there is no file, it is not ours, of a format that must be brought up first, or cannot be read.
pub(super) fn reader(place: &Place, options: &Options) -> Result<Connection, StoreError> {
    if !place.path().exists() {
        return Err(StoreError::NoStore {
            path: place.text(),
            problem: "there is no such file".to_owned(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let plain = Connection::open_with_flags(place.path(), flags)
        .map_err(|error| place.error(error))
        .and_then(|connection| look(connection, place, options));
    match plain {
        Err(StoreError::ReadOnly { .. } | StoreError::Disk { .. }) if untouched(place) => {
            let connection = Connection::open_with_flags(
                immutable(place.path()),
                flags | OpenFlags::SQLITE_OPEN_URI,
            )
            .map_err(|error| place.error(error))?;
            look(connection, place, options)
        }
        other => other,
    }
}

fn look(
    connection: Connection,
    place: &Place,
    options: &Options,
) -> Result<Connection, StoreError> {
    settle_in(&connection, options.busy).map_err(|error| place.error(error))?;
    match schema::inspect(&connection, place)? {
        Found::Format(schema::FORMAT) => Ok(connection),
        Found::Format(format) => Err(StoreError::ReadOnly {
            path: place.text(),
            problem: format!(
                "it has format {format} and must be brought to {} by a command that writes",
                schema::FORMAT
            ),
        }),
        Found::Empty if options.access == Access::Look => Err(StoreError::NoStore {
            path: place.text(),
            problem: "it is empty".to_owned(),
        }),
        Found::Empty => Err(StoreError::Damaged {
            path: place.text(),
            problem: "it is empty, and was not when it was opened".to_owned(),
        }),
    }
}

/// Whether all there is is in the file itself, so that a folder in which nothing may be made, as on a
/// medium that is read-only, does not matter.
fn untouched(place: &Place) -> bool {
    match fs::metadata(place.log()) {
        Ok(log) => log.len() == 0,
        Err(_) => true,
    }
}

/// The address of a file that nobody changes.
fn immutable(path: &Path) -> String {
    let mut address = String::from("file:");
    for character in path.to_string_lossy().chars() {
        match character {
            '%' => address.push_str("%25"),
            '?' => address.push_str("%3f"),
            '#' => address.push_str("%23"),
            other => address.push(other),
        }
    }
    address.push_str("?immutable=1");
    address
}

/// What every connection gets.
fn settle_in(connection: &Connection, busy: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(busy)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The first reads of the file: a file that is none shows here.
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY",
    )
}

/// Goes over to the write-ahead log, which the file keeps from then on.
fn write_ahead(connection: &Connection, place: &Place, busy: Duration) -> Result<(), StoreError> {
    // SQLite does not wait here for another process that does the same.
    let pause = Duration::from_millis(10);
    let mut left = busy;
    loop {
        match pragma(connection, "journal_mode = WAL") {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(StoreError::Disk {
                    path: place.text(),
                    problem: format!("it cannot have a write-ahead log, only `{mode}`"),
                });
            }
            Err(error) => match place.error(error) {
                StoreError::Busy { .. } if left > pause => {
                    left -= pause;
                    std::thread::sleep(pause);
                }
                other => return Err(other),
            },
        }
    }
}

/// Sets what answers with a row.
pub(super) fn pragma(connection: &Connection, setting: &str) -> rusqlite::Result<String> {
    connection.query_row(&format!("PRAGMA {setting}"), [], |row| {
        row.get::<_, rusqlite::types::Value>(0)
            .map(|value| match value {
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Integer(number) => number.to_string(),
                _ => String::new(),
            })
    })
}
