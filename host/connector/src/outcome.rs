//! How a guest ended other than by an answer, in words. The one place that knows wasmtime's errors.

use std::fmt;

use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::limits::{Limit, LimitReached, Limits};
use crate::sandbox::Output;

/// How much of a panic's message is shown.
const LAST_WORDS_BYTES_MAX: usize = 1_000;

/// Why a guest did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It ran into a limit of the sandbox.
    Limit(LimitReached),
    /// It trapped: a panic, a defect, or a stack overflow.
    Trap {
        /// wasmtime's word for it.
        trap: String,
        /// The last line that it wrote, which for a panic says what happened.
        last_words: Option<String>,
    },
    /// It ended the program, as `exit` does.
    Exit,
    /// No free instance in the pool, which the queue before it should not let happen.
    Busy,
    /// Anything else.
    Other(String),
}

impl Ending {
    /// Classifies an error of an instantiation or a call.
    pub fn of(error: &wasmtime::Error, output: &Output, limits: &Limits) -> Self {
        if let Some(reached) = error.downcast_ref::<LimitReached>() {
            return Self::Limit(*reached);
        }
        if error.is::<PoolConcurrencyLimitError>() {
            return Self::Busy;
        }
        if error.is::<wasmtime_wasi::I32Exit>() {
            return Self::Exit;
        }
        // wasmtime gives this error no type.
        if format!("{error:#}").contains("fuel allocated for hostcalls has been exhausted") {
            let limit = Limit::Transfer;
            return Self::Limit(LimitReached {
                limit,
                allowed: limits.get(limit),
            });
        }
        match error.downcast_ref::<Trap>() {
            Some(trap) => Self::Trap {
                trap: trap.to_string(),
                last_words: last_words(output),
            },
            None => Self::Other(error.root_cause().to_string()),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(reached) => {
                write!(
                    f,
                    "the connector was ended: {reached}; it can be raised in `[limits]` of `cordon.toml`"
                )
            }
            Self::Trap {
                last_words: Some(words),
                ..
            } => write!(f, "the connector broke down: {words}"),
            Self::Trap {
                trap,
                last_words: None,
            } => write!(f, "the connector broke down ({trap})"),
            Self::Exit => f.write_str("the connector ended its own program instead of answering"),
            Self::Busy => f.write_str("all instances are busy"),
            Self::Other(problem) => write!(f, "the connector could not be called: {problem}"),
        }
    }
}

/// A panic in Rust writes `thread … panicked at place:`, the message, and a hint.
fn last_words(output: &Output) -> Option<String> {
    let lines = output.lines();
    let panic = lines.iter().rposition(|line| line.contains("panicked at"));
    let words = match panic {
        Some(at) => lines.get(at + 1).or(lines.get(at)),
        None => lines.last(),
    }?;
    let end = words.floor_char_boundary(LAST_WORDS_BYTES_MAX);
    Some(words[..end].to_owned())
}
