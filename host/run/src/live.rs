//! Performs steps for real, over live connections.
//!
//! The one way from a script, or from `cordon call`, to a product. It owns what no script may
//! decide: the idempotency key of each step, what happens when an answer is lost, and that nothing
//! more is done once the run is stopped.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cordon_connection::Connection;
use cordon_connector::{Call, Connector};
use cordon_contract::value::Map;
use cordon_contract::{Action, Delivery, Effect, ErrorKind, Failure, StepKey, Value};
use cordon_playbook::step::{
    Answer, Composite, Entry, LogLevel, Performer, Step, StopFlag, StopReason,
};
use tokio::runtime::Handle;
use tokio::sync::watch;
use uuid::Uuid;

use crate::event::{Event, Watcher};
use crate::settle::{self, Verdict};

/// A connection with the connector that speaks its product's language.
#[derive(Clone)]
pub struct Link {
    /// The configured product.
    pub connection: Arc<Connection>,
    /// The code for it.
    pub connector: Arc<Connector>,
}

/// A write of which nobody knows whether it happened.
#[derive(Debug, Clone)]
pub struct InDoubt {
    /// The step.
    pub step: StepKey,
    /// What was sent.
    pub arguments: Map,
    /// How the answer was lost; names connection and action.
    pub failure: Failure,
}

/// Something that was done, or tried, to a product: a call of an action that is no read.
#[derive(Debug, Clone)]
pub struct Write {
    /// The step.
    pub step: StepKey,
    /// The connection.
    pub connection: String,
    /// The action: kebab-case.
    pub action: String,
    /// What it was called with.
    pub arguments: Map,
    /// What it does to the product with these arguments.
    pub effect: Effect,
    /// What came of it; none while it is under way or in doubt.
    pub outcome: Option<Result<(), Failure>>,
}

/// A finding that the playbook noted.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Its title.
    pub title: String,
    /// Its content.
    pub value: Value,
}

/// Ends a run from outside. Cheap to clone.
#[derive(Clone)]
pub struct Stopper {
    flag: StopFlag,
    wake: Arc<watch::Sender<bool>>,
}

impl Stopper {
    /// Stops the run: no further step begins, waits and reads end at once, and a write that is
    /// under way is waited for, so that it is known what it did.
    pub fn cancel(&self) {
        self.stop(StopReason::Cancelled);
    }

    fn stop(&self, reason: StopReason) {
        self.flag.stop(reason);
        self.wake.send_replace(true);
    }
}

/// The performer of one run.
pub struct Live {
    run: Uuid,
    runtime: Handle,
    links: BTreeMap<String, Link>,
    watcher: Arc<dyn Watcher>,
    stopper: Stopper,
    stopped: watch::Receiver<bool>,
    began: Mutex<HashMap<StepKey, Instant>>,
    in_doubt: Mutex<Vec<InDoubt>>,
    notes: Mutex<Vec<Note>>,
    writes: Mutex<Vec<Write>>,
}

impl Live {
    /// A performer for the run with this id, over these connections by name. `runtime` is where
    /// the calls are driven; [`Performer::perform`] must not be called from one of its own tasks.
    #[must_use]
    pub fn new(
        run: Uuid,
        runtime: Handle,
        links: BTreeMap<String, Link>,
        watcher: Arc<dyn Watcher>,
    ) -> Self {
        let (wake, stopped) = watch::channel(false);
        let stopper = Stopper {
            flag: StopFlag::default(),
            wake: Arc::new(wake),
        };
        Self {
            run,
            runtime,
            links,
            watcher,
            stopper,
            stopped,
            began: Mutex::default(),
            in_doubt: Mutex::default(),
            notes: Mutex::default(),
            writes: Mutex::default(),
        }
    }

    /// A handle that ends the run.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// The writes that may or may not have happened.
    #[must_use]
    pub fn in_doubt(&self) -> Vec<InDoubt> {
        lock(&self.in_doubt).clone()
    }

