//! `cordon runs why`: what a run waits for, since when, until when, and who can move it.

use cordon_journal::lock::{self, Holder};
use cordon_journal::run::{Reason, Waiting};
use cordon_journal::sqlite::Access;
use cordon_journal::store::Filter;
use cordon_journal::{Moment, Run, State, Store, StoreError};
use cordon_run::client::{self, short};
use serde::Serialize;

use super::wait;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::time::{distance, moment};
use crate::output::{json, neutral};
use crate::problem::Problem;

/// Say what a run waits for, since when, until when, and who can move it
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run, or the beginning of its identity: see `cordon runs list --open`
    run: String,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    run: String,
    state: &'static str,
    due: Option<String>,
    deadline: String,
    executor: Option<&'a Holder>,
    waits: &'a [Waiting],
}

/// Prints why it does not go on, or that it does.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (store, run) = super::named(&arguments.run, Access::Look, context)?;
    let holder = lock::holder(&context.directory()?.data())?;
    let waits = client::waits(&store, &run)?;
    if arguments.json {
        let document = Document {
            run: run.id.to_string(),
            state: run.status.state.name(),
            due: run.status.due.map(|due| due.to_string()),
            deadline: run.order.deadline.to_string(),
            executor: holder.as_ref(),
            waits: &waits,
        };
        context.screen.print(&json::render(&document));
        return Ok(Exit::Done);
    }
    let now = client::now(&store)?;
    let told = Run {
        status: cordon_journal::run::Status {
            waits,
            ..run.status.clone()
        },
        ..run
    };
    let text = reasons(&store, &told, holder.as_ref(), now)?;
    context.screen.print(&text);
    Ok(Exit::Done)
}

fn reasons(
    store: &dyn Store,
    run: &Run,
    holder: Option<&Holder>,
    now: Moment,
) -> Result<String, StoreError> {
    let (id, playbook) = (short(run.id), neutral::line(&run.order.playbook));
    if let Some(end) = &run.status.end {
        return Ok(format!(
            "run {id} of {playbook} waits for nothing: it has ended ({}) at {}\n`cordon runs show {id}` shows what it did",
            end.outcome.name().replace('_', " "),
            moment(end.at)
        ));
    }
    let state = run.status.state.name().replace('_', " ");
    let mut lines = vec![format!("run {id} of {playbook} is {state}")];
    for waiting in &run.status.waits {
        let step = waiting
            .step
            .as_ref()
            .map_or(String::new(), |step| format!("step {step} "));
        lines.push(format!("{step}waits for {}", wait::what(waiting)));
        lines.push(format!(
            "  since {} ({})",
            moment(waiting.since),
            distance(waiting.since, now)
        ));
        lines.extend(wait::until(waiting, now).map(|until| format!("  {until}")));
        lines.extend(wait::how(waiting, run).map(|how| format!("  {how}")));
        if let Reason::Slot { key } = &waiting.reason {
            lines.extend(queue(store, run, key)?);
        }
    }
    lines.push(format!(
        "it ends at the latest at {} ({})",
        moment(run.order.deadline),
        distance(run.order.deadline, now)
    ));
    lines.extend(executor(run, holder, now));
    Ok(lines.join("\n"))
}

/// Who has the places, and how many come before this run.
fn queue(store: &dyn Store, run: &Run, key: &str) -> Result<Vec<String>, StoreError> {
    let alike = store.find(&Filter {
        states: vec![State::Queued, State::Going, State::Waiting, State::InDoubt],
        ..Filter::default()
    })?;
    let alike = alike.iter().filter(|other| {
        let slot = other.order.slot.as_ref();
        slot.is_some_and(|slot| slot.key == key)
    });
    let (queued, holders): (Vec<&Run>, Vec<&Run>) =
        alike.partition(|other| other.status.state == State::Queued);
    let before = queued
        .iter()
        .filter(|other| (other.order.created, other.id) < (run.order.created, run.id))
        .count();
    let holders: Vec<String> = holders.iter().map(|run| short(run.id)).collect();
    Ok(vec![
        format!("  the places are held by {}", holders.join(", ")),
        format!("  {before} in the queue before it; `cordon runs cancel` of those frees a place"),
    ])
}

/// Whether anybody will go on with it.
fn executor(run: &Run, holder: Option<&Holder>, now: Moment) -> Vec<String> {
    let id = short(run.id);
    let due = run.status.due.filter(|due| *due <= now);
    match (holder, due) {
        (Some(holder), _) => vec![format!("it is executed by {holder}")],
        (None, Some(due)) => vec![
            format!("it is due since {} and nobody executes:", moment(due)),
            format!("  `cordon runs resume {id}` goes on with it"),
        ],
        (None, None) => vec![format!(
            "nobody executes just now; `cordon runs resume {id}` does"
        )],
    }
}
