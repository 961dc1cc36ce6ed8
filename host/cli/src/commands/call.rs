//! `cordon call`: one action of one connection, performed like a step of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cordon_contract::value::Map;
use cordon_contract::{Action, BlobReference, Type, Value, conform};
use cordon_playbook::step::StopReason;
use cordon_run::execution::{self, CallOutcome};
use cordon_run::stopper::Stopper;

use super::assignment::{self, Assignment};
use super::connector;
use super::lost;
use super::run::progress::{Detail, Progress, Scope};
use super::runs::artifact;
use super::trace;
use crate::context::Context;
use crate::defect;
use crate::exit::Exit;
use crate::interrupt::Requests;
use crate::output::{Look, Tone, csv, json, neutral, value};
use crate::problem::directory::unusable;
use crate::problem::{Problem, failure};

/// Call one action of a connection
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("{}\n\n{EXAMPLES}", assignment::HELP))]
pub struct Arguments {
    /// The name of a connection: see `cordon connection list`
    connection: String,

    /// The name of an action: see `cordon connector show`
    action: String,

    /// The arguments of the action: name=value, or name=@file
    #[arg(value_name = "NAME=VALUE")]
    assignments: Vec<Assignment>,

    /// Take arguments from a file: JSON, or TOML when its name ends in .toml; - is standard input
    #[arg(long, value_name = "FILE")]
    args_file: Option<PathBuf>,

    /// How to print the result
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Write the file that the result names, such as a report, into this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Show the HTTP requests and answers on standard error, without secrets
    #[arg(long)]
    trace: bool,
}

const EXAMPLES: &str = "\
Examples:
  cordon call kata list_sensors
  cordon call kata list_sensors host=srv-01 --format json
  cordon call kata isolate sensor_id=DF64838B-B518-414B-B769-2B8BE341A2F0 duration=2h --trace";

/// What is said when a person asks a call to end.
const STOPPING: &str =
    "stopping: a write that is under way is waited for. Ctrl-C again ends at once";

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: columns, cut to the terminal, what is nested in short
    Table,
    /// For spreadsheets: RFC 4180; text that a spreadsheet would run as a formula gets a ' before it
    Csv,
    /// For programs: the exact value
    Json,
}

/// Calls the action and prints its result.
pub async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let inventory = context.inventory().await?;
    let unusable = |error| unusable(error, &inventory);
    let file = inventory.connection_file(&arguments.connection)?;
    let model = Arc::clone(
        inventory
            .connector_of(&arguments.connection, &file)
            .map_err(unusable)?
            .model(),
    );
    let action = connector::find_action(&model, &arguments.action)?;
    let values = values(action, &arguments)?;
    let link = inventory.link(&arguments.connection).map_err(unusable)?;

    let watcher = Arc::new(Progress::new(
        Arc::clone(&context.screen),
        Detail::Lost,
        Scope::Call,
    ));
    if arguments.trace {
        trace::begin(&link.connection, &context.screen);
    }
    let outcome = {
        let _animation = watcher.animate();
        let stopper = Stopper::default();
        let stops = stopper.clone();
        let _watch = Requests::listen().act(Arc::clone(&context.screen), STOPPING, move || {
            stops.stop(StopReason::Interrupted);
        });
        let watcher = Arc::clone(&watcher) as Arc<_>;
        execution::call(
            &arguments.connection,
            link.clone(),
            &action.name,
            values,
            watcher,
            stopper,
        )
        .await
    };
    match outcome.map_err(|error| defect::problem(&error.to_string()))? {
        CallOutcome::Done(result) => {
            if let Some(path) = &arguments.output {
                save(&result, path, context)?;
            }
            context.screen.print(&show(
                &result,
                action.result.as_ref(),
                arguments.format,
                context.screen.stdout(),
            ));
            Ok(Exit::Done)
        }
        CallOutcome::Failed(failed) => Err(failure::problem(&failed)),
        CallOutcome::InDoubt(doubt) => Err(lost::problem(&doubt, Some(&link), None)),
        CallOutcome::Cancelled => {
            let action = format!("{}.{}", arguments.connection, action.script_name());
            Err(Problem::new(
                Exit::Failed,
                format!("`{action}` was stopped before its answer came; nothing was changed"),
            ))
        }
    }
}

/// Writes the one file that a result names.
fn save(result: &Value, path: &Path, context: &Context) -> Result<(), Problem> {
    let mut found = Vec::new();
    blobs(result, &mut found);
    match found.as_slice() {
        [blob] => artifact::copy(blob, path, context),
        several => Err(Problem::usage(format!(
            "the action was done, but its result names {}",
            match several.len() {
                0 => "no file".to_owned(),
                count => format!("{count} files, and `--output` is for one"),
            }
        ))
        .code("cli.argument")),
    }
}

fn blobs<'a>(value: &'a Value, found: &mut Vec<&'a BlobReference>) {
    match value {
        Value::Blob(blob) => found.push(blob),
        Value::List(values) => values.iter().for_each(|value| blobs(value, found)),
        Value::Map(values) => values.values().for_each(|value| blobs(value, found)),
        _ => {}
    }
}

/// The arguments, checked before anything is opened or sent.
fn values(action: &Action, arguments: &Arguments) -> Result<Map, Problem> {
    let file = arguments
        .args_file
        .as_deref()
        .map(assignment::file)
        .transpose()?
        .unwrap_or_default();
    let known: Vec<assignment::Known<'_>> = action
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), &parameter.r#type))
        .collect();
    let owner = format!("the action `{}`", action.script_name());
    let values = assignment::collect(&arguments.assignments, file, &known, &owner, "argument")?;
    conform(&Value::Map(values.clone()), &action.arguments_type()).map_err(|error| {
        let connection = &arguments.connection;
        Problem::usage(format!(
            "wrong arguments for `{connection}.{}`: {error}",
            action.script_name()
        ))
        .hint(format!(
            "`cordon connector show CONNECTOR {}` describes them",
            action.script_name()
        ))
        .code("action.argument")
    })?;
    Ok(values)
}

fn show(result: &Value, r#type: Option<&Type>, format: Format, look: Look) -> String {
    match format {
        Format::Json => json::render(result),
        Format::Csv => {
            let (columns, rows) = value::rows(result, r#type);
            let text = csv::render(&columns, &rows);
            // A file gets every byte; a terminal none that it would obey.
            if look.width.is_some() {
                neutral::lines(&text)
            } else {
                text
            }
        }
        Format::Table if r#type.is_none() => look.paint(Tone::Good, "done"),
        Format::Table => value::show(result, r#type, look),
    }
}
