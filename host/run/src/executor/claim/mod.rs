//! A run that is taken up: executed until it waits or ends.

mod finish;

use std::sync::Arc;
use std::time::Duration;

use cordon_journal::record::Stop;
use cordon_journal::{Durability, Entry, Run, State, StoreError, What};
use cordon_playbook::{Playbook, RunError};

use super::catalogue::Prepared;
use super::children::Started;
use super::{Executor, Going, Shared, journal, lock};
use crate::engine::Machine;
use crate::event::Event;
use crate::performer::{Parts, Steps};
use crate::stopper::Stopper;

/// What a run whose time is over has for its script to notice, and for what it does afterwards.
const GRACE: Duration = Duration::from_secs(60);

/// A run that this executor has taken. Dropped without being executed, it is due again.
pub struct Claim {
    shared: Arc<Shared>,
    run: Run,
    stopper: Stopper,
}

impl Executor {
    /// Takes the run that is due the longest; none when none is due, or the executor is closing.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn claim(&self) -> Result<Option<Claim>, StoreError> {
        let shared = &self.shared;
        if shared.is_closing() {
            return Ok(None);
        }
        while let Some(run) = shared.next_claim()? {
            let now = shared.surroundings.now();
            if run.status.state == State::Queued && !shared.admit(&run, now)? {
                continue;
            }
            let stopper = Stopper::default();
            let going = Going {
                steps: None,
                stopper: stopper.clone(),
                nudged: false,
            };
            lock(&shared.going).insert(run.id, going);
            return Ok(Some(Claim {
                shared: Arc::clone(shared),
                run,
                stopper,
            }));
        }
        Ok(None)
    }
}

impl Claim {
    /// The run.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Executes it until it waits or ends. Blocks.
    pub fn execute(self) {
        let shared = Arc::clone(&self.shared);
        match self.go() {
            Ok(()) => {}
            Err(error @ StoreError::DamagedRun { .. }) => shared.set_aside(self.run.id, &error),
            Err(error) => shared.break_down(error),
        }
    }

    fn go(&self) -> Result<(), StoreError> {
        let shared = &self.shared;
        let entries = journal::read(&*shared.store, self.run.id)?;
        let prepared = match shared.catalogue.prepare(&self.run.order, &*shared.store) {
            Ok(prepared) => prepared,
            Err(unprepared) => return self.blocked(unprepared, &entries),
        };
        let Prepared {
            playbook,
            bindings,
            facts,
            products,
            mut limits,
        } = prepared;
        let order = Arc::new(self.run.order.clone());
        let now = shared.surroundings.now();
        limits.time = order.deadline.since(now).max(GRACE);
        if ended_at_limit(&entries) {
            // What ran into a limit must come as far again, and a little further.
            limits.operations = limits.operations.saturating_mul(2);
            limits.steps = limits.steps.saturating_mul(2);
            limits.computing = limits.computing.saturating_mul(4);
        }
        let mut machine = Machine::new(self.run.id, order, &self.run.status, &entries, facts);
        drop(entries);
        if now >= self.run.order.deadline {
            self.expire(&mut machine)?;
        }
        shared
            .watcher
            .see(self.run.id, &Event::TakenUp { run: &self.run });
        let steps = Arc::new(Steps::new(Parts {
            machine,
            store: Arc::clone(&shared.store),
            surroundings: Arc::clone(&shared.surroundings),
            products,
            children: Arc::new(Started(Arc::clone(shared))),
            watcher: Arc::clone(&shared.watcher),
            stopper: self.stopper.clone(),
            waits_here: false,
        }));
        if let Some(going) = lock(&shared.going).get_mut(&self.run.id) {
            going.steps = Some(Arc::clone(&steps));
        }
        let result = run(&playbook, &self.run, &bindings, &steps, &limits);
        self.finish(&steps, result)
    }

    /// The run's time is over: nothing new is begun.
    fn expire(&self, machine: &mut Machine) -> Result<(), StoreError> {
        let order = &self.run.order;
        let allowed = order.deadline.since(order.created);
        let milliseconds = u64::try_from(allowed.as_millis()).unwrap_or(u64::MAX);
        let stop = Stop::Limit {
            name: "time".to_owned(),
            allowed: format!(
                "{} since the start",
                cordon_contract::units::format_duration(milliseconds)
            ),
        };
        match machine.stop(stop, &*self.shared.surroundings) {
            Some(mut reaction) => self
                .shared
                .store
                .commit(reaction.changes(self.run.id), Durability::Now),
            None => Ok(()),
        }
    }
}

fn ended_at_limit(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| {
        matches!(
            entry.record.what,
            What::Stopped {
                stop: Stop::Script { .. } | Stop::Limit { .. }
            }
        )
    })
}

fn run(
    playbook: &Playbook,
    run: &Run,
    bindings: &Arc<cordon_playbook::Bindings>,
    steps: &Arc<Steps>,
    limits: &cordon_playbook::Limits,
) -> Result<cordon_contract::Value, RunError> {
    let performer = Arc::clone(steps) as Arc<dyn cordon_playbook::step::Performer>;
    playbook.run(&run.order.input, bindings, performer, limits)
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.shared.going).remove(&self.run.id);
        self.shared.stir();
    }
}
