//! Checking a whole file, and saying all that is wrong with it.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use cordon_contract::StepKey;
use rusqlite::{Connection, Row};
use serde::Serialize;

use super::error::Place;
use super::rows::{self, RUN_COLUMNS, RUN_TABLES};
use super::{FORMAT, SqliteStore, reader};
use crate::run::RunId;
use crate::store::StoreError;

/// Problems of the file's structure that are listed at most; one page can break very many.
const STRUCTURE_MAX: usize = 100;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The file.
    pub path: String,
    /// Its format.
    pub format: i64,
    /// How many bytes it has, its log included.
    pub bytes: u64,
    /// How many runs it has.
    pub runs: u64,
    /// How many records they have.
    pub records: u64,
    /// How many blobs it has.
    pub blobs: u64,
    /// How many wishes it has.
    pub wishes: u64,
    /// All that is wrong.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The run that it is about; none for the file.
    pub run: Option<RunId>,
    /// The step that it is about, where one is known.
    pub step: Option<StepKey>,
    /// What it is.
    pub problem: String,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: format {}, {} bytes, {} runs, {} records, {} blobs, {} wishes",
            self.path, self.format, self.bytes, self.runs, self.records, self.blobs, self.wishes
        )?;
        for problem in &self.problems {
            writeln!(f, "- {problem}")?;
        }
        match self.problems.len() {
            0 => write!(f, "nothing is wrong"),
            1 => write!(f, "1 problem"),
            count => write!(f, "{count} problems"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(run) = self.run {
            write!(f, "run {run}")?;
            if let Some(step) = &self.step {
                write!(f, ", step {step}")?;
            }
            write!(f, ": ")?;
        }
        f.write_str(&self.problem)
    }
}

/// Reads all of a file: its structure, every row, every sum, every blob.
///
/// # Errors
/// Where it cannot be opened at all. What is wrong with a file that can is in the report.
pub fn check(path: &Path) -> Result<Report, StoreError> {
    SqliteStore::open_to_look(path)?.check()
}

impl SqliteStore {
    /// [`check`] of this file, as it is at one moment, while others go on writing.
    ///
    /// # Errors
    /// Where it cannot be read at all.
    pub fn check(&self) -> Result<Report, StoreError> {
        let place = self.place();
        self.readers().read(|connection| {
            let snapshot = connection
                .unchecked_transaction()
                .map_err(|error| place.error(error))?;
            let mut checker = Checker {
                connection: &snapshot,
                place,
                report: Report {
                    path: place.text(),
                    format: FORMAT,
                    bytes: self.bytes(),
                    runs: 0,
                    records: 0,
                    blobs: 0,
                    wishes: 0,
                    problems: Vec::new(),
                },
            };
            checker.all();
            Ok(checker.report)
        })
    }

    /// How many bytes the file has, with its log.
    pub(super) fn bytes(&self) -> u64 {
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        length(self.path()) + length(&self.place().log())
    }
}

/// The count of a run's records and the exclusive or of their sums.
type Total = (i64, i64);

struct Checker<'a> {
    connection: &'a Connection,
    place: &'a Place,
    report: Report,
}

