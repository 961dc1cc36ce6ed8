//! `cordon runs show`: what a run is a run of, and what it did, step by step.

use std::collections::BTreeMap;

use cordon_journal::record::Stop;
use cordon_journal::sqlite::Access;
use cordon_journal::store::Filter;
use cordon_journal::{Run, Store as _};
use cordon_run::client::{self, short};
use cordon_run::executor::journal;
use cordon_run::timeline::Timeline;
use serde::Serialize;

use super::super::run::report::{self, Document as ReportDocument, Ended};
use super::{steps, wait};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::time::{moment, took};
use crate::output::{Look, Tone, json, neutral, paint, value};
use crate::problem::Problem;

/// Show what a run is a run of, and what it did, step by step; with -v everything whole
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run, or the beginning of its identity: see `cordon runs list`
    run: String,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    order: &'a cordon_journal::run::Order,
    status: &'a cordon_journal::run::Status,
    children: Vec<String>,
    steps: Vec<steps::Document<'a>>,
    stopped: Option<&'a Stop>,
    #[serde(flatten)]
    report: ReportDocument<'a>,
}

/// Prints the header and the timeline.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (store, run) = super::named(&arguments.run, Access::Look, context)?;
    let timeline = Timeline::of(&journal::read(&store, run.id)?);
    let children = store.find(&Filter {
        parent: Some(run.id),
        ..Filter::default()
    })?;
    if arguments.json {
        let ended = Ended::read(&store, run.clone(), &BTreeMap::new())?;
        let document = Document {
            order: &run.order,
            status: &run.status,
            children: children.iter().map(|run| run.id.to_string()).collect(),
            steps: timeline.steps.iter().map(steps::Document::of).collect(),
            stopped: timeline.stopped.as_ref().map(|(_, stop)| stop),
            report: ended.document(),
        };
        context.screen.print(&json::render(&document));
        return Ok(Exit::Done);
    }
    let look = context.screen.stdout();
    let now = client::now(&store)?;
    let mut parts = vec![fields(&header(&run, &children, &timeline), look)];
    let steps = steps::render(&timeline, look, context.verbose > 0);
    if !steps.is_empty() {
        parts.push(steps);
    }
    for waiting in client::waits(&store, &run)? {
        let until = wait::until(&waiting, now).map_or(String::new(), |until| format!(" {until}"));
        let how = wait::how(&waiting, &run).map_or(String::new(), |how| format!("\n  {how}"));
        parts.push(format!("waits for {}{until}{how}", wait::what(&waiting)));
    }
    if let Some(end) = run.status.end.as_ref().filter(|end| !end.result.is_null()) {
        parts.push(format!(
            "{}\n{}",
            look.paint(Tone::Strong, "Result"),
            value::show(&end.result, None, look)
        ));
    }
    context.screen.print(&parts.join("\n\n"));
    Ok(Exit::Done)
}

type Field = (&'static str, String);

fn header(run: &Run, children: &[Run], timeline: &Timeline) -> Vec<Field> {
    let order = &run.order;
    let mut fields = vec![
        ("run", run.id.to_string()),
        (
            "playbook",
            format!(
                "{}, version {}",
                neutral::line(&order.playbook),
                order.version.get(..12).unwrap_or(&order.version)
            ),
        ),
        (
            "started",
            format!(
                "{} by {}",
                moment(order.created),
                neutral::line(&order.started_by)
            ),
        ),
    ];
    fields.push(match &run.status.end {
        Some(end) => {
            let word = report::ended(end.outcome).0;
            let took = took(end.at.since(order.created));
            (
                "state",
                format!("{word} at {}, after {took}", moment(end.at)),
            )
        }
        None => ("state", run.status.state.name().replace('_', " ")),
    });
    let message = run.status.end.as_ref().and_then(|end| end.message.as_ref());
    fields.extend(message.map(|message| ("because", neutral::line(message))));
    if run.status.end.is_none() {
        fields.push(("deadline", moment(order.deadline)));
    }
    fields.push(("input", value::arguments(&order.input)));
    let connections = order.bindings.iter().map(|(alias, bindings)| {
        let bound: Vec<String> = bindings
            .iter()
            .map(|binding| format!("{} ({})", binding.connection, binding.connector))
            .collect();
        format!("{alias}: {}", bound.join(", "))
    });
    fields.push(("uses", connections.collect::<Vec<_>>().join("; ")));
    fields.push(("tags", neutral::line(&order.tags.join(", "))));
    fields.extend(
        order
            .parent
            .as_ref()
            .map(|(parent, step)| ("parent", format!("run {}, step {step}", short(*parent)))),
    );
    fields.extend(
        order
            .retry_of
            .as_ref()
            .map(|(of, step)| ("retries", format!("run {} from step {step}", short(*of)))),
    );
    let children: Vec<String> = children
        .iter()
        .rev()
        .map(|run| format!("{} ({})", short(run.id), neutral::line(&run.order.playbook)))
        .collect();
    fields.push(("children", children.join(", ")));
    if let Some((at, stop)) = &timeline.stopped {
        let at = moment(*at);
        let text = match stop {
            Stop::Cancelled { by, why } => {
                let why = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
                format!("cancelled by {by} at {at}{why}")
            }
            Stop::Limit { name, allowed } => format!("at its limit `{name}` ({allowed}), {at}"),
            Stop::Script { message } => format!("{message}, {at}"),
        };
        fields.push(("stopped", neutral::line(&text)));
    }
    fields.retain(|(_, text)| !text.is_empty());
    fields
}

/// Names and values below each other.
fn fields(fields: &[Field], look: Look) -> String {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, text)| {
            let name = look.paint(Tone::Faint, &paint::pad(name, width));
            format!("{name}{text}")
        })
        .collect();
    lines.join("\n")
}
