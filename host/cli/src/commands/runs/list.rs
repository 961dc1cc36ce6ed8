//! `cordon runs list`: the runs that are kept, the latest first.

use cordon_contract::units;
use cordon_journal::run::Outcome;
use cordon_journal::sqlite::Access;
use cordon_journal::store::Filter;
use cordon_journal::{Moment, Run, State};
use cordon_run::client::{self, short};
use serde::Serialize;

use super::super::run::report;
use super::wait;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::json;
use crate::output::table::Table;
use crate::output::time::{distance, moment, took};
use crate::problem::Problem;

/// List the runs, the latest first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon runs list --open
  cordon runs list --playbook contain_host --since 2d
  cordon runs list --outcome failed --since 2026-03-14T00:00:00Z --json")]
pub struct Arguments {
    /// Only those that are not over
    #[arg(long, conflicts_with_all = ["states", "outcomes"])]
    open: bool,

    /// In one of these states: queued, going, waiting, in-doubt, ended
    #[arg(long = "state", value_name = "STATE", value_delimiter = ',', value_parser = state)]
    states: Vec<State>,

    /// With one of these outcomes: succeeded, partially, failed, in-doubt, cancelled, skipped
    #[arg(long = "outcome", value_name = "OUTCOME", value_delimiter = ',', value_parser = outcome)]
    outcomes: Vec<Outcome>,

    /// Of this playbook
    #[arg(long, value_name = "NAME")]
    playbook: Option<String>,

    /// That use this connection
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,

    /// With this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,

    /// Started since then: a time, or how long ago: 2d
    #[arg(long, value_name = "TIME", value_parser = when)]
    since: Option<When>,

    /// Started before then: a time, or how long ago: 2d
    #[arg(long, value_name = "TIME", value_parser = when)]
    before: Option<When>,

    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

/// A time of day, or one that is so long ago.
#[derive(Debug, Clone, Copy)]
enum When {
    At(Moment),
    Ago(u64),
}

impl When {
    fn by(self, now: Moment) -> Moment {
        match self {
            Self::At(at) => at,
            Self::Ago(milliseconds) => {
                let back = i64::try_from(milliseconds).unwrap_or(i64::MAX);
                Moment(now.0.saturating_sub(back))
            }
        }
    }
}

fn when(text: &str) -> Result<When, String> {
    if let Ok(ago) = units::parse_duration(text) {
        return Ok(When::Ago(ago));
    }
    units::parse_timestamp(text)
        .map(|at| When::At(Moment(at)))
        .map_err(|_| "write a time like 2026-03-14T09:21:37Z, or how long ago: 90m, 2d".to_owned())
}

fn state(text: &str) -> Result<State, String> {
    one_of(text, State::ALL, State::name)
}

fn outcome(text: &str) -> Result<Outcome, String> {
    one_of(text, Outcome::ALL, Outcome::name)
}

fn one_of<T: Copy, const N: usize>(
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, String> {
    let found = all
        .into_iter()
        .find(|one| cordon_contract::name::same(name(*one), text));
    found.ok_or_else(|| {
        let names: Vec<String> = all.map(|one| name(one).replace('_', "-")).into();
        format!("there are {}", names.join(", "))
    })
}

/// Prints the table, or the document.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let Some(store) = context.kept(Access::Look)? else {
        if arguments.json {
            let (runs, more) = (Vec::new(), false);
            context
                .screen
                .print(&json::render(&Document { runs, more }));
        }
        context
            .screen
            .note("no run was started here yet; `cordon run PLAYBOOK` starts one");
        return Ok(Exit::Done);
    };
    let now = client::now(&store)?;
    let states = match arguments.open {
        true => vec![State::Queued, State::Going, State::Waiting, State::InDoubt],
        false => arguments.states.clone(),
    };
    let (mut runs, damaged) = store.find_readable(&Filter {
        states,
        outcomes: arguments.outcomes.clone(),
        playbook: arguments.playbook.clone(),
        connection: arguments.connection.clone(),
        tag: arguments.tag.clone(),
        since: arguments.since.map(|when| when.by(now)),
        before: arguments.before.map(|when| when.by(now)),
        limit: Some(arguments.limit.saturating_add(1)),
        ..Filter::default()
    })?;
    let more = runs.len() > arguments.limit;
    runs.truncate(arguments.limit);
    if arguments.json {
        let runs = runs.iter().map(Line::of).collect();
        context
            .screen
            .print(&json::render(&Document { runs, more }));
    } else if runs.is_empty() {
        context.screen.note("no run fits");
    } else {
        let mut table = Table::new([
            "run",
            "playbook",
            "state",
            "started",
            "by",
            "took",
            "waits for",
            "until",
            "tags",
        ]);
        for run in &runs {
            table.row(row(run, now));
        }
        context.screen.print(&table.render(context.screen.stdout()));
    }
    if more {
        let shown = arguments.limit;
        context.screen.note(&format!(
            "these are the latest {shown}; `--limit` shows more"
        ));
    }
    for error in damaged {
        context
            .screen
            .note(&Problem::from(error).render(context.screen.stderr()));
    }
    Ok(Exit::Done)
}

fn row(run: &Run, now: Moment) -> [String; 9] {
    let end = run.status.end.as_ref();
    let waits = run.status.waits.first();
    let more = match run.status.waits.len() {
        0 | 1 => String::new(),
        several => format!(" and {} more", several - 1),
    };
    let until = waits.and_then(|waits| waits.until);
    [
        short(run.id),
        run.order.playbook.clone(),
        match end {
            Some(end) => report::ended(end.outcome).0.to_owned(),
            None => run.status.state.name().replace('_', " "),
        },
        moment(run.order.created),
        run.order.started_by.clone(),
        end.map_or(String::new(), |end| took(end.at.since(run.order.created))),
        waits.map_or(String::new(), |waits| {
            format!("{}{more}", wait::word(waits))
        }),
        until.map_or(String::new(), |until| distance(until, now)),
        run.order.tags.join(", "),
    ]
}

#[derive(Serialize)]
struct Document<'a> {
    runs: Vec<Line<'a>>,
    /// Whether there are more than were asked for.
    more: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    run: String,
    playbook: &'a str,
    state: &'static str,
    outcome: Option<&'static str>,
    message: Option<&'a str>,
    started: String,
    started_by: &'a str,
    ended: Option<String>,
    deadline: String,
    due: Option<String>,
    waits: &'a [cordon_journal::run::Waiting],
    tags: &'a [String],
    parent: Option<String>,
}

impl<'a> Line<'a> {
    fn of(run: &'a Run) -> Self {
        let end = run.status.end.as_ref();
        Self {
            run: run.id.to_string(),
            playbook: &run.order.playbook,
            state: run.status.state.name(),
            outcome: end.map(|end| end.outcome.name()),
            message: end.and_then(|end| end.message.as_deref()),
            started: run.order.created.to_string(),
            started_by: &run.order.started_by,
            ended: end.map(|end| end.at.to_string()),
            deadline: run.order.deadline.to_string(),
            due: run.status.due.map(|due| due.to_string()),
            waits: &run.status.waits,
            tags: &run.order.tags,
            parent: run.order.parent.as_ref().map(|(run, _)| run.to_string()),
        }
    }
}
