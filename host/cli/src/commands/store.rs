//! `cordon store`: the file that keeps runs – checked, made smaller, copied, written out.

use std::path::{Path, PathBuf};

use cordon_journal::sqlite::{Access, Compacted, Exported, Report, Retention, SqliteStore};
use cordon_run::client;

use super::run::report::counted;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::table::Table;
use crate::output::value::size;
use crate::output::{json, neutral};
use crate::problem::Problem;

/// Look after the file that keeps runs
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Check(Check),
    Compact(Compact),
    Backup(Backup),
    Export(Export),
}

/// Read all that is kept and say what is damaged; works beside runs that go on
#[derive(Debug, clap::Args)]
pub struct Check {
    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

/// Forget ended runs that are older than `[retention]` in cordon.toml says, and give the room back
///
/// Works beside runs that go on, and never touches one that has not ended.
#[derive(Debug, clap::Args)]
pub struct Compact {
    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

/// Copy all that is kept, as it is at one moment, into a new file; works beside runs that go on
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The file; it must not be there
    file: PathBuf,
}

/// Write all runs with their journals as lines of JSON
#[derive(Debug, clap::Args)]
pub struct Export {
    /// The file; it must not be there. - is standard output
    file: PathBuf,
}

/// Does what the command says.
pub fn run(command: &Command, context: &Context) -> Result<Exit, Problem> {
    let access = match command {
        Command::Compact(_) => Access::Beside,
        _ => Access::Look,
    };
    let Some(store) = context.kept(access)? else {
        context
            .screen
            .note("nothing is kept here yet: no run was started");
        return Ok(Exit::Done);
    };
    match command {
        Command::Check(arguments) => check(&store, arguments.json, context),
        Command::Compact(arguments) => compact(&store, arguments.json, context),
        Command::Backup(arguments) => backup(&store, &arguments.file, context),
        Command::Export(arguments) => export(&store, &arguments.file, context),
    }
}

fn check(store: &SqliteStore, as_json: bool, context: &Context) -> Result<Exit, Problem> {
    let report = store.check()?;
    let screen = &context.screen;
    match as_json {
        true => screen.print(&json::render(&report)),
        false => screen.print(&shown(&report, context)),
    }
    if report.is_sound() {
        return Ok(Exit::Done);
    }
    let count = counted(report.problems.len(), "thing is", "things are");
    Err(Problem::new(Exit::Failed, format!("{count} damaged"))
        .hint("runs that are not named are whole; `cordon store backup` of an earlier time is the way back")
        .code("store.damaged"))
}

fn shown(report: &Report, context: &Context) -> String {
    let look = context.screen.stdout();
    let mut text = format!(
        "{}, format {}, {}: {}, {}, {}",
        neutral::line(&report.path),
        report.format,
        size(report.bytes),
        many(report.runs, "run", "runs"),
        many(report.records, "record", "records"),
        many(report.blobs, "blob", "blobs"),
    );
    if report.is_sound() {
        text.push_str("\nnothing is damaged");
        return text;
    }
    let mut table = Table::new(["run", "step", "what is damaged"]);
    for problem in &report.problems {
        table.row([
            problem.run.map_or(String::new(), client::short),
            problem
                .step
                .as_ref()
                .map_or(String::new(), ToString::to_string),
            problem.problem.clone(),
        ]);
    }
    format!("{text}\n{}", table.render(look))
}

fn many(count: u64, one: &str, several: &str) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), one, several)
}

/// Files are written before the run that names them knows of it: younger ones stay.
const FILES_KEPT: std::time::Duration = std::time::Duration::from_hours(1);

/// What was made smaller: the store, and the files beside it.
#[derive(serde::Serialize)]
struct Smaller {
    #[serde(flatten)]
    compacted: Compacted,
    files: u64,
    file_bytes: u64,
}

fn compact(store: &SqliteStore, as_json: bool, context: &Context) -> Result<Exit, Problem> {
    let directory = context.directory()?;
    let keep = directory.settings().retention.iter();
    let retention = Retention {
        keep: keep
            .map(|(outcome, time)| (*outcome, Some(*time)))
            .collect(),
    };
    let compacted = store.compact(&retention, client::now(store)?)?;
    // Looked up after the runs went; younger files may belong to a run that is just beginning.
    let needed = store.references()?;
    let (files, file_bytes) = directory
        .blobs()
        .sweep(FILES_KEPT, |reference| needed.contains(reference))
        .map_err(|error| Problem::new(Exit::Failed, error.to_string()).code(error.code()))?;
    let screen = &context.screen;
    if as_json {
        screen.print(&json::render(&Smaller {
            compacted,
            files,
            file_bytes,
        }));
        return Ok(Exit::Done);
    }
    let Compacted {
        runs,
        bytes_before,
        bytes_after,
        ..
    } = compacted;
    screen.print(&format!(
        "{} forgotten; {} before, {} now",
        many(runs, "run is", "runs are"),
        size(bytes_before),
        size(bytes_after)
    ));
    if files > 0 {
        screen.print(&format!(
            "{} that no run names any more: {} given back",
            many(files, "file is removed", "files are removed"),
            size(file_bytes)
        ));
    }
    Ok(Exit::Done)
}

fn backup(store: &SqliteStore, file: &Path, context: &Context) -> Result<Exit, Problem> {
    new(file)?;
    store.backup(file)?;
    context
        .screen
        .print(&format!("copied into {}", file.display()));
    Ok(Exit::Done)
}

fn export(store: &SqliteStore, file: &Path, context: &Context) -> Result<Exit, Problem> {
    let exported = if file == Path::new("-") {
        store.export(&mut Unbroken(std::io::stdout().lock()))?
    } else {
        new(file)?;
        let unwritable = |error: std::io::Error| {
            Problem::new(
                Exit::Failed,
                format!("cannot write `{}`: {error}", file.display()),
            )
            .code("cli.file")
        };
        let to = std::fs::File::create_new(file).map_err(unwritable)?;
        store.export(&mut std::io::BufWriter::new(to))?
    };
    let Exported { runs, damaged } = exported;
    let damaged = match damaged {
        0 => String::new(),
        damaged => format!(", {damaged} of them damaged"),
    };
    context.screen.note(&format!(
        "{} written out{damaged}",
        many(runs, "run", "runs")
    ));
    Ok(Exit::Done)
}

/// Refuses a file that is there already.
fn new(file: &Path) -> Result<(), Problem> {
    if !file.exists() {
        return Ok(());
    }
    Err(
        Problem::usage(format!("`{}` is there already", file.display()))
            .hint("name a file that is not there")
            .code("cli.file"),
    )
}

/// Standard output whose reader may go away.
struct Unbroken<W>(W);

impl<W: std::io::Write> std::io::Write for Unbroken<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        unbroken(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        unbroken(self.0.flush(), ())
    }
}

fn unbroken<T>(result: std::io::Result<T>, gone: T) -> std::io::Result<T> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(gone),
        other => other,
    }
}