impl Checker<'_> {
    fn all(&mut self) {
        self.structure();
        let found = self.journals();
        self.runs(found);
        self.blobs();
        self.wishes();
        self.leftovers();
        if let Err(error) = reader::latest(self.connection, self.place) {
            self.file(error.to_string());
        }
    }

    fn file(&mut self, problem: String) {
        self.report.problems.push(Problem {
            run: None,
            step: None,
            problem,
        });
    }

    fn of_run(&mut self, run: RunId, problem: String) {
        self.report.problems.push(Problem {
            run: Some(run),
            step: None,
            problem,
        });
    }

    fn flaw(&mut self, flaw: rows::Flaw) {
        self.report.problems.push(Problem {
            run: Some(flaw.run),
            step: flaw.step,
            problem: flaw.problem,
        });
    }

    /// Goes over rows as far as they can be read.
    fn each(&mut self, what: &str, sql: &str, mut see: impl FnMut(&mut Self, &Row<'_>)) {
        let connection = self.connection;
        let done = connection.prepare(sql).and_then(|mut statement| {
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                see(self, row);
            }
            Ok(())
        });
        if let Err(error) = done {
            self.file(format!("{what} cannot be read to the end: {error}"));
        }
    }

    fn structure(&mut self) {
        let sql = format!("PRAGMA integrity_check({STRUCTURE_MAX})");
        self.each("the structure", &sql, |checker, row| {
            match row.get::<_, String>(0) {
                Ok(line) if line == "ok" => {}
                Ok(line) => checker.file(line),
                Err(error) => checker.file(error.to_string()),
            }
        });
    }

    fn journals(&mut self) -> HashMap<RunId, Total> {
        let mut found: HashMap<RunId, Total> = HashMap::new();
        let mut intents: HashMap<RunId, u64> = HashMap::new();
        self.each(
            "the journals",
            "SELECT seq, content, crc, run FROM journal ORDER BY run, seq",
            |checker, row| {
                checker.report.records += 1;
                let Some(run) = rows::identity(row, 3) else {
                    checker.file("a record has no identity of a run".to_owned());
                    return;
                };
                let total = found.entry(run).or_default();
                total.0 += 1;
                total.1 ^= rows::sum_column(row, 2).map_or(0, i64::from);
                match rows::entry(run, row) {
                    Ok((entry, _)) if rows::is_intent(&entry.record) => {
                        *intents.entry(run).or_default() += 1;
                    }
                    Ok(_) => {}
                    Err(flaw) => checker.flaw(flaw),
                }
            },
        );
        for (run, total) in &found {
            if self.knows(*run) {
                continue;
            }
            let writes = intents.get(run).copied().unwrap_or_default();
            self.of_run(
                *run,
                format!(
                    "there are {} records and no run; {writes} of them are intents to write",
                    total.0
                ),
            );
        }
        found
    }

    fn knows(&self, run: RunId) -> bool {
        self.connection
            .prepare_cached("SELECT 1 FROM run WHERE id = ?1")
            .and_then(|mut statement| statement.exists([run.0.as_bytes()]))
            .unwrap_or(false)
    }

    fn runs(&mut self, mut found: HashMap<RunId, Total>) {
        let sql = format!(
            "SELECT {RUN_COLUMNS}, run.records, run.sums FROM {RUN_TABLES} ORDER BY run.number"
        );
        self.each("the runs", &sql, |checker, row| {
            checker.report.runs += 1;
            let id = match rows::run(row) {
                Ok(run) => run.id,
                Err(flaw) => {
                    let id = flaw.run;
                    checker.flaw(flaw);
                    id
                }
            };
            let said: Option<Total> = row.get(14).and_then(|count| Ok((count, row.get(15)?))).ok();
            let is = found.remove(&id).unwrap_or_default();
            if said != Some(is) {
                let counted = said.map_or(-1, |(count, _)| count);
                checker.of_run(
                    id,
                    format!(
                        "its journal has {} records, which are not the {counted} that its row vouches for",
                        is.0
                    ),
                );
            }
        });
    }

    fn blobs(&mut self) {
        self.each(
            "the blobs",
            "SELECT digest, bytes FROM blob",
            |checker, row| {
                checker.report.blobs += 1;
                let digest: String = row.get(0).unwrap_or_default();
                let bytes = row.get_ref(1).ok().and_then(|bytes| bytes.as_blob().ok());
                if !bytes.is_some_and(|bytes| reader::is_of(bytes, &digest)) {
                    checker.file(format!(
                        "the bytes kept under the digest {digest} have another"
                    ));
                }
            },
        );
        self.each(
            "what runs need",
            "SELECT need.run, need.digest FROM need JOIN run ON run.id = need.run \
             WHERE NOT EXISTS (SELECT 1 FROM blob WHERE blob.digest = need.digest)",
            |checker, row| {
                let digest: String = row.get(1).unwrap_or_default();
                let problem =
                    format!("the bytes of the digest {digest}, which it needs, are missing");
                checker.of_run(rows::identity(row, 0).unwrap_or_default(), problem);
            },
        );
    }

    fn wishes(&mut self) {
        self.each(
            "the wishes",
            "SELECT number, run, content, crc FROM wish ORDER BY number",
            |checker, row| {
                checker.report.wishes += 1;
                if let Err(flaw) = rows::wish(row) {
                    checker.flaw(flaw);
                }
            },
        );
    }

    fn leftovers(&mut self) {
        self.each(
            "the orders",
            "SELECT run FROM orders WHERE NOT EXISTS (SELECT 1 FROM run WHERE number = orders.run)",
            |checker, _| checker.file("there is an order and no run of it".to_owned()),
        );
        self.each(
            "the blobs",
            "SELECT digest FROM blob WHERE length(digest) <> 64",
            |checker, _| checker.file("a blob has no digest".to_owned()),
        );
    }
}
