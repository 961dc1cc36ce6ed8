//! A run that is taken up: executed until it waits or ends.

use std::sync::Arc;
use std::time::Duration;

use cordon_journal::record::Stop;
use cordon_journal::run::{End, Outcome, Reason, Status, Waiting};
use cordon_journal::{Change, Durability, Entry, Moment, Run, RunId, State, StoreError, What};
use cordon_playbook::step::StopReason;
use cordon_playbook::{Playbook, RunError};

use super::catalogue::{Prepared, Unprepared};
use super::children::Started;
use super::{Executor, Going, Shared, journal, lock};
use crate::engine::Machine;
use crate::event::Event;
use crate::performer::{Parts, Steps};
use crate::stopper::Stopper;

/// How many runs are looked at beyond those that are executed, to find one that can be taken.
const LOOKED_AT: usize = 16;

/// How long beyond its deadline a run is tried that has begun.
const BLOCKED_BEYOND: Duration = Duration::from_secs(24 * 3600);

/// How long until a run is tried again whose connection is not usable.
const BLOCKED_FOR: Duration = Duration::from_secs(15);

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

impl Shared {
    /// The run that is due the longest and not executed yet.
    pub(super) fn next_claim(&self) -> Result<Option<Run>, StoreError> {
        let now = self.surroundings.now();
        let aside = lock(&self.set_aside).len();
        let busy = lock(&self.going).len();
        let looked_at = match self.only {
            None => busy + aside + LOOKED_AT,
            // Those that are due before it are not this executor's.
            Some(_) => usize::MAX,
        };
        for id in self.store.due(now, looked_at)? {
            if lock(&self.going).contains_key(&id) || lock(&self.set_aside).contains(&id) {
                continue;
            }
            match self.store.run(id) {
                Ok(Some(run)) if run.status.end.is_none() && self.takes(&run)? => {
                    return Ok(Some(run));
                }
                Ok(_) => {}
                Err(error @ StoreError::DamagedRun { .. }) => self.set_aside(id, &error),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether the run is one of those that this executor is there for.
    fn takes(&self, run: &Run) -> Result<bool, StoreError> {
        let Some(only) = self.only else {
            return Ok(true);
        };
        let (mut id, mut parent) = (run.id, run.order.parent.clone());
        while id != only {
            let Some((above, _)) = parent else {
                return Ok(false);
            };
            id = above;
            parent = self.store.run(above)?.and_then(|run| run.order.parent);
        }
        Ok(true)
    }

    /// Gives a run a place among those that share one, or lets it wait, or ends it.
    fn admit(&self, run: &Run, now: Moment) -> Result<bool, StoreError> {
        let Some(slot) = &run.order.slot else {
            return Ok(true);
        };
        if now >= run.order.deadline {
            let end = End {
                outcome: Outcome::Failed,
                at: now,
                result: cordon_contract::Value::Null,
                error: None,
                message: Some(format!(
                    "it never began: its time was over before {} had a place",
                    slot.key
                )),
            };
            self.end(run, run.status.clone(), end)?;
            return Ok(false);
        }
        if self.store.holders(&slot.key)? < slot.max {
            let status = Status {
                state: State::Going,
                waits: Vec::new(),
                ..run.status.clone()
            };
            self.put(run.id, status)?;
            return Ok(true);
        }
        if slot.skip {
            let end = End {
                outcome: Outcome::Skipped,
                at: now,
                result: cordon_contract::Value::Null,
                error: None,
                message: Some(format!("another run of {} is going on", slot.key)),
            };
            self.end(run, run.status.clone(), end)?;
            return Ok(false);
        }
        let waiting = Waiting {
            step: None,
            reason: Reason::Slot {
                key: slot.key.clone(),
            },
            since: run.order.created,
            until: None,
        };
        let status = Status {
            state: State::Queued,
            due: Some(run.order.deadline),
            waits: vec![waiting],
            ..run.status.clone()
        };
        self.put(run.id, status)?;
        // A run that ended before wakes nobody who was not in the queue yet.
        if self.store.holders(&slot.key)? < slot.max {
            let wake = Change::Wake {
                run: run.id,
                due: now,
            };
            self.store.commit(vec![wake], Durability::Now)?;
        }
        Ok(false)
    }

    /// Under the lock, so that it is before or after all of what another run does when it ends.
    fn put(&self, run: RunId, status: Status) -> Result<(), StoreError> {
        let status = Box::new(status);
        let going = lock(&self.going);
        let ticket = self
            .store
            .submit(vec![Change::Status { run, status }], Durability::Now)?;
        drop(going);
        self.store.settle_patiently(ticket)
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

    /// It cannot be executed. One that has begun is not given up with its deadline at once: it may be
    /// that a write is to be settled yet, or that something is to be taken back.
    fn blocked(&self, unprepared: Unprepared, entries: &[Entry]) -> Result<(), StoreError> {
        let shared = &self.shared;
        let now = shared.surroundings.now();
        let deadline = self.run.order.deadline;
        let until = match entries {
            [] => deadline,
            _ => deadline.plus(BLOCKED_BEYOND),
        };
        match unprepared {
            Unprepared::Store(error) => Err(error),
            Unprepared::Blocked { message } if now < until => {
                tracing::warn!(run = %self.run.id, "it cannot go on: {message}");
                let since = self.run.status.waits.first().map_or(now, |wait| wait.since);
                let waiting = Waiting {
                    step: None,
                    reason: Reason::Blocked { message },
                    since,
                    until: Some(now.plus(BLOCKED_FOR)),
                };
                let status = Status {
                    state: State::Waiting,
                    due: Some(now.plus(BLOCKED_FOR).min(until)),
                    waits: vec![waiting],
                    ..self.run.status.clone()
                };
                shared.put(self.run.id, status)
            }
            Unprepared::Blocked { message } | Unprepared::Lost { message } => {
                let open = super::start::open_writes(entries);
                let (outcome, message) = match open.first() {
                    None => (Outcome::Failed, message),
                    Some((step, _)) => (
                        Outcome::InDoubt,
                        format!(
                            "{message}; nobody knows whether the write of step {step} has happened"
                        ),
                    ),
                };
                let end = End {
                    outcome,
                    at: now,
                    result: cordon_contract::Value::Null,
                    error: None,
                    message: Some(message),
                };
                shared.end(&self.run, self.run.status.clone(), end)
            }
        }
    }

    fn finish(
        &self,
        steps: &Steps,
        result: Result<cordon_contract::Value, RunError>,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        if let Some(error) = steps.store_failure() {
            return Err(error);
        }
        let machine = steps.machine();
        let waits = matches!(
            result,
            Err(RunError::Stopped {
                reason: StopReason::Suspended | StopReason::InDoubt
            })
        ) || machine.in_doubt();
        let interrupted = matches!(
            result,
            Err(RunError::Stopped {
                reason: StopReason::Interrupted
            })
        );
        if interrupted && !machine.in_doubt() {
            // It is due still, and where its journal has it.
            return shared.store.commit(Vec::new(), Durability::Now);
        }
        let now = shared.surroundings.now();
        // The script was ended in the middle: it is gone through once more, as an ended one.
        let cut = matches!(
            self.stopper.flag().reason(),
            Some(StopReason::Cancelled | StopReason::Limit)
        );
        let again = cut
            && machine.stopped().is_some()
            && machine.divergence().is_none()
            && !machine.is_unwinding()
            && result.is_err();
        if !waits && !again {
            let (status, end) = super::ending::ended(&machine, result, now);
            drop(machine);
            shared.watcher.see(self.run.id, &Event::Over { end: &end });
            return shared.end(&self.run, status, end);
        }
        let mut status = machine.status(now, |run| shared.playbook_of(run));
        drop(machine);
        let mut going = lock(&shared.going);
        let nudged = Shared::leaves(&mut going, self.run.id);
        if again && !waits {
            status.state = State::Going;
        }
        if nudged || (again && !waits) {
            status.due = Some(now);
        }
        shared
            .watcher
            .see(self.run.id, &Event::PutAside { status: &status });
        let change = Change::Status {
            run: self.run.id,
            status: Box::new(status),
        };
        let ticket = shared.store.submit(vec![change], Durability::Now)?;
        drop(going);
        shared.store.settle_patiently(ticket)
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

/// What a run whose time is over has for its script to notice, and for what it does afterwards.
const GRACE: Duration = Duration::from_secs(60);

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
