//! Performs the steps of one run: asks its machine what each means, records, and does it.
//!
//! All threads of the script come through here. The machine is asked, and what it wants recorded is
//! submitted, under one lock, so that the journal has everything in the order in which it was decided;
//! waiting for the disk, for products and for the clock happens outside of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cordon_contract::step::{Answer, Composite, LogLevel, Step};
use cordon_contract::{Effect, StepKey};
use cordon_journal::run::Order;
use cordon_journal::{Durability, RunId, Store, StoreError};
use cordon_playbook::step::{Branch, Ending, Entry, Performer, StopFlag, StopReason};

use crate::engine::{Event, Machine, Next, Reaction};
use crate::event::{self, Watcher};
use crate::stopper::Stopper;
use crate::world::{Products, Request, Surroundings};

/// Starts the runs that a run starts, and tells how they stand.
pub trait Children: Send + Sync {
    /// Starts the run with this id for the step of a run of this order, unless it is there; then what came of it, if it has
    /// ended. A run that cannot be started has failed.
    ///
    /// # Errors
    /// Where the store fails.
    fn child(
        &self,
        parent: RunId,
        order: &Order,
        key: &StepKey,
        step: &Step,
        run: RunId,
    ) -> Result<Option<Answer>, StoreError>;
}

/// The performer of one run.
pub struct Steps {
    run: RunId,
    machine: Mutex<Machine>,
    store: Arc<dyn Store>,
    surroundings: Arc<dyn Surroundings>,
    products: Arc<dyn Products>,
    children: Arc<dyn Children>,
    watcher: Arc<dyn Watcher>,
    stopper: Stopper,
    /// A long wait holds the thread, because nobody would take the run up again.
    waits_here: bool,
    failure: Mutex<Option<StoreError>>,
    began: Mutex<std::collections::HashMap<StepKey, Instant>>,
}

/// What a performer is made of.
pub struct Parts {
    /// The run.
    pub machine: Machine,
    /// What keeps it.
    pub store: Arc<dyn Store>,
    /// Its clock.
    pub surroundings: Arc<dyn Surroundings>,
    /// Its products.
    pub products: Arc<dyn Products>,
    /// The runs that it starts.
    pub children: Arc<dyn Children>,
    /// Who watches.
    pub watcher: Arc<dyn Watcher>,
    /// What ends it.
    pub stopper: Stopper,
    /// A long wait holds the thread, because nobody would take the run up again.
    pub waits_here: bool,
}

