//! What a run did, read from its journal: for the person who wants to know what was done to which host.

use std::collections::BTreeMap;
use std::time::Duration;

use cordon_contract::step::Step;
use cordon_contract::value::Map;
use cordon_contract::{Effect, Failure, StepKey, Value};
use cordon_journal::record::Recorded;
use cordon_journal::{Entry, Run, What};

use crate::engine::found_not_done;

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What the playbook noted.
    pub notes: Vec<Note>,
    /// What was done to products, also by a run that failed, in the order in which it began.
    pub writes: Vec<Write>,
    /// The writes of which nobody knows whether they happened.
    pub in_doubt: Vec<InDoubt>,
    /// What it keeps by name: the digest and the number of bytes.
    pub artifacts: BTreeMap<String, (String, u64)>,
    /// How many reads it made, those of earlier looks of a poll not counted.
    pub reads: usize,
    /// From its start to its end, or to the last record.
    pub took: Duration,
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
    /// How often it was sent.
    pub attempts: u32,
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

impl Report {
    /// What the run of this journal did.
    #[must_use]
    pub fn of(run: &Run, entries: &[Entry]) -> Self {
        let mut report = Self::default();
        let mut by_step: BTreeMap<&StepKey, usize> = BTreeMap::new();
        for entry in entries {
            let key = &entry.record.key;
            match &entry.record.what {
                What::Intent {
                    step:
                        Step::Action {
                            connection,
                            action,
                            arguments,
                            ..
                        },
                    effect,
                } => {
                    by_step.insert(key, report.writes.len());
                    report.writes.push(Write {
                        step: key.clone(),
                        connection: connection.clone(),
                        action: action.clone(),
                        arguments: arguments.clone(),
                        effect: *effect,
                        attempts: 1,
                        outcome: None,
                    });
                }
                What::Attempt { number } => {
                    if let Some(write) = by_step.get(key) {
                        report.writes[*write].attempts = *number;
                    }
                }
                What::Doubt { failure } => {
                    if let Some(write) = by_step.get(key) {
                        report.in_doubt.push(InDoubt {
                            step: key.clone(),
                            arguments: report.writes[*write].arguments.clone(),
                            failure: (**failure).clone(),
                        });
                    }
                }
                What::Resolved { done, .. } => {
                    let doubt = report.in_doubt.iter().position(|doubt| doubt.step == *key);
                    let doubt = doubt.map(|doubt| report.in_doubt.remove(doubt));
                    if let Some(write) = by_step.get(key) {
                        report.writes[*write].outcome = match (done, doubt) {
                            (true, _) => Some(Ok(())),
                            (false, Some(doubt)) => Some(Err(found_not_done(doubt.failure))),
                            (false, None) => None,
                        };
                    }
                }
                What::Outcome { step, answer, .. } => {
                    report.outcome(step.as_ref(), answer, by_step.get(key).copied())
                }
                _ => {}
            }
        }
        let last = entries.last().map(|entry| entry.record.at);
        let end = run.status.end.as_ref().map(|end| end.at).or(last);
        report.took = end.map_or(Duration::ZERO, |end| end.since(run.order.created));
        report
    }

    fn outcome(&mut self, step: Option<&Step>, answer: &Recorded, write: Option<usize>) {
        if let Some(write) = write {
            self.writes[write].outcome = Some(match answer {
                Recorded::Failed(failure) => Err((**failure).clone()),
                Recorded::Done(_) | Recorded::Large { .. } => Ok(()),
            });
            return;
        }
        match step {
            Some(Step::Action { .. }) => self.reads += 1,
            Some(Step::Note { title, value }) => self.notes.push(Note {
                title: title.clone(),
                value: value.clone(),
            }),
            Some(Step::Artifact {
                name,
                value: Value::Blob(blob),
            }) => {
                let kept = (blob.reference.clone(), blob.length);
                self.artifacts.insert(name.clone(), kept);
            }
            _ => {}
        }
    }
}
