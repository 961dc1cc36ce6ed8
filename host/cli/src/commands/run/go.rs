//! A run that is kept goes on until it ends: executed by this process where nobody else executes, and
//! looked at where somebody does, until that one goes away.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cordon_journal::lock::{self, ExecutorLock, LockError};
use cordon_journal::sqlite::{Access, SqliteStore};
use cordon_journal::store::Filter;
use cordon_journal::{Run, RunId, State, Store, StoreError};
use cordon_run::client::{FindError, short};
use cordon_run::directory::Directory;
use cordon_run::event::Watcher;
use cordon_run::executor::{Executor, Parts, journal};
use cordon_run::follow::Follower;
use cordon_run::inventory::Inventory;
use cordon_run::live::{Link, LiveCatalogue, LiveSurroundings};
use cordon_run::service::{Service, Until};
use tokio::runtime::Handle;

use super::progress::{Detail, Progress, Scope};
use crate::context::Context;
use crate::defect;
use crate::interrupt::{Requests, Watch};
use crate::problem::Problem;

/// How often the store is asked what is new.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A run that is due for so long and not taken up may be damaged.
const STUCK_AFTER: Duration = Duration::from_secs(3);

const STOPPING: &str = "stopping: nothing more is begun, and a write that is under way is waited for; the run stays. \
                        Ctrl-C again ends at once";

/// Where runs go on.
pub struct Place {
    /// The automation directory.
    pub directory: Directory,
    /// The folder of the store.
    pub folder: PathBuf,
    /// What the directory holds.
    pub inventory: Arc<Inventory>,
    /// What this process says that it does: the command.
    pub what: String,
}

/// Why nothing more is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The run has ended.
    Ended,
    /// It stands still until a person says what came of a write.
    InDoubt,
    /// It waits for longer than is waited here.
    Waits,
    /// A person asked this process to end.
    Left,
}

/// Asked by a person to end, and what to close then.
#[derive(Clone, Default)]
pub struct Leave {
    asked: Arc<AtomicBool>,
    executor: Arc<Mutex<Option<Executor>>>,
}

impl Leave {
    /// Listens to Ctrl-C until the handle is dropped.
    #[must_use]
    pub fn listen(&self, context: &Context, said: &'static str) -> Watch {
        let leave = self.clone();
        Requests::listen().act(Arc::clone(&context.screen), said, move || {
            leave.asked.store(true, Ordering::Release);
            let executor = leave.executor.lock();
            if let Some(executor) = &*executor.unwrap_or_else(PoisonError::into_inner) {
                executor.close();
            }
        })
    }

    /// Whether a person has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    fn closes(&self, executor: Executor) {
        let mut slot = self.executor.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_asked() {
            executor.close();
        }
        *slot = Some(executor);
    }
}

impl Place {
    /// The place of this context, with its connectors loaded.
    pub async fn of(context: &Context, what: String) -> Result<Self, Problem> {
        let inventory = context.inventory().await?;
        let directory = inventory.directory().clone();
        let folder = context.data(&directory)?;
        Ok(Self {
            directory,
            folder,
            inventory: Arc::new(inventory),
            what,
        })
    }

