//! How much a run may use. One table; each limit holds for the run as a whole, its branches together.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a run may use. [`Limits::default`] is what fits a playbook that talks to products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Operations of the script, all branches together. An endless loop ends here, after seconds.
    /// Costs one addition an operation. Does not bound what actions do, nor waiting.
    pub operations: u64,
    /// Time that the script itself computes, all branches together; waiting for steps is not counted.
    /// Catches what few operations can do to large values. Looked at every few operations.
    pub computing: Duration,
    /// Steps, all branches together. Bounds what a loop around an action can do to a product.
    pub steps: u64,
    /// Time of the run from its start, waits included. A run that was taken up again has used some of
    /// it: whoever runs it passes what is left. Looked at between operations: an action that hangs is
    /// ended by its own timeout, not by this.
    pub time: Duration,
    /// Calls inside of calls. Endless recursion ends here. Each level costs stack.
    pub call_depth: usize,
    /// Expressions inside of expressions, and blocks inside of blocks, as written. Each level costs
    /// stack while the script is read and while it runs.
    pub expression_depth: usize,
    /// Bytes of a text, and of all texts inside one value together.
    pub text_size: usize,
    /// Values in a list, those in inner lists counted too. Bounds one value, not all variables
    /// together: the product with [`Limits::variables`] is what a hostile script can hold.
    pub list_size: usize,
    /// Entries in a map, those of inner maps counted too.
    pub map_size: usize,
    /// Variables in reach of one function.
    pub variables: usize,
    /// Imported libraries.
    pub modules: usize,
    /// `parallel` inside `poll` inside `parallel`: each level holds a thread's stack.
    pub composite_depth: usize,
    /// Threads that `parallel` may use beyond the one that runs the script, in the whole run.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 20_000_000,
            computing: Duration::from_secs(60),
            steps: 100_000,
            time: Duration::from_secs(30 * 24 * 60 * 60),
            call_depth: 64,
            expression_depth: 64,
            text_size: 8 * 1024 * 1024,
            list_size: 100_000,
            map_size: 250_000,
            variables: 256,
            modules: 32,
            composite_depth: 6,
            threads: 32,
        }
    }
}

/// Stack of every thread that runs a script: enough for [`Limits::call_depth`] calls of the deepest
/// expressions, and for walking a value nested as deep as [`Limits::list_size`] and
/// [`Limits::map_size`] allow. Only what is touched costs memory.
pub(crate) const STACK_SIZE: usize = 256 * 1024 * 1024;

/// The largest script that is read.
pub const SCRIPT_SIZE_MAX: usize = 1024 * 1024;

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields of `Limits` say it")]
pub enum Limit {
    Operations,
    Computing,
    Steps,
    Time,
    CallDepth,
    ExpressionDepth,
    TextSize,
    ListSize,
    MapSize,
    Variables,
    Modules,
    CompositeDepth,
}

impl Limit {
    /// The name of the limit as it stands in `cordon.toml` and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Computing => "computing",
            Self::Steps => "steps",
            Self::Time => "time",
            Self::CallDepth => "call_depth",
            Self::ExpressionDepth => "expression_depth",
            Self::TextSize => "text_size",
            Self::ListSize => "list_size",
            Self::MapSize => "map_size",
            Self::Variables => "variables",
            Self::Modules => "modules",
            Self::CompositeDepth => "composite_depth",
        }
    }

    /// How much was allowed, for a message.
    #[must_use]
    pub fn allowed(self, limits: &Limits) -> String {
        match self {
            Self::Operations => format!("{} operations of the script", limits.operations),
            Self::Steps => format!("{} steps", limits.steps),
            Self::Time => format!("{} since the start", shown(limits.time)),
            Self::Computing => format!("{} of computing", shown(limits.computing)),
            Self::CallDepth => format!("{} calls inside of calls", limits.call_depth),
            Self::ExpressionDepth => format!(
                "{} expressions or blocks inside of each other",
                limits.expression_depth
            ),
            Self::TextSize => format!("{} bytes of text in one value", limits.text_size),
            Self::ListSize => format!("{} values in one list", limits.list_size),
            Self::MapSize => format!("{} entries in one map", limits.map_size),
            Self::Variables => format!("{} variables in one function", limits.variables),
            Self::Modules => format!("{} imported libraries", limits.modules),
            Self::CompositeDepth => {
                format!(
                    "{} levels of `parallel`, `poll` and `retry` inside of each other",
                    limits.composite_depth
                )
            }
        }
    }
}

fn shown(time: Duration) -> String {
    cordon_contract::units::format_duration(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use rhai::{Dynamic, Scope};

    use super::*;

    /// Rhai walks values by recursion: to measure, copy, compare, print and drop them.
    #[test]
    fn a_value_nested_as_deep_as_the_limits_allow_overflows_no_stack() {
        let limits = Limits::default();
        let work = move || {
            let mut value = Dynamic::UNIT;
            for _ in 0..limits.list_size {
                value = Dynamic::from_array(vec![value]);
            }
            for _ in 0..limits.map_size {
                value = Dynamic::from_map([("a".into(), value)].into_iter().collect());
            }
            let roomy = Limits {
                list_size: 2 * limits.list_size,
                map_size: 2 * limits.map_size,
                ..limits
            };
            let engine = crate::engine::reader(&roomy);
            let mut scope = Scope::new();
            scope.push("a", value.clone());
            scope.push("b", value);
            for code in [
                "let c = a; c.b = 1;",
                "a == b",
                "`${a}`",
                "to_json(a)",
                "[a].contains(b)",
            ] {
                // Whether it fails is no matter here.
                let _ = engine.eval_with_scope::<Dynamic>(&mut scope, code);
            }
        };
        std::thread::Builder::new()
            .stack_size(STACK_SIZE)
            .spawn(work)
            .unwrap()
            .join()
            .unwrap();
    }
}
