//! `cordon run`: a playbook, live.

pub mod progress;
pub mod report;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use cordon_contract::value::Map;
use cordon_playbook::{InputError, Library, Playbook, PlaybookError};
use cordon_run::bind::{self, Chosen};
use cordon_run::directory::Directory;
use cordon_run::execution::{Execution, Outcome, Report};
use cordon_run::live::Link;

use self::progress::{Detail, Progress};
use self::report::Ended;
use super::assignment::{self, Assignment};
use super::lost;
use crate::context::Context;
use crate::defect;
use crate::exit::Exit;
use crate::interrupt::Requests;
use crate::output::{Screen, json};
use crate::problem::directory::unbound;
use crate::problem::{Problem, playbook as script};
use crate::shipped::stem;

/// Run a playbook
///
/// Every step is shown on standard error as it happens; what the playbook found out is printed on
/// standard output at the end. Ctrl-C ends the run after the step that is under way.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon run contain_host --input host=srv-01 --input isolate_for=2h
  cordon run collect_from_hosts --input hosts=srv-01,srv-02 --connect edr=kata
  cordon run block_hash --input-file incident.json --json")]
pub struct Arguments {
    /// The name of a playbook (see `cordon playbook list`), or a file
    playbook: String,

    /// An input of the playbook: NAME=VALUE, or NAME=@FILE; lists as a,b or as JSON
    #[arg(short, long = "input", value_name = "NAME=VALUE")]
    inputs: Vec<Assignment>,

    /// Take inputs from a file: JSON, or TOML when its name ends in .toml; - is standard input
    #[arg(long, value_name = "FILE")]
    input_file: Option<PathBuf>,

    /// Which connections an alias of the playbook stands for; needed where several fit
    #[arg(long = "connect", value_name = "ALIAS=CONNECTION,…")]
    connect: Vec<Connect>,

    /// Print one JSON document at the end: outcome, result, notes, what was changed
    #[arg(long)]
    json: bool,
}

/// `alias=connection,connection`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Connect {
    alias: String,
    connections: Vec<String>,
}

/// One without `=` names no connections, and is refused with the aliases that there are.
impl FromStr for Connect {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (alias, connections) = text.split_once('=').unwrap_or((text, ""));
        let connections = connections
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        Ok(Self {
            alias: alias.trim().to_owned(),
            connections: connections.map(str::to_owned).collect(),
        })
    }
}

/// Runs the playbook and shows what happens and what came of it.
pub async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let directory = context.directory()?;
    let (name, playbook) = load(&directory, &arguments.playbook)?;
    let input = input(&playbook, &arguments)?;
    let chosen = chosen(&playbook, &arguments.connect)?;
    let inventory = context.inventory().await?;
    let bound = bind::choose(&inventory, playbook.header(), &chosen)
        .map_err(|error| unbound(error, &inventory))?;
    let bindings = playbook
        .bind(&bound.offers)
        .map_err(|error| unfit(&error))?;

    let links = bound.links.clone();
    let detail = if context.verbose > 0 {
        Detail::Everything
    } else {
        Detail::Steps
    };
    let progress = Arc::new(Progress::new(Arc::clone(&context.screen), detail));
    let execution = Execution {
        playbook,
        bindings,
        links: bound.links,
        input,
        limits: inventory.directory().settings().playbook_limits.clone(),
        watcher: Arc::clone(&progress) as Arc<_>,
    };
    let report = {
        let requests = Requests::listen();
        let running = execution.start();
        let _watch = requests.stop(running.stopper(), Arc::clone(&context.screen));
        let _animation = progress.animate();
        running
            .finish()
            .await
            .map_err(|error| defect::problem(&error.to_string()))?
    };
    let problems = problems(&report, &links);
    let ended = Ended {
        playbook: &name,
        report: &report,
        problems: &problems,
        reads: progress.reads(),
    };
    show(&ended, arguments.json, &context.screen);
    Ok(exit(&report, &problems))
}

