//! `cordon runs export`: all that is kept of a run, in one document.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cordon_contract::Value;
use cordon_contract::value::exact;
use cordon_journal::sqlite::Access;
use cordon_journal::{Entry, Record, Run, Store as _};
use cordon_run::executor::journal;
use serde::Serialize;

use super::super::run::report::{Document as ReportDocument, Ended};
use super::artifact;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::json;
use crate::problem::Problem;

/// Write all that is kept of a run into one JSON document: order, journal, artifacts, playbook, report
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run, or the beginning of its identity: see `cordon runs list`
    run: String,

    /// Write it into this file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    run: &'a Run,
    journal: Vec<Line<'a>>,
    artifacts: BTreeMap<&'a str, Artifact>,
    playbook: Option<serde_json::Value>,
    report: ReportDocument<'a>,
}

#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    #[serde(flatten)]
    record: &'a Record,
}

#[derive(Serialize)]
struct Artifact {
    digest: String,
    bytes: u64,
    #[serde(with = "exact")]
    value: Value,
}

/// Writes the document.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (store, run) = super::named(&arguments.run, Access::Look, context)?;
    let entries = journal::read(&store, run.id)?;
    let ended = Ended::read(&store, run.clone(), &BTreeMap::new())?;
    let mut artifacts = BTreeMap::new();
    for (name, (digest, bytes)) in &ended.report.artifacts {
        let value = artifact::content(&store, &run, digest)?;
        let (digest, bytes) = (digest.clone(), *bytes);
        let kept = Artifact {
            digest,
            bytes,
            value,
        };
        artifacts.insert(name.as_str(), kept);
    }
    let playbook = store.blob(&run.order.version)?;
    let document = Document {
        format: "cordon-run-1",
        run: &run,
        journal: entries
            .iter()
            .map(|Entry { seq, record }| Line { seq: *seq, record })
            .collect(),
        artifacts,
        playbook: playbook.and_then(|bundle| serde_json::from_slice(&bundle).ok()),
        report: ended.document(),
    };
    let text = json::render(&document);
    match &arguments.output {
        Some(path) => artifact::write(path, format!("{text}\n").as_bytes())?,
        None => context.screen.print(&text),
    }
    Ok(Exit::Done)
}
