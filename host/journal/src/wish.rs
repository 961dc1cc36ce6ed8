//! What other processes leave for the one that executes.

use cordon_contract::value::exact;
use cordon_contract::{StepKey, Value};
use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::run::RunId;

/// A wish in the inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// Who wishes.
    pub by: String,
    /// Since when.
    pub at: Moment,
    /// The run that it is about.
    pub run: RunId,
    /// What is wished.
    pub kind: WishKind,
}

/// What can be wished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WishKind {
    /// Agree to what a run asks approval for, or refuse it.
    Approve {
        /// Which step; the only one that waits, where none is named.
        step: Option<StepKey>,
        /// Whether.
        allow: bool,
        /// Why.
        comment: Option<String>,
    },
    /// Answer what a run asks.
    Answer {
        /// Which step; the only one that waits, where none is named.
        step: Option<StepKey>,
        /// The answer as it was typed, or as a value.
        text: bool,
        /// The answer.
        #[serde(with = "exact")]
        value: Value,
    },
    /// Say what came of a write that is in doubt.
    Resolve {
        /// Which step.
        step: StepKey,
        /// What came of it.
        how: Resolution,
    },
    /// End the run.
    Cancel {
        /// Why.
        why: Option<String>,
    },
}

/// What a person says about a write that is in doubt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It happened; this is what the action would have returned.
    Done(#[serde(with = "exact")] Value),
    /// It did not happen.
    NotDone,
    /// Nobody will find out: the run ends in doubt.
    Abort,
}
