//! Follows a run that another process executes: turns what is new in its journal into the events that
//! somebody who watches would have seen there.

use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::Arc;
use std::time::Duration;

use cordon_contract::step::{Answer, Step};
use cordon_contract::{Effect, Failure, StepKey, Value};
use cordon_journal::record::{Recorded, Settling};
use cordon_journal::run::Status;
use cordon_journal::{Entry as Kept, Moment, Run, RunId, State, Store, StoreError, What};

use crate::engine::Verdict;
use crate::event::{Event, Watcher};
use crate::executor::journal;

/// Follows one run and those that it starts.
pub struct Follower {
    store: Arc<dyn Store>,
    followed: BTreeMap<RunId, Followed>,
}

/// What was seen of a run so far.
#[derive(Default)]
struct Followed {
    after: u64,
    steps: HashMap<StepKey, (Step, Option<Effect>, Moment)>,
    failures: HashMap<StepKey, Failure>,
    status: Option<Status>,
}

impl Follower {
    /// Follows this run from its beginning.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, run: RunId) -> Self {
        let followed = BTreeMap::from([(run, Followed::default())]);
        Self { store, followed }
    }

    /// Goes on with another connection to the same store.
    pub fn reopen(&mut self, store: Arc<dyn Store>) {
        self.store = store;
    }

    /// Tells what is new.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn poll(&mut self, watcher: &dyn Watcher) -> Result<(), StoreError> {
        let mut left: Vec<RunId> = self.followed.keys().copied().collect();
        while let Some(id) = left.pop() {
            // The row first: where it says that the run has ended, its journal is whole.
            let Some(run) = self.store.run(id)? else {
                continue;
            };
            let followed = self.followed.entry(id).or_default();
            let children = followed.see(&*self.store, &run, watcher)?;
            for child in children {
                if let Entry::Vacant(new) = self.followed.entry(child) {
                    new.insert(Followed::default());
                    left.push(child);
                }
            }
        }
        Ok(())
    }
}

/// Tells everything that a journal holds, as if it happened now.
///
/// # Errors
/// Where the store cannot be read.
pub fn replay(store: &dyn Store, run: &Run, watcher: &dyn Watcher) -> Result<(), StoreError> {
    Followed::default().entries(store, run, watcher).map(|_| ())
}

impl Followed {
    fn see(
        &mut self,
        store: &dyn Store,
        run: &Run,
        watcher: &dyn Watcher,
    ) -> Result<Vec<RunId>, StoreError> {
        let before = self.status.as_ref().map(|status| status.state);
        let goes = matches!(run.status.state, State::Going | State::Ended);
        if before.is_none()
            || (before != Some(State::Going) && goes && before != Some(State::Ended))
        {
            watcher.see(run.id, &Event::TakenUp { run });
        }
        let children = self.entries(store, run, watcher)?;
        if self.status.as_ref() != Some(&run.status) {
            match (&run.status.end, run.status.state) {
                (Some(end), _) => watcher.see(run.id, &Event::Over { end }),
                (None, State::Going) => {}
                (None, _) => {
                    let status = &run.status;
                    watcher.see(run.id, &Event::PutAside { status });
                }
            }
            self.status = Some(run.status.clone());
        }
        Ok(children)
    }

    fn entries(
        &mut self,
        store: &dyn Store,
        run: &Run,
        watcher: &dyn Watcher,
    ) -> Result<Vec<RunId>, StoreError> {
        let mut entries = store.journal(run.id, self.after)?;
        journal::complete(store, run.id, &mut entries)?;
        let mut children = Vec::new();
        for entry in &entries {
            self.after = entry.seq;
            if let What::Child { run, .. } = &entry.record.what {
                children.push(*run);
            }
            self.entry(entry, &mut |event| watcher.see(run.id, event));
        }
        Ok(children)
    }

