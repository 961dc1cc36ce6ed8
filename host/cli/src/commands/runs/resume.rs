//! `cordon runs resume`: executes what is due, and says where each run stands then.

use std::sync::Arc;
use std::time::Duration;

use cordon_journal::lock::ExecutorLock;
use cordon_journal::run::Outcome;
use cordon_journal::sqlite::Access;
use cordon_journal::{Run, RunId, State, Store, StoreError};
use cordon_run::client::{self, short};
use cordon_run::executor::Executor;

use super::super::run::go::{Leave, Place, Reached, Stuck};
use super::super::run::progress::{Detail, Progress, Scope};
use super::super::run::{finish, report};
use super::wait;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::table::Table;
use crate::output::time::{distance, moment};
use crate::problem::Problem;
use crate::problem::store::none_yet;

/// A wait that is not longer is sat out.
const PATIENCE: Duration = Duration::from_secs(60);

const STOPPING: &str = "stopping: nothing more is begun, and a write that is under way is waited for; the runs stay. \
                        Ctrl-C again ends at once";

/// Go on with runs that were left, until nothing is due within the next minute
///
/// A run that waits for longer, or for a person, is told with what it waits for. One process executes at
/// a time: while another one does, it goes on with everything, and this command is refused.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon runs resume 1a2b3c4d
  cordon runs resume --all")]
pub struct Arguments {
    /// The run, or the beginning of its identity: see `cordon runs list --open`
    #[arg(conflicts_with = "all")]
    run: Option<String>,

    /// Everything that is due
    #[arg(long)]
    all: bool,

    /// Print one JSON document at the end; only for a single run
    #[arg(long, conflicts_with = "all")]
    json: bool,
}

/// Executes, and says what came of it.
pub async fn run(arguments: Arguments, context: &Context) -> Result<Exit, Problem> {
    if arguments.run.is_none() && !arguments.all {
        return Err(Problem::usage("no run is named")
            .hint("name a RUN, or say `--all`; `cordon runs list --open` shows what is not over")
            .code("cli.argument"));
    }
    let looked = context.kept(Access::Look)?;
    let own = match (&looked, &arguments.run) {
        (Some(store), Some(typed)) => Some(client::find(store, typed)?.id),
        (None, Some(_)) => return Err(none_yet()),
        (None, None) => {
            context.screen.note("no run was started here yet");
            return Ok(Exit::Done);
        }
        (Some(_), None) => None,
    };
    drop(looked);
    let what = match own {
        Some(run) => format!("cordon runs resume {}", short(run)),
        None => "cordon runs resume --all".to_owned(),
    };
    let folder = context.directory()?.data();
    let lock = ExecutorLock::take(&folder, &what)?;
    let place = Place::of(context, what).await?;
    let store = Arc::new(context.store(&place.directory, Access::Execute)?);
    let scope = own.map_or(Scope::Every, Scope::Run);
    let detail = Detail::of(context.verbose);
    let progress = Arc::new(Progress::new(Arc::clone(&context.screen), detail, scope));
    progress.remembers(Arc::clone(&store) as Arc<_>);
    let reached = {
        let leave = Leave::default();
        let _watch = leave.listen(context, STOPPING);
        let _animation = progress.animate();
        let watcher = Arc::clone(&progress) as Arc<_>;
        let mut stuck = Stuck::default();
        let done = move |executor: &Executor| match own {
            Some(run) => match stands(executor, run)? {
                None => stuck.look(executor, run).map(|()| None),
                reached => Ok(reached),
            },
            None => is_idle(executor),
        };
        place.execute(&store, watcher, own, &leave, done).await?
    };
    drop(lock);
    match own {
        Some(run) => finish(&place, &store, run, reached, arguments.json, context),
        None => tell(&*store, &progress.seen(), reached, context),
    }
}

/// Where a run stands once nothing of it is executed or will be soon.
fn stands(executor: &Executor, id: RunId) -> Result<Option<Reached>, StoreError> {
    let store = executor.store();
    let Some(run) = store.run(id)? else {
        return Ok(Some(Reached::Ended));
    };
    if run.status.state == State::Ended {
        return Ok(Some(Reached::Ended));
    }
    if executor.going() > 0 || executor.wishes_left() || !store.wishes()?.is_empty() {
        return Ok(None);
    }
    if is_due_soon(executor, &**store, &run)? {
        return Ok(None);
    }
    Ok(Some(match run.status.state {
        State::InDoubt => Reached::InDoubt,
        _ => Reached::Waits,
    }))
}

/// Whether the run, or one of those that it started, goes on within the time that is waited for it.
fn is_due_soon(executor: &Executor, store: &dyn Store, run: &Run) -> Result<bool, StoreError> {
    let soon = |due| executor.until(due) <= PATIENCE;
    if run.status.due.is_some_and(soon) {
        return Ok(true);
    }
    for child in store.open_children(run.id)? {
        if let Some(child) = store.run(child)?
            && is_due_soon(executor, store, &child)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_idle(executor: &Executor) -> Result<Option<Reached>, StoreError> {
    if executor.going() > 0 || executor.wishes_left() || !executor.is_idle()? {
        return Ok(None);
    }
    let due = executor.next_due()?;
    let soon = due.is_some_and(|due| executor.until(due) <= PATIENCE);
    Ok((!soon).then_some(Reached::Waits))
}

/// What became of each run that was executed.
fn tell(
    store: &dyn Store,
    runs: &[RunId],
    reached: Reached,
    context: &Context,
) -> Result<Exit, Problem> {
    let exit = match reached {
        Reached::Left => Exit::Unfinished,
        _ => Exit::Done,
    };
    if runs.is_empty() {
        context.screen.note("nothing was due");
        return Ok(exit);
    }
    let now = client::now(store)?;
    let mut table = Table::new(["run", "playbook", "state", "next", "waits for"]);
    let mut worst = exit;
    for id in runs {
        let Some(run) = store.run(*id)? else {
            continue;
        };
        let waits = run.status.waits.first();
        let next = run.status.due.map_or(String::new(), |due| {
            format!("{} ({})", moment(due), distance(due, now))
        });
        let state = match &run.status.end {
            Some(end) => report::ended(end.outcome).0.to_owned(),
            None => run.status.state.name().replace('_', " "),
        };
        worst = worst.max(match &run.status.end {
            Some(end) if end.outcome == Outcome::Failed => Exit::Failed,
            Some(end) if end.outcome == Outcome::InDoubt => Exit::LostWrite,
            None if run.status.state == State::InDoubt => Exit::LostWrite,
            _ => Exit::Done,
        });
        table.row([
            short(*id),
            run.order.playbook.clone(),
            state,
            next,
            waits.map_or(String::new(), wait::word),
        ]);
    }
    context.screen.print(&table.render(context.screen.stdout()));
    Ok(worst)
}
