//! What is known of the steps of a run: the sum of its records.
//!
//! [`Memory::apply`] is the only way in, for a record that was just made as for one that was read from
//! the store, so that what a machine knows is what it would know after a crash.

mod apply;
mod forget;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use cordon_contract::step::{Answer, Composite, Step};
use cordon_contract::{Action, ConnectorModel, Effect, Failure, StepKey, Value};
use cordon_journal::record::{Items, Recorded, Settling, Stop};
use cordon_journal::{Moment, RunId};

/// The connectors of a run's connections, by the connection's name.
#[derive(Debug, Clone, Default)]
pub struct Facts(pub BTreeMap<String, Arc<ConnectorModel>>);

impl Facts {
    /// An action of a connection.
    #[must_use]
    pub fn action(&self, connection: &str, action: &str) -> Option<&Action> {
        self.0.get(connection)?.action(action)
    }
}

/// What is known of a run.
#[derive(Debug, Default)]
pub(super) struct Memory {
    steps: HashMap<StepKey, Known>,
    /// The runs that this one started and that were looked at since it was taken up: a matter of the
    /// moment, of which there is no record.
    pub looked_at: HashSet<StepKey>,
    /// The last step that is known inside of a branch or try.
    last: HashMap<(StepKey, u32), u32>,
    /// The steps that wait for something.
    pub open: BTreeSet<StepKey>,
    /// The composite steps inside of which something was registered to be taken back, and the first
    /// branch or try in which it was.
    undo: HashMap<StepKey, u32>,
    /// Their branches and tries in which it was.
    undo_branches: HashSet<(StepKey, u32)>,
    /// What ended the script from outside.
    pub stop: Option<Stop>,
    /// What is done after the script has begun.
    pub unwinding: bool,
    /// Steps over many that did not do all.
    pub partial: BTreeMap<StepKey, Items>,
}

/// A step that is known.
#[derive(Debug)]
pub(super) struct Known {
    /// When it was first heard of.
    pub since: Moment,
    /// The places of its records that may be dropped once no replay needs them.
    pub seqs: Vec<u64>,
    /// Where it stands.
    pub stage: Stage,
}

/// Where a step stands.
#[derive(Debug)]
pub(super) enum Stage {
    /// It is over. Of what has changed something, more than the answer is never forgotten.
    Done {
        step: Step,
        answer: Recorded,
        changed: bool,
    },
    /// A write that was sent, perhaps.
    Sent(Box<Sent>),
    /// A wait.
    Waiting {
        step: Step,
        until: Moment,
        again: bool,
    },
    /// People were asked.
    Asked(Box<Asked>),
    /// Another playbook was started.
    Child { step: Step, run: RunId },
    /// A composite step.
    Composite(Box<Whole>),
}

/// A write that was sent, perhaps.
#[derive(Debug)]
pub(super) struct Sent {
    pub step: Step,
    pub effect: Effect,
    /// Since when the last attempt may be under way.
    pub attempted: Moment,
    /// The number of the last attempt, from 1.
    pub attempt: u32,
    /// How its answer was lost, and what is done about it when; none while it is not known to be lost.
    pub deferred: Option<Deferred>,
    /// Nobody can know.
    pub doubt: Option<Failure>,
}

#[derive(Debug, Clone)]
pub(super) struct Deferred {
    pub failure: Failure,
    pub then: Settling,
    pub until: Moment,
    pub asked: u32,
}

/// A question to people.
#[derive(Debug)]
pub(super) struct Asked {
    pub step: Step,
    pub until: Option<Moment>,
    pub decisions: Vec<Decision>,
    pub given: Option<(String, Value)>,
}

/// What one person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    pub by: String,
    pub at: Moment,
    pub allow: bool,
    pub comment: Option<String>,
}

/// A composite step.
#[derive(Debug)]
pub(super) struct Whole {
    pub composite: Option<Composite>,
    pub iteration: u32,
    /// The place of the record of the last iteration.
    pub iterated: Option<u64>,
    pub branches: BTreeMap<u32, Recorded>,
    pub left: Option<Recorded>,
}

impl Whole {
    fn new(composite: Option<Composite>) -> Self {
        Self {
            composite,
            iteration: 0,
            iterated: None,
            branches: BTreeMap::new(),
            left: None,
        }
    }
}

impl Stage {
    /// The step that the script asked for; none for a composite one.
    pub fn step(&self) -> Option<&Step> {
        match self {
            Self::Done { step, .. } | Self::Waiting { step, .. } | Self::Child { step, .. } => {
                Some(step)
            }
            Self::Sent(sent) => Some(&sent.step),
            Self::Asked(asked) => Some(&asked.step),
            Self::Composite(_) => None,
        }
    }
}

/// The answer that a script gets for a record.
pub(super) fn answered(recorded: &Recorded) -> Answer {
    match recorded {
        Recorded::Done(value) => Answer::Done(value.clone()),
        Recorded::Failed(failure) => Answer::Failed(failure.clone()),
        // Whoever reads the journal puts the value in place; see `executor::journal`.
        Recorded::Large { .. } => Answer::Done(Value::Null),
    }
}

impl Memory {
    pub fn get(&self, key: &StepKey) -> Option<&Known> {
        self.steps.get(key)
    }

    pub fn whole(&self, key: &StepKey) -> Option<&Whole> {
        match &self.steps.get(key)?.stage {
            Stage::Composite(whole) => Some(whole),
            _ => None,
        }
    }

    pub fn last_in(&self, key: &StepKey, branch: u32) -> Option<u32> {
        self.last.get(&(key.clone(), branch)).copied()
    }

    /// The first branch or try of this composite step in which something was registered that only the
    /// script can give again; none where nothing was.
    pub fn must_be_gone_through(&self, key: &StepKey) -> Option<u32> {
        self.undo.get(key).copied()
    }

    pub fn branch_must_be_gone_through(&self, key: &StepKey, branch: u32) -> bool {
        !self.undo_branches.is_empty() && self.undo_branches.contains(&(key.clone(), branch))
    }

    /// Whether the script itself, what is done after it left aside, has sent a write, perhaps, of which
    /// it is not known what came of it.
    pub fn is_unsettled(&self) -> bool {
        let mut open = self.open.iter();
        open.any(|key| key.afterwards().is_none() && self.is_sent(key))
    }

    /// Whether a step that waits still matters: once the script is ended, what it waits for does not,
    /// but what was sent does.
    pub fn matters(&self, key: &StepKey) -> bool {
        self.stop.is_none() || key.afterwards().is_some() || self.is_sent(key)
    }

    fn is_sent(&self, key: &StepKey) -> bool {
        let stage = self.steps.get(key).map(|known| &known.stage);
        matches!(stage, Some(Stage::Sent(_)))
    }
}
