//! Plays the threads around an executor on one thread, and people, and time: starts runs, lets processes
//! die, starts the next over what is left, until every run has ended.

mod checks;
mod compare;
mod journal;

use std::collections::BTreeMap;
use std::sync::Arc;

use cordon_contract::Value;
use cordon_journal::run::{Reason, State};
use cordon_journal::{RunId, Store};
use cordon_playbook::Playbook;
use cordon_run::engine::Senses as _;
use cordon_run::event::Unwatched;
use cordon_run::executor::{self, Catalogue, Executor, Parts, Wanted};
use cordon_run::world::Surroundings;

use crate::catalogue::SimCatalogue;
use crate::people::{self, LEADS};
use crate::plan::{Plan, Profile};
use crate::rng::Rng;
use crate::store::{Disk, SimStore};
use crate::tally::Tally;
use crate::world::{SimSurroundings, World};

pub use journal::journal;

/// After so many events nothing goes wrong any more.
const MENDED_AFTER: u64 = 600;
/// Within so many events everything must have ended.
const EVENTS_MAX: u64 = 6_000;
/// So often each run may be taken up, and a few more, without that time goes on.
const STANDSTILL_MAX: u64 = 10;
/// How long people take to look again.
const PEOPLE_LOOK_MS: u64 = 120_000;

/// What is simulated.
pub struct Setup {
    /// The seed.
    pub seed: u64,
    /// How much goes wrong.
    pub profile: Profile,
    /// What goes wrong with the store.
    pub plan: Plan,
    /// The playbooks by name.
    pub playbooks: BTreeMap<String, Playbook>,
    /// The runs that people start, in order.
    pub starts: Vec<Start>,
}

/// A run that somebody starts.
#[derive(Debug, Clone)]
pub struct Start {
    /// The playbook.
    pub playbook: String,
    /// The name of the run among effects.
    pub tag: String,
    /// Who starts it.
    pub by: &'static str,
}

/// What came of it.
pub struct Simulated {
    /// The world after it.
    pub world: Arc<World>,
    /// The runs that were acknowledged.
    pub started: Vec<RunId>,
    /// What must not be, each with the name of the check.
    pub wrongs: Vec<String>,
    /// How many events there were.
    pub events: u64,
}

impl Simulated {
    /// A number for everything that happened.
    #[must_use]
    pub fn trace(&self) -> u64 {
        let product = crate::world::lock(&self.world.model).trace;
        self.world.disk.trace() ^ product.rotate_left(17) ^ self.events
    }
}

/// The starts of a seed.
#[must_use]
pub fn starts(seed: u64) -> Vec<Start> {
    let mut rng = Rng::new(seed, "starts");
    (0..rng.between(1, 4))
        .map(|number| Start {
            playbook: (*rng.pick(&crate::script::MAIN)).to_owned(),
            tag: format!("r{number}"),
            by: if rng.permille(500) { "sam" } else { LEADS[0] },
        })
        .collect()
}

struct Process {
    executor: Executor,
    store: Arc<SimStore>,
    surroundings: Arc<SimSurroundings>,
    catalogue: Arc<SimCatalogue>,
}

impl Process {
    fn start(world: &Arc<World>, catalogue: &Arc<SimCatalogue>, number: u64) -> Self {
        let store = Arc::new(world.disk.open());
        let latest = store.latest().unwrap_or_default();
        let surroundings = Arc::new(SimSurroundings::new(world, latest, number));
        let leads = LEADS.map(str::to_owned).to_vec();
        let executor = Executor::new(Parts {
            store: Arc::clone(&store) as Arc<dyn Store>,
            surroundings: Arc::clone(&surroundings) as Arc<dyn Surroundings>,
            catalogue: Arc::clone(catalogue) as Arc<dyn Catalogue>,
            watcher: Arc::new(Unwatched),
            roles: BTreeMap::from([("lead".to_owned(), leads)]),
            only: None,
        });
        world.set_executor(Some(executor.clone()));
        Self {
            executor,
            store,
            surroundings,
            catalogue: Arc::clone(catalogue),
        }
    }

    /// A run is started by another process, which tells nobody before it is on the disk.
    fn begin(&self, world: &World, start: &Start, id: RunId) {
        let input = [
            ("run".to_owned(), Value::text(start.tag.clone())),
            ("group".to_owned(), Value::text("g")),
        ];
        let now = self.surroundings.now();
        let wanted = Wanted {
            playbook: &start.playbook,
            input: &input.into_iter().collect(),
            connect: &BTreeMap::new(),
            by: start.by,
            now,
            deadline: cordon_journal::Moment(i64::MAX),
        };
        let ordered = self.catalogue.order(wanted, &*self.store);
        let changes = executor::create(id, ordered.unwrap(), &*self.store);
        // Where the store is down nothing is acknowledged.
        if let Ok(changes) = changes {
            world.disk.leave(changes);
            world.tally.add("runs started by people", 1);
        }
    }
}

/// What is left to do, and whether that went on.
struct Driver {
    world: Arc<World>,
    catalogue: Arc<SimCatalogue>,
    process: Process,
    processes: u64,
    rng: Rng,
    wrongs: Vec<String>,
    /// Since when time stands still, in runs that were taken up.
    taken_up_at: (i64, u64),
}

