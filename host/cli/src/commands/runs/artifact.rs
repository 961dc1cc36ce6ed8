//! `cordon runs artifact`: what a run keeps by name.

use std::path::PathBuf;

use cordon_contract::value::exact;
use cordon_contract::{BlobReference, Value};
use cordon_journal::sqlite::Access;
use cordon_journal::{Run, Store};
use cordon_run::client::short;
use cordon_run::executor::journal;
use cordon_run::report::Report;

use crate::context::Context;
use crate::exit::Exit;
use crate::output::table::Table;
use crate::output::value::size;
use crate::output::{json, neutral};
use crate::problem::Problem;

/// List what a run keeps by name, or fetch one of it
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run, or the beginning of its identity: see `cordon runs list`
    run: String,

    /// The name; without one, all are listed
    name: Option<String>,

    /// Write it into this file instead of standard output: text and bytes as they are, else JSON
    #[arg(long, value_name = "FILE", requires = "name")]
    output: Option<PathBuf>,
}

/// Prints the list, or the content.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (store, run) = super::named(&arguments.run, Access::Look, context)?;
    let report = Report::of(&run, &journal::read(&store, run.id)?);
    let screen = &context.screen;
    let Some(name) = &arguments.name else {
        let mut table = Table::new(["artifact", "size", "digest"]);
        for (name, (digest, bytes)) in &report.artifacts {
            table.row([name, &size(*bytes), digest]);
        }
        match table.is_empty() {
            true => screen.note(&format!("run {} keeps nothing by name", short(run.id))),
            false => screen.print(&table.render(screen.stdout())),
        }
        return Ok(Exit::Done);
    };
    let Some((digest, _)) = report.artifacts.get(name) else {
        let problem = Problem::usage(format!("run {} keeps no `{name}`", short(run.id)));
        return Err(problem
            .nearest(name, report.artifacts.keys().map(String::as_str))
            .hint(format!(
                "`cordon runs artifact {}` lists what it keeps",
                short(run.id)
            ))
            .code("cli.argument"));
    };
    let value = content(&store, &run, digest)?;
    match (&arguments.output, &value) {
        (Some(path), Value::Blob(blob)) => copy(blob, path, context)?,
        (None, Value::Blob(blob)) => {
            return Err(
                Problem::usage(format!("`{name}` is a file of {}", size(blob.length)))
                    .hint("`--output FILE` writes a copy of it")
                    .code("cli.argument"),
            );
        }
        (Some(path), value) => write(path, &bytes(value))?,
        (None, Value::Bytes(_)) => {
            return Err(Problem::usage(format!("`{name}` is bytes, not text"))
                .hint("`--output FILE` writes them into a file")
                .code("cli.argument"));
        }
        (None, Value::Text(text)) if screen.stdout().width.is_some() => {
            screen.print(&neutral::lines(text));
        }
        (None, Value::Text(text)) => screen.print(text),
        (None, other) => screen.print(&json::render(other)),
    }
    Ok(Exit::Done)
}

/// The value that a run keeps under a digest.
pub fn content(store: &dyn Store, run: &Run, digest: &str) -> Result<Value, Problem> {
    let lost = |problem: String| cordon_journal::StoreError::DamagedRun {
        run: run.id,
        step: None,
        problem,
    };
    let bytes = store
        .blob(digest)?
        .ok_or_else(|| lost(format!("the bytes of {digest} are missing")))?;
    let text = String::from_utf8(bytes).map_err(|error| lost(error.to_string()))?;
    Ok(exact::from_json(&text).map_err(|error| lost(error.to_string()))?)
}

/// Copies bytes that are kept as a file.
pub fn copy(
    blob: &BlobReference,
    path: &std::path::Path,
    context: &Context,
) -> Result<(), Problem> {
    let blobs = context.directory()?.blobs();
    let kept = blobs.check(blob).and_then(|()| blobs.path(blob));
    let kept =
        kept.map_err(|error| Problem::new(Exit::Failed, error.to_string()).code(error.code()))?;
    match std::fs::copy(&kept, path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::new(
            Exit::Failed,
            format!("cannot write `{}`: {error}", path.display()),
        )
        .code("cli.file")),
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Bytes(bytes) => bytes.clone(),
        Value::Text(text) => text.clone().into_bytes(),
        other => format!("{}\n", json::render(other)).into_bytes(),
    }
}

/// Writes a file that is asked for; one that is there is replaced.
pub fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Problem> {
    std::fs::write(path, bytes).map_err(|error| {
        Problem::new(
            Exit::Failed,
            format!("cannot write `{}`: {error}", path.display()),
        )
        .code("cli.file")
    })
}
