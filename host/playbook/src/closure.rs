//! Closures taken out of Rhai's shared cells.
//!
//! A captured variable is a cell that its closure and its function share. Two threads on one cell wait
//! for each other and then fail, and a contended cell can panic; and a composite step that is finished
//! must leave nothing behind but its result. So the closures of `parallel`, `poll`, `retry` and `undo` get
//! copies of what they captured, afresh for every call.

use rhai::{Array, Dynamic, FnPtr, Map};

use crate::thrown::{self, Error};
use crate::value;

/// The closure that an argument is, detached. The caller has checked that it is one.
pub(crate) fn of(argument: &Dynamic) -> Result<FnPtr, Error> {
    let argument = argument.flatten_clone();
    let kind = value::kind(&argument);
    argument
        .try_cast::<FnPtr>()
        .map(|closure| detached(&closure))
        .ok_or_else(|| thrown::mistake(format!("needs a closure, got {kind}"), None))
}

/// The closure with copies of what it captured. Every call works on copies of these copies.
fn detached(closure: &FnPtr) -> FnPtr {
    let mut closure = closure.clone();
    for captured in closure.iter_curry_mut() {
        *captured = detach(captured);
    }
    closure
}

/// A copy that shares no cell with anything, also not through closures inside of it.
pub(crate) fn detach(value: &Dynamic) -> Dynamic {
    let value = value.flatten_clone();
    if let Some(closure) = value.read_lock::<FnPtr>() {
        return Dynamic::from(detached(&closure));
    }
    if let Some(list) = value.read_lock::<Array>()
        && list.iter().any(may_hold_closure)
    {
        return Dynamic::from_array(list.iter().map(detach).collect());
    }
    if let Some(map) = value.read_lock::<Map>()
        && map.values().any(may_hold_closure)
    {
        return Dynamic::from_map(
            map.iter()
                .map(|(name, value)| (name.clone(), detach(value)))
                .collect(),
        );
    }
    value
}

fn may_hold_closure(value: &Dynamic) -> bool {
    value.is_fnptr() || value.is_array() || value.is_map() || value.is_shared()
}