impl Steps {
    /// A performer.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            run: parts.machine.run(),
            machine: Mutex::new(parts.machine),
            store: parts.store,
            surroundings: parts.surroundings,
            products: parts.products,
            children: parts.children,
            watcher: parts.watcher,
            stopper: parts.stopper,
            waits_here: parts.waits_here,
            failure: Mutex::default(),
            began: Mutex::default(),
        }
    }

    /// The run's machine.
    pub fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }

    /// What ends the script.
    #[must_use]
    pub fn stopper(&self) -> &Stopper {
        &self.stopper
    }

    /// How the store failed, if it did.
    #[must_use]
    pub fn store_failure(&self) -> Option<StoreError> {
        lock(&self.failure).clone()
    }

    fn fail(&self, error: StoreError) {
        lock(&self.failure).get_or_insert(error);
        self.stopper.stop(StopReason::Interrupted);
    }

    /// Records what the machine wants recorded. False when that failed: the script ends.
    fn write(&self, reaction: &mut Reaction, machine: MutexGuard<'_, Machine>) -> bool {
        let changes = reaction.changes(self.run);
        if changes.is_empty() {
            return true;
        }
        let durability = reaction.durability;
        let submitted = self.store.submit(changes, durability);
        drop(machine);
        let settled = submitted.and_then(|ticket| match durability {
            Durability::Now => self.store.settle_patiently(ticket),
            Durability::Soon | Durability::Later => Ok(()),
        });
        match settled {
            Ok(()) => true,
            Err(error) => {
                self.fail(error);
                false
            }
        }
    }

    /// Asks the machine and records.
    fn react(
        &self,
        decide: impl FnOnce(&mut Machine, &dyn Surroundings) -> Reaction,
    ) -> Option<Reaction> {
        let mut machine = self.machine();
        let mut reaction = decide(&mut machine, &*self.surroundings);
        if let Some(warning) = machine.warn() {
            tracing::warn!(run = %self.run, "{warning}");
        }
        self.write(&mut reaction, machine).then_some(reaction)
    }

    fn drive(&self, key: &StepKey, step: &Step, effect: Option<Effect>) -> Answer {
        let mut event = Event::Asked(step.clone());
        loop {
            let decided = self.react(|machine, senses| machine.handle(key, event, senses));
            let Some(reaction) = decided else {
                return Answer::Stopped;
            };
            if let Some((failure, verdict)) = &reaction.lost {
                self.watcher.see(
                    self.run,
                    &event::Event::AnswerLost {
                        key,
                        failure,
                        verdict: *verdict,
                    },
                );
            }
            event = match reaction.next {
                Next::Answer(Answer::Parked) if self.waits_here => match self.machine().due(key) {
                    Some(until) => {
                        self.surroundings.wait(until, &self.stopper);
                        Event::Woken
                    }
                    None => return Answer::Parked,
                },
                Next::Answer(answer) => return answer,
                Next::Stop(reason) => {
                    self.stopper.stop(reason);
                    return Answer::Stopped;
                }
                Next::Wait(until) => {
                    self.surroundings.wait(until, &self.stopper);
                    Event::Woken
                }
                Next::Call => match self.call(key, step, effect) {
                    Some(result) => Event::Called(result),
                    None => return Answer::Stopped,
                },
                Next::Reconcile => Event::Reconciled(self.reconcile(key, step)),
                Next::StartChild(run) => {
                    // Apart from the machine: starting a run waits for the disk.
                    let order = Arc::clone(self.machine().order());
                    match self.children.child(self.run, &order, key, step, run) {
                        Ok(outcome) => Event::Child(outcome),
                        Err(error) => {
                            self.fail(error);
                            return Answer::Stopped;
                        }
                    }
                }
            };
            // A wait that was broken off is not over.
            if event == Event::Woken && self.stopper.flag().is_stopped() {
                return Answer::Stopped;
            }
        }
    }

    fn call(
        &self,
        key: &StepKey,
        step: &Step,
        effect: Option<Effect>,
    ) -> Option<Result<cordon_contract::Value, cordon_contract::Failure>> {
        let Step::Action {
            connection,
            action,
            arguments,
            ..
        } = step
        else {
            return None;
        };
        let idempotency_key = self.machine().idempotency_key(key);
        self.products.call(&Request {
            connection,
            function: action,
            arguments,
            idempotency_key,
            stopper: (effect == Some(Effect::Read)).then_some(&self.stopper),
        })
    }

    fn reconcile(
        &self,
        key: &StepKey,
        step: &Step,
    ) -> Result<Option<cordon_contract::Value>, cordon_contract::Failure> {
        let (idempotency_key, companion) = {
            let machine = self.machine();
            (machine.idempotency_key(key), machine.companion(step))
        };
        let (
            Some(companion),
            Step::Action {
                connection,
                arguments,
                ..
            },
        ) = (companion, step)
        else {
            return Err(cordon_contract::Failure::new(
                cordon_contract::ErrorKind::Unsupported,
                "the action has no reconcile companion",
            ));
        };
        self.products.reconcile(&Request {
            connection,
            function: &companion,
            arguments,
            idempotency_key,
            stopper: None,
        })
    }

    fn log(&self, key: &StepKey, level: LogLevel, message: &str) {
        let run = self.run;
        match level {
            LogLevel::Debug => tracing::debug!(%run, step = %key, "{message}"),
            LogLevel::Info => tracing::info!(%run, step = %key, "{message}"),
            LogLevel::Warn => tracing::warn!(%run, step = %key, "{message}"),
            LogLevel::Error => tracing::error!(%run, step = %key, "{message}"),
        }
    }
}

