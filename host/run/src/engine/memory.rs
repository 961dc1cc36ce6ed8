//! What is known of the steps of a run: the sum of its records.
//!
//! [`Memory::apply`] is the only way in, for a record that was just made as for one that was read from
//! the store, so that what a machine knows is what it would know after a crash.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use cordon_contract::step::{Answer, Composite, Step};
use cordon_contract::{Action, ConnectorModel, Effect, Failure, StepKey, Value};
use cordon_journal::record::{Items, Recorded, Settling, Stop};
use cordon_journal::{Moment, Record, RunId, What};

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

    /// Adds a record.
    pub fn apply(&mut self, seq: u64, record: &Record) {
        let Record { at, key, what } = record;
        match what {
            What::Stopped { stop } => {
                self.stop.get_or_insert_with(|| stop.clone());
                return;
            }
            What::Unwinding => {
                self.unwinding = true;
                return;
            }
            _ => {}
        }
        self.place(key);
        match what {
            What::Stopped { .. } | What::Unwinding => {}
            What::Intent { step, effect } => {
                let sent = Sent {
                    step: step.clone(),
                    effect: *effect,
                    attempted: *at,
                    attempt: 1,
                    deferred: None,
                    doubt: None,
                };
                self.set(key, *at, seq, Stage::Sent(Box::new(sent)));
            }
            What::Attempt { number } => self.with_sent(key, seq, |sent| {
                sent.attempt = *number;
                sent.attempted = *at;
                sent.deferred = None;
            }),
            What::Deferred {
                failure,
                then,
                until,
                asked,
            } => {
                self.open.insert(key.clone());
                self.with_sent(key, seq, |sent| {
                    sent.deferred = Some(Deferred {
                        failure: (**failure).clone(),
                        then: *then,
                        until: *until,
                        asked: *asked,
                    });
                });
            }
            What::Doubt { failure } => {
                self.open.insert(key.clone());
                self.with_sent(key, seq, |sent| sent.doubt = Some((**failure).clone()));
            }
            What::Resolved { done, value, .. } => {
                let answer = match (done, self.doubt_of(key)) {
                    (true, _) => Recorded::Done(value.clone()),
                    (false, failure) => Recorded::Failed(Box::new(failure)),
                };
                self.finish(key, *at, seq, None, answer);
            }
            What::Wait { step, until, again } => {
                self.open.insert(key.clone());
                let (step, until, again) = (step.clone(), *until, *again);
                self.set(key, *at, seq, Stage::Waiting { step, until, again });
            }
            What::Asked { step, until } => {
                self.open.insert(key.clone());
                let asked = Asked {
                    step: step.clone(),
                    until: *until,
                    decisions: Vec::new(),
                    given: None,
                };
                self.set(key, *at, seq, Stage::Asked(Box::new(asked)));
            }
            What::Decided { by, allow, comment } => {
                if let Some(asked) = self.asked(key) {
                    asked.decisions.push(Decision {
                        by: by.clone(),
                        at: *at,
                        allow: *allow,
                        comment: comment.clone(),
                    });
                }
            }
            What::Given { by, value } => {
                if let Some(asked) = self.asked(key) {
                    asked.given = Some((by.clone(), value.clone()));
                }
            }
            What::Child { step, run } => {
                self.open.insert(key.clone());
                let (step, run) = (step.clone(), *run);
                self.set(key, *at, seq, Stage::Child { step, run });
            }
            What::Outcome { step, answer, .. } => {
                self.finish(key, *at, seq, step.clone(), answer.clone());
            }
            What::Entered { composite } => {
                let whole = Whole::new(Some(*composite));
                self.set(key, *at, seq, Stage::Composite(Box::new(whole)));
            }
            What::Iterated { iteration } => {
                if let Some((whole, _)) = self.whole_mut(key, *at) {
                    whole.iteration = *iteration;
                    whole.iterated = Some(seq);
                }
                // A loop that must be gone through again is so from there on as a whole.
                if self.must_be_gone_through(key).is_none() {
                    self.forget_branch(key, iteration.saturating_sub(1));
                }
            }
            What::Branch { branch, answer } => {
                let mut residue = self.residue(key, *branch..branch.saturating_add(1));
                if let Some((whole, seqs)) = self.whole_mut(key, *at) {
                    whole.branches.insert(*branch, answer.clone());
                    seqs.push(seq);
                    seqs.append(&mut residue);
                }
                self.forget_branch(key, *branch);
            }
            What::Left { answer, items } => {
                let branches = self.remembered(key);
                let mut residue = self.residue(key, branches);
                if let Some((whole, seqs)) = self.whole_mut(key, *at) {
                    whole.left = Some(answer.clone());
                    seqs.push(seq);
                    seqs.append(&mut residue);
                }
                if let Some(items) = items.filter(|items| items.done < items.of) {
                    self.partial.insert(key.clone(), items);
                }
                self.forget_inside(key);
            }
        }
    }

    fn set(&mut self, key: &StepKey, since: Moment, seq: u64, stage: Stage) {
        let known = Known {
            since,
            seqs: vec![seq],
            stage,
        };
        self.steps.insert(key.clone(), known);
    }

    fn finish(
        &mut self,
        key: &StepKey,
        at: Moment,
        seq: u64,
        step: Option<Step>,
        answer: Recorded,
    ) {
        self.open.remove(key);
        let before = self.steps.remove(key);
        let changed = matches!(
            before.as_ref().map(|known| &known.stage),
            Some(Stage::Sent(_))
        );
        let (since, mut seqs) = before
            .as_ref()
            .map_or((at, Vec::new()), |known| (known.since, known.seqs.clone()));
        seqs.push(seq);
        let step = step.or_else(|| before?.stage.step().cloned());
        let Some(step) = step else {
            // An outcome of nothing: a journal that was not written by this program. The script will
            // ask, and be told that its journal holds something else.
            return;
        };
        let registers = match &step {
            Step::Undo => true,
            Step::Action { undoable, .. } => *undoable && matches!(answer, Recorded::Done(_)),
            _ => false,
        };
        if registers {
            self.register(key);
        }
        let stage = Stage::Done {
            step,
            answer,
            changed,
        };
        self.steps.insert(key.clone(), Known { since, seqs, stage });
    }

    fn register(&mut self, key: &StepKey) {
        let mut around = key.parent();
        while let Some((composite, branch)) = around {
            around = composite.parent();
            let first = self.undo.entry(composite.clone()).or_insert(branch);
            *first = (*first).min(branch);
            self.undo_branches.insert((composite, branch));
        }
    }

    /// A step that is inside of a branch is the last there until a later one comes.
    fn place(&mut self, key: &StepKey) {
        let Some(index) = key.path().last().copied() else {
            return;
        };
        if let Some(inside) = key.parent() {
            let last = self.last.entry(inside).or_insert(index);
            *last = (*last).max(index);
        }
    }

    fn with_sent(&mut self, key: &StepKey, seq: u64, change: impl FnOnce(&mut Sent)) {
        if let Some(known) = self.steps.get_mut(key) {
            known.seqs.push(seq);
            if let Stage::Sent(sent) = &mut known.stage {
                change(sent);
                if sent.deferred.is_none() && sent.doubt.is_none() {
                    self.open.remove(key);
                }
            }
        }
    }

    fn doubt_of(&self, key: &StepKey) -> Failure {
        let doubt = match self.steps.get(key).map(|known| &known.stage) {
            Some(Stage::Sent(sent)) => sent.doubt.clone(),
            _ => None,
        };
        super::settle::found_not_done(doubt.unwrap_or_else(|| {
            Failure::new(
                cordon_contract::ErrorKind::Unavailable,
                "its answer was lost",
            )
        }))
    }

    fn asked(&mut self, key: &StepKey) -> Option<&mut Asked> {
        match &mut self.steps.get_mut(key)?.stage {
            Stage::Asked(asked) => Some(asked),
            _ => None,
        }
    }

    /// The composite step of this key. What is done after the script has no record of its own that it
    /// began.
    fn whole_mut(&mut self, key: &StepKey, at: Moment) -> Option<(&mut Whole, &mut Vec<u64>)> {
        let known = self.steps.entry(key.clone()).or_insert_with(|| Known {
            since: at,
            seqs: Vec::new(),
            stage: Stage::Composite(Box::new(Whole::new(None))),
        });
        match &mut known.stage {
            Stage::Composite(whole) => Some((whole, &mut known.seqs)),
            _ => None,
        }
    }

    /// The places of all records inside of a branch that no replay needs once the branch is over and
    /// that changed nothing outside.
    pub fn prunable(&self, key: &StepKey, branch: u32, seqs: &mut Vec<u64>) {
        if self.branch_must_be_gone_through(key, branch) {
            return;
        }
        for child in self.children(key, branch) {
            let Some(known) = self.steps.get(&child) else {
                continue;
            };
            match &known.stage {
                Stage::Done { changed: false, .. } => seqs.extend(&known.seqs),
                Stage::Composite(whole) => {
                    seqs.extend(&known.seqs);
                    seqs.extend(whole.iterated);
                    for branch in self.remembered(&child) {
                        self.prunable(&child, branch, seqs);
                    }
                }
                _ => {}
            }
        }
    }

    /// What [`Memory::prunable`] finds in these branches, for a composite step that may be dropped as
    /// part of another one later.
    fn residue(&self, key: &StepKey, branches: Range<u32>) -> Vec<u64> {
        let mut seqs = Vec::new();
        if key.parent().is_some() {
            for branch in branches {
                self.prunable(key, branch, &mut seqs);
            }
        }
        seqs
    }

    /// The branches of which something may be known. Of a loop only the latest try is: what came before
    /// was forgotten as it went on.
    fn remembered(&self, key: &StepKey) -> Range<u32> {
        match self.whole(key) {
            Some(Whole {
                composite: Some(Composite::Parallel { branches, .. }),
                ..
            }) => 0..*branches,
            Some(whole) => whole.iteration..whole.iteration.saturating_add(1),
            None => 0..0,
        }
    }

    fn children(&self, key: &StepKey, branch: u32) -> Vec<StepKey> {
        let last = self.last_in(key, branch);
        last.map_or_else(Vec::new, |last| {
            (0..=last).map(|index| key.child(branch, index)).collect()
        })
    }

    fn forget_branch(&mut self, key: &StepKey, branch: u32) {
        if self.branch_must_be_gone_through(key, branch) {
            return;
        }
        for child in self.children(key, branch) {
            self.forget_inside(&child);
            self.open.remove(&child);
            self.steps.remove(&child);
        }
        self.last.remove(&(key.clone(), branch));
    }

    fn forget_inside(&mut self, key: &StepKey) {
        let is_loop = !matches!(
            self.whole(key).and_then(|whole| whole.composite),
            Some(Composite::Parallel { .. })
        );
        if is_loop && self.must_be_gone_through(key).is_some() {
            return;
        }
        for branch in self.remembered(key) {
            self.forget_branch(key, branch);
        }
    }
}
