//! What all parts of one simulation share: time, the disk, the product, people, chance.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cordon_journal::Moment;
use cordon_run::engine::Senses;
use cordon_run::executor::Executor;
use cordon_run::stopper::Stopper;
use cordon_run::world::Surroundings;
use uuid::Uuid;

use crate::people::People;
use crate::plan::Profile;
use crate::product::Model;
use crate::rng::Rng;
use crate::store::Disk;
use crate::tally::Tally;

/// How many things may go on inside of one another.
const DEPTH: usize = 3;

/// One simulation.
pub struct World {
    /// The seed.
    pub seed: u64,
    /// True time, which only goes on, and how far the wall clock is from it.
    steady: AtomicI64,
    offset: AtomicI64,
    /// The wall clock was set forward once: waits may have ended early.
    pub jumped: AtomicBool,
    /// The disk.
    pub disk: Arc<Disk>,
    /// The product.
    pub model: Mutex<Model>,
    /// The people.
    pub people: Mutex<People>,
    /// What is counted.
    pub tally: Arc<Tally>,
    profile: Mutex<Profile>,
    rng: Mutex<Rng>,
    /// Who is executing, for what happens meanwhile.
    executor: Mutex<Option<Executor>>,
    depth: AtomicUsize,
    /// Somebody ended the process in an orderly way.
    closed: AtomicBool,
}

/// Locks, whatever happened to the others.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// A world at noon of some day.
    #[must_use]
    pub fn new(seed: u64, profile: Profile, disk: Arc<Disk>, tally: Arc<Tally>) -> Self {
        Self {
            seed,
            steady: AtomicI64::new(1_800_000_000_000),
            offset: AtomicI64::new(0),
            jumped: AtomicBool::new(false),
            disk,
            model: Mutex::new(Model::new(seed)),
            people: Mutex::default(),
            tally,
            profile: Mutex::new(profile),
            rng: Mutex::new(Rng::new(seed, "world")),
            executor: Mutex::default(),
            depth: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// How much goes wrong.
    pub fn profile(&self) -> Profile {
        lock(&self.profile).clone()
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        *lock(&self.profile) = Profile {
            meanwhile: self.profile().meanwhile,
            ..Profile::CALM
        };
        self.disk.mend();
    }

    /// Whether something happens that does in so many of a thousand cases.
    pub fn permille(&self, chance: u64) -> bool {
        chance > 0 && lock(&self.rng).permille(chance)
    }

    /// A number below this.
    pub fn below(&self, end: u64) -> u64 {
        lock(&self.rng).below(end)
    }

    /// True time.
    pub fn steady(&self) -> i64 {
        self.steady.load(Ordering::Relaxed)
    }

    /// Time goes on.
    pub fn pass(&self, milliseconds: u64) {
        let milliseconds = i64::try_from(milliseconds).unwrap_or(0);
        self.steady.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn wall(&self) -> Moment {
        Moment(self.steady() + self.offset.load(Ordering::Relaxed))
    }

    /// The time of people: close to the clock of runs, which is never behind it.
    pub fn runs_now(&self) -> Moment {
        let latest = self.disk.visible(|image| image.latest());
        self.wall().max(latest.unwrap_or_default())
    }

    /// Somebody sets the wall clock.
    pub fn jump(&self) {
        let day: i64 = 24 * 3600 * 1000;
        let by = match self.below(4) {
            0 => -day,
            1 => -3_000,
            2 => 3_600_000,
            _ => 45_000,
        };
        self.offset.fetch_add(by, Ordering::Relaxed);
        self.tally.add("clock jumps", 1);
        if by > 0 {
            // Nobody can tell that from a machine that slept, and the product has not.
            self.jumped.store(true, Ordering::Relaxed);
            lock(&self.model).happen(i64::MAX, self);
        }
    }

    /// Whether the process was ended in an orderly way.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// The next process begins.
    pub fn open_again(&self) {
        self.closed.store(false, Ordering::Relaxed);
    }

    /// Who executes from here on.
    pub fn set_executor(&self, executor: Option<Executor>) {
        *lock(&self.executor) = executor;
    }

    /// Other threads of the process get on with their work, perhaps: called where a thread waits for
    /// something. Nothing may be locked.
    pub fn meanwhile(self: &Arc<Self>) {
        if self.disk.is_down() || !self.permille(self.profile().meanwhile) {
            return;
        }
        let Some(executor) = lock(&self.executor).clone() else {
            return;
        };
        if self.depth.load(Ordering::Relaxed) >= DEPTH {
            return;
        }
        self.depth.fetch_add(1, Ordering::Relaxed);
        match self.below(30) {
            0 if self.profile().crash_every > 0 => {
                self.tally.add("processes ended in an orderly way", 1);
                self.closed.store(true, Ordering::Relaxed);
                executor.close();
            }
            0..10 => {
                crate::people::act(self, self.runs_now());
                let _ = executor.take_wishes();
            }
            10..20 => {
                let _ = executor.take_wishes();
            }
            _ => {
                if let Ok(Some(claim)) = executor.claim() {
                    self.tally.add("runs executed inside of another", 1);
                    claim.execute();
                }
            }
        }
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The clocks of one process: as the live ones, the clock of runs begins at the latest moment that the
/// store knows, goes on by the steady clock, and follows the wall clock when that is ahead.
pub struct SimSurroundings {
    world: Arc<World>,
    anchor: Mutex<(Moment, i64)>,
    rng: Mutex<Rng>,
}

impl SimSurroundings {
    /// Clocks that do not go back behind `latest`.
    pub fn new(world: &Arc<World>, latest: Option<Moment>, process: u64) -> Self {
        let now = world.wall().max(latest.unwrap_or_default());
        Self {
            anchor: Mutex::new((now, world.steady())),
            rng: Mutex::new(Rng::new(world.seed, &format!("uuids {process}"))),
            world: Arc::clone(world),
        }
    }
}

impl Senses for SimSurroundings {
    fn now(&self) -> Moment {
        let mut anchor = lock(&self.anchor);
        let (at, since) = *anchor;
        let steady = Moment(at.0 + self.world.steady() - since);
        let wall = self.world.wall();
        if wall > steady {
            *anchor = (wall, self.world.steady());
            return wall;
        }
        steady
    }

    fn wall(&self) -> Moment {
        self.world.wall()
    }

    fn uuid(&self) -> Uuid {
        lock(&self.rng).uuid()
    }
}

impl Surroundings for SimSurroundings {
    fn wait(&self, until: Moment, stopper: &Stopper) {
        self.world.meanwhile();
        if stopper.flag().is_stopped() {
            return;
        }
        let rest: Duration = until.since(self.now());
        self.world
            .pass(u64::try_from(rest.as_millis()).unwrap_or(0));
        self.world.tally.add("short waits", 1);
    }
}