/// The findings or the document on standard output; why and how it ended on standard error.
fn show(ended: &Ended<'_>, as_json: bool, screen: &Screen) {
    if as_json {
        screen.print(&json::render(&report::document(ended)));
    } else {
        let findings = report::findings(ended.report, screen.stdout());
        if !findings.is_empty() {
            screen.print(&findings);
        }
    }
    let look = screen.stderr();
    for problem in ended.problems {
        screen.note(&problem.render(look));
    }
    screen.note(&report::ending(ended, look));
}

/// A playbook of the directory, by name or path, with what it is called.
pub fn load(directory: &Directory, wanted: &str) -> Result<(String, Playbook), Problem> {
    let path = directory.playbook_path(wanted)?;
    Ok((stem(&path), compile(directory, &path)?))
}

/// A playbook's file, read and checked.
pub fn compile(directory: &Directory, path: &Path) -> Result<Playbook, Problem> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let library = Library::folder(folder.map_or_else(|| directory.playbooks(), Path::to_owned));
    Playbook::load(path, &library).map_err(|error| unfit(&error))
}

/// Everything that is wrong with a script, as one problem.
pub fn unfit(error: &PlaybookError) -> Problem {
    Problem::several(script::unfit(error)).unwrap_or_else(|| Problem::usage(error.to_string()))
}

fn input(playbook: &Playbook, arguments: &Arguments) -> Result<Map, Problem> {
    let file = arguments
        .input_file
        .as_deref()
        .map(assignment::file)
        .transpose()?
        .unwrap_or_default();
    let given = assignment::inputs(&arguments.inputs, file)?;
    playbook.header().convert_input(&given).map_err(|errors| {
        let problems = errors.iter().map(|error| match error {
            InputError::Missing { name, .. } => {
                let help = playbook
                    .header()
                    .input(name)
                    .map(|input| input.help.clone())
                    .filter(|help| !help.is_empty());
                script::input(error)
                    .hint_if(help)
                    .hint(format!("give it by `--input {name}=…`"))
            }
            _ => script::input(error),
        });
        Problem::several(problems.collect())
            .unwrap_or_else(|| Problem::usage("the inputs are wrong"))
    })
}

fn chosen(playbook: &Playbook, connects: &[Connect]) -> Result<Chosen, Problem> {
    let mut chosen = Chosen::new();
    for Connect { alias, connections } in connects {
        let aliases = playbook
            .header()
            .uses
            .iter()
            .map(|used| used.alias.as_str());
        if playbook.header().alias(alias).is_none() {
            return Err(
                Problem::usage(format!("the playbook has no alias `{alias}`"))
                    .nearest(alias, aliases.clone())
                    .hint(match aliases.collect::<Vec<_>>().as_slice() {
                        [] => "it uses no connections".to_owned(),
                        aliases => format!("it has `{}`", aliases.join("`, `")),
                    })
                    .code("playbook.alias"),
            );
        }
        if connections.is_empty() {
            return Err(
                Problem::usage(format!("`--connect {alias}` names no connection"))
                    .hint(format!(
                        "write `--connect {alias}=NAME`; `cordon connection list` shows the names"
                    ))
                    .code("cli.argument"),
            );
        }
        chosen
            .entry(alias.clone())
            .or_default()
            .extend(connections.iter().cloned());
    }
    Ok(chosen)
}

/// Why the run gave no result: its error, and each write of which nobody knows.
fn problems(report: &Report, links: &BTreeMap<String, Link>) -> Vec<Problem> {
    let error = match &report.outcome {
        Outcome::Failed(error) => Some(script::ended(error)),
        _ => None,
    };
    let doubts = report
        .in_doubt
        .iter()
        .map(|doubt| lost::problem(doubt, links.get(&doubt.failure.connection)));
    error.into_iter().chain(doubts).collect()
}

/// A lost write outweighs everything else that happened.
fn exit(report: &Report, problems: &[Problem]) -> Exit {
    match report.outcome {
        _ if !report.in_doubt.is_empty() => Exit::LostWrite,
        Outcome::Done(_) => Exit::Done,
        Outcome::InDoubt => Exit::LostWrite,
        Outcome::Cancelled => Exit::Failed,
        Outcome::Failed(_) => problems.first().map_or(Exit::Failed, Problem::exit),
    }
}
