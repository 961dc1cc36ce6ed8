//! `cordon run`: a playbook, live. The run is kept before anything of it is done, so that it goes on after
//! whatever ends this process.

pub mod go;
pub mod progress;
pub mod report;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use cordon_contract::units;
use cordon_contract::value::Map;
use cordon_journal::lock::{self, ExecutorLock};
use cordon_journal::sqlite::{Access, SqliteStore};
use cordon_journal::{Change, Durability, RunId, Store as _};
use cordon_playbook::{InputError, Library, Playbook, PlaybookError};
use cordon_run::bind::{self, Chosen};
use cordon_run::client::{self, short};
use cordon_run::directory::Directory;
use cordon_run::executor;
use cordon_run::order::{self, OrderError, Terms};
use uuid::Uuid;

use self::go::{Place, Reached};
use self::report::Ended;
use super::assignment::{self, Assignment};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::json;
use crate::problem::directory::unbound;
use crate::problem::{Problem, playbook as script};
use crate::shipped::stem;

/// Run a playbook
///
/// Every step is shown on standard error as it happens; what the playbook found out is printed on
/// standard output at the end. The run is kept in data/: Ctrl-C, a crash or a power loss leave it where
/// it is, and `cordon runs resume` goes on with it. One process executes at a time; where one does
/// already, it takes this run up too, and this command shows what it does.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon run contain_host --input host=srv-01 --input isolate_for=2h
  cordon run collect_from_hosts --input hosts=srv-01,srv-02 --connect edr=kata
  cordon run block_hash --input-file incident.json --json
  cordon run contain_host --input host=srv-01 --detach --tag case-17")]
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

    /// A word to find the run by; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// How long the run may take, where that is less than the playbook says: 90s, 2h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    deadline: Option<Duration>,

    #[command(flatten)]
    manner: Manner,
}

/// How a run that was started is gone on with.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Manner {
    /// Only write the run down and print its identity; whoever executes goes on with it
    #[arg(long)]
    detach: bool,

    /// Print one JSON document at the end: outcome, result, notes, what was changed
    #[arg(long)]
    json: bool,
}

/// A time as it is typed: `90s`, `2h`.
pub fn duration(text: &str) -> Result<Duration, units::UnitError> {
    units::parse_duration(text).map(Duration::from_millis)
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

/// Writes the run down, and goes on with it until it ends.
pub async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    let directory = context.directory()?;
    let (name, playbook) = load(&directory, &arguments.playbook)?;
    let input = input(&playbook, &arguments)?;
    let chosen = chosen(&playbook, &arguments.connect)?;
    let place = Place::of(context, format!("cordon run {name}")).await?;
    let bound = bind::choose(&place.inventory, playbook.header(), &chosen)
        .map_err(|error| unbound(error, &place.inventory))?;
    playbook
        .bind(&bound.offers)
        .map_err(|error| unfit(&error))?;

    let who = context.who()?;
    let started = Started::open(&place, arguments.manner, context)?;
    let now = client::now(&*started.store)?;
    let ordered = order::place(Terms {
        name: &name,
        playbook: &playbook,
        input,
        bound: &bound,
        inventory: &place.inventory,
        store: &*started.store,
        by: &who,
        now,
        deadline: arguments.deadline.map(|time| now.plus(time)),
        tags: arguments.tags,
    })
    .map_err(|error| match error {
        OrderError::Store(error) => error.into(),
        OrderError::Component(error) => Problem::usage(error.to_string()),
    })?;
    let id = RunId(Uuid::new_v4());
    let changes = executor::create(id, ordered, &*started.store)?;
    started.go_on(&place, id, changes, context).await
}

/// A run that is about to be written down, with the right to execute it where nobody else has it.
pub struct Started {
    /// Where it is kept.
    pub store: Arc<SqliteStore>,
    lock: Option<ExecutorLock>,
    manner: Manner,
}

impl Started {
    /// Opens the store. The right to execute is taken before the run is written, so that no other process
    /// takes it up in between.
    pub fn open(place: &Place, manner: Manner, context: &Context) -> Result<Self, Problem> {
        let lock = match manner.detach {
            true => None,
            false => place.lock()?,
        };
        let access = match lock {
            Some(_) => Access::Execute,
            None => Access::Beside,
        };
        let store = Arc::new(context.store(&place.directory, access)?);
        Ok(Self {
            store,
            lock,
            manner,
        })
    }

    /// Writes the run down, and goes on with it until it ends.
    pub async fn go_on(
        self,
        place: &Place,
        id: RunId,
        changes: Vec<Change>,
        context: &Context,
    ) -> Result<Exit, Problem> {
        self.store.commit(changes, Durability::Now)?;
        let screen = &context.screen;
        if self.manner.detach {
            match self.manner.json {
                true => screen.print(&json::render(&serde_json::json!({ "run": id }))),
                false => screen.print(&id.to_string()),
            }
            let note = match lock::holder(&place.folder)? {
                Some(holder) => format!("it goes on in {holder}"),
                None => format!(
                    "nobody executes just now: `cordon runs resume {}` goes on with it",
                    short(id)
                ),
            };
            screen.note(&note);
            return Ok(Exit::Done);
        }
        screen.note(&format!("run {id}"));
        let (reached, store) = go::to_the_end(place, self.lock, self.store, id, context).await?;
        let exit = finish(place, &store, id, reached, self.manner.json, context)?;
        if lock::holder(&place.folder)?.is_none() {
            go::tell_others(&*store, id, context)?;
        }
        Ok(exit)
    }
}

/// Shows what came of a run that is not gone on with here any more, and how to go on.
pub fn finish(
    place: &Place,
    store: &SqliteStore,
    id: RunId,
    reached: Reached,
    as_json: bool,
    context: &Context,
) -> Result<Exit, Problem> {
    let run = go::known(store, id)?;
    let links = place.links(&run);
    let ended = Ended::read(store, run, &links)?;
    ended.show(as_json, &context.screen);
    if matches!(reached, Reached::Left | Reached::Waits) && ended.run.status.end.is_none() {
        let id = short(id);
        let note = match lock::holder(&place.folder)? {
            Some(holder) => {
                format!("The run goes on in {holder}; `cordon runs watch {id}` looks on.")
            }
            None => format!(
                "The run stays: `cordon runs resume {id}` goes on with it, `cordon runs cancel {id}` ends it, \
                 `cordon runs why {id}` says what it waits for."
            ),
        };
        context.screen.note(&note);
    }
    Ok(ended.exit())
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
