//! `undo` and `undoable`: what takes back what a run did, when it fails or is cancelled.

use rhai::{Dynamic, FnPtr, NativeCallContext};

use super::world::scope;
use super::{Function, Kind, Parameter, Takes};
use crate::closure;
use crate::scope::Scope;
use crate::step::Step;
use crate::thrown::{self, Error};
use crate::undo::Undo;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "undo",
        parameters: &[Parameter {
            name: "act",
            takes: Takes::Closure("|| …"),
            optional: false,
            docs: "takes back what was done",
        }],
        gives: "",
        docs: "Registers a closure that is called when the run fails, reaches a limit or is cancelled: the last one first. One that fails does not keep the others from being called. When the run ends with a result, none is called. The closure works on copies of what it captures, as they are now.",
        kind: Kind::Step,
        example: "let edr = connection(\"edr\");\nundo(|| edr.release(#{ sensor_id: \"S-1\" }));",
        example_gives: "",
        hides: &[],
        call: undo,
    },
    Function {
        name: "undoable",
        parameters: &[Parameter {
            name: "act",
            takes: Takes::Closure("|| …"),
            optional: false,
            docs: "what to do",
        }],
        gives: "what the closure gives",
        docs: "Calls the closure. For each action in it that succeeds and that its connector knows how to take back, the inverse is registered as by `undo`. It gets the arguments of the same names, else the fields of the result.",
        kind: Kind::Around,
        example: "let edr = connection(\"edr\");\nundoable(|| edr.isolate(#{ sensor_id: \"S-1\", duration: \"2h\" }));",
        example_gives: "",
        hides: &[],
        call: undoable,
    },
];

fn undo(context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let act = closure::of(arguments[0])?;
    let scope = scope()?;
    check_allowed(&scope, "undo")?;
    let (key, _) = scope.run().perform_with_key(&scope, "undo", Step::Undo)?;
    scope.run().register(key, Undo::closure(context, act));
    Ok(Dynamic::UNIT)
}

fn undoable(context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let scope = scope()?;
    check_allowed(&scope, "undoable")?;
    let act = arguments[0].flatten_clone().try_cast::<FnPtr>();
    let _until_done = scope.undoable();
    act.map_or(Ok(Dynamic::UNIT), |act| act.call_raw(context, None, []))
}

fn check_allowed(scope: &Scope, function: &str) -> Result<(), Error> {
    match scope.surroundings().undo_refused {
        Some(reason) => Err(thrown::mistake(
            format!("`{function}` has no place here: {reason}"),
            None,
        )),
        None => Ok(()),
    }
}