    fn entry(&mut self, entry: &Kept, see: &mut dyn FnMut(&Event<'_>)) {
        let (key, at) = (&entry.record.key, entry.record.at);
        match &entry.record.what {
            What::Intent { step, effect } => self.begin(key, step, Some(*effect), at, see),
            What::Wait { step, .. } | What::Asked { step, .. } | What::Child { step, .. } => {
                self.begin(key, step, None, at, see);
            }
            What::Deferred {
                failure,
                then,
                until,
                asked: 0,
            } => {
                let verdict = match then {
                    Settling::Resend => Verdict::Repeat {
                        after: until.since(at),
                    },
                    Settling::Ask => Verdict::AskTheProduct,
                };
                see(&Event::AnswerLost {
                    key,
                    failure,
                    verdict,
                });
            }
            What::Doubt { failure } => {
                self.failures.insert(key.clone(), (**failure).clone());
                let verdict = Verdict::InDoubt;
                see(&Event::AnswerLost {
                    key,
                    failure,
                    verdict,
                });
            }
            What::Resolved { done, value, .. } => {
                let answer = match (done, self.failures.remove(key)) {
                    (false, Some(failure)) => Answer::Failed(Box::new(failure)),
                    _ => Answer::Done(value.clone()),
                };
                self.end(key, &answer, None, at, see);
            }
            What::Outcome { step, answer, took } => {
                if let Some(step) = step {
                    let effect = matches!(step, Step::Action { .. }).then_some(Effect::Read);
                    self.begin(key, step, effect, at, see);
                }
                self.end(key, &answered(answer), Some(*took), at, see);
            }
            What::Entered { composite } => {
                let composite = *composite;
                self.steps.insert(key.clone(), (Step::Undo, None, at));
                see(&Event::Entered { key, composite });
            }
            What::Iterated { iteration } => {
                let iteration = *iteration;
                see(&Event::Iterated { key, iteration });
            }
            What::Left { answer, .. } => {
                let began = self.steps.remove(key).map_or(at, |(.., began)| began);
                see(&Event::Left {
                    key,
                    answer: &answered(answer),
                    took: at.since(began),
                });
            }
            What::Attempt { .. }
            | What::Deferred { .. }
            | What::Decided { .. }
            | What::Given { .. }
            | What::Branch { .. }
            | What::Stopped { .. }
            | What::Unwinding => {}
        }
    }

    fn begin(
        &mut self,
        key: &StepKey,
        step: &Step,
        effect: Option<Effect>,
        at: Moment,
        see: &mut dyn FnMut(&Event<'_>),
    ) {
        self.steps.insert(key.clone(), (step.clone(), effect, at));
        see(&Event::Started { key, step, effect });
    }

    fn end(
        &mut self,
        key: &StepKey,
        answer: &Answer,
        took: Option<Duration>,
        at: Moment,
        see: &mut dyn FnMut(&Event<'_>),
    ) {
        let Some((step, _, began)) = self.steps.remove(key) else {
            return;
        };
        see(&Event::Finished {
            key,
            step: &step,
            answer,
            took: took.unwrap_or_else(|| at.since(began)),
        });
    }
}

/// What a record says that came of a step.
#[must_use]
pub fn answered(recorded: &Recorded) -> Answer {
    match recorded {
        Recorded::Done(value) => Answer::Done(value.clone()),
        Recorded::Failed(failure) => Answer::Failed(failure.clone()),
        Recorded::Large { length, .. } => Answer::Done(Value::text(format!("{length} bytes"))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use cordon_journal::Record;

    use super::*;

    #[derive(Default)]
    struct Words(Mutex<Vec<String>>);

    impl Words {
        fn hear(&self, event: &Event<'_>) {
            let word = match event {
                Event::Started { key, effect, .. } => {
                    format!("started {key} {}", effect.map_or("-", Effect::name))
                }
                Event::Finished { key, answer, .. } => {
                    format!("finished {key} {}", matches!(answer, Answer::Done(_)))
                }
                Event::AnswerLost { key, verdict, .. } => format!("lost {key} {verdict:?}"),
                _ => "other".to_owned(),
            };
            self.0.lock().unwrap().push(word);
        }
    }

    #[test]
    fn a_write_that_was_lost_and_resolved_is_told_from_its_records() {
        let step = Step::Action {
            connection: "edr".to_owned(),
            action: "wipe".to_owned(),
            arguments: cordon_contract::value::Map::new(),
            undoable: false,
        };
        let failure = Failure::new(cordon_contract::ErrorKind::Timeout, "no answer");
        let whats = [
            What::Intent {
                step,
                effect: Effect::Destructive,
            },
            What::Doubt {
                failure: Box::new(failure),
            },
            What::Resolved {
                by: "alice".to_owned(),
                done: false,
                value: Value::Null,
            },
        ];
        let (words, mut followed) = (Words::default(), Followed::default());
        for (seq, what) in whats.into_iter().enumerate() {
            let record = Record {
                at: Moment(seq as i64),
                key: StepKey::root(4),
                what,
            };
            let seq = seq as u64;
            followed.entry(&Kept { seq, record }, &mut |event| words.hear(event));
        }
        assert_eq!(
            *words.0.lock().unwrap(),
            [
                "started 4 destructive",
                "lost 4 InDoubt",
                "finished 4 false"
            ]
        );
    }
}