    /// The right to execute; none where somebody else has it.
    pub fn lock(&self) -> Result<Option<ExecutorLock>, Problem> {
        match ExecutorLock::take(&self.folder, &self.what) {
            Ok(lock) => Ok(Some(lock)),
            Err(LockError::Held(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The connections of a run, as far as they can be had, to tell where it sent what.
    pub fn links(&self, run: &Run) -> BTreeMap<String, Link> {
        let names = run.order.bindings.values().flatten();
        names
            .filter_map(|binding| {
                let link = self.inventory.link(&binding.connection).ok()?;
                Some((binding.connection.clone(), link))
            })
            .collect()
    }

    /// Executes what is due until `done` says why to end, and closes in order. `only` limits it to a run
    /// and those that it starts.
    pub async fn execute(
        &self,
        store: &Arc<SqliteStore>,
        watcher: Arc<dyn Watcher>,
        only: Option<RunId>,
        leave: &Leave,
        mut done: impl FnMut(&Executor) -> Result<Option<Reached>, StoreError> + Send + 'static,
    ) -> Result<Reached, Problem> {
        let runtime = Handle::current();
        let settings = self.directory.settings();
        let latest = store.latest()?;
        let executor = Executor::new(Parts {
            store: Arc::clone(store) as Arc<_>,
            surroundings: Arc::new(LiveSurroundings::new(runtime.clone(), latest)),
            catalogue: Arc::new(LiveCatalogue::new(Arc::clone(&self.inventory), runtime)),
            watcher,
            roles: settings.roles.clone(),
            only,
        });
        leave.closes(executor.clone());
        let service = Service::start(executor.clone(), settings.runs_at_once, Until::Closed);
        let leave = leave.clone();
        let driven = tokio::task::spawn_blocking(move || {
            let mut seen = executor.wait(u64::MAX, Duration::ZERO);
            let reached = loop {
                if let Some(reached) = done(&executor)? {
                    break reached;
                }
                if leave.is_asked() {
                    break Reached::Left;
                }
                if service.has_ended() {
                    service.finish()?;
                    return Ok(Reached::Left);
                }
                seen = executor.wait(seen, LOOK_EVERY);
            };
            service.close()?;
            // What was waited for may have been the last that there was to do.
            Ok(done(&executor)?.unwrap_or(reached))
        });
        let reached: Result<Reached, StoreError> = driven
            .await
            .map_err(|error| defect::problem(&error.to_string()))?;
        Ok(reached?)
    }
}

/// Goes on with a run until it ends, is in doubt, or a person leaves. `lock` is the right to execute, where
/// this process has it; the store that comes back may have been opened anew.
pub async fn to_the_end(
    place: &Place,
    lock: Option<ExecutorLock>,
    store: Arc<SqliteStore>,
    run: RunId,
    context: &Context,
) -> Result<(Reached, Arc<SqliteStore>), Problem> {
    let screen = Arc::clone(&context.screen);
    let detail = Detail::of(context.verbose);
    let progress = Arc::new(Progress::new(screen, detail, Scope::Run(run)));
    let leave = Leave::default();
    let _watch = leave.listen(context, STOPPING);
    let _animation = progress.animate();
    let (mut store, mut lock) = (store, lock);
    if lock.is_none() {
        let looked = look_on(place, &store, run, &progress, &leave, context).await?;
        match looked {
            Looked::Reached(reached) => return Ok((reached, store)),
            Looked::Alone(taken) => {
                drop(store);
                store = Arc::new(context.store(&place.directory, Access::Execute)?);
                lock = Some(taken);
                let note = "the process that executed is gone; this one goes on with it";
                context.screen.note(note);
            }
        }
    }
    progress.remembers(Arc::clone(&store) as Arc<_>);
    let mut stuck = Stuck::default();
    let done = move |executor: &Executor| {
        let store = executor.store();
        let reached = standing(&**store, run)?;
        if reached.is_none() {
            stuck.look(executor, run)?;
        }
        Ok(reached)
    };
    let watcher = Arc::clone(&progress) as Arc<_>;
    let reached = place.execute(&store, watcher, None, &leave, done).await;
    drop(lock);
    Ok((reached?, store))
}

/// Whether a run has ended, or stands still until a person speaks.
fn standing(store: &dyn Store, id: RunId) -> Result<Option<Reached>, StoreError> {
    let Some(run) = store.run(id)? else {
        return Ok(Some(Reached::Ended));
    };
    Ok(match run.status.state {
        State::Ended => Some(Reached::Ended),
        // Somebody may have spoken already, and the executor will hear it.
        State::InDoubt => {
            let wished = store.wishes()?.iter().any(|(_, wish)| wish.run == id);
            let due = run.status.due.is_some_and(|due| due < run.order.deadline);
            (!wished && !due).then_some(Reached::InDoubt)
        }
        State::Queued | State::Going | State::Waiting => None,
    })
}

/// Notices a run that is due and left alone, because what is kept of it is damaged.
#[derive(Default)]
pub struct Stuck(Option<Instant>);

impl Stuck {
    /// Fails where the run's journal cannot be read and it is not executed.
    pub fn look(&mut self, executor: &Executor, run: RunId) -> Result<(), StoreError> {
        if executor.going() > 0 {
            self.0 = None;
            return Ok(());
        }
        let since = self.0.get_or_insert_with(Instant::now);
        if since.elapsed() < STUCK_AFTER {
            return Ok(());
        }
        self.0 = None;
        journal::read(&**executor.store(), run).map(|_| ())
    }
}

/// What came of looking on.
enum Looked {
    /// Nothing more is shown.
    Reached(Reached),
    /// Nobody executes any more, and this process may.
    Alone(ExecutorLock),
}

async fn look_on(
    place: &Place,
    store: &Arc<SqliteStore>,
    run: RunId,
    progress: &Arc<Progress>,
    leave: &Leave,
    context: &Context,
) -> Result<Looked, Problem> {
    if let Some(holder) = lock::holder(&place.folder)? {
        context.screen.note(&format!("it goes on in {holder}"));
    }
    let (store, progress, leave) = (Arc::clone(store), Arc::clone(progress), leave.clone());
    let (folder, what) = (place.folder.clone(), place.what.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let mut follower = Follower::new(Arc::clone(&store) as Arc<_>, run);
        loop {
            follower.poll(&*progress)?;
            if let Some(reached) = standing(&*store, run)? {
                follower.poll(&*progress)?;
                return Ok(Looked::Reached(reached));
            }
            if leave.is_asked() {
                return Ok(Looked::Reached(Reached::Left));
            }
            if lock::holder(&folder)?.is_none()
                && let Ok(lock) = ExecutorLock::take(&folder, &what)
            {
                follower.poll(&*progress)?;
                return Ok(Looked::Alone(lock));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    });
    looked
        .await
        .map_err(|error| defect::problem(&error.to_string()))?
}

/// Looks on until the run ends or a person leaves; nothing is executed here.
pub async fn watch(
    folder: PathBuf,
    store: Arc<SqliteStore>,
    run: RunId,
    context: &Context,
) -> Result<Reached, Problem> {
    let screen = Arc::clone(&context.screen);
    let detail = Detail::of(context.verbose);
    let progress = Arc::new(Progress::new(screen, detail, Scope::Run(run)));
    let leave = Leave::default();
    let _watch = leave.listen(context, "no longer looking on; the run is not touched");
    let _animation = progress.animate();
    let screen = Arc::clone(&context.screen);
    let looked = tokio::task::spawn_blocking(move || {
        let mut follower = Follower::new(Arc::clone(&store) as Arc<_>, run);
        let mut told = false;
        loop {
            let reached = standing(&*store, run)?;
            follower.poll(&*progress)?;
            if let Some(reached) = reached {
                return Ok(reached);
            }
            if leave.is_asked() {
                return Ok(Reached::Left);
            }
            let nobody = lock::holder(&folder)?.is_none();
            if nobody && !told {
                let id = short(run);
                screen.note(&format!(
                    "nobody executes just now; `cordon runs resume {id}` does"
                ));
            }
            told = nobody;
            std::thread::sleep(LOOK_EVERY);
        }
    });
    looked
        .await
        .map_err(|error| defect::problem(&error.to_string()))?
}

/// The run of this identity.
pub fn known(store: &dyn Store, id: RunId) -> Result<Run, Problem> {
    let unknown = || FindError::Unknown {
        typed: id.to_string(),
        nearest: None,
    };
    Ok(store.run(id)?.ok_or_else(unknown)?)
}

/// What is said of runs that stay where they are when nobody executes any more.
pub fn tell_others(store: &dyn Store, own: RunId, context: &Context) -> Result<(), Problem> {
    const COUNTED: usize = 100;
    let open = store.find(&Filter {
        states: vec![State::Queued, State::Going, State::Waiting, State::InDoubt],
        limit: Some(COUNTED),
        ..Filter::default()
    })?;
    let others = open.iter().filter(|run| run.id != own).count();
    let many = if others >= COUNTED - 1 {
        "at least "
    } else {
        ""
    };
    match others {
        0 => {}
        1 => context.screen.note(
            "another run is not over and stays where it is: `cordon runs list --open`, `cordon runs resume --all`",
        ),
        others => context.screen.note(&format!(
            "{many}{others} other runs are not over and stay where they are: `cordon runs list --open`, \
             `cordon runs resume --all`"
        )),
    }
    Ok(())
}
