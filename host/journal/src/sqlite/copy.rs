//! Copies of all that is kept: as another file of the same kind, and as lines of JSON.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use super::error::{Place, system};
use super::rows::{self, RUN_COLUMNS, RUN_TABLES};
use super::{SqliteStore, open, reader};
use crate::record::{Entry, Record};
use crate::run::Run;
use crate::store::StoreError;
use crate::wish::Wish;

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// How many runs.
    pub runs: u64,
    /// How many of them are damaged: their lines say how, instead of their content.
    pub damaged: u64,
}

/// One line of an export.
#[derive(Serialize)]
struct Document<'a> {
    run: &'a Run,
    journal: Vec<Line<'a>>,
    wishes: &'a [Wished],
}

#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    #[serde(flatten)]
    record: &'a Record,
}

#[derive(Serialize)]
struct Wished {
    number: i64,
    #[serde(flatten)]
    wish: Wish,
    fate: Option<String>,
    why: Option<String>,
}

/// The line of a run that is damaged.
#[derive(Serialize)]
struct Damaged<'a> {
    damaged: &'a str,
}

impl SqliteStore {
    /// Copies the file as it is at one moment, while others go on writing; on the disk when this returns.
    ///
    /// # Errors
    /// Where there is a file of that name already, or either file fails. Then no copy is left.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        // The name is taken at once, so that two copies never meet, and filled at the end, so that half
        // a copy never looks like one.
        match open::create_file(to) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Disk {
                    path: to.display().to_string(),
                    problem: "there is a file of this name, and it is not overwritten".to_owned(),
                });
            }
            Err(error) => return Err(system(to, &error)),
        }
        let mut part = to.to_owned().into_os_string();
        part.push(".part");
        let part = Place(PathBuf::from(part));
        let done = self.copy_to(&part).and_then(|()| {
            fs::rename(part.path(), to).map_err(|error| system(to, &error))?;
            open::sync_folder(Place(to.to_owned()).folder())
        });
        if done.is_err() {
            // The copy failed already; a leftover says so by being empty.
            let _ = fs::remove_file(part.path());
            let _ = fs::remove_file(to);
        }
        done
    }

    fn copy_to(&self, part: &Place) -> Result<(), StoreError> {
        let _ = fs::remove_file(part.path());
        open::create_file(part.path()).map_err(|error| part.system(&error))?;
        self.readers().read(|from| {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let mut copy = Connection::open_with_flags(part.path(), flags)
                .map_err(|error| part.error(error))?;
            // What is synchronised below is the whole file, once.
            copy.execute_batch("PRAGMA synchronous = OFF")
                .map_err(|error| part.error(error))?;
            let backup = Backup::new(from, &mut copy).map_err(|error| part.error(error))?;
            // All pages in one step are of one moment.
            match backup.step(-1).map_err(|error| part.error(error))? {
                StepResult::Done => Ok(()),
                _ => Err(StoreError::Busy {
                    path: self.place().text(),
                }),
            }
        })?;
        fs::OpenOptions::new()
            .write(true)
            .open(part.path())
            .and_then(|file| file.sync_all())
            .map_err(|error| part.system(&error))
    }

    /// Writes all runs as they are at one moment, one JSON document a line, the oldest first: the run, its
    /// journal, and its wishes. Blobs are not among them.
    ///
    /// # Errors
    /// Where the store cannot be read, or `to` cannot be written.
    pub fn export(&self, to: &mut dyn Write) -> Result<Exported, StoreError> {
        let place = self.place();
        self.readers().read(|connection| {
            let wrong = |error| place.error(error);
            let snapshot = connection.unchecked_transaction().map_err(wrong)?;
            let mut exported = Exported::default();
            let mut statement = snapshot
                .prepare(&format!(
                    "SELECT {RUN_COLUMNS} FROM {RUN_TABLES} ORDER BY run.number"
                ))
                .map_err(wrong)?;
            let mut answer = statement.query([]).map_err(wrong)?;
            while let Some(row) = answer.next().map_err(wrong)? {
                exported.runs += 1;
                let document = rows::run(row).map_err(StoreError::from).and_then(|run| {
                    let journal = reader::journal(&snapshot, place, run.id, 0)?;
                    let wishes = wishes(&snapshot, place, &run)?;
                    Ok((run, journal, wishes))
                });
                let written = match &document {
                    Ok((run, journal, wishes)) => line(to, run, journal, wishes),
                    Err(error @ StoreError::DamagedRun { .. }) => {
                        exported.damaged += 1;
                        let damaged = error.to_string();
                        json_line(to, &Damaged { damaged: &damaged })
                    }
                    Err(error) => return Err(error.clone()),
                };
                written.map_err(|error| system(Path::new("the export"), &error))?;
            }
            to.flush()
                .map_err(|error| system(Path::new("the export"), &error))?;
            Ok(exported)
        })
    }
}

fn line(to: &mut dyn Write, run: &Run, journal: &[Entry], wishes: &[Wished]) -> io::Result<()> {
    let journal = journal
        .iter()
        .map(|Entry { seq, record }| Line { seq: *seq, record })
        .collect();
    json_line(
        to,
        &Document {
            run,
            journal,
            wishes,
        },
    )
}

fn json_line<T: Serialize>(to: &mut dyn Write, document: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *to, document)?;
    to.write_all(b"\n")
}

fn wishes(connection: &Connection, place: &Place, run: &Run) -> Result<Vec<Wished>, StoreError> {
    let wrong = |error| place.error(error);
    let mut statement = connection
        .prepare_cached(
            "SELECT number, run, content, crc, fate, why FROM wish WHERE run = ?1 ORDER BY number",
        )
        .map_err(wrong)?;
    let mut answer = statement.query([run.id.0.as_bytes()]).map_err(wrong)?;
    let mut wishes = Vec::new();
    while let Some(row) = answer.next().map_err(wrong)? {
        let (number, wish) = rows::wish(row)?;
        wishes.push(Wished {
            number,
            wish,
            fate: row.get(4).map_err(wrong)?,
            why: row.get(5).map_err(wrong)?,
        });
    }
    Ok(wishes)
}
