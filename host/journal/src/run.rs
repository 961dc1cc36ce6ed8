//! The row that every run has: what it is a run of, where it stands, and how it ended.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cordon_contract::value::{Map, exact};
use cordon_contract::{StepKey, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::moment::Moment;

/// The identity of a run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// What it is a run of. Does not change.
    pub order: Order,
    /// Where it stands.
    pub status: Status,
}

/// What a run is a run of, fixed when it is started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The playbook's name.
    pub playbook: String,
    /// The digest of the playbook with its imports; the blob of this digest is its bundle.
    pub version: String,
    /// Its inputs, converted.
    #[serde(with = "exact::map")]
    pub input: Map,
    /// Which connections its aliases stand for.
    pub bindings: BTreeMap<String, Vec<Binding>>,
    /// Who started it.
    pub started_by: String,
    /// When.
    pub created: Moment,
    /// When it ends at the latest.
    pub deadline: Moment,
    /// For finding it.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The run that started this one, and the step of it.
    #[serde(default)]
    pub parent: Option<(RunId, StepKey)>,
    /// How many runs are above it.
    #[serde(default)]
    pub depth: u32,
    /// The run whose journal it began with, and the step from which on it is new.
    #[serde(default)]
    pub retry_of: Option<(RunId, StepKey)>,
    /// How many runs like it may go on at a time.
    #[serde(default)]
    pub slot: Option<Slot>,
    /// It may record so many bytes.
    pub journal_bytes_max: u64,
    /// It may record so many records.
    pub journal_records_max: u64,
}

/// A connection that an alias stands for, and the version of its connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The connection's name.
    pub connection: String,
    /// Its connector's name.
    pub connector: String,
    /// The digest of the component; the blob of this digest is the component.
    pub digest: String,
}

/// A place that runs share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The runs with the same key share it.
    pub key: String,
    /// So many may have a place at a time.
    pub max: u32,
    /// A run that finds none ends, instead of waiting in line.
    pub skip: bool,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// What it does.
    pub state: State,
    /// When the executor must look after it next; none while only a person or another run can move it,
    /// or when it has ended.
    pub due: Option<Moment>,
    /// What it waits for.
    #[serde(default)]
    pub waits: Vec<Waiting>,
    /// The last record's place in its journal.
    #[serde(default)]
    pub seq: u64,
    /// How many records it has.
    #[serde(default)]
    pub records: u64,
    /// How many bytes they have.
    #[serde(default)]
    pub bytes: u64,
    /// How it ended.
    #[serde(default)]
    pub end: Option<End>,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a place among runs like it.
    Queued,
    /// It is executed, or will be as soon as a process executes.
    Going,
    /// It waits for a time, a person or another run.
    Waiting,
    /// A write's answer was lost, nobody can know what happened, and a person must say.
    InDoubt,
    /// It has ended.
    Ended,
}

impl State {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Going,
        Self::Waiting,
        Self::InDoubt,
        Self::Ended,
    ];

    /// The word for people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Going => "going",
            Self::Waiting => "waiting",
            Self::InDoubt => "in_doubt",
            Self::Ended => "ended",
        }
    }
}

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The step; none for a run in a queue.
    pub step: Option<StepKey>,
    /// What for.
    pub reason: Reason,
    /// Since when.
    pub since: Moment,
    /// Until when at the latest, apart from the run's deadline.
    pub until: Option<Moment>,
}

/// What a run can wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// `sleep`.
    Sleep,
    /// The next look of a `poll`.
    Poll,
    /// The next try of a `retry`.
    Retry,
    /// People's agreement.
    Approval {
        /// What is to be approved.
        message: String,
        /// Who may.
        role: Option<String>,
        /// How many must.
        wanted: u32,
        /// Who has.
        given: Vec<String>,
    },
    /// A person's answer.
    Answer {
        /// The question.
        message: String,
        /// The answers that there are.
        choices: Vec<String>,
    },
    /// The end of another run.
    Child {
        /// Which.
        run: RunId,
        /// Its playbook.
        playbook: String,
    },
    /// The moment to send a write again whose answer was lost.
    Resend {
        /// `connection.action`.
        action: String,
    },
    /// The moment to ask the product about a write whose answer was lost.
    Reconcile {
        /// `connection.action`.
        action: String,
    },
    /// A person's word on a write of which nobody knows whether it happened.
    Resolve {
        /// `connection.action`.
        action: String,
        /// How the answer was lost.
        message: String,
    },
    /// Something that the run needs is not usable at the moment; it is tried again.
    Blocked {
        /// What, and why not.
        message: String,
    },
    /// A place among runs like it.
    Slot {
        /// What these runs have in common.
        key: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// In a word.
    pub outcome: Outcome,
    /// When.
    pub at: Moment,
    /// What `run` returned.
    #[serde(default, with = "exact")]
    pub result: Value,
    /// Why there is no result, as `cordon_playbook::RunError` is written; or who cancelled it.
    #[serde(default)]
    pub error: Option<serde_json::Value>,
    /// The same in a line, for people.
    #[serde(default)]
    pub message: Option<String>,
}

/// How a run ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a result.
    Succeeded,
    /// With a result, but a step over many values did not do them all.
    Partially,
    /// Without a result.
    Failed,
    /// A person gave up on a write of which nobody knows whether it happened.
    InDoubt,
    /// Somebody cancelled it.
    Cancelled,
    /// It was never begun: a run like it was going on.
    Skipped,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 6] = [
        Self::Succeeded,
        Self::Partially,
        Self::Failed,
        Self::InDoubt,
        Self::Cancelled,
        Self::Skipped,
    ];

    /// The word for people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Partially => "partially",
            Self::Failed => "failed",
            Self::InDoubt => "in_doubt",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }
}
