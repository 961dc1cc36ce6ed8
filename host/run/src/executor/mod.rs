//! The executor: takes up the runs that are due, executes them until they wait or end, and takes what
//! other processes wish.
//!
//! It is the same for live products and for a simulation: who drives it decides on which threads
//! ([`Executor::claim`], [`Claim::execute`], [`Executor::take_wishes`]), and hands in store, clock and
//! products. One executor works on a store at a time.
//!
//! What moves another run – a child that ends, a person who approves – does so under the lock on the
//! runs that are executed just now (`Shared::going`), as does a run that is put aside to wait. Else a
//! run could be put aside in the moment in which what it waits for happens, and sleep for ever.

mod admit;
mod catalogue;
mod children;
mod claim;
mod ending;
pub mod journal;
mod start;
mod wishes;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cordon_journal::{Change, Durability, RunId, State, Store, StoreError};
use cordon_playbook::step::StopReason;

use crate::event::Watcher;
use crate::performer::Steps;
use crate::stopper::Stopper;
use crate::world::Surroundings;

pub use catalogue::{Catalogue, Ordered, Prepared, Unprepared, Wanted};
pub use claim::Claim;
pub use start::{RetryError, create, retry};

/// What an executor is made of.
pub struct Parts {
    /// What keeps the runs.
    pub store: Arc<dyn Store>,
    /// The clock and chance.
    pub surroundings: Arc<dyn Surroundings>,
    /// Playbooks, connectors and connections.
    pub catalogue: Arc<dyn Catalogue>,
    /// Who watches.
    pub watcher: Arc<dyn Watcher>,
    /// Who has which role, for approvals.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Only this run and what it starts; else everything that is due.
    pub only: Option<RunId>,
}

/// Executes runs. Cheap to clone.
#[derive(Clone)]
pub struct Executor {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    store: Arc<dyn Store>,
    surroundings: Arc<dyn Surroundings>,
    catalogue: Arc<dyn Catalogue>,
    watcher: Arc<dyn Watcher>,
    roles: BTreeMap<String, Vec<String>>,
    only: Option<RunId>,
    going: Mutex<HashMap<RunId, Going>>,
    /// Something happened that whoever drives the executor may want to act on.
    stirred: Condvar,
    stirs: Mutex<u64>,
    /// Runs whose record is damaged: told once, and left alone.
    set_aside: Mutex<HashSet<RunId>>,
    wishes_left: AtomicBool,
    closing: AtomicBool,
    broken: Mutex<Option<StoreError>>,
}

/// A run that is executed just now, until what it came to is in the store: who reads the store for it
/// before that finds a journal that is not whole.
struct Going {
    /// What performs its steps; none before its journal is read, and none once it is put aside or ended.
    steps: Option<Arc<Steps>>,
    stopper: Stopper,
    /// What it waits for may have happened since it was looked at.
    nudged: bool,
}

