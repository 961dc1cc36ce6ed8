//! What a run waits for: which of its steps can go on now, when the next one can, and what to tell
//! people about it.

use std::time::Duration;

use cordon_contract::step::{Composite, Step};
use cordon_contract::{StepKey, name};
use cordon_journal::record::Settling;
use cordon_journal::run::{Reason, Waiting};
use cordon_journal::{Moment, RunId};

use super::memory::{Memory, Stage};

/// How many of the things that a run waits for are told.
const TOLD_MAX: usize = 20;

/// A step that cannot go on now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dormant {
    /// When it can; none where only a person or another run can move it.
    pub until: Option<Moment>,
}

impl Dormant {
    fn earlier(self, other: Self) -> Self {
        Self {
            until: match (self.until, other.until) {
                (Some(left), Some(right)) => Some(left.min(right)),
                (one, other) => one.or(other),
            },
        }
    }

    /// For how long, by this clock. What only others can move is looked at again after a while.
    pub fn rest(self, now: Moment) -> Duration {
        self.until
            .map_or(Duration::from_secs(3600), |until| until.since(now))
    }
}

impl Memory {
    /// When the next of the steps that wait can go on, whether or not that is over.
    pub fn next_due(&self) -> Option<Moment> {
        self.open
            .iter()
            .filter(|key| self.matters(key))
            .filter_map(|key| self.due_of(key))
            .min()
    }

    /// When a waiting step can go on; none where only others can move it.
    pub fn due_of(&self, key: &StepKey) -> Option<Moment> {
        match &self.get(key)?.stage {
            Stage::Waiting { until, .. } => Some(*until),
            Stage::Asked(asked) if super::people::is_decided(asked) => Some(Moment(0)),
            Stage::Asked(asked) => asked.until,
            Stage::Sent(sent) => match (&sent.doubt, &sent.deferred) {
                (Some(_), _) => None,
                (None, Some(deferred)) => Some(deferred.until),
                (None, None) => Some(Moment(0)),
            },
            Stage::Done { .. } | Stage::Child { .. } | Stage::Composite(_) => None,
        }
    }

    /// Whether a step cannot go on now.
    pub fn dormant(&self, key: &StepKey, now: Moment) -> Option<Dormant> {
        let whole = match &self.get(key)?.stage {
            Stage::Done { .. } => return None,
            // It may have ended since, and only a look at it tells.
            Stage::Child { .. } if !self.looked_at.contains(key) => return None,
            Stage::Composite(whole) => whole,
            _ => {
                let until = self.due_of(key);
                return (self.open.contains(key) && until.is_none_or(|until| until > now))
                    .then_some(Dormant { until });
            }
        };
        if whole.left.is_some() {
            return None;
        }
        match whole.composite {
            Some(Composite::Parallel { branches, max }) => {
                let mut found: Option<Dormant> = None;
                let (mut waiting, mut fresh) = (0, 0);
                for branch in 0..branches {
                    if whole.branches.contains_key(&branch) {
                        continue;
                    }
                    if self.last_in(key, branch).is_none() {
                        fresh += 1;
                        continue;
                    }
                    let dormant = self.branch_dormant(key, branch, now)?;
                    waiting += 1;
                    found = Some(found.map_or(dormant, |found| found.earlier(dormant)));
                }
                // A further branch could begin.
                if fresh > 0 && waiting < max {
                    return None;
                }
                found
            }
            _ => self.branch_dormant(key, whole.iteration, now),
        }
    }

    /// Whether a branch or try cannot go on now: its last step cannot.
    pub fn branch_dormant(&self, key: &StepKey, branch: u32, now: Moment) -> Option<Dormant> {
        let last = self.last_in(key, branch)?;
        self.dormant(&key.child(branch, last), now)
    }

    /// What the run waits for, for people.
    pub fn waits(&self, playbook_of: impl Fn(RunId) -> String) -> Vec<Waiting> {
        let open = self.open.iter().filter(|key| self.matters(key));
        let told = open.filter_map(|key| {
            let known = self.get(key)?;
            let (reason, until) = match &known.stage {
                Stage::Waiting { step, until, .. } => (
                    match step {
                        Step::Again { .. } => Reason::Poll,
                        Step::Sleep {
                            reason: cordon_contract::step::Pause::Retry,
                            ..
                        } => Reason::Retry,
                        _ => Reason::Sleep,
                    },
                    Some(*until),
                ),
                Stage::Asked(asked) => (super::people::reason(asked), asked.until),
                Stage::Child { run, .. } => {
                    let playbook = playbook_of(*run);
                    (
                        Reason::Child {
                            run: *run,
                            playbook,
                        },
                        None,
                    )
                }
                Stage::Sent(sent) => {
                    let action = named(&sent.step);
                    match (&sent.doubt, &sent.deferred) {
                        (Some(failure), _) => {
                            let message = failure.message.clone();
                            (Reason::Resolve { action, message }, None)
                        }
                        (None, Some(deferred)) => {
                            let reason = match deferred.then {
                                Settling::Resend => Reason::Resend { action },
                                Settling::Ask => Reason::Reconcile { action },
                            };
                            (reason, Some(deferred.until))
                        }
                        (None, None) => return None,
                    }
                }
                Stage::Done { .. } | Stage::Composite(_) => return None,
            };
            Some(Waiting {
                step: Some(key.clone()),
                reason,
                since: known.since,
                until,
            })
        });
        told.take(TOLD_MAX).collect()
    }
}

/// `connection.action`
pub(super) fn named(step: &Step) -> String {
    match step {
        Step::Action {
            connection, action, ..
        } => format!("{connection}.{}", name::snake(action)),
        _ => String::new(),
    }
}