    /// What the playbook noted so far.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        lock(&self.notes).clone()
    }

    /// What was done to products, in the order in which it began.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        lock(&self.writes).clone()
    }

    /// What a step of an action means in this run.
    fn resolve(&self, connection: &str, action: &str, arguments: &Map) -> Result<Act<'_>, Failure> {
        let unknown =
            |message| Failure::new(ErrorKind::InvalidInput, message).of(connection, action);
        let link = self
            .links
            .get(connection)
            .ok_or_else(|| unknown("this run has no connection of that name"))?;
        let action = link
            .connector
            .model()
            .action(action)
            .ok_or_else(|| unknown("the connector has no action of that name"))?;
        let effect = action.manifest.effect_with(&Value::Map(arguments.clone()));
        Ok(Act {
            link,
            action,
            effect,
        })
    }

    fn act(&self, key: &StepKey, act: &Act<'_>, arguments: &Map) -> Answer {
        let Act {
            link,
            action,
            effect,
        } = *act;
        if effect != Effect::Read {
            lock(&self.writes).push(Write {
                step: key.clone(),
                connection: link.connection.name().to_owned(),
                action: action.name.clone(),
                arguments: arguments.clone(),
                effect,
                outcome: None,
            });
        }
        let answer = self
            .runtime
            .block_on(self.settle(key, link, action, effect, arguments));
        let outcome = match &answer {
            Answer::Done(_) => Some(Ok(())),
            Answer::Failed(failure) => Some(Err((**failure).clone())),
            Answer::Stopped => None,
        };
        if let Some(write) = lock(&self.writes)
            .iter_mut()
            .find(|write| write.step == *key)
        {
            write.outcome = outcome;
        }
        answer
    }

    /// Calls until it is known what happened, or known that nobody can know.
    async fn settle(
        &self,
        key: &StepKey,
        link: &Link,
        action: &Action,
        effect: Effect,
        arguments: &Map,
    ) -> Answer {
        let first = Instant::now();
        let mut lost_before = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let call = link
                .connector
                .call(self.request(key, link, &action.name, arguments));
            let outcome = if effect == Effect::Read {
                tokio::select! {
                    outcome = call => outcome,
                    () = self.until_stopped() => return Answer::Stopped,
                }
            } else {
                call.await
            };
            let failure = match outcome {
                Ok(value) => return Answer::Done(value),
                Err(failure) => failure,
            };
            let verdict =
                settle::after_failure(&action.manifest, effect, &failure, attempt, lost_before);
            if verdict != Verdict::Report {
                self.watcher.see(&Event::AnswerLost {
                    key,
                    failure: &failure,
                    verdict,
                });
            }
            lost_before |= failure.delivery == Delivery::Unknown;
            match verdict {
                Verdict::Report => return failed(failure),
                // A cancelled run waits no pause, but still finds out what its write did.
                Verdict::Repeat { after } => self.pause(after).await,
                Verdict::AskTheProduct => {
                    let timeout = action
                        .manifest
                        .timeout_ms
                        .map_or(ASK_AFTER, Duration::from_millis);
                    tokio::time::sleep(timeout.saturating_sub(first.elapsed())).await;
                    return self
                        .ask_the_product(key, link, action, arguments, failure)
                        .await;
                }
                Verdict::InDoubt => return self.doubt(key, arguments, failure),
            }
        }
    }

    async fn ask_the_product(
        &self,
        key: &StepKey,
        link: &Link,
        action: &Action,
        arguments: &Map,
        lost: Failure,
    ) -> Answer {
        let Some(companion) = &action.manifest.reconcile else {
            return self.doubt(key, arguments, lost);
        };
        let asked = link
            .connector
            .reconcile(self.request(key, link, companion, arguments))
            .await;
        match asked {
            Ok(None) => failed(Failure {
                delivery: Delivery::NotSent,
                message: format!("{}; the product says that it did not happen", lost.message),
                ..lost
            }),
            // An action that returns nothing has nothing to tell beyond that it happened.
            Ok(Some(_)) if action.result.is_none() => Answer::Done(Value::Null),
            Ok(Some(value)) => Answer::Done(value),
            Err(_) => self.doubt(key, arguments, lost),
        }
    }

    fn doubt(&self, key: &StepKey, arguments: &Map, failure: Failure) -> Answer {
        let arguments = arguments.clone();
        lock(&self.in_doubt).push(InDoubt {
            step: key.clone(),
            arguments,
            failure,
        });
        self.stopper.stop(StopReason::InDoubt);
        Answer::Stopped
    }

    fn request<'a>(
        &self,
        key: &StepKey,
        link: &'a Link,
        function: &'a str,
        arguments: &'a Map,
    ) -> Call<'a> {
        Call {
            connection: &link.connection,
            action: function,
            arguments,
            idempotency_key: self.idempotency_key(key),
            timeout: None,
        }
    }

    /// The same for the same step of the same run, whoever computes it and whenever.
    fn idempotency_key(&self, key: &StepKey) -> Uuid {
        Uuid::new_v5(&self.run, key.to_string().as_bytes())
    }

    async fn pause(&self, duration: Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.until_stopped() => {}
        }
    }

    async fn until_stopped(&self) {
        let mut stopped = self.stopped.clone();
        // The sender lives in `self`; an error cannot come before the end of this future.
        let _ = stopped.wait_for(|stopped| *stopped).await;
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

/// A step of an action, with what the run knows about it.
struct Act<'a> {
    link: &'a Link,
    action: &'a Action,
    effect: Effect,
}

