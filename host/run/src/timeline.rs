//! A journal as people read it: what happened to each step, in the order of the script.

use std::collections::BTreeMap;
use std::time::Duration;

use cordon_contract::step::{Afterwards, Answer, Composite, Step};
use cordon_contract::value::exact;
use cordon_contract::{Effect, Failure, StepKey, Value};
use cordon_journal::record::Stop;
use cordon_journal::{Entry, Moment, RunId, What};
use serde::Serialize;

use crate::follow::answered;

/// The steps of a run, and what ended its script from outside.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// Its steps, in the order of the script; those of branches below theirs.
    pub steps: Vec<Line>,
    /// When and by what its script was ended.
    pub stopped: Option<(Moment, Stop)>,
}

/// What happened to one step.
#[derive(Debug, Clone)]
pub struct Line {
    /// Which.
    pub key: StepKey,
    /// When it began, as far as that was recorded.
    pub at: Moment,
    /// What it is.
    pub what: Kind,
    /// For a write: what it does to the product with these arguments.
    pub effect: Option<Effect>,
    /// How often a write was sent.
    pub attempts: u32,
    /// What came of it, and how long that took.
    pub answer: Option<(Answer, Duration)>,
    /// What else happened to it, in order.
    pub events: Vec<(Moment, Happened)>,
}

/// A step of the script, or a step made of steps.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A step.
    Step(Step),
    /// A step made of steps, and how many further looks or tries it had.
    Composite(Composite, u32),
    /// Nothing that was recorded says which.
    Unknown,
}

/// Something that happened to a step while it was not over.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// It was sent again.
    Sent {
        /// For which time.
        attempt: u32,
    },
    /// The answer to a write was lost.
    Lost {
        /// How.
        failure: Failure,
        /// Whether nobody can know what happened.
        in_doubt: bool,
    },
    /// It waits, or waited.
    Waits {
        /// Until then at the latest.
        until: Option<Moment>,
    },
    /// A person agreed, or refused.
    Decided {
        /// Who.
        by: String,
        /// Whether they agreed.
        allow: bool,
        /// Why.
        comment: Option<String>,
    },
    /// A person answered.
    Given {
        /// Who.
        by: String,
        /// What.
        #[serde(with = "exact")]
        value: Value,
    },
    /// A person said what came of a write that was in doubt.
    Resolved {
        /// Who.
        by: String,
        /// Whether it happened.
        done: bool,
    },
    /// Another run was started.
    Child {
        /// Which.
        run: RunId,
    },
}

impl Timeline {
    /// What these records say.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut steps: BTreeMap<&[u32], Line> = BTreeMap::new();
        let mut stopped = None;
        for entry in entries {
            let (key, at) = (&entry.record.key, entry.record.at);
            match &entry.record.what {
                What::Stopped { stop } => stopped = Some((at, stop.clone())),
                What::Unwinding | What::Branch { .. } => {}
                what => steps
                    .entry(key.path())
                    .or_insert_with(|| Line::new(key, at))
                    .see(at, what),
            }
        }
        let mut steps: Vec<Line> = steps.into_values().collect();
        // First what is taken back, then `on_error` or `on_cancel`, as it is done.
        steps.sort_by_key(|line| line.key.afterwards().map(|which| which != Afterwards::Undo));
        Self { steps, stopped }
    }
}

impl Line {
    fn new(key: &StepKey, at: Moment) -> Self {
        Self {
            key: key.clone(),
            at,
            what: Kind::Unknown,
            effect: None,
            attempts: 0,
            answer: None,
            events: Vec::new(),
        }
    }

    fn see(&mut self, at: Moment, what: &What) {
        let mut happened = |what| self.events.push((at, what));
        match what {
            What::Intent { step, effect } => {
                self.what = Kind::Step(step.clone());
                self.effect = Some(*effect);
                self.attempts = 1;
            }
            What::Attempt { number } => {
                self.attempts = *number;
                happened(Happened::Sent { attempt: *number });
            }
            What::Deferred {
                failure, asked: 0, ..
            } => happened(Happened::Lost {
                failure: (**failure).clone(),
                in_doubt: false,
            }),
            What::Doubt { failure } => happened(Happened::Lost {
                failure: (**failure).clone(),
                in_doubt: true,
            }),
            What::Resolved { by, done, value } => {
                happened(Happened::Resolved {
                    by: by.clone(),
                    done: *done,
                });
                let lost = self.events.iter().find_map(|(_, what)| match what {
                    Happened::Lost { failure, .. } => Some(failure.clone()),
                    _ => None,
                });
                let answer = match (done, lost) {
                    (false, Some(failure)) => Answer::Failed(Box::new(failure)),
                    _ => Answer::Done(value.clone()),
                };
                self.answer = Some((answer, at.since(self.at)));
            }
            What::Wait { step, until, .. } => {
                self.what = Kind::Step(step.clone());
                happened(Happened::Waits {
                    until: Some(*until),
                });
            }
            What::Asked { step, until } => {
                self.what = Kind::Step(step.clone());
                happened(Happened::Waits { until: *until });
            }
            What::Decided { by, allow, comment } => happened(Happened::Decided {
                by: by.clone(),
                allow: *allow,
                comment: comment.clone(),
            }),
            What::Given { by, value } => happened(Happened::Given {
                by: by.clone(),
                value: value.clone(),
            }),
            What::Child { step, run } => {
                self.what = Kind::Step(step.clone());
                happened(Happened::Child { run: *run });
            }
            What::Outcome { step, answer, took } => {
                if let Some(step) = step {
                    self.what = Kind::Step(step.clone());
                    // It is recorded when it is over.
                    self.at = Moment(at.0 - i64::try_from(took.as_millis()).unwrap_or(0));
                    if matches!(step, Step::Action { .. }) {
                        self.effect = Some(Effect::Read);
                    }
                }
                self.answer = Some((answered(answer), *took));
            }
            What::Entered { composite } => self.what = Kind::Composite(*composite, 0),
            What::Iterated { iteration } => {
                if let Kind::Composite(_, count) = &mut self.what {
                    *count = *iteration;
                }
            }
            What::Left { answer, .. } => {
                self.answer = Some((answered(answer), at.since(self.at)));
            }
            What::Deferred { .. }
            | What::Branch { .. }
            | What::Stopped { .. }
            | What::Unwinding => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use cordon_journal::{Entry, Record};

    use super::*;

    #[test]
    fn steps_stand_in_the_order_of_the_script_with_what_is_done_after_it_at_the_end() {
        let entry = |seq: u64, key: StepKey| Entry {
            seq,
            record: Record {
                at: Moment(1000),
                key,
                what: What::Outcome {
                    step: Some(Step::Now),
                    answer: cordon_journal::record::Recorded::Done(Value::Null),
                    took: Duration::from_millis(10),
                },
            },
        };
        let keys = [
            StepKey::root(2),
            StepKey::root(1).child(0, 1),
            StepKey::root(1),
            Afterwards::Undo.key().child(0, 1),
            Afterwards::OnError.key().child(0, 1),
        ];
        let entries: Vec<Entry> = (0..).zip(keys).map(|(seq, key)| entry(seq, key)).collect();
        let timeline = Timeline::of(&entries);
        let keys: Vec<String> = timeline
            .steps
            .iter()
            .map(|line| line.key.to_string())
            .collect();
        assert_eq!(keys, ["1", "1.0.1", "2", "undo.0.1", "on_error.0.1"]);
        assert_eq!(timeline.steps[0].at, Moment(990));
    }
}
