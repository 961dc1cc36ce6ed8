//! A run while its script executes: what all its threads share, and the only way to the performer.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use cordon_contract::{Failure, StepKey, Value};

use crate::bind::Bindings;
use crate::error::limit_of;
use crate::limits::{Limit, Limits};
use crate::parked;
use crate::scope::Scope;
use crate::step::{Answer, Composite, Entry, Performer, Step, StopReason};
use crate::thrown::{self, Error};
use crate::undo::Undo;

/// How many operations pass between two looks at the clock. One operation can take a millisecond, on
/// the largest value that the limits allow.
const OPERATIONS_BETWEEN_CLOCK_READS: u64 = 64;

thread_local! {
    /// Since when this thread has been computing, unaccounted for.
    static COMPUTING_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// What all threads of a run share.
pub(crate) struct Run {
    performer: Arc<dyn Performer>,
    bindings: Arc<Bindings>,
    limits: Limits,
    started: Instant,
    computed_ns: AtomicU64,
    operations: AtomicU64,
    steps: AtomicU64,
    threads: AtomicUsize,
    exceeded: OnceLock<Limit>,
    refused: OnceLock<Error>,
    /// By the key of the step that registered it: gone through again, it is the same one.
    registered: Mutex<BTreeMap<StepKey, Undo>>,
}

impl Run {
    pub fn new(performer: Arc<dyn Performer>, bindings: Arc<Bindings>, limits: Limits) -> Self {
        Self {
            performer,
            bindings,
            limits,
            started: Instant::now(),
            computed_ns: AtomicU64::new(0),
            operations: AtomicU64::new(0),
            steps: AtomicU64::new(0),
            threads: AtomicUsize::new(0),
            exceeded: OnceLock::new(),
            refused: OnceLock::new(),
            registered: Mutex::default(),
        }
    }

    /// The same run with nothing used of its limits and nothing registered.
    pub fn afresh(&self) -> Self {
        Self::new(
            Arc::clone(&self.performer),
            Arc::clone(&self.bindings),
            self.limits.clone(),
        )
    }

    pub fn performer(&self) -> &dyn Performer {
        &*self.performer
    }

    pub fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The limit that ended the run, if one did.
    pub fn exceeded(&self) -> Option<Limit> {
        self.exceeded.get().copied()
    }

    /// The failure that an error is recorded as. None when there is nothing to record: the run was
    /// stopped, waits, or ends here at a limit of the engine's.
    pub fn recorded(&self, error: &Error) -> Option<Failure> {
        if self.is_over() {
            return None;
        }
        if let Some(limit) = limit_of(error) {
            self.exceed(limit);
            return None;
        }
        thrown::to_failure(error)
    }

    /// Ends the run with an error of a place from which the engine takes none.
    pub fn refuse(&self, error: Error) {
        if !self.is_over() {
            let _ = self.refused.set(error);
            self.performer.stop_flag().stop(StopReason::Limit);
        }
    }

    /// The error that [`Run::refuse`] ended the run with.
    pub fn refused(&self) -> Option<&Error> {
        self.refused.get()
    }

    /// Why the run was stopped, if it was.
    pub fn stopped(&self) -> Option<StopReason> {
        self.performer.stop_flag().reason()
    }

    /// Counts an operation of the script. False when the script must end.
    pub fn tick(&self) -> bool {
        let operations = self.operations.fetch_add(1, Ordering::Relaxed);
        if operations >= self.limits.operations {
            self.exceed(Limit::Operations);
        }
        if operations.is_multiple_of(OPERATIONS_BETWEEN_CLOCK_READS) {
            self.look_at_clock();
        }
        !self.is_over()
    }

    /// Whether the script does nothing more on this thread.
    fn is_over(&self) -> bool {
        parked::is_parked() || self.performer.stop_flag().is_stopped()
    }

    /// Ends the run because of a limit.
    pub fn exceed(&self, limit: Limit) {
        let _ = self.exceeded.set(limit);
        self.performer.stop_flag().stop(StopReason::Limit);
    }

    fn look_at_clock(&self) {
        let now = Instant::now();
        if now.duration_since(self.started) > self.limits.time {
            self.exceed(Limit::Time);
        }
        let since = COMPUTING_SINCE.replace(Some(now)).unwrap_or(now);
        let computed = u64::try_from(now.duration_since(since).as_nanos()).unwrap_or(u64::MAX);
        let total = self
            .computed_ns
            .fetch_add(computed, Ordering::Relaxed)
            .saturating_add(computed);
        if Duration::from_nanos(total) > self.limits.computing {
            self.exceed(Limit::Computing);
        }
    }

    /// What this thread did until now was waiting, not computing.
    pub fn waited(&self) {
        COMPUTING_SINCE.set(Some(Instant::now()));
    }

    /// Performs a step: the one way out of a script.
    pub fn perform(&self, scope: &Scope, what: &str, step: Step) -> Result<Value, Error> {
        self.perform_with_key(scope, what, step)
            .map(|(_, value)| value)
    }

    /// Performs a step, and says which it was.
    pub fn perform_with_key(
        &self,
        scope: &Scope,
        what: &str,
        step: Step,
    ) -> Result<(StepKey, Value), Error> {
        self.before_step(scope, what)?;
        let key = scope.next_key();
        let answer = self.performer.perform(&key, step);
        self.waited();
        self.outcome(answer).map(|value| (key, value))
    }

    /// Keeps what takes the step with this key back.
    pub fn register(&self, key: StepKey, undo: Undo) {
        let mut registered = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        registered.insert(key, undo);
    }

    /// Everything that was registered to be taken back, in the order of the steps.
    pub fn take_registered(&self) -> BTreeMap<StepKey, Undo> {
        let mut registered = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *registered)
    }

    /// Enters a composite step and gives its key.
    pub fn enter(
        &self,
        scope: &Scope,
        what: &str,
        composite: Composite,
    ) -> Result<(StepKey, Entry), Error> {
        self.before_step(scope, what)?;
        if scope.depth() >= self.limits.composite_depth {
            self.exceed(Limit::CompositeDepth);
            return Err(thrown::terminated());
        }
        let key = scope.next_key();
        let entry = self.performer.enter(&key, composite);
        self.waited();
        Ok((key, entry))
    }

    /// Begins another try of a composite step.
    pub fn iterate(&self, key: &StepKey, iteration: u32) -> Result<(), Error> {
        self.check_stopped()?;
        self.performer.iterate(key, iteration);
        self.waited();
        Ok(())
    }

    /// Ends a composite step with its outcome and hands the outcome to the script.
    pub fn leave(&self, key: &StepKey, answer: Answer) -> Result<Value, Error> {
        self.check_stopped()?;
        self.performer.leave(key, &answer);
        self.waited();
        self.outcome(answer)
    }

    /// Fails when the script does nothing more on this thread.
    pub fn check_stopped(&self) -> Result<(), Error> {
        self.look_at_clock();
        if self.is_over() {
            Err(thrown::terminated())
        } else {
            Ok(())
        }
    }

    fn before_step(&self, scope: &Scope, what: &str) -> Result<(), Error> {
        self.check_stopped()?;
        if let Some(function) = scope.refused_by() {
            let help = "take what the comparison needs before, with `map`, and compare that";
            return Err(thrown::mistake(
                format!(
                    "`{what}` is a step, and the closure of `{function}` must be free of steps"
                ),
                Some(help),
            ));
        }
        if self.steps.fetch_add(1, Ordering::Relaxed) >= self.limits.steps {
            self.exceed(Limit::Steps);
            return Err(thrown::terminated());
        }
        Ok(())
    }

    /// What an answer means to the script.
    pub fn outcome(&self, answer: Answer) -> Result<Value, Error> {
        match answer {
            Answer::Done(value) => Ok(value),
            Answer::Failed(failure) => Err(thrown::failure(&failure)),
            Answer::Parked => {
                parked::park();
                Err(thrown::terminated())
            }
            Answer::Stopped => {
                // A performer sets the flag before it answers so; were it to forget, the script would
                // go on.
                self.performer.stop_flag().stop(StopReason::Interrupted);
                Err(thrown::terminated())
            }
        }
    }

    /// Takes up to `wanted` threads of the run's share and gives how many there are.
    pub fn take_threads(&self, wanted: usize) -> Threads<'_> {
        let mut taken = 0;
        let _ = self
            .threads
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                taken = wanted.min(self.limits.threads.saturating_sub(used));
                Some(used + taken)
            });
        Threads { run: self, taken }
    }
}

/// Threads of the run's share, given back when dropped.
pub(crate) struct Threads<'a> {
    run: &'a Run,
    taken: usize,
}

impl Threads<'_> {
    pub fn count(&self) -> usize {
        self.taken
    }
}

impl Drop for Threads<'_> {
    fn drop(&mut self) {
        self.run.threads.fetch_sub(self.taken, Ordering::AcqRel);
    }
}