/// How long after the first attempt the product is asked, for an action without a timeout.
const ASK_AFTER: Duration = Duration::from_secs(30);

impl Performer for Live {
    fn perform(&self, key: &StepKey, step: Step) -> Answer {
        if self.stopper.flag.is_stopped() {
            return Answer::Stopped;
        }
        let began = Instant::now();
        let started = |effect| {
            self.watcher.see(&Event::Started {
                key,
                step: &step,
                effect,
            });
        };
        if !matches!(step, Step::Action { .. }) {
            started(None);
        }
        let answer = match &step {
            Step::Action {
                connection,
                action,
                arguments,
            } => {
                let act = self.resolve(connection, action, arguments);
                started(act.as_ref().ok().map(|act| act.effect));
                match act {
                    Ok(act) => self.act(key, &act, arguments),
                    Err(failure) => failed(failure),
                }
            }
            Step::Now => Answer::Done(now()),
            Step::Uuid => Answer::Done(Value::text(Uuid::new_v4().to_string())),
            Step::Sleep { duration, .. } => {
                self.runtime.block_on(self.pause(*duration));
                if self.stopper.flag.is_stopped() {
                    Answer::Stopped
                } else {
                    Answer::Done(Value::Null)
                }
            }
            Step::Log { level, message } => {
                self.log(key, *level, message);
                Answer::Done(Value::Null)
            }
            Step::Progress { .. } => Answer::Done(Value::Null),
            Step::Note { title, value } => {
                lock(&self.notes).push(Note {
                    title: title.clone(),
                    value: value.clone(),
                });
                Answer::Done(Value::Null)
            }
        };
        let took = began.elapsed();
        self.watcher.see(&Event::Finished {
            key,
            step: &step,
            answer: &answer,
            took,
        });
        answer
    }

    fn enter(&self, key: &StepKey, composite: Composite) -> Entry {
        if self.stopper.flag.is_stopped() {
            return Entry::Finished(Answer::Stopped);
        }
        lock(&self.began).insert(key.clone(), Instant::now());
        self.watcher.see(&Event::Entered { key, composite });
        Entry::Begin {
            iteration: 0,
            elapsed: Duration::ZERO,
        }
    }

    fn iterate(&self, key: &StepKey, iteration: u32) {
        self.watcher.see(&Event::Iterated { key, iteration });
    }

    fn leave(&self, key: &StepKey, outcome: &Answer) {
        let took = self.elapsed(key);
        lock(&self.began).remove(key);
        self.watcher.see(&Event::Left {
            key,
            answer: outcome,
            took,
        });
    }

    fn elapsed(&self, key: &StepKey) -> Duration {
        lock(&self.began)
            .get(key)
            .map_or(Duration::ZERO, Instant::elapsed)
    }

    fn stop_flag(&self) -> &StopFlag {
        &self.stopper.flag
    }
}

fn failed(failure: Failure) -> Answer {
    Answer::Failed(Box::new(failure))
}

fn now() -> Value {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let milliseconds = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    cordon_contract::units::format_timestamp(milliseconds).map_or(Value::Null, Value::Text)
}

/// A panic in one branch must not take what the others found out with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
