//! Values between Cordon and a component: the exact form of `cordon_contract::conform` to and from
//! wasmtime's, for every type that an action can use, losslessly or not at all.

pub(crate) mod json;
pub(crate) mod lift;
pub(crate) mod lower;

pub(crate) use json::JsonBounds;
pub(crate) use lift::lift;
pub(crate) use lower::lower;

use cordon_contract::ValueError;

/// An error at the value itself; callers add the way to it.
fn wrong(problem: impl Into<String>) -> ValueError {
    ValueError {
        path: String::new(),
        problem: problem.into(),
    }
}