impl Performer for Steps {
    fn perform(&self, key: &StepKey, step: Step) -> Answer {
        if self.stopper.flag().is_stopped() {
            return Answer::Stopped;
        }
        let (known, was_over, effect) = {
            let machine = self.machine();
            if let Some(answer) = machine.recall(key, &step) {
                return answer;
            }
            let (known, was_over) = (machine.knows(key), machine.is_over(key));
            (known, was_over, machine.effect(&step))
        };
        if let (Step::Log { level, message }, false) = (&step, known) {
            self.log(key, *level, message);
        }
        let began = Instant::now();
        if !known {
            self.watcher.see(
                self.run,
                &event::Event::Started {
                    key,
                    step: &step,
                    effect,
                },
            );
        }
        let answer = self.drive(key, &step, effect);
        if !was_over {
            self.watcher.see(
                self.run,
                &event::Event::Finished {
                    key,
                    step: &step,
                    answer: &answer,
                    took: began.elapsed(),
                },
            );
        }
        answer
    }

    fn enter(&self, key: &StepKey, composite: Composite) -> Entry {
        if self.stopper.flag().is_stopped() {
            return Entry::Finished(Answer::Stopped);
        }
        let known = self.machine().knows(key);
        let mut entry = Entry::Finished(Answer::Stopped);
        let reaction = self.react(|machine, senses| {
            let entered = machine.enter(key, composite, senses);
            entry = entered.entry;
            entered.reaction
        });
        match reaction.map(|reaction| reaction.next) {
            None => return Entry::Finished(Answer::Stopped),
            Some(Next::Stop(reason)) => {
                self.stopper.stop(reason);
                return Entry::Finished(Answer::Stopped);
            }
            Some(_) => {}
        }
        if !known && matches!(entry, Entry::Begin { .. }) {
            lock(&self.began).insert(key.clone(), Instant::now());
            self.watcher
                .see(self.run, &event::Event::Entered { key, composite });
        }
        entry
    }

    fn iterate(&self, key: &StepKey, iteration: u32) {
        let reaction = self.react(|machine, senses| machine.iterate(key, iteration, senses));
        if reaction.is_some() {
            self.watcher
                .see(self.run, &event::Event::Iterated { key, iteration });
        }
    }

    fn branch(&self, key: &StepKey, branch: u32) -> Branch {
        self.machine().branch(key, branch, &*self.surroundings)
    }

    fn leave_branch(&self, key: &StepKey, branch: u32, outcome: &Answer) {
        self.react(|machine, senses| machine.leave_branch(key, branch, outcome, senses));
    }

    fn leave(&self, key: &StepKey, outcome: &Answer) {
        let was_over = self.machine().is_over(key);
        self.react(|machine, senses| machine.leave(key, outcome, senses));
        if !was_over {
            let took = lock(&self.began)
                .remove(key)
                .map_or(Duration::ZERO, |began| began.elapsed());
            self.watcher.see(
                self.run,
                &event::Event::Left {
                    key,
                    answer: outcome,
                    took,
                },
            );
        }
    }

    fn ended(&self) -> Option<Ending> {
        self.machine().ended()
    }

    fn unwind(&self, ending: &Ending) -> bool {
        let mut may = false;
        let reaction = self.react(|machine, senses| {
            let flag = self.stopper.flag().reason();
            let (begins, reaction) = machine.unwind(ending, flag, senses);
            may = begins;
            reaction
        });
        let may = may && reaction.is_some();
        if may {
            self.stopper.clear();
        }
        may
    }

    fn stop_flag(&self) -> &StopFlag {
        self.stopper.flag()
    }
}

/// A panic in one branch must not take what the others found out with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