impl Executor {
    /// An executor that executes nothing yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            shared: Arc::new(Shared {
                store: parts.store,
                surroundings: parts.surroundings,
                catalogue: parts.catalogue,
                watcher: parts.watcher,
                roles: parts.roles,
                only: parts.only,
                going: Mutex::default(),
                stirred: Condvar::new(),
                stirs: Mutex::default(),
                set_aside: Mutex::default(),
                // What was wished while nobody executed.
                wishes_left: AtomicBool::new(true),
                closing: AtomicBool::new(false),
                broken: Mutex::default(),
            }),
        }
    }

    /// What keeps the runs.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// How many runs are executed just now.
    #[must_use]
    pub fn going(&self) -> usize {
        lock(&self.shared.going).len()
    }

    /// How the store failed, if it did. Then nothing is executed any more, and every run is where its
    /// journal has it.
    #[must_use]
    pub fn broken(&self) -> Option<StoreError> {
        lock(&self.shared.broken).clone()
    }

    /// Takes no further run, and asks those that are executed to end where they are: reads and waits
    /// end at once, a write is waited for. They are taken up by the next executor.
    pub fn close(&self) {
        self.shared.closing.store(true, Ordering::Release);
        for going in lock(&self.shared.going).values() {
            going.stopper.stop(StopReason::Interrupted);
        }
        self.shared.stir();
    }

    /// Whether it takes no further run.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.shared.is_closing()
    }

    /// When the next run is due that is not executed yet; now where one is due already.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn next_due(&self) -> Result<Option<cordon_journal::Moment>, StoreError> {
        self.shared.store.next_due(self.shared.surroundings.now())
    }

    /// How long until this moment.
    #[must_use]
    pub fn until(&self, due: cordon_journal::Moment) -> Duration {
        due.since(self.shared.surroundings.now())
    }

    /// Whether wishes are there that were not taken up yet, as far as this process knows.
    #[must_use]
    pub fn wishes_left(&self) -> bool {
        self.shared.wishes_left.load(Ordering::Acquire)
    }

    /// Whether nothing is due and nothing is wished.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn is_idle(&self) -> Result<bool, StoreError> {
        Ok(self.shared.next_claim()?.is_none() && self.shared.store.wishes()?.is_empty())
    }

    /// Waits until something happened, at most for so long. `seen` is what the last call gave; what
    /// happened since counts.
    #[must_use]
    pub fn wait(&self, seen: u64, at_most: Duration) -> u64 {
        let stirs = lock(&self.shared.stirs);
        let (stirs, _) = self
            .shared
            .stirred
            .wait_timeout_while(stirs, at_most, |stirs| *stirs == seen)
            .unwrap_or_else(PoisonError::into_inner);
        *stirs
    }
}

impl Shared {
    fn stir(&self) {
        *lock(&self.stirs) += 1;
        self.stirred.notify_all();
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire) || lock(&self.broken).is_some()
    }

    /// The store failed: what it holds is all there is, and whoever drives this must open it anew.
    fn break_down(&self, error: StoreError) {
        tracing::error!(%error, "the store failed; runs are taken up again when it works");
        lock(&self.broken).get_or_insert(error);
        for going in lock(&self.going).values() {
            going.stopper.stop(StopReason::Interrupted);
        }
        self.stir();
    }

    /// A damaged run harms no other.
    fn set_aside(&self, run: RunId, error: &StoreError) {
        if lock(&self.set_aside).insert(run) {
            tracing::error!(%run, %error, "this run cannot be read and is left alone");
        }
    }

    /// The run takes no further word of anybody; whether it was nudged until now.
    fn leaves(going: &mut HashMap<RunId, Going>, run: RunId) -> bool {
        going.get_mut(&run).is_some_and(|going| {
            going.steps = None;
            going.nudged
        })
    }

    /// Commits changes that move other runs, and tells these if they are executed just now.
    fn commit_and_nudge(
        &self,
        changes: Vec<Change>,
        mut going: MutexGuard<'_, HashMap<RunId, Going>>,
    ) -> Result<(), StoreError> {
        for change in &changes {
            if let Change::Wake { run, .. } = change
                && let Some(moved) = going.get_mut(run)
            {
                moved.nudged = true;
            }
        }
        let wishes = changes
            .iter()
            .any(|change| matches!(change, Change::Wish(_)));
        let ticket = self.store.submit(changes, Durability::Now)?;
        drop(going);
        self.store.settle_patiently(ticket)?;
        // Not before they can be found.
        if wishes {
            self.wishes_left.store(true, Ordering::Release);
        }
        self.stir();
        Ok(())
    }

    /// The name of a run's playbook, for people.
    fn playbook_of(&self, run: RunId) -> String {
        match self.store.run(run) {
            Ok(Some(run)) => run.order.playbook,
            Ok(None) | Err(_) => String::new(),
        }
    }

    fn is_open(state: State) -> bool {
        state != State::Ended
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