/// Simulates.
#[must_use]
pub fn simulate(setup: Setup) -> Simulated {
    let tally = Arc::new(Tally::default());
    let disk_rng = Rng::new(setup.seed, "disk");
    let disk = Arc::new(Disk::new(disk_rng, setup.plan, Arc::clone(&tally)));
    let world = Arc::new(World::new(setup.seed, setup.profile, disk, tally));
    let catalogue = Arc::new(SimCatalogue::new(&world, setup.playbooks));
    let mut driver = Driver {
        process: Process::start(&world, &catalogue, 1),
        catalogue,
        processes: 1,
        rng: Rng::new(setup.seed, "driver"),
        wrongs: Vec::new(),
        taken_up_at: (0, 0),
        world: Arc::clone(&world),
    };
    let events = driver.drive(setup.starts);
    let started = world.disk.acknowledged();
    let mut wrongs = std::mem::take(&mut driver.wrongs);
    world.set_executor(None);
    drop(driver);
    wrongs.extend(checks::all(&world, &started));
    Simulated {
        world,
        started,
        wrongs,
        events,
    }
}

/// What a seed that was crashed has otherwise than the same one that was not.
#[must_use]
pub fn compare(crashed: &Simulated, calm: &Simulated) -> Vec<String> {
    compare::compare(crashed, calm)
}

impl Driver {
    fn wrong(&mut self, what: String) {
        if self.wrongs.len() < 20 {
            self.wrongs.push(what);
        }
    }

    fn drive(&mut self, starts: Vec<Start>) -> u64 {
        let mut ids = Rng::new(self.world.seed, "ids");
        let mut starts: std::collections::VecDeque<(Start, RunId)> = starts
            .into_iter()
            .map(|start| (start, RunId(ids.uuid())))
            .collect();
        for event in 0..EVENTS_MAX {
            if event == MENDED_AFTER {
                self.world.mend();
            }
            if self.world.disk.is_down()
                || self.process.executor.broken().is_some()
                || self.world.is_closed()
            {
                self.restart();
            }
            if !starts.is_empty() && (event == 0 || self.rng.permille(100)) {
                let (start, id) = starts.pop_front().unwrap();
                self.process.begin(&self.world, &start, id);
            }
            if self.world.permille(self.world.profile().clock) {
                self.world.jump();
            }
            match self.turn() {
                Ok(true) => {}
                Ok(false) if starts.is_empty() && self.is_over() => return event,
                Ok(false) => {
                    if !self.idle() {
                        if let Some((start, id)) = starts.pop_front() {
                            self.process.begin(&self.world, &start, id);
                        } else {
                            self.wrong("[never stuck] a run waits for nothing".to_owned());
                            return event;
                        }
                    }
                }
                Err(error) if self.world.disk.is_down() => drop(error),
                Err(error) => self.wrong(format!("[the store is used as it wants] {error}")),
            }
            let runs = self.world.disk.visible(|image| image.runs.len() as u64);
            if self.taken_up_at.1 > STANDSTILL_MAX * (runs + 20) {
                self.wrong(
                    "[never spinning] runs are taken up again and again, and time stands still"
                        .to_owned(),
                );
                return event;
            }
        }
        self.wrong(format!(
            "[everything ends] not all runs ended within {EVENTS_MAX} events"
        ));
        EVENTS_MAX
    }

    fn restart(&mut self) {
        if let Some(error) = self.process.executor.broken()
            && !self.world.disk.is_down()
        {
            self.wrong(format!("[the store is used as it wants] {error}"));
        }
        self.world.set_executor(None);
        self.world.tally.add("restarts", 1);
        let away = self.rng.below(400_000);
        if self.rng.permille(300) {
            self.world.pass(away);
        }
        if self.world.permille(self.world.profile().clock * 10) {
            self.world.jump();
        }
        self.processes += 1;
        self.world.open_again();
        self.process = Process::start(&self.world, &self.catalogue, self.processes);
    }

    /// What the thread of a service does in a turn. Whether anything was done.
    fn turn(&mut self) -> Result<bool, cordon_journal::StoreError> {
        let executor = &self.process.executor;
        let mut done = false;
        if self.process.store.changed_elsewhere()? || executor.wishes_left() {
            done = executor.take_wishes()? > 0;
        }
        let Some(claim) = executor.claim()? else {
            return Ok(done);
        };
        let now = self.world.steady();
        self.taken_up_at = match self.taken_up_at {
            (at, count) if at == now => (at, count + 1),
            _ => (now, 1),
        };
        self.world.tally.add("runs taken up", 1);
        claim.execute();
        Ok(true)
    }

    fn is_over(&self) -> bool {
        self.world.disk.visible(|image| {
            let mut rows = image.runs.values();
            rows.all(|row| row.state == State::Ended)
        })
    }

    /// Nothing is due: people act, or time goes on. False when neither can be.
    fn idle(&mut self) -> bool {
        let now = self.process.surroundings.now();
        if people::act(&self.world, now) {
            return true;
        }
        let next = self.process.executor.next_due().ok().flatten();
        let mut rest = next.map(|due| u64::try_from(due.since(now).as_millis()).unwrap_or(0));
        if self.anybody_is_asked() {
            rest = Some(rest.map_or(PEOPLE_LOOK_MS, |rest| rest.min(PEOPLE_LOOK_MS)));
        }
        match rest {
            Some(rest) => {
                self.world.pass(rest.max(1));
                true
            }
            None => self.world.disk.is_down(),
        }
    }

    fn anybody_is_asked(&self) -> bool {
        let asks = |reason: &Reason| match reason {
            Reason::Approval { message, .. } | Reason::Answer { message, .. } => {
                !message.contains("ignore")
            }
            Reason::Resolve { .. } => true,
            _ => false,
        };
        let runs = self.world.disk.visible(|image| image.all());
        let mut waits = runs.iter().flat_map(|run| &run.status.waits);
        waits.any(|wait| asks(&wait.reason))
    }
}
